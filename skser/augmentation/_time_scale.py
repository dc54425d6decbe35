"""Numba kernels that change the tempo of a waveform, or tempo and pitch together."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .._utils._numba import kernel

# Of the low-pass filter: taps on either side, positions between two samples, and dB.
_HALF, _ROWS, _ATTENUATION = 32, 128, 80.0


def stretch(waveform: np.ndarray, sr: int, rate: float, n_samples: int) -> np.ndarray:
    """Play at ``rate`` with the pitch kept, by waveform similarity overlap-add (WSOLA) [1]_.

    The output is copied from the input in hops of 5 ms. When the read position drifts more than
    3 ms from its target, it jumps by a whole number of pitch periods: to the position near the
    target whose next 10 ms differ least (in squares) from the continuation. A cross-fade over one
    hop hides the seam; between jumps, the output is the input's own samples.

    References
    ----------
    .. [1] W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity
       (WSOLA) for high quality time-scale modification of speech", ICASSP 1993.
    """
    hop = max(int(sr) // 200, 1)
    # The read position leads its target by 2 hops at most; the comparison needs 3 more.
    padded = _padded(waveform, 0, int(n_samples * rate) + 6 * hop)
    return _overlap_add(padded, float(rate), n_samples, hop)


def play_at(waveform: np.ndarray, rate: float, n_samples: int) -> np.ndarray:
    """Play at ``rate``, pitch included, by band-limited interpolation at any ratio [1]_.

    Aliases are 80 dB down. The low-pass filter falls off over the last 16 % of the band (at rates
    up to 2): a recording at 16 kHz keeps frequencies up to 6.7 kHz.

    References
    ----------
    .. [1] J. O. Smith and P. Gossett, "A flexible sampling-rate conversion method", ICASSP 1984.
    """
    # Rounding the band down to 64ths lets calls with nearly the same rate share a filter.
    taps = _low_pass(min(int(64 / rate), 64))
    half = taps.shape[1] // 2
    padded = _padded(waveform, half - 1, int(n_samples * rate) + 2 * half)
    return _interpolate(padded, taps, float(rate), n_samples)


def _padded(waveform: np.ndarray, before: int, n_samples: int) -> np.ndarray:
    """The waveform as float32 after ``before`` zeros, zero-padded to ``n_samples``."""
    padded = np.zeros(max(before + len(waveform), n_samples), np.float32)
    padded[before : before + len(waveform)] = waveform
    return padded


@lru_cache(maxsize=64)
def _low_pass(band: int) -> np.ndarray:
    """Taps of a Kaiser-windowed sinc, one row for each fraction of a sample.

    The stop band begins at ``band`` 64ths of half the sampling rate.
    """
    half = _HALF * int(np.ceil(32 / band))
    beta = 0.1102 * (_ATTENUATION - 8.7)
    # Half the width of the transition, in units of half the sampling rate.
    margin = (_ATTENUATION - 8) / (2.285 * 2 * half * 2 * np.pi)
    cutoff = band / 64 - margin
    times = np.arange(1 - half, half + 1) - np.arange(_ROWS + 1)[:, np.newaxis] / _ROWS
    window = np.i0(beta * np.sqrt(np.clip(1 - (times / half) ** 2, 0, None)))
    taps = window * np.sinc(cutoff * times)
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


@kernel
def _overlap_add(waveform: np.ndarray, rate: float, n_samples: int, hop: int) -> np.ndarray:
    fade = (0.5 - 0.5 * np.cos(np.pi * (np.arange(hop) + 0.5) / hop)).astype(np.float32)
    stretched = np.empty(n_samples, np.float32)
    following = 0  # the position after the last copied hop
    for begin in range(0, n_samples, hop):
        target = int(begin * rate)
        position = following
        if abs(following - target) > 5 * hop // 8:
            position = _most_similar(waveform, following, target, hop)
        size = min(hop, n_samples - begin)
        old, new = waveform[following : following + size], waveform[position : position + size]
        faded = stretched[begin : begin + size]
        for i in range(size):
            faded[i] = old[i] + fade[i] * (new[i] - old[i])
        following = position + hop
    return stretched


@kernel
def _most_similar(waveform: np.ndarray, following: int, target: int, hop: int) -> int:
    """The position near the target where the waveform is most similar to that at ``following``."""
    # Jumps of less than half a hop would shift the voice by part of its period.
    if following > target:
        first, last = max(target - 2 * hop, 0), min(target + 2 * hop, following - hop // 2)
    else:
        first, last = max(target - 2 * hop, following + hop // 2), target + 2 * hop
    step = max(hop // 20, 1)
    best = _closest(waveform, following, first, last, step, 2 * hop)
    first, last = max(first, best - step), min(last, best + step)
    return _closest(waveform, following, first, last, 1, 2 * hop)  # type: ignore[no-any-return]


@kernel
def _closest(
    waveform: np.ndarray, following: int, first: int, last: int, step: int, width: int
) -> int:
    """The position from first to last with the smallest sum of squared differences."""
    template = waveform[following : following + width]
    best, least = first, np.float32(np.inf)
    for position in range(first, last + 1, step):
        candidate = waveform[position : position + width]
        difference = np.float32(0)
        for i in range(width):
            difference += (candidate[i] - template[i]) ** 2
        if difference < least:
            best, least = position, difference
    return best


@kernel
def _interpolate(waveform: np.ndarray, taps: np.ndarray, rate: float, n_samples: int) -> np.ndarray:
    n_rows, n_taps = taps.shape
    resampled = np.empty(n_samples, np.float32)
    for i in range(n_samples):
        time = i * rate
        first = int(time)
        row_time = (time - first) * (n_rows - 1)
        row = int(row_time)
        share = np.float32(row_time - row)
        near, low, high = waveform[first : first + n_taps], taps[row], taps[row + 1]
        total = np.float32(0)
        for j in range(n_taps):
            total += near[j] * (low[j] + share * (high[j] - low[j]))
        resampled[i] = total
    return resampled
