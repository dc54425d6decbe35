"""Scores by emotion and by speaker."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import precision_recall_fscore_support

from skser.exceptions import ParameterError
from skser.plotting import ClassScoresDisplay, SpeakerScoresDisplay

from .drawn import PREDICTED, TRUTH, texts


def test_class_scores(ax):
    display = ClassScoresDisplay.from_predictions(TRUTH, PREDICTED, ax=ax)
    *expected, _ = precision_recall_fscore_support(TRUTH, PREDICTED, zero_division=0)
    for bars, values in zip(display.bars_, expected, strict=True):
        assert_allclose([bar.get_width() for bar in bars], values)


def test_accuracy_of_each_class(ax):
    display = ClassScoresDisplay.from_predictions(TRUTH, PREDICTED, scores=["recall"], ax=ax)
    assert texts(ax) == ["0.50", "1.00", "0.00"]
    with pytest.raises(ParameterError, match=r"scores must be .*, got \['accuracy'\]"):
        display.plot(scores=["accuracy"])


def test_class_scores_from_evaluation(ax, evaluation):
    display = ClassScoresDisplay.from_evaluation(evaluation, ax=ax)
    table = evaluation.predictions
    by_hand = ClassScoresDisplay.from_predictions(table["emotion"], table["predicted"])
    for bars, expected in zip(display.bars_, by_hand.bars_, strict=True):
        assert_allclose([b.get_width() for b in bars], [b.get_width() for b in expected])
    recall = ClassScoresDisplay.from_evaluation(evaluation, scores=["recall"], ax=ax)
    assert_allclose(recall.bars_[0].datavalues, evaluation.per_class()["recall"])


def test_speaker_scores(ax, evaluation):
    display = SpeakerScoresDisplay.from_evaluation(evaluation, ax=ax)
    drawn = display.points_.get_offsets()
    assert_allclose(drawn[:, 0], evaluation.by("speaker")["uar"].sort_values())
    assert display.chance == pytest.approx(1 / 3)
    assert len(ax.get_yticklabels()) == len(drawn)


def test_speaker_scores_need_speakers(evaluation):
    unknown = replace(evaluation, predictions=evaluation.predictions.drop(columns="speaker"))
    with pytest.raises(ParameterError, match="got 'speaker'"):
        SpeakerScoresDisplay.from_evaluation(unknown)


def test_many_speakers_have_no_names(ax):
    scores = pd.Series(np.linspace(0, 1, 61), [f"s{i}" for i in range(61)])
    display = SpeakerScoresDisplay(scores, 0.5, (0.4, 0.6), 0.25).plot(ax=ax)
    assert len(display.points_.get_offsets()) == 61
    assert ax.get_yticklabels() == []
    assert ax.get_ylabel() == "61 speakers"
    few = SpeakerScoresDisplay(scores[:60], 0.5, (0.4, 0.6), 0.25)
    assert display._figure_size() == few._figure_size()
