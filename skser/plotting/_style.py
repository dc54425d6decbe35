"""The base class of displays, and the colours, fonts and parts of a drawing that they share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage
    from typing_extensions import Self

# Okabe and Ito's colours; the first two are for the two sides of a comparison.
BLUE, VERMILION = "#0072B2", "#D55E00"
_OKABE_ITO = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000", "#999999")
COLOURS = (BLUE, VERMILION, *_OKABE_ITO)
SEQUENTIAL, DIVERGING = "Blues", "RdBu_r"
# Fonts of other scripts, for Matplotlib to fall back on where its own font lacks a character.
_FALLBACK_FONTS = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC"),
    *("Noto Sans KR", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *("IPAexGothic", "NanumGothic", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo"),
    *("Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Noto Sans Arabic", "Noto Naskh Arabic"),
    *("Geeza Pro", "Noto Sans Devanagari", "Lohit Devanagari", "Kohinoor Devanagari"),
    *("Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Telugu", "Noto Sans Thai", "Nirmala UI"),
    *("Segoe UI", "Arial Unicode MS", "FreeSans", "Unifont"),
)


class AxesDisplay:
    """A display with one axes; subclasses define ``_draw`` and the ``_figure_size`` in inches."""

    ax_: Axes
    figure_: Figure | SubFigure

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : Display
            The display itself, with the artists as attributes.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=self._figure_size(), layout="constrained")[1]
        self.ax_ = ax
        self.figure_ = ax.figure
        self._draw(ax)
        make_legible(self.figure_)
        return self

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 4.0

    def _draw(self, ax: Axes) -> None:
        raise NotImplementedError


def make_legible(figure: Figure | SubFigure) -> None:
    """Let Matplotlib draw labels in any script, and not as formulas."""
    import matplotlib
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    installed = set(fontManager.get_font_names())
    fallbacks = [name for name in _FALLBACK_FONTS if name in installed]
    for text in figure.findobj(Text):
        text.set_fontfamily([*matplotlib.rcParams["font.family"], *fallbacks])
        text.set_parse_math(False)  # a $ in a label is a dollar sign


def ink() -> str:
    """The colour of text, which the report sets to that of its page."""
    import matplotlib

    return matplotlib.rcParams["text.color"]


def quiet(ax: Axes, *, grid: Literal["x", "y", "both"] | None = None) -> Axes:
    """Remove the upper and right spine, and add a pale grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, alpha=0.3)
    return ax


def label_rows(ax: Axes, names: Iterable[object]) -> Axes:
    """Name the rows of a quiet axes, the first on top, as in a table."""
    labels = [str(name) for name in names]
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    return quiet(ax, grid="x")


def legend_above(ax: Axes) -> None:
    """Put the legend above the axes, in one line."""
    handles, _ = ax.get_legend_handles_labels()
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(handles))


def draw_over_time(
    ax: Axes, values: np.ndarray, extent: tuple[float, float, float, float], cmap: str
) -> AxesImage:
    """Draw values of shape (n_rows, n_frames), the first row at the bottom.

    The middle of a diverging colour map is 0.
    """
    high = (np.abs(values).max() or 1.0) if cmap == DIVERGING else None
    low = None if high is None else -high
    return ax.imshow(
        values, cmap, vmin=low, vmax=high, origin="lower", aspect="auto", extent=extent
    )


def draw_table(ax: Axes, table: pd.DataFrame, number: str, high: float | None = None) -> AxesImage:
    """Draw a table as colours from 0 to ``high`` or its largest value, and write its numbers."""
    values = table.to_numpy(dtype=float)
    high = np.nanmax(values) if high is None else high
    image = ax.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value > 0.6 * high else "black"
            ax.text(column, row, format(value, number), ha="center", va="center", color=colour)
    columns = [str(name) for name in table.columns]
    ax.set_xticks(range(len(columns)), columns)
    if max(map(len, columns)) * len(columns) > 60:
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(table)), [str(name) for name in table.index])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image
