"""Figures, fonts and labels of all displays."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skser.plotting import ClipDisplay, ConfusionDisplay

from .drawn import PREDICTED, TRUTH


@pytest.mark.slow
def test_figures_are_made_where_none_is_given():
    assert ConfusionDisplay.from_predictions(TRUTH, PREDICTED).figure_ in map(
        plt.figure, plt.get_fignums()
    )
    assert ClipDisplay(np.ones(800), 8000).plot().figure_ is plt.gcf()


def test_fallback_fonts_have_what_the_usual_font_lacks(monkeypatch, tmp_path):
    def draw(fonts):
        monkeypatch.setattr("skser.plotting._style._FALLBACK_FONTS", fonts)
        labels = ["a\u23b3", "b"]  # a STIX font has this character, DejaVu Sans does not
        display = ConfusionDisplay.from_predictions(labels, labels)
        display.figure_.savefig(tmp_path / "picture.png")
        return display.ax_.get_yticklabels()[0].get_fontfamily()

    with pytest.warns(UserWarning, match="Glyph 9139 .* missing from"):
        draw(())
    assert draw(["No Such Font", "STIXSizeOneSym"]) == ["sans-serif", "STIXSizeOneSym"]


def test_labels_are_not_formulas(tmp_path):
    display = ConfusionDisplay.from_predictions(["$a_$", "b"], ["b", "b"])
    display.figure_.savefig(tmp_path / "picture.svg")
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["$a_$", "b"]
