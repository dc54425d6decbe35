"""FeatureCache: its files, and their use by FeatureUnionExtractor."""

import os
from pathlib import Path

import joblib
import numpy as np
import pytest

from skser import FeatureUnionExtractor
from skser.exceptions import ParameterError
from skser.features import CacheInfo
from skser.features.extraction._cache import FeatureCache

from ..test_union import Louder
from .test_extract import BLOCKS, load

KEY = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
def cache(memory):
    return FeatureCache(memory)


def files_of(memory):
    return sorted(path for path in memory.rglob("*") if path.is_file())


# --- entries --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 7), (1, 5, 7), (3, 1, 1), (3, 5, 7)])
def test_round_trip(cache, shape):
    features = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    features.flat[0] = np.nan
    assert cache.load(KEY) is None  # there is no folder yet
    for saved in (features, -features):
        cache.save(KEY, saved)
        loaded = cache.load(KEY)
        assert (loaded.dtype, loaded.shape) == (np.float32, shape)
        np.testing.assert_array_equal(loaded, saved)
    assert cache.load(KEY[::-1]) is None
    assert files_of(Path(cache.memory)) == [Path(cache.path(KEY))]


@pytest.fixture
def entry(cache):
    """File of a small entry."""
    cache.save(KEY, np.array([[1.5, -2.5]], np.float32))
    return Path(cache.path(KEY))


def test_entry_is_small(entry):
    assert entry.stat().st_size == 24 + 2 * 4


def test_no_bit_may_change(cache, entry):
    content = entry.read_bytes()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        entry.write_bytes(damaged)
        assert cache.load(KEY) is None
    entry.write_bytes(content)
    assert cache.load(KEY) is not None


def test_no_byte_may_be_missing_or_added(cache, entry):
    content = entry.read_bytes()
    damaged = [content[:length] for length in range(len(content))]
    damaged += [content + bytes([added]) for added in range(256)]
    damaged += [content * 2, bytes(len(content))]
    for bad_content in damaged:
        entry.write_bytes(bad_content)
        assert cache.load(KEY) is None


def test_entry_of_another_format(cache, entry):
    """Its checksum is right, its mark is not."""
    content = entry.read_bytes()
    entry.write_bytes(b"skser\x00\x00\x02" + content[8:])
    assert cache.load(KEY) is None


def test_size(cache, entry):
    assert FeatureCache(cache.memory + "-elsewhere").size() == {"n_entries": 0, "n_bytes": 0}
    cache.save(KEY[::-1], np.zeros((2, 3, 4), np.float32))
    Path(cache.folder, "notes.txt").write_text("not an entry")
    entry.with_name(f".{KEY}.{KEY}.features").write_bytes(b"half")  # of a process that was killed
    assert cache.size() == {"n_entries": 2, "n_bytes": 32 + 24 + 4 * 24}


def test_no_temporary_file_stays(cache, entry, monkeypatch):
    def fail(source, target):
        raise OSError("no space left")

    before = entry.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        cache.save(KEY, np.zeros((1, 9), np.float32))
    assert files_of(Path(cache.memory)) == [entry]
    assert entry.read_bytes() == before


# --- through the extractor ------------------------------------------------------------------


@pytest.mark.parametrize("statistics", [None, ("mean", "std")])
@pytest.mark.parametrize("stage", [None, Louder()])
def test_second_run_reads_the_cache(paths, memory, forbid, statistics, stage):
    clips = load(paths) if stage is None else load(paths).map(stage)
    plain = FeatureUnionExtractor(BLOCKS, statistics=statistics).fit_transform(clips)
    extractor = FeatureUnionExtractor(BLOCKS, statistics=statistics, memory=str(memory))
    first = extractor.fit_transform(clips)
    assert len(files_of(memory)) == len(paths)
    forbid()
    again = FeatureUnionExtractor(BLOCKS, statistics=statistics, memory=memory)
    second = again.fit_transform(clips[::-1])
    values = [f if stage is None else f.values for f in (plain, first, second[::-1])]
    np.testing.assert_array_equal(values[1], values[0])
    np.testing.assert_array_equal(values[2], values[0])


@pytest.mark.parametrize("as_memory", [str, os.fspath, lambda p: joblib.Memory(p, verbose=0)])
def test_kinds_of_memory(paths, memory, forbid, as_memory):
    clips = load(paths)
    FeatureUnionExtractor(BLOCKS, memory=as_memory(memory)).fit_transform(clips)
    forbid()
    extractor = FeatureUnionExtractor(BLOCKS, memory=as_memory(memory))
    assert extractor.fit_transform(clips).shape == (3, 41)


def test_memory_without_a_folder_writes_nothing(paths, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = files_of(tmp_path)
    for none in (None, joblib.Memory(None)):
        FeatureUnionExtractor(BLOCKS, memory=none).fit_transform(load(paths))
    assert files_of(tmp_path) == before


def test_waveforms_are_cached_too(waveforms, memory, forbid):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    features = extractor.fit_transform(waveforms)
    forbid()
    np.testing.assert_array_equal(extractor.fit_transform(waveforms.copy()), features)


@pytest.mark.slow
def test_workers_share_the_cache(paths, memory, forbid):
    clips = load(paths)
    features = FeatureUnionExtractor(BLOCKS, memory=memory, n_jobs=2).fit_transform(clips)
    forbid()
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    np.testing.assert_array_equal(extractor.fit_transform(clips), features)


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"junk"],
    ids=["half", "empty", "junk"],
)
def test_damaged_file_is_replaced(paths, memory, damage):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    features = extractor.fit_transform(load(paths))
    intact = {path: path.read_bytes() for path in files_of(memory)}
    for path, content in intact.items():
        path.write_bytes(damage(content))
    np.testing.assert_array_equal(extractor.fit_transform(load(paths)), features)
    assert {path: path.read_bytes() for path in files_of(memory)} == intact


# --- cache_info, verbose and errors ---------------------------------------------------------


def test_cache_info(paths, memory):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory).fit(load(paths))
    assert extractor.cache_info() == CacheInfo(hits=0, misses=0, n_entries=0, n_bytes=0)
    extractor.transform(load(paths[:2]))
    assert extractor.cache_info() == CacheInfo(hits=0, misses=2, n_entries=2, n_bytes=2 * 28)
    extractor.transform(load(paths))
    assert extractor.cache_info() == CacheInfo(hits=2, misses=3, n_entries=3, n_bytes=3 * 28)
    extractor.fit(load(paths))
    assert extractor.cache_info() == CacheInfo(hits=0, misses=0, n_entries=3, n_bytes=3 * 28)


def test_clip_that_is_there_twice_is_extracted_once(paths, memory):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    features = extractor.fit_transform(load([*paths, paths[0]] * 10))
    np.testing.assert_array_equal(features[3::4], features[0::4])
    assert extractor.cache_info() == CacheInfo(hits=37, misses=3, n_entries=3, n_bytes=3 * 28)


def test_cache_info_without_memory(paths):
    extractor = FeatureUnionExtractor(["zcr"])
    extractor.fit_transform(load(paths))
    assert extractor.cache_info() == (0, 0, 0, 0)


def test_verbose_prints_the_hits(paths, memory, capsys):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory, verbose=1)
    extractor.fit_transform(load(paths[:2]))
    assert capsys.readouterr().out == "features: 0 of 2 clips from the cache\n"
    extractor.fit_transform(load(paths))
    assert capsys.readouterr().out == "features: 2 of 3 clips from the cache\n"
    extractor.set_params(verbose=0).fit_transform(load(paths))
    extractor.set_params(verbose=1, memory=None).fit_transform(load(paths))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("folder", ["", "below", "below/that"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_memory_that_is_no_folder(tmp_path, forbid, folder, n_jobs):
    (tmp_path / "file").touch()
    memory = str(tmp_path / "file" / folder)
    forbid()
    extractor = FeatureUnionExtractor(["zcr"], memory=memory, n_jobs=n_jobs)
    with pytest.raises(ParameterError, match=rf"^memory .*got {memory!r} \(Not a directory\)$"):
        extractor.fit_transform(np.ones((2, 4000)))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_memory_that_may_not_be_written_to(paths, memory, forbid):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    features = extractor.fit_transform(load(paths[:2]))
    folders = [memory / "skser-features", *(path.parent for path in files_of(memory))]
    for folder in folders:
        folder.chmod(0o500)
    forbid()
    try:
        np.testing.assert_array_equal(extractor.transform(load(paths[:2])), features)
        with pytest.raises(ParameterError, match=rf"^memory .*{memory} ?.*Permission denied"):
            extractor.transform(load(paths))
    finally:
        for folder in folders:
            folder.chmod(0o700)
