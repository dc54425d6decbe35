"""Transforms of waveforms, one function each.

A transform is ``(waveform, sr, rng, low, high) -> waveform`` and draws its strength uniformly from
[low, high].
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

__all__ = ["add_noise", "change_speed", "shift_pitch", "shift_time", "stretch_time"]


def add_noise(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Add white noise.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Mono waveform.
    sr : int
        Its sampling rate in Hz.
    rng : numpy.random.Generator
        Draws the signal-to-noise ratio and the noise.
    low, high : float
        Range of the signal-to-noise ratio in dB.

    Returns
    -------
    ndarray of shape (n_samples,)
        The waveform with noise; float32 if the waveform is.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.augmentation._transforms import add_noise
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
    """Raise the pitch and keep the length; formants move with the pitch.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Mono waveform.
    sr : int
        Its sampling rate in Hz.
    rng : numpy.random.Generator
        Draws the change of pitch.
    low, high : float
        Range of the change of pitch in semitones.

    Returns
    -------
    ndarray of shape (n_samples,)
        The waveform at another pitch, float32.
    """
    return warp(waveform, sr, pitch=rng.uniform(low, high))


def stretch_time(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Change the tempo and keep the pitch.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Mono waveform.
    sr : int
        Its sampling rate in Hz.
    rng : numpy.random.Generator
        Draws the rate.
    low, high : float
        Range of the rate; above 1 is faster.

    Returns
    -------
    ndarray of shape (round(n_samples / rate),)
        The waveform at another tempo, float32.
    """
    return warp(waveform, sr, stretch=rng.uniform(low, high))


def change_speed(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Change tempo, pitch and formants together.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Mono waveform.
    sr : int
        Its sampling rate in Hz.
    rng : numpy.random.Generator
        Draws the rate.
    low, high : float
        Range of the rate; above 1 is faster and higher.

    Returns
    -------
    ndarray of shape (ceil(n_samples / rate),)
        The waveform at another speed, float32.
    """
    return warp(waveform, sr, speed=rng.uniform(low, high))


def warp(
    waveform: np.ndarray, sr: int, *, speed: float = 1, stretch: float = 1, pitch: float = 0
) -> np.ndarray:
    """Change speed (rate), then tempo (rate), then pitch (semitones), in one pass.

    Overlap-add changes the tempo alone, resampling tempo and pitch: a higher pitch is a slower
    tempo, then a faster playback. The result has ``round(ceil(n_samples / speed) / stretch)``
    samples.
    """
    from . import _time_scale as _warping

    n_samples = max(round(math.ceil(len(waveform) / speed) / stretch), 1)
    factor = 2 ** (pitch / 12)
    tempo, playback = stretch / factor, speed * factor
    if tempo != 1:
        waveform = _warping.stretch(waveform, sr, tempo, math.ceil(n_samples * playback))
    if playback != 1:
        waveform = _warping.play_at(waveform, playback, n_samples)
    return waveform


def shift_time(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Shift in time; zeros fill the gap, the length stays.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Mono waveform.
    sr : int
        Its sampling rate in Hz.
    rng : numpy.random.Generator
        Draws the delay.
    low, high : float
        Range of the delay in seconds; below 0 is earlier.

    Returns
    -------
    ndarray of shape (n_samples,)
        The shifted waveform.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.augmentation._transforms import shift_time
    >>> shift_time(np.array([1.0, 2.0, 3.0]), 1, np.random.default_rng(0), 1, 1)
    array([0., 1., 2.])
    """
    n = len(waveform)
    delay = int(np.clip(round(rng.uniform(low, high) * sr), -n, n))
    shifted = np.zeros_like(waveform)
    shifted[max(delay, 0) : n + min(delay, 0)] = waveform[max(-delay, 0) : n - max(delay, 0)]
    return shifted


# In the order of their application: noise comes last, as in a room.
TRANSFORMS: dict[str, Callable[..., np.ndarray]] = {
    "speed": change_speed,
    "stretch": stretch_time,
    "pitch": shift_pitch,
    "shift": shift_time,
    "noise": add_noise,
}
# `warp` does these in one pass.
WARPS = ("speed", "stretch", "pitch")
