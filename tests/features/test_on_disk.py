"""Features on disk are used like the array of the same features, and give the same results."""

import os
import pickle
import tracemalloc

import joblib
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

from skser import (
    AudioLoader,
    AugmentedClassifier,
    AugmentedFeatures,
    Augmenter,
    Clips,
    FeatureScaler,
    FeatureUnionExtractor,
    SpeakerNormalizer,
)
from skser._utils import _memory
from skser.classifiers import WeightedLinearDiscriminant
from skser.exceptions import AudioWarning, ConversionError, DataError, ParameterError
from skser.features import MelSpectrogram
from skser.features._checks import check_padding
from skser.features._on_disk import Entries, FeaturesOnDisk
from skser.features.extraction import _extractor
from skser.features.extraction._cache import FeatureCache
from skser.features.extraction._extract import expected_size
from skser.networks._batches import NOTHING_DRAWN, Draws, DrawSettings

RATE = 16000
# Of several lengths, so that sequences are padded.
CLIPS = Clips.from_waveforms(
    [np.random.default_rng(i).normal(size=3000 + 700 * (i % 5)) for i in range(9)], RATE
)
LABELS = np.array(["calm", "sad", "happy"] * 3)
SPEAKERS = np.repeat(["ann", "bob", "eve"], 3)


def on_disk(memory):
    return joblib.Memory(memory, mmap_mode="r", verbose=0)


def extract(memory, statistics=None, n_views=3, clips=CLIPS):
    augmenter = Augmenter(n_views=n_views, speed=(0.8, 1.2), random_state=0)
    blocks = [("mel", MelSpectrogram(n_mels=8, scale="db"))]
    extractor = FeatureUnionExtractor(blocks, statistics=statistics, memory=memory)
    return extractor.fit_transform(augmenter.fit_transform(clips))


@pytest.fixture(params=[None, ("mean", "std")], ids=["sequences", "vectors"])
def both(request, memory):
    """The same features of three views, in memory and on disk."""
    return extract(memory, request.param), extract(on_disk(memory), request.param)


def test_is_indexed_like_the_array(both):
    array, disk = both[0].values, both[1].values
    assert isinstance(disk, FeaturesOnDisk)
    assert (disk.shape, disk.ndim, disk.dtype) == (array.shape, array.ndim, array.dtype)
    assert (len(disk), disk.nbytes) == (len(array), array.nbytes)
    some, views = np.array([7, 0, 3]), np.array([2, 0, 1])
    indices = [
        *(4, -1, slice(2, 5), some, LABELS == "sad", [1]),
        *((4, 2), (4, 2, slice(None, 3)), (slice(None), 0), (some, 1), (some, views)),
        *((2, slice(1, 3)), (slice(None), slice(0, 1)), (slice(3), 0, slice(2))),
        *((4, -1), (some, -2), (4, 2, slice(-3, 2)), (4, 2, slice(5, 2, -1)), (4, 2, slice(0))),
        *(Ellipsis, (Ellipsis, 0), None),
    ]
    for index in indices:
        assert_array_equal(np.asarray(disk[index]), array[index], err_msg=str(index))
    with pytest.raises(IndexError):
        disk[4, 3]
    # Rows are selected without reading, as often as needed.
    assert isinstance(disk[some], FeaturesOnDisk)
    assert_array_equal(np.asarray(both[1][some][1:].values), array[some][1:])
    assert_array_equal(both[1].flatten(), both[0].flatten())
    assert_array_equal(np.asarray(pickle.loads(pickle.dumps(disk))), array)
    with pytest.raises(ConversionError):
        np.asarray(both[1])


@pytest.mark.parametrize(
    "scaler",
    [FeatureScaler(), SpeakerNormalizer(), SpeakerNormalizer(transductive=True)],
    ids=["all", "speakers", "transductive"],
)
def test_is_standardized_when_read(both, scaler):
    groups = {} if isinstance(scaler, FeatureScaler) else {"groups": SPEAKERS}
    in_memory, disk = (scaler.fit_transform(X, **groups) for X in both)
    assert isinstance(disk.values, FeaturesOnDisk)
    rows = np.array([8, 1, 4])
    assert_array_equal(np.asarray(disk.values), in_memory.values)
    assert_array_equal(np.asarray(disk[rows].values), in_memory.values[rows])
    assert_array_equal(disk.values[rows, np.array([2, 1, 0])], in_memory.values[rows, [2, 1, 0]])


def test_one_view_has_no_axis(memory):
    array, disk = extract(memory, n_views=1), extract(on_disk(memory), n_views=1)
    assert disk.shape == array.shape
    scaled = FeatureScaler().fit_transform(disk)
    assert_array_equal(np.asarray(scaled), FeatureScaler().fit_transform(array))
    assert_array_equal(np.asarray(disk[3:5]), array[3:5])
    assert_array_equal(disk[[2, 0], ...], array[[2, 0], ...])


def test_other_estimators_read_all(memory):
    array, disk = (extract(m, ("mean", "std"), 1) for m in (memory, on_disk(memory)))
    assert_array_equal(StandardScaler().fit_transform(disk), StandardScaler().fit_transform(array))
    extractor = FeatureUnionExtractor(["zcr"], memory=on_disk(memory)).set_output(
        transform="pandas"
    )
    assert extractor.fit_transform(CLIPS).shape == (9, 1)
    classifier = AugmentedClassifier(WeightedLinearDiscriminant(shrinkage=0.5))
    views = [extract(m, ("mean", "std")) for m in (memory, on_disk(memory))]
    first, second = (classifier.fit(X, LABELS).predict_proba(X) for X in views)
    assert_array_equal(first, second)


def test_more_than_the_memory_holds_is_not_read_at_once(both, monkeypatch):
    disk = both[1].values
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(_memory, "available_memory", lambda: disk.nbytes)
    np.asarray(disk)
    monkeypatch.setattr(_memory, "available_memory", lambda: disk.nbytes - 1)
    message = r"^features of 9 clips need .* GB to be read at once, and .* GB of memory are availab"
    with pytest.raises(DataError, match=message):
        AugmentedClassifier(WeightedLinearDiscriminant()).fit(both[1], LABELS)
    assert np.isfinite(disk[0, 0]).any()  # parts may be read


def test_is_read_from_another_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    disk = extract(on_disk("features"), ("mean", "std"))
    assert repr(disk.values) == "<features of 9 clips in 'features', shape (9, 3, 16)>"
    expected = np.asarray(disk.values)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert_array_equal(np.asarray(disk.values), expected)


def test_entry_that_is_gone(both):
    disk = both[1].values
    os.remove(disk.cache.path(disk.entries[1].keys[5]))
    disk[5, 0]  # of the clean view, which has an entry of its own
    message = r"^clip 5: its features can no longer be read from memory=.*; fit again$"
    for index in [(5, 1), slice(4, 7)]:
        with pytest.raises(DataError, match=message):
            np.asarray(disk[index])
    path = disk.cache.path(disk.entries[1].keys[6])
    os.truncate(path, os.path.getsize(path) - 1)
    with pytest.raises(DataError, match=r"^clip 6: .*file is too short"):
        np.asarray(disk[6:])


def test_silence_of_broken_recordings_is_kept_in_memory(paths, memory):
    soundfile.write(paths[1], np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE)
    with open(paths[1], "r+b") as file:  # the header and the last sample are sound
        file.seek(os.path.getsize(paths[1]) // 2)
        file.write(bytes(500))
    clips = AudioLoader(on_error="silence").transform(paths)
    arrays = []
    for store in (memory, on_disk(memory)):
        with pytest.warns(AudioWarning, match="silence in place of 1 recordings"):
            arrays.append(np.asarray(extract(store, clips=clips).values))
    assert_array_equal(*arrays)


def test_features_that_do_not_fit_stay_on_disk(memory, monkeypatch):
    expected = expected_size(Augmenter(n_views=3).fit_transform(CLIPS), _Plan())
    monkeypatch.setattr(_memory, "_SMALL", 0)
    monkeypatch.setattr(_memory, "available_memory", lambda: 2 * expected)
    assert isinstance(extract(memory).values, np.ndarray)
    monkeypatch.setattr(_memory, "available_memory", lambda: 2 * expected - 1)
    assert isinstance(extract(memory).values, FeaturesOnDisk)
    monkeypatch.setattr(_extractor, "extract", None)  # the error comes first
    message = r"^memory must be a folder .* 9 clips .* up to .* GB .*, got None; .* are available$"
    with pytest.raises(ParameterError, match=message):
        extract(None)


class _Plan:
    samples_per_frame, n_features = 256, 8


def test_expected_size_is_that_of_clips_of_one_length():
    clips = Clips.from_waveforms(np.ones((4, RATE)), RATE)
    features = FeatureUnionExtractor([("mel", MelSpectrogram(n_mels=8))], statistics=None)
    assert expected_size(clips, _Plan()) == features.fit_transform(clips).nbytes


def test_memory_does_not_grow_with_the_features(memory):
    """64 MiB in the cache: statistics, checks and an epoch need blocks of a few MiB."""
    cache, keys = FeatureCache(memory), [f"{i:040x}" for i in range(32)]
    rng = np.random.default_rng(0)
    for key in keys:
        cache.save(key, rng.standard_normal((2, 8192, 32), np.float32))
    entries = [Entries(range(2), keys, np.full(len(keys), 8192))]
    disk = FeaturesOnDisk(cache, entries, keys, 32, 8192, True, np.arange(len(keys)))
    settings = DrawSettings(batch_size=1, view_sampling="all", **NOTHING_DRAWN)
    tracemalloc.start()
    features = FeatureScaler().fit_transform(AugmentedFeatures(disk)).values
    check_padding(features, is_sequence=True)
    draws = Draws(features, np.eye(32), np.ones(32), np.arange(32), settings, seed=0)
    n_rows = sum(len(rows) for rows, *_ in draws.epoch(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_rows == 64
    assert peak < disk.nbytes / 3
