"""Find the recordings that a table names, also as another machine or program wrote the paths."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import unquote


def locate(home: Path, names: Sequence[str], *, is_moved: bool) -> tuple[list[str], str]:
    """Paths of recordings, relative ones in ``home``, and the folder that ``home`` replaces.

    If ``is_moved``, absolute paths that do not exist are those of another machine: as many of their
    folders are replaced by ``home``, of all alike, as lets most of them exist.
    """
    paths = [_existing(home, name) for name in names]
    lost = [i for i, name in enumerate(names) if is_moved and _is_lost(name, paths[i])]
    parts = [_pure(names[i]).parts for i in lost]
    depth, n_found = 0, 0
    for n in range(1, max(map(len, parts), default=0)):
        found = sum(home.joinpath(*each[n:]).is_file() for each in parts if len(each) > n)
        if found > n_found:
            depth, n_found = n, found
    if not n_found:
        return paths, ""
    for i, each in zip(lost, parts, strict=True):
        if len(each) > depth:
            paths[i] = str(home.joinpath(*each[depth:]))
    return paths, str(type(_pure(names[lost[0]]))(*parts[0][:depth]))


def _existing(home: Path, name: str) -> str:
    """The path of a recording: of the ways to read a name, the first that exists, else as it is."""
    return next(
        (path for way in _ways(name) if os.path.exists(path := str(home / way))), str(home / name)
    )


def _ways(name: str) -> Iterator[str]:
    """A name as it is, then as Windows, a shell, a browser and macOS would mean it."""
    yield name
    slashes = name.replace("\\", "/")
    yield slashes
    if name.startswith("~"):
        yield os.path.expanduser(name)
    plain = unquote(slashes.removeprefix("file://"))
    yield plain
    yield unicodedata.normalize("NFC", plain)
    yield unicodedata.normalize("NFD", plain)


def _pure(name: str) -> PurePath:
    """A path of this machine or, with a drive or backslashes alone, of Windows."""
    is_windows = bool(PureWindowsPath(name).drive) or ("\\" in name and "/" not in name)
    return PureWindowsPath(name) if is_windows else PurePosixPath(name)


def _is_lost(name: str, path: str) -> bool:
    return _pure(name).is_absolute() and not os.path.exists(path)
