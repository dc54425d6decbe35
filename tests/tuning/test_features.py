"""Studies of classifiers of features."""

import numpy as np
import optuna
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skser import evaluate
from skser.exceptions import DataError, LeakageWarning, StudyError
from skser.recipes import functionals
from skser.tuning import TunedClassifier, nested_evaluate, tune

optuna.logging.set_verbosity(optuna.logging.ERROR)
Y = np.tile(["angry", "calm", "sad"], 20)
SPEAKERS = np.repeat(["ann", "bob", "cid", "dee"], 15)
X = np.random.default_rng(0).normal(size=(60, 5))
X[:, 0] += 2 * (Y == "sad")
TABLE = pd.DataFrame(X, columns=list("abcde"))
MODEL = make_pipeline(StandardScaler(), LogisticRegression())
HOW = {"n_trials": 2, "random_state": 0}


def penalty(trial):
    return {"logisticregression__C": trial.suggest_float("C", 0.01, 10, log=True)}


def test_tune():
    tuning = tune(MODEL, X, Y, groups=SPEAKERS, space=penalty, **HOW)
    expected = evaluate(MODEL, X, Y, groups=SPEAKERS).to_frame().loc["uar", "pooled"]
    assert tuning.baseline == pytest.approx(expected)
    for features in (TABLE, Bunch(data=X, target=Y, groups=SPEAKERS)):
        of_bunch = isinstance(features, Bunch)
        more = {} if of_bunch else {"y": Y, "groups": SPEAKERS}
        again = tune(MODEL, features, space=penalty, **more, **HOW)
        assert again.to_frame()["uar"].tolist() == tuning.to_frame()["uar"].tolist()
    best = tuning.best_pipeline()
    assert_allclose(best.predict_proba(X).sum(axis=1), 1)
    with pytest.warns(LeakageWarning, match="were chosen on 60 of these 60 clips"):
        evaluate(best, X, Y, groups=SPEAKERS)


def test_without_speakers_and_with_a_storage(tmp_path):
    how = {"space": penalty, "storage": tmp_path / "study.journal", **HOW}
    assert tune(MODEL, TABLE, Y, **how).n_run == 2
    assert tune(MODEL, TABLE, Y, **how).n_run == 0
    with pytest.raises(StudyError, match="was begun with another corpus; "):
        tune(MODEL, TABLE + 1, Y, **how)


def test_nested(tmp_path):
    how = {"groups": SPEAKERS, "space": penalty, "checkpoint": tmp_path, **HOW}
    evaluation = nested_evaluate(MODEL, TABLE, Y, **how)
    assert len(evaluation.folds) == len(list((tmp_path / "studies").glob("*.journal"))) == 4
    bunch = Bunch(data=X, target=Y, groups=SPEAKERS)
    again = nested_evaluate(MODEL, bunch, space=penalty, **HOW)
    assert_allclose(again.probabilities, evaluation.probabilities)


def test_what_does_not_fit():
    bunch = Bunch(data=X, target=Y, groups=SPEAKERS)
    with pytest.raises(DataError, match=r"paths \(or waveforms\) for AudioLoader, .* got data"):
        tune(functionals(), bunch, **HOW)
    with pytest.raises(DataError, match="y must not be given beside a Bunch"):
        TunedClassifier(MODEL, space=penalty, **HOW).fit(bunch, Y)
