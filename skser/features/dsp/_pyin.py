"""Probabilistic YIN, with librosa's values and a small part of its work.

Each frame has a few candidates for its pitch: the troughs of YIN's difference function, each with
the probability that a random threshold would pick it. Viterbi's algorithm then finds the likeliest
path through them.

References
----------
.. [1] A. de Cheveigne and H. Kawahara, "YIN, a fundamental frequency estimator for speech and
   music", Journal of the Acoustical Society of America 111(4), 2002.
.. [2] M. Mauch and S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic
   threshold distributions", ICASSP, 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import scipy.special

from ..._utils._numba import kernel
from ._viterbi import likeliest_path, moves

__all__ = ["pyin"]

_BINS_PER_SEMITONE = 10
_BINS_PER_OCTAVE = 12 * _BINS_PER_SEMITONE
_N_THRESHOLDS = 100
_BETA = (2, 18)  # shape of the distribution of thresholds
_DECAY = np.exp(-2)  # how much less likely a trough is than the one before it
_NO_TROUGH = 0.01  # probability of the deepest trough if it is above the threshold
_TINY = np.finfo(np.float64).tiny
_FRAMES_AT_ONCE = 1024  # whose autocorrelations are held


def pyin(
    waveform: np.ndarray,
    sr: int,
    fmin: float,
    fmax: float,
    frame_length: int,
    hop_length: int,
    max_semitones: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency and the probability of voicing.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        The waveform.
    sr : int
        Sampling rate in Hz.
    fmin, fmax : float
        Lowest and highest fundamental frequency in Hz.
    frame_length : int
        Length of a frame in samples, even.
    hop_length : int
        Samples from frame to frame.
    max_semitones : int
        Width of the window of moves from frame to frame: half of it up, half of it down.

    Returns
    -------
    f0 : ndarray of shape (n_frames,), float64
        Fundamental frequency in Hz, NaN where unvoiced.
    voicing : ndarray of shape (n_frames,), float64
        Probability that a frame is voiced.

    See Also
    --------
    librosa.pyin : The same values.
    """
    min_period = int(np.floor(sr / fmax))
    max_period = min(int(np.ceil(sr / fmin)), frame_length - 1)
    n_bins = int(np.floor(_BINS_PER_OCTAVE * np.log2(fmax / fmin))) + 1
    # Floats, since each combination of types would be compiled anew.
    grid = (min_period, float(sr), float(fmin), n_bins)
    blocks = [
        frame_candidates(samples, hop_length, correlations, *threshold_prior(), *grid)
        for samples, correlations in autocorrelations(
            waveform, frame_length, hop_length, max_period
        )
    ]
    counts, voicing, bins, probs = (np.concatenate(part) for part in zip(*blocks, strict=True))
    ends = np.cumsum(counts)
    reach = max_semitones * _BINS_PER_SEMITONE // 2  # to either side
    states = likeliest_path(ends, bins, np.log(probs), voicing, *moves(n_bins, reach))
    f0 = fmin * 2 ** (states / _BINS_PER_OCTAVE)
    return np.where(states < n_bins, f0, np.nan), voicing


def autocorrelations(
    waveform: np.ndarray, frame_length: int, hop_length: int, max_lag: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Samples and autocorrelations for lags from 0 to ``max_lag``, by blocks of frames."""
    n_frames = 1 + len(waveform) // hop_length
    samples = np.zeros(len(waveform) + frame_length + max_lag, np.float32)
    samples[frame_length // 2 : frame_length // 2 + len(waveform)] = waveform
    for first in range(0, n_frames, _FRAMES_AT_ONCE):
        n = min(_FRAMES_AT_ONCE, n_frames - first)
        block = samples[first * hop_length :]
        yield block, correlate_frames(block, frame_length, hop_length, n, max_lag)


@kernel
def correlate_frames(samples, frame_length, hop_length, n_frames, max_lag):
    """Autocorrelation of each frame, from products that all frames share.

    A frame that ends before sample ``end`` has ``r[lag] = sum(x[n] * x[n + lag])``, where n runs
    from its first sample to ``end - lag - 1``. Frames overlap, so the sum over one hop is made
    once and added to every frame around it; where a frame ends, as far as the sum has come.
    """
    correlations = np.zeros((n_frames, max_lag + 1))
    sums = np.empty(max_lag + 1, np.float32)
    first = 0  # frame that has not ended
    for last in range(n_frames):
        start = last * hop_length
        stop = start + (hop_length if last < n_frames - 1 else frame_length)
        sums[:] = 0
        for n in range(start, stop):
            for frame in range(first, last + 1):
                lag = frame * hop_length + frame_length - n
                if 0 <= lag <= max_lag:  # its last product was the one before
                    correlations[frame, lag] += sums[lag]
            sample, shifted = samples[n], samples[n:]
            for lag in range(max_lag + 1):
                sums[lag] += sample * shifted[lag]
        for frame in range(first, last + 1):
            end = frame * hop_length + frame_length
            for lag in range(min(max_lag, end - stop) + 1):
                correlations[frame, lag] += sums[lag]
            if end < stop:
                first = frame + 1
    return correlations


@lru_cache(maxsize=1)
def threshold_prior() -> tuple[np.ndarray, np.ndarray]:
    """Thresholds, and the probability that one of those before each is drawn."""
    thresholds = np.linspace(0, 1, _N_THRESHOLDS + 1)
    return thresholds[1:], scipy.special.betainc(*_BETA, thresholds)


@kernel
def frame_candidates(
    samples, hop_length, correlations, thresholds, prior, min_period, sr, fmin, n_bins
):
    """Candidates of the frames: how many in each, voicing, then all bins and all probs."""
    n_frames, max_period = correlations.shape[0], correlations.shape[1] - 1
    n_lags = max_period - min_period + 1
    counts = np.zeros(n_frames, np.int64)
    voicing = np.zeros(n_frames)
    bins = np.empty(n_frames * (n_lags // 2 + 1), np.int16)
    probs = np.empty(len(bins))
    normalised = np.empty(n_lags)
    end = 0
    for frame in range(n_frames):
        normalise(normalised, correlations[frame], samples[frame * hop_length :], min_period)
        troughs = find_troughs(normalised)
        trough_probs = probabilities(normalised[troughs], thresholds, prior)
        start = end
        for trough, prob in enumerate(trough_probs):
            lag = troughs[trough]
            period = min_period + lag + parabolic_shift(normalised, lag)
            place = np.round(_BINS_PER_OCTAVE * np.log2(sr / period / fmin))
            if prob > 0 and place < n_bins:
                pitch = max(int(place), 0)
                # Of candidates for the same pitch the one with the longest period counts.
                if end == start or bins[end - 1] != pitch:
                    end += 1
                bins[end - 1] = pitch
                probs[end - 1] = prob
        counts[frame] = end - start
        voicing[frame] = min(probs[start:end][::-1].sum(), 1.0)
    return counts, voicing, bins[:end], probs[:end]


@kernel
def normalise(normalised, correlation, samples, min_period):
    """YIN's difference function over its mean up to there, for periods from ``min_period`` on."""
    energy = samples[0] * samples[0]
    total = 0.0
    for period in range(1, len(correlation)):
        difference = 2 * (correlation[0] - correlation[period])
        if period > 1:  # librosa leaves the first sample out at the first lag
            energy += samples[period - 1] * samples[period - 1]
            difference -= energy
        total += difference
        if period >= min_period:
            normalised[period - min_period] = difference / (total / period + _TINY)


@kernel
def find_troughs(values):
    """Lags of the local minima; an end of the array may be one."""
    last = len(values) - 1
    troughs = np.empty(len(values) // 2 + 1, np.int64)
    count = 0
    for lag in range(last + 1):
        falls = values[lag] < values[lag - 1] if lag else values[0] < values[1]
        rises = lag == last or values[lag] <= values[lag + 1]
        if falls and rises:
            troughs[count] = lag
            count += 1
    return troughs[:count]


@kernel
def probabilities(heights, thresholds, prior):
    """Probability that a random threshold picks each trough."""
    probs = np.zeros(len(heights))
    if len(heights) == 0:
        return probs
    # A trough is below the thresholds from its level on.
    levels = np.searchsorted(thresholds, heights, side="right")
    deepest = heights.argmin()
    level = levels[deepest]
    probs[deepest] = _NO_TROUGH * prior[level]
    while level < len(thresholds):
        # The same troughs are below all thresholds up to the level of the next one.
        n_below, next_level = 0, len(thresholds)
        for other in levels:
            if other <= level:
                n_below += 1
            else:
                next_level = min(next_level, other)
        weight = (prior[next_level] - prior[level]) * (1 - _DECAY) / (1 - _DECAY**n_below)
        for trough in range(len(heights)):
            if levels[trough] <= level:
                probs[trough] += weight
                weight *= _DECAY
        level = next_level
    return probs


@kernel
def parabolic_shift(values, lag):
    """How far from ``lag`` a parabola through it and its neighbours has its vertex."""
    if lag == 0 or lag == len(values) - 1:
        return 0.0
    curvature = values[lag + 1] + values[lag - 1] - 2 * values[lag]
    slope = (values[lag + 1] - values[lag - 1]) / 2
    return 0.0 if abs(slope) >= abs(curvature) else -slope / curvature
