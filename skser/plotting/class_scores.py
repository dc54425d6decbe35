"""ClassScoresDisplay: precision, recall and F1 of each emotion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ..exceptions import ParameterError
from ._style import COLOURS, AxesDisplay, label_rows, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    Scores: TypeAlias = Sequence[Literal["precision", "recall", "f1"]]

_SCORES: Scores = ("precision", "recall", "f1")


class ClassScoresDisplay(AxesDisplay):
    """Precision, recall and F1 of each emotion, as bars.

    Parameters
    ----------
    scores : DataFrame of shape (n_classes, 3)
        Columns ``precision``, ``recall`` and ``f1``, a row for each emotion.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
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
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        scores: Scores = _SCORES,
        ax: Axes | None = None,
    ) -> ClassScoresDisplay:
        """Compute the scores of predicted labels and draw them.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            True labels.
        y_pred : array-like of shape (n_clips,)
            Predicted labels.
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            Scores to draw.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ClassScoresDisplay
            The drawn display.
        """
        labels = unique_labels(y_true, y_pred)
        *values, _ = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, zero_division=0.0
        )
        table = pd.DataFrame(dict(zip(_SCORES, values, strict=True)), index=labels)
        return cls(table).plot(scores=scores, ax=ax)

    def plot(self, *, scores: Scores = _SCORES, ax: Axes | None = None) -> ClassScoresDisplay:
        """Draw the bars.

        Parameters
        ----------
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            Scores to draw. A single score is also written beside each bar; ``["recall"]`` is the
            accuracy of each class.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : ClassScoresDisplay
            The display itself, with the artists as attributes.
        """
        if not scores or not set(scores) <= set(_SCORES):
            raise ParameterError(f"scores must be some of {', '.join(_SCORES)}, got {scores!r}")
        return self._plot(ax, scores)

    def _figure_size(self, scores: Scores) -> tuple[float, float]:
        return 6.0, 1.4 + (0.2 + 0.2 * len(scores)) * len(self.scores)

    def _draw(self, ax: Axes, scores: Scores) -> None:
        height = 0.8 / len(scores)
        offsets = (np.arange(len(scores)) - (len(scores) - 1) / 2) * height
        self.bars_ = [
            ax.barh(
                np.arange(len(self.scores)) + offset,
                self.scores[name],
                0.9 * height,
                color=COLOURS[_SCORES.index(name)],
                label={"f1": "F1"}.get(name, name),
            )
            for name, offset in zip(scores, offsets, strict=True)
        ]
        label_rows(ax, self.scores.index)
        if len(scores) == 1:
            is_recall = scores[0] == "recall"
            ax.bar_label(self.bars_[0], fmt="{:.2f}", padding=3)
            ax.set_xlim(0, 1.08)
            ax.set_xlabel("accuracy of each emotion (recall)" if is_recall else scores[0])
        else:
            ax.set_xlim(0, 1)
            legend_above(ax)
