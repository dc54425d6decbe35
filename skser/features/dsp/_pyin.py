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
from typing import Any

import numpy as np

from ._loops import pitch_loops

_BINS_PER_SEMITONE = 10
BINS_PER_OCTAVE = 12 * _BINS_PER_SEMITONE
_N_THRESHOLDS = 100
DECAY = np.exp(-2)  # ratio of the probabilities of a trough and of the one before it
NO_TROUGH = 0.01  # probability of the deepest trough if it is above the threshold
LOG_SWITCH = np.log(0.01)  # between voiced and unvoiced
LOG_STAY = np.log(0.99)
TINY = np.finfo(np.float64).tiny
LOG_TINY = np.log(TINY)  # in place of the logarithm of 0


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
    n_bins = int(np.floor(BINS_PER_OCTAVE * np.log2(fmax / fmin))) + 1
    # Floats, since each combination of types would be compiled anew.
    grid = (min_period, float(sr), float(fmin), n_bins)
    loops = pitch_loops(1 + len(waveform) // hop_length)
    blocks = [
        loops.frame_candidates(samples, hop_length, correlations, *threshold_prior(), *grid)
        for samples, correlations in autocorrelations(
            waveform, frame_length, hop_length, max_period, loops
        )
    ]
    counts, voicing, bins, probs = (np.concatenate(part) for part in zip(*blocks, strict=True))
    ends = np.cumsum(counts)
    reach = max_semitones * _BINS_PER_SEMITONE // 2  # to either side
    states = loops.likeliest_path(ends, bins, np.log(probs), voicing, *moves(n_bins, reach))
    f0 = fmin * 2 ** (states / BINS_PER_OCTAVE)
    return np.where(states < n_bins, f0, np.nan), voicing


def autocorrelations(
    waveform: np.ndarray, frame_length: int, hop_length: int, max_lag: int, loops: Any
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of frames: their samples, and their autocorrelations for lags up to ``max_lag``."""
    n_frames = 1 + len(waveform) // hop_length
    samples = np.zeros(len(waveform) + frame_length + max_lag, np.float32)
    samples[frame_length // 2 : frame_length // 2 + len(waveform)] = waveform
    for first in range(0, n_frames, loops.FRAMES_AT_ONCE):
        n = min(loops.FRAMES_AT_ONCE, n_frames - first)
        block = samples[first * hop_length :]
        yield block, loops.correlate_frames(block, frame_length, hop_length, n, max_lag)


@lru_cache(maxsize=1)
def threshold_prior() -> tuple[np.ndarray, np.ndarray]:
    """Thresholds, and the cumulative probability of those before each: a Beta(2, 18)."""
    thresholds = np.linspace(0, 1, _N_THRESHOLDS + 1)
    return thresholds[1:], 1 - (1 + 18 * thresholds) * (1 - thresholds) ** 18


@lru_cache(maxsize=32)
def moves(n_bins: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of a triangle over moves up to ``reach`` bins, and of its sum from each bin."""
    triangle = 1 + reach - np.abs(np.arange(-reach, reach + 1.0))
    within = np.convolve(np.ones(n_bins), triangle)[reach : reach + n_bins]
    return np.log(triangle), np.log(within)
