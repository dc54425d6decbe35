"""Scores by corpus."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skser.evaluation import leakage_report
from skser.plotting import CrossCorpusDisplay, LeakageGapDisplay
from tests.evaluations import noises, quick_pipeline

from .drawn import texts

SPEECH = noises()


def test_leakage_gap(ax):
    report = leakage_report(quick_pipeline(), SPEECH)
    display = LeakageGapDisplay.from_reports({"noise": report}, ax=ax)
    uar = report.to_frame().loc["uar"]
    assert display.random_.get_offsets()[0, 0] == pytest.approx(uar["random"])
    assert display.new_speakers_.get_offsets()[0, 0] == pytest.approx(uar["new_speakers"])


def test_cross_corpus(ax):
    uar = pd.DataFrame({"one": [0.7, 0.5], "two": [0.4, 0.8]}, index=["one", "two"])
    display = CrossCorpusDisplay(uar).plot(ax=ax)
    assert_allclose(display.image_.get_array(), uar)
    assert texts(ax) == ["0.70", "0.40", "0.50", "0.80"]
