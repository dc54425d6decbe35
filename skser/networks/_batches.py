"""Draws: the batches of an epoch, with new views, masks and mixtures each time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._utils._blocks import blocks_of
from ._rows import with_frames

# Batches sorted by length together: enough for similar lengths, few enough to stay random.
_SORTED_BATCHES = 8
# Parameters that leave features unchanged.
NOTHING_DRAWN: dict[str, Any] = {
    "mixup": 0.0,
    "frequency_masks": (0, 0),
    "time_masks": (0, 0),
    "time_scale": (1.0, 1.0),
    "gain": (0.0, 0.0),
    "noise": 0.0,
}


@dataclass(frozen=True)
class DrawSettings:
    """Parameters of `skser.CNNEmotionClassifier` that change the rows of an epoch."""

    batch_size: int
    view_sampling: str
    frequency_masks: tuple[int, int]
    time_masks: tuple[int, int]
    time_scale: tuple[float, float]
    gain: tuple[float, float]
    noise: float
    mixup: float


class Draws:
    """Training batches of clips (indices into the arrays), different in every epoch.

    ``values`` are of shape (n_clips, n_views, [n_frames,] n_features), padded with NaN or zeros: an
    array, or features on disk that are indexed like one.
    An epoch depends on the seed and its number alone, so training can resume after any epoch.
    """

    def __init__(
        self,
        values: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        clips: np.ndarray,
        settings: DrawSettings,
        seed: int,
    ) -> None:
        self.values = values
        self.targets = targets.astype(np.float32)
        self.weights = weights.astype(np.float32)
        self.clips = clips
        self.settings = settings
        self.seed = seed
        self.is_sequence = values.ndim == 4
        if self.is_sequence:
            self.lengths = count_frames(values)

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""
        n_views = self.values.shape[1] if self.settings.view_sampling == "all" else 1
        return len(self.clips) * n_views

    @property
    def n_batches(self) -> int:
        return -(-self.n_rows // self.settings.batch_size)

    def epoch(
        self, number: int, n_frames: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Rows, targets and weights of each batch; sequences of ``n_frames`` if given."""
        rng = np.random.default_rng([self.seed, number])
        n_views = self.values.shape[1]
        if self.settings.view_sampling == "one":
            clips, views = self.clips, rng.integers(n_views, size=len(self.clips))
        else:
            clips = np.repeat(self.clips, n_views)
            views = np.tile(np.arange(n_views), len(self.clips))
        for rows in self._batches(clips, views, rng):
            draw = self._sequences if self.is_sequence else self._vectors
            x = draw(clips[rows], views[rows], rng)
            if n_frames is not None:
                x = with_frames(x, n_frames)
            yield self._mix(x, self.targets[clips[rows]], self.weights[clips[rows]], rng)

    def _batches(
        self, clips: np.ndarray, views: np.ndarray, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Rows of each batch: random, but of similar lengths, to save padding."""
        size = self.settings.batch_size
        order = rng.permutation(len(clips))
        if self.is_sequence:
            lengths = self.lengths[clips, views]
            for start in range(0, len(order), size * _SORTED_BATCHES):
                part = order[start : start + size * _SORTED_BATCHES]
                part[:] = part[np.argsort(lengths[part], kind="stable")]
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [batches[i] for i in rng.permutation(len(batches))] if self.is_sequence else batches

    def _vectors(
        self, clips: np.ndarray, views: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        x = self.values[clips, views].astype(np.float32)
        x += _uniform(rng, self.settings.gain, (len(x), 1))
        if self.settings.noise:
            x += self.settings.noise * rng.standard_normal(x.shape, np.float32)
        return x

    def _sequences(
        self, clips: np.ndarray, views: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        settings = self.settings
        lengths = self.lengths[clips, views]
        scales = _uniform(rng, settings.time_scale, len(clips))
        scaled = np.maximum(np.rint(lengths * scales).astype(int), 1)
        x = np.zeros((len(clips), scaled.max(), self.values.shape[-1]), np.float32)
        gains = _uniform(rng, settings.gain, len(clips))
        for row, clip, view, n, n_scaled, gain in zip(
            x, clips, views, lengths, scaled, gains, strict=True
        ):
            row[:n_scaled] = _stretched(np.nan_to_num(self.values[clip, view, :n]), n_scaled)
            row[:n_scaled] += gain
            if settings.noise:
                row[:n_scaled] += settings.noise * rng.standard_normal(
                    (n_scaled, x.shape[2]), np.float32
                )
            for start, stop in _spans(rng, settings.frequency_masks, x.shape[2]):
                row[:, start:stop] = 0
            for start, stop in _spans(rng, settings.time_masks, n_scaled):
                row[start:stop] = 0
        return x

    def _mix(
        self, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mix each row with a second one of the batch, in shares drawn from Beta(mixup, mixup)."""
        if not self.settings.mixup:
            return x, targets, weights
        share = rng.beta(self.settings.mixup, self.settings.mixup, len(x)).astype(np.float32)
        partner = rng.permutation(len(x))
        x_share = share.reshape(-1, *[1] * (x.ndim - 1))
        # Labels count with the weights of their clips, so that a clip of weight 0 adds none.
        first, second = share * weights, (1 - share) * weights[partner]
        mixed_weights = first + second
        mixed_targets = first[:, None] * targets + second[:, None] * targets[partner]
        mixed_targets /= np.maximum(mixed_weights, np.finfo(np.float32).tiny)[:, None]
        return x_share * x + (1 - x_share) * x[partner], mixed_targets, mixed_weights


def count_frames(sequences: np.ndarray) -> np.ndarray:
    """Number of frames before the padding (NaN or zeros) of sequences (..., frames, features)."""
    counts = np.empty(sequences.shape[:-2], int)
    for block in blocks_of(len(sequences), math.prod(sequences.shape[1:])):
        frames = np.asarray(sequences[block])
        is_real = ~np.isnan(frames[..., 0]) & (frames != 0).any(axis=-1)
        last = is_real.shape[-1] - is_real[..., ::-1].argmax(axis=-1)
        counts[block] = np.where(is_real.any(axis=-1), last, 1)
    return counts


def _uniform(
    rng: np.random.Generator, limits: tuple[float, float], size: int | tuple[int, ...]
) -> np.ndarray:
    return rng.uniform(*limits, size).astype(np.float32)


def _stretched(frames: np.ndarray, n: int) -> np.ndarray:
    """Frames interpolated linearly to ``n`` frames."""
    if n == len(frames):
        return frames
    positions = np.linspace(0, len(frames) - 1, n, dtype=np.float32)
    before = positions.astype(int)
    after = np.minimum(before + 1, len(frames) - 1)
    share = (positions - before)[:, None]
    return frames[before] * (1 - share) + frames[after] * share


def _spans(rng: np.random.Generator, masks: tuple[int, int], n: int) -> Iterator[tuple[int, int]]:
    """``masks[0]`` spans of random width up to ``masks[1]`` and a quarter of ``range(n)``."""
    n_masks, max_width = masks
    for _ in range(n_masks):
        width = rng.integers(min(max_width, n // 4) + 1)
        start = rng.integers(n - width + 1)
        yield start, start + width
