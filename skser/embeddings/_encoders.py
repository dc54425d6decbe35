"""Encoders by what names them: a folder, a name on the Hub, or an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from ..exceptions import ParameterError
from ._onnx_file import OnnxFile
from ._whisper_encoder import WhisperEncoder


class Encoder(Protocol):
    """A pre-trained encoder: turns waveforms into frames."""

    sr: ClassVar[int | None]  # of the waveforms; None for any
    samples_per_frame: ClassVar[int]

    @property
    def layer_width(self) -> int:
        """Number of features of a frame from one layer."""

    @property
    def layer_names(self) -> list[str]:
        """Names of the layers, whose features are side by side."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What the frames depend on."""

    def to_dict(self) -> dict[str, Any]:
        """The encoder as plain data, without weights."""

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        """The input of a waveform; inputs of one shape can be stacked."""

    def read_graph(self) -> bytes:
        """The encoder in ONNX."""

    def open(self, device: str) -> Callable[[np.ndarray], np.ndarray]:
        """A function from stacked inputs to frames (n, n_frames, width)."""


def find_encoder(model: str, revision: str | None, layer: int | str | Sequence[int]) -> Encoder:
    """The encoder that a SpeechEmbedding names."""
    if OnnxFile.is_at(Path(model).expanduser()):
        if not isinstance(layer, str):
            raise ParameterError(
                f"layer must be the name of an output of {model}, or 'middle' for its only one, "
                f"got {layer!r}"
            )
        return OnnxFile.read(model, None if layer == "middle" else layer)
    return WhisperEncoder.of(model, revision, layer)


def encoder_of(embedding: Any) -> Encoder:
    """The encoder of a fitted SpeechEmbedding, found again where the step now names it."""
    content = embedding.encoder_
    if isinstance(content, dict) and isinstance(embedding.model, (str, os.PathLike)):
        revision = embedding.revision or content.get("revision")
        content = content | {"model": os.fspath(embedding.model), "revision": revision}
        if "output" in content:
            return OnnxFile.from_dict(content)
    return WhisperEncoder.from_dict(content)
