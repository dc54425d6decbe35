"""Files that are written completely or not at all, and signatures of files."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..exceptions import DataError
from ._types import PathLike

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def written_whole(path: PathLike) -> Iterator[Path]:
    """A temporary path beside ``path``, which replaces it when the block succeeds.

    A link stays: its target is replaced. A device or a pipe gets the content.
    """
    if is_device(path):
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder, Path(path).name)
            yield temporary
            with temporary.open("rb") as content, open(path, "wb") as target:
                shutil.copyfileobj(content, target)
        return
    final = Path(os.path.realpath(path))
    # Some writers infer the format from the suffix.
    temporary = final.with_name(f".{final.stem}.{uuid.uuid4().hex}{final.suffix}")
    try:
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        _name_full_folder(error, final.parent)
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_small_file(path: str, content: bytes) -> None:
    """Write a file, one of many in a few folders, whole or not at all, and make its folder.

    Takes a third of the time of `written_whole`, and replaces links.
    """
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    temporary = os.path.join(folder, f".{stem}.{os.urandom(8).hex()}{suffix}")
    try:
        # Within the block, since an interruption comes as soon as the file has been made.
        try:
            descriptor = os.open(temporary, _NEW_FILE, 0o666)
        except FileNotFoundError:  # rare, so that it is cheaper not to ask before
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(temporary, _NEW_FILE, 0o666)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            _name_full_folder(error, Path(folder))
        raise


def _name_full_folder(error: OSError, folder: Path) -> None:
    """Put the folder into the error of a full disk, which names none, and how to take another."""
    if error.errno != errno.ENOSPC:
        return
    error.filename = str(folder)
    if folder.is_relative_to(os.path.realpath(tempfile.gettempdir())):
        error.strerror = f"{error.strerror} (TMPDIR names the folder of temporary files)"


@contextmanager
def folder_written_whole(path: PathLike) -> Iterator[Path]:
    """A temporary folder beside ``path``, which takes its place when the block succeeds."""
    final = Path(path)
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
    temporary.mkdir()
    try:
        yield temporary
        try:
            os.rename(temporary, final)
        except OSError:
            if not final.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_writable(path: PathLike) -> Path:
    """The path; DataError if no file can be written there."""
    path = Path(path)
    if is_device(path):
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


def check_apart(written: Iterable[PathLike], read: Iterable[PathLike]) -> None:
    """Raise DataError if a file to write is also to read, or is to be written twice."""
    taken = {os.path.realpath(path) for path in read}
    for path in written:
        target = os.path.realpath(path)
        if target in taken:
            raise DataError(f"{path}: is named twice, and writing to it would overwrite it")
        taken.add(target)


def is_device(path: PathLike) -> bool:
    """Whether a path is a device, a pipe or a socket."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def absolute_path(path: PathLike) -> str:
    """The path as it is from the root; os.path.abspath would take ``..`` of links wrong."""
    return os.fspath(path) if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def file_signature(path: PathLike) -> tuple[str, int, int]:
    """Absolute path, size in bytes and time of change (ns): a file's identity for caches."""
    status = os.stat(path)
    absolute = absolute_path(path)
    return (absolute, status.st_size, status.st_mtime_ns)
