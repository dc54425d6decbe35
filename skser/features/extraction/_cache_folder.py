"""The folder of a feature cache: what is in it, and removing what is no longer of use."""

from __future__ import annotations

import math
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from operator import attrgetter
from typing import Literal, NamedTuple, TypeAlias

import joblib

from ..._utils._hashing import own_code
from ..._utils._param_validation import NONE, check_value, integer, number
from ..._utils._types import PathLike
from ..._utils._versions import versions
from ...exceptions import DataError
from ._plan import FeaturePlan

FOLDER = "skser-features"
DAY = 24 * 60 * 60

# Folders have the first digits of their entries: two, and in an earlier version one.
_SHARD = re.compile("[0-9a-f]{1,2}")
# The name of an entry ends with the generation; in an earlier version it had none.
_ENTRY = re.compile(r"[0-9a-f]{32}(?P<generation>[0-9a-f]{8})?\.features")
_TEMPORARY = re.compile(r"\.[0-9a-f]{32,40}\.[0-9a-f]+\.features")
_SECONDS_TO_WRITE = 60 * 60  # a temporary file this old is of a process that was killed

Kind: TypeAlias = Literal["entry", "outdated", "abandoned"]


class CacheContents(NamedTuple):
    """What a cache folder holds, or what was removed from it.

    Parameters
    ----------
    n_entries : int
        Number of entries: one for a clip, one for its augmented views.
    n_outdated : int
        Number of entries made by other versions of skser, Python or the libraries that make
        features. The present ones cannot read them.
    n_abandoned : int
        Number of half-written files of processes that were killed more than an hour ago.
    n_bytes : int
        Size of the entries and abandoned files in bytes.
    n_bytes_on_disk : int
        The same in whole blocks, as the file system allocates them.
    oldest_use : datetime or None
        When the entry was last used that was not used for longest, to the day; None without
        entries.
    newest_use : datetime or None
        When an entry was last used, to the day.
    """

    n_entries: int
    n_outdated: int
    n_abandoned: int
    n_bytes: int
    n_bytes_on_disk: int
    oldest_use: datetime | None
    newest_use: datetime | None


class CachedFile(NamedTuple):
    """A file of a cache."""

    path: str
    kind: Kind
    n_bytes: int
    n_bytes_on_disk: int
    last_use: float  # in seconds since 1970


def generation() -> str:
    """Last digits in the names of the entries that this version of skser reads and writes.

    They are a hash of the code and the versions that all features depend on.
    """
    made_by = own_code(*FeaturePlan.code), versions(*FeaturePlan.libraries)
    return joblib.hash(made_by)[:8]


def cached_files(folder: str) -> Iterator[CachedFile]:
    """Entries and abandoned files in ``skser-features``; no other files, and no links."""
    current, now = generation(), time.time()
    for shard in _scan(folder):
        if _SHARD.fullmatch(shard.name) and shard.is_dir(follow_symlinks=False):
            for file in _scan(shard.path):
                if file.name.lstrip(".").startswith(shard.name):
                    yield from _cached_file(file, current, now)


def _scan(folder: str) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as files:
        yield from files


def _cached_file(file: os.DirEntry[str], current: str, now: float) -> Iterator[CachedFile]:
    entry = _ENTRY.fullmatch(file.name)
    if not (entry or _TEMPORARY.fullmatch(file.name)) or not file.is_file(follow_symlinks=False):
        return
    try:
        status = file.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed or renamed meanwhile
        return
    kind: Kind = "abandoned"
    if entry:
        kind = "entry" if entry["generation"] == current else "outdated"
    elif now - status.st_mtime < _SECONDS_TO_WRITE:
        return
    on_disk = max(status.st_size, 512 * getattr(status, "st_blocks", 0))
    yield CachedFile(file.path, kind, status.st_size, on_disk, status.st_mtime)


def inspect_cache(memory: PathLike | joblib.Memory) -> CacheContents:
    """Count the entries in a cache folder, without reading them.

    Parameters
    ----------
    memory : str, path or joblib.Memory
        Folder of the cache, as in ``FeatureUnionExtractor(memory=...)``.

    Returns
    -------
    contents : CacheContents
        Number, size and use of the entries.

    Raises
    ------
    DataError
        The folder holds no cache.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skser import FeatureUnionExtractor
    >>> from skser.features import inspect_cache
    >>> with TemporaryDirectory() as folder:
    ...     extractor = FeatureUnionExtractor(["zcr"], memory=folder)
    ...     features = extractor.fit_transform(np.eye(3, 16000))
    ...     contents = inspect_cache(folder)
    >>> contents.n_entries, contents.n_bytes
    (3, 84)
    """
    return _contents(cached_files(_features_folder(memory)))


def prune_cache(
    memory: PathLike | joblib.Memory,
    *,
    max_days: float | None = None,
    max_bytes: int | None = None,
    dry_run: bool = False,
) -> CacheContents:
    """Remove what is no longer of use from a cache folder.

    Outdated entries and abandoned files are always removed, then entries by ``max_days``, and then
    by ``max_bytes``. Only files that are named as entries are touched, and links are not followed.
    Other processes may use the cache meanwhile: they extract a clip again whose entry was removed.

    Parameters
    ----------
    memory : str, path or joblib.Memory
        Folder of the cache, as in ``FeatureUnionExtractor(memory=...)``.
    max_days : float or None, default=None
        Remove the entries that were not used for so many days. The last use is known to the day.
    max_bytes : int or None, default=None
        Remove the least recently used entries until the others take so many bytes on the disk.
    dry_run : bool, default=False
        Remove nothing, and return what would be removed.

    Returns
    -------
    removed : CacheContents
        What was removed.

    Raises
    ------
    DataError
        The folder holds no cache.
    ParameterError
        ``max_days`` or ``max_bytes`` is invalid.
    PermissionError
        Some files may not be removed; all others were.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skser import FeatureUnionExtractor
    >>> from skser.features import prune_cache
    >>> with TemporaryDirectory() as folder:
    ...     extractor = FeatureUnionExtractor(["zcr"], memory=folder)
    ...     features = extractor.fit_transform(np.eye(3, 16000))
    ...     prune_cache(folder, max_days=30).n_entries, prune_cache(folder, max_bytes=0).n_entries
    (0, 3)
    """
    check_value("max_days", max_days, NONE, number(0))
    check_value("max_bytes", max_bytes, NONE, integer(0))
    unwanted = _unwanted(cached_files(_features_folder(memory)), max_days, max_bytes)
    if dry_run:
        return _contents(unwanted)
    refused: list[PermissionError] = []
    removed = _contents(file for file in unwanted if _remove(file, refused))
    if refused:
        raise PermissionError(
            f"{refused[0].filename}: {refused[0].strerror}, as for {len(refused)} files; "
            f"{removed.n_entries} entries were removed"
        )
    return removed


def _features_folder(memory: PathLike | joblib.Memory) -> str:
    """The folder below ``memory``; DataError if there is none, such as after a slip in its name."""
    if isinstance(memory, joblib.Memory):
        if memory.location is None:
            raise DataError(f"{memory!r}: is not a cache, because it has no location")
        memory = memory.location
    folder = os.path.join(memory, FOLDER)
    if os.path.islink(folder):
        raise DataError(f"{folder}: is a symbolic link, which is not followed")
    if not os.path.isdir(folder):
        raise DataError(f"{os.fspath(memory)}: is not a cache, because it has no folder {FOLDER}")
    return folder


def _unwanted(
    files: Iterable[CachedFile], max_days: float | None, max_bytes: int | None
) -> Iterator[CachedFile]:
    """The files to remove, and of the entries the least recently used first."""
    entries = []
    for file in files:
        if file.kind == "entry":
            entries.append(file)
        else:
            yield file
    n_left = sum(file.n_bytes_on_disk for file in entries)
    too_old = -math.inf if max_days is None else time.time() - max_days * DAY
    for file in sorted(entries, key=attrgetter("last_use")):
        if file.last_use >= too_old and (max_bytes is None or n_left <= max_bytes):
            return
        n_left -= file.n_bytes_on_disk
        yield file


def _remove(file: CachedFile, refused: list[PermissionError]) -> bool:
    """Remove a file that is still there, or add the error to ``refused``; whether it is removed."""
    try:
        os.unlink(file.path)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        refused.append(error)
        return False
    return True


def _contents(files: Iterable[CachedFile]) -> CacheContents:
    counts: Counter[str] = Counter()
    n_bytes = n_bytes_on_disk = 0
    uses = [math.inf, -math.inf]
    for file in files:
        counts[file.kind] += 1
        n_bytes += file.n_bytes
        n_bytes_on_disk += file.n_bytes_on_disk
        if file.kind != "abandoned":
            uses = [min(uses[0], file.last_use), max(uses[1], file.last_use)]
    n_entries = counts["entry"] + counts["outdated"]
    oldest, newest = (datetime.fromtimestamp(t, timezone.utc) if n_entries else None for t in uses)
    return CacheContents(
        n_entries, counts["outdated"], counts["abandoned"], n_bytes, n_bytes_on_disk, oldest, newest
    )
