"""ClassScoresDisplay: precision, recall and F1 of each emotion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ..exceptions import ParameterError
from ._fonts import make_legible
from ._style import COLOURS, new_axes, quiet

_SCORES = ("precision", "recall", "f1")


class ClassScoresDisplay:
    """Precision, recall and F1 of each emotion as bars.

    Parameters
    ----------
    scores : DataFrame of shape (n_classes, n_scores)
        Columns ``precision``, ``recall`` and ``f1``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : list of matplotlib BarContainer
        The bars of each score.

    Examples
    --------
    >>> from skser.plotting import ClassScoresDisplay
    >>> display = ClassScoresDisplay.from_predictions(["calm", "sad", "sad"], ["calm"] * 3)
    >>> display.scores.loc["calm", "recall"]
    np.float64(1.0)
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self.scores = scores

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_pred: Any, *, scores: Sequence[str] = _SCORES, ax: Any = None
    ) -> ClassScoresDisplay:
        """Score, and draw that.

        Parameters
        ----------
        y_true, y_pred : array of shape (n_clips,)
            True and predicted labels.
        scores, ax
            As in `plot`.

        Returns
        -------
        display : ClassScoresDisplay
        """
        labels = unique_labels(y_true, y_pred)
        *found, _ = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, zero_division=0.0
        )
        table = pd.DataFrame(dict(zip(_SCORES, found, strict=True)), index=labels)
        return cls(table).plot(scores=scores, ax=ax)

    def plot(self, *, scores: Sequence[str] = _SCORES, ax: Any = None) -> ClassScoresDisplay:
        """Draw the bars.

        Parameters
        ----------
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            ``["recall"]`` is the accuracy of each class, which then is written beside its bar.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : ClassScoresDisplay
        """
        if not scores or not set(scores) <= set(_SCORES):
            raise ParameterError(f"scores must be some of {', '.join(_SCORES)}, got {scores!r}")
        self.ax_ = new_axes(ax, height=1.4 + (0.2 + 0.2 * len(scores)) * len(self.scores))
        self.figure_ = self.ax_.figure
        rows = np.arange(len(self.scores))
        height = 0.8 / len(scores)
        self.bars_ = []
        for i, name in enumerate(scores):
            offset = (i - (len(scores) - 1) / 2) * height
            colour = COLOURS[_SCORES.index(name)]
            bars = self.ax_.barh(
                rows + offset,
                self.scores[name],
                0.9 * height,
                color=colour,
                label={"f1": "F1"}.get(name, name),
            )
            self.bars_.append(bars)
            if len(scores) == 1:
                self.ax_.bar_label(bars, fmt="{:.2f}", padding=3)
        self.ax_.set_yticks(rows, [str(name) for name in self.scores.index])
        self.ax_.set_ylim(len(rows) - 0.5, -0.5)  # the first on top, as in a table
        quiet(self.ax_, grid="x").set_xlim(0, 1.08 if len(scores) == 1 else 1)
        if len(scores) == 1:
            is_recall = scores[0] == "recall"
            self.ax_.set_xlabel("accuracy of each emotion (recall)" if is_recall else scores[0])
        else:
            self.ax_.legend(
                frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(scores)
            )
        make_legible(self.figure_)
        return self
