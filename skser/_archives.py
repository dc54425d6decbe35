"""Archives from elsewhere: extracted whole, or refused before the first file is written.

Each entry of a zip or tar.gz archive is looked at first: where its name leads, what kind of file it
is, and how large all of them are.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .exceptions import DataError

MAX_RATIO = 100  # of what is in an archive to the archive; recordings have less than 10
MAX_ENTRIES = 100_000

_CHUNK = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a way of compression that zipfile does not know
)


class _Entry(NamedTuple):
    """What an archive says of one of its files or folders."""

    name: str
    size: int
    is_folder: bool
    member: Any
    fault: str = ""


def safe_extract(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], *, max_bytes: int
) -> None:
    """Extract a zip or tar.gz archive to a folder, which nothing in it can leave.

    Files get the rights of new files, whatever the archive says. Where this fails half-way, what
    is written is left to the caller: see :func:`skser._files.folder_written_whole`.

    Parameters
    ----------
    archive : str or path
        A zip or tar.gz archive.
    folder : str or path
        Where to; made if it is not there.
    max_bytes : int
        Bytes that all files together may have.

    Raises
    ------
    DataError
        The archive is no archive, or damaged; has an entry with an absolute path, a drive letter,
        a backslash or a way out of the folder, a link or a device, two entries of one name; or
        declares too many bytes or files, or has others than it declares.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from pathlib import Path
    >>> from skser._archives import safe_extract
    >>> with tempfile.TemporaryDirectory() as home:
    ...     archive, folder = Path(home, "corpus.zip"), Path(home, "corpus")
    ...     with zipfile.ZipFile(archive, "w") as file:
    ...         file.writestr("Actor_01/03-01-01-01-01-01-01.wav", b"RIFF")
    ...     safe_extract(archive, folder, max_bytes=1000)
    ...     [path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")]
    ['Actor_01/03-01-01-01-01-01-01.wav']
    """
    archive, folder = Path(archive), Path(folder)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened_zip:
                files = _check_entries(archive, _zip_entries(opened_zip), max_bytes)
                _write_files(archive, folder, files, opened_zip.open)
        elif _is_gzip(archive):
            with tarfile.open(archive, "r:gz") as opened_tar:
                files = _check_entries(archive, _tar_entries(opened_tar), max_bytes)
                _write_files(archive, folder, files, opened_tar.extractfile)
        else:
            raise DataError(f"{archive}: is neither a zip nor a tar.gz archive")
    except _DAMAGE as error:
        raise DataError(f"{archive}: is damaged ({error})") from error


def _is_gzip(archive: Path) -> bool:
    with open(archive, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _zip_entries(opened: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in opened.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        fault = ""
        if kind == stat.S_IFLNK:
            fault = "is a link"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            fault = "is neither a file nor a folder"
        elif info.flag_bits & 1:
            fault = "is encrypted"
        # As it is stored: zipfile cuts names at null bytes, and on Windows turns backslashes.
        yield _Entry(info.orig_filename, info.file_size, info.is_dir(), info, fault)


def _tar_entries(opened: tarfile.TarFile) -> Iterator[_Entry]:
    for info in opened:
        fault = ""
        if info.issym() or info.islnk():
            fault = "is a link"
        elif not (info.isreg() or info.isdir()):
            fault = "is neither a file nor a folder"
        yield _Entry(info.name, info.size, info.isdir(), info, fault)
    while opened.fileobj is not None and opened.fileobj.read(_CHUNK):
        pass  # at its very end, a gzip file has the checksum of all before


def _check_entries(
    archive: Path, entries: Iterable[_Entry], max_bytes: int
) -> dict[tuple[str, ...], _Entry]:
    """The files, by the parts of their paths; DataError if anything is wrong with any entry."""
    most = MAX_RATIO * archive.stat().st_size
    total = 0
    files: dict[tuple[str, ...], _Entry] = {}
    seen: set[tuple[str, ...]] = set()
    # A compressed tar is unpacked as it is listed, so the limits are for each step.
    for n, entry in enumerate(entries, start=1):
        parts = tuple(part for part in entry.name.split("/") if part not in ("", "."))
        total += entry.size
        if n > MAX_ENTRIES:
            raise DataError(f"{archive}: has more than {MAX_ENTRIES} entries")
        if total > max_bytes:
            raise DataError(f"{archive}: declares more than {max_bytes} bytes")
        if total > most:
            raise DataError(f"{archive}: declares more than {MAX_RATIO} times its own size")
        if fault := entry.fault or _fault_of_name(entry.name, parts):
            raise DataError(f"{archive}: {entry.name!r} {fault}, so nothing is extracted")
        if entry.is_folder:
            continue
        # Some file systems take names that differ in case or in how accents are written as one.
        key = tuple(unicodedata.normalize("NFC", part).casefold() for part in parts)
        if key in seen:
            raise DataError(f"{archive}: {entry.name!r} is in it twice, so nothing is extracted")
        seen.add(key)
        files[parts] = entry
    for key in seen:
        if any(key[:n] in seen for n in range(1, len(key))):
            name = "/".join(key)
            raise DataError(f"{archive}: {name!r} lies in a file, so nothing is extracted")
    return files


def _fault_of_name(name: str, parts: tuple[str, ...]) -> str:
    if name.startswith("/"):
        return "has an absolute path"
    if "\\" in name:
        return "has a backslash in its name"
    if ":" in name:
        return "has a colon in its name, as drives have"
    if any(ord(character) < 32 for character in name):
        return "has a control character in its name"
    # Windows drops dots and spaces at the end, so that ".. ." is ".." there.
    if any(not part.strip(". ") for part in parts):
        return "leads out of the folder"
    return ""


def _write_files(
    archive: Path,
    folder: Path,
    files: dict[tuple[str, ...], _Entry],
    open_member: Callable[[Any], Any],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for parts, entry in files.items():
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member(entry.member) as source, open(target, "xb") as file:
            left = entry.size
            while left > 0 and (block := source.read(min(left, _CHUNK))):
                left -= len(block)
                file.write(block)
            if left or source.read(1):
                raise DataError(
                    f"{archive}: {entry.name!r} has {'fewer' if left else 'more'} bytes than the"
                    f" {entry.size} that it declares"
                )
