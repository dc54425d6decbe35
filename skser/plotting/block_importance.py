"""BlockImportanceDisplay: loss of UAR without each block of features."""

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

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import BlockImportanceDisplay
    >>> importance = pd.DataFrame({"mean": [0.3, 0.1], "sd": [0.1, 0.1]}, index=["mel", "pitch"])
    >>> len(BlockImportanceDisplay(importance).plot().bars_)
    2
    """

    def __init__(self, importance: pd.DataFrame) -> None:
        self.importance = importance

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.2 + 0.35 * len(self.importance)

    def _draw(self, ax: Axes) -> None:
        self.bars_ = ax.barh(
            range(len(self.importance)),
            self.importance["mean"],
            xerr=self.importance["sd"],
            color=BLUE,
            error_kw={"ecolor": "#777777", "lw": 1},
        )
        ax.axvline(0, color=ink(), lw=0.8)
        label_rows(ax, self.importance.index).set_xlabel(
            "loss in unweighted average recall, mean ± sd"
        )
