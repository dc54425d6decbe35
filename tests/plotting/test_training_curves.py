from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skser import CNNEmotionClassifier
from skser.exceptions import DataError
from skser.plotting import TrainingCurvesDisplay

HISTORY = {"loss": [2.0, 1.5, 1.0], "accuracy": [0.1, 0.4, 0.6]}


@pytest.fixture
def axes():
    return Figure().subplots(1, 2)


def test_curves(axes):
    history = {**HISTORY, "val_loss": [2.1, 1.9, 1.8], "val_accuracy": [0.2, 0.3, 0.3]}
    display = TrainingCurvesDisplay(history).plot(axes=axes)
    assert [line.get_label() for line in display.lines_] == ["training", "validation"] * 2
    assert_array_equal(display.lines_[0].get_xdata(), [1, 2, 3])
    assert_array_equal(display.lines_[1].get_ydata(), history["val_loss"])
    assert [ax.get_ylabel() for ax in display.axes_] == ["loss", "accuracy"]


def test_without_validation(axes):
    assert len(TrainingCurvesDisplay(HISTORY).plot(axes=axes).lines_) == 2


def test_from_estimator(axes):
    classifier = CNNEmotionClassifier()
    with pytest.raises(DataError, match="estimator must be fitted and have history_, got CNN"):
        TrainingCurvesDisplay.from_estimator(classifier)
    with pytest.raises(DataError, match="got SVC"):
        TrainingCurvesDisplay.from_estimator(SVC())
    classifier.history_ = HISTORY
    display = TrainingCurvesDisplay.from_estimator(classifier, axes=axes)
    assert display.figure_ is axes[0].figure


@pytest.mark.parametrize("as_part", [make_pipeline, lambda network: vote_of(SVC(), network)])
def test_from_what_the_network_is_part_of(axes, as_part):
    classifier = CNNEmotionClassifier()
    classifier.history_ = HISTORY
    display = TrainingCurvesDisplay.from_estimator(as_part(classifier), axes=axes)
    assert display.history == HISTORY


def test_from_evaluation_is_the_mean_over_folds(axes, evaluation):
    with pytest.raises(DataError, match="evaluation must have a training history"):
        TrainingCurvesDisplay.from_evaluation(evaluation)
    shorter = {name: [value + 1 for value in values[:2]] for name, values in HISTORY.items()}
    first, second, *_ = evaluation.folds
    folds = [replace(first, history=HISTORY), replace(second, history=shorter)]
    display = TrainingCurvesDisplay.from_evaluation(replace(evaluation, folds=folds), axes=axes)
    assert_allclose(display.lines_[0].get_ydata(), [2.5, 2.0, 1.0])
    assert_allclose(display.lines_[1].get_ydata(), [0.6, 0.9, 0.6])


def vote_of(*members):
    vote = VotingClassifier([])
    vote.estimators_ = list(members)
    return make_pipeline(vote)
