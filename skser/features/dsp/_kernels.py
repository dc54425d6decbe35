"""Compiled loops of feature blocks; spectra have the shape (n_frames, n_bins) here."""

from __future__ import annotations

import numpy as np
import scipy.fft

from ..._utils._numba import kernel


@kernel
def windowed_frames(
    waveform: np.ndarray, window: np.ndarray, hop_length: int, first: int, n_frames: int
) -> np.ndarray:
    """Frames from ``first`` on times a window; the waveform is padded with zeros."""
    n_fft = len(window)
    frames = np.empty((n_frames, n_fft), window.dtype)
    for t in range(n_frames):
        start = (first + t) * hop_length - n_fft // 2
        left = min(max(-start, 0), n_fft)
        right = max(min(len(waveform) - start, n_fft), left)
        frames[t, :left] = 0
        frames[t, right:] = 0
        # Indices that may be negative do not vectorise, so slice.
        inside, samples = frames[t, left:right], waveform[start + left : start + right]
        weights = window[left:right]
        for i in range(len(samples)):
            inside[i] = samples[i] * weights[i]
    return frames


def rfft(frames: np.ndarray) -> np.ndarray:
    """Fourier transform of frames, which may be overwritten."""
    return scipy.fft.rfft(frames, axis=1, overwrite_x=True)


@kernel
def square_magnitudes(spectrum: np.ndarray, squares: np.ndarray) -> None:
    """Squared magnitude of each complex value."""
    for t in range(len(spectrum)):
        row, target = spectrum[t], squares[t]
        for f in range(len(row)):
            target[f] = row[f].real * row[f].real + row[f].imag * row[f].imag


@kernel
def mean_squares(waveform: np.ndarray, n_fft: int, hop_length: int, n_frames: int) -> np.ndarray:
    """Mean of the squared samples of each frame; the waveform is padded with zeros."""
    means = np.empty(n_frames, np.float32)
    for t in range(n_frames):
        start = t * hop_length - n_fft // 2
        total = np.float32(0.0)
        samples = waveform[max(start, 0) : start + n_fft]
        for i in range(len(samples)):
            total += samples[i] * samples[i]
        means[t] = total / n_fft
    return means


@kernel
def crossings(
    waveform: np.ndarray, threshold: float, n_fft: int, hop_length: int, n_frames: int
) -> np.ndarray:
    """Number of times that each frame crosses ``threshold``."""
    is_below = waveform < threshold
    crosses = np.zeros(len(waveform) + 1, np.uint8)  # between a sample and the previous one
    for i in range(1, len(waveform)):
        crosses[i] = is_below[i] != is_below[i - 1]
    counts = np.empty(n_frames, np.int32)
    for t in range(n_frames):
        start = t * hop_length - n_fft // 2
        # The first crossing inside a frame is that from its first sample to its second.
        inside = crosses[max(start, 0) + 1 : max(start + n_fft, 0)]
        count = np.int32(0)
        for i in range(len(inside)):
            count += inside[i]
        counts[t] = count
    return counts


@kernel
def derivatives(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of ``len(weights)`` frames around each; the ends repeat the nearest sum."""
    n_bins, n_frames = features.shape
    margin = len(weights) // 2
    sums = np.zeros((n_bins, n_frames), features.dtype)
    for b in range(n_bins):
        for i in range(len(weights)):
            inside, shifted = sums[b, margin : n_frames - margin], features[b, i:]
            for t in range(len(inside)):
                inside[t] += weights[i] * shifted[t]
        sums[b, :margin] = sums[b, margin]
        sums[b, n_frames - margin :] = sums[b, n_frames - margin - 1]
    return sums


@kernel
def spectral_peaks(
    spectrum: np.ndarray, floors: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions in bins and heights of peaks above the floor of their frame.

    Both are those of the parabola through three bins.
    """
    n_frames, n_bins = spectrum.shape
    positions = np.empty(n_frames * ((last - first) // 2 + 2))
    heights = np.empty(len(positions), np.float32)
    n_peaks = 0
    for t in range(n_frames):
        row = spectrum[t]
        floor = floors[t]
        for f in range(max(first, 1), min(last, n_bins - 1)):
            here = row[f]
            if here <= floor:
                continue
            before, after = row[f - 1], row[f + 1]
            # Bins below the floor count as 0.
            if here <= (before if before > floor else np.float32(0.0)):
                continue
            if here < (after if after > floor else np.float32(0.0)):
                continue
            curvature = after + before - np.float32(2.0) * here
            slope = np.float32(0.5) * (after - before)
            shift = np.float32(0.0)
            if abs(slope) < abs(curvature):
                shift = -slope / curvature
            positions[n_peaks] = f + shift
            heights[n_peaks] = here + np.float32(0.5) * slope * shift
            n_peaks += 1
    return positions[:n_peaks], heights[:n_peaks]


@kernel
def mean_of_extremes(
    spectrum: np.ndarray, starts: np.ndarray, stops: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the ``counts[b]`` lowest and highest bins of each band and frame."""
    n_frames = spectrum.shape[0]
    n_bands = len(starts)
    lowest = np.empty((n_bands, n_frames))
    highest = np.empty((n_bands, n_frames))
    low = np.empty(counts.max(), spectrum.dtype)
    high = np.empty(counts.max(), spectrum.dtype)
    for t in range(n_frames):
        for b in range(n_bands):
            n = counts[b]
            low[:n] = np.inf  # ascending
            high[:n] = -np.inf  # descending
            # The power of speech falls with frequency, so extremes come early in these orders.
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
    """First bin of each frame at which the running sum reaches ``share`` of the total."""
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


@kernel
def weighted_means(spectrum: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of ``values`` of the bins, weighted by each frame; 0 for silence."""
    n_frames, n_bins = spectrum.shape
    means = np.zeros(n_frames)
    for t in range(n_frames):
        weight, total = 0.0, 0.0
        for f in range(n_bins):
            weight += spectrum[t, f]
            total += spectrum[t, f] * values[f]
        if weight > 0:
            means[t] = total / weight
    return means


@kernel
def weighted_deviations(
    spectrum: np.ndarray, values: np.ndarray, centres: np.ndarray, p: float
) -> np.ndarray:
    """Mean of ``abs(values - centre) ** p`` weighted by each frame, to the power ``1 / p``."""
    n_frames, n_bins = spectrum.shape
    deviations = np.zeros(n_frames)
    for t in range(n_frames):
        weight, total = 0.0, 0.0
        for f in range(n_bins):
            deviation = values[f] - centres[t]
            power = deviation * deviation if p == 2 else abs(deviation) ** p
            weight += spectrum[t, f]
            total += spectrum[t, f] * power
        if weight > 0:
            deviations[t] = (total / weight) ** (1 / p)
    return deviations
