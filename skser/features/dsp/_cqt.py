"""Constant-Q transform: bins at equal steps of pitch, as in librosa, with cached filters.

All octaves use the filters of the highest octave, each on a waveform at half the rate of the octave
above it [1]_. Computing the filters takes longest; they depend on the tuning only.

References
----------
.. [1] C. Schörkhuber and A. Klapuri, "Constant-Q transform toolbox for music processing", Sound
   and Music Computing Conference, 2010.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...audio._waveforms import resample

C1_HZ = 440.0 * 2.0 ** (-45 / 12)
BINS_PER_OCTAVE = 36
_STEPS = 2.0 ** (np.arange(BINS_PER_OCTAVE) / BINS_PER_OCTAVE)  # frequencies within an octave
_STEP = 2.0 ** (1 / BINS_PER_OCTAVE)
_RELATIVE_BAND = (_STEP**2 - 1) / (_STEP**2 + 1)  # bandwidth of a filter over its frequency
_SPARSITY = 0.01  # share of a filter's magnitude set to 0, as in librosa
_HANN_BANDWIDTH = 1.50018310546875  # in bins of the Fourier transform, as in librosa


def constant_q(
    waveform: np.ndarray, sr: float, hop_length: int, n_octaves: int, tuning: float
) -> np.ndarray:
    """Magnitudes of 36 bins for each octave from C1 on, (n_octaves, 36, n_frames)."""
    n_frames = 1 + len(waveform) // hop_length
    lowest = C1_HZ * 2.0 ** (tuning / BINS_PER_OCTAVE)
    factor = _early_factor(sr, hop_length, n_octaves, lowest)
    waveform = lower_rate(waveform, factor)
    first_sr = sr = sr / factor
    hop_length //= factor
    octaves = []
    for octave in reversed(range(n_octaves)):
        filters, n_fft, start = octave_filters(lowest * 2.0**octave / sr)
        spectrum = _spectrum(waveform, n_fft, hop_length, n_frames)
        band = spectrum[:, start : start + filters.shape[1]]
        # Filters of fewer samples give larger values.
        response = np.abs(band @ filters.T) * np.float32(np.sqrt(first_sr / sr))
        lengths = first_sr / _RELATIVE_BAND / (lowest * 2.0**octave * _STEPS)
        octaves.append((response / np.sqrt(lengths).astype(np.float32)).T)
        if hop_length % 2 == 0 and octave:
            hop_length //= 2
            sr /= 2
            waveform = lower_rate(waveform, 2)
    return np.stack(octaves[::-1])


def lower_rate(waveform: np.ndarray, factor: int) -> np.ndarray:
    """Resample to 1 / ``factor`` of the rate, with the same energy."""
    if factor == 1:
        return waveform
    return resample(waveform, factor, 1) * np.float32(np.sqrt(factor))


def _early_factor(sr: float, hop_length: int, n_octaves: int, lowest: float) -> int:
    """Factor, a power of 2, by which the rate can be lowered for all octaves."""
    highest = lowest * 2.0 ** (n_octaves - 1 / BINS_PER_OCTAVE)
    cutoff = highest * (1 + 0.5 * _HANN_BANDWIDTH * _RELATIVE_BAND)
    room = int(np.ceil(np.log2(sr / 2 / cutoff))) - 2
    spare = (
        hop_length & -hop_length
    ).bit_length() - n_octaves  # halvings of the hop that no octave needs
    return 2 ** max(0, min(room, spare))


def _spectrum(waveform: np.ndarray, n_fft: int, hop_length: int, n_frames: int) -> np.ndarray:
    """Fourier transform of frames without a window, (n_frames, n_fft // 2 + 1)."""
    import scipy.fft  # slow to load

    missing = max(0, (n_frames - 1) * hop_length + n_fft // 2 - len(waveform))
    padded = np.pad(waveform, (n_fft // 2, missing))
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_fft)
    return scipy.fft.rfft(windows[::hop_length][:n_frames], axis=1)


@lru_cache(maxsize=256)
def octave_filters(lowest: float) -> tuple[np.ndarray, int, int]:
    """Spectra of the filters of an octave (36, n), complex64, their n_fft and their first bin.

    ``lowest`` is the frequency of the first filter over the sampling rate.
    """
    import scipy.fft

    frequencies = lowest * _STEPS
    lengths = 1 / _RELATIVE_BAND / frequencies
    n_fft = int(2 ** np.ceil(np.log2(lengths.max())))
    filters = np.zeros((BINS_PER_OCTAVE, n_fft), np.complex64)
    for row, frequency, length in zip(filters, frequencies, lengths, strict=True):
        time = np.arange(-length // 2, length // 2)
        n = len(time)
        window = 0.5 - 0.5 * np.cos(2 * np.pi / n * np.arange(n))
        left = (n_fft - n) // 2
        row[left : left + n] = np.exp(2j * np.pi * frequency * time) * window
        row *= length / n_fft / window.sum()
    spectra = scipy.fft.fft(filters, axis=1)[:, : n_fft // 2 + 1]
    magnitude = np.abs(spectra)
    ordered = np.sort(magnitude, axis=1)
    is_small = np.cumsum(ordered / ordered.sum(axis=1, keepdims=True), axis=1) < _SPARSITY
    smallest = np.take_along_axis(ordered, is_small.argmin(axis=1, keepdims=True), axis=1)
    spectra[magnitude < smallest] = 0
    used = np.flatnonzero(spectra.any(axis=0))
    # Filters and frames are centred differently, which changes phases only.
    return np.ascontiguousarray(spectra[:, used[0] : used[-1] + 1]), n_fft, int(used[0])
