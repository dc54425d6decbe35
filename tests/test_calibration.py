import pickle
from dataclasses import replace

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skser import SpeakerNormalizer, evaluate
from skser._utils._temperature import at_temperature
from skser.calibration import TemperatureScaledClassifier, calibrate, fit_temperature
from skser.exceptions import DataError, NotFittedError, ParameterError
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
CLASSES = np.array(["angry", "calm", "sad"])
TABLE_LABELS = np.tile(CLASSES, 20)
TABLE = np.random.default_rng(0).normal(size=(60, 4))
TABLE += np.searchsorted(CLASSES, TABLE_LABELS)[:, np.newaxis]
INDEPENDENT = "4 folds (leave one speaker out), speaker-independent: nobody tested is trained on"


def overconfident(seed=0, n=300):
    """Labels, and overconfident probabilities of them, by a temperature of about 3."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 3))
    probabilities = at_temperature(np.exp(scores), 1.0)
    truth = np.array([rng.choice(CLASSES, p=row) for row in probabilities])
    return truth, at_temperature(probabilities, 1 / 3)


@pytest.fixture(scope="module")
def alone():
    """The pipeline without a temperature."""
    return quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)


@pytest.fixture(scope="module")
def fitted():
    scaled = TemperatureScaledClassifier(quick_pipeline())
    return scaled.fit(SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups)


@pytest.mark.parametrize("seed", range(3))
def test_no_temperature_of_a_grid_is_better(seed):
    truth, probabilities = overconfident(seed)
    temperature = fit_temperature(truth, probabilities, CLASSES)
    grid = np.geomspace(1, 10, 50)
    losses = [log_loss(truth, at_temperature(probabilities, t)) for t in grid]
    assert log_loss(truth, at_temperature(probabilities, temperature)) <= min(losses) + 1e-12
    assert temperature == pytest.approx(grid[np.argmin(losses)], rel=0.05)
    assert temperature == pytest.approx(3, rel=0.3)


def test_temperature_is_that_of_scikit_learn():
    calibration = pytest.importorskip("sklearn.calibration")
    if not hasattr(calibration, "_TemperatureScaling"):
        pytest.skip("this scikit-learn has no temperature scaling")
    truth, probabilities = overconfident()
    theirs = calibration._TemperatureScaling().fit(probabilities, np.searchsorted(CLASSES, truth))
    temperature = fit_temperature(truth, probabilities, CLASSES)
    assert temperature == pytest.approx(1 / theirs.beta_, rel=1e-4)
    assert_allclose(
        at_temperature(probabilities, temperature), theirs.predict(probabilities), atol=1e-5
    )


def test_temperature_of_labels_that_are_all_right_or_all_wrong_is_finite():
    right = np.tile([1.0, 0.0, 0.0], (5, 1))
    assert 0.05 <= fit_temperature(["angry"] * 5, right, CLASSES) <= 1
    assert fit_temperature(["calm"] * 5, right, CLASSES) == pytest.approx(20, rel=0.01)


@given(st.floats(0.05, 20), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_scaling_keeps_the_order_of_classes_and_sums_to_one(temperature, seed):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), size=20)
    scaled = at_temperature(probabilities, temperature)
    assert_array_equal(scaled.argsort(axis=1), probabilities.argsort(axis=1))
    assert_allclose(scaled.sum(axis=1), 1)
    assert_allclose(at_temperature(probabilities, 1.0), probabilities)
    back = at_temperature(at_temperature(probabilities, 2.0), 0.5)
    assert_allclose(back, probabilities, atol=1e-9)


@pytest.mark.parametrize(
    ("truth", "probabilities", "message"),
    [
        (
            ["calm"],
            [[0.5, 0.5]],
            r"y_prob must be .*\(1, 3\).* got \(1, 2\)",
        ),
        (
            [],
            np.empty((0, 3)),
            r"y_prob must .* at least one clip, got \(0, 3\)",
        ),
        (["bored"], np.ones((1, 3)), "y_true must .*angry, calm, sad, got 'bored'"),
        (["calm"], [[0.5, 0.5, np.nan]], "y_prob must .*got NaN"),
    ],
)
def test_probabilities_are_checked(truth, probabilities, message):
    with pytest.raises(DataError, match=message):
        fit_temperature(truth, probabilities, CLASSES)


def test_temperature_is_from_speakers_who_were_not_trained_on(fitted, alone):
    X, y, groups = SPEECH.waveforms, SPEECH.target, SPEECH.groups
    probabilities = np.empty((len(y), 3))
    for train, test in StratifiedGroupKFold(4).split(X, y, groups):
        assert not set(groups[train]) & set(groups[test])
        probabilities[test] = quick_pipeline().fit(X[train], y[train]).predict_proba(X[test])
    assert fitted.temperature_ == pytest.approx(fit_temperature(y, probabilities, CLASSES))
    assert_array_equal(fitted.predict(X), alone.predict(X))
    assert_allclose(
        fitted.predict_proba(X), at_temperature(alone.predict_proba(X), fitted.temperature_)
    )
    assert_array_equal(fitted.classes_, CLASSES)


@pytest.mark.parametrize(
    ("cv", "groups", "splitter"),
    [
        (None, None, StratifiedKFold(5)),
        (3, None, StratifiedKFold(3)),
        (2, SPEECH.groups, StratifiedGroupKFold(2)),
        (GroupKFold(4), SPEECH.groups, GroupKFold(4)),
        (list(StratifiedKFold(4).split(SPEECH.target, SPEECH.target)), None, StratifiedKFold(4)),
        (
            [(SPEECH.groups != name, SPEECH.groups == name) for name in np.unique(SPEECH.groups)],
            SPEECH.groups,
            LeaveOneGroupOut(),
        ),
    ],
)
def test_folds(cv, groups, splitter):
    parts = TemperatureScaledClassifier(quick_pipeline(), cv=cv)._splits(SPEECH.target, groups)
    expected = splitter.split(SPEECH.target, SPEECH.target, groups)
    for (train, test), (their_train, their_test) in zip(parts, expected, strict=True):
        assert_array_equal(train, their_train)
        assert_array_equal(test, their_test)


def test_clips_of_a_class_that_their_fold_was_not_trained_on_do_not_count():
    X, y = np.arange(12.0).reshape(-1, 1), np.array(["calm", "sad"] * 5 + ["rare", "rare"])
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    scaled = TemperatureScaledClassifier(LogisticRegression()).fit(X, y, groups=groups)
    assert 0.05 <= scaled.temperature_ <= 20
    assert_array_equal(scaled.classes_, ["calm", "rare", "sad"])


def test_it_pickles_and_clones(fitted):
    loaded = pickle.loads(pickle.dumps(fitted))
    probabilities = loaded.predict_proba(SPEECH.waveforms)
    assert_array_equal(probabilities, fitted.predict_proba(SPEECH.waveforms))
    copy = clone(fitted).set_params(estimator__classify__C=0.5, cv=2)
    assert not hasattr(copy, "temperature_")
    assert fitted.get_params()["estimator__classify__C"] == 1.0


def test_paths_may_be_in_any_sequence(tmp_path):
    import pandas as pd
    import soundfile

    paths = []
    for i, wave in enumerate(SPEECH.waveforms):
        paths.append(str(tmp_path / f"{i}.wav"))
        soundfile.write(paths[-1], wave, 16000, subtype="FLOAT")
    quick = quick_pipeline(features__blocks=["rms"])
    temperatures = {
        TemperatureScaledClassifier(quick, cv=2).fit(X, SPEECH.target).temperature_
        for X in (paths, np.array(paths), pd.Series(paths, index=range(100, 136)))
    }
    assert len(temperatures) == 1


@pytest.mark.slow
def test_evaluation_measures_the_temperature_on_other_speakers(evaluation):
    scaled = TemperatureScaledClassifier(quick_pipeline())
    measured = evaluate(scaled, SPEECH)
    assert measured.protocol == INDEPENDENT
    assert_array_equal(measured.predictions["predicted"], evaluation.predictions["predicted"])
    left_out = SPEECH.groups == "s01"
    fold = clone(scaled).fit(
        SPEECH.waveforms[~left_out], SPEECH.target[~left_out], groups=SPEECH.groups[~left_out]
    )
    assert_allclose(
        measured.probabilities[left_out], fold.predict_proba(SPEECH.waveforms[left_out])
    )


def test_searches_and_cross_validation_pass_speakers():
    X, y, groups = TABLE, TABLE_LABELS, np.repeat(list("abcd"), 15)
    scaled = TemperatureScaledClassifier(GaussianNB())
    cv = LeaveOneGroupOut()
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            scaled, X, y, cv=cv, params={"groups": groups}, return_estimator=True
        )
        search = GridSearchCV(scaled, {"estimator__var_smoothing": [1e-9, 0.5]}, cv=cv)
        search.fit(X, y, groups=groups)
    for fold, (train, test) in enumerate(cv.split(X, y, groups)):
        alone = clone(scaled).fit(X[train], y[train], groups=groups[train])
        assert routed["estimator"][fold].temperature_ == alone.temperature_
        assert routed["test_score"][fold] == alone.score(X[test], y[test])
    best = clone(scaled).set_params(**search.best_params_)
    assert search.best_estimator_.temperature_ == best.fit(X, y, groups=groups).temperature_


def test_speakers_reach_the_steps_that_consume_them():
    X, y, groups = TABLE, TABLE_LABELS, np.repeat(list("abcd"), 15)
    pipeline = make_pipeline(SpeakerNormalizer(transductive=True), LogisticRegression())
    scaled = TemperatureScaledClassifier(pipeline).fit(X, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        alone = clone(pipeline).fit(X, y, groups=groups).predict_proba(X, groups=groups)
    assert_allclose(
        scaled.predict_proba(X, groups=groups), at_temperature(alone, scaled.temperature_)
    )
    assert_array_equal(scaled.predict(X, groups=groups), CLASSES[alone.argmax(axis=1)])


def test_weights_are_divided_as_the_clips_are():
    weights = np.random.default_rng(1).uniform(0.5, 2, size=60)
    scaled = TemperatureScaledClassifier(LogisticRegression())
    scaled.fit(TABLE, TABLE_LABELS, sample_weight=weights)
    alone = LogisticRegression().fit(TABLE, TABLE_LABELS, sample_weight=weights)
    assert_allclose(scaled.estimator_.coef_, alone.coef_)


def test_calibrate_takes_the_temperature_of_an_evaluation(evaluation, alone):
    scaled = calibrate(alone, evaluation)
    assert scaled.estimator_ is alone
    probabilities = evaluation.probabilities.to_numpy()
    assert scaled.temperature_ == fit_temperature(SPEECH.target, probabilities, CLASSES)
    # A fit makes the same folds of these four speakers, in another order.
    again = clone(scaled).set_params(cv=LeaveOneGroupOut())
    again.fit(SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups)
    assert again.temperature_ == pytest.approx(scaled.temperature_, rel=1e-5)
    assert_allclose(
        again.predict_proba(SPEECH.waveforms),
        scaled.predict_proba(SPEECH.waveforms),
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"classes": np.array(["angry", "sad"])},
            r"must have the same classes, got \['angry', 'calm', 'sad'\] and \['angry', 'sad'\]",
        ),
        (
            {"has_probabilities": False},
            "evaluation must have probabilities",
        ),
        (
            {"protocol": INDEPENDENT.replace("speaker-ind", "not speaker-ind")},
            "evaluation must .*not trained on, got '4 folds .*not speaker-independent",
        ),
    ],
)
def test_calibrate_refuses_other_evaluations(evaluation, alone, changed, message):
    with pytest.raises(DataError, match=message):
        calibrate(alone, replace(evaluation, **changed))


def test_calibrate_refuses_an_evaluation_of_a_fitted_pipeline(alone):
    with pytest.raises(DataError, match="evaluation must be of speakers that were not trained on"):
        calibrate(alone, evaluate(alone, SPEECH, cv="prefit"))


def test_calibrate_needs_an_evaluation(alone):
    with pytest.raises(ParameterError, match="evaluation must be an Evaluation, got 'scores'"):
        calibrate(alone, "scores")


def test_calibrate_needs_a_fitted_pipeline_with_probabilities(evaluation):
    with pytest.raises(NotFittedError):
        calibrate(quick_pipeline(), evaluation)
    ridge = quick_pipeline(classify=RidgeClassifier()).fit(SPEECH.waveforms, SPEECH.target)
    with pytest.raises(ParameterError, match=r"pipeline must have predict_proba.* RidgeClassifier"):
        calibrate(ridge, evaluation)


@pytest.mark.parametrize(
    ("params", "groups", "error", "message"),
    [
        (
            {"estimator": RidgeClassifier()},
            None,
            ParameterError,
            r"estimator must .*predict_proba, got RidgeClassifier\(\)",
        ),
        ({}, np.zeros(36), DataError, "groups must .*two speakers, got one"),
        ({}, SPEECH.groups[1:], DataError, "groups must .*36 clips, 35 speakers"),
        ({"cv": 1}, None, DataError, "cv cannot divide these clips: .*n_splits=1"),
        ({"cv": 1}, SPEECH.groups, DataError, "cv cannot divide these clips: .*n_splits=1"),
    ],
)
def test_errors(params, groups, error, message):
    scaled = TemperatureScaledClassifier(quick_pipeline()).set_params(**params)
    with pytest.raises(error, match=message):
        scaled.fit(SPEECH.waveforms, SPEECH.target, groups=groups)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        TemperatureScaledClassifier(quick_pipeline()).predict(SPEECH.waveforms)
