"""Differences between two evaluations."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier

from skser import compare, evaluate
from skser.exceptions import DataError, ParameterError
from skser.plotting import ComparisonDisplay
from skser.plotting._style import BLUE, VERMILION
from tests.evaluations import noises, quick_pipeline

from .drawn import labels, texts

SPEECH = noises(n_takes=8)


@pytest.fixture(scope="module")
def good():
    return evaluate(quick_pipeline(), SPEECH)


@pytest.fixture(scope="module")
def bad():
    return evaluate(quick_pipeline(classify=DummyClassifier()), SPEECH)


def colours_of(display):
    return [to_hex(colour).upper() for colour in display.points_.get_facecolor()]


def test_comparison(ax, bad, good):
    display = ComparisonDisplay.from_evaluations(bad, good, names=("weak", "strong"), ax=ax)
    assert display.table.equals(compare(bad, good))
    drawn = display.table.loc[["uar", "accuracy", "macro_f1", "calibration_error"]]
    assert_allclose(display.points_.get_offsets(), np.c_[drawn["difference"], range(4)])
    ends = [path.vertices[:, 0] for path in display.intervals_.get_paths()]
    assert_allclose(ends, drawn[["low", "high"]])
    assert labels(ax.yaxis)[0] == "UAR"
    assert labels(ax.yaxis)[-1] == "calibration error\n(lower is better)"
    assert ax.get_xlabel() == "strong minus weak\n95 % interval"
    assert texts(ax)[0] == f"{drawn['difference']['uar']:+.3f}\np = 0.125"


def test_better_and_worse(ax, bad, good):
    def colours(*evaluations, p_value):
        table = compare(*evaluations).assign(p_value=p_value)
        return colours_of(ComparisonDisplay(table).plot(scores=["accuracy", "log_loss"], ax=ax))

    assert colours(bad, good, p_value=0.04) == [BLUE] * 2
    assert colours(good, bad, p_value=0.04) == [VERMILION] * 2
    for grey in (colours(bad, good, p_value=0.06), colours(good, good, p_value=0.04)):
        assert not {BLUE, VERMILION} & set(grey)


def test_small_p_value(ax, bad, good):
    table = compare(bad, good).assign(p_value=1 / 2001, difference=-0.2)
    ComparisonDisplay(table).plot(scores=["uar"], ax=ax)
    assert texts(ax) == ["\N{MINUS SIGN}0.200\np < 0.001"]


def test_without_probabilities(ax, bad, good):
    good = replace(good, has_probabilities=False)
    display = ComparisonDisplay.from_evaluations(bad, good, ax=ax)
    assert labels(ax.yaxis) == ["UAR", "accuracy", "macro F1"]
    with pytest.raises(DataError, match="log_loss must have values: they need probabilities"):
        display.plot(scores=["log_loss"])


@pytest.mark.parametrize("scores", [[], "uar", ["recall"]])
def test_unknown_scores(bad, good, scores):
    with pytest.raises(ParameterError, match=r"scores must be some of uar, .*, got .*"):
        ComparisonDisplay.from_evaluations(bad, good, scores=scores)


@pytest.mark.parametrize("size", [(3.6, 3), (14, 3)])
def test_texts_beside_the_axes_stay_in_the_figure(bad, good, size):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=size, layout="constrained")
    ComparisonDisplay.from_evaluations(bad, good, ax=ax)
    figure.draw_without_rendering()
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x1 <= figure.bbox.x1
        assert box.x0 > ax.get_window_extent().x1
