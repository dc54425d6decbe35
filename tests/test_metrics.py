import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from skser import metrics
from skser.exceptions import DataError
from skser.metrics import (
    SCORES,
    SpeakerSums,
    coverage_accuracy,
    expected_calibration_error,
    unweighted_average_recall,
)


@pytest.fixture(scope="module")
def clips():
    """Truth, probabilities and speakers of 200 clips of 4 classes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=200)
    probabilities = rng.dirichlet(np.ones(4), size=200) + 0.5 * np.eye(4)[truth]
    return truth, probabilities / probabilities.sum(1, keepdims=True), np.arange(200) % 7


def of_sklearn(truth, probabilities):
    predicted = probabilities.argmax(1)
    return {
        "uar": balanced_accuracy_score(truth, predicted),
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro"),
        "log_loss": log_loss(truth, probabilities, labels=range(4)),
        "calibration_error": calibration_error(truth, probabilities),
    }


def calibration_error(truth, probabilities):
    """Bin by bin, as it is defined."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    error = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return error


def test_scores_are_those_of_scikit_learn(clips):
    scores = SpeakerSums.of(*clips).scores()
    for name, value in of_sklearn(*clips[:2]).items():
        assert_allclose(scores[name], [value])
    assert set(scores) == set(SCORES)


def test_a_speaker_drawn_twice_counts_twice(clips):
    truth, probabilities, speakers = clips
    weights = np.array([[2, 0, 1, 1, 0, 3, 0]])
    rows = np.repeat(np.arange(200), weights[0][speakers])
    scores = SpeakerSums.of(*clips).scores(weights)
    for name, value in of_sklearn(truth[rows], probabilities[rows]).items():
        assert_allclose(scores[name], [value])


def test_draws_are_bootstraps_of_speakers(clips):
    draws = np.concatenate(list(SpeakerSums.of(*clips).draws()))
    assert len(draws) == 2000
    assert draws.shape[1] == 7
    assert (draws.sum(axis=1) == 7).all()
    assert_allclose(draws.mean(axis=0), 1, atol=0.1)


def test_draws_in_chunks(clips, monkeypatch):
    at_once = SpeakerSums.of(*clips).bootstrap()
    monkeypatch.setattr(metrics, "_CHUNK", 7 * 300)
    chunks = SpeakerSums.of(*clips)
    assert [len(weights) for weights in chunks.draws()] == [300] * 6 + [200]
    for name, values in chunks.bootstrap().items():
        assert_allclose(values, at_once[name])


def test_a_class_that_nobody_drawn_acts_is_left_out(clips):
    truth, probabilities, _ = clips
    scores = SpeakerSums.of(truth, probabilities, truth == 3).scores(np.array([[1, 0]]))
    rows = truth != 3
    predicted = probabilities[rows].argmax(1)
    recalls = [np.mean(predicted[truth[rows] == k] == k) for k in range(3)]
    assert_allclose(scores["uar"], [np.mean(recalls)])


def test_calibration_error():
    sure = np.eye(2)[[0, 0, 0, 0]]
    assert expected_calibration_error([0, 0, 0, 0], sure) == 0
    assert expected_calibration_error([1, 1, 1, 1], sure) == 1
    assert expected_calibration_error([0, 1, 0, 1], sure) == 0.5


def test_a_probability_of_zero_costs_a_lot_but_not_everything():
    sums = SpeakerSums.of(np.array([0]), np.array([[0.0, 1.0]]), np.array(["a"]))
    assert_allclose(sums.log_loss, -np.log(np.finfo(float).eps))


def test_coverage_and_scores_of_each_threshold(clips):
    truth, probabilities, _ = clips
    names = np.array(["angry", "calm", "happy", "sad"])
    table = coverage_accuracy(names[truth], probabilities, names)
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    assert_allclose(table["threshold"], np.unique(confidence))
    for row in table.iloc[::20].itertuples():
        is_labelled = confidence >= row.threshold
        assert row.coverage == is_labelled.mean()
        assert_allclose(row.accuracy, accuracy_score(truth[is_labelled], predicted[is_labelled]))
        own = [(predicted[truth == c] == c)[is_labelled[truth == c]] for c in range(4)]
        assert_allclose(row.uar, np.mean([right.mean() for right in own if len(right)]))


@given(st.integers(0, 1000), st.integers(2, 5), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_coverage_falls_from_all_clips_as_the_threshold_rises(seed, n_classes, n_clips):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_clips)
    probabilities = rng.integers(1, 5, size=(n_clips, n_classes)).astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    table = coverage_accuracy(truth, probabilities, range(n_classes))
    assert table["coverage"][0] == 1
    assert table["accuracy"][0] == accuracy_score(truth, probabilities.argmax(axis=1))
    assert (np.diff(table["threshold"]) > 0).all()
    assert (np.diff(table["coverage"]) < 0).all()
    assert table[["accuracy", "uar"]].stack().between(0, 1).all()
    order = rng.permutation(n_clips)
    assert coverage_accuracy(truth[order], probabilities[order], range(n_classes)).equals(table)


def test_unknown_labels():
    with pytest.raises(DataError, match=r"y_true .* calm, sad, got 'bored'"):
        coverage_accuracy(["bored"], [[0.5, 0.5]], ["calm", "sad"])


def test_unweighted_average_recall_is_scikit_learns():
    rng = np.random.default_rng(0)
    truth, predicted = rng.choice(["angry", "calm", "sad"], size=(2, 50))
    expected = balanced_accuracy_score(truth, predicted)
    assert unweighted_average_recall(truth, predicted) == pytest.approx(expected)
    # A label that is no class of the clips is wrong, and no class of its own.
    assert unweighted_average_recall(np.array([1, 1, 2]), np.array([1, 3, 2])) == 0.75
