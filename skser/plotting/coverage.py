"""CoverageDisplay: how accurate a pipeline is if it need not answer when it is unsure."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .._evaluation import Evaluation
from ..metrics import coverage_accuracy
from ._style import BLUE, VERMILION, new_axes, quiet

# Of fewer answers, some classes have so few that single clips decide their recall.
_LEAST_COVERAGE = 0.3
_TOLD = (0.8, 0.5)


class CoverageDisplay:
    """Accuracy against coverage, the share of clips whose answer is sure enough to be given.

    Parameters
    ----------
    table : DataFrame
        As :func:`skser.metrics.coverage_accuracy` returns it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    lines_ : list of matplotlib Line2D
        Accuracy and UAR, from a coverage of 30 % on.

    Examples
    --------
    >>> from skser.plotting import CoverageDisplay
    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> truth = ["calm", "sad", "sad"]
    >>> display = CoverageDisplay.from_predictions(truth, probabilities, ["calm", "sad"])
    >>> display.table["coverage"].round(2).to_list()
    [1.0, 0.67, 0.33]
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, classes: Any, *, ax: Any = None
    ) -> CoverageDisplay:
        """Order clips by how sure their answers are, and draw how often they are right.

        Parameters
        ----------
        y_true : array of shape (n_clips,)
            True labels.
        y_prob : array of shape (n_clips, n_classes)
            Probabilities.
        classes : array of shape (n_classes,)
            The labels, in the order of the probabilities.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CoverageDisplay
        """
        return cls(coverage_accuracy(y_true, y_prob, classes)).plot(ax=ax)

    @classmethod
    def from_evaluation(cls, evaluation: Evaluation, *, ax: Any = None) -> CoverageDisplay:
        """Draw the predictions of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            As :func:`skser.evaluate` returns it.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CoverageDisplay

        Raises
        ------
        DataError
            The evaluation has no probabilities.
        """
        evaluation.check_probabilities()
        return cls.from_predictions(
            evaluation.predictions["emotion"], evaluation.probabilities, evaluation.classes, ax=ax
        )

    def plot(self, *, ax: Any = None) -> CoverageDisplay:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : CoverageDisplay
        """
        self.ax_ = new_axes(ax, 6.0, 4.0)
        self.figure_ = self.ax_.figure
        drawn = self.table[self.table["coverage"] >= _LEAST_COVERAGE]
        self.lines_ = [
            self.ax_.plot(drawn["coverage"], drawn[name], color=colour, label=label)[0]
            for name, colour, label in (
                ("accuracy", BLUE, "accuracy"),
                ("uar", VERMILION, "unweighted average recall"),
            )
        ]
        quiet(self.ax_, grid="both").set(
            xlabel="coverage: share of clips that are answered",
            ylabel="score of the answers",
            xlim=(_LEAST_COVERAGE, 1),
        )
        told = (f"{self._accuracy_at(share):.2f} at {100 * share:.0f} %" for share in _TOLD)
        title = f"accuracy {self._accuracy_at(1.0):.2f} of all clips, {', '.join(told)}"
        self.ax_.set_title(title, fontsize="medium")
        self.ax_.legend(frameon=False, loc="best")
        return self

    def _accuracy_at(self, coverage: float) -> float:
        """Accuracy of as few of the surest answers as make up this coverage."""
        enough = self.table["coverage"] >= coverage - 1e-9
        return float(self.table.loc[enough, "accuracy"].iloc[-1])
