"""What model cards, reports and `skser info` say of a pre-trained encoder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..exceptions import DataError, SkserError
from ._encoders import find_encoder
from ._hub import KNOWN

# Of an encoder: "its ..." or "whose ...".
UNKNOWN_DATA = "training data is not known to us, so test recordings may be in it"


@dataclass(frozen=True)
class EncoderDescription:
    """A pre-trained encoder, without paths of a machine.

    Parameters
    ----------
    name : str
        Name on the Hugging Face Hub, or of a folder or file.
    revision : str or None
        Commit on the Hub.
    layers : tuple of int or str
        The layers that are used.
    hash : str or None
        Hash of the weights; None for an encoder that is not on this machine.
    licence : str or None
        Licence of the weights, None if unknown.
    included : bool
        Whether the model file contains the encoder.
    """

    name: str
    revision: str | None
    layers: tuple[int | str, ...]
    hash: str | None
    licence: str | None
    included: bool = False

    @classmethod
    def of(cls, embedding: Any) -> EncoderDescription:
        """The description of the encoder of a SpeechEmbedding; unfitted, it has to be found."""
        content = getattr(embedding, "encoder_", None)
        if content is None:
            model = str(embedding.model)
            layers = np.atleast_1d(embedding.layer).tolist()
            content = {"model": model, "revision": embedding.revision, "layers": layers}
            with suppress(SkserError):
                content = find_encoder(model, embedding.revision, embedding.layer).to_dict()
        return cls(
            name=public_name(content["model"], content.get("revision")),
            revision=content.get("revision"),
            layers=tuple(content.get("layers", [content.get("output")])),
            hash=content.get("digest"),
            licence=content.get("licence"),
            included=content.get("graph") is not None,
        )

    def to_dict(self) -> dict[str, Any]:
        """The description as plain JSON."""
        return asdict(self) | {"layers": list(self.layers)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> EncoderDescription:
        """The description that `to_dict` returned; DataError for other content."""
        try:
            description = cls(**{**content, "layers": tuple(content["layers"])})
            texts = [getattr(description, name) for name in ("revision", "hash", "licence")]
            known = [description.name, *(text for text in texts if text is not None)]
            is_sound = all(map(_is_printable, known)) and isinstance(description.included, bool)
            is_sound &= all(isinstance(i, int) or _is_printable(i) for i in description.layers)
        except (KeyError, TypeError):
            is_sound = False
        if not is_sound:
            names = ", ".join(field.name for field in fields(cls))
            raise DataError(f"the description of an encoder must be {names}, got {content!r:.200}")
        return description

    def __str__(self) -> str:
        layers = ", ".join(map(str, self.layers))
        parts = [
            self.name,
            *([f"revision {self.revision}"] if self.revision else []),
            f"layer{'s' if len(self.layers) > 1 else ''} {layers}",
            *([f"hash {self.hash}"] if self.hash else []),
        ]
        licence = self.licence or "unknown"
        return f"{', '.join(parts)}. Licence: {licence}. Its {UNKNOWN_DATA}."


def public_name(model: str, revision: str | None) -> str:
    """The name of a model: on the Hub, or of a folder or file without its path."""
    is_on_hub = revision is not None or model in KNOWN
    return model if is_on_hub else re.split(r"[\\/]", model.rstrip("\\/"))[-1]


def _is_printable(text: object) -> bool:
    return isinstance(text, str) and text.isprintable()
