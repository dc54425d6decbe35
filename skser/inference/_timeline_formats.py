"""Formats of a timeline: segments, Praat's TextGrid, and subtitles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import DataError

COLUMNS = ("start", "end", "emotion", "silence")
CHANNEL = "channel"  # before them in a timeline of each channel

_TEXTGRID = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = {n_tiers}
item []:
"""
_TIER = """\
    item [{number}]:
        class = "IntervalTier"
        name = "{name}"
        xmin = 0
        xmax = {end}
        intervals: size = {n_intervals}
"""


def check_timeline(timeline: object) -> None:
    """Raise DataError for anything but a result of `predict_timeline`."""
    columns = tuple(getattr(timeline, "columns", ()))
    own = columns[1:] if columns[:1] == (CHANNEL,) else columns
    if not isinstance(timeline, pd.DataFrame) or own[:4] != COLUMNS or timeline.empty:
        raise DataError(
            "timeline must be a result of predict_timeline, got "
            f"{type(timeline).__name__} with the columns {list(columns)}"
        )


def by_channel(timeline: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Timelines without the column ``channel`` by "channel 0", ...; one without it by ""."""
    check_timeline(timeline)
    if timeline.columns[0] != CHANNEL:
        return {"": timeline}
    groups = timeline.groupby(CHANNEL, sort=True)
    return {
        f"{CHANNEL} {number}": group.drop(columns=CHANNEL).reset_index(drop=True)
        for number, group in groups
    }


def runs(values: np.ndarray) -> np.ndarray:
    """Start and stop of each run of equal values, shape (n_runs, 2)."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.stack([np.append(0, edges), np.append(edges, len(values))], axis=1)


def segments(timeline: pd.DataFrame) -> pd.DataFrame:
    """Merge neighbouring rows of an emotion, or of silence.

    Parameters
    ----------
    timeline : DataFrame
        Result of :func:`skser.predict_timeline`.

    Returns
    -------
    segments : DataFrame
        ``start`` and ``end`` in seconds; ``emotion``, None in silence; its mean ``probability``,
        NaN in silence; and ``silence``, a bool. Of a timeline of each channel, ``channel`` is the
        first column.

    Raises
    ------
    DataError
        ``timeline`` is not a result of :func:`skser.predict_timeline`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.inference import segments
    >>> columns = ["start", "end", "emotion", "silence", "happy", "sad"]
    >>> happy, very_happy = [0, 1, "happy", False, 0.6, 0.4], [1, 2, "happy", False, 0.8, 0.2]
    >>> silence = [2, 2.5, None, True, None, None]
    >>> segments(pd.DataFrame([happy, very_happy, silence], columns=columns))
       start  end emotion  probability  silence
    0      0  2.0   happy          0.7    False
    1      2  2.5    None          NaN     True
    """
    check_timeline(timeline)
    if timeline.columns[0] != CHANNEL:
        return _merged(timeline)
    tables = []
    for number, group in timeline.groupby(CHANNEL, sort=True):
        table = _merged(group.drop(columns=CHANNEL))
        table.insert(0, CHANNEL, number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _merged(timeline: pd.DataFrame) -> pd.DataFrame:
    """The segments of one channel."""
    classes = list(timeline.columns[len(COLUMNS) :])
    is_silent = timeline["silence"].to_numpy(bool)
    codes = np.array(
        [
            -1 if silent else classes.index(emotion)
            for emotion, silent in zip(timeline["emotion"], is_silent, strict=True)
        ]
    )
    probabilities = timeline[classes].to_numpy(float)[np.arange(len(codes)), codes]
    spans = runs(codes)
    starts, stops = spans.T
    labels = np.array([*classes, None], object)  # of code -1: None
    columns = {
        "start": timeline["start"].to_numpy()[starts],
        "end": timeline["end"].to_numpy()[stops - 1],
        "emotion": pd.Series(labels[codes[starts]], dtype=object),
        "probability": [probabilities[start:stop].mean() for start, stop in spans],
        "silence": is_silent[starts],
    }
    return pd.DataFrame(columns)


def to_textgrid(timeline: pd.DataFrame) -> str:
    """Convert to Praat's TextGrid [1]_, with a tier ``emotion`` whose label is empty in silence.

    A timeline of each channel has the tiers ``channel 0``, ``channel 1`` and so on.

    Parameters
    ----------
    timeline : DataFrame
        Result of :func:`skser.predict_timeline`.

    Returns
    -------
    textgrid : str
        Content of a text file in UTF-8.

    Raises
    ------
    DataError
        ``timeline`` is not a result of :func:`skser.predict_timeline`.

    References
    ----------
    .. [1] P. Boersma and D. Weenink, "Praat: doing phonetics by computer", manual.
    """
    tables = {name: _merged(part) for name, part in by_channel(timeline).items()}
    end = _seconds(max(table["end"].iloc[-1] for table in tables.values()))
    tiers = [
        _tier(table, number, name or "emotion", end)
        for number, (name, table) in enumerate(tables.items(), start=1)
    ]
    return _TEXTGRID.format(end=end, n_tiers=len(tiers)) + "".join(tiers)


def _tier(table: pd.DataFrame, number: int, name: str, end: str) -> str:
    intervals = [
        f"        intervals [{i}]:\n"
        f"            xmin = {_seconds(row.start)}\n"
        f"            xmax = {_seconds(row.end)}\n"
        f'            text = "{_quoted(row.emotion)}"\n'
        for i, row in enumerate(table.itertuples(), start=1)
    ]
    head = _TIER.format(number=number, name=name, end=end, n_intervals=len(table))
    return head + "".join(intervals)


def to_srt(timeline: pd.DataFrame) -> str:
    """Convert to subtitles (SubRip) of emotions and mean probabilities, with none in silence.

    Those of a timeline of each channel begin with ``channel 0:`` and so on, in order of time.

    Parameters
    ----------
    timeline : DataFrame
        Result of :func:`skser.predict_timeline`.

    Returns
    -------
    srt : str
        Content of a text file in UTF-8; empty for a silent recording.

    Raises
    ------
    DataError
        ``timeline`` is not a result of :func:`skser.predict_timeline`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.inference import to_srt
    >>> row = {"start": 0.0, "end": 1.5, "emotion": "happy", "silence": False, "happy": 0.72}
    >>> print(to_srt(pd.DataFrame([row])))
    1
    00:00:00,000 --> 00:00:01,500
    happy 72 %
    <BLANKLINE>
    """
    table = segments(timeline)
    speech = table[~table["silence"]]
    if CHANNEL in table:
        speech = speech.sort_values(["start", CHANNEL], kind="stable")
    blocks = [
        f"{i}\n{_clock(row.start)} --> {_clock(row.end)}\n"
        f"{_party(row)}{_one_line(row.emotion)} {100 * row.probability:.0f} %\n"
        for i, row in enumerate(speech.itertuples(), start=1)
    ]
    return "\n".join(blocks)


def to_csv(timeline: pd.DataFrame) -> str:
    """Lines of CSV, the first with the names of the columns."""
    return "".join(csv_parts([timeline]))


def csv_parts(parts: Iterable[pd.DataFrame]) -> Iterator[str]:
    """The result of `to_csv` for successive parts of a timeline."""
    for number, part in enumerate(parts):
        rounded = part.round(dict.fromkeys(_classes(part), 4))
        yield rounded.to_csv(index=False, header=number == 0)


def to_json(timeline: pd.DataFrame) -> str:
    """A list of rows in JSON, each with the probabilities of emotions, or null in silence."""
    return "".join(json_parts([timeline]))


def json_parts(parts: Iterable[pd.DataFrame]) -> Iterator[str]:
    """The result of `to_json` for successive parts of a timeline."""
    before = "[\n"
    for part in parts:
        text = json.dumps(list(_json_rows(part)), indent=2, ensure_ascii=False)
        yield before + text.removeprefix("[\n").removesuffix("\n]")
        before = ",\n"
    yield "\n]\n"


def _json_rows(timeline: pd.DataFrame) -> Iterator[dict[str, object]]:
    classes = [str(name) for name in _classes(timeline)]
    n_others = timeline.shape[1] - len(classes)
    for row in timeline.itertuples(index=False):
        content = dict(zip(timeline.columns[:n_others], row[:n_others], strict=True))
        yield json_row(content, classes, None if row.silence else row[n_others:])


def json_row(
    content: dict[str, object], classes: Sequence[str], probabilities: Iterable[float] | None
) -> dict[str, object]:
    """A row with its probabilities by emotion, None in silence."""
    if probabilities is None:
        return {**content, "probabilities": None}
    rounded = [round(float(p), 4) for p in probabilities]
    return {**content, "probabilities": dict(zip(classes, rounded, strict=True))}


def _classes(timeline: pd.DataFrame) -> pd.Index:
    return timeline.columns[list(timeline.columns).index(COLUMNS[-1]) + 1 :]


def _party(row: Any) -> str:
    return f"{CHANNEL} {row.channel}: " if hasattr(row, CHANNEL) else ""


def _one_line(label: object) -> str:
    return " ".join(str(label).split())


def _quoted(label: object) -> str:
    return "" if label is None else _one_line(label).replace('"', '""')


def _seconds(time: object) -> str:
    return f"{time:.6f}".rstrip("0").rstrip(".")


def _clock(time: float) -> str:
    seconds, milliseconds = divmod(round(1000 * float(time)), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
