"""FeatureCache: features of clips as files, named by all that they depend on.

An entry is written whole or not at all and carries a checksum, so a damaged one is told from a
sound one and made anew. A claim beside it says that some process is at work on it.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, NamedTuple

import joblib
import numpy as np

import skser

from .._recordings import Recording
from ..clips import Clips
from ..exceptions import ParameterError

# A mark with the version of the format, a checksum of what follows, and the shape.
_HEADER = struct.Struct("<8sI3I")
_MARK = b"skser\x00\x00\x01"
_SUFFIX = ".features"
_KNOWN = ("builtins", "sklearn", "skser")
_STALE = 60.0  # seconds after which a claim is that of a process that was killed


class CacheInfo(NamedTuple):
    """What a cache has done and what is in it.

    Attributes
    ----------
    hits, misses : int
        Clips that were found in it, and clips that were extracted, since `fit`.
    n_entries : int
        Clips in the folder, whoever put them there.
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
        return f"{self.folder}/{key[:2]}/{key}{_SUFFIX}"

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
        with self._open_claim(key, "wb") as file:
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
            self._open_claim(key, "xb").close()
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
        return f"{self.folder}/{key[:2]}/{key}.claim"

    def _open_claim(self, key: str, mode: str) -> Any:
        path = self._claim_path(key)
        try:
            return open(path, mode)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return open(path, mode)

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


def entry_keys(clips: Clips, recipe: Any) -> list[str]:
    """Name of the entry of every clip: a hash of all that its features depend on."""
    parts = [
        ("the reader of the clips", clips.read),
        *((f"stage {_name(stage)}", stage) for stage in clips.stages),
        *((f"block {name!r}", block) for name, block in recipe.blocks),
    ]
    hashes = [(name, _hash_part(name, part)) for name, part in parts]
    settings = (recipe.n_fft, recipe.hop_length, recipe.statistics, clips.sr)
    common = joblib.hash((hashes, settings, _versions())).encode()
    return [_hash(common, *_source_parts(source)) for source in clips.sources]


def _name(stage: Any) -> str:
    return getattr(stage, "__name__", type(stage).__name__)


def _hash_part(name: str, part: Any) -> str:
    try:
        return joblib.hash(identify(part))
    except Exception as error:
        # Pickling what does not pickle raises almost anything.
        raise ParameterError(
            f"memory must be None, because {name} holds what cannot be pickled "
            f"({type(error).__name__})"
        ) from error


def _source_parts(source: Any) -> Sequence[bytes]:
    if isinstance(source, Recording):
        return f"{source.path}\0{source.size}\0{source.mtime_ns}".encode(), source.content or b""
    if isinstance(source, np.ndarray):
        return repr((source.shape, source.dtype.str)).encode(), source.tobytes()
    return (joblib.hash(source).encode(),)


def _hash(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def identify(part: Any) -> Any:
    """What a block or stage does, as plain data: its name, its code and its parameters.

    It is not pickled, because a class of a notebook has no place to be found in a worker.
    """
    if _is_function(part) or not (hasattr(part, "get_params") or hasattr(part, "__dict__")):
        return _plain(part)
    kind = type(part)
    params = part.get_params() if hasattr(part, "get_params") else dict(vars(part))
    # What skser and scikit-learn ship is known by their versions.
    foreign = [c for c in kind.__mro__ if c.__module__.partition(".")[0] not in _KNOWN]
    members = [
        (name, _plain(_unwrapped(member)))
        for cls in foreign
        for name, member in sorted(vars(cls).items())
        if _is_function(_unwrapped(member)) or _is_constant(name, member)
    ]
    return (kind.__qualname__, _plain(params), members)


def _is_function(value: Any) -> bool:
    return hasattr(value, "__code__") or isinstance(value, (partial, MethodType))


def _is_constant(name: str, member: Any) -> bool:
    # A list or a dict of a class may be its memory of earlier calls.
    kinds = (int, float, complex, str, bytes, tuple, type)
    return isinstance(member, kinds) and not name.startswith("__")


def _unwrapped(member: Any) -> Any:
    """The function in a property, class method or static method."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _plain(value: Any) -> Any:
    """A value whose functions are their code and what they hold, and whose classes are names."""
    if isinstance(value, partial):
        return ("partial", _plain([value.func, value.args, value.keywords]))
    if isinstance(value, MethodType):
        return (identify(value.__self__), _plain(value.__func__))
    if isinstance(value, type):
        return value.__qualname__
    if hasattr(value, "__code__"):
        function = value if isinstance(value, FunctionType) else inspect.unwrap(value)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        # A function that calls itself holds itself.
        held = [content for content in cells if content is not value]
        held += [function.__defaults__, function.__kwdefaults__]
        return (function.__qualname__, _code(function.__code__), _plain(held))
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _code(code: Any) -> tuple:
    constants = [_code(c) if hasattr(c, "co_code") else _constant(c) for c in code.co_consts]
    return (code.co_code, code.co_names, constants)


def _constant(constant: Any) -> str:
    # The order of a set is another in every process.
    is_set = isinstance(constant, frozenset)
    return repr(sorted(map(repr, constant)) if is_set else constant)


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    packages = ("librosa", "numpy", "scipy", "scikit-learn", "soundfile", "soxr")
    # A checkout changes without a new version, so skser's own code counts as well.
    code = b"".join(path.read_bytes() for path in sorted(Path(skser.__path__[0]).rglob("*.py")))
    return [_hash(code), *(version(package) for package in packages)]
