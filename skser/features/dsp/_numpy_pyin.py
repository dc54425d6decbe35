"""The loops of `_pyin_kernels` in NumPy, which loads sooner."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ._pyin import BINS_PER_OCTAVE, DECAY, LOG_STAY, LOG_SWITCH, LOG_TINY, NO_TROUGH, TINY

FRAMES_AT_ONCE = 64
_LOG_MOVES = np.array([[LOG_STAY, LOG_SWITCH], [LOG_SWITCH, LOG_STAY]])[..., np.newaxis]


def correlate_frames(samples, frame_length, hop_length, n_frames, max_lag):
    n_fft = _fast_length(frame_length + max_lag)
    frames = sliding_window_view(samples, frame_length)[::hop_length][:n_frames]
    spectra = np.fft.rfft(frames.astype(np.float64), n_fft, axis=1)
    return np.fft.irfft(np.abs(spectra) ** 2, n_fft, axis=1)[:, : max_lag + 1]


def _fast_length(n):
    """The next length that is 2, 3 or 5 times a power of 2, to transform quickly."""
    return min(m * 2 ** max(0, math.ceil(math.log2(n / m))) for m in (2, 3, 5))


def frame_candidates(
    samples, hop_length, correlations, thresholds, prior, min_period, sr, fmin, n_bins
):
    n_frames, max_period = correlations.shape[0], correlations.shape[1] - 1
    squares = sliding_window_view(samples**2, max_period)[::hop_length][:n_frames]
    energies = np.cumsum(squares, axis=1)
    energies[:, 0] = 0  # at the first lag librosa omits the first sample
    differences = 2 * (correlations[:, :1] - correlations[:, 1:]) - energies
    means = np.cumsum(differences, axis=1) / np.arange(1, max_period + 1)
    normalised = (differences / (means + TINY))[:, min_period - 1 :]

    falls, rises = np.ones((2, *normalised.shape), bool)
    falls[:, 1:] = normalised[:, 1:] < normalised[:, :-1]
    rises[:, :-1] = normalised[:, :-1] <= normalised[:, 1:]
    falls[:, 0] = normalised[:, 0] < normalised[:, 1]
    frames, lags = np.nonzero(falls & rises)
    deepest = np.where(falls & rises, normalised, np.inf).argmin(axis=1)
    heights = normalised[frames, lags]
    probs = _probabilities(frames, heights, lags == deepest[frames], thresholds, prior)

    periods = min_period + lags + _parabolic_shifts(normalised, frames, lags)
    pitches = np.round(BINS_PER_OCTAVE * np.log2(sr / periods / fmin))
    is_candidate = (probs > 0) & (pitches < n_bins)
    frames, probs = frames[is_candidate], probs[is_candidate]
    pitches = np.maximum(pitches[is_candidate], 0).astype(np.int16)
    # The candidate with the longest period replaces others of the same pitch.
    is_last = np.diff(frames * n_bins + pitches, append=-1) != 0
    frames, pitches, probs = frames[is_last], pitches[is_last], probs[is_last]
    voicing = np.minimum(np.bincount(frames, probs, n_frames), 1.0)
    return np.bincount(frames, minlength=n_frames), voicing, pitches, probs


def _probabilities(frames, heights, is_deepest, thresholds, prior):
    """Probability that a random threshold picks each trough of its frame."""
    # A trough is below the thresholds from its level on.
    levels = np.searchsorted(thresholds, heights, side="right")
    is_below = levels[:, np.newaxis] <= np.arange(len(thresholds))
    n_until = np.cumsum(np.concatenate([np.zeros_like(is_below[:1]), is_below]), axis=0)
    first, stop = (np.searchsorted(frames, frames, side) for side in ("left", "right"))
    rank, n_below = n_until[1:] - n_until[first], n_until[stop] - n_until[first]
    weights = np.diff(prior) * (1 - DECAY) / (1 - DECAY ** np.maximum(n_below, 1))
    probs = (weights * DECAY ** (rank - 1) * is_below).sum(axis=1)
    return probs + NO_TROUGH * prior[levels] * is_deepest


def _parabolic_shifts(values, frames, lags):
    """Distances from lags to the vertices of the parabolas through them and their neighbours."""
    is_inside = (lags > 0) & (lags < values.shape[1] - 1)
    middle = np.where(is_inside, lags, 1)
    before, here, after = (values[frames, middle + i] for i in (-1, 0, 1))
    slope, curvature = (after - before) / 2, after + before - 2 * here
    is_sharp = is_inside & (np.abs(slope) < np.abs(curvature))
    return np.where(is_sharp, -slope / np.where(is_sharp, curvature, 1), 0)


def likeliest_path(ends, bins, log_probs, voicing, log_triangle, log_within):
    n_frames, n_bins = len(voicing), len(log_within)
    reach = len(log_triangle) // 2
    states = np.arange(2 * n_bins).reshape(2, n_bins)  # voiced, unvoiced
    log_unvoiced = np.log((1 - voicing) / n_bins + TINY)
    origins = np.empty((n_frames, 2, n_bins), np.int16)
    arrivals = np.full((2, n_bins), -np.log(2 * n_bins))
    padded = np.full((2, n_bins + 2 * reach), -np.inf)
    for frame in range(n_frames):
        here = slice(ends[frame - 1] if frame else 0, ends[frame])
        # A bin without a candidate costs 708 and loses, unless unvoiced states are impossible too.
        values = arrivals + np.array([[-np.inf if voicing[frame] < 1 else LOG_TINY], [0.0]])
        values[0, bins[here]] = arrivals[0, bins[here]] + log_probs[here]
        values[1] += log_unvoiced[frame]
        if frame == n_frames - 1:
            break
        padded[:, reach : reach + n_bins] = values - log_within
        moved = sliding_window_view(padded, len(log_triangle), axis=1) + log_triangle
        move = moved.argmax(axis=2)
        reached = np.take_along_axis(moved, move[..., np.newaxis], axis=2)[..., 0]
        # From voiced and from unvoiced, on the first axis, to both.
        options = reached[:, np.newaxis] + _LOG_MOVES
        switch = options.argmax(axis=0)
        sources = np.clip(states + move - reach, 0, 2 * n_bins - 1)
        origins[frame + 1] = np.take_along_axis(sources, switch, axis=0)
        # A move out of reach costs 708; from the best state it may still be the best move.
        arrivals = options.max(axis=0)
        best = values.argmax()
        is_far = arrivals < values.ravel()[best] + LOG_TINY
        arrivals[is_far], origins[frame + 1][is_far] = values.ravel()[best] + LOG_TINY, best
    path = np.empty(n_frames, np.int64)
    path[-1] = values.argmax()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = origins[frame].ravel()[path[frame]]
    return path
