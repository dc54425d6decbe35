"""EmbeddingPlan: pooled frames of an encoder, for batches of clips."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from ..audio._clips import stack_padded, without_padding
from ..exceptions import ExtractionError
from ..features.extraction._plan import LIBRARIES
from ._encoders import Encoder, encoder_of

# Frames of several layers take more memory than their audio.
_WINDOWS_AT_ONCE = 48
POOLINGS = {"mean": ("mean",), "mean_std": ("mean", "std"), None: ()}


@dataclass(frozen=True)
class EmbeddingPlan:
    """All that the features of a SpeechEmbedding depend on."""

    encoder: Encoder
    pooling: str | None
    max_seconds: float
    batch_size: int
    device: str

    # Enough for some of one length.
    clips_at_once: ClassVar[int] = 16
    code: ClassVar[tuple[str, ...]] = ("_utils", "audio", "augmentation", "features", "embeddings")
    # One of the last two is not installed.
    libraries: ClassVar[tuple[str, ...]] = (*LIBRARIES, "onnxruntime", "onnxruntime-gpu")

    @classmethod
    def of(cls, embedding: Any) -> EmbeddingPlan:
        """The plan of a fitted SpeechEmbedding."""
        encoder = encoder_of(embedding)
        values = (embedding.pooling, embedding.max_seconds, embedding.batch_size, embedding.device)
        return cls(encoder, *values)

    @property
    def n_features(self) -> int:
        width = len(self.encoder.layer_names) * self.encoder.layer_width
        return width * max(1, len(POOLINGS[self.pooling]))

    @property
    def samples_per_frame(self) -> int | None:
        return self.encoder.samples_per_frame if self.pooling is None else None

    def identity(self) -> dict[str, object]:
        return {"encoder": (self.encoder.identity, self.pooling, self.max_seconds)}

    def of_clips(self, clips: list[np.ndarray], sr: int) -> list[np.ndarray]:
        views = [without_padding(view) for clip in clips for view in clip]
        features = iter(self.frames(views, sr) if self.pooling is None else self._pooled(views, sr))
        stack = stack_padded if self.pooling is None else np.stack
        return [stack([next(features) for _ in clip]) for clip in clips]

    def _pooled(self, waveforms: list[np.ndarray], sr: int) -> list[np.ndarray]:
        """Features of each waveform, with the frames of a few windows in memory at once."""
        windows = [self._windows(waveform, sr) for waveform in waveforms]
        all_windows = [window for group in windows for window in group]
        pooled = []
        for first in range(0, len(all_windows), _WINDOWS_AT_ONCE):
            frames = self._encode(all_windows[first : first + _WINDOWS_AT_ONCE])
            pooled += [(len(of_window), self.pool(of_window)) for of_window in frames]
        remaining = iter(pooled)
        return [self._joined(list(islice(remaining, len(group)))) for group in windows]

    def _joined(self, windows: list[tuple[int, np.ndarray]]) -> np.ndarray:
        """Features of a clip from those of its windows, each after the number of its frames."""
        n_frames, pooled = zip(*windows, strict=True)
        if len(pooled) == 1:
            return pooled[0]
        shape = (len(self.encoder.layer_names), len(POOLINGS[self.pooling]), -1)
        values = np.stack(pooled).reshape(len(pooled), *shape).astype(np.float64)
        joined = np.average(values, axis=0, weights=n_frames)
        if self.pooling == "mean_std":
            squares = values[:, :, 1] ** 2 + (values[:, :, 0] - joined[:, 0]) ** 2
            joined[:, 1] = np.sqrt(np.average(squares, axis=0, weights=n_frames))
        return joined.ravel().astype(np.float32)

    def frames(self, waveforms: list[np.ndarray], sr: int) -> list[np.ndarray]:
        """Frames (n_frames, width) of each waveform."""
        windows = [self._windows(waveform, sr) for waveform in waveforms]
        encoded = iter(self._encode([window for group in windows for window in group]))
        return [np.concatenate([next(encoded) for _ in group]) for group in windows]

    def _windows(self, waveform: np.ndarray, sr: int) -> list[np.ndarray]:
        """Equal parts, of whole frames, that are no longer than ``max_seconds``."""
        per_frame = self.encoder.samples_per_frame
        n_frames = -(-len(waveform) // per_frame)
        most = max(1, int(self.max_seconds * sr) // per_frame)
        n_windows = max(1, -(-n_frames // most))
        edges = [round(i * n_frames / n_windows) * per_frame for i in range(1, n_windows)]
        return np.split(waveform, edges)

    def _encode(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Frames of waveforms, batched only with those of equal length, so nothing is padded."""
        encode = self.encoder.open(self.device)
        inputs = [self.encoder.prepare(waveform) for waveform in waveforms]
        same_length: dict[tuple[int, ...], list[int]] = {}
        for i, array in enumerate(inputs):
            same_length.setdefault(array.shape, []).append(i)
        frames: list[np.ndarray] = [np.empty(0)] * len(inputs)
        for rows in same_length.values():
            for first in range(0, len(rows), self.batch_size):
                batch = rows[first : first + self.batch_size]
                for i, result in zip(
                    batch, encode(np.stack([inputs[i] for i in batch])), strict=True
                ):
                    if not (len(result) and np.isfinite(result).all()):
                        name = self.encoder.layer_names[0]
                        raise ExtractionError(f"{name}: has no frames, or some are not finite")
                    frames[i] = result
        return frames

    def pool(self, frames: np.ndarray) -> np.ndarray:
        """Mean, and maybe standard deviation, of frames (n_frames, width)."""
        layers = np.split(frames, len(self.encoder.layer_names), axis=1)
        names = POOLINGS[self.pooling]
        return np.concatenate([getattr(layer, name)(axis=0) for layer in layers for name in names])
