"""WhisperEncoder: the encoder of a Whisper model up to some layers, found by its hash."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .._utils._files import written_whole
from ..exceptions import ModelError, ParameterError, SkserError
from ..networks._onnx_runtime import check_graph, check_installed, start_session
from ._hub import KNOWN, NAME, hub_folder
from ._log_mel import HOP_LENGTH, SR, log_mel
from ._model_files import check_session, is_sound, unavailable
from ._whisper_graph import MEL, VERSION, output_name, whisper_graph
from ._whisper_weights import WhisperConfig, digest_of, read_tensors


@dataclass(frozen=True)
class WhisperEncoder:
    """Layers of an encoder; the weights are in the cache folder, or where the model is.

    Parameters
    ----------
    model : str
        Folder, or name on the Hugging Face Hub.
    revision : str or None
        Commit on the Hub.
    licence : str or None
        Licence of the weights.
    digest : str
        Hash of the weights up to the last of the layers.
    layers : tuple of int
        Layers whose frames are put side by side.
    n_mels, layer_width : int
        Sizes of input and output.
    graph : bytes or None
        The ONNX graph, if it came with a model file.
    """

    model: str
    revision: str | None
    licence: str | None
    digest: str
    layers: tuple[int, ...]
    n_mels: int
    layer_width: int
    graph: bytes | None = None

    sr: ClassVar[int | None] = SR
    samples_per_frame: ClassVar[int] = 2 * HOP_LENGTH

    @classmethod
    def of(
        cls, model: str, revision: str | None, layer: int | str | Sequence[int]
    ) -> WhisperEncoder:
        """The encoder of a folder or of a model on the Hub."""
        folder, revision = _folder_of(model, revision)
        config = WhisperConfig.read(folder)
        layers = _layers_of(layer, config.n_layers)
        name = model if revision is not None else folder.name
        known = {part: model for key, model in KNOWN.items() for part in (key, Path(key).name)}
        licence = known[name].licence if name in known else None
        digest = digest_of(folder, max(layers))
        return cls(model, revision, licence, digest, layers, config.n_mels, config.width)

    def to_dict(self) -> dict[str, Any]:
        """The encoder as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> WhisperEncoder:
        """The encoder that `to_dict` returned; ModelError for other content."""
        names = {field.name for field in fields(cls)}
        if not (isinstance(content, dict) and content.keys() == names and is_sound(content)):
            raise ModelError("the description of the pre-trained encoder is damaged")
        return cls(**content)

    @property
    def identity(self) -> tuple[object, ...]:
        """What the frames depend on."""
        # A model file may hold another graph than its hash of the weights says.
        graph = () if self.graph is None else (hashlib.sha256(self.graph).hexdigest(),)
        return (self.digest, self.layers, VERSION, *graph)

    @property
    def layer_names(self) -> list[str]:
        """Names of the layers, such as ``whisper_base_l3``."""
        name = re.sub(r"\W", "_", Path(self.model).name)
        return [f"{name}_l{layer}" for layer in self.layers]

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        """The input of a waveform; inputs of one shape can be stacked."""
        return log_mel(waveform, self.n_mels)

    def open(self, device: str) -> Callable[[np.ndarray], np.ndarray]:
        """A function from stacked inputs to frames (n, n_frames, width)."""
        return _open(self, device)

    def read_graph(self) -> bytes:
        """The ONNX graph: of the model file, from the cache folder, or made from the weights."""
        if self.graph is not None:
            check_graph(self.graph)
            return self.graph
        name = f"{self.digest}-{'-'.join(map(str, self.layers))}-v{VERSION}.encoder"
        cached = cache_folder() / "encoders" / name
        with suppress(OSError):
            content = cached.read_bytes()
            if content[:4] == _checksum(content[4:]):  # else the file is damaged
                return content[4:]
        graph = self._make_graph()
        with suppress(OSError):  # a cache that cannot be written to costs time only
            cached.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(cached) as temporary:
                temporary.write_bytes(_checksum(graph) + graph)
        return graph

    def _make_graph(self) -> bytes:
        n_layers = max(self.layers)
        try:
            folder, _ = _folder_of(self.model, self.revision)
            if digest_of(folder, n_layers) != self.digest:
                raise ModelError(f"{folder}: holds another encoder than the one that was fitted")
        except SkserError as error:
            raise unavailable(self, cache_folder(), error) from error
        tensors = read_tensors(folder, n_layers)
        return whisper_graph(WhisperConfig.read(folder), tensors, self.layers)


@lru_cache(maxsize=2)
def _open(encoder: WhisperEncoder, device: str) -> Callable[[np.ndarray], np.ndarray]:
    check_installed("an encoder", "embeddings")
    graph = encoder.read_graph()
    try:
        session = start_session(graph, device=device, n_threads=1)
    except SkserError:
        raise
    except Exception as error:
        # onnxruntime has an error for each kind of damage.
        where = (
            "the model file"
            if encoder.graph is not None
            else f"{cache_folder()}, which may be deleted"
        )
        raise ModelError(
            f"{encoder.model}: its graph in {where} cannot be read ({error!s:.200})"
        ) from error
    outputs = [output_name(layer) for layer in encoder.layers]
    check_session(
        session,
        encoder.model,
        {MEL: encoder.n_mels},
        dict.fromkeys(outputs, encoder.layer_width),
    )

    def frames(mels: np.ndarray) -> np.ndarray:
        return np.concatenate(session.run(outputs, {MEL: mels}), axis=-1)

    return frames


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little")


def cache_folder() -> Path:
    """Folder for what can be made again: ``SKSER_CACHE``, or the usual one of the system."""
    if folder := os.environ.get("SKSER_CACHE"):
        return Path(folder)
    from platformdirs import user_cache_path

    return user_cache_path("skser", appauthor=False)


def _folder_of(model: str, revision: str | None) -> tuple[Path, str | None]:
    """The folder of a model, and its commit on the Hub; None for a local folder."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, None
    if not NAME.accepts(model):
        raise ModelError(
            f"{model}: is neither a folder, an .onnx file, nor a name on the Hugging Face Hub such "
            "as openai/whisper-base"
        )
    if revision is None and model in KNOWN:
        revision = KNOWN[model].revision
    return hub_folder(model, revision), revision


def _layers_of(layer: int | str | Sequence[int], n_layers: int) -> tuple[int, ...]:
    if isinstance(layer, str) and layer == "middle":
        return (n_layers // 2,)
    layers = (layer,) if isinstance(layer, (int, np.integer)) else layer
    is_valid = not isinstance(layers, str) and all(
        isinstance(i, (int, np.integer)) and 0 <= i <= n_layers for i in layers
    )
    if not is_valid or len(layers) == 0 or len(set(layers)) < len(layers):
        raise ParameterError(
            f"layer must be 'middle', or one or several layers from 0 to {n_layers}, got {layer!r}"
        )
    return tuple(int(i) for i in layers)
