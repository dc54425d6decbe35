"""Kernels that change the time axis of a waveform: the tempo alone, or tempo and pitch together.

Imported by the function that needs them, because importing numba takes longer than all of skser.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ._jit import kernel

# The low-pass filter: samples on either side, and rows that divide the step from one sample to
# the next. A loop over 64 taps leaves no rest for the processor's vector units.
_HALF, _ROWS = 32, 128
_ATTENUATION = 80.0  # dB


def stretch(waveform: np.ndarray, sr: int, rate: float, n_samples: int) -> np.ndarray:
    """Play at ``rate`` with the pitch kept, by waveform similarity overlap-add (WSOLA).

    The output is copied from the input hop by hop (5 ms). Where the place that is read has come
    to lie more than 3 ms away from where it should be, it jumps by one or more periods of the
    voice: to the place near the right one, whose next 10 ms differ least (in squares) from what
    would have followed [1]_. A cross-fade over one hop hides the seam. What need not move is
    copied as it is, so that most of the output is the input's own samples.

    Parameters
    ----------
    waveform : ndarray of shape (n,)
        A waveform.
    sr : int
        Its sampling rate in Hz.
    rate : float
        Tempo; above 1 is faster.
    n_samples : int
        Length of the output, about ``n / rate``.

    Returns
    -------
    ndarray of shape (n_samples,), float32

    References
    ----------
    .. [1] W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity
       (WSOLA) for high quality time-scale modification of speech", ICASSP 1993.
    """
    hop = max(int(sr) // 200, 1)
    # The place that is read runs ahead of the right one by 2 hops at most; 3 more are compared.
    padded = _padded(waveform, 0, int(n_samples * rate) + 6 * hop)
    return _overlap_add(padded, float(rate), n_samples, hop)


def resample(waveform: np.ndarray, rate: float, n_samples: int) -> np.ndarray:
    """Play at ``rate``, pitch and all: band-limited interpolation at any ratio [1]_.

    Aliases are 80 dB down. The low-pass filter falls off over the last 16 % of the band (at rates
    up to 2): what was recorded at 16 kHz keeps frequencies up to 6.7 kHz.

    Parameters
    ----------
    waveform : ndarray of shape (n,)
        A waveform.
    rate : float
        Speed; above 1 is faster and higher.
    n_samples : int
        Length of the output, about ``n / rate``.

    Returns
    -------
    ndarray of shape (n_samples,), float32

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
    """The waveform as float32 after ``before`` zeros, with at least ``n_samples`` in all."""
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
    following = 0  # what follows the hop that was copied last
    for begin in range(0, n_samples, hop):
        right = int(begin * rate)
        place = following
        if abs(following - right) > 5 * hop // 8:
            place = _most_similar(waveform, following, right, hop)
        size = min(hop, n_samples - begin)
        old, new = waveform[following : following + size], waveform[place : place + size]
        made = stretched[begin : begin + size]
        for i in range(size):
            made[i] = old[i] + fade[i] * (new[i] - old[i])
        following = place + hop
    return stretched


@kernel
def _most_similar(waveform: np.ndarray, following: int, right: int, hop: int) -> int:
    """The place near the right one from where the waveform goes on most like it would have."""
    # Jumps of less than half a hop would shift the voice by a part of its period.
    if following > right:
        first, last = max(right - 2 * hop, 0), min(right + 2 * hop, following - hop // 2)
    else:
        first, last = max(right - 2 * hop, following + hop // 2), right + 2 * hop
    step = max(hop // 20, 1)
    best = _closest(waveform, following, first, last, step, 2 * hop)
    first, last = max(first, best - step), min(last, best + step)
    return _closest(waveform, following, first, last, 1, 2 * hop)  # type: ignore[no-any-return]


@kernel
def _closest(
    waveform: np.ndarray, following: int, first: int, last: int, step: int, width: int
) -> int:
    """The place in first..last, in steps, with the least sum of squared differences."""
    wanted = waveform[following : following + width]
    best, least = first, np.float32(np.inf)
    for place in range(first, last + 1, step):
        found = waveform[place : place + width]
        difference = np.float32(0)
        for i in range(width):
            difference += (found[i] - wanted[i]) ** 2
        if difference < least:
            best, least = place, difference
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
