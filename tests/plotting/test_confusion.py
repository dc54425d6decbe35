"""Confusion matrices."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skser.exceptions import ParameterError
from skser.plotting import ConfusionDisplay

from .drawn import PREDICTED, TRUTH, labels, texts


def test_confusion(ax):
    display = ConfusionDisplay.from_predictions(TRUTH, PREDICTED, ax=ax)
    assert display.ax_ is ax
    assert_array_equal(display.counts, [[1, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert_allclose(display.image_.get_array(), [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])
    assert texts(ax)[:3] == ["0.50", "0.50", "0.00"]
    assert labels(ax.yaxis) == labels(ax.xaxis) == ["angry", "calm", "sad"]


def test_confusion_in_numbers(ax):
    display = ConfusionDisplay.from_predictions(TRUTH, PREDICTED, normalize=None, ax=ax)
    assert texts(display.ax_)[:3] == ["1", "1", "0"]
    with pytest.raises(ParameterError, match=r"normalize must be .* got 'all'"):
        display.plot(normalize="all")


def test_confusion_from_evaluation(ax, evaluation):
    display = ConfusionDisplay.from_evaluation(evaluation, normalize=None, ax=ax)
    table = evaluation.predictions
    by_hand = ConfusionDisplay.from_predictions(table["emotion"], table["predicted"])
    assert display.counts.equals(by_hand.counts)
    assert_array_equal(display.image_.get_array(), by_hand.counts)


def test_emotions_without_clips_are_drawn(ax, evaluation):
    table = evaluation.predictions
    part = replace(evaluation, predictions=table[table["emotion"] != "sad"])
    display = ConfusionDisplay.from_evaluation(part, ax=ax)
    assert labels(ax.yaxis) == ["angry", "calm", "sad"]
    assert_array_equal(display.image_.get_array()[2], 0)


def test_confusion_from_estimator(ax):
    X = np.arange(5.0).reshape(-1, 1)
    fitted = LogisticRegression().fit(X, TRUTH)
    display = ConfusionDisplay.from_estimator(fitted, X, TRUTH, ax=ax)
    by_hand = ConfusionDisplay.from_predictions(TRUTH, fitted.predict(X), ax=ax)
    assert display.counts.equals(by_hand.counts)
