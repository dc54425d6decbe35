"""Files written whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .exceptions import DataError


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the block ends well."""
    final = Path(path)
    # The suffix stays, because it tells some writers the format.
    temporary = final.with_name(f".{final.stem}.{uuid.uuid4().hex}{final.suffix}")
    try:
        yield temporary
        os.replace(temporary, final)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def folder_written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary folder beside ``path``, which takes its place when the block ends well."""
    final = Path(path)
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
    temporary.mkdir()
    try:
        yield temporary
        _put_in_place(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, final: Path) -> None:
    try:
        os.rename(temporary, final)
    except OSError:
        if not final.is_dir():  # else another process was sooner
            raise


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Raise DataError now if a file could not be written there later."""
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise DataError(f"{path}: is a directory, so no file can be written there")
    if not folder.is_dir():
        raise DataError(f"{path}: its folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path}: its folder {folder} may not be written to")
    return path
