"""Recordings as AudioLoader takes them, the check of their headers, and their errors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np

from ..exceptions import AudioError, DataError
from ._clips import Clips, as_waveform
from ._decoding import file_signature, inspect_audio
from ._info import AudioInfo, Source, describe

Recordings: TypeAlias = "Iterable[Source | IO[bytes] | np.ndarray | Sequence[float]]"

_MAX_LISTED = 10


class Recording(NamedTuple):
    """A file by its signature, or content in memory, with its checked header."""

    path: str | None
    size: int
    mtime_ns: int
    content: bytes | None
    info: AudioInfo

    @property
    def source(self) -> str | bytes:
        """Path or content."""
        return self.path or self.content or b""


class Silence(NamedTuple):
    """Stands for a recording that cannot be used (``on_error="silence"``)."""


def inspect_recording(
    source: str | bytes, offset: float = 0.0, max_duration: float | None = None
) -> Recording:
    """Check the header of a recording, and its length against the loader's limits."""
    if isinstance(source, bytes):
        recording = Recording(None, len(source), 0, source, inspect_audio(source))
    else:
        try:
            signature = file_signature(source)
        except (OSError, ValueError):
            inspect_audio(source)  # raises an AudioError that names the reason
            raise
        recording = Recording(*signature, None, _inspect_file(source, signature))
    info = recording.info
    check_length(describe(source), info.n_samples, info.sr, offset, max_duration)
    return recording


@lru_cache(maxsize=2**16)
def _inspect_file(path: str, signature: tuple[str, int, int]) -> AudioInfo:
    """Header of a file, read again only when its signature changes."""
    return inspect_audio(path)


def check_length(
    name: str, n_samples: int, sr: int, offset: float = 0.0, max_duration: float | None = None
) -> None:
    """Raise AudioError for a recording that is too long, or too short for ``offset``."""
    duration = n_samples / sr
    if max_duration is not None and duration > max_duration:
        raise AudioError(
            f"{name}: is {duration:.1f} s long, allowed is max_duration={max_duration:g} s"
        )
    if int(offset * sr) >= n_samples:
        raise AudioError(
            f"{name}: is {duration:.2f} s long, so nothing is left from offset={offset:g} s"
        )


def as_recordings(X: Any, name: str = "X") -> list[str | bytes | np.ndarray]:
    """Recordings as a list of str, bytes and float32 waveforms; DataError for anything else."""
    is_file = hasattr(X, "read") and not isinstance(X, Clips)
    if isinstance(X, (str, bytes, os.PathLike)) or is_file or getattr(X, "ndim", 1) == 0:
        raise DataError(f"{name} must be a sequence of recordings, got a single one: {X!r:.200}")
    if isinstance(X, (Clips, Mapping, Set)) or not isinstance(X, Iterable):
        raise DataError(f"{name} must be a sequence of recordings, got {type(X).__name__}")
    if getattr(X, "ndim", 1) == 2:
        X = np.asarray(X)
        if X.dtype.kind in "OUST":
            if X.shape[1] != 1:
                raise DataError(f"{name} must be one column of paths, got shape {X.shape}")
            X = X[:, 0]
    elif isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "fiub":
        raise DataError(f"{name} must be a sequence of recordings, got a single waveform")
    recordings = [as_recording(item, i) for i, item in enumerate(X)]
    if not recordings:
        raise DataError(f"{name} must hold at least one recording, got none")
    return recordings


def as_recording(item: Any, index: int) -> str | bytes | np.ndarray:
    """One recording as str, bytes or float32 waveform; DataError for anything else."""
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if hasattr(item, "read"):
        return _content(item, index)
    if isinstance(item, (np.ndarray, list, tuple)):
        return as_waveform(item, index)
    raise DataError(
        f"recording {index} must be a path, bytes, a file-like object or a waveform, got "
        f"{type(item).__name__} {item!r:.80}"
    )


def _content(file: IO[Any], index: int) -> bytes:
    """The rest of a file from its position, which stays where it was."""
    is_seekable = getattr(file, "seekable", lambda: False)()
    start = file.tell() if is_seekable else 0
    try:
        content = file.read()
    finally:
        if is_seekable:
            file.seek(start)
    if not isinstance(content, bytes):
        raise DataError(f"recording {index} is a file opened as text; open it with mode 'rb'")
    return content


def combine_errors(errors: list[AudioError], n_recordings: int) -> AudioError:
    """One error for several files, of their common class if there is one."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else AudioError
    return kind(list_errors(errors, n_recordings))


def list_errors(errors: list[AudioError], n_recordings: int) -> str:
    """Up to ten errors, one to a line."""
    lines = [f"{len(errors)} of {n_recordings} recordings that cannot be used:"]
    lines += [f"  {error}" for error in errors[:_MAX_LISTED]]
    if len(errors) > _MAX_LISTED:
        n_more = len(errors) - _MAX_LISTED
        lines.append(f"  ... and {n_more} more; skser.datasets.check_audio lists all")
    return "\n".join(lines)
