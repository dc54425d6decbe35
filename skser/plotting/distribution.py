"""EmotionDistributionDisplay: number of recordings of each emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._utils._param_validation import check_value, one_of
from ..exceptions import ParameterError
from ._style import COLOURS, AxesDisplay, draw_table, label_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer

    Kind: TypeAlias = Literal["bars", "heatmap"]


class EmotionDistributionDisplay(AxesDisplay):
    """Number of recordings of each emotion, in total or by corpus, speaker or gender.

    Parameters
    ----------
    counts : DataFrame of shape (n_emotions, n_groups)
        Number of recordings by emotion (rows) and group (columns).

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    bars_ : list of matplotlib BarContainer
        The bars of each group, in the order of ``counts``; empty for a heat map.
    image_ : matplotlib AxesImage
        The heat map, with ``kind="heatmap"`` only.

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
        cls, corpus: Bunch, *, by: str | None = None, kind: Kind = "bars", ax: Axes | None = None
    ) -> EmotionDistributionDisplay:
        """Count the recordings of a corpus and draw the numbers.

        Parameters
        ----------
        corpus : Bunch
            Corpus with a table ``frame``, as the loaders in :mod:`skser.datasets` return it.
        by : str or None, default=None
            Column of ``corpus.frame`` to group by, such as ``"corpus"``, ``"speaker"`` or
            ``"gender"``. None counts all recordings together.
        kind : {"bars", "heatmap"}, default="bars"
            Stacked bars, or a heat map, which is easier to read with many groups.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : EmotionDistributionDisplay
            The drawn display.

        Raises
        ------
        ParameterError
            ``by`` is not a column of ``corpus.frame``.
        """
        if by is None:
            counts = corpus.frame["emotion"].value_counts().to_frame("all")
        elif by in corpus.frame:
            counts = pd.crosstab(corpus.frame["emotion"], corpus.frame[by])
        else:
            names = ", ".join(corpus.frame.columns)
            raise ParameterError(f"by must be a column of corpus.frame ({names}), got {by!r}")
        return cls(counts.sort_index()).plot(kind=kind, ax=ax)

    def plot(self, *, kind: Kind = "bars", ax: Axes | None = None) -> EmotionDistributionDisplay:
        """Draw the numbers.

        Parameters
        ----------
        kind : {"bars", "heatmap"}, default="bars"
            Stacked bars, or a heat map, which is easier to read with many groups.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : EmotionDistributionDisplay
            The display itself, with the artists as attributes.
        """
        check_value("kind", kind, one_of("bars", "heatmap"))
        return self._plot(ax, kind)

    def _figure_size(self, *options: Any) -> tuple[float, float]:
        return 6.0, 1.2 + 0.4 * len(self.counts)

    def _draw(self, ax: Axes, kind: Kind) -> None:
        self.bars_: list[BarContainer] = []
        if kind == "heatmap":
            self.image_ = draw_table(ax, self.counts, ".0f")
            return
        left = np.zeros(len(self.counts))
        for i, (group, counts) in enumerate(self.counts.items()):
            colour = COLOURS[i % len(COLOURS)]
            self.bars_.append(
                ax.barh(range(len(counts)), counts, left=left, color=colour, label=str(group))
            )
            left = left + counts.to_numpy()
        ax.bar_label(self.bars_[-1], labels=[f"{n:.0f}" for n in left], padding=3)
        label_rows(ax, self.counts.index).set_xlabel("recordings")
        ax.margins(x=0.1)
        if len(self.bars_) > 1:
            self.figure_.legend(handles=self.bars_, loc="outside right upper", frameon=False)
