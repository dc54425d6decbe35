import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skser import SpeakerNormalizer
from skser.classifiers import SoftVotingClassifier
from skser.exceptions import DataError, NotFittedError, ParameterError

RNG = np.random.default_rng(0)
Y = np.tile(["angry", "calm", "sad"], 20)
X = RNG.normal(size=(60, 4)) + np.searchsorted(["angry", "calm", "sad"], Y)[:, None]
MEMBERS = [("bayes", GaussianNB()), ("logistic", LogisticRegression())]


@pytest.mark.parametrize("weights", [None, [0.3, 0.7]])
def test_probabilities_are_those_of_scikit_learn(weights):
    theirs = VotingClassifier(MEMBERS, voting="soft", weights=weights).fit(X, Y)
    ours = SoftVotingClassifier(MEMBERS, weights=weights).fit(X, Y)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, Y) == theirs.score(X, Y)
    assert_array_equal(ours.classes_, theirs.classes_)


def test_members_learn_the_labels_themselves():
    vote = SoftVotingClassifier(
        [("logistic", LogisticRegression(class_weight={"angry": 5.0, "calm": 1.0, "sad": 1.0}))]
    )
    alone = clone(vote.estimators[0][1])
    assert_allclose(vote.fit(X, Y).predict_proba(X), alone.fit(X, Y).predict_proba(X))
    assert_array_equal(vote.estimators_[0].classes_, vote.classes_)


def test_members_are_cloned_and_may_be_left_out():
    vote = SoftVotingClassifier(MEMBERS, weights=[0.3, 0.7]).set_params(bayes="drop").fit(X, Y)
    assert list(vote.named_estimators_) == ["logistic"]
    assert vote.named_estimators_["logistic"] is not MEMBERS[1][1]
    alone = clone(MEMBERS[1][1]).fit(X, Y)
    assert_allclose(vote.predict_proba(X), alone.predict_proba(X))


def test_parameters_of_members():
    vote = SoftVotingClassifier(MEMBERS)
    assert clone(vote).set_params(logistic__C=0.5).get_params()["logistic__C"] == 0.5
    assert vote.named_estimators["logistic"].C == 1.0


def test_pickle():
    vote = SoftVotingClassifier(MEMBERS).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(vote)).predict_proba(X), vote.predict_proba(X))


@sklearn.config_context(enable_metadata_routing=True)
def test_speakers_reach_the_members_that_ask_for_them():
    groups = np.repeat(list("abc"), 20)
    by_speaker = make_pipeline(SpeakerNormalizer(transductive=True), LogisticRegression())
    vote = SoftVotingClassifier([("speaker", by_speaker), MEMBERS[0]]).fit(X, Y, groups=groups)
    asked = clone(by_speaker).fit(X, Y, groups=groups).predict_proba(X, groups=groups)
    other = GaussianNB().fit(X, Y).predict_proba(X)
    assert_allclose(vote.predict_proba(X, groups=groups), (asked + other) / 2)
    assert_array_equal(
        vote.predict(X, groups=groups), vote.classes_[(asked + other).argmax(axis=1)]
    )


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda: SoftVotingClassifier([("bayes", "drop")]).fit(X, Y),
            ParameterError,
            r"estimators must have at least one member, got \[\('bayes', 'drop'\)\]",
        ),
        (
            lambda: SoftVotingClassifier(MEMBERS, weights=[1.0]).fit(X, Y),
            ParameterError,
            r"weights must be one for each of 2 estimators, got \[1.0\]",
        ),
        (
            lambda: SoftVotingClassifier(MEMBERS, weights=[0, 0]).fit(X, Y),
            ParameterError,
            r"weights must not be negative, nor all be 0, got \[0, 0\]",
        ),
        (
            lambda: SoftVotingClassifier(MEMBERS).fit(X, Y[1:]),
            DataError,
            "y must have a label for each clip.* 60 clips, 59 labels",
        ),
    ],
)
def test_errors(use, error, message):
    with pytest.raises(error, match=message):
        use()


def test_not_fitted():
    with pytest.raises(NotFittedError):
        SoftVotingClassifier(MEMBERS).predict(X)
