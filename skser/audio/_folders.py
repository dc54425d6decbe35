"""Recordings in a folder, by suffix."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..exceptions import CorpusNotFoundError, DataError
from ._not_a_path import not_a_path

AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".aiff", ".aif", ".aifc",
    ".au", ".caf", ".w64", ".rf64", ".sph", ".voc", ".wv", ".tta", ".ape", ".amr", ".ac3", ".ra",
    ".m4a", ".m4b", ".m4v", ".mp4", ".3gp", ".aac", ".webm", ".weba", ".mkv", ".mka", ".mov",
    ".avi", ".flv", ".wma", ".wmv", ".asf", ".mpg", ".mpeg",
)  # fmt: skip


def find_audio(data_home: str | os.PathLike[str]) -> list[Path]:
    """Sorted paths of all recordings in a folder and its subfolders, without hidden ones."""
    home = Path(data_home).expanduser()
    if home.is_file():
        raise DataError(f"{home}: must be the folder of the recordings, got a file")
    if not home.is_dir():
        raise CorpusNotFoundError(f"{home}: {not_there(home, 'folder')}")
    files = [
        Path(folder, name)
        for folder, names in _walk(home)
        for name in names
        if not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES)
    ]
    if not files:
        raise DataError(f"{home}: no recordings in it; looked for {', '.join(AUDIO_SUFFIXES)}")
    return sorted(files, key=str)


def not_there(path: Path, kind: str) -> str:
    """That there is no such folder or file, or that it is an address."""
    if not_a_path(str(path)) is not None:
        return f"is an address; download it, then give the path of the {kind}"
    return f"no such {kind}"


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
