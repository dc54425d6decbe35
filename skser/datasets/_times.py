"""Starts and ends of segments, as text in a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..exceptions import DataError
from ._corpus import listing
from ._tables import MISSING


def add_segments(
    file: Path, frame: pd.DataFrame, starts: pd.Series, ends: pd.Series
) -> pd.DataFrame:
    """A frame with columns start and end in seconds; DataError for those that are impossible.

    A start that is missing is the start of the recording; an end, written as NaN, its end.
    """
    frame = frame.assign(start=_seconds(file, starts).fillna(0.0), end=_seconds(file, ends))
    wrong = frame.index[(frame["start"] < 0) | (frame["end"] <= frame["start"])]
    if len(wrong):
        start, end = frame.loc[wrong[0], ["start", "end"]]
        raise DataError(
            f"{file}: segments must start at 0 s or later and end after that, got {start:g} to "
            f"{end:g} s in {wrong.name} {wrong[0]} ({len(wrong)} such {wrong.name}s)"
        )
    return frame


def _seconds(file: Path, column: pd.Series) -> pd.Series:
    """Seconds of numbers, with a point or a comma, and of time deltas; NaN where missing."""
    is_missing = column.isin(MISSING)
    text = column.mask(is_missing).str.replace(",", ".")
    seconds = pd.to_numeric(text, errors="coerce")
    deltas = pd.to_timedelta(text.where(seconds.isna()), errors="coerce").dt.total_seconds()
    seconds = seconds.fillna(deltas)
    wrong = column.index[(seconds.isna() & ~is_missing) | seconds.abs().eq(float("inf"))]
    if len(wrong):
        raise DataError(
            f"{file}: column {column.name!r} must hold seconds, such as 1.5, or time deltas, such "
            f"as 0 days 00:00:01.5, got {column[wrong[0]]!r:.80} in {wrong.name}s {listing(wrong)};"
            " rename it if it means something else"
        )
    return seconds
