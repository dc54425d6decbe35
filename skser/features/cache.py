"""FeatureCache: features of clips as files.

An entry is written whole or not at all and carries a checksum, so a damaged one is told from a
sound one and made anew. A claim beside it says that some process is at work on it.
"""

from __future__ import annotations

import os
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from ..exceptions import ParameterError

# A mark with the version of the format, a checksum of what follows, and the shape.
_HEADER = struct.Struct("<8sI3I")
_MARK = b"skser\x00\x00\x01"
_SUFFIX = ".features"
_STALE = 60.0  # seconds after which a claim is that of a process that was killed


class CacheInfo(NamedTuple):
    """What a cache has done and what is in it.

    Attributes
    ----------
    hits, misses : int
        Clips that were found in it, and clips that were extracted, since `fit`.
    n_entries : int
        Entries in the folder, whoever put them there: one for a clip, one for its added views.
    n_bytes : int
        Their size in bytes.
    """

    hits: int
    misses: int
    n_entries: int
    n_bytes: int


class FeatureCache:
    """Entries in the folder ``skser-features`` below another.

    Parameters
    ----------
    memory : path
        The other folder. Both are made when there is something to keep.
    """

    def __init__(self, memory: str | os.PathLike[str]) -> None:
        self.memory = os.fspath(memory)
        self.folder = os.path.join(self.memory, "skser-features")

    def path(self, key: str) -> str:
        """The file of an entry, whether it is there or not."""
        return f"{self.folder}/{key[0]}/{key}{_SUFFIX}"

    def load(self, key: str) -> np.ndarray | None:
        """Features, or None if they are not there or not whole."""
        try:
            content = _read(self.path(key))
            mark, checksum, *shape = _HEADER.unpack_from(content)
        except (OSError, struct.error):
            return None
        body = memoryview(content)[_HEADER.size - 12 :]
        if mark != _MARK or zlib.crc32(body) != checksum:
            return None
        features = np.frombuffer(content, np.float32, offset=_HEADER.size)
        n_views, n_frames, n_features = shape
        return features.reshape((n_views, n_frames, n_features) if n_frames else (n_views, -1))

    def save(self, key: str, features: np.ndarray) -> None:
        """Keep features of a clip, float32 of shape (n_views, n_features) or with frames between.

        The claim ends with that: it is its file that becomes the entry's.

        Raises
        ------
        OSError
            The folder cannot be written to.
        """
        n_views, *n_frames, n_features = features.shape
        shape = struct.pack("<3I", n_views, *(n_frames or [0]), n_features)
        body = shape + features.astype("<f4", copy=False).tobytes()
        # Not truncated, which has some file systems write to the disk at once; it is empty anyway.
        with open(self._open_claim(key, 0), "wb") as file:
            file.write(struct.pack("<8sI", _MARK, zlib.crc32(body)) + body)
        os.replace(self._claim_path(key), self.path(key))

    def check_writable(self) -> None:
        """Make the folder, and raise ParameterError now if nothing could be kept there later."""
        try:
            os.makedirs(self.folder, exist_ok=True)
            tempfile.TemporaryFile(dir=self.folder).close()
        except OSError as error:
            raise ParameterError(
                "memory must be a folder that can be written to, got "
                f"{self.memory!r} ({error.strerror})"
            ) from error

    def claim(self, key: str) -> bool:
        """Say that this process extracts a clip; False if another one has said so."""
        try:
            os.close(self._open_claim(key, os.O_EXCL))
        except FileExistsError:
            if self.is_claimed(key):
                return False
            self.release(key)
            return self.claim(key)
        return True

    def release(self, key: str) -> None:
        """Take a claim back."""
        with suppress(FileNotFoundError):
            os.unlink(self._claim_path(key))

    def is_claimed(self, key: str) -> bool:
        """Whether a process that seems to be alive is at work on a clip."""
        try:
            return time.time() - os.stat(self._claim_path(key)).st_mtime < _STALE
        except FileNotFoundError:
            return False

    def _claim_path(self, key: str) -> str:
        return f"{self.folder}/{key[0]}/{key}.claim"

    def _open_claim(self, key: str, flag: int) -> int:
        path = self._claim_path(key)
        flags = os.O_CREAT | os.O_WRONLY | getattr(os, "O_BINARY", 0) | flag
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return os.open(path, flags, 0o666)

    def size(self) -> dict[str, int]:
        """``n_entries`` and ``n_bytes``."""
        sizes = [
            entry.stat().st_size
            for part in _scan(self.folder)
            for entry in _scan(part.path)
            if entry.name.endswith(_SUFFIX)
        ]
        return {"n_entries": len(sizes), "n_bytes": sum(sizes)}


def _read(path: str) -> bytes:
    """Content of a file, with less ado than `open` makes, which takes longer than reading."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _scan(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return
