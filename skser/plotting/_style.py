"""What all pictures share: colours that everybody can tell apart, quiet axes, tables of colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# Okabe and Ito's colours; the first two are for the two sides of a comparison.
BLUE, VERMILION = "#0072B2", "#D55E00"
COLOURS = (
    BLUE,
    VERMILION,
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#F0E442",
    "#000000",
    "#999999",
)
SEQUENTIAL, DIVERGING = "Blues", "RdBu_r"


def new_axes(ax: Any, width: float = 6.0, height: float = 4.0) -> Any:
    """The axes that were given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def ink() -> str:
    """The colour of text, which a dark page changes."""
    import matplotlib

    return matplotlib.rcParams["text.color"]


def quiet(ax: Any, *, grid: str | None = None) -> Any:
    """Axes without a frame, with a grid behind the data if one is asked for."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, alpha=0.3)
    return ax


def draw_table(ax: Any, table: pd.DataFrame, number: str, high: float | None = None) -> Any:
    """A table as colours from 0 to ``high``, or to its largest value, with its numbers."""
    values = table.to_numpy(dtype=float)
    high = np.nanmax(values) if high is None else high
    image = ax.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value > 0.6 * high else "black"
            ax.text(column, row, format(value, number), ha="center", va="center", color=colour)
    columns = [str(name) for name in table.columns]
    is_long = max(map(len, columns)) * len(columns) > 60
    ax.set_xticks(
        range(len(columns)),
        columns,
        rotation=40 if is_long else 0,
        ha="right" if is_long else "center",
        rotation_mode="anchor" if is_long else "default",
    )
    ax.set_yticks(range(len(table)), [str(name) for name in table.index])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image
