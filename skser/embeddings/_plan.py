"""EmbeddingPlan: pooled frames of an encoder, for batches of clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..audio._clips import stack_padded, without_padding
from ..exceptions import ExtractionError
from ..features.extraction._plan import LIBRARIES
from ._encoders import Encoder, encoder_of

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
    libraries: ClassVar[tuple[str, ...]] = (*LIBRARIES, "onnxruntime")

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
        pooled = iter([self.pool(frames) for frames in self.frames(views, sr)])
        stack = stack_padded if self.pooling is None else np.stack
        return [stack([next(pooled) for _ in clip]) for clip in clips]

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
                    frames[i] = result
        return frames

    def pool(self, frames: np.ndarray) -> np.ndarray:
        """Features of a clip from its frames (n_frames, width)."""
        if not np.isfinite(frames).all():
            raise ExtractionError(f"{self.encoder.layer_names[0]}: frames are not finite")
        if self.pooling is None:
            return frames
        layers = np.split(frames, len(self.encoder.layer_names), axis=1)
        names = POOLINGS[self.pooling]
        return np.concatenate([getattr(layer, name)(axis=0) for layer in layers for name in names])
