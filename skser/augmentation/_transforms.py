"""Transforms of waveforms, one function each."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import cleandoc
from typing import TypeAlias

import numpy as np
from numpy import ndarray
from numpy.random import Generator

__all__ = ["add_noise", "change_speed", "shift_pitch", "shift_time", "stretch_time"]

Transform: TypeAlias = Callable[[ndarray, int, Generator, float, float], ndarray]

_DOCSTRING = """{summary}

Parameters
----------
waveform : ndarray of shape (n_samples,)
    Mono waveform.
sr : int
    Its sampling rate in Hz.
rng : numpy.random.Generator
    Random number generator.
low, high : float
    Range of the {strength}. The value is drawn uniformly.

Returns
-------
waveform : ndarray of shape ({n_samples},)
    Transformed waveform; float32 if the input is.

{example}"""


def transform_docstring(strength: str, n_samples: str) -> Callable[[Transform], Transform]:
    """Add the sections of the docstring that all transforms share."""

    def document(transform: Transform) -> Transform:
        summary, _, example = cleandoc(transform.__doc__ or "").partition("\n\n")
        transform.__doc__ = _DOCSTRING.format(
            summary=summary, strength=strength, n_samples=n_samples, example=example
        )
        return transform

    return document


@transform_docstring("signal-to-noise ratio in dB", "n_samples")
def add_noise(waveform: ndarray, sr: int, rng: Generator, low: float, high: float) -> ndarray:
    """Add white noise."""
    snr = rng.uniform(low, high)
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    level = np.sqrt(np.mean(waveform**2) / 10 ** (snr / 10))
    return waveform + level.astype(np.float32) * noise


@transform_docstring("change of pitch in semitones", "n_samples")
def shift_pitch(waveform: ndarray, sr: int, rng: Generator, low: float, high: float) -> ndarray:
    """Raise pitch and formants, and keep the length."""
    return warp(waveform, sr, pitch=rng.uniform(low, high))


@transform_docstring("rate, above 1 for faster", "round(n_samples / rate)")
def stretch_time(waveform: ndarray, sr: int, rng: Generator, low: float, high: float) -> ndarray:
    """Change the tempo and keep the pitch."""
    return warp(waveform, sr, stretch=rng.uniform(low, high))


@transform_docstring("rate, above 1 for faster and higher", "ceil(n_samples / rate)")
def change_speed(waveform: ndarray, sr: int, rng: Generator, low: float, high: float) -> ndarray:
    """Change tempo, pitch and formants together."""
    return warp(waveform, sr, speed=rng.uniform(low, high))


def warp(
    waveform: ndarray, sr: int, *, speed: float = 1, stretch: float = 1, pitch: float = 0
) -> ndarray:
    """Change speed (rate), then tempo (rate), then pitch (semitones), in one pass.

    The result has ``round(ceil(n_samples / speed) / stretch)`` samples.
    """
    from . import _time_scale  # imports numba, which is slow

    n_samples = max(round(math.ceil(len(waveform) / speed) / stretch), 1)
    # A higher pitch is a slower tempo, then a faster playback.
    factor = 2 ** (pitch / 12)
    tempo, playback = stretch / factor, speed * factor
    if tempo != 1:
        waveform = _time_scale.stretch(waveform, sr, tempo, math.ceil(n_samples * playback))
    if playback != 1:
        waveform = _time_scale.play_at(waveform, playback, n_samples)
    return waveform


@transform_docstring("delay in seconds, below 0 for earlier", "n_samples")
def shift_time(waveform: ndarray, sr: int, rng: Generator, low: float, high: float) -> ndarray:
    """Shift in time, with zeros in the gap, and keep the length.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.augmentation import shift_time
    >>> shift_time(np.array([1.0, 2.0, 3.0]), 1, np.random.default_rng(0), 1, 1)
    array([0., 1., 2.])
    """
    n = len(waveform)
    delay = int(np.clip(round(rng.uniform(low, high) * sr), -n, n))
    shifted = np.zeros_like(waveform)
    shifted[max(delay, 0) : n + min(delay, 0)] = waveform[max(-delay, 0) : n - max(delay, 0)]
    return shifted


# In order of application: noise last, as in a room. `warp` does the first three in one pass.
TRANSFORMS: dict[str, Transform] = {
    "speed": change_speed,
    "stretch": stretch_time,
    "pitch": shift_pitch,
    "shift": shift_time,
    "noise": add_noise,
}
WARPS = ("speed", "stretch", "pitch")
