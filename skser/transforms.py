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
    """Raise the pitch by ``low`` to ``high`` semitones and keep the length.

    Formants move with the pitch.
    """
    return warp(waveform, sr, pitch=rng.uniform(low, high))


def stretch_time(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Play at a rate between ``low`` and ``high`` and keep the pitch.

    A rate above 1 is faster, so the waveform becomes shorter: ``round(n_samples / rate)``.
    """
    return warp(waveform, sr, stretch=rng.uniform(low, high))


def change_speed(
    waveform: np.ndarray, sr: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """Play at a rate between ``low`` and ``high``, which changes pitch and formants as well.

    The waveform becomes ``ceil(n_samples / rate)`` long.
    """
    return warp(waveform, sr, speed=rng.uniform(low, high))


def warp(
    waveform: np.ndarray, sr: int, *, speed: float = 1, stretch: float = 1, pitch: float = 0
) -> np.ndarray:
    """Change speed, then tempo, then pitch, in one pass.

    WSOLA [1]_ changes the tempo alone, resampling tempo and pitch. A higher pitch is therefore a
    slower tempo by WSOLA, made up for by resampling.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        A waveform.
    sr : int
        Its sampling rate in Hz.
    speed : float, default=1
        Rate of a change of speed, tempo and pitch together.
    stretch : float, default=1
        Rate of a change of tempo; above 1 is faster.
    pitch : float, default=0
        Change of pitch in semitones.

    Returns
    -------
    ndarray of shape (round(ceil(n_samples / speed) / stretch),), float32

    References
    ----------
    .. [1] W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity
       (WSOLA) for high quality time-scale modification of speech", ICASSP 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.transforms import warp
    >>> tone = np.sin(np.arange(16000, dtype="float32"))
    >>> warp(tone, 16000, stretch=0.5, pitch=2).shape
    (32000,)
    """
    from . import _warping

    n_samples = max(round(math.ceil(len(waveform) / speed) / stretch), 1)
    factor = 2 ** (pitch / 12)
    tempo, resampling = stretch / factor, speed * factor
    if tempo != 1:
        waveform = _warping.stretch(waveform, sr, tempo, math.ceil(n_samples * resampling))
    if resampling != 1:
        waveform = _warping.resample(waveform, resampling, n_samples)
    return waveform


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


# In the order in which a view passes through them: noise comes last, as in a room.
TRANSFORMS: dict[str, Callable[..., np.ndarray]] = {
    "speed": change_speed,
    "stretch": stretch_time,
    "pitch": shift_pitch,
    "shift": shift_time,
    "noise": add_noise,
}
# Those that `warp` does in one pass.
WARPS = ("speed", "stretch", "pitch")
