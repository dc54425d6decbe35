"""ClipReader: read a recording as the waveform of a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np

from ._decoding import decode_audio
from ._recordings import ClipSource, Recording
from ._sampled import Waveform
from ._waveforms import normalize_level, pad_waveform, trim_silence

# Sampling rate, offset and duration of a decoded waveform.
Excerpt: TypeAlias = tuple[int, float, float | None]
Watch: TypeAlias = Callable[[Recording, np.ndarray, Excerpt], None]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call a function, and that of a block around, with each recording that this thread decodes."""
    around = _watch.get()

    def both(recording: Recording, waveform: np.ndarray, excerpt: Excerpt) -> None:
        if around is not None:
            around(recording, waveform, excerpt)
        watch(recording, waveform, excerpt)

    token = _watch.set(both)
    try:
        yield
    finally:
        _watch.reset(token)


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

    @property
    def excerpt(self) -> Excerpt:
        """What is decoded of a recording."""
        # Silence is trimmed before the crop, which then needs the whole recording.
        return self.sr, self.offset, self.duration if self.trim_db is None else None

    def __call__(self, source: ClipSource) -> np.ndarray:
        duration = self.excerpt[2]
        if source is None:
            waveform = self.silence()
        elif isinstance(source, Recording):
            offset, length = source.within(self.offset, duration)
            waveform, _ = decode_audio(
                source.source, source.info, self.sr, offset=offset, duration=length
            )
            if watch := _watch.get():
                watch(source, waveform, self.excerpt)
        elif isinstance(source, Waveform):
            waveform = source.at(self.sr, offset=self.offset, duration=duration)
        else:
            waveform = source[int(self.offset * self.sr) :]
        return self.shape(waveform)

    def shape(self, waveform: np.ndarray) -> np.ndarray:
        """Trim, crop, normalise and pad a decoded waveform."""
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
