"""Windows, filter banks and derivatives; each filter is computed once for its parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ._loops import spectral_loops

_DELTA_WIDTH = 9
_DELTA_PREFIXES = ("", "delta_", "delta2_")
_BANDS_AT_ONCE = 16
_HZ_PER_MEL = 200 / 3
_LINEAR_TO_HZ = 1000.0
_LINEAR_TO_MEL = _LINEAR_TO_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


@lru_cache(maxsize=8)
def hann(n_fft: int, dtype: type) -> np.ndarray:
    """Periodic Hann window."""
    return (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, n_fft + 1)[:-1])).astype(dtype)


@lru_cache(maxsize=32)
def mel_filters(
    sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None
) -> list[tuple[slice, np.ndarray]]:
    """Slaney's triangles of equal area, as (bins, weights) of groups of neighbouring bands."""
    # 98 % of the full matrix is 0; products with its dense parts are faster.
    weights = _slaney_triangles(sr, n_fft, n_mels, fmin, sr / 2 if fmax is None else fmax)
    return [
        _without_zeros(weights[i : i + _BANDS_AT_ONCE]) for i in range(0, n_mels, _BANDS_AT_ONCE)
    ]


def _slaney_triangles(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> np.ndarray:
    """The full matrix (n_mels, 1 + n_fft // 2), as `librosa.filters.mel`."""
    edges = _mel_to_hz(np.linspace(_hz_to_mel(fmin), _hz_to_mel(fmax), n_mels + 2))
    distances = edges[:, np.newaxis] - np.fft.rfftfreq(n_fft, 1 / sr)
    widths = np.diff(edges)[:, np.newaxis]
    rising, falling = -distances[:-2] / widths[:-1], distances[2:] / widths[1:]
    weights = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    weights *= 2.0 / (edges[2:] - edges[:-2])[:, np.newaxis]
    return weights


def _hz_to_mel(frequency: float) -> float:
    """Slaney's scale: linear up to 1 kHz, then logarithmic."""
    if frequency < _LINEAR_TO_HZ:
        return frequency / _HZ_PER_MEL
    return float(_LINEAR_TO_MEL + np.log(frequency / _LINEAR_TO_HZ) / _LOG_STEP)


def _mel_to_hz(mels: np.ndarray) -> np.ndarray:
    above = _LINEAR_TO_HZ * np.exp(_LOG_STEP * (mels - _LINEAR_TO_MEL))
    return np.where(mels < _LINEAR_TO_MEL, _HZ_PER_MEL * mels, above)


def _without_zeros(weights: np.ndarray) -> tuple[slice, np.ndarray]:
    used = np.flatnonzero(weights.any(axis=0))
    bins = slice(used[0], used[-1] + 1) if len(used) else slice(0)
    return bins, np.ascontiguousarray(weights[:, bins].T)


@lru_cache(maxsize=256)
def chroma_filters(sr: int, n_fft: int, n_chroma: int, tuning: float) -> np.ndarray:
    """Weights of the bins of a spectrum in each pitch class, (n_chroma, 1 + n_fft // 2).

    Those of ``librosa.filters.chroma``, whose import needs a folder for the code it compiles.
    """
    a0 = 440 / 16 * 2 ** (tuning / n_chroma)
    pitches = n_chroma * np.log2(np.linspace(0, sr, n_fft, endpoint=False)[1:] / a0)
    pitches = np.r_[pitches[0] - 1.5 * n_chroma, pitches]  # the bin at 0 Hz
    widths = np.r_[np.maximum(np.diff(pitches), 1), 1]
    half = np.round(n_chroma / 2)
    distances = np.subtract.outer(pitches, np.arange(n_chroma)).T
    distances = np.remainder(distances + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distances / widths) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=0))
    weights *= np.exp(-0.5 * ((pitches / n_chroma - 5) / 2) ** 2)  # around the fifth octave
    weights = np.roll(weights, -3 * (n_chroma // 12), axis=0)  # C first
    return np.ascontiguousarray(weights[:, : 1 + n_fft // 2], np.float32)


@lru_cache(maxsize=32)
def cosine_basis(n: int, n_rows: int) -> np.ndarray:
    """First ``n_rows`` rows of the orthonormal cosine transform (type 2) of ``n`` values."""
    rows = np.arange(n_rows)[:, np.newaxis]
    basis = np.sqrt(2 / n) * np.cos(np.pi / n * rows * (np.arange(n) + 0.5))
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


@lru_cache(maxsize=4)
def delta_weights(order: int) -> np.ndarray:
    """Savitzky-Golay weights of a derivative, the earliest frame first."""
    frames = np.arange(_DELTA_WIDTH) - _DELTA_WIDTH // 2
    polynomials = np.linalg.pinv(np.vander(frames, order + 1, increasing=True))
    return (math.factorial(order) * polynomials[order]).astype(np.float32)


def with_deltas(features: np.ndarray, n_orders: int) -> np.ndarray:
    """Features (n_bins, n_frames), followed by their first ``n_orders`` derivatives."""
    if not n_orders:
        return features
    return np.concatenate([features, *(delta(features, order) for order in range(1, n_orders + 1))])


def names_with_deltas(names: Sequence[str], n_orders: int) -> list[str]:
    """Names of the bins of `with_deltas`."""
    return [f"{prefix}{name}" for prefix in _DELTA_PREFIXES[: n_orders + 1] for name in names]


def delta(features: np.ndarray, order: int) -> np.ndarray:
    """Derivative over time, as `librosa.feature.delta`; NaN if one of its 9 frames is NaN."""
    derivatives = spectral_loops(features.shape[1]).derivatives
    if features.shape[1] >= _DELTA_WIDTH:
        return derivatives(features, delta_weights(order))
    margin = _DELTA_WIDTH // 2
    padded = np.pad(features, ((0, 0), (margin, margin)), mode="edge")
    return derivatives(padded, delta_weights(order))[:, margin:-margin]
