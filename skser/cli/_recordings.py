"""Recordings named on the command line: files, folders, patterns, or a list on standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator

from ..audio._folders import find_audio
from ..exceptions import AudioError, DataError


def named_recordings(names: list[str]) -> list[str]:
    """Paths of all recordings, in the order of their names.

    Parameters
    ----------
    names : list of str
        A file, a folder (all recordings in it, to any depth), a pattern such as ``calls/*.wav``, or
        ``-`` for a list of files on standard input, a path on each line.

    Raises
    ------
    DataError
        A folder or standard input has no recordings, or a name is empty.
    AudioError
        No file matches a pattern.
    """
    return [path for name in names for path in _recordings(name)]


def _recordings(name: str) -> Iterator[str]:
    if name == "-":
        lines = [line.rstrip("\r\n") for line in sys.stdin or [] if line.strip()]
        if not lines:
            raise DataError("-: no recording on standard input")
        yield from lines
    elif not name:
        raise DataError("recordings must have names, got an empty name")
    elif os.path.isdir(name):
        yield from map(str, find_audio(name))
    elif glob.has_magic(name) and not os.path.exists(name):
        paths = sorted(glob.glob(name, recursive=True))
        if not paths:
            raise AudioError(f"{name}: no file matches this pattern")
        yield from paths
    else:
        yield name  # checked when it is read
