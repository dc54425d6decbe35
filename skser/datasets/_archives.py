"""Extract archives from elsewhere, never outside a folder and never beyond a number of bytes."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from ..exceptions import DataError

MAX_ENTRIES = 100_000

_CHUNK = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,  # among them what tarfile's filter refuses
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # encrypted, or compressed in a way that zipfile does not know
    FileExistsError,  # this and the next two: a file has the name of a folder
    IsADirectoryError,
    NotADirectoryError,
)


def safe_extract(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], *, max_bytes: int
) -> None:
    """Extract a zip or tar.gz archive to a folder.

    If this fails, part of the archive may have been written to the folder: see
    :func:`skser._utils._files.folder_written_whole`.

    Parameters
    ----------
    archive : str or path
        A zip or tar.gz archive.
    folder : str or path
        Where to; made if missing.
    max_bytes : int
        Most bytes that all files together may have.

    Raises
    ------
    DataError
        The file is not an archive, is damaged or encrypted, has too many bytes or entries, or (tar)
        has a path out of the folder, a link or a device. A zip archive's paths out of the folder
        are made paths in the folder, and its links are written as files.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from pathlib import Path
    >>> from skser.datasets._archives import safe_extract
    >>> with tempfile.TemporaryDirectory() as home:
    ...     archive, folder = Path(home, "corpus.zip"), Path(home, "corpus")
    ...     with zipfile.ZipFile(archive, "w") as file:
    ...         file.writestr("Actor_01/03-01-01-01-01-01-01.wav", b"RIFF")
    ...     safe_extract(archive, folder, max_bytes=1000)
    ...     [path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")]
    ['Actor_01/03-01-01-01-01-01-01.wav']
    """
    archive = Path(archive)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _check_sizes(archive, (info.file_size for info in opened.infolist()), max_bytes)
                opened.extractall(folder)  # reads no more of a file than its declared size
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
    """Raise DataError as soon as there are too many; listing a tar.gz archive unpacks it."""
    total = 0
    for n, size in enumerate(sizes, start=1):
        total += size
        if n > MAX_ENTRIES:
            raise DataError(f"{archive}: has more than {MAX_ENTRIES} entries")
        if total > max_bytes:
            raise DataError(f"{archive}: has more than {max_bytes} bytes")


def _plain_files(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """tarfile's filter "data", which would allow links within the folder."""
    if not (member.isfile() or member.isdir()):
        raise tarfile.SpecialFileError(member)
    return tarfile.data_filter(member, folder)
