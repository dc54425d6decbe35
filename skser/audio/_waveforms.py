"""Mono waveforms: resample, trim, level, pad."""

from __future__ import annotations

import numpy as np

# Frames in samples, and the smallest power, as in `librosa.effects.trim`.
_TRIM_FRAME, _TRIM_HOP = 2048, 512
_MIN_POWER = 1e-10


def resample(waveform: np.ndarray, sr: float, to_sr: float) -> np.ndarray:
    """Resample with soxr (HQ) to ``ceil(n_samples * to_sr / sr)`` samples, as librosa does."""
    import soxr

    resampled = soxr.resample(waveform, sr, to_sr, quality="HQ")
    return fix_length(resampled, int(np.ceil(len(waveform) * to_sr / sr)))


def fix_length(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """Crop or zero-pad at the end to exactly ``n_samples``."""
    if len(waveform) >= n_samples:
        return waveform[:n_samples]
    return np.pad(waveform, (0, n_samples - len(waveform)))


def trim_silence(waveform: np.ndarray, trim_db: float) -> np.ndarray:
    """Drop frames ``trim_db`` below the loudest from both ends, as librosa does."""
    padded = np.pad(waveform, _TRIM_FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _TRIM_FRAME)[::_TRIM_HOP]
    power = np.mean(np.square(frames), axis=1)
    level = 10 * np.log10(np.maximum(power, _MIN_POWER))
    loud = np.flatnonzero(level > level.max() - trim_db)
    return waveform[loud[0] * _TRIM_HOP : (loud[-1] + 1) * _TRIM_HOP]


def normalize_level(waveform: np.ndarray, how: str) -> np.ndarray:
    """Scale to a peak of 1 or a root mean square of 0.1; silence stays as it is."""
    if how == "peak":
        level, target = np.abs(waveform).max(), 1.0
    else:
        level, target = np.sqrt(np.mean(np.square(waveform, dtype=np.float64))), 0.1
    # In float64, because the inverse of a low level overflows in float32.
    return (waveform / np.float64(level) * target).astype(np.float32) if level > 0 else waveform


def pad_waveform(waveform: np.ndarray, n_samples: int, how: str | None) -> np.ndarray:
    """Lengthen to ``n_samples`` with zeros or by repeating the waveform."""
    missing = n_samples - len(waveform)
    if missing <= 0:
        return waveform
    if how == "both":
        return np.pad(waveform, (missing // 2, missing - missing // 2))
    if how == "repeat":
        return np.resize(waveform, n_samples)
    return fix_length(waveform, n_samples)
