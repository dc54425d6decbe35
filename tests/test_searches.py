"""scikit-learn's searches, and Optuna's, over parameters of any step."""

import os
import warnings

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from scipy.stats import loguniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)

from skser import CNNEmotionClassifier
from skser.datasets import make_emotional_speech
from skser.recipes import functionals
from tests.evaluations import quick_pipeline

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return make_emotional_speech(
        tmp_path_factory.mktemp("speech"),
        n_speakers=4,
        emotions=["angry", "sad"],
        n_sentences=2,
        n_takes=1,
        random_state=0,
    )


def fitted(search, speech):
    return search.fit(speech.paths, speech.target, groups=speech.groups)


def n_entries(folder):
    return sum(name.endswith(".features") for _, _, names in os.walk(folder) for name in names)


@pytest.mark.slow
def test_grid_over_every_step(speech, tmp_path):
    pipeline = functionals(
        memory=tmp_path,
        random_state=0,
        augment__n_views=2,
        features__blocks=["mfcc", "rms"],
        features__statistics=("mean", "std"),
    )
    grid = {
        "load__sr": [16000, 22050],
        "augment__speed": [(0.9, 1.1), (0.8, 1.25)],
        "features__mfcc__n_mfcc": [8, 13],
        "classify__estimator__shrinkage": [0.3, 0.7],
    }
    search = fitted(
        GridSearchCV(pipeline, grid, cv=GroupKFold(2), scoring="balanced_accuracy", n_jobs=2),
        speech,
    )
    assert len(search.cv_results_["params"]) == 16
    assert search.best_score_ > 0.7
    # Clean clips for each rate and number of coefficients, and their views for each speed.
    assert n_entries(tmp_path) == 16 * (4 + 8)


@pytest.mark.slow
def test_random_search_over_a_network_extracts_once(speech, tmp_path):
    pipeline = quick_pipeline(
        features__memory=tmp_path,
        classify=CNNEmotionClassifier("dense", network__dense_units=(8,), epochs=1, random_state=0),
    )
    space = {
        "classify__learning_rate": loguniform(1e-3, 1e-1),
        "classify__network__dense_dropout": [0, 0.2],
    }
    search = RandomizedSearchCV(pipeline, space, n_iter=2, cv=GroupKFold(2), random_state=0)
    fitted(search, speech)
    assert n_entries(tmp_path) == len(speech.paths)
    assert search.best_estimator_["features"].cache_info().misses == 0


@pytest.mark.slow
def test_halving_by_epochs(speech, tmp_path):
    pipeline = quick_pipeline(
        features__memory=tmp_path,
        classify=CNNEmotionClassifier("dense", network__dense_units=(8,), random_state=0),
    )
    search = HalvingRandomSearchCV(
        pipeline,
        {"classify__learning_rate": loguniform(1e-3, 1e-1)},
        resource="classify__epochs",
        n_candidates=2,
        min_resources=1,
        max_resources=2,
        factor=2,
        cv=GroupKFold(2),
        random_state=0,
        refit=False,
    )
    fitted(search, speech)
    assert search.n_candidates_ == [2, 1]
    assert search.best_params_["classify__epochs"] == 2
    assert n_entries(tmp_path) == len(speech.paths)


def test_halving_by_clips(speech):
    search = HalvingRandomSearchCV(
        quick_pipeline(),
        {"classify__C": loguniform(0.01, 10)},
        n_candidates=2,
        min_resources=8,
        factor=2,
        cv=GroupKFold(2),
        random_state=0,
        error_score="raise",
    )
    fitted(search, speech)
    assert search.n_resources_ == [8, 16]


def test_optuna_search(speech, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # It imports what Optuna is about to remove.
        warnings.filterwarnings("ignore", "`optuna.terminator` module", FutureWarning)
        integration = pytest.importorskip("optuna_integration")
        search = integration.OptunaSearchCV(
            quick_pipeline(features__memory=tmp_path),
            {
                "classify__C": FloatDistribution(0.01, 10, log=True),
                "load__sr": CategoricalDistribution([16000, 22050]),
            },
            cv=GroupKFold(2),
            n_jobs=2,
            n_trials=6,
            random_state=0,
            scoring="balanced_accuracy",
        )
        fitted(search, speech)
    assert len(search.trials_) == 6
    assert search.best_estimator_.get_params()["classify__C"] == search.best_params_["classify__C"]
    assert n_entries(tmp_path) in (len(speech.paths), 2 * len(speech.paths))
    assert set(search.predict(speech.paths)) <= {"angry", "sad"}
