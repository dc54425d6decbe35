import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skser import AudioLoader, FeatureScaler, FeatureUnionExtractor, SpeakerNormalizer
from skser.evaluation._corpus import Corpus
from skser.evaluation._fitted_fold import features_kept
from skser.evaluation._folds import run_folds
from skser.exceptions import DataError, ParameterError

N_SPEAKERS = 4
GROUPS = np.repeat(list("abcd"), 6)
TARGET = np.tile(["angry", "calm", "sad"], 8)
CLIPS = np.empty(24, dtype=object)
CLIPS[:] = list(
    np.random.default_rng(0).normal(size=(24, 4000))
    * (0.01 + np.searchsorted(["angry", "calm", "sad"], TARGET))[:, None]
)
CORPUS = Corpus(CLIPS, TARGET, GROUPS, pd.DataFrame())
PARTS = list(LeaveOneGroupOut().split(CLIPS, TARGET, GROUPS))


def pipeline_of(classifier=None, scale=None, **params):
    return Pipeline(
        [
            ("load", AudioLoader(duration=0.25)),
            ("features", FeatureUnionExtractor(["zcr", "rms"], **params)),
            ("scale", scale or FeatureScaler()),
            ("classify", classifier or LogisticRegression()),
        ]
    )


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_folds_are_what_fitting_by_hand_gives(n_jobs):
    folds = run_folds(pipeline_of(), CORPUS, PARTS, n_jobs=n_jobs)
    for (train, test), fold in zip(PARTS, folds, strict=True):
        by_hand = pipeline_of().fit(CLIPS[train], TARGET[train]).predict_proba(CLIPS[test])
        assert_allclose(fold.measured, by_hand, rtol=1e-6)
        assert fold.history is None
        assert fold.fit_seconds > 0


def test_pipeline_is_not_changed():
    pipeline = pipeline_of(verbose=1)
    run_folds(pipeline, CORPUS, PARTS)
    assert pipeline["features"].memory is None
    assert pipeline["features"].verbose == 1
    assert not hasattr(pipeline["classify"], "classes_")


def test_classes_that_a_fold_does_not_know_have_no_probability():
    train = np.flatnonzero((TARGET != "calm") & (GROUPS != "a"))
    test = np.flatnonzero((TARGET != "calm") & (GROUPS == "a"))
    (fold,) = run_folds(pipeline_of(), CORPUS, [(train, test)])
    assert_array_equal(np.array(fold.measured)[:, 1], 0)
    assert_allclose(np.sum(fold.measured, axis=1), 1)


def test_without_probabilities_all_is_for_the_label():
    pipeline = pipeline_of(LinearSVC())
    (fold, *_) = run_folds(pipeline, CORPUS, PARTS)
    train, test = PARTS[0]
    labels = clone(pipeline).fit(CLIPS[train], TARGET[train]).predict(CLIPS[test])
    assert_array_equal(np.array(["angry", "calm", "sad"])[np.argmax(fold.measured, 1)], labels)
    assert set(np.ravel(fold.measured)) == {0.0, 1.0}


def test_steps_that_consume_groups_get_the_speakers():
    normalizer = SpeakerNormalizer(transductive=True)
    folds = run_folds(pipeline_of(scale=normalizer), CORPUS, PARTS)
    train, test = PARTS[0]
    with sklearn.config_context(enable_metadata_routing=True):
        by_hand = pipeline_of(scale=normalizer).fit(
            CLIPS[train], TARGET[train], groups=GROUPS[train]
        )
        expected = by_hand.predict_proba(CLIPS[test], groups=GROUPS[test])
    assert_allclose(folds[0].measured, expected, rtol=1e-6)


class Counted(ClassifierMixin, BaseEstimator):
    """Leaves a file wherever it is fitted, and fails from some number of fits."""

    def __init__(self, log, fail_from=99, level=0.0):
        self.log = log
        self.fail_from = fail_from
        self.level = level

    def fit(self, X, y):
        if len(list(Path(self.log).iterdir())) >= self.fail_from:
            raise KeyboardInterrupt
        (Path(self.log) / f"{len(list(Path(self.log).iterdir()))}").touch()
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def fits(folder):
    return len(list(folder.iterdir()))


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


def test_finished_folds_are_not_done_again(tmp_path, log):
    pipeline = pipeline_of(Counted(log))
    first = run_folds(pipeline, CORPUS, PARTS[:2], checkpoint=tmp_path / "out")
    again = run_folds(pipeline, CORPUS, PARTS, checkpoint=tmp_path / "out")
    assert fits(log) == len(PARTS)
    assert again[:2] == first
    # Nothing is left but the folds.
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json"}


@pytest.mark.parametrize(
    ("change", "n_new"),
    [
        ({"classify__level": 1.0}, 4),
        ({"features__hop_length": 200}, 4),
        ({"features__n_jobs": 2, "features__verbose": 1}, 0),
    ],
)
def test_another_pipeline_has_other_folds(tmp_path, log, change, n_new):
    pipeline = pipeline_of(Counted(log))
    run_folds(pipeline, CORPUS, PARTS, checkpoint=tmp_path / "out")
    changed = clone(pipeline).set_params(**change)
    run_folds(changed, CORPUS, PARTS, checkpoint=tmp_path / "out")
    assert fits(log) == 4 + n_new


def test_other_code_of_a_step_has_other_folds(tmp_path, log):
    for change in (lambda X: X, lambda X: -X, lambda X: -X):
        pipeline = pipeline_of(Counted(log))
        pipeline.steps.insert(2, ("change", FunctionTransformer(change)))
        run_folds(pipeline, CORPUS, PARTS, checkpoint=tmp_path / "out")
    assert fits(log) == 4 + 4


class Holder:
    """An object that can be copied but not pickled."""

    def __init__(self):
        self.function = lambda X: X

    def __call__(self, X):
        return self.function(X)


def test_steps_that_cannot_be_pickled_have_no_checkpoint(tmp_path):
    pipeline = pipeline_of(scale=FunctionTransformer(Holder()))
    with pytest.raises(ParameterError, match=r"^checkpoint must be None.*pipeline"):
        run_folds(pipeline, CORPUS, PARTS, checkpoint=tmp_path)


def test_other_labels_and_recordings_have_other_folds(tmp_path, log):
    pipeline = pipeline_of(Counted(log))
    other = CLIPS.copy()
    other[0] = other[0] * 0.5
    for clips, target in ((CLIPS, TARGET), (CLIPS, TARGET[::-1]), (other, TARGET)):
        corpus = CORPUS._replace(clips=clips, target=target)
        run_folds(pipeline, corpus, PARTS[:1], checkpoint=tmp_path / "out")
    assert fits(log) == 3


def test_an_interrupted_run_keeps_its_folds(tmp_path, log):
    with pytest.raises(KeyboardInterrupt):
        run_folds(
            pipeline_of(Counted(log, fail_from=2)), CORPUS, PARTS, checkpoint=tmp_path / "out"
        )
    assert (tmp_path / "out" / ".skser-features").is_dir()
    assert len(list((tmp_path / "out").glob("*.json"))) == 2


KILLED = """
import os, signal, sys
import numpy as np
from tests.evaluation import test_folds as t
from skser.evaluation._folds import run_folds
from pathlib import Path

class Killer(t.Counted):
    def predict_proba(self, X):
        if t.fits(Path(self.log)) == 3 and os.environ.get("KILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict_proba(X)

run_folds(t.pipeline_of(Killer(sys.argv[1])), t.CORPUS, t.PARTS,
          checkpoint=Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_run_is_resumed(tmp_path, log):
    command = [sys.executable, "-c", KILLED, str(log), str(tmp_path / "out")]
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run(command, cwd=root, env={**os.environ, "KILL": "1"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "out").glob("*.json"))) == 2
    subprocess.run(command, cwd=root, check=True)
    assert fits(log) == 3 + 2
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 4
    assert all(json.loads(file.read_text())["measured"] for file in files)


def test_features_are_kept_while_the_block_lasts(tmp_path):
    with features_kept(pipeline_of(), tmp_path) as kept:
        kept.fit(CLIPS, TARGET)
        # A block inside, as in each of several evaluations, deletes nothing of this one's.
        with features_kept(kept, tmp_path) as again:
            assert again["features"].memory == tmp_path / ".skser-features"
        again.fit(CLIPS, TARGET)
        assert again["features"].cache_info().misses == 0
    assert list(tmp_path.iterdir()) == []


def test_memory_of_the_user_is_left_alone(tmp_path):
    with features_kept(pipeline_of(memory=tmp_path / "mine"), tmp_path / "out") as kept:
        assert kept["features"].memory == tmp_path / "mine"
        kept.fit(CLIPS, TARGET)
    assert (tmp_path / "mine").is_dir()
    assert not (tmp_path / "out").exists()


def count_test_clips(fitted, corpus, test):
    return [len(test), type(fitted.pipeline).__name__]


def test_anything_can_be_measured(tmp_path):
    data = (CORPUS, PARTS)
    folds = run_folds(pipeline_of(), *data, measure=count_test_clips, checkpoint=tmp_path)
    assert [fold.measured for fold in folds] == [[6, "Pipeline"]] * 4
    # What is measured makes other folds.
    assert np.shape(run_folds(pipeline_of(), *data, checkpoint=tmp_path)[0].measured) == (6, 3)
    assert len(list(tmp_path.glob("*.json"))) == 8


class NotANumber(Counted):
    def predict_proba(self, X):
        probabilities = super().predict_proba(X)
        probabilities[1, 0] = np.nan
        return probabilities


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_probabilities_must_be_finite(log, tmp_path, n_jobs):
    paths = np.array([str(tmp_path / f"{i}.wav") for i in range(24)], dtype=object)
    for path, waveform in zip(paths, CLIPS, strict=True):
        soundfile.write(path, waveform, 16000)
    # The second clip of any fold.
    message = r"pipeline must return probabilities, got \[ *nan .* for .*/(1|7|13|19).wav$"
    corpus = CORPUS._replace(clips=paths)
    with pytest.raises(DataError, match=message):
        run_folds(pipeline_of(NotANumber(log)), corpus, PARTS, n_jobs=n_jobs)
