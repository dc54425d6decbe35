"""Evaluations of classifiers of features."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skser import FeatureScaler, cross_corpus, evaluate
from skser.evaluation import leakage_report
from skser.exceptions import DataError, LeakageWarning
from skser.metrics import unweighted_average_recall
from skser.recipes import functionals, standardize_by_corpus
from skser.report import write_report

RNG = np.random.default_rng(0)
Y = np.tile(["angry", "calm", "sad"], 20)
SPEAKERS = np.repeat(["ann", "bob", "cid", "dee"], 15)
# Some values are like integers of 16 bits, as those of openSMILE are.
X = RNG.normal(size=(60, 5)) * [1, 1, 1, 1, 30000]
X[:, 0] += 2 * (Y == "sad")
MODEL = make_pipeline(StandardScaler(), LogisticRegression())


def test_a_matrix():
    evaluation = evaluate(MODEL, X, Y, groups=SPEAKERS)
    expected = cross_val_predict(
        MODEL, X, Y, groups=SPEAKERS, cv=LeaveOneGroupOut(), method="predict_proba"
    )
    assert_allclose(evaluation.probabilities, expected)
    assert evaluation.protocol == (
        "4 folds (leave one speaker out), speaker-independent: nobody tested is trained on"
    )
    assert evaluation.predictions["path"].tolist() == [f"row {i}" for i in range(60)]
    assert evaluation.by("speaker")["n_clips"].tolist() == [15] * 4
    assert evaluate(MODEL, X, Y).protocol.startswith("5 folds (clips at random), speakers not")


def test_a_bunch_with_names_of_recordings():
    frame = pd.DataFrame({"path": [f"{i}.wav" for i in range(60)], "speaker": SPEAKERS})
    speech = Bunch(data=X, target=Y, frame=frame, paths=frame["path"])
    evaluation = evaluate(MODEL, speech)
    assert evaluation.predictions["path"].tolist() == frame["path"].tolist()
    assert_allclose(evaluation.probabilities, evaluate(MODEL, X, Y, groups=SPEAKERS).probabilities)


@pytest.mark.slow
def test_report(tmp_path):
    evaluation = evaluate(MODEL, X, Y, groups=SPEAKERS)
    write_report(evaluation, tmp_path / "report.html")
    assert "leave one speaker out" in (tmp_path / "report.html").read_text()


def test_a_data_frame_keeps_its_columns(tmp_path):
    table = pd.DataFrame(X, columns=list("abcde")).assign(sex=["f", "m"] * 30)
    model = make_pipeline(
        make_column_transformer((StandardScaler(), ["a", "e"])), LogisticRegression()
    )
    first = evaluate(model, table, Y, groups=SPEAKERS, checkpoint=tmp_path)
    expected = evaluate(MODEL, X[:, [0, 4]], Y, groups=SPEAKERS)
    assert_allclose(first.probabilities, expected.probabilities)
    again = evaluate(model, table, Y, groups=SPEAKERS, checkpoint=tmp_path)
    assert again.folds == first.folds
    fitted = evaluate(model.fit(table, Y), table, Y, cv="prefit")
    assert_allclose(fitted.probabilities, model.predict_proba(table))


class MeanOfFrames(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.mean(axis=1)


def test_sequences():
    sequences = np.stack([X, 2 * X], axis=1)
    evaluation = evaluate(make_pipeline(MeanOfFrames(), *MODEL), sequences, Y, groups=SPEAKERS)
    assert_allclose(evaluation.probabilities, evaluate(MODEL, X, Y, groups=SPEAKERS).probabilities)


def test_equal_rows_are_leakage():
    rows = X.copy()
    rows[45] = rows[0]
    with pytest.warns(LeakageWarning, match=r"equal rows .* such as row 0 and row 45"):
        evaluate(MODEL, rows, Y, groups=SPEAKERS)


def test_equal_rows_of_a_mixed_data_frame_are_leakage():
    rows = X.copy()
    rows[45] = rows[0]
    table = pd.DataFrame(rows, columns=list("abcde")).assign(sex=["f"] * 60)
    model = make_pipeline(make_column_transformer(("passthrough", ["a"])), LogisticRegression())
    with pytest.warns(LeakageWarning, match=r"equal rows .* such as row 0 and row 45"):
        evaluate(model, table, Y, groups=SPEAKERS)


def test_leakage_report():
    report = leakage_report(MODEL, X, Y, groups=SPEAKERS)
    assert len(report.random.folds) == len(report.new_speakers.folds) == 4


@pytest.mark.parametrize(
    ("model", "bunch", "message"),
    [
        (
            functionals(),
            Bunch(data=X, target=Y),
            r"corpus must have paths \(or waveforms\) for AudioLoader, .* got data",
        ),
        (MODEL, Bunch(data=X[0], target=Y), r"data must be features .* a ndarray of shape \(5,\)"),
        (MODEL, Bunch(data=X.astype(str), target=Y), "data must be features in an array of num"),
        (MODEL, Bunch(data=X), "corpus must have paths .* and target, got data"),
    ],
)
def test_bunches_that_do_not_fit(model, bunch, message):
    with pytest.raises(DataError, match=message):
        evaluate(model, bunch)


OTHER = X + np.random.default_rng(1).normal(size=X.shape)


def test_cross_corpus():
    corpora = {"a": (X, Y, SPEAKERS), "b": Bunch(data=OTHER, target=Y, groups=SPEAKERS)}
    table = cross_corpus(MODEL, corpora)
    labels = MODEL.fit(X, Y).predict(OTHER)
    assert table.loc["a", "b"] == unweighted_average_recall(Y, labels)
    within = evaluate(MODEL, OTHER, Y, groups=SPEAKERS).to_frame().loc["uar", "pooled"]
    assert table.loc["b", "b"] == within


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_cross_corpus_of_data_frames_that_are_standardised():
    model = standardize_by_corpus(make_pipeline(FeatureScaler(), LogisticRegression()))
    tables = [pd.DataFrame(values, columns=list("abcde")) for values in (X, OTHER)]
    corpora = {name: (table, Y, SPEAKERS) for name, table in zip("ab", tables, strict=True)}
    assert cross_corpus(model, corpora).index.tolist() == [
        *("a", "b", "all others", "all others, adapted")
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (X[:, :4], r"got an array of shape \(n_clips, 5\) in a and .* \(n_clips, 4\) in b"),
        (pd.DataFrame(X[:, :2], columns=["f0", "f1"]), "in a and a DataFrame in b"),
        (list(X[:, :4]), "in a and recordings in b"),
    ],
)
def test_cross_corpus_of_other_features(other, message):
    with pytest.raises(DataError, match=message):
        cross_corpus(MODEL, {"a": (X, Y, SPEAKERS), "b": (other, Y, SPEAKERS)})


def test_cross_corpus_of_columns_in_another_order():
    table = pd.DataFrame(X, columns=list("abcde"))
    other = pd.DataFrame(OTHER, columns=list("abcde"))
    expected = cross_corpus(MODEL, {"a": (table, Y, SPEAKERS), "b": (other, Y, SPEAKERS)})
    reversed_ = other[other.columns[::-1]]
    found = cross_corpus(MODEL, {"a": (table, Y, SPEAKERS), "b": (reversed_, Y, SPEAKERS)})
    pd.testing.assert_frame_equal(found, expected)
    renamed = other.rename(columns={"e": "f"})
    with pytest.raises(DataError, match="columns of features, got e, f in only one of a and b"):
        cross_corpus(MODEL, {"a": (table, Y, SPEAKERS), "b": (renamed, Y, SPEAKERS)})
