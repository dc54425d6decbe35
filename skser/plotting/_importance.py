"""The display of the importance of blocks of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ._style import BLUE, AxesDisplay, ink, label_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class BlockImportanceDisplay(AxesDisplay):
    """Permutation importance of each block of features, as bars.

    Parameters
    ----------
    importance : DataFrame of shape (n_blocks, 2)
        Result of :func:`skser.inspection.block_importance`: columns ``mean`` and ``sd`` of the
        loss of unweighted average recall (UAR).

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    bars_ : matplotlib BarContainer
        The mean of each block; error bars are ± one standard deviation.
    """

    def __init__(self, importance: pd.DataFrame) -> None:
        self.importance = importance

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.2 + 0.35 * len(self.importance)

    def _draw(self, ax: Axes) -> None:
        mean, sd = self.importance["mean"], self.importance["sd"]
        error = {"ecolor": "#777777", "lw": 1}
        self.bars_ = ax.barh(range(len(mean)), mean, xerr=sd, color=BLUE, error_kw=error)
        ax.axvline(0, color=ink(), lw=0.8)
        title = "loss in unweighted average recall, mean ± sd"
        label_rows(ax, self.importance.index).set_xlabel(title)
