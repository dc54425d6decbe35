"""Evaluations of pipelines that are standardised by corpus."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skser import cross_corpus, evaluate
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import SoftVotingClassifier
from skser.evaluation._corpus import read_corpus
from skser.evaluation._fitted_fold import fit_fold
from skser.exceptions import DataError
from skser.inspection import block_importance
from skser.metrics import unweighted_average_recall
from skser.recipes import standardize_by_corpus
from tests.evaluations import noises, quick_pipeline


def together(factors=(1.0, 5.0), n_speakers=(3, 4)):
    """Two corpora of noises as one, the second larger, and louder as by another microphone."""
    parts = [noises(n, seed=seed) for seed, n in enumerate(n_speakers)]
    frame = pd.concat(
        [
            part.frame.assign(corpus=name, speaker=f"{name}-" + part.frame["speaker"])
            for name, part in zip(("near", "loud"), parts, strict=True)
        ],
        ignore_index=True,
    )
    waveforms = [f * part.waveforms for f, part in zip(factors, parts, strict=True)]
    return Bunch(
        waveforms=np.concatenate(waveforms),
        target=frame["emotion"].to_numpy(dtype=str),
        groups=frame["speaker"].to_numpy(dtype=str),
        frame=frame,
    )


SPEECH = together()
PIPELINE = standardize_by_corpus(quick_pipeline())


def test_clips_have_the_training_statistics_of_their_corpus():
    evaluation = evaluate(PIPELINE, SPEECH)
    features = quick_pipeline()[:2].fit_transform(SPEECH.waveforms)
    corpora = SPEECH.frame["corpus"].to_numpy(dtype=str)
    for speaker in np.unique(SPEECH.groups):
        test = speaker == SPEECH.groups
        scaled = np.empty(features.shape)
        for corpus in np.unique(corpora):
            own = corpora == corpus
            scaled[own] = StandardScaler().fit(features[own & ~test]).transform(features[own])
        n_clips = np.array([np.sum(corpora[~test] == corpus) for corpus in corpora])
        weight = np.sum(~test) / 2 / n_clips
        by_hand = LogisticRegression().fit(
            scaled[~test], SPEECH.target[~test], sample_weight=weight[~test]
        )
        expected = by_hand.predict_proba(scaled[test])
        assert_allclose(evaluation.probabilities[test], expected, atol=1e-4)
    assert evaluation.protocol.endswith(
        "mean and deviation of each corpus: those of the clips that are trained on, for a new "
        "corpus the mean of all"
    )


def test_other_test_clips_change_nothing():
    corpus = read_corpus(SPEECH, pipeline=PIPELINE)
    train, test = np.arange(0, 40), np.arange(40, 63)
    fold = fit_fold(PIPELINE, corpus.clips, corpus.target, corpus.metadata, train)
    classes = np.unique(corpus.target)
    together = fold.probabilities(corpus.clips, test, classes)
    for i, row in zip(test[::7], together[::7], strict=True):
        alone = fold.probabilities(corpus.clips, np.array([i]), classes)
        assert_allclose(alone[0], row, atol=1e-6)


def test_a_corpus_without_training_clips_has_the_mean_statistics():
    corpus = read_corpus(SPEECH, pipeline=PIPELINE)
    is_near = corpus.domains == "near"
    fold = fit_fold(PIPELINE, corpus.clips, corpus.target, corpus.metadata, np.flatnonzero(is_near))
    classes = np.unique(corpus.target)
    new = np.flatnonzero(~is_near)
    with config_context(enable_metadata_routing=True):
        expected = fold.pipeline.predict_proba(corpus.clips[new])
    assert_allclose(fold.probabilities(corpus.clips, new, classes), expected)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps the weights that it was fitted with."""

    def fit(self, X, y, sample_weight=None):
        self.sample_weight_ = sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


class Passing(TransformerMixin, BaseEstimator):
    """A transformer whose fit takes weights, which are for classifiers alone."""

    def fit(self, X, y=None, sample_weight=None):
        assert sample_weight is None
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize("n_corpora", [1, 2])
def test_corpora_weigh_alike(n_corpora):
    pipeline = quick_pipeline(classify=Recorder())
    pipeline.steps.insert(3, ("pass", Passing()))
    corpus = read_corpus(SPEECH, pipeline=PIPELINE)
    train = np.flatnonzero((corpus.domains == "near") | (n_corpora == 2))
    data = corpus.clips, corpus.target, corpus.metadata, train
    weight = fit_fold(standardize_by_corpus(pipeline), *data).pipeline[-1].sample_weight_
    if n_corpora == 1:
        assert weight is None
    else:
        sums = [weight[corpus.domains[train] == name].sum() for name in ("near", "loud")]
        assert_allclose(sums, len(train) / 2)
    assert fit_fold(pipeline, *data).pipeline[-1].sample_weight_ is None
    own = {"sample_weight": np.arange(len(corpus.clips))}
    given = fit_fold(standardize_by_corpus(pipeline), *data, **own).pipeline[-1].sample_weight_
    assert given.tolist() == train.tolist()


def test_weights_need_no_standardisation_by_corpus():
    with config_context(enable_metadata_routing=True):
        classify = Recorder().set_fit_request(sample_weight=True)
    corpus = read_corpus(SPEECH, pipeline=PIPELINE)
    everything = np.arange(len(corpus.clips))
    data = corpus.clips, corpus.target, corpus.metadata, everything
    weight = fit_fold(quick_pipeline(classify=classify), *data).pipeline[-1].sample_weight_
    assert_allclose(weight[corpus.domains == "near"], 63 / 2 / 27)


def test_votes_and_wrappers():
    vote = SoftVotingClassifier([("quick", quick_pipeline()[1:])])
    inner = quick_pipeline()
    inner.steps[1:] = [("vote", vote)]
    expected = evaluate(PIPELINE, SPEECH).probabilities
    assert_allclose(evaluate(standardize_by_corpus(inner), SPEECH).probabilities, expected)
    scaled = TemperatureScaledClassifier(PIPELINE, cv=2)
    labels = evaluate(scaled, SPEECH).predictions["predicted"]
    assert labels.tolist() == evaluate(PIPELINE, SPEECH).predictions["predicted"].tolist()
    assert set(block_importance(PIPELINE, SPEECH).index) == {"zcr", "rms"}


def test_a_calibrated_pipeline_that_uses_no_corpora_needs_none():
    unknown = Bunch(**{**SPEECH, "frame": SPEECH.frame.drop(columns="corpus")})
    scaled = TemperatureScaledClassifier(quick_pipeline(), cv=2)
    labels = evaluate(scaled, unknown).predictions["predicted"]
    assert labels.tolist() == evaluate(quick_pipeline(), unknown).predictions["predicted"].tolist()
    with pytest.raises(DataError, match="column corpus in its frame"):
        evaluate(TemperatureScaledClassifier(PIPELINE, cv=2), unknown)


def test_prefit_pipelines_are_scored_as_they_are_used():
    """Own recordings may have a corpus of the same name, but `predict` knows none."""
    corpus = read_corpus(SPEECH, pipeline=PIPELINE)
    everything = np.arange(len(corpus.clips))
    fitted = fit_fold(PIPELINE, corpus.clips, corpus.target, corpus.metadata, everything).pipeline
    evaluation = evaluate(fitted, SPEECH, cv="prefit")
    assert_allclose(evaluation.probabilities, fitted.predict_proba(list(corpus.clips)), atol=1e-6)


def test_corpora_must_be_known():
    unknown = Bunch(**{**SPEECH, "frame": SPEECH.frame.drop(columns="corpus")})
    with pytest.raises(DataError, match="column corpus in its frame"):
        evaluate(PIPELINE, unknown)
    some = SPEECH.frame.assign(corpus=SPEECH.frame["corpus"].where(SPEECH.groups != "near-s00"))
    with pytest.raises(DataError, match="missing values"):
        evaluate(PIPELINE, Bunch(**{**SPEECH, "frame": some}))


def test_cross_corpus_adapted():
    corpora = {"a": noises(3), "b": noises(3, seed=1), "c": noises(3, seed=2)}
    corpora["c"].waveforms *= 5
    table = cross_corpus(PIPELINE, corpora)
    assert table.index.tolist() == ["a", "b", "c", "all others", "all others, adapted"]
    c = corpora["c"]
    ab = Bunch(waveforms=np.concatenate([corpora[name].waveforms for name in "ab"]))
    y = np.concatenate([corpora[name].target for name in "ab"])
    pipeline = standardize_by_corpus(quick_pipeline())
    with config_context(enable_metadata_routing=True):
        domains = np.repeat(["a", "b"], 27)
        pipeline.fit(list(ab.waveforms), y, domains=domains, sample_weight=np.ones(54))
    as_is = pipeline.predict(list(c.waveforms))
    assert table.loc["all others", "c"] == pytest.approx(unweighted_average_recall(c.target, as_is))
    features = StandardScaler().fit_transform(pipeline[:2].transform(c.waveforms))
    adapted = pipeline["classify"].predict(features)
    expected = unweighted_average_recall(c.target, adapted)
    assert table.loc["all others, adapted", "c"] == pytest.approx(expected)
    assert table.loc["all others, adapted", "c"] > table.loc["all others", "c"]
    with pytest.raises(DataError, match="named 'all others, adapted'"):
        cross_corpus(PIPELINE, {**corpora, "all others, adapted": corpora["a"]})


def test_two_corpora_adapted():
    corpora = {"a": noises(3), "b": noises(3, seed=1)}
    table = cross_corpus(PIPELINE, corpora)
    assert table.index.tolist() == ["a", "b", "all others", "all others, adapted"]
    assert table.loc["all others", "a"] == table.loc["b", "a"]
