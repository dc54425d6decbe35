"""Extraction on the workers of a dask cluster."""

import contextlib
import os
import pickle
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skser import AudioLoader, FeatureScaler, FeatureUnionExtractor
from skser.exceptions import ClusterError, ExtractionError
from skser.features import MFCC, RMS, FeatureBlock
from tests.clusters import local_cluster, scheduler_that_can_be_killed

from ..recordings import write_recordings

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]

BLOCKS = ["mfcc", "contrast"]
IN_PROGRESS = 2 * 16  # clips that a worker has at a time


@pytest.fixture(scope="module")
def client():
    with local_cluster() as (_, client):
        yield client


@pytest.fixture
def on_cluster(client):
    with joblib.parallel_config(backend="dask"):
        yield client


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Eighty recordings of 0.1 to 0.26 s."""
    return write_recordings(tmp_path_factory.mktemp("audio"), [0.1 + 0.002 * i for i in range(80)])


def load(paths, **params):
    return AudioLoader(duration=None, **params).transform(paths)


class Process(FeatureBlock):
    """Number of the process that extracts."""

    def compute(self, spectra):
        return np.full((1, spectra.n_frames), os.getpid(), np.float64)


class DiesOnce(FeatureBlock):
    """Zeros, after a process was killed by the first of the longer clips."""

    def __init__(self, folder):
        self.folder = folder

    def compute(self, spectra):
        if spectra.n_frames > 12:
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.folder}/alive", f"{self.folder}/killed-{os.getpid()}")
                os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros((1, spectra.n_frames), np.float32)


class Counts(FeatureBlock):
    """Zeros; a file in the folder gets a character for each clip, slowly if ``slow`` is there."""

    def __init__(self, folder):
        self.folder = folder

    def compute(self, spectra):
        if os.path.exists(f"{self.folder}/slow"):
            time.sleep(0.015)  # 0.24 s for a chunk, which joblib then does not make larger
        with open(f"{self.folder}/{os.getpid()}.count", "a") as file:
            file.write(".")
        return np.zeros((1, spectra.n_frames), np.float32)


def n_extracted(folder):
    return sum(file.stat().st_size for file in folder.glob("*.count"))


class Fails(FeatureBlock):
    def compute(self, spectra):
        raise ZeroDivisionError("went wrong")


@pytest.mark.slow
@pytest.mark.parametrize(("statistics", "n_jobs"), [(None, None), (("mean", "std"), -1)])
def test_features_are_identical(on_cluster, paths, statistics, n_jobs):
    extractor = FeatureUnionExtractor(BLOCKS, statistics=statistics, n_jobs=n_jobs)
    features = extractor.fit_transform(load(paths))
    with joblib.parallel_config(backend="sequential"):
        np.testing.assert_array_equal(extractor.transform(load(paths)), features)


def test_workers_do_the_work(on_cluster, paths):
    extractor = FeatureUnionExtractor([("process", Process())], statistics=("max",))
    processes = extractor.fit_transform(load(paths))
    assert set(processes.ravel()) == set(on_cluster.run(os.getpid).values())


@pytest.mark.slow
def test_a_single_worker_does_the_work(paths):
    extractor = FeatureUnionExtractor([("process", Process())], statistics=("max",))
    with local_cluster(n_workers=1) as (_, client), joblib.parallel_config("dask", client=client):
        processes = extractor.fit_transform(load(paths))
        assert set(processes.ravel()) == set(client.run(os.getpid).values())


def test_tasks_hold_paths(paths):
    clips = load(paths)
    audio = sum(clip.nbytes for clip in clips[:16])
    assert len(pickle.dumps(clips[:16])) < audio / 20


def test_killed_worker_costs_time_only(on_cluster, paths, tmp_path):
    (tmp_path / "alive").touch()
    workers = set(on_cluster.run(os.getpid).values())
    blocks = [*BLOCKS, ("dies", DiesOnce(str(tmp_path))), ("counts", Counts(str(tmp_path)))]
    memory = tmp_path / "memory"
    features = FeatureUnionExtractor(blocks, memory=memory).fit_transform(load(paths))
    (killed,) = tmp_path.glob("killed-*")
    assert int(killed.name.partition("-")[2]) in workers
    assert len(paths) <= n_extracted(tmp_path) <= len(paths) + IN_PROGRESS
    with joblib.parallel_config(backend="sequential"):
        alone = FeatureUnionExtractor(blocks).fit_transform(load(paths))
    np.testing.assert_array_equal(features, alone)
    files = [path.name for path in memory.rglob("*") if path.is_file()]
    assert len(files) == len(paths)
    assert {name.partition(".")[2] for name in files} == {"features"}  # no temporary file
    on_cluster.wait_for_workers(2)


def test_lost_scheduler(tmp_path, free_port):
    """The call ends with a line, and the same call goes on from the cache."""
    paths = write_recordings(tmp_path, [0.1] * 240)
    memory = tmp_path / "memory"
    extractor = FeatureUnionExtractor(["mfcc", ("counts", Counts(str(tmp_path)))], memory=memory)
    (tmp_path / "slow").touch()
    with scheduler_that_can_be_killed(free_port) as scheduler:

        def kill():
            while not list(memory.rglob("*.features")) and scheduler.poll() is None:
                time.sleep(0.01)
            scheduler.kill()

        message = f"^tcp://127.0.0.1:{free_port}: the connection to the scheduler is lost$"
        with ThreadPoolExecutor(1) as pool, joblib.parallel_config(backend="dask"):
            killing = pool.submit(kill)
            with pytest.raises(ClusterError, match=message):
                extractor.fit_transform(load(paths))
            killing.result()
    (tmp_path / "slow").unlink()
    n_done, n_kept = n_extracted(tmp_path), len(list(memory.rglob("*.features")))
    assert 0 < n_kept < len(paths)
    assert n_done <= n_kept + 2 * IN_PROGRESS
    features = extractor.fit_transform(load(paths))
    assert n_extracted(tmp_path) - n_done == len(paths) - n_kept
    np.testing.assert_array_equal(
        features, extractor.set_params(memory=None).fit_transform(load(paths))
    )


def test_failure_names_the_recording(on_cluster, paths):
    message = f"^{paths[0]}: block 'fails': ZeroDivisionError: went wrong$"
    with pytest.raises(ExtractionError, match=message) as caught:
        FeatureUnionExtractor([("fails", Fails())]).fit_transform(load(paths[:1]))
    assert "ZeroDivisionError" in str(caught.value.__cause__)


def test_recording_that_vanishes(on_cluster, paths, tmp_path):
    vanishing = shutil.copy(paths[0], tmp_path / "vanishing.flac")
    clips = load([paths[0], str(vanishing)])
    vanishing.unlink()
    with pytest.raises(FileNotFoundError, match=r"vanishing\.flac"):
        FeatureUnionExtractor(["mfcc"]).fit_transform(clips)


@pytest.mark.slow
@pytest.mark.parametrize("cached", [False, True])
def test_search_on_the_cluster(on_cluster, paths, tmp_path, cached):
    memory = str(tmp_path / "memory") if cached else None
    pipeline = make_pipeline(
        AudioLoader(duration=None),
        FeatureUnionExtractor(["mfcc", "rms"], memory=memory),
        FeatureScaler(),
        LogisticRegression(),
    )
    grid = {
        "featureunionextractor__mfcc": [MFCC(n_mfcc=13), "drop"],
        "featureunionextractor__rms": [RMS()],
        "logisticregression__C": [0.1, 10],
    }
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=-1)
    y = np.arange(len(paths)) // 20 % 2
    scores = search.fit(paths, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="sequential"):
        alone = search.fit(paths, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, alone)
