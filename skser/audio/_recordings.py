"""Recordings as input of AudioLoader: their types, headers and errors."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from typing import IO, Any, NamedTuple, TypeAlias, cast

import numpy as np

from .._utils._files import file_signature
from .._utils._segment import Segment
from ..exceptions import AudioError, DataError
from ._clips import as_waveform
from ._decoding import inspect_audio
from ._info import AudioInfo, describe

_MAX_LISTED = 10
_ROUNDING = 0.1  # seconds that the end of a segment may be past that of its recording


class Recording(NamedTuple):
    """A file by its signature, or the content of a file, with its checked header, or a part."""

    path: str | None
    size: int
    mtime_ns: int
    content: bytes | None
    info: AudioInfo
    start: float = 0.0  # in seconds, as the end
    end: float | None = None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return min(self.info.duration, self.end or math.inf) - self.start

    def within(self, offset: float, duration: float | None) -> tuple[float, float | None]:
        """``offset`` and ``duration`` in the file of those in the part."""
        if self.end is not None:
            rest = round(self.end - self.start - offset, 9)  # 0.3 - 0.2 is less than 0.1
            duration = rest if duration is None else min(duration, rest)
        return self.start + offset, duration

    @property
    def source(self) -> str | bytes:
        """Path or content."""
        return self.path or self.content or b""


ClipSource: TypeAlias = Recording | np.ndarray | None  # None for silence
AnyRecording: TypeAlias = str | bytes | np.ndarray | Segment


def inspect_recording(
    source: str | bytes | Segment, offset: float = 0.0, max_duration: float | None = None
) -> Recording:
    """Check the header and the length of a recording."""
    if isinstance(source, Segment):
        return _inspect_segment(source, offset, max_duration)
    if isinstance(source, bytes):
        recording = Recording(None, len(source), 0, source, inspect_audio(source))
    else:
        try:
            signature = file_signature(source)
        except (OSError, ValueError):
            inspect_audio(source)  # its AudioError gives the reason
            raise
        recording = Recording(*signature, None, _inspect_file(source, signature))
    info = recording.info
    check_length(describe(source), info.n_samples, info.sr, offset, max_duration)
    return recording


def _inspect_segment(segment: Segment, offset: float, max_duration: float | None) -> Recording:
    whole = inspect_recording(os.fspath(segment.path))
    length, sr = whole.info.duration, whole.info.sr
    if max(segment.start + 1 / sr, (segment.end or 0.0) - _ROUNDING) > length:
        raise AudioError(f"{segment}: is not within the recording, which is {length:.2f} s long")
    part = whole._replace(start=segment.start, end=segment.end)
    check_length(str(segment), round(part.duration * sr), sr, offset, max_duration)
    return part


@lru_cache(maxsize=2**16)
def _inspect_file(path: str, signature: tuple[str, int, int]) -> AudioInfo:
    """Header of a file, read again only when its signature changes."""
    return inspect_audio(path)


def check_length(
    name: str, n_samples: int, sr: int, offset: float = 0.0, max_duration: float | None = None
) -> None:
    """Raise AudioError for a recording too long, or too short for ``offset``."""
    duration = n_samples / sr
    if max_duration is not None and duration > max_duration:
        raise AudioError(
            f"{name}: is {duration:.1f} s long, allowed is max_duration={max_duration:g} s"
        )
    if int(offset * sr) >= n_samples:
        raise AudioError(
            f"{name}: is {duration:.2f} s long, so nothing is left from offset={offset:g} s"
        )


def as_recordings(X: object, name: str = "X") -> list[AnyRecording]:
    """Recordings as a list of str, bytes and float32 waveforms, or DataError."""
    single = isinstance(X, (str, bytes, os.PathLike)) or hasattr(X, "read")
    ndim = getattr(X, "ndim", 1)
    if single or ndim == 0 or isinstance(X, (Mapping, Set)) or not isinstance(X, Iterable):
        raise DataError(f"{name} must be a sequence of recordings, got {X!r:.200}")
    if ndim == 2:
        X = np.asarray(X)
        if X.dtype.kind in "OUST":
            if X.shape[1] != 1:
                raise DataError(f"{name} must be one column of paths, got shape {X.shape}")
            X = X[:, 0]
    elif isinstance(X, np.ndarray) and ndim == 1 and X.dtype.kind in "fiub":
        raise DataError(f"{name} must be a sequence of recordings, got a single waveform")
    recordings = [as_recording(item, i) for i, item in enumerate(X)]
    if not recordings:
        raise DataError(f"{name} must hold at least one recording, got none")
    return recordings


def as_recording(item: object, index: int) -> AnyRecording:
    """A recording as str, bytes or float32 waveform, or DataError."""
    if isinstance(item, Segment):
        return item
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if hasattr(item, "read"):
        return _content(cast("IO[Any]", item), index)
    if isinstance(item, (np.ndarray, list, tuple)):
        return as_waveform(item, index)
    raise DataError(
        f"recording {index} must be a path, bytes, a file-like object or a waveform, got "
        f"{type(item).__name__} {item!r:.80}"
    )


def _content(file: IO[Any], index: int) -> bytes:
    """The rest of an open file, whose position stays the same."""
    is_seekable = getattr(file, "seekable", lambda: False)()
    start = file.tell() if is_seekable else 0
    try:
        content = file.read()
    finally:
        if is_seekable:
            file.seek(start)
    if not isinstance(content, bytes):
        raise DataError(f"recording {index} is a file opened in text mode; open it with 'rb'")
    return content


def combine_errors(errors: list[AudioError], n_recordings: int) -> AudioError:
    """A single error for several recordings, of their class if they share it."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    lines = [f"{len(errors)} of {n_recordings} recordings that cannot be used:"]
    lines += [f"  {error}" for error in errors[:_MAX_LISTED]]
    if len(errors) > _MAX_LISTED:
        n_more = len(errors) - _MAX_LISTED
        lines.append(f"  ... and {n_more} more; skser.datasets.check_audio lists all")
    kind = kinds.pop() if len(kinds) == 1 else AudioError
    return kind("\n".join(lines))
