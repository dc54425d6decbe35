"""``skser timeline``: what is written of the emotions over a recording, or told."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from .._files import check_apart, check_writable, written_whole
from .._timeline_table import COLUMNS
from ..exceptions import DataError
from ..timeline import predict_timeline, segments, to_srt, to_textgrid

Out: TypeAlias = "str | PathLike[str] | None"


def run_timeline(
    pipeline: Any,
    file: Any,
    *,
    window: float = 3.0,
    hop: float = 1.0,
    smoothing: float | None = 3.0,
    top_db: float | None = 40.0,
    csv: Out = None,
    json: Out = None,
    png: Out = None,
    textgrid: Out = None,
    srt: Out = None,
    read: Sequence[str | PathLike[str]] = (),
    say: Callable[[str], Any] = print,
) -> None:
    """Write the timeline of a recording in each form that a path is given for, or tell segments.

    Nothing is written over the recording or the other files that are ``read``.
    """
    writers = [
        (csv, _write_csv),
        (json, _write_json),
        (png, _write_png),
        (textgrid, _write_textgrid),
        (srt, _write_srt),
    ]
    asked = [(check_writable(path), write) for path, write in writers if path is not None]
    check_apart([path for path, _ in asked], [file, *read])
    if png is not None and Path(png).suffix.lower() != ".png":
        raise DataError(f"--png must be a file that ends in .png, got {png}")
    timeline = predict_timeline(
        pipeline, file, window=window, hop=hop, smoothing=smoothing, top_db=top_db, verbose=1
    )
    for path, write in asked:
        with written_whole(path) as temporary:
            write(timeline, temporary)
        say(f"wrote {path}")
    if not asked:
        say(format_segments(timeline))


def format_segments(timeline: pd.DataFrame) -> str:
    """The segments of a timeline as a table; silence has no emotion."""
    found = segments(timeline).drop(columns="silence")
    found["emotion"] = found["emotion"].fillna("-")
    numbers = {"start": "{:.2f}", "end": "{:.2f}", "probability": "{:.2f}"}
    formatters: Any = {name: text.format for name, text in numbers.items()}
    return found.to_string(index=False, formatters=formatters, na_rep="-")


def format_json(timeline: pd.DataFrame) -> str:
    """The rows of a timeline as a JSON array; what silence does not have is null."""
    classes = list(timeline.columns[len(COLUMNS) :])
    rows = [
        {
            "start": start,
            "end": end,
            "emotion": emotion,
            "silence": silence,
            "probabilities": None
            if silence
            else {str(c): round(p, 4) for c, p in zip(classes, probabilities, strict=True)},
        }
        for start, end, emotion, silence, *probabilities in timeline.itertuples(index=False)
    ]
    return json_format.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _write_csv(timeline: pd.DataFrame, path: Path) -> None:
    classes = timeline.columns[len(COLUMNS) :]
    timeline.round(dict.fromkeys(classes, 4)).to_csv(path, index=False)


def _write_json(timeline: pd.DataFrame, path: Path) -> None:
    path.write_text(format_json(timeline), encoding="utf-8")


def _write_textgrid(timeline: pd.DataFrame, path: Path) -> None:
    path.write_text(to_textgrid(timeline), encoding="utf-8")


def _write_srt(timeline: pd.DataFrame, path: Path) -> None:
    path.write_text(to_srt(timeline), encoding="utf-8")


def _write_png(timeline: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    from ..plotting import TimelineDisplay

    n_classes = timeline.shape[1] - len(COLUMNS)
    # A figure of its own, without pyplot: no window.
    figure = Figure(figsize=(10.0, 1.4 + 0.28 * n_classes), layout="constrained")
    TimelineDisplay.from_timeline(timeline, ax=figure.subplots())
    figure.savefig(path, dpi=150, format="png")
