"""BlockVotingClassifier: a vote of classifiers that each see one block of the features."""

import pickle

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skser
from skser import AudioLoader, AugmentedClassifier, AugmentedFeatures, FeatureUnionExtractor
from skser._utils._temperature import at_temperature
from skser.classifiers import BlockVotingClassifier, WeightedLinearDiscriminant
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.persistence._light import load_light
from tests.evaluations import noises

RNG = np.random.default_rng(0)
Y = np.repeat(["angry", "calm", "sad"], 20)
X = 0.5 * np.unique(Y, return_inverse=True)[1][:, np.newaxis] + RNG.normal(size=(60, 12))
WEIGHT = RNG.uniform(0.5, 2, 60)
MEMBER = WeightedLinearDiscriminant(shrinkage=0.3)


def by_hand(members, weight=None):
    """Geometric mean of the probabilities of classifiers that each see some columns."""
    each = [
        clone(MEMBER).fit(X[:, columns], Y, sample_weight=weight).predict_proba(X[:, columns])
        for columns in members
    ]
    mean = np.prod(each, axis=0) ** (1 / len(each))
    return mean / mean.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_blocks", [1, 3, 12])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_is_the_mean_of_classifiers_of_the_blocks(n_blocks, weight):
    vote = BlockVotingClassifier(MEMBER, n_blocks).fit(X, Y, sample_weight=weight)
    expected = by_hand(np.arange(12).reshape(n_blocks, -1), weight)
    assert_allclose(vote.predict_proba(X), expected)
    assert_array_equal(vote.predict(X), vote.classes_[expected.argmax(axis=1)])
    assert vote.classes_.tolist() == ["angry", "calm", "sad"]
    assert len(vote.estimators_) == n_blocks


@pytest.mark.parametrize("members", [[(0,), (2, 1)], ((3,),), [[0], [1], [2], [3], [1, 0]]])
def test_members_see_their_blocks(members):
    vote = BlockVotingClassifier(MEMBER, 4, members=members).fit(X, Y)
    columns = [np.concatenate([np.arange(12).reshape(4, 3)[i] for i in own]) for own in members]
    assert_allclose(vote.predict_proba(X), by_hand(columns))
    assert [member.n_features_in_ for member in vote.estimators_] == [3 * len(m) for m in members]


def test_temperature_makes_the_vote_less_sure():
    sure, unsure = (BlockVotingClassifier(MEMBER, 3, temperature=t).fit(X, Y) for t in (1.0, 4.0))
    expected = at_temperature(sure.predict_proba(X), 4.0)
    assert_allclose(unsure.predict_proba(X), expected, rtol=1e-6)
    assert_array_equal(unsure.predict(X), sure.predict(X))


def test_members_that_are_certain_do_not_divide_by_zero():
    far = np.where(Y == "sad", 1e6, -1e6)[:, np.newaxis] + X
    probabilities = BlockVotingClassifier(LogisticRegression(), 2).fit(far, Y).predict_proba(far)
    assert np.isfinite(probabilities).all()
    assert_allclose(probabilities.sum(axis=1), 1)


def test_the_estimator_is_cloned():
    vote = BlockVotingClassifier(MEMBER, 2).fit(X, Y)
    assert not hasattr(MEMBER, "coef_")
    assert_array_equal(pickle.loads(pickle.dumps(vote)).predict_proba(X), vote.predict_proba(X))


def test_views():
    views = AugmentedFeatures(np.stack([X, X + 0.1], axis=1))
    wrapped = AugmentedClassifier(BlockVotingClassifier(MEMBER, 3))
    wrapped.fit(views, Y, sample_weight=WEIGHT)
    flat = BlockVotingClassifier(MEMBER, 3)
    flat.fit(views.flatten(), views.repeat(Y), sample_weight=views.repeat(WEIGHT))
    assert_allclose(wrapped.predict_proba(X), flat.predict_proba(X))


@pytest.mark.parametrize(
    ("values", "n_blocks", "weight", "error", "reason"),
    [
        (X, 5, None, DataError, "X must have a multiple of n_blocks=5 features, got 12"),
        (X, 24, None, DataError, "X must have a multiple of n_blocks=24 features, got 12"),
        (X, 0, None, ParameterError, "n_blocks must be .*at least 1, got 0"),
        (X, 2.0, None, ParameterError, r"n_blocks must be .*got 2\.0"),
        (np.full((60, 12), np.nan), 2, None, DataError, "NaN"),
        (X, 2, [-1.0] * 60, DataError, "[Nn]egative"),
        (X, 2, [1.0] * 59, DataError, "sample_weight"),
    ],
)
def test_bad_input(values, n_blocks, weight, error, reason):
    with pytest.raises(error, match=reason):
        BlockVotingClassifier(MEMBER, n_blocks).fit(values, Y, sample_weight=weight)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"members": [(0,), (2,)]}, "members must have blocks below n_blocks=2, got 2"),
        ({"members": [0, 1]}, r"members must be .*, got \[0, 1\]"),
        ({"members": [()]}, r"members must be .*, got \[\(\)\]"),
        ({"members": []}, r"members must be .*, got \[\]"),
        ({"members": [(-1,)]}, r"members must be .*, got \[\(-1,\)\]"),
        ({"temperature": 0}, "temperature must be .*above 0, got 0"),
    ],
)
def test_bad_members_and_temperatures(params, reason):
    with pytest.raises(ParameterError, match=reason):
        BlockVotingClassifier(MEMBER, 2, **params).fit(X, Y)


def test_other_features_weights_not_taken_and_no_fit():
    vote = BlockVotingClassifier(MEMBER, 2)
    with pytest.raises(NotFittedError):
        vote.predict(X)
    with pytest.raises(DataError, match=r"X has 10 features, .*expecting 12"):
        vote.fit(X, Y).predict(X[:, :10])
    unweighted = BlockVotingClassifier(LinearDiscriminantAnalysis(), 2)
    with pytest.raises(ParameterError, match=r"sample_weight .*Analysis does not"):
        unweighted.fit(X, Y, sample_weight=WEIGHT)
    assert unweighted.fit(X, Y).score(X, Y) > 0.5


def test_model_file_and_its_light_form(tmp_path):
    speech = noises()
    pipeline = make_pipeline(
        AudioLoader(duration=0.25),
        FeatureUnionExtractor(["zcr", "rms"]),
        AugmentedClassifier(
            BlockVotingClassifier(MEMBER, 2, members=[(0,), (1, 0)], temperature=2.0)
        ),
    ).fit(list(speech.waveforms), speech.target)
    path, clip = tmp_path / "model.skser", tmp_path / "clip.wav"
    skser.save(pipeline, path)
    soundfile.write(clip, speech.waveforms[5], 16000, subtype="FLOAT")
    expected = pipeline.predict_proba([clip])
    assert_allclose(skser.load(path).predict_proba([clip]), expected, rtol=1e-6)
    assert_allclose(load_light(path).predict_proba(str(clip)), expected[0], rtol=1e-5)


def test_any_classifier():
    vote = BlockVotingClassifier(LogisticRegression(), 2).fit(X, Y, sample_weight=WEIGHT)
    assert_allclose(vote.predict_proba(X).sum(axis=1), 1)
