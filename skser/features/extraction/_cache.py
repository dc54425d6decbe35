"""FeatureCache: features of clips as files.

An entry is written whole or not at all. It carries a checksum, so that a damaged one is made anew.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..._utils._files import written_whole
from ...exceptions import ParameterError

# A mark with the version of the format, a checksum of what follows, and the shape.
_HEADER = struct.Struct("<8sI3I")
_MARK = b"skser\x00\x00\x01"
_SUFFIX = ".features"


class CacheInfo(NamedTuple):
    """Use and size of a cache.

    Parameters
    ----------
    hits : int
        Number of clips that were in the cache, since `fit`.
    misses : int
        Number of clips that were extracted, since `fit`.
    n_entries : int
        Number of entries in the folder: one for a clip, one for its added views.
    n_bytes : int
        Size of the entries in bytes.
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

        Raises
        ------
        OSError
            The folder cannot be written to.
        """
        n_views, *n_frames, n_features = features.shape
        shape = struct.pack("<3I", n_views, *(n_frames or [0]), n_features)
        body = shape + features.astype("<f4", copy=False).tobytes()
        path = self.path(key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with written_whole(path) as temporary:
            temporary.write_bytes(struct.pack("<8sI", _MARK, zlib.crc32(body)) + body)

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

    def size(self) -> dict[str, int]:
        """``n_entries`` and ``n_bytes``."""
        sizes = [
            entry.stat().st_size
            for part in _scan(self.folder)
            for entry in _scan(part.path)
            if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")  # left half-written
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
