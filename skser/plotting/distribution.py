"""EmotionDistributionDisplay: how many recordings there are of each emotion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._validation import check_value, one_of
from ..exceptions import ParameterError
from ._fonts import make_legible
from ._style import COLOURS, draw_table, new_axes, quiet


class EmotionDistributionDisplay:
    """Number of recordings of each emotion, in all or for each corpus, speaker or gender.

    Parameters
    ----------
    counts : DataFrame of shape (n_emotions, n_parts)
        Number of recordings by emotion (rows) and part (columns).

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : list of matplotlib BarContainer
        The bars of each part, from the bottom up; in a heat map there are none.
    image_ : matplotlib AxesImage
        The heat map, where it is one.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import EmotionDistributionDisplay
    >>> counts = pd.DataFrame({"mine": [12, 8]}, index=["angry", "calm"])
    >>> EmotionDistributionDisplay(counts).plot().ax_.get_xlabel()
    'recordings'
    """

    def __init__(self, counts: pd.DataFrame) -> None:
        self.counts = counts

    @classmethod
    def from_corpus(
        cls, corpus: Bunch, *, by: str | None = None, kind: str = "bars", ax: Any = None
    ) -> EmotionDistributionDisplay:
        """Count the recordings of a corpus, and draw that.

        Parameters
        ----------
        corpus : Bunch
            As a loader gives it.
        by : str or None, default=None
            A column of ``corpus.frame``, such as ``"corpus"``, ``"speaker"`` or ``"gender"``, by
            which recordings are counted apart. None counts all.
        kind, ax
            As in `plot`.

        Returns
        -------
        display : EmotionDistributionDisplay
        """
        if by is None:
            counts = corpus.frame["emotion"].value_counts().to_frame("all")
        elif by in corpus.frame:
            counts = pd.crosstab(corpus.frame["emotion"], corpus.frame[by])
        else:
            names = ", ".join(corpus.frame.columns)
            raise ParameterError(f"by must be a column of corpus.frame ({names}), got {by!r}")
        return cls(counts.sort_index()).plot(kind=kind, ax=ax)

    def plot(self, *, kind: str = "bars", ax: Any = None) -> EmotionDistributionDisplay:
        """Draw the numbers.

        Parameters
        ----------
        kind : {"bars", "heatmap"}, default="bars"
            Bars, those of the parts stacked, or a table of colours, which is easier to read with
            many parts.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : EmotionDistributionDisplay
        """
        check_value("kind", kind, one_of("bars", "heatmap"))
        self.ax_ = new_axes(ax, height=1.2 + 0.4 * len(self.counts))
        self.figure_ = self.ax_.figure
        self.bars_: list[Any] = []
        if kind == "bars":
            self._plot_bars()
        else:
            self._plot_heatmap()
        # The first emotion on top, as in a table.
        self.ax_.set_yticks(np.arange(len(self.counts)), list(self.counts.index))
        self.ax_.set_ylim(len(self.counts) - 0.5, -0.5)
        make_legible(self.figure_)
        return self

    def _plot_bars(self) -> None:
        left = np.zeros(len(self.counts))
        for i, (part, counts) in enumerate(self.counts.items()):
            colour = COLOURS[i % len(COLOURS)]
            bars = self.ax_.barh(
                np.arange(len(counts)), counts, left=left, color=colour, label=str(part)
            )
            left += counts.to_numpy()
            self.bars_.append(bars)
        self.ax_.bar_label(self.bars_[-1], labels=[f"{n:.0f}" for n in left], padding=3)
        quiet(self.ax_, grid="x").set(xlabel="recordings")
        self.ax_.margins(x=0.1)
        if len(self.bars_) > 1:
            self.figure_.legend(handles=self.bars_, loc="outside right upper", frameon=False)

    def _plot_heatmap(self) -> None:
        self.image_ = draw_table(self.ax_, self.counts, ".0f")
