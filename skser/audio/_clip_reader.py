"""ClipReader: from a recording to the waveform of a clip."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ._decoding import decode_audio
from ._recordings import Recording, Silence
from ._waveforms import normalize_level, pad_waveform, trim_silence


@dataclass(frozen=True)
class ClipReader:
    """Reads a recording as one waveform; see `skser.AudioLoader` for the parameters."""

    sr: int
    duration: float | None
    offset: float
    pad: str | None
    trim_db: float | None
    normalize: str | None

    @classmethod
    def of(cls, loader: object, **changes: Any) -> ClipReader:
        """The reader of an AudioLoader, with some parameters changed."""
        params = {field.name: getattr(loader, field.name) for field in fields(cls)}
        return cls(**{**params, **changes})

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
            return decode_audio(
                source.source, source.info, self.sr, offset=self.offset, duration=duration
            )[0]
        return source[int(self.offset * self.sr) :]

    def silence(self) -> np.ndarray:
        """Takes the place of a recording that cannot be used."""
        return np.zeros(self.max_samples or self.sr, np.float32)
