"""LeakageGapDisplay: scores of random folds beside those of new speakers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..evaluation import LeakageReport
from ._style import BLUE, VERMILION, AxesDisplay, label_rows, legend_above

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
    random_ : matplotlib PathCollection
        The points of random folds.
    new_speakers_ : matplotlib PathCollection
        The points of new speakers.

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
        random, new_speakers = self.scores["random"], self.scores["new_speakers"]
        ax.hlines(rows, new_speakers, random, color="#999999", lw=3, zorder=1)
        self.random_ = ax.scatter(
            random, rows, s=70, color=VERMILION, marker="D", label="random folds"
        )
        self.new_speakers_ = ax.scatter(new_speakers, rows, s=80, color=BLUE, label="new speakers")
        pairs = (new_speakers, random, BLUE), (random, new_speakers, VERMILION)
        for values, opposite, colour in pairs:
            for row, value, end in zip(rows, values, opposite, strict=True):
                side = -1 if value < end else 1
                ax.annotate(
                    f"{value:.2f}",
                    (value, row),
                    xytext=(9 * side, 0),
                    textcoords="offset points",
                    ha="right" if side < 0 else "left",
                    va="center",
                    color=colour,
                )
        label_rows(ax, self.scores.index).set(xlabel="unweighted average recall", xlim=(0, 1.08))
        legend_above(ax)
