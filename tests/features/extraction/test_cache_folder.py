"""inspect_cache and prune_cache: only what is named as an entry, by the time of its last use."""

import errno
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest

from skser.exceptions import DataError, ParameterError
from skser.features import CacheContents, inspect_cache, prune_cache
from skser.features.extraction import _cache_folder
from skser.features.extraction._cache import FeatureCache
from skser.features.extraction._cache_folder import DAY, generation

from .test_cache import files_of

NOTHING = CacheContents(0, 0, 0, 0, 0, None, None)


def key(number, suffix=None):
    return f"{number:02x}" * 16 + (generation() if suffix is None else suffix)


@pytest.fixture
def entries(memory):
    """Files of five entries; entry i was last used i days ago."""
    cache = FeatureCache(memory)
    for days in range(5):
        cache.save(key(days), np.full((1, 2), days, np.float32))
        used(cache.path(key(days)), days)
    return [Path(cache.path(key(days))) for days in range(5)]


def used(path, days):
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def left(memory, entries):
    """Numbers of the entries that are left; no other file is."""
    files = files_of(memory)
    assert set(files) <= set(entries)
    return [i for i, path in enumerate(entries) if path in files]


def test_folders_have_the_first_two_digits(entries):
    assert [path.parent.name for path in entries] == ["00", "01", "02", "03", "04"]


def test_contents(memory, entries):
    contents = inspect_cache(memory)
    assert contents[:4] == (5, 0, 0, 5 * 32)
    assert contents.n_bytes_on_disk >= 5 * 32
    assert (contents.newest_use - contents.oldest_use).days in (3, 4)


def test_entries_of_other_versions_are_removed(memory, entries):
    """Of other code, or of the former layout, which had a folder for the first digit."""
    cache = FeatureCache(memory)
    cache.save(key(0, "01234567"), np.zeros((1, 1), np.float32))
    former = Path(cache.folder, "a", "a" * 32 + ".features")
    former.parent.mkdir()
    former.write_bytes(b"1234")
    assert inspect_cache(memory)[:4] == (7, 2, 0, 5 * 32 + 28 + 4)
    assert prune_cache(memory)[:4] == (2, 2, 0, 28 + 4)
    assert left(memory, entries) == [0, 1, 2, 3, 4]


def test_half_written_files_of_killed_processes_are_removed(memory, entries):
    names = [f".{key(1)}.{'0' * 16}.features", f".{'01' * 16}.{'f' * 32}.features"]
    being_written, abandoned = (entries[1].with_name(name) for name in names)
    for path in (being_written, abandoned):
        path.write_bytes(b"half")
    used(abandoned, 1)
    assert inspect_cache(memory)[:4] == (5, 0, 1, 5 * 32 + 4)
    removed = prune_cache(memory)
    assert removed[:4] == (0, 0, 1, 4)
    assert removed.oldest_use is removed.newest_use is None
    assert being_written.exists()
    assert not abandoned.exists()


@pytest.mark.parametrize(("max_days", "kept"), [(None, 5), (10, 5), (2.5, 3), (0.5, 1), (0, 0)])
def test_by_time_of_last_use(memory, entries, max_days, kept):
    would = prune_cache(memory, max_days=max_days, dry_run=True)
    assert left(memory, entries) == [0, 1, 2, 3, 4]
    assert prune_cache(memory, max_days=max_days) == would
    assert would.n_entries == 5 - kept
    assert left(memory, entries) == list(range(kept))
    assert prune_cache(memory, max_days=max_days) == NOTHING


def test_by_size(memory, entries):
    size = inspect_cache(memory).n_bytes_on_disk
    assert prune_cache(memory, max_bytes=size) == NOTHING
    assert prune_cache(memory, max_bytes=size - 1).n_entries == 1
    assert left(memory, entries) == [0, 1, 2, 3]
    prune_cache(memory, max_bytes=size // 2)
    assert left(memory, entries) == [0, 1]
    prune_cache(memory, max_bytes=0)
    assert left(memory, entries) == []


def test_reading_is_a_use(memory, entries):
    cache = FeatureCache(memory)
    before = entries[0].stat().st_mtime_ns
    assert cache.load(key(4))[0, 0] == 4
    assert cache.load(key(0))[0, 0] == 0
    assert entries[0].stat().st_mtime_ns == before  # only once a day
    prune_cache(memory, max_days=1.5)
    assert left(memory, entries) == [0, 1, 4]


def test_nothing_else_is_touched(memory, entries, tmp_path):
    """Other files, links, folders named as entries, and names in another entry's folder."""
    name = entries[0].name
    outside = tmp_path / "outside" / key(255)
    outside.parent.mkdir()
    outside.write_bytes(b"mine")
    folder = entries[0].parent
    others = [
        memory / name,
        folder.parent / name,
        folder.parent / "01" / name,
        folder / "notes.txt",
        folder / f"{key(0)[:-1]}.features",
        folder / f"{name}.bak",
    ]
    for path in others:
        path.write_bytes(b"mine")
    (folder.parent / "ff").symlink_to(outside.parent, target_is_directory=True)
    (folder / f"{key(0, '0' * 8)}.features").symlink_to(outside)
    (folder / f"{key(0, '1' * 8)}.features").mkdir()
    assert inspect_cache(memory).n_entries == 5
    assert prune_cache(memory, max_bytes=0).n_entries == 5
    assert all(path.read_bytes() == b"mine" for path in [*others, outside])
    assert len(list(folder.iterdir())) == 5


def test_files_that_may_not_be_removed(memory, entries, monkeypatch):
    unlink = os.unlink

    def refuse(path):
        if path == str(entries[1]):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        unlink(path)

    monkeypatch.setattr(_cache_folder.os, "unlink", refuse)
    message = f"{entries[1]}: Permission denied, as for 1 files; 4 entries were removed"
    with pytest.raises(PermissionError, match=f"^{re.escape(message)}$"):
        prune_cache(memory, max_bytes=0)
    assert left(memory, entries) == [1]


def test_a_cache_of_joblib(memory, entries):
    assert inspect_cache(joblib.Memory(memory, verbose=0)).n_entries == len(entries)
    with pytest.raises(DataError, match="has no location"):
        inspect_cache(joblib.Memory(None))


def test_a_file_that_another_process_removes_meanwhile(memory, entries, monkeypatch):
    found = list(_cache_folder.cached_files(str(memory / "skser-features")))
    monkeypatch.setattr(_cache_folder, "cached_files", lambda folder: found)
    entries[3].unlink()
    removed = prune_cache(memory, max_bytes=0)
    assert removed.n_entries == 4
    assert left(memory, entries) == []


def test_beside_processes_that_write_and_read(memory):
    cache = FeatureCache(memory)
    features = np.zeros((1, 50), np.float32)
    cache.save(key(0), features)

    def write_and_read():
        for i in range(500):
            cache.save(key(i % 5), features)
            loaded = cache.load(key(i % 5))
            assert loaded is None or loaded.shape == (1, 50)

    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(write_and_read)
        while not work.done():
            prune_cache(memory, max_bytes=0)
        work.result()
    prune_cache(memory, max_bytes=0)
    assert files_of(memory) == []


@pytest.mark.parametrize("use", [inspect_cache, prune_cache])
def test_folders_that_are_no_cache(memory, entries, tmp_path, use):
    for folder in (tmp_path / "nowhere", tmp_path, entries[0]):
        with pytest.raises(DataError, match=rf"^{folder}: is not a cache, .* skser-features$"):
            use(folder)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "skser-features").symlink_to(memory / "skser-features")
    with pytest.raises(DataError, match=r"skser-features: is a symbolic link"):
        use(linked)


@pytest.mark.parametrize("params", [{"max_days": -1}, {"max_bytes": 1.5}, {"max_bytes": True}])
def test_parameters(memory, entries, params):
    with pytest.raises(ParameterError, match=f"^{next(iter(params))} must be "):
        prune_cache(memory, **params)
    assert left(memory, entries) == [0, 1, 2, 3, 4]
