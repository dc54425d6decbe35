"""CoverageDisplay: scores of selective prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..metrics import coverage_accuracy
from ._style import BLUE, VERMILION, ProbabilitiesDisplay, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

_MIN_COVERAGE = 0.3  # below it single clips decide the recall of a class
_TITLE_COVERAGES = (0.8, 0.5)


class CoverageDisplay(ProbabilitiesDisplay):
    """Selective prediction: accuracy and UAR of the most confident predictions.

    Coverage is the share of clips whose prediction is kept.

    Parameters
    ----------
    table : DataFrame of shape (n_clips, n_columns)
        Result of :func:`skser.metrics.coverage_accuracy`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    lines_ : list of matplotlib Line2D
        Accuracy and unweighted average recall (UAR), for coverages of 0.3 and more.

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
    def _of_predictions(
        cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike
    ) -> CoverageDisplay:
        return cls(coverage_accuracy(y_true, y_prob, classes))

    def _draw(self, ax: Axes) -> None:
        drawn = self.table[self.table["coverage"] >= _MIN_COVERAGE]
        self.lines_ = [
            ax.plot(drawn["coverage"], drawn[name], color=colour, label=label)[0]
            for name, colour, label in (
                ("accuracy", BLUE, "accuracy"),
                ("uar", VERMILION, "unweighted average recall"),
            )
        ]
        quiet(ax, grid="both").set(
            xlabel="coverage: share of clips with a prediction",
            ylabel="score of these predictions",
            xlim=(_MIN_COVERAGE, 1),
        )
        parts = (f"{self._accuracy_at(c):.2f} at {100 * c:.0f} %" for c in _TITLE_COVERAGES)
        title = f"accuracy {self._accuracy_at(1.0):.2f} of all clips, {', '.join(parts)}"
        ax.set_title(title, fontsize="medium")
        ax.legend(frameon=False, loc="best")

    def _accuracy_at(self, coverage: float) -> float:
        """Accuracy of the fewest predictions that reach this coverage."""
        is_enough = self.table["coverage"] >= coverage - 1e-9
        return float(self.table.loc[is_enough, "accuracy"].iloc[-1])
