"""Cache shared by folds, searches and processes; an interrupted run loses one clip."""

import os
import subprocess
import sys
import zlib
from collections import Counter

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from skser import AudioLoader, AugmentedClassifier, Augmenter, FeatureUnionExtractor
from skser.features import CacheInfo, FeatureBlock

from ..golden.make_golden import speechlike
from ..recordings import write_recordings
from . import slow_extraction
from .test_cache import files_of

N_CLIPS = 20
Y = np.arange(N_CLIPS) % 2


class Counted(FeatureBlock):
    """Peak of each frame; every computation writes a line, from any process."""

    def __init__(self, log):
        self.log = log

    def compute(self, spectra):
        frames = spectra.frames("constant")
        slow_extraction.append_line(self.log, zlib.crc32(frames.tobytes()))
        return abs(frames).max(axis=0, keepdims=True)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Twenty recordings of 0.1 s."""
    return write_recordings(tmp_path_factory.mktemp("audio"), [0.1] * N_CLIPS)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def extractor(log, memory):
    return FeatureUnionExtractor([("counted", Counted(str(log))), "mfcc"], memory=memory)


@pytest.fixture
def pipeline(extractor):
    steps = [
        ("load", AudioLoader(duration=None)),
        ("features", extractor),
        ("classify", GaussianNB()),
    ]
    return Pipeline(steps)


def counts(log):
    """How often each view was computed."""
    return sorted(Counter(log.read_text().splitlines()).values())


ONCE = [1] * N_CLIPS


@pytest.mark.slow
def test_cross_validation(recordings, pipeline, log):
    scores = cross_val_score(pipeline, recordings, Y, cv=10)
    assert counts(log) == ONCE
    at_once = cross_val_score(pipeline, recordings, Y, cv=10, n_jobs=2)
    assert counts(log) == ONCE
    pipeline.set_params(features__memory=None)
    for cached in (scores, at_once):
        np.testing.assert_array_equal(cross_val_score(pipeline, recordings, Y, cv=10), cached)


def test_grid_search_over_features(recordings, pipeline, log):
    """Candidates with different features are extracted once for each kind."""
    grid = {"features__hop_length": [128, 256], "classify__var_smoothing": [1e-9, 1e-6]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(recordings, Y)
    lines = log.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 2 * N_CLIPS
    info = search.best_estimator_["features"].cache_info()
    assert info[:3] == (N_CLIPS, 0, 2 * N_CLIPS)  # it was fitted when all clips were in the cache


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("test_time", [False, True])
def test_views(recordings, pipeline, log, n_jobs, test_time):
    """The clean view is an entry of its own, for prediction and for training."""
    augmenter = Augmenter(n_views=3, shift=None, random_state=0, test_time=test_time)
    pipeline.steps.insert(1, ("augment", augmenter))
    pipeline.set_params(classify=AugmentedClassifier(GaussianNB()), features__n_jobs=n_jobs)
    cross_val_score(pipeline, recordings, Y, cv=3)
    assert counts(log) == [1] * 3 * N_CLIPS


class Disturbed(Counted):
    """Runs an event before it computes a clip."""

    events = []  # the next one last

    def compute(self, spectra):
        if self.events:
            self.events.pop()()
        return super().compute(spectra)


@pytest.fixture
def disturbed(log, memory):
    yield FeatureUnionExtractor([("mine", Disturbed(str(log)))], memory=memory)
    Disturbed.events.clear()


def test_clips_saved_by_another_process_meanwhile(recordings, disturbed, log):
    clips = AudioLoader(duration=None).transform(recordings)
    concurrent = clone(disturbed)
    Disturbed.events.append(lambda: concurrent.fit_transform(clips))
    features = disturbed.fit_transform(clips)
    n_twice = counts(log).count(2)  # the one in progress, and with two cores the one read ahead
    assert counts(log) == [1] * (N_CLIPS - n_twice) + [2] * n_twice
    assert 1 <= n_twice <= 2
    assert disturbed.cache_info()[:2] == (N_CLIPS - n_twice, n_twice)
    assert concurrent.cache_info()[:2] == (0, N_CLIPS)
    np.testing.assert_array_equal(features, concurrent.transform(clips))


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("n_computed", [0, 7, 13])
def test_interrupted_run_loses_the_clip_it_was_in(recordings, disturbed, log, memory, n_computed):
    clips = AudioLoader(duration=None).transform(recordings)
    Disturbed.events.extend([interrupt, *[lambda: None] * n_computed])
    with pytest.raises(KeyboardInterrupt):
        disturbed.fit_transform(clips)
    assert len(files_of(memory)) == n_computed
    features = disturbed.fit_transform(clips)
    assert counts(log) == ONCE
    assert disturbed.cache_info()[:2] == (n_computed, N_CLIPS - n_computed)
    plain = clone(disturbed).set_params(memory=None).fit_transform(clips)
    np.testing.assert_array_equal(features, plain)


@pytest.mark.slow
def test_two_processes_at_once(tmp_path, log, memory):
    waveform = speechlike(seconds=0.1)
    recordings = [tmp_path / f"{i:02}.flac" for i in range(64)]
    for i, path in enumerate(recordings):
        soundfile.write(path, waveform * (1 - i / 100), 16000)
    outputs = [tmp_path / "first.npy", tmp_path / "second.npy"]
    processes = [
        subprocess.Popen(
            [sys.executable, slow_extraction.__file__, log, memory, output, *recordings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )
        for seed, output in enumerate(outputs)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    infos = [
        CacheInfo(*map(int, process.communicate(timeout=60)[0].split())) for process in processes
    ]
    n_computed = len(log.read_text().splitlines())
    assert 64 <= n_computed < 96  # and not twice 64
    assert sum(info.misses for info in infos) == n_computed
    assert [info.hits + info.misses for info in infos] == [64, 64]
    assert len(files_of(memory)) == 64
    features = [np.load(output) for output in outputs]
    assert features[0].shape == (64, 2)
    np.testing.assert_array_equal(*features)
