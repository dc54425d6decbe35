"""CrossCorpusDisplay: what a pipeline that was trained on one corpus scores on others."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ._fonts import make_legible
from ._style import draw_table, new_axes


class CrossCorpusDisplay:
    """Unweighted average recall by the corpus that was trained on and the one that was tested.

    Parameters
    ----------
    uar : DataFrame of shape (n_trained, n_tested)
        As :func:`skser.cross_corpus` returns it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    image_ : matplotlib AxesImage
        The colours.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import CrossCorpusDisplay
    >>> uar = pd.DataFrame({"one": [0.7, 0.5], "two": [0.4, 0.8]}, index=["one", "two"])
    >>> CrossCorpusDisplay(uar).plot().ax_.get_ylabel()
    'trained on'
    """

    def __init__(self, uar: pd.DataFrame) -> None:
        self.uar = uar

    def plot(self, *, ax: Any = None) -> CrossCorpusDisplay:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : CrossCorpusDisplay
        """
        n_rows, n_columns = self.uar.shape
        self.ax_ = new_axes(ax, 2.2 + 1.0 * n_columns, 1.6 + 0.6 * n_rows)
        self.figure_ = self.ax_.figure
        self.image_ = draw_table(self.ax_, self.uar, ".2f", high=1.0)
        self.ax_.set(xlabel="tested on (unweighted average recall)", ylabel="trained on")
        make_legible(self.figure_)
        return self
