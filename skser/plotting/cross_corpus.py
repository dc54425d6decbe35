"""CrossCorpusDisplay: scores of training on one corpus and testing on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ._style import AxesDisplay, draw_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    def _figure_size(self) -> tuple[float, float]:
        n_rows, n_columns = self.uar.shape
        return 2.2 + 1.0 * n_columns, 1.6 + 0.6 * n_rows

    def _draw(self, ax: Axes) -> None:
        self.image_ = draw_table(ax, self.uar, ".2f", high=1.0)
        ax.set(xlabel="tested on (unweighted average recall)", ylabel="trained on")
