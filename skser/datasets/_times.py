"""Starts and ends of segments, as text in a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..exceptions import DataError
from ._columns import unit_of
from ._corpus import rows_of
from ._tables import MISSING


def add_segments(file: Path, frame: pd.DataFrame, times: Mapping[str, pd.Series]) -> pd.DataFrame:
    """A frame with columns start and end in seconds; DataError for those that are impossible.

    ``times`` are a start and an end or a duration. A start that is missing is the start of the
    recording; an end or duration, written as NaN, its end.
    """
    seconds = {role: _seconds(file, column) for role, column in times.items()}
    start = seconds["start"].fillna(0.0)
    end = seconds["end"] if "end" in seconds else start + seconds["duration"]
    frame = frame.drop(columns="duration", errors="ignore").assign(start=start, end=end)
    wrong = frame.index[(frame["start"] < 0) | (frame["end"] <= frame["start"])]
    if len(wrong):
        start, end = frame.loc[wrong[0], ["start", "end"]]
        raise DataError(
            f"{file}: segments must start at 0 s or later and end after that, got {start:g} to "
            f"{end:g} s in {rows_of(wrong)}"
        )
    return frame


def _seconds(file: Path, column: pd.Series) -> pd.Series:
    """Seconds of numbers, with a point or a comma, and of time deltas; NaN where missing."""
    is_missing = column.isin(MISSING)
    text = column.mask(is_missing).str.replace(",", ".")
    seconds = pd.to_numeric(text, errors="coerce")
    clock = text.where(text.str.count(":") != 1, "00:" + text)  # minutes and seconds
    deltas = pd.to_timedelta(clock.where(seconds.isna()), errors="coerce").dt.total_seconds()
    seconds = (seconds * unit_of(str(column.name))).fillna(deltas)
    wrong = column.index[(seconds.isna() & ~is_missing) | seconds.abs().eq(float("inf"))]
    if len(wrong):
        raise DataError(
            f"{file}: column {column.name!r} must hold seconds, such as 1.5, or times, such as "
            f"00:00:01.5, got {column[wrong[0]]!r:.80} in {rows_of(wrong)};"
            " rename it if it means something else"
        )
    return seconds
