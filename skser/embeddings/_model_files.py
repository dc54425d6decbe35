"""Encoders in model files, which may be damaged or made to do harm: checks of all they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import DownloadError, ModelError, SkserError
from ._hub import KNOWN

if TYPE_CHECKING:
    from ._whisper_encoder import WhisperEncoder

_LARGEST = 2**16  # sizes of frames, beyond those of any encoder


def is_sound(content: Mapping[str, Any]) -> bool:
    """Whether the description of an encoder has the types and ranges of `WhisperEncoder`."""
    try:
        layers, graph, sizes = content["layers"], content["graph"], ("n_mels", "layer_width")
        texts = [content[name] for name in ("revision", "licence") if content[name] is not None]
        return (
            all(isinstance(text, str) for text in (content["model"], *texts))
            and re.fullmatch("[0-9a-f]{32}", content["digest"]) is not None
            and isinstance(layers, tuple)
            and 0 < len(layers) == len(set(layers))
            and all(isinstance(layer, int) and 0 <= layer < _LARGEST for layer in layers)
            and all(isinstance(content[s], int) and 0 < content[s] <= _LARGEST for s in sizes)
            and (graph is None or type(graph) is bytes)
        )
    except (KeyError, TypeError):
        return False


def check_session(session: Any, name: str, inputs: dict[str, int], outputs: dict[str, int]) -> None:
    """Raise ModelError unless a graph has these arrays; the number is the size of one axis.

    It is the second axis of an input and the third of an output, each of three.
    """
    for axis, kind, wanted in ((1, "inputs", inputs), (2, "outputs", outputs)):
        arrays = getattr(session, f"get_{kind}")()
        found = {
            array.name: array.shape[axis]
            for array in arrays
            if array.type == "tensor(float)" and len(array.shape) == 3
        }
        if found != wanted or len(arrays) != len(wanted):
            raise ModelError(f"{name}: must be an encoder with the {kind} {wanted}, got {found}")


def unavailable(encoder: WhisperEncoder, cache: object, error: SkserError) -> SkserError:
    """An error that says where to get an encoder that the model file only names."""
    is_local = encoder.revision is None and encoder.model not in KNOWN
    network = "" if is_local else "connect to a network once; or "
    text = (
        f"the pre-trained encoder {encoder.model} (revision {encoder.revision or 'unknown'}, hash "
        f"{encoder.digest}) is neither in the model file nor in {cache} ({error}): {network}name "
        'any folder with this encoder, as by pipeline.set_params(features__model="/folder"); or '
        "save the model with include_encoder=True (`skser train --include-encoder`) where the "
        "encoder is"
    )
    return DownloadError(text) if isinstance(error, DownloadError) else ModelError(text)
