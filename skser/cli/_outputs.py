"""Outputs named on the command line: a path, or - for standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import typer

from .._utils._files import check_apart, check_writable, written_whole
from ..audio._folders import AUDIO_SUFFIXES
from ..exceptions import ParameterError

_STDOUT = Path("-")


class Outputs:
    """The requested outputs of a command by the names of their options, checked before the work.

    Raises DataError or ParameterError for an output that is not writable, would overwrite a file
    that is ``read``, or is a second one on standard output.
    """

    def __init__(self, read: Iterable[str | os.PathLike[str]], **paths: Path | None) -> None:
        self.paths = {name: path for name, path in paths.items() if path is not None}
        to_stdout = [f"--{name}" for name, path in self.paths.items() if path == _STDOUT]
        if len(to_stdout) > 1:
            raise ParameterError(
                f"{' and '.join(to_stdout)} exclude each other on standard output, got - twice"
            )
        files = {name: path for name, path in self.paths.items() if path != _STDOUT}
        if files:
            check_apart(map(check_writable, files.values()), read)
        for name, path in files.items():
            if path.suffix.lower() in AUDIO_SUFFIXES:
                raise ParameterError(f"--{name} must not overwrite a recording, got {path}")
        # Messages must not get between the data.
        self.log: Callable[[str], None] = partial(typer.echo, err=bool(to_stdout))

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Standard output, or a file that is written whole when the block ends well."""
        path = self.paths[name]
        if path == _STDOUT:
            yield sys.stdout.buffer
            return
        with written_whole(path) as temporary, temporary.open("wb") as file:
            yield file
        self.log(f"wrote {path}")


def check_model_file(out: Path, read: Iterable[Path]) -> None:
    """Raise now if no model could be written to ``--out`` later, or only over a recording."""
    if out == _STDOUT or out.suffix.lower() in AUDIO_SUFFIXES:
        raise ParameterError(f"--out must be the path of a model file, such as m.skser, got {out}")
    check_apart([check_writable(out)], read)


def check_folder(out: Path, data: Iterable[Path] = ()) -> None:
    """Raise ParameterError now if no file could be written to the folder ``--out`` later."""
    if os.path.realpath(out) in map(os.path.realpath, data):
        raise ParameterError(f"--out must not be the folder of the recordings, got {out}")
    if out.exists() and not out.is_dir():
        raise ParameterError(f"--out must be a folder, got the file {out}")
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        reason = "is not writable" if nearest.is_dir() else "is not a folder"
        raise ParameterError(f"--out must be a writable folder, got {out} ({nearest} {reason})")
