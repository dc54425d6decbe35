"""Windows and filter banks, each made once for its parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal

DELTA_WIDTH = 9
_BANDS_AT_ONCE = 16


@lru_cache(maxsize=8)
def hann(n_fft: int, dtype: Any) -> np.ndarray:
    """Periodic Hann window."""
    return scipy.signal.get_window("hann", n_fft).astype(dtype)


@lru_cache(maxsize=32)
def mel_filters(
    sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None
) -> list[tuple[slice, np.ndarray]]:
    """Slaney's triangles, of equal area, as (bins, weights) for a few neighbouring bands at a time.

    All but 2 % of the full matrix is 0. Parts of it are small and dense enough to multiply with.
    """
    from librosa.filters import mel

    weights = mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    return [
        _without_zeros(weights[i : i + _BANDS_AT_ONCE]) for i in range(0, n_mels, _BANDS_AT_ONCE)
    ]


def _without_zeros(weights: np.ndarray) -> tuple[slice, np.ndarray]:
    used = np.flatnonzero(weights.any(axis=0))
    bins = slice(used[0], used[-1] + 1) if len(used) else slice(0)
    return bins, np.ascontiguousarray(weights[:, bins].T)


@lru_cache(maxsize=256)
def chroma_filters(sr: int, n_fft: int, n_chroma: int, tuning: float) -> np.ndarray:
    """Pitch classes of the bins of a spectrum, (n_chroma, 1 + n_fft // 2)."""
    from librosa.filters import chroma

    return chroma(sr=sr, n_fft=n_fft, n_chroma=n_chroma, tuning=tuning)


@lru_cache(maxsize=32)
def cosine_basis(n: int, n_kept: int) -> np.ndarray:
    """The first rows of the orthonormal cosine transform (type 2) of ``n`` values."""
    basis = scipy.fft.dct(np.eye(n), axis=0, type=2, norm="ortho")[:n_kept]
    return np.ascontiguousarray(basis, dtype=np.float32)


@lru_cache(maxsize=4)
def delta_weights(order: int) -> np.ndarray:
    """Savitzky-Golay weights of a derivative, for the frames from the earliest to the latest."""
    weights = scipy.signal.savgol_coeffs(DELTA_WIDTH, polyorder=order, deriv=order, use="dot")
    return weights.astype(np.float32)
