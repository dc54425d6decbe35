"""ClipReader: read a recording as the waveform of a clip."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ._decoding import decode_audio
from ._recordings import ClipSource, Recording
from ._sampled import Waveform
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
    def of(cls, loader: object) -> ClipReader:
        """The reader with an AudioLoader's parameters."""
        return cls(**{field.name: getattr(loader, field.name) for field in fields(cls)})

    @property
    def max_samples(self) -> int | None:
        return None if self.duration is None else round(self.duration * self.sr)

    @property
    def n_samples(self) -> int | None:
        return None if self.pad is None else self.max_samples

    def __call__(self, source: ClipSource) -> np.ndarray:
        # Silence is trimmed before the crop, which then needs the whole recording.
        duration = self.duration if self.trim_db is None else None
        if source is None:
            waveform = self.silence()
        elif isinstance(source, Recording):
            offset, duration = source.within(self.offset, duration)
            waveform, _ = decode_audio(
                source.source, source.info, self.sr, offset=offset, duration=duration
            )
        elif isinstance(source, Waveform):
            waveform = source.at(self.sr, offset=self.offset, duration=duration)
        else:
            waveform = source[int(self.offset * self.sr) :]
        if self.trim_db is not None:
            waveform = trim_silence(waveform, self.trim_db)
        if self.max_samples is not None:
            waveform = waveform[: self.max_samples]
        if self.normalize is not None:
            waveform = normalize_level(waveform, self.normalize)
        if self.n_samples is not None:
            waveform = pad_waveform(waveform, self.n_samples, self.pad)
        return waveform

    def silence(self) -> np.ndarray:
        """Silence in place of an unusable recording."""
        return np.zeros(self.max_samples or self.sr, np.float32)
