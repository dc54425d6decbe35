"""Calibration and selective prediction."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import calibration_curve

from skser.exceptions import DataError
from skser.metrics import expected_calibration_error
from skser.plotting import CoverageDisplay, ReliabilityDisplay


def test_reliability(ax):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1], size=500)
    truth = (rng.random(500) < probabilities[:, 1]).astype(int)
    display = ReliabilityDisplay.from_predictions(truth, probabilities, [0, 1], ax=ax)
    assert display.n_clips.sum() == 500
    right = (probabilities.argmax(axis=1) == truth).astype(int)
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    full = display.n_clips > 0
    assert_allclose(display.accuracy[full], accuracy)
    assert_allclose(display.confidence[full], confidence)
    assert display.calibration_error == expected_calibration_error(truth, probabilities)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert not legend.overlaps(ax.get_window_extent())
    assert not legend.overlaps(ax.title.get_window_extent())


def test_reliability_from_evaluation(ax, evaluation):
    display = ReliabilityDisplay.from_evaluation(evaluation, ax=ax)
    truth, probabilities = evaluation.predictions["emotion"], evaluation.probabilities
    by_hand = ReliabilityDisplay.from_predictions(truth, probabilities, evaluation.classes)
    assert_allclose(display.accuracy, by_hand.accuracy)
    assert_allclose(display.confidence, by_hand.confidence)
    scores = evaluation.to_frame()["pooled"]
    assert display.calibration_error == pytest.approx(scores["calibration_error"])


def test_coverage(ax, evaluation):
    display = CoverageDisplay.from_evaluation(evaluation, ax=ax)
    table = display.table
    drawn = table[table["coverage"] >= 0.3]
    for line, name in zip(display.lines_, ("accuracy", "uar"), strict=True):
        assert_allclose(line.get_xdata(), drawn["coverage"])
        assert_allclose(line.get_ydata(), drawn[name])
    scores = evaluation.to_frame()["pooled"]
    assert [table["accuracy"][0], table["uar"][0]] == pytest.approx(scores[["accuracy", "uar"]])
    surest = evaluation.probabilities.max(axis=1).nlargest(18).index
    right = (evaluation.predictions["predicted"] == evaluation.predictions["emotion"])[surest]
    assert ax.get_title().startswith(f"accuracy {scores['accuracy']:.2f} of all clips, ")
    assert ax.get_title().endswith(f", {right.mean():.2f} at 50 %")


@pytest.mark.parametrize("display", [CoverageDisplay, ReliabilityDisplay])
def test_probabilities_are_needed(evaluation, display):
    with pytest.raises(DataError, match="evaluation must have probabilities"):
        display.from_evaluation(replace(evaluation, has_probabilities=False))
