"""Displays of scores by corpus: of random folds and new speakers, and across corpora."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..evaluation import LeakageReport
from ._style import BLUE, VERMILION, AxesDisplay, draw_table, label_rows, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LeakageGapDisplay(AxesDisplay):
    """Unweighted average recall (UAR) of random folds and of new speakers.

    Parameters
    ----------
    scores : DataFrame of shape (n_corpora, 2)
        Columns ``random`` and ``new_speakers``, a row for each corpus.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    random_, new_speakers_ : matplotlib PathCollection
        The points of random folds and of new speakers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import LeakageGapDisplay
    >>> scores = pd.DataFrame({"random": [0.8], "new_speakers": [0.6]}, index=["mine"])
    >>> LeakageGapDisplay(scores).plot().ax_.get_xlabel()
    'unweighted average recall'
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self.scores = scores

    @classmethod
    def from_reports(
        cls, reports: Mapping[str, LeakageReport], *, ax: Axes | None = None
    ) -> LeakageGapDisplay:
        """Draw the leakage reports of one or more corpora.

        Parameters
        ----------
        reports : dict of {str : LeakageReport}
            Results of :func:`skser.evaluation.leakage_report`, by the names of the corpora.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : LeakageGapDisplay
            The drawn display.
        """
        rows = {name: report.to_frame().loc["uar"] for name, report in reports.items()}
        return cls(pd.DataFrame(rows).T[["random", "new_speakers"]]).plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.4 + 0.6 * len(self.scores)

    def _draw(self, ax: Axes) -> None:
        rows = np.arange(len(self.scores))
        random, new = self.scores["random"], self.scores["new_speakers"]
        ax.hlines(rows, new, random, color="#999999", lw=3, zorder=1)
        self.random_ = ax.scatter(
            random, rows, s=70, color=VERMILION, marker="D", label="random folds"
        )
        self.new_speakers_ = ax.scatter(new, rows, s=80, color=BLUE, label="new speakers")
        for values, opposite, colour in ((new, random, BLUE), (random, new, VERMILION)):
            for row, value, end in zip(rows, values, opposite, strict=True):
                is_left = value < end
                ax.annotate(
                    f"{value:.2f}",
                    (value, row),
                    xytext=(-9 if is_left else 9, 0),
                    textcoords="offset points",
                    ha="right" if is_left else "left",
                    va="center",
                    color=colour,
                )
        label_rows(ax, self.scores.index).set(xlabel="unweighted average recall", xlim=(0, 1.08))
        legend_above(ax)


class CrossCorpusDisplay(AxesDisplay):
    """Unweighted average recall (UAR) by training corpus (rows) and test corpus (columns).

    Parameters
    ----------
    uar : DataFrame of shape (n_corpora, n_corpora)
        Result of :func:`skser.cross_corpus`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    image_ : matplotlib AxesImage
        The coloured table.
    """

    def __init__(self, uar: pd.DataFrame) -> None:
        self.uar = uar

    def _figure_size(self) -> tuple[float, float]:
        n_rows, n_columns = self.uar.shape
        return 2.2 + 1.0 * n_columns, 1.6 + 0.6 * n_rows

    def _draw(self, ax: Axes) -> None:
        self.image_ = draw_table(ax, self.uar, ".2f", high=1.0)
        ax.set(xlabel="tested on (unweighted average recall)", ylabel="trained on")
