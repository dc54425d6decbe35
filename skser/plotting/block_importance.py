"""BlockImportanceDisplay: how much worse a pipeline does without each block of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._fonts import make_legible
from ._style import BLUE, ink, new_axes, quiet


class BlockImportanceDisplay:
    """Loss in unweighted average recall if a block of features is of other clips.

    Parameters
    ----------
    importance : DataFrame of shape (n_blocks, 2)
        Columns ``mean`` and ``sd``, as :func:`skser.explanation.block_importance` returns them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : matplotlib BarContainer
        The bars.

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

    def plot(self, *, ax: Any = None) -> BlockImportanceDisplay:
        """Draw a bar for each block, and its deviation over folds and repeats.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : BlockImportanceDisplay
        """
        self.ax_ = new_axes(ax, height=1.2 + 0.35 * len(self.importance))
        self.figure_ = self.ax_.figure
        rows = np.arange(len(self.importance))
        self.bars_ = self.ax_.barh(
            rows,
            self.importance["mean"],
            xerr=self.importance["sd"],
            color=BLUE,
            error_kw={"ecolor": "#777777", "lw": 1},
        )
        self.ax_.set_yticks(rows, [str(name) for name in self.importance.index])
        self.ax_.set_ylim(len(rows) - 0.5, -0.5)
        self.ax_.axvline(0, color=ink(), lw=0.8)
        quiet(self.ax_, grid="x").set_xlabel("loss in unweighted average recall, mean ± sd")
        make_legible(self.figure_)
        return self
