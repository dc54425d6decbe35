"""Safe extraction of downloaded archives: only inside a folder, within a number of bytes."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..exceptions import DataError

MAX_ENTRIES = 100_000

_CHUNK = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,  # refusals of tarfile's filter included
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # encrypted, or an unknown compression
    FileExistsError,  # this and the next two: a file has the name of a folder
    IsADirectoryError,
    NotADirectoryError,
)


def safe_extract(archive: Path, folder: Path, *, max_bytes: int) -> None:
    """Extract a zip or tar.gz archive; on failure, part of it may be in the folder.

    DataError for a file that is not an archive, damage, encryption, too many bytes or entries, a
    path out of the folder, and in a tar archive for a link or a device. A link in a zip archive
    is written as a file.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _check_sizes(archive, (info.file_size for info in opened.infolist()), max_bytes)
                names = opened.namelist()
                if any(".." in PurePosixPath(name).parts for name in names):
                    raise DataError(f"{archive}: has a path outside the folder")
                if len({name.casefold() for name in names}) < len(names):
                    raise DataError(f"{archive}: has two entries of one name")
                opened.extractall(folder)  # reads at most the declared size of each file
        elif _is_gzip(archive):
            with tarfile.open(archive, "r:gz") as tar:
                _check_sizes(archive, (member.size for member in tar), max_bytes)
                while tar.fileobj is not None and tar.fileobj.read(_CHUNK):
                    pass  # the checksum of all data is at the end of a gzip file
                tar.extractall(folder, filter=_plain_files)
        else:
            raise DataError(f"{archive}: is neither a zip nor a tar.gz archive")
    except _DAMAGE as error:
        raise DataError(f"{archive}: cannot be extracted ({error})") from error


def _is_gzip(archive: Path) -> bool:
    with open(archive, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _check_sizes(archive: Path, sizes: Iterable[int], max_bytes: int) -> None:
    """Raise DataError at the first excess: listing a tar.gz archive decompresses it."""
    total = 0
    for n, size in enumerate(sizes, start=1):
        total += size
        if n > MAX_ENTRIES:
            raise DataError(f"{archive}: has more than {MAX_ENTRIES} entries")
        if total > max_bytes:
            raise DataError(f"{archive}: has more than {max_bytes} bytes")


def _plain_files(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """tarfile's filter "data", which would allow links inside the folder."""
    if not (member.isfile() or member.isdir()):
        raise tarfile.SpecialFileError(member)
    return tarfile.data_filter(member, folder)
