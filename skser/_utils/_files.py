"""Files: written whole or not at all, and their signatures."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ..exceptions import DataError


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the block ends well.

    Through a link, its target is written. A device or a pipe, which cannot be replaced, gets the
    content when the block ends well.
    """
    if _is_device(path):
        with TemporaryDirectory() as folder:
            temporary = Path(folder, Path(path).name)
            yield temporary
            with temporary.open("rb") as content, open(path, "wb") as target:
                shutil.copyfileobj(content, target)
        return
    final = Path(os.path.realpath(path))
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
    if _is_device(path):
        if not os.access(path, os.W_OK):
            raise DataError(f"{path}: may not be written to")
        return path
    if path.is_dir():
        raise DataError(f"{path}: is a directory, so no file can be written there")
    folder = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        raise DataError(f"{path}: its folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path}: its folder {folder} may not be written to")
    return path


def check_apart(
    written: Iterable[str | os.PathLike[str]], read: Iterable[str | os.PathLike[str]]
) -> None:
    """Raise DataError if a file would be written over one that is read, or over another."""
    taken = {os.path.realpath(path) for path in read}
    for path in written:
        place = os.path.realpath(path)
        if place in taken:
            raise DataError(f"{path}: is named twice, and writing it would overwrite the other")
        taken.add(place)


def _is_device(path: str | os.PathLike[str]) -> bool:
    """Something to write to that is neither file nor folder: a device, a pipe or a socket."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def file_signature(path: str | os.PathLike[str]) -> tuple[str, int, int]:
    """Absolute path, size in bytes and time of change (ns): a file's identity for caches."""
    status = os.stat(path)
    absolute = os.fspath(path) if os.path.isabs(path) else os.path.join(os.getcwd(), path)
    return (absolute, status.st_size, status.st_mtime_ns)
