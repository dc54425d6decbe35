"""Formats of a timeline: segments of one emotion, Praat's TextGrid, and subtitles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..exceptions import DataError

COLUMNS = ("start", "end", "emotion", "silence")

_TEXTGRID = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "emotion"
        xmin = 0
        xmax = {end}
        intervals: size = {n_intervals}
"""


def check_timeline(timeline: object) -> None:
    """Raise DataError for anything but the result of `predict_timeline`."""
    columns = tuple(getattr(timeline, "columns", ()))
    if not isinstance(timeline, pd.DataFrame) or columns[:4] != COLUMNS or timeline.empty:
        raise DataError(
            "timeline must be a table with rows as predict_timeline returns it, got "
            f"{type(timeline).__name__} with the columns {list(columns)}"
        )


def stretches(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Start and stop of each run of equal values."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    return zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True)


def segments(timeline: pd.DataFrame) -> pd.DataFrame:
    """Merge neighbouring rows of the same emotion, or of silence.

    Parameters
    ----------
    timeline : DataFrame
        Result of :func:`skser.predict_timeline`.

    Returns
    -------
    segments : DataFrame
        ``start`` and ``end`` in seconds; ``emotion``, None in silence; its ``probability``, the
        mean over the rows, NaN in silence; and ``silence``, a bool.

    Raises
    ------
    DataError
        ``timeline`` is not a result of :func:`skser.predict_timeline`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skser.inference._timeline import segments
    >>> timeline = pd.DataFrame(
    ...     {
    ...         "start": [0.0, 1.0, 2.0],
    ...         "end": [1.0, 2.0, 2.5],
    ...         "emotion": ["happy", "happy", None],
    ...         "silence": [False, False, True],
    ...         "happy": [0.6, 0.8, np.nan],
    ...         "sad": [0.4, 0.2, np.nan],
    ...     }
    ... )
    >>> segments(timeline)
       start  end emotion  probability  silence
    0    0.0  2.0   happy          0.7    False
    1    2.0  2.5    None          NaN     True
    """
    check_timeline(timeline)
    classes = list(timeline.columns[len(COLUMNS) :])
    is_silent = timeline["silence"].to_numpy(bool)
    codes = np.array(
        [
            -1 if silent else classes.index(emotion)
            for emotion, silent in zip(timeline["emotion"], is_silent, strict=True)
        ]
    )
    probabilities = timeline[classes].to_numpy(float)
    rows = [
        (
            timeline["start"].iloc[first],
            timeline["end"].iloc[stop - 1],
            None if is_silent[first] else classes[codes[first]],
            np.nan if is_silent[first] else probabilities[first:stop, codes[first]].mean(),
            bool(is_silent[first]),
        )
        for first, stop in stretches(codes)
    ]
    table = pd.DataFrame(rows, columns=["start", "end", "emotion", "probability", "silence"])
    table["emotion"] = pd.Series([row[2] for row in rows], dtype=object)
    return table


def to_textgrid(timeline: pd.DataFrame) -> str:
    """Convert to Praat's TextGrid [1]_, with the emotions as intervals of one tier.

    The tier ``emotion`` covers the recording without gaps; silence has an empty label.

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
    .. [1] P. Boersma and D. Weenink, "Praat: doing phonetics by computer", manual, "TextGrid file
       formats".

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.inference._timeline import to_textgrid
    >>> row = {"start": 0.0, "end": 1.5, "emotion": "happy", "silence": False, "happy": 1.0}
    >>> print(to_textgrid(pd.DataFrame([row])).splitlines()[-1].strip())
    text = "happy"
    """
    table = segments(timeline)
    end = _seconds(table["end"].iloc[-1])
    intervals = [
        f"        intervals [{i}]:\n"
        f"            xmin = {_seconds(row.start)}\n"
        f"            xmax = {_seconds(row.end)}\n"
        f'            text = "{_quoted(row.emotion)}"\n'
        for i, row in enumerate(table.itertuples(), start=1)
    ]
    return _TEXTGRID.format(end=end, n_intervals=len(table)) + "".join(intervals)


def to_srt(timeline: pd.DataFrame) -> str:
    """Convert to subtitles (SubRip) with emotion and mean probability; silence has none.

    Parameters
    ----------
    timeline : DataFrame
        Result of :func:`skser.predict_timeline`.

    Returns
    -------
    srt : str
        Content of a text file in UTF-8; empty if the whole recording is silent.

    Raises
    ------
    DataError
        ``timeline`` is not a result of :func:`skser.predict_timeline`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.inference._timeline import to_srt
    >>> row = {"start": 0.0, "end": 1.5, "emotion": "happy", "silence": False, "happy": 0.72}
    >>> print(to_srt(pd.DataFrame([row])))
    1
    00:00:00,000 --> 00:00:01,500
    happy 72 %
    <BLANKLINE>
    """
    table = segments(timeline)
    speech = table[~table["silence"]]
    blocks = [
        f"{i}\n{_clock(row.start)} --> {_clock(row.end)}\n"
        f"{_one_line(row.emotion)} {100 * row.probability:.0f} %\n"
        for i, row in enumerate(speech.itertuples(), start=1)
    ]
    return "\n".join(blocks)


def _one_line(label: object) -> str:
    return " ".join(str(label).split())


def _quoted(label: object) -> str:
    return "" if label is None else _one_line(label).replace('"', '""')


def _seconds(time: object) -> str:
    return f"{time:.6f}".rstrip("0").rstrip(".")


def _clock(time: float) -> str:
    milliseconds = round(1000 * float(time))
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}"
