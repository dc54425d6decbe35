"""TimelineDisplay: emotions over the time of a recording."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from .._timeline_table import COLUMNS, check_timeline
from ..timeline import segments
from ._fonts import make_legible
from ._style import COLOURS, SEQUENTIAL, new_axes

_SILENCE = "#d9d9d9"
_TICK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # s
_MOST_TICKS = 13
_MOST_COLUMNS = 300  # more cannot be told apart
_INCHES_A_LETTER = 0.085


class TimelineDisplay:
    """Probabilities of the emotions over time, the most probable above them, silence in grey.

    Each emotion has a row, the darker the more probable, and a colour beside its name. The strip on
    top is in the colour of the most probable emotion, with its name where there is room for it. Of
    a long timeline, means over several rows are drawn, at most 300 of them; a column is silent if
    more than half of it is.

    Parameters
    ----------
    timeline : DataFrame
        As :func:`skser.predict_timeline` returns it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    image_ : matplotlib AxesImage
        The probabilities.
    strips_ : dict of str to matplotlib PolyCollection
        For each emotion that is the most probable somewhere, its pieces of the strip.
    silence_ : matplotlib PolyCollection or None
        Where there is silence.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import TimelineDisplay
    >>> rows = [
    ...     {"start": 0, "end": 60, "emotion": "sad", "silence": False, "happy": 0.1, "sad": 0.9},
    ...     {"start": 60, "end": 90, "emotion": None, "silence": True},
    ... ]
    >>> display = TimelineDisplay.from_timeline(pd.DataFrame(rows))
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['happy', 'sad']
    """

    def __init__(self, timeline: pd.DataFrame) -> None:
        self.timeline = timeline

    @classmethod
    def from_timeline(cls, timeline: pd.DataFrame, *, ax: Any = None) -> TimelineDisplay:
        """Draw a timeline.

        Parameters
        ----------
        timeline : DataFrame
            As :func:`skser.predict_timeline` returns it.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TimelineDisplay
        """
        return cls(timeline).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> TimelineDisplay:
        """Draw probabilities, strip and silence.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : TimelineDisplay

        Raises
        ------
        DataError
            ``timeline`` is none.
        """
        check_timeline(self.timeline)
        drawn = _coarsened(self.timeline, math.ceil(len(self.timeline) / _MOST_COLUMNS))
        classes = list(drawn.columns[len(COLUMNS) :])
        self.ax_ = new_axes(ax, 10.0, 1.4 + 0.28 * len(classes))
        self.figure_ = self.ax_.figure
        start, end = drawn["start"].iloc[0], drawn["end"].iloc[-1]
        # Rows are of one length but for the last, which the limit of the axis cuts.
        hop = drawn["end"].iloc[0] - start
        self.image_ = self.ax_.imshow(
            drawn[classes].to_numpy(float).T,
            cmap=SEQUENTIAL,
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(start, start + hop * len(drawn), len(classes) - 0.5, -0.5),
        )
        self._plot_strip(segments(drawn), classes)
        for edge in range(len(classes)):
            self.ax_.axhline(edge - 0.5, color="white", lw=1)
        self.ax_.set(xlim=(start, end), ylim=(len(classes) - 0.5, -1.7), xlabel="time")
        self.ax_.set_yticks(range(len(classes)), [str(name) for name in classes])
        self.ax_.tick_params(axis="y", length=0, pad=14)
        self.ax_.spines[["top", "right", "left"]].set_visible(False)
        _label_time(self.ax_, start, end)
        self.figure_.colorbar(self.image_, ax=self.ax_, label="probability", pad=0.01)
        make_legible(self.figure_)
        return self

    def _plot_strip(self, found: pd.DataFrame, classes: list[Any]) -> None:
        duration = found["end"].iloc[-1] - found["start"].iloc[0]
        spans = list(zip(found["start"], found["end"] - found["start"], strict=True))
        is_silent = found["silence"].to_numpy(bool)
        height, top = len(classes) + 1.2, -1.7
        self.silence_ = None
        if is_silent.any():
            self.silence_ = self.ax_.broken_barh(
                [span for span, silent in zip(spans, is_silent, strict=True) if silent],
                (top, height),
                facecolor=_SILENCE,
                edgecolor="white",
                hatch="///",
                lw=0,
                zorder=0,
            )
        inches = 0.8 * self.figure_.get_figwidth()
        self.strips_ = {}
        for i, name in enumerate(classes):
            colour = COLOURS[i % len(COLOURS)]
            self._plot_key(i, colour)
            mine = [span for span, one in zip(spans, found["emotion"], strict=True) if one == name]
            if mine:
                self.strips_[str(name)] = self.ax_.broken_barh(
                    mine, (top, 1.0), facecolor=colour, edgecolor="none"
                )
            for start, length in mine:
                if inches * length / duration > _INCHES_A_LETTER * len(str(name)):
                    self.ax_.text(
                        start + length / 2,
                        top + 0.5,
                        str(name),
                        ha="center",
                        va="center",
                        color=_on(colour),
                        fontsize="small",
                    )

    def _plot_key(self, row: int, colour: str) -> None:
        """The colour of an emotion, between its name and its row."""
        from matplotlib.patches import Rectangle

        place = self.ax_.get_yaxis_transform()
        key = Rectangle((-0.012, row - 0.3), 0.008, 0.6, transform=place, color=colour, lw=0)
        self.ax_.add_patch(key).set_clip_on(False)


def _coarsened(timeline: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """A timeline of which so many rows are one: the mean of those that are not silent."""
    if n_rows == 1:
        return timeline
    groups = timeline.groupby(np.arange(len(timeline)) // n_rows)
    classes = list(timeline.columns[len(COLUMNS) :])
    is_silent = groups["silence"].mean() > 0.5
    means = groups[classes].mean().mask(is_silent)  # of the numbers among NaN
    best = means.fillna(0.0).to_numpy().argmax(axis=1)
    emotions = [None if silent else classes[i] for i, silent in zip(best, is_silent, strict=True)]
    means.insert(0, "start", groups["start"].first())
    means.insert(1, "end", groups["end"].last())
    means.insert(2, "emotion", pd.Series(emotions, dtype=object))
    means.insert(3, "silence", is_silent)
    return means


def _on(colour: str) -> str:
    """Black or white, whichever is read on a colour."""
    from matplotlib.colors import to_rgb

    return "black" if np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) > 0.5 else "white"


def _label_time(ax: Any, start: float, end: float) -> None:
    """Ticks at whole seconds, minutes or hours, as 1:05 or, from an hour on, 1:02:30."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    fits = [step for step in _TICK_STEPS if (end - start) / step < _MOST_TICKS]
    step = fits[0] if fits else _TICK_STEPS[-1] * round((end - start) / 86_400 + 1)
    ax.xaxis.set_major_locator(MultipleLocator(step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda time, _: format_time(time, end)))


def format_time(time: float, end: float) -> str:
    """``1:05``, or ``0:01:05`` in what is an hour or longer."""
    minutes, seconds = divmod(round(time), 60)
    if end < 3600:
        return f"{minutes}:{seconds:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
