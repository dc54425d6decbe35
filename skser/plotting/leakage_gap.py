"""LeakageGapDisplay: scores with random folds beside those for new speakers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..leakage import LeakageReport
from ._fonts import make_legible
from ._style import BLUE, VERMILION, new_axes, quiet


class LeakageGapDisplay:
    """Unweighted average recall with random folds and for new speakers.

    Parameters
    ----------
    scores : DataFrame of shape (n_corpora, n_columns)
        Columns ``random`` and ``new_speakers``, a row for each corpus.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    random_, new_speakers_ : matplotlib PathCollection
        The points.

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
        cls, reports: Mapping[str, LeakageReport], *, ax: Any = None
    ) -> LeakageGapDisplay:
        """Draw what was found on some corpora.

        Parameters
        ----------
        reports : dict of {str : LeakageReport}
            As :func:`skser.leakage.leakage_report` returns them, by the names of the corpora.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LeakageGapDisplay
        """
        rows = {name: report.to_frame().loc["uar"] for name, report in reports.items()}
        return cls(pd.DataFrame(rows).T[["random", "new_speakers"]]).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> LeakageGapDisplay:
        """Draw two points for each corpus, and the gap between them.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : LeakageGapDisplay
        """
        self.ax_ = new_axes(ax, height=1.4 + 0.6 * len(self.scores))
        self.figure_ = self.ax_.figure
        rows = np.arange(len(self.scores))
        leaked, honest = self.scores["random"], self.scores["new_speakers"]
        self.ax_.hlines(rows, honest, leaked, color="#999999", lw=3, zorder=1)
        self.random_ = self.ax_.scatter(
            leaked, rows, s=70, color=VERMILION, marker="D", label="random folds"
        )
        self.new_speakers_ = self.ax_.scatter(honest, rows, s=80, color=BLUE, label="new speakers")
        for values, other, colour in ((honest, leaked, BLUE), (leaked, honest, VERMILION)):
            for row, value, across in zip(rows, values, other, strict=True):
                side = -1 if value < across else 1
                self.ax_.annotate(
                    f"{value:.2f}",
                    (value, row),
                    xytext=(9 * side, 0),
                    textcoords="offset points",
                    ha="right" if side < 0 else "left",
                    va="center",
                    color=colour,
                )
        self.ax_.set_yticks(rows, [str(name) for name in self.scores.index])
        self.ax_.set_ylim(len(rows) - 0.4, -0.6)
        quiet(self.ax_, grid="x").set(xlabel="unweighted average recall", xlim=(0, 1.08))
        self.ax_.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
        make_legible(self.figure_)
        return self
