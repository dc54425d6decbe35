"""Each clip is extracted once: by folds, searches, studies, processes, and after one was killed."""

import os
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import optuna
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from skser import AudioLoader, AugmentedClassifier, Augmenter, FeatureUnionExtractor
from skser.features import CacheInfo, FeatureBlock
from skser.features.cache import FeatureCache

from . import slow_extraction
from .golden.make_golden import speechlike
from .recordings import write_recordings

N_CLIPS = 20
Y = np.arange(N_CLIPS) % 2


class Counted(FeatureBlock):
    """Peak of each frame; every computation writes a line, from whatever process."""

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


@pytest.mark.parametrize(
    ("backend", "n_folds_at_once", "n_jobs"),
    [
        ("loky", None, None),
        ("loky", 2, None),
        ("loky", None, 2),
        ("threading", 2, None),
        ("threading", 2, 2),
    ],
)
def test_cross_validation(recordings, pipeline, log, backend, n_folds_at_once, n_jobs):
    pipeline.set_params(features__n_jobs=n_jobs)
    with joblib.parallel_config(backend):
        scores = cross_val_score(pipeline, recordings, Y, cv=10, n_jobs=n_folds_at_once)
    assert counts(log) == ONCE
    pipeline.set_params(features__memory=None)
    np.testing.assert_array_equal(cross_val_score(pipeline, recordings, Y, cv=10), scores)


def test_grid_search(recordings, pipeline, log):
    grid = {"classify__var_smoothing": [1e-9, 1e-6, 1e-3]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(recordings, Y)
    assert counts(log) == ONCE
    info = search.best_estimator_["features"].cache_info()
    assert info[:3] == (N_CLIPS, 0, N_CLIPS)  # it was fitted when all was there
    search.predict(recordings)
    assert counts(log) == ONCE


def test_grid_search_over_features(recordings, pipeline, log):
    """What differs in its features is extracted once for each kind."""
    grid = {"features__hop_length": [128, 256], "classify__var_smoothing": [1e-9, 1e-6]}
    GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(recordings, Y)
    lines = log.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 2 * N_CLIPS


def test_optuna_study(recordings, pipeline, log):
    def objective(trial):
        smoothing = trial.suggest_float("var_smoothing", 1e-9, 1e-3, log=True)
        candidate = clone(pipeline).set_params(classify__var_smoothing=smoothing)
        return cross_val_score(candidate, recordings, Y, cv=3).mean()

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        optuna.create_study(direction="maximize").optimize(objective, n_trials=6, n_jobs=2)
    finally:
        optuna.logging.set_verbosity(before)
    assert counts(log) == ONCE


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("test_time", [False, True])
def test_views(recordings, pipeline, log, n_jobs, test_time):
    """The clean view is an entry of its own, for prediction and for training."""
    augmenter = Augmenter(n_views=3, shift=None, random_state=0, test_time=test_time)
    pipeline.steps.insert(1, ("augment", augmenter))
    pipeline.set_params(classify=AugmentedClassifier(GaussianNB()))
    cross_val_score(pipeline, recordings, Y, cv=10, n_jobs=n_jobs)
    assert counts(log) == [1] * 3 * N_CLIPS


# --- two at once ----------------------------------------------------------------------------


def test_clip_that_another_process_kept_meanwhile(recordings, extractor, log, monkeypatch):
    """It was missing when it was looked for, and there when its turn came."""
    clips = AudioLoader(duration=None).transform(recordings)
    other = clone(extractor)
    claim = FeatureCache.claim

    def claim_later(self, key):
        monkeypatch.setattr(FeatureCache, "claim", claim)
        other.fit_transform(clips)
        return claim(self, key)

    monkeypatch.setattr(FeatureCache, "claim", claim_later)
    features = extractor.fit_transform(clips)
    assert counts(log) == ONCE
    assert extractor.cache_info()[:2] == (N_CLIPS, 0)
    assert other.cache_info()[:2] == (0, N_CLIPS)
    np.testing.assert_array_equal(features, other.transform(clips))


def test_claim_that_goes_stale_is_awaited_and_then_taken_over(
    recordings, extractor, log, memory, monkeypatch
):
    clips = AudioLoader(duration=None).transform(recordings)
    cache = FeatureCache(memory)
    extractor.fit_transform(clips[:3])
    for path in list(memory.rglob("*.features")):
        path.unlink()
        assert cache.claim(path.stem)
    log.unlink()
    monkeypatch.setattr("skser.features.cache._STALE", 0.3)
    extractor.transform(clips)
    assert counts(log) == ONCE
    assert not any(memory.rglob("*.claim"))


@pytest.fixture
def many(tmp_path):
    """Sixty-four recordings."""
    folder = tmp_path / "many"
    folder.mkdir()
    waveform = speechlike(seconds=0.1)
    for i in range(64):
        soundfile.write(folder / f"{i:02}.flac", waveform * (1 - i / 100), 16000)
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def start(tmp_path, log, memory, many):
    """Start a process that extracts features of many clips when it is told to go on."""
    started = []

    def start(name):
        process = subprocess.Popen(
            [sys.executable, slow_extraction.__file__, log, memory, tmp_path / name, *many],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": str(len(started))},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_processes_at_once(start, log, tmp_path):
    names = ["first.npy", "second.npy"]
    processes = [start(name) for name in names]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go on\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert counts(log) == [1] * 64
    first, second = (CacheInfo(*map(int, line.split())) for line in said)
    assert (first.hits, first.misses) == (second.misses, second.hits)
    assert first.hits + first.misses == first.n_entries == 64
    features = [np.load(tmp_path / name) for name in names]
    assert features[0].shape == (64, 2)
    np.testing.assert_array_equal(*features)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("where", "n_kept"), [("block", 32), ("file", 19)])
def test_killed_process(start, many, log, memory, where, n_kept):
    """In a block, and in the middle of a file; what was kept before is used."""
    fatal = Path(f"{log}.{where}")
    fatal.touch()
    process = start("killed.npy")
    process.communicate("go on\n", timeout=60)
    assert process.returncode == -signal.SIGKILL
    fatal.unlink()
    log.unlink()
    claims = list(memory.rglob("*.claim"))
    assert len(claims) == 16 - n_kept % 16
    assert sum(claim.stat().st_size > 0 for claim in claims) == (where == "file")  # half an entry
    a_minute_ago = time.time() - 61
    for claim in claims:
        os.utime(claim, (a_minute_ago, a_minute_ago))
    clips = AudioLoader(duration=None).transform(many)
    extractor = slow_extraction.extractor_of(log, memory)
    features = extractor.fit_transform(clips)
    assert counts(log) == [1] * (64 - n_kept)
    assert extractor.cache_info()[:3] == (n_kept, 64 - n_kept, 64)
    assert not any(memory.rglob("*.claim"))
    plain = clone(extractor).set_params(memory=None).fit_transform(clips)
    np.testing.assert_array_equal(features, plain)
