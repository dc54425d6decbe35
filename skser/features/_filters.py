"""Windows and filter banks, each made once for its parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.signal

DELTA_WIDTH = 9


class Bands(NamedTuple):
    """Filters that are 0 but for a band of bins: row b outside ``starts[b]:stops[b]``."""

    weights: np.ndarray
    starts: np.ndarray
    stops: np.ndarray


@lru_cache(maxsize=8)
def hann(n_fft: int) -> np.ndarray:
    """Periodic Hann window."""
    return scipy.signal.get_window("hann", n_fft)


@lru_cache(maxsize=32)
def mel_filters(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None) -> Bands:
    """Slaney's triangles, of equal area."""
    from librosa.filters import mel

    weights = mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    is_used = weights > 0
    starts = is_used.argmax(axis=1)
    stops = np.where(is_used.any(axis=1), is_used.shape[1] - is_used[:, ::-1].argmax(axis=1), 0)
    return Bands(weights, starts, stops)


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
