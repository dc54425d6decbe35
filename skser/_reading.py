"""ClipReader: from a recording to the waveform of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._recordings import Recording, Silence
from .audio import decode_audio, fix_length

# Frames by which silence is told, in samples, and the least power that counts, as in librosa.
_TRIM_FRAME, _TRIM_HOP = 2048, 512
_LEAST_POWER = 1e-10


@dataclass(frozen=True)
class ClipReader:
    """Reads a recording as one waveform: the parameters of the loader and what they do."""

    sr: int
    duration: float | None
    offset: float
    pad: str | None
    trim_db: float | None
    normalize: str | None

    @property
    def max_samples(self) -> int | None:
        return None if self.duration is None else round(self.duration * self.sr)

    @property
    def n_samples(self) -> int | None:
        return None if self.pad is None else self.max_samples

    def __call__(self, source: Recording | Silence | np.ndarray) -> np.ndarray:
        waveform = self._waveform(source)
        if self.trim_db is not None:
            waveform = trim_silence(waveform, self.trim_db)
        if self.max_samples is not None:
            waveform = waveform[: self.max_samples]
        if self.normalize is not None:
            waveform = normalize_level(waveform, self.normalize)
        if self.n_samples is not None:
            waveform = pad_waveform(waveform, self.n_samples, self.pad)
        return waveform

    def _waveform(self, source: Recording | Silence | np.ndarray) -> np.ndarray:
        if isinstance(source, Silence):
            return self.silence()
        # Silence is trimmed before the crop, so then all of the recording is needed.
        duration = self.duration if self.trim_db is None else None
        if isinstance(source, Recording):
            content = source.path if source.content is None else source.content
            assert content is not None
            return decode_audio(
                content, source.info, self.sr, offset=self.offset, duration=duration
            )[0]
        return source[int(self.offset * self.sr) :]

    def silence(self) -> np.ndarray:
        """What stands for a recording that cannot be used."""
        return np.zeros(self.max_samples or self.sr, np.float32)


def trim_silence(waveform: np.ndarray, trim_db: float) -> np.ndarray:
    """Drop what is ``trim_db`` below the loudest frame from both ends, as librosa does."""
    padded = np.pad(waveform, _TRIM_FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _TRIM_FRAME)[::_TRIM_HOP]
    power = np.mean(np.square(frames), axis=1)
    level = 10 * np.log10(np.maximum(power, _LEAST_POWER))
    loud = np.flatnonzero(level > level.max() - trim_db)
    return waveform[loud[0] * _TRIM_HOP : (loud[-1] + 1) * _TRIM_HOP]


def normalize_level(waveform: np.ndarray, how: str) -> np.ndarray:
    """Scale to a peak of 1 or a root mean square of 0.1; silence stays as it is."""
    if how == "peak":
        level, target = np.abs(waveform).max(), 1.0
    else:
        level, target = np.sqrt(np.mean(np.square(waveform, dtype=np.float64))), 0.1
    # In float64, because the level may be too low to have an inverse in float32.
    return (waveform / np.float64(level) * target).astype(np.float32) if level > 0 else waveform


def pad_waveform(waveform: np.ndarray, n_samples: int, how: str | None) -> np.ndarray:
    """Lengthen to ``n_samples`` with zeros or with the waveform itself."""
    missing = n_samples - len(waveform)
    if missing <= 0:
        return waveform
    if how == "both":
        return np.pad(waveform, (missing // 2, missing - missing // 2))
    if how == "repeat":
        return np.resize(waveform, n_samples)
    return fix_length(waveform, n_samples)
