"""Numbers of clips by emotion."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skser.exceptions import ParameterError
from skser.plotting import EmotionDistributionDisplay
from tests.evaluations import noises

from .drawn import texts

SPEECH = noises()


@pytest.mark.parametrize("kind", ["bars", "heatmap"])
def test_distribution(ax, kind):
    display = EmotionDistributionDisplay.from_corpus(SPEECH, by="gender", kind=kind, ax=ax)
    assert_array_equal(display.counts, np.full((3, 2), 6))
    assert len(display.bars_) == (2 if kind == "bars" else 0)
    assert texts(ax) == (["12"] * 3 if kind == "bars" else ["6"] * 6)


def test_distribution_of_all(ax):
    display = EmotionDistributionDisplay.from_corpus(SPEECH, ax=ax)
    assert [bar.get_width() for bar in display.bars_[0]] == [12, 12, 12]
    with pytest.raises(ParameterError, match=r"by must be a column .* got 'age'"):
        EmotionDistributionDisplay.from_corpus(SPEECH, by="age")


@pytest.mark.parametrize("by", [None, "gender"])
def test_distribution_from_evaluation(ax, evaluation, by):
    display = EmotionDistributionDisplay.from_evaluation(evaluation, by=by, ax=ax)
    of_corpus = EmotionDistributionDisplay.from_corpus(SPEECH, by=by)
    assert display.counts.equals(of_corpus.counts)
    with pytest.raises(ParameterError, match="one of speaker, gender, fold, got 'angry'"):
        EmotionDistributionDisplay.from_evaluation(evaluation, by="angry")
