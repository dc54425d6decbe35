"""Viterbi's algorithm on a grid of pitches, all of which are there twice: voiced and unvoiced.

A move to another pitch has a probability that falls linearly with its size; switching between
voiced and unvoiced is rare. Without a loop over all pairs of states, which librosa has.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..._utils._numba import kernel

_LOG_SWITCH = np.log(0.01)  # between voiced and unvoiced
_LOG_STAY = np.log(0.99)
_TINY = np.finfo(np.float64).tiny
_LOG_TINY = np.log(_TINY)  # stands for the logarithm of 0


@lru_cache(maxsize=32)
def moves(n_bins: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of a triangle over moves by up to ``reach`` bins, and of its sum from each bin."""
    triangle = 1 + reach - np.abs(np.arange(-reach, reach + 1.0))
    within = np.convolve(np.ones(n_bins), triangle)[reach : reach + n_bins]
    return np.log(triangle), np.log(within)


@kernel
def likeliest_path(ends, bins, log_probs, voicing, log_triangle, log_within):
    """State of each frame: a voiced bin, or ``n_bins`` plus an unvoiced one (Viterbi)."""
    n_frames, n_bins = len(voicing), len(log_within)
    every_bin = np.arange(n_bins).astype(bins.dtype)
    origins = np.empty((n_frames, 2 * n_bins), np.int16)
    arrivals = np.full(2 * n_bins, -np.log(2 * n_bins))
    values = np.empty(2 * n_bins)
    for frame in range(n_frames):
        start = ends[frame - 1] if frame else 0
        candidates = bins[start : ends[frame]]
        # The others' emission of 0 costs 708, far more than being unvoiced, unless that has 0 too.
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
    """Find the best way to each state: its value, before an emission, and where from."""
    n_bins = len(log_within)
    voiced, voiced_from = moves_from_few(values, active, log_triangle, log_within)
    unvoiced, unvoiced_from = moves_from_all(values[n_bins:] - log_within, log_triangle)
    # A move that is out of reach costs 708; from the best state of all it may win even so.
    best = values.argmax()
    out_of_reach = values[best] + _LOG_TINY
    for to_voiced in (True, False):
        first = 0 if to_voiced else n_bins
        from_voiced = _LOG_STAY if to_voiced else _LOG_SWITCH
        from_unvoiced = _LOG_SWITCH if to_voiced else _LOG_STAY
        values_there, origins_there = arrivals[first:], origins[first:]
        for pitch in range(n_bins):
            value, other = voiced[pitch] + from_voiced, unvoiced[pitch] + from_unvoiced
            is_voiced = value >= other
            value = value if is_voiced else other
            origin = voiced_from[pitch] if is_voiced else n_bins + unvoiced_from[pitch]
            is_within = value >= out_of_reach
            values_there[pitch] = value if is_within else out_of_reach
            origins_there[pitch] = origin if is_within else best


@kernel
def moves_from_few(values, active, log_triangle, log_within):
    """Best value of each bin after a move from one of the ``active`` bins, and where from."""
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
    """Best value of each bin after a move from any bin, and where from."""
    n_bins = len(values)
    reach = len(log_triangle) // 2
    padded = np.full(n_bins + 2 * reach, -np.inf)
    padded[reach : reach + n_bins] = values
    best, origin = np.full(n_bins, -np.inf), np.zeros(n_bins, np.int64)
    # The same move for all bins at a time, which is what vector units are good at.
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
