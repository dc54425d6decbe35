"""FeatureCache: features of clips as files, named by all that the features depend on."""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import joblib
import numpy as np

from ..._utils._files import write_small_file
from ..._utils._hashing import fingerprint
from ..._utils._types import PathLike
from ...audio import Clips
from ...audio._clips import stage_name
from ...audio._recordings import Recording
from ...exceptions import ParameterError
from ._cache_folder import DAY, FOLDER, cached_files, generation
from ._plan import Plan

# A mark with the version of the format, a checksum of the rest, and the shape.
_HEADER = struct.Struct("<8sI3I")
_MARK = b"skser\x00\x00\x01"
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class CacheInfo(NamedTuple):
    """Use and size of a cache.

    Parameters
    ----------
    hits : int
        Number of clips read from the cache since `fit`.
    misses : int
        Number of clips extracted since `fit`.
    n_entries : int
        Number of entries in the folder: one for a clip, one for its augmented views.
    n_bytes : int
        Size of the entries in bytes.
    """

    hits: int
    misses: int
    n_entries: int
    n_bytes: int


class FeatureCache:
    """Entries, each written whole and with a checksum, in ``skser-features`` below ``memory``."""

    def __init__(self, memory: PathLike) -> None:
        self.memory = os.fspath(memory)
        # Features that stay on the disk are read when the process may be in another folder.
        self.folder = os.path.abspath(os.path.join(self.memory, FOLDER))

    def path(self, key: str) -> str:
        """File of an entry, which may not exist."""
        return f"{self.folder}/{key[:2]}/{key}.features"

    def load(self, key: str) -> np.ndarray | None:
        """Features, or None if the entry is missing or damaged."""
        path = self.path(key)
        try:
            content, modified = _read(path)
            mark, checksum, *shape = _HEADER.unpack_from(content)
        except (OSError, struct.error):
            return None
        body = memoryview(content)[_HEADER.size - 12 :]
        if mark != _MARK or zlib.crc32(body) != checksum:
            return None
        if time.time() - modified > DAY:
            with suppress(OSError):  # the folder may be read-only
                os.utime(path)  # the time of the last use, for `prune_cache`
        features = np.frombuffer(content, np.float32, offset=_HEADER.size)
        n_views, n_frames, n_features = shape
        return features.reshape((n_views, n_frames, n_features) if n_frames else (n_views, -1))

    def read_into(self, key: str, out: np.ndarray, first: int) -> None:
        """Fill an array in float32 with the numbers of an entry from the ``first`` on.

        Raises OSError if the entry does not have them. The checksum is that of `load`.
        """
        with open(self.path(key), "rb", buffering=0) as file:
            file.seek(_HEADER.size + first * out.itemsize)
            if file.readinto(out.data) < out.nbytes:
                raise OSError(errno.EIO, "file is too short")

    def save(self, key: str, features: np.ndarray) -> None:
        """Save features of a clip, float32 of shape (n_views, n_features) or with frames between.

        Raises OSError if the folder cannot be written to.
        """
        n_views, *n_frames, n_features = features.shape
        shape = struct.pack("<3I", n_views, *(n_frames or [0]), n_features)
        body = shape + features.astype("<f4", copy=False).tobytes()
        content = struct.pack("<8sI", _MARK, zlib.crc32(body)) + body
        write_small_file(self.path(key), content)

    def check_writable(self) -> None:
        """Make the folder, and raise ParameterError before extraction if it is not writable."""
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
        sizes = [f.n_bytes for f in cached_files(self.folder) if f.kind != "abandoned"]
        return {"n_entries": len(sizes), "n_bytes": sum(sizes)}


def _read(path: str) -> tuple[bytes, float]:
    """Content of a small file, faster than by `open`, and its time of modification."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        return os.read(descriptor, status.st_size), status.st_mtime
    finally:
        os.close(descriptor)


def entry_keys(clips: Clips, plan: Plan) -> list[str]:
    """Name of the entry of every clip: a hash of all that its features depend on."""
    parts = {
        **plan.identity(),
        "the sampling rate": clips.sr,
        "the reader of the clips": clips.read,
        # Several stages may have the same name.
        **{f"{stage_name(stage)} (number {i})": stage for i, stage in enumerate(clips.stages, 1)},
    }
    common = fingerprint(parts, parameter="memory", packages=plan.libraries, code=plan.code)
    suffix = generation()
    return [_hash(common.encode(), *_source_parts(source)) + suffix for source in clips.sources]


def _source_parts(source: object) -> Sequence[bytes]:
    if isinstance(source, Recording):
        file = f"{source.path}\0{source.size}\0{source.mtime_ns}".encode()
        part = () if source.start == 0 and source.end is None else (source.start, source.end)
        return file, source.content or b"", *(repr(bound).encode() for bound in part)
    if isinstance(source, np.ndarray):
        return repr((source.shape, source.dtype.str)).encode(), source.tobytes()
    return (joblib.hash(source).encode(),)


def _hash(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
