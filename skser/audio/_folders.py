"""Recordings in a folder, by suffix."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..exceptions import CorpusNotFoundError, DataError

AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif",
    ".m4a", ".mp4", ".aac", ".webm", ".mkv", ".mov", ".avi",
)  # fmt: skip


def find_audio(data_home: str | os.PathLike[str]) -> list[Path]:
    """Sorted paths of all recordings in a folder and its subfolders, without hidden ones."""
    home = Path(data_home).expanduser()
    if home.is_file():
        raise DataError(f"{home}: must be the folder of the recordings, got a file")
    if not home.is_dir():
        raise CorpusNotFoundError(f"{home}: no such folder")
    files = [
        Path(folder, name)
        for folder, names in _walk(home)
        for name in names
        if not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES)
    ]
    if not files:
        raise DataError(f"{home}: no recordings in it; looked for {', '.join(AUDIO_SUFFIXES)}")
    return sorted(files, key=str)


def _walk(home: Path) -> Iterable[tuple[str, list[str]]]:
    seen = set()  # a link to a parent folder would make the walk endless
    for folder, folders, names in os.walk(home, onerror=_cannot_read, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        yield folder, names


def _cannot_read(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
