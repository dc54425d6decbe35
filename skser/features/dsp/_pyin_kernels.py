"""Compiled loops of pYIN: candidates of frames, and the most probable path over them."""

from __future__ import annotations

import numpy as np

from ..._utils._numba import kernel
from ._pyin import BINS_PER_OCTAVE, DECAY, LOG_STAY, LOG_SWITCH, LOG_TINY, NO_TROUGH, TINY

FRAMES_AT_ONCE = 1024  # limits the memory of their autocorrelations


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
            place = np.round(BINS_PER_OCTAVE * np.log2(sr / period / fmin))
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
            normalised[period - min_period] = difference / (total / period + TINY)


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
    probs[deepest] = NO_TROUGH * prior[level]
    while level < len(thresholds):
        # Up to the level of the next trough, the same troughs are below every threshold.
        n_below, next_level = 0, len(thresholds)
        for trough_level in levels:
            if trough_level <= level:
                n_below += 1
            else:
                next_level = min(next_level, trough_level)
        weight = (prior[next_level] - prior[level]) * (1 - DECAY) / (1 - DECAY**n_below)
        for trough in range(len(heights)):
            if levels[trough] <= level:
                probs[trough] += weight
                weight *= DECAY
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
            values[pitch] = arrivals[pitch] + LOG_TINY
        for candidate in range(start, ends[frame]):
            pitch = bins[candidate]
            values[pitch] = arrivals[pitch] + log_probs[candidate]
        unvoiced = np.log((1 - voicing[frame]) / n_bins + TINY)
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
    out_of_reach = values[best] + LOG_TINY
    for to_voiced in (True, False):
        first = 0 if to_voiced else n_bins
        from_voiced = LOG_STAY if to_voiced else LOG_SWITCH
        from_unvoiced = LOG_SWITCH if to_voiced else LOG_STAY
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
