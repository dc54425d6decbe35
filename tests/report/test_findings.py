import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch

from skser import FeatureUnionExtractor, SpeakerNormalizer, compare, cross_corpus, evaluate
from skser._utils._temperature import at_temperature, fit_temperature
from skser.evaluation import leakage_report
from skser.exceptions import DataError
from skser.inspection import block_importance, saliency
from skser.report._analyses import _explain_surest_mistake, make_findings
from skser.report._findings import Findings, _coverage
from tests.evaluations import noises, quick_pipeline

pytestmark = pytest.mark.slow

SPEECH = noises()
CORPORA = {"first": SPEECH, "second": noises(seed=1)}
BASELINE = quick_pipeline(classify__C=1e-9)
PARAMS = {
    **{"leakage": True, "explain": True, "corpora": CORPORA, "n_jobs": None},
    "baseline": BASELINE,
}


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("findings")


@pytest.fixture(scope="module")
def findings(folder):
    return make_findings(sequence_pipeline(), SPEECH, None, checkpoint=folder / "folds", **PARAMS)


@pytest.mark.slow
def test_findings_are_those_of_the_functions(findings):
    pipeline = sequence_pipeline()
    report = leakage_report(pipeline, SPEECH)
    assert_allclose(findings.leakage.to_frame(), report.to_frame())
    evaluation = report.new_speakers
    assert findings.evaluation.predictions.equals(evaluation.predictions)
    assert_allclose(findings.comparison, compare(evaluate(BASELINE, SPEECH), evaluation))
    assert_allclose(findings.importance, block_importance(pipeline, SPEECH))
    assert_allclose(findings.cross_corpus, cross_corpus(pipeline, CORPORA))

    surest = evaluation.mistakes().index[0]
    train = SPEECH.groups != SPEECH.groups[surest]
    fitted = pipeline.fit(SPEECH.waveforms[train], SPEECH.target[train])
    mistake = evaluation.predictions["predicted"][surest]
    expected = saliency(fitted, SPEECH.waveforms[surest], emotion=mistake)
    assert_allclose(findings.saliency.values, expected.values, atol=1e-7)
    assert findings.saliency.probability == pytest.approx(expected.probability)
    assert (findings.saliency.emotion, findings.saliency.feature_names[0]) == (mistake, "rms")


def test_coverage_with_and_without_calibration(findings):
    evaluation = findings.evaluation
    table = _coverage(evaluation)
    truth, classes = evaluation.predictions["emotion"], evaluation.classes
    raw = evaluation.probabilities.to_numpy()
    calibrated = at_temperature(raw, fit_temperature(truth, raw, classes))
    for name, values in {"no": raw, "yes": calibrated}.items():
        part = table[table["calibrated"] == name]
        assert 5 < len(part) <= 20
        assert part["coverage"].iloc[0] == 1
        assert part["coverage"].is_monotonic_decreasing
        confidence = values.max(axis=1)
        coverage = [np.mean(confidence >= threshold) for threshold in part["threshold"]]
        assert_allclose(coverage, part["coverage"], atol=0.06)  # four digits of the threshold


def test_finished_folds_are_not_fitted_again(findings, folder):
    folds = {path: path.stat().st_mtime_ns for path in (folder / "folds").iterdir()}
    again = make_findings(sequence_pipeline(), SPEECH, None, checkpoint=folder / "folds", **PARAMS)
    assert {path: path.stat().st_mtime_ns for path in (folder / "folds").iterdir()} == folds
    assert again.importance.equals(findings.importance)


@pytest.mark.slow
def test_files_of_an_earlier_run_are_removed(findings, folder):
    (folder / "mine.csv").write_text("a,b")
    files = findings.write(folder, title="Noise")
    names = {path.name for path in files}
    assert re.search(r"folds took \d+\.\d seconds, ", (folder / "report.html").read_text())
    assert {
        "saliency.png",
        "comparison.png",
        "comparison.csv",
        "reliability.png",
        "coverage.csv",
        "cross_corpus.png",
        "cross_corpus.csv",
        "leakage.csv",
    } <= names
    assert set(folder.iterdir()) == {*files, folder / "folds", folder / "mine.csv"}
    comparison = pd.read_csv(folder / "comparison.csv", index_col="score")
    assert_allclose(comparison, findings.comparison)
    fewer = Findings(findings.evaluation).write(folder, title="Noise")
    assert set(folder.iterdir()) == {*fewer, folder / "folds", folder / "mine.csv"}


@pytest.mark.parametrize(
    "pipeline",
    [quick_pipeline(), sequence_pipeline().set_params(scale=SpeakerNormalizer(transductive=True))],
    ids=["no sequences", "normalised by speaker"],
)
def test_no_saliency_of_such_a_pipeline(pipeline, findings):
    assert _explain_surest_mistake(pipeline, SPEECH, findings.evaluation) is None


def test_saliency_of_a_mistake_in_the_split_of_a_corpus():
    split = np.where(SPEECH.groups == "s03", "test", "train")
    corpus = Bunch(
        waveforms=SPEECH.waveforms,
        target=SPEECH.target,
        frame=SPEECH.frame.drop(columns="speaker").assign(split=split),
    )
    evaluation = evaluate(sequence_pipeline(), corpus)
    found = _explain_surest_mistake(
        sequence_pipeline(), corpus, evaluation, n_jobs=None, checkpoint=None, verbose=0
    )
    surest, train = evaluation.mistakes().index[0], split == "train"
    assert split[surest] == "test"
    fitted = sequence_pipeline().fit(SPEECH.waveforms[train], SPEECH.target[train])
    expected = saliency(fitted, SPEECH.waveforms[surest], emotion=found.emotion)
    assert_allclose(found.values, expected.values, atol=1e-7)


def test_corpora_are_checked_before_the_work():
    class Untouched:
        """Fails at any use."""

    corpora = {"first": SPEECH, "second": noises(emotions=("bored", "calm"))}
    with pytest.raises(DataError, match="at least two emotions in common, got calm"):
        make_findings(Untouched(), SPEECH, None, **{**PARAMS, "corpora": corpora}, checkpoint=None)


def test_summary_lines(findings):
    uar = findings.evaluation.to_frame().loc["uar"]
    recall = findings.evaluation.per_class()["recall"]
    lines = Findings(findings.evaluation).summary_lines()
    assert lines == [
        f"unweighted average recall {uar['pooled']:.3f} (95 % {uar['low']:.3f} to "
        f"{uar['high']:.3f}; chance 0.333)",
        findings.evaluation.protocol,
        f"recall angry {recall['angry']:.2f}, calm {recall['calm']:.2f}, sad {recall['sad']:.2f}",
    ]
    more = findings.summary_lines()
    assert f"{findings.comparison['difference']['uar']:.3f}" in "".join(more[4:])
    assert more[:3] == lines
    assert more[3] == repr(findings.leakage).strip("<>")
    assert f"{findings.cross_corpus.loc['first', 'second']:.3f}" in more[-1] + more[-2]
