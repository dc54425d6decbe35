"""Transforms of waveforms, one function each.

A transform is ``(waveform, sr, rng, low, high) -> waveform`` and draws its strength uniformly from
[low, high].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .audio import fix_length, resample

__all__ = ["add_noise", "change_speed", "shift_pitch", "shift_time", "stretch_time"]


def add_noise(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Add white noise at a signal-to-noise ratio between ``low`` and ``high`` dB.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.transforms import add_noise
    >>> tone = np.sin(np.arange(16000, dtype="float32"))
    >>> noise = add_noise(tone, 16000, np.random.default_rng(0), 20, 20) - tone
    >>> round(float(10 * np.log10(np.mean(tone**2) / np.mean(noise**2))))
    20
    """
    snr = rng.uniform(low, high)
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    level = np.sqrt(np.mean(waveform**2) / 10 ** (snr / 10))
    return waveform + level.astype(np.float32) * noise


def shift_pitch(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Raise the pitch by ``low`` to ``high`` semitones and keep the length (phase vocoder)."""
    rate = 2 ** (-rng.uniform(low, high) / 12)
    stretched = _stretch(waveform, rate)
    return fix_length(resample(stretched, sr / rate, sr), len(waveform))


def stretch_time(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Play at a rate between ``low`` and ``high`` and keep the pitch (phase vocoder).

    A rate above 1 is faster, so the waveform becomes shorter.
    """
    return _stretch(waveform, rng.uniform(low, high))


def change_speed(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Play at a rate between ``low`` and ``high``, which changes pitch and formants as well."""
    return resample(waveform, sr * rng.uniform(low, high), sr)


def shift_time(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Start later by ``low`` to ``high`` seconds; zeros fill the gap, the length stays.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.transforms import shift_time
    >>> shift_time(np.array([1.0, 2.0, 3.0]), 1, np.random.default_rng(0), 1, 1)
    array([0., 1., 2.])
    """
    n = len(waveform)
    by = int(np.clip(round(rng.uniform(low, high) * sr), -n, n))
    shifted = np.zeros_like(waveform)
    if by >= 0:
        shifted[by:] = waveform[: n - by]
    else:
        shifted[:by] = waveform[-by:]
    return shifted


def _stretch(waveform: np.ndarray, rate: float) -> np.ndarray:
    """Change the tempo with a phase vocoder (frames of 64 ms at 16 kHz, a quarter apart)."""
    # Frames must not be longer than the waveform.
    n_fft = 2 ** int(np.log2(np.clip(len(waveform), 16, 1024)))
    if len(waveform) < n_fft:
        return waveform
    import librosa

    spectrum = phase_vocoder(librosa.stft(waveform, n_fft=n_fft), rate)
    return librosa.istft(spectrum, n_fft=n_fft, length=round(len(waveform) / rate))


def phase_vocoder(spectrum: np.ndarray, rate: float) -> np.ndarray:
    """Stretch a short-time spectrum in time so that every bin keeps its frequency.

    Magnitudes are interpolated between frames; the phase of a bin advances from frame to frame by
    what it advances between the frames that it is taken from [1]_.

    References
    ----------
    .. [1] M. Dolson, "The phase vocoder: a tutorial", Computer Music Journal, 10(4), 1986.
    """
    n_bins, n_frames = spectrum.shape
    times = np.arange(0, n_frames, rate)
    frames = times.astype(int)
    share = (times - frames).astype(np.float32)
    padded = np.pad(spectrum, ((0, 0), (0, 2)))
    magnitude, phase = np.abs(padded), np.angle(padded)
    stretched = (1 - share) * magnitude[:, frames] + share * magnitude[:, frames + 1]
    # With frames a quarter apart, a bin's own frequency advances a quarter turn for each bin.
    own = (np.pi / 2) * np.arange(n_bins, dtype=np.float32)[:, np.newaxis]
    deviation = phase[:, frames + 1] - phase[:, frames] - own
    deviation -= 2 * np.pi * np.round(deviation / (2 * np.pi))
    advance = np.cumsum((own + deviation)[:, :-1], axis=1, dtype=np.float64)
    turned = phase[:, :1] + np.pad(advance, ((0, 0), (1, 0)))
    return (stretched * np.exp(1j * turned)).astype(np.complex64)


# In the order in which a view passes through them: noise comes last, as in a room.
TRANSFORMS: dict[str, Callable[..., np.ndarray]] = {
    "speed": change_speed,
    "stretch": stretch_time,
    "pitch": shift_pitch,
    "shift": shift_time,
    "noise": add_noise,
}
