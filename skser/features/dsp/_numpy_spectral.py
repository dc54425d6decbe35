"""The loops of `_kernels` in NumPy, which loads sooner; spectra are (n_frames, n_bins) here.

SciPy's Fourier transform is faster than NumPy's, but takes longer to load, and 25 MiB.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windowed_frames(
    waveform: np.ndarray, window: np.ndarray, hop_length: int, first: int, n_frames: int
) -> np.ndarray:
    return _frames(waveform, len(window), hop_length, first, n_frames) * window


def _frames(
    waveform: np.ndarray, n_fft: int, hop_length: int, first: int, n_frames: int
) -> np.ndarray:
    """A view of the frames from ``first`` on of the waveform, padded with zeros."""
    start = first * hop_length - n_fft // 2
    stop = start + (n_frames - 1) * hop_length + n_fft
    inside = waveform[max(start, 0) : max(stop, 0)]
    left = max(-start, 0)
    padded = np.pad(inside, (left, stop - start - left - len(inside)))
    return sliding_window_view(padded, n_fft)[::hop_length]


def rfft(frames: np.ndarray) -> np.ndarray:
    return np.fft.rfft(frames, axis=1)


def square_magnitudes(spectrum: np.ndarray, squares: np.ndarray) -> None:
    np.add(spectrum.real**2, spectrum.imag**2, out=squares)


def mean_squares(waveform: np.ndarray, n_fft: int, hop_length: int, n_frames: int) -> np.ndarray:
    frames = _frames(waveform, n_fft, hop_length, 0, n_frames)
    return np.einsum("ti,ti->t", frames, frames) / np.float32(n_fft)


def crossings(
    waveform: np.ndarray, threshold: float, n_fft: int, hop_length: int, n_frames: int
) -> np.ndarray:
    counts = np.append([0], np.cumsum(np.diff(waveform < threshold)))  # up to each sample
    starts = np.arange(n_frames) * hop_length - n_fft // 2
    last = len(waveform) - 1
    return counts[np.minimum(starts + n_fft - 1, last)] - counts[np.clip(starts, 0, last)]


def derivatives(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    windows = sliding_window_view(features, len(weights), axis=1)
    return np.pad(windows @ weights, ((0, 0), [len(weights) // 2] * 2), mode="edge")


def spectral_peaks(
    spectrum: np.ndarray, floors: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    first, last = max(first, 1), min(last, spectrum.shape[1] - 1)
    before, here, after = (spectrum[:, first + i : last + i] for i in (-1, 0, 1))
    floor = floors[:, np.newaxis]
    # Bins below the floor count as 0.
    is_peak = (here > floor) & (here > np.where(before > floor, before, 0))
    is_peak &= here >= np.where(after > floor, after, 0)
    before, here, after = before[is_peak], here[is_peak], after[is_peak]
    slope, curvature = (after - before) / 2, after + before - 2 * here
    is_sharp = np.abs(slope) < np.abs(curvature)
    shift = np.where(is_sharp, -slope / np.where(is_sharp, curvature, 1), 0)
    return first + np.nonzero(is_peak)[1] + shift, here + slope * shift / 2


def mean_of_extremes(
    spectrum: np.ndarray, starts: np.ndarray, stops: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    lowest, highest = np.empty((2, len(counts), len(spectrum)))
    for band, (start, stop, n) in enumerate(zip(starts, stops, counts, strict=True)):
        ordered = np.sort(spectrum[:, start:stop], axis=1)
        lowest[band] = ordered[:, :n].mean(axis=1)
        highest[band] = ordered[:, -n:].mean(axis=1)
    return lowest, highest


def rolloff_bins(spectrum: np.ndarray, share: float) -> np.ndarray:
    running = np.cumsum(spectrum, axis=1)
    return np.argmax(running >= np.float32(share) * running[:, -1:], axis=1)


def weighted_means(spectrum: np.ndarray, values: np.ndarray) -> np.ndarray:
    return _over(spectrum @ values, spectrum.sum(axis=1, dtype=np.float64))


def weighted_deviations(
    spectrum: np.ndarray, values: np.ndarray, centres: np.ndarray, p: float
) -> np.ndarray:
    deviations = np.abs(values - centres[:, np.newaxis])
    powers = deviations * deviations if p == 2 else deviations**p
    totals = np.einsum("tf,tf->t", spectrum, powers)
    return _over(totals, spectrum.sum(axis=1, dtype=np.float64)) ** (1 / p)


def _over(totals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means from totals and weights; 0 for silence."""
    return np.divide(totals, weights, out=np.zeros(len(totals)), where=weights > 0)
