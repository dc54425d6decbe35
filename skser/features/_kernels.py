"""Kernels of feature blocks: loops over the frames of a spectrum, which lie in rows here."""

from __future__ import annotations

import numpy as np

from .._jit import kernel


@kernel
def banded_product(
    spectrum: np.ndarray, weights: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> np.ndarray:
    """``spectrum @ weights.T`` where row b of ``weights`` is 0 outside ``starts[b]:stops[b]``."""
    n_frames = spectrum.shape[0]
    n_bands = weights.shape[0]
    product = np.empty((n_frames, n_bands), np.float32)
    for t in range(n_frames):
        for b in range(n_bands):
            total = np.float32(0.0)
            for f in range(starts[b], stops[b]):
                total += spectrum[t, f] * weights[b, f]
            product[t, b] = total
    return product


@kernel
def spectral_peaks(
    spectrum: np.ndarray, first: int, last: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Peaks between bins ``first`` and ``last`` that reach ``threshold`` of their frame's maximum.

    Returns their places in bins and their heights, both by the parabola through three bins.
    """
    n_frames, n_bins = spectrum.shape
    places = np.empty(n_frames * ((last - first) // 2 + 2))
    heights = np.empty(len(places), np.float32)
    n_peaks = 0
    for t in range(n_frames):
        row = spectrum[t]
        loudest = np.float32(0.0)
        for f in range(n_bins):
            loudest = max(loudest, row[f])
        floor = np.float32(threshold) * loudest
        for f in range(max(first, 1), min(last, n_bins - 1)):
            here = row[f]
            if here <= floor:
                continue
            before, after = row[f - 1], row[f + 1]
            # What is below the floor counts as nothing.
            if here <= (before if before > floor else np.float32(0.0)):
                continue
            if here < (after if after > floor else np.float32(0.0)):
                continue
            curvature = after + before - np.float32(2.0) * here
            slope = np.float32(0.5) * (after - before)
            shift = np.float32(0.0)
            if abs(slope) < abs(curvature):
                shift = -slope / curvature
            places[n_peaks] = f + shift
            heights[n_peaks] = here + np.float32(0.5) * slope * shift
            n_peaks += 1
    return places[:n_peaks], heights[:n_peaks]


@kernel
def mean_of_extremes(
    spectrum: np.ndarray, starts: np.ndarray, stops: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the ``counts[b]`` lowest and of as many highest bins of every band of every frame."""
    n_frames = spectrum.shape[0]
    n_bands = len(starts)
    lowest = np.empty((n_bands, n_frames))
    highest = np.empty((n_bands, n_frames))
    low = np.empty(counts.max(), spectrum.dtype)
    high = np.empty(counts.max(), spectrum.dtype)
    for t in range(n_frames):
        for b in range(n_bands):
            n = counts[b]
            low[:n] = np.inf  # in order, the largest last
            high[:n] = -np.inf  # in order, the smallest last
            # Speech falls off with frequency: from this side extremes come early, which is faster.
            for f in range(stops[b] - 1, starts[b] - 1, -1):
                value = spectrum[t, f]
                if value < low[n - 1]:
                    i = n - 1
                    while i > 0 and low[i - 1] > value:
                        low[i] = low[i - 1]
                        i -= 1
                    low[i] = value
            for f in range(starts[b], stops[b]):
                value = spectrum[t, f]
                if value > high[n - 1]:
                    i = n - 1
                    while i > 0 and high[i - 1] < value:
                        high[i] = high[i - 1]
                        i -= 1
                    high[i] = value
            lowest[b, t] = low[:n].sum() / n
            highest[b, t] = high[:n].sum() / n
    return lowest, highest


@kernel
def rolloff_bins(spectrum: np.ndarray, share: float) -> np.ndarray:
    """First bin of each frame up to which there is ``share`` of its sum."""
    n_frames, n_bins = spectrum.shape
    bins = np.empty(n_frames, np.int64)
    running = np.empty(n_bins, np.float32)
    for t in range(n_frames):
        total = np.float32(0.0)
        for f in range(n_bins):
            total += spectrum[t, f]
            running[f] = total
        bins[t] = np.searchsorted(running, np.float32(share) * total)
    return bins
