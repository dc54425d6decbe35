"""Probabilistic YIN: the values of `librosa.pyin` in a fraction of its time.

The candidates for the pitch of a frame are the troughs of YIN's difference function, each with the
probability that a random threshold picks it. Viterbi's algorithm finds the most probable path over
a grid of pitches, voiced or unvoiced, without librosa's loop over all pairs of states: moves have
probabilities that fall linearly with their size, and switches of voicing are rare.

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

_BINS_PER_SEMITONE = 10
_BINS_PER_OCTAVE = 12 * _BINS_PER_SEMITONE
_N_THRESHOLDS = 100
_BETA = (2, 18)  # shape of the distribution of thresholds
_DECAY = np.exp(-2)  # ratio of the probabilities of a trough and of the one before it
_NO_TROUGH = 0.01  # probability of the deepest trough if it is above the threshold
_FRAMES_AT_ONCE = 1024  # limits the memory of their autocorrelations
_LOG_SWITCH = np.log(0.01)  # between voiced and unvoiced
_LOG_STAY = np.log(0.99)
_TINY = np.finfo(np.float64).tiny
_LOG_TINY = np.log(_TINY)  # in place of the logarithm of 0


def pyin(
    waveform: np.ndarray,
    sr: int,
    fmin: float,
    fmax: float,
    frame_length: int,
    hop_length: int,
    max_semitones: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency in Hz (NaN if unvoiced) and probability of voicing, (n_frames,) each.

    Pitch may move by ``max_semitones / 2`` up or down from frame to frame.
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
    """Blocks of frames: their samples, and their autocorrelations for lags up to ``max_lag``."""
    n_frames = 1 + len(waveform) // hop_length
    samples = np.zeros(len(waveform) + frame_length + max_lag, np.float32)
    samples[frame_length // 2 : frame_length // 2 + len(waveform)] = waveform
    for first in range(0, n_frames, _FRAMES_AT_ONCE):
        n = min(_FRAMES_AT_ONCE, n_frames - first)
        block = samples[first * hop_length :]
        yield block, correlate_frames(block, frame_length, hop_length, n, max_lag)


@kernel
def correlate_frames(samples, frame_length, hop_length, n_frames, max_lag):
    """Autocorrelation of each frame, from products shared by overlapping frames.

    A frame that ends before sample ``end`` has ``r[lag] = sum(x[n] * x[n + lag])`` for n from its
    first sample to ``end - lag - 1``. The sum over a hop is computed once and added to every frame
    that contains the hop; to a frame that ends within the hop, the sum up to there.
    """
    correlations = np.zeros((n_frames, max_lag + 1))
    sums = np.empty(max_lag + 1, np.float32)
    first = 0  # frame that has not yet ended
    for last in range(n_frames):
        start = last * hop_length
        stop = start + (hop_length if last < n_frames - 1 else frame_length)
        sums[:] = 0
        for n in range(start, stop):
            for frame in range(first, last + 1):
                lag = frame * hop_length + frame_length - n
                if 0 <= lag <= max_lag:  # its last product was the previous one
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
    """Thresholds, and the cumulative probability of those before each."""
    thresholds = np.linspace(0, 1, _N_THRESHOLDS + 1)
    return thresholds[1:], scipy.special.betainc(*_BETA, thresholds)


@kernel
def frame_candidates(
    samples, hop_length, correlations, thresholds, prior, min_period, sr, fmin, n_bins
):
    """Number of candidates and voicing of each frame, then bins and probabilities of all."""
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
                # The candidate with the longest period replaces others of the same pitch.
                if end == start or bins[end - 1] != pitch:
                    end += 1
                bins[end - 1] = pitch
                probs[end - 1] = prob
        counts[frame] = end - start
        voicing[frame] = min(probs[start:end][::-1].sum(), 1.0)
    return counts, voicing, bins[:end], probs[:end]


@kernel
def normalise(normalised, correlation, samples, min_period):
    """YIN's difference function over its running mean, for periods from ``min_period`` on."""
    energy = samples[0] * samples[0]
    total = 0.0
    for period in range(1, len(correlation)):
        difference = 2 * (correlation[0] - correlation[period])
        if period > 1:  # at the first lag librosa omits the first sample
            energy += samples[period - 1] * samples[period - 1]
            difference -= energy
        total += difference
        if period >= min_period:
            normalised[period - min_period] = difference / (total / period + _TINY)


@kernel
def find_troughs(values):
    """Lags of the local minima, the ends of the array included."""
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
        # Up to the level of the next trough, the same troughs are below every threshold.
        n_below, next_level = 0, len(thresholds)
        for trough_level in levels:
            if trough_level <= level:
                n_below += 1
            else:
                next_level = min(next_level, trough_level)
        weight = (prior[next_level] - prior[level]) * (1 - _DECAY) / (1 - _DECAY**n_below)
        for trough in range(len(heights)):
            if levels[trough] <= level:
                probs[trough] += weight
                weight *= _DECAY
        level = next_level
    return probs


@kernel
def parabolic_shift(values, lag):
    """Distance from ``lag`` to the vertex of the parabola through it and its neighbours."""
    if lag == 0 or lag == len(values) - 1:
        return 0.0
    curvature = values[lag + 1] + values[lag - 1] - 2 * values[lag]
    slope = (values[lag + 1] - values[lag - 1]) / 2
    return 0.0 if abs(slope) >= abs(curvature) else -slope / curvature


@lru_cache(maxsize=32)
def moves(n_bins: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of a triangle over moves up to ``reach`` bins, and of its sum from each bin."""
    triangle = 1 + reach - np.abs(np.arange(-reach, reach + 1.0))
    within = np.convolve(np.ones(n_bins), triangle)[reach : reach + n_bins]
    return np.log(triangle), np.log(within)


@kernel
def likeliest_path(ends, bins, log_probs, voicing, log_triangle, log_within):
    """Most probable state of each frame: a voiced bin, or ``n_bins`` plus an unvoiced bin."""
    n_frames, n_bins = len(voicing), len(log_within)
    every_bin = np.arange(n_bins).astype(bins.dtype)
    origins = np.empty((n_frames, 2 * n_bins), np.int16)
    arrivals = np.full(2 * n_bins, -np.log(2 * n_bins))
    values = np.empty(2 * n_bins)
    for frame in range(n_frames):
        start = ends[frame - 1] if frame else 0
        candidates = bins[start : ends[frame]]
        # A bin without a candidate costs 708 and loses, unless unvoiced states are impossible too.
        active = candidates if voicing[frame] < 1 else every_bin
        values[:n_bins] = -np.inf
        for pitch in active:
            values[pitch] = arrivals[pitch] + _LOG_TINY
        for candidate in range(start, ends[frame]):
            pitch = bins[candidate]
            values[pitch] = arrivals[pitch] + log_probs[candidate]
        unvoiced = np.log((1 - voicing[frame]) / n_bins + _TINY)
        values[n_bins:] = arrivals[n_bins:] + unvoiced
        if frame < n_frames - 1:
            arrive(values, active, log_triangle, log_within, arrivals, origins[frame + 1])
    states = np.empty(n_frames, np.int64)
    states[-1] = values.argmax()
    for frame in range(n_frames - 1, 0, -1):
        states[frame - 1] = origins[frame, states[frame]]
    return states


@kernel
def arrive(values, active, log_triangle, log_within, arrivals, origins):
    """Store the value of the best move to each state, before its emission, and its origin."""
    n_bins = len(log_within)
    voiced, voiced_from = moves_from_few(values, active, log_triangle, log_within)
    unvoiced, unvoiced_from = moves_from_all(values[n_bins:] - log_within, log_triangle)
    # A move out of reach costs 708; from the best state it may still be the best move.
    best = values.argmax()
    out_of_reach = values[best] + _LOG_TINY
    for to_voiced in (True, False):
        first = 0 if to_voiced else n_bins
        from_voiced = _LOG_STAY if to_voiced else _LOG_SWITCH
        from_unvoiced = _LOG_SWITCH if to_voiced else _LOG_STAY
        values_there, origins_there = arrivals[first:], origins[first:]
        for pitch in range(n_bins):
            if_voiced, if_unvoiced = voiced[pitch] + from_voiced, unvoiced[pitch] + from_unvoiced
            is_voiced = if_voiced >= if_unvoiced
            value = if_voiced if is_voiced else if_unvoiced
            origin = voiced_from[pitch] if is_voiced else n_bins + unvoiced_from[pitch]
            is_within = value >= out_of_reach
            values_there[pitch] = value if is_within else out_of_reach
            origins_there[pitch] = origin if is_within else best


@kernel
def moves_from_few(values, active, log_triangle, log_within):
    """Best value of each bin after a move from an ``active`` bin, and its origin."""
    n_bins = len(log_within)
    reach = len(log_triangle) // 2
    best, origin = np.full(n_bins, -np.inf), np.zeros(n_bins, np.int64)
    for source in active:
        for target in range(max(0, source - reach), min(n_bins, source + reach + 1)):
            value = values[source] - log_within[source] + log_triangle[target - source + reach]
            if value > best[target]:
                best[target], origin[target] = value, source
    return best, origin


@kernel
def moves_from_all(values, log_triangle):
    """Best value of each bin after a move from any bin, and its origin."""
    n_bins = len(values)
    reach = len(log_triangle) // 2
    padded = np.full(n_bins + 2 * reach, -np.inf)
    padded[reach : reach + n_bins] = values
    best, origin = np.full(n_bins, -np.inf), np.zeros(n_bins, np.int64)
    # The inner loop over the bins vectorises.
    for move in range(2 * reach + 1):
        moved, cost = padded[move : move + n_bins], log_triangle[move]
        for target in range(n_bins):
            value = moved[target] + cost
            better = value > best[target]
            best[target] = value if better else best[target]
            origin[target] = move if better else origin[target]
    for target in range(n_bins):
        origin[target] += target - reach
    return best, origin
