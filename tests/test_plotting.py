import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal

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
    classifier.history_ = HISTORY
    display = TrainingCurvesDisplay.from_estimator(classifier, axes=axes)
    assert display.figure_ is axes[0].figure
