"""The display of a comparison of two evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..evaluation import Evaluation, compare
from ..exceptions import DataError, ParameterError
from ..metrics import SCORES
from ._docstrings import documented
from ._style import BLUE, VERMILION, AxesDisplay, ink, label_rows, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Not log loss: it has no upper bound, so its interval would dwarf the others.
_DRAWN = ("uar", "accuracy", "macro_f1", "calibration_error")
_LABELS = {
    "uar": "UAR",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "log_loss": "log loss\n(lower is better)",
    "calibration_error": "calibration error\n(lower is better)",
}
_LOWER_IS_BETTER = ("log_loss", "calibration_error")
_GREY = "#888888"


@documented
class ComparisonDisplay(AxesDisplay):
    """Differences between the scores of two evaluations, with 95 % intervals and p-values.

    Parameters
    ----------
    table : DataFrame of shape (n_scores, n_columns)
        Result of :func:`skser.compare`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    points_ : matplotlib PathCollection
        The difference of each score, grey unless its interval excludes 0 and p < 0.05.
    intervals_ : matplotlib LineCollection
        Their intervals.

    Examples
    --------
    >>> from skser.plotting import ComparisonDisplay
    {evaluation}
    >>> other = evaluate(GaussianNB(), X[:, :1], emotions, groups=speakers)
    >>> display = ComparisonDisplay.from_evaluations(evaluation, other)
    >>> display.ax_.get_xlabel()
    'other minus baseline\\n95 % interval'
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    @classmethod
    def from_evaluations(
        cls,
        baseline: Evaluation,
        other: Evaluation,
        *,
        scores: Sequence[str] = _DRAWN,
        names: tuple[str, str] = ("baseline", "other"),
        ax: Axes | None = None,
    ) -> ComparisonDisplay:
        """Compare two evaluations of the same clips and draw the differences.

        Parameters
        ----------
        baseline, other : Evaluation
            Results of :func:`skser.evaluate`, of the same clips.
        scores : sequence of str, default=("uar", "accuracy", "macro_f1", "calibration_error")
            Scores to draw, of ``skser.metrics.SCORES``. Draw the log loss, whose differences are
            often much larger, by itself.
        names : tuple of (str, str), default=("baseline", "other")
            What to call the two evaluations.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ComparisonDisplay
            The drawn display.

        Raises
        ------
        DataError
            :func:`skser.compare` cannot compare them, or the scores are not known without
            probabilities.
        ParameterError
            ``scores`` is empty or has an unknown score.
        """
        return cls(compare(baseline, other)).plot(scores=scores, names=names, ax=ax)

    def plot(
        self,
        *,
        scores: Sequence[str] = _DRAWN,
        names: tuple[str, str] = ("baseline", "other"),
        ax: Axes | None = None,
    ) -> ComparisonDisplay:
        """Draw the differences.

        Parameters
        ----------
        scores : sequence of str, default=("uar", "accuracy", "macro_f1", "calibration_error")
            Scores to draw, of ``skser.metrics.SCORES``. Those that are NaN without probabilities
            are left out.
        names : tuple of (str, str), default=("baseline", "other")
            What to call the two evaluations.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : ComparisonDisplay
            The display itself, with the artists as attributes.

        Raises
        ------
        DataError
            None of the scores is known without probabilities.
        ParameterError
            ``scores`` is empty or has an unknown score.
        """
        if not scores or isinstance(scores, str) or not set(scores) <= set(SCORES):
            raise ParameterError(f"scores must be some of {', '.join(SCORES)}, got {scores!r}")
        self._drawn = self.table.loc[list(scores)].dropna(subset="difference")
        if self._drawn.empty:
            raise DataError(f"{', '.join(scores)} must have values: they need probabilities")
        self._names = names
        return super().plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.5, 1.4 + 0.5 * len(self._drawn)

    def _draw(self, ax: Axes) -> None:
        table, rows = self._drawn, range(len(self._drawn))
        sign = np.where(table.index.isin(_LOWER_IS_BETTER), -1, 1)
        ends = table[["low", "high"]].mul(sign, axis=0)
        is_sure = table["p_value"] < 0.05  # intervals of a few speakers are too narrow
        is_better, is_worse = (ends > 0).all(axis=1), (ends < 0).all(axis=1)
        colours = np.select([is_better & is_sure, is_worse & is_sure], [BLUE, VERMILION], _GREY)

        ax.axvline(0, color=ink(), lw=0.8)
        self.intervals_ = ax.hlines(rows, table["low"], table["high"], color=colours, lw=2.5)
        self.points_ = ax.scatter(table["difference"], rows, s=60, color=colours, zorder=3)
        for row, (difference, p_value) in enumerate(
            zip(table["difference"], table["p_value"], strict=True)
        ):
            signed = f"{round(difference, 3) + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}")
            p_text = f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
            ax.annotate(
                f"{signed}\n{p_text}",
                (1, row),
                xycoords=ax.get_yaxis_transform(),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
            )
        for label, colour in (("better", BLUE), ("worse", VERMILION)):
            if colour in colours:
                ax.scatter([], [], s=60, color=colour, label=label)
        baseline, other = self._names
        label_rows(ax, table.index.map(_LABELS))
        ax.set_xlabel(f"{other} minus {baseline}\n95 % interval")
        if not (colours == _GREY).all():
            legend_above(ax)
