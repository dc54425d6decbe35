"""Draws: the batches of an epoch, with fresh views, masks and mixtures each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._rows import with_frames

# Batches whose rows are sorted by length together: enough to be alike, few enough to stay random.
_BATCHES_ALIKE = 8
# Parameters with which rows are the features as they are.
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
    """What an epoch changes; see `skser.CNNEmotionClassifier` for each."""

    batch_size: int
    view_sampling: str
    frequency_masks: tuple[int, int]
    time_masks: tuple[int, int]
    time_scale: tuple[float, float]
    gain: tuple[float, float]
    noise: float
    mixup: float


class Draws:
    """Rows to train on, in batches that differ from epoch to epoch.

    What an epoch draws depends on the seed and its number alone, so that training can be taken up
    again after any epoch.

    Parameters
    ----------
    values : ndarray of shape (n_clips, n_views, n_features) or \
            (n_clips, n_views, n_frames, n_features)
        Features; frames that only pad a sequence are NaN or zeros at the end.
    targets : ndarray of shape (n_clips, n_classes)
        Shares of the classes.
    weights : ndarray of shape (n_clips,)
        Weights of the clips.
    clips : ndarray of int
        The clips to train on.
    settings : DrawSettings
        What is drawn.
    seed : int
        Seed of all epochs.
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
        """Rows, targets and weights, batch by batch; sequences of ``n_frames`` if that is given."""
        rng = np.random.default_rng([self.seed, number])
        n_views = self.values.shape[1]
        if self.settings.view_sampling == "one":
            clips, views = self.clips, rng.integers(n_views, size=len(self.clips))
        else:
            clips = np.repeat(self.clips, n_views)
            views = np.tile(np.arange(n_views), len(self.clips))
        for rows in self._batches(clips, views, rng):
            chosen = clips[rows], views[rows]
            x = self._sequences(*chosen, rng) if self.is_sequence else self._vectors(*chosen, rng)
            if n_frames is not None:
                x = with_frames(x, n_frames)
            yield self._mix(x, self.targets[clips[rows]], self.weights[clips[rows]], rng)

    def _batches(
        self, clips: np.ndarray, views: np.ndarray, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Rows of each batch: random, but of like lengths, so that little is spent on padding."""
        size = self.settings.batch_size
        order = rng.permutation(len(clips))
        if self.is_sequence:
            lengths = self.lengths[clips, views]
            for start in range(0, len(order), size * _BATCHES_ALIKE):
                part = order[start : start + size * _BATCHES_ALIKE]
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
        """Mix each row with another of the batch, in shares drawn from Beta(mixup, mixup)."""
        if not self.settings.mixup:
            return x, targets, weights
        share = rng.beta(self.settings.mixup, self.settings.mixup, len(x)).astype(np.float32)
        other = rng.permutation(len(x))
        kept = share.reshape(-1, *[1] * (x.ndim - 1))
        # The label of a clip counts with its weight, so that one of weight 0 does not.
        first, second = share * weights, (1 - share) * weights[other]
        mixed_weights = first + second
        mixed_targets = first[:, None] * targets + second[:, None] * targets[other]
        mixed_targets /= np.maximum(mixed_weights, np.finfo(np.float32).tiny)[:, None]
        return kept * x + (1 - kept) * x[other], mixed_targets, mixed_weights


def count_frames(sequences: np.ndarray) -> np.ndarray:
    """Number of frames before the padding (NaN or zeros) of sequences (..., frames, features)."""
    is_real = ~np.isnan(sequences[..., 0]) & (sequences != 0).any(axis=-1)
    return np.where(is_real.any(axis=-1), is_real.shape[-1] - is_real[..., ::-1].argmax(axis=-1), 1)


def _uniform(
    rng: np.random.Generator, limits: tuple[float, float], size: int | tuple[int, ...]
) -> np.ndarray:
    return rng.uniform(*limits, size).astype(np.float32)


def _stretched(frames: np.ndarray, n: int) -> np.ndarray:
    """Frames on a grid of ``n`` points, interpolated linearly."""
    if n == len(frames):
        return frames
    places = np.linspace(0, len(frames) - 1, n, dtype=np.float32)
    before = places.astype(int)
    after = np.minimum(before + 1, len(frames) - 1)
    share = (places - before)[:, None]
    return frames[before] * (1 - share) + frames[after] * share


def _spans(rng: np.random.Generator, masks: tuple[int, int], n: int) -> Iterator[tuple[int, int]]:
    """``masks[0]`` spans of random width up to ``masks[1]`` and a quarter of ``range(n)``."""
    n_masks, max_width = masks
    for _ in range(n_masks):
        width = rng.integers(min(max_width, n // 4) + 1)
        start = rng.integers(n - width + 1)
        yield start, start + width
