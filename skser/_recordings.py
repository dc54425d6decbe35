"""What AudioLoader takes for a recording, and what is said of those that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ._decoders import AudioInfo, describe
from .audio import file_signature, inspect_audio
from .clips import Clips, as_waveform
from .exceptions import AudioError, DataError

_N_NAMED = 10


class Recording(NamedTuple):
    """A file by its signature, or content in memory, with its checked header."""

    path: str | None
    size: int
    mtime_ns: int
    content: bytes | None
    info: AudioInfo


class Silence(NamedTuple):
    """Stands for a recording that cannot be used (``on_error="silence"``)."""


def inspect_recording(
    source: str | bytes, *, offset: float = 0.0, max_duration: float | None = None
) -> Recording:
    """Check the header of a recording, and its length against what the loader allows."""
    if isinstance(source, bytes):
        recording = Recording(None, len(source), 0, source, inspect_audio(source))
    else:
        try:
            signature = file_signature(source)
        except (OSError, ValueError):
            inspect_audio(source)  # says what is wrong
            raise
        recording = Recording(*signature, None, _inspect_file(source, signature))
    check_length(source, recording.info, offset=offset, max_duration=max_duration)
    return recording


@lru_cache(maxsize=2**16)
def _inspect_file(path: str, signature: tuple[str, int, int]) -> AudioInfo:
    """Header of a file; what has not changed since is not looked at again."""
    return inspect_audio(path)


def check_length(
    source: str | bytes, info: AudioInfo, *, offset: float = 0.0, max_duration: float | None = None
) -> None:
    """Raise AudioError for a recording that is too long, or too short for ``offset``."""
    if max_duration is not None and info.duration > max_duration:
        raise AudioError(
            f"{describe(source)}: is {info.duration:.1f} s long, allowed is "
            f"max_duration={max_duration:g} s"
        )
    if offset >= info.duration:
        raise AudioError(
            f"{describe(source)}: is {info.duration:.2f} s long, so nothing is left from "
            f"offset={offset:g} s"
        )


def as_recordings(X: Any, name: str = "X") -> list[Any]:
    """The recordings in ``X`` as a list of str, bytes and float32 waveforms."""
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
    recordings = [_as_recording(item, i) for i, item in enumerate(X)]
    if not recordings:
        raise DataError(f"{name} must hold at least one recording, got none")
    return recordings


def _as_recording(item: Any, index: int) -> Any:
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if hasattr(item, "read"):
        content = _content(item)
        if not isinstance(content, bytes):
            raise DataError(f"recording {index} is a file opened as text; open it with mode 'rb'")
        return content
    if isinstance(item, (np.ndarray, list, tuple)):
        return as_waveform(item, index)
    raise DataError(
        f"recording {index} must be a path, bytes, a file-like object or a waveform, got "
        f"{type(item).__name__} {item!r:.80}"
    )


def _content(file: Any) -> Any:
    """What is left to read in a file, which is then put back to where it was."""
    if not getattr(file, "seekable", lambda: False)():
        return file.read()
    start = file.tell()
    try:
        return file.read()
    finally:
        file.seek(start)


def combine_errors(errors: list[AudioError], n_recordings: int) -> AudioError:
    """One error for several files, of their class where they agree."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else AudioError
    return kind(list_errors(errors, n_recordings))


def list_errors(errors: list[AudioError], n_recordings: int) -> str:
    lines = [f"{len(errors)} of {n_recordings} recordings that cannot be used:"]
    lines += [f"  {error}" for error in errors[:_N_NAMED]]
    if len(errors) > _N_NAMED:
        lines.append(
            f"  ... and {len(errors) - _N_NAMED} more; skser.datasets.check_audio lists all"
        )
    return "\n".join(lines)
