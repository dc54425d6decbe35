"""A timeline in the formats that ``skser timeline`` writes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from .._timeline_table import COLUMNS
from ..timeline import segments, to_srt, to_textgrid


def format_segments(timeline: pd.DataFrame) -> str:
    """The segments of a timeline as a table; silence has no emotion."""
    table = segments(timeline).drop(columns="silence")
    table["emotion"] = table["emotion"].fillna("-")
    formatters: Any = dict.fromkeys(("start", "end", "probability"), "{:.2f}".format)
    return table.to_string(index=False, formatters=formatters, na_rep="-")


def _csv(timeline: pd.DataFrame) -> bytes:
    classes = timeline.columns[len(COLUMNS) :]
    return timeline.round(dict.fromkeys(classes, 4)).to_csv(index=False).encode()


def _json(timeline: pd.DataFrame) -> bytes:
    classes = [str(name) for name in timeline.columns[len(COLUMNS) :]]
    rows = [
        {
            **dict(zip(COLUMNS, row, strict=False)),
            "probabilities": None
            if row.silence
            else dict(zip(classes, (round(p, 4) for p in row[len(COLUMNS) :]), strict=True)),
        }
        for row in timeline.itertuples(index=False)
    ]
    return (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode()


def _png(timeline: pd.DataFrame) -> bytes:
    from matplotlib.figure import Figure

    from ..plotting import TimelineDisplay

    display = TimelineDisplay(timeline)
    # A figure without pyplot, which would open a window.
    figure = Figure(figsize=display._figure_size(), layout="constrained")
    display.plot(ax=figure.subplots())
    content = io.BytesIO()
    figure.savefig(content, dpi=150, format="png")
    return content.getvalue()


# The content of a file, by the name of its option.
FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "csv": _csv,
    "json": _json,
    "png": _png,
    "textgrid": lambda timeline: to_textgrid(timeline).encode(),
    "srt": lambda timeline: to_srt(timeline).encode(),
}
