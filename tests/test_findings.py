import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from skser import FeatureUnionExtractor, SpeakerNormalizer, cross_corpus
from skser._findings import Findings, find
from skser.exceptions import DataError
from skser.explanation import block_importance, saliency
from skser.leakage import leakage_report
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
NOTHING = {"leakage": False, "explain": False, "corpora": {}}


class MeanOverTime(ClassifierMixin, BaseEstimator):
    """Logistic regression on the mean of a sequence."""

    def fit(self, X, y):
        self.inner_ = LogisticRegression().fit(X.mean(axis=1), y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X.mean(axis=1))


def sequence_pipeline():
    features = FeatureUnionExtractor(["rms", "zcr"], statistics=None)
    return quick_pipeline(features=features, classify=MeanOverTime())


def test_findings_are_those_of_the_functions(tmp_path):
    corpora = {"one": SPEECH, "two": noises(seed=1)}
    pipeline = sequence_pipeline()
    how = {"leakage": True, "explain": True, "corpora": corpora, "n_jobs": None}
    found = find(pipeline, SPEECH, None, checkpoint=tmp_path / "folds", **how)

    report = leakage_report(pipeline, SPEECH)
    evaluation = report.new_speakers
    assert (
        found.evaluation.to_json().partition('"fit_seconds"')[0]
        == (evaluation.to_json().partition('"fit_seconds"')[0])
    )
    assert_allclose(found.leakage.to_frame(), report.to_frame())
    assert_allclose(found.importance, block_importance(pipeline, SPEECH))
    assert_allclose(found.cross_corpus, cross_corpus(pipeline, corpora))

    surest = evaluation.mistakes().index[0]
    others = SPEECH.groups != SPEECH.groups[surest]
    stranger = pipeline.fit(SPEECH.waveforms[others], SPEECH.target[others])
    mistake = evaluation.predictions["predicted"][surest]
    expected = saliency(stranger, SPEECH.waveforms[surest], emotion=mistake)
    assert_allclose(found.saliency.values, expected.values, atol=1e-7)
    assert found.saliency.probability == pytest.approx(expected.probability)
    assert (found.saliency.emotion, found.saliency.feature_names[0]) == (mistake, "rms")

    written = {path.name for path in found.write(tmp_path, title="Noise")}
    assert {path.name for path in tmp_path.iterdir()} == written | {"folds"}
    assert {"saliency.png", "cross_corpus.png", "cross_corpus.csv", "leakage.csv"} <= written


def test_nothing_is_fitted_again(tmp_path):
    how = {**NOTHING, "explain": True, "n_jobs": None, "checkpoint": tmp_path}
    find(sequence_pipeline(), SPEECH, None, **how)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 4 + 4 + 1
    find(sequence_pipeline(), SPEECH, None, **how)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


@pytest.mark.parametrize(
    "pipeline",
    [quick_pipeline(), sequence_pipeline().set_params(scale=SpeakerNormalizer(transductive=True))],
    ids=["no sequences", "normalised by speaker"],
)
def test_saliency_is_left_out_where_there_is_none(pipeline):
    found = find(
        pipeline, SPEECH, None, **{**NOTHING, "explain": True}, n_jobs=None, checkpoint=None
    )
    assert found.saliency is None
    assert set(found.importance.index) == {"rms", "zcr"}


def test_corpora_are_checked_before_the_work():
    class Untouched:
        """Fails at any use."""

    corpora = {"one": SPEECH, "two": noises(emotions=("bored", "calm"))}
    with pytest.raises(DataError, match="at least two emotions in common, got calm"):
        find(Untouched(), SPEECH, None, **{**NOTHING, "corpora": corpora}, checkpoint=None)


def test_files_of_another_run_do_not_stay(evaluation, tmp_path):
    losses = pd.DataFrame({"mean": [0.1], "sd": [0.0]}, index=["rms"])
    (tmp_path / "mine.csv").write_text("a,b")
    Findings(evaluation, importance=losses).write(tmp_path, title="Noise")
    assert (tmp_path / "block_importance.png").exists()
    written = Findings(evaluation).write(tmp_path, title="Noise")
    assert set(tmp_path.iterdir()) == {*written, tmp_path / "mine.csv"}


def test_told(evaluation):
    found = find(quick_pipeline(), SPEECH, None, **NOTHING, checkpoint=None)
    uar = evaluation.to_frame().loc["uar"]
    recall = evaluation.per_class()["recall"]
    assert found.told() == [
        f"unweighted average recall {uar['pooled']:.3f} (95 % {uar['low']:.3f} to "
        f"{uar['high']:.3f}; 0.333 would be chance)",
        "4 folds (leave one speaker out), speaker-independent: nobody tested is trained on",
        f"recall angry {recall['angry']:.2f}, calm {recall['calm']:.2f}, sad {recall['sad']:.2f}",
    ]
    assert np.isfinite(uar).all()
