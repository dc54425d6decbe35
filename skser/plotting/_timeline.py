"""The display of emotions over the time of a recording."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..exceptions import ParameterError
from ..inference import segments
from ..inference._timeline_formats import COLUMNS, by_channel
from ._style import COLOURS, SEQUENTIAL, AxesDisplay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SILENCE: dict[str, Any] = {"facecolor": "#d9d9d9", "edgecolor": "white", "hatch": "///", "lw": 0}
_TICK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # s
_MAX_TICKS = 13
_MAX_COLUMNS = 300  # more are not visible
_INCHES_PER_LETTER = 0.085


class TimelineDisplay(AxesDisplay):
    """Probability of each emotion over time, the most probable emotion on top, silence in grey.

    Each emotion has a row, darker where it is more probable, and a colour beside its name. The
    strip on top has the colour of the most probable emotion, and its name where there is room. A
    timeline of more than 300 rows is drawn as means over several rows; a mean is silent if more
    than half of its rows are. The channels of a timeline of each channel are drawn one above the
    other.

    Parameters
    ----------
    timeline : DataFrame of shape (n_rows, 4 + n_classes) or (n_rows, 5 + n_classes)
        Result of :func:`skser.predict_timeline`.

    Raises
    ------
    DataError
        ``timeline`` has other columns, or no rows.

    Attributes
    ----------
    n_channels : int
        Number of timelines: 1, or the channels of a timeline of each.
    displays_ : list of TimelineDisplay
        The display of each channel; of a single timeline this one, with the attributes below.
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    image_ : matplotlib AxesImage
        The probabilities.
    strips_ : dict of {str : matplotlib PolyCollection}
        The pieces of the strip of each emotion that is the most probable somewhere.
    silence_ : matplotlib PolyCollection or None
        The silent stretches; None without silence.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import TimelineDisplay
    >>> rows = [
    ...     {"start": 0, "end": 60, "emotion": "sad", "silence": False, "happy": 0.1, "sad": 0.9},
    ...     {"start": 60, "end": 90, "emotion": None, "silence": True},
    ... ]
    >>> display = TimelineDisplay(pd.DataFrame(rows)).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['happy', 'sad']
    """

    def __init__(self, timeline: pd.DataFrame) -> None:
        self._timelines = by_channel(timeline)
        self.timeline = timeline

    @property
    def n_channels(self) -> int:
        return len(self._timelines)

    def plot(self, *, ax: Axes | Sequence[Axes] | None = None) -> TimelineDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of them or None, default=None
            Axes to draw into, one for each channel; None makes a new figure.

        Returns
        -------
        self : TimelineDisplay
            The display itself, with the artists as attributes.

        Raises
        ------
        ParameterError
            ``ax`` has more or fewer axes than the timeline has channels.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            size = self._figure_size()
            figure = plt.figure(figsize=size, layout="constrained")
            ax = list(figure.subplots(self.n_channels, squeeze=False)[:, 0])
        axes = list(ax) if isinstance(ax, (Sequence, np.ndarray)) else [ax]
        if len(axes) != self.n_channels:
            raise ParameterError(
                f"ax must be {self.n_channels} axes, one for each channel, got {len(axes)}"
            )
        if self.n_channels == 1 and "" in self._timelines:
            self.displays_ = [self]
            return super().plot(ax=axes[0])
        self.displays_ = []
        for own, (name, timeline) in zip(axes, self._timelines.items(), strict=True):
            self.displays_.append(TimelineDisplay(timeline).plot(ax=own))
            own.set_title(name)
        self.ax_, self.figure_ = axes[0], axes[0].figure
        return self

    def _figure_size(self) -> tuple[float, float]:
        n_classes = next(iter(self._timelines.values())).shape[1] - len(COLUMNS)
        return 10.0, self.n_channels * (1.4 + 0.28 * n_classes)

    def _draw(self, ax: Axes) -> None:
        drawn = _coarsened(self.timeline, math.ceil(len(self.timeline) / _MAX_COLUMNS))
        classes = list(drawn.columns[len(COLUMNS) :])
        start, end = drawn["start"].iloc[0], drawn["end"].iloc[-1]
        # All rows but the last have the same length; the limit of the axis cuts the last.
        hop = drawn["end"].iloc[0] - start
        extent = (start, start + hop * len(drawn), len(classes) - 0.5, -0.5)
        probabilities = drawn[classes].to_numpy(float).T
        self.image_ = ax.imshow(probabilities, SEQUENTIAL, vmin=0, vmax=1, extent=extent)
        self.image_.set_interpolation("nearest")
        ax.set_aspect("auto")
        self._draw_strip(ax, segments(drawn), classes)
        for edge in range(len(classes)):
            ax.axhline(edge - 0.5, color="white", lw=1)
        ax.set(xlim=(start, end), ylim=(len(classes) - 0.5, -1.7), xlabel="time")
        ax.set_yticks(range(len(classes)), [str(name) for name in classes])
        ax.tick_params(axis="y", length=0, pad=14)
        ax.spines[["top", "right", "left"]].set_visible(False)
        _label_time(ax, start, end)
        self.figure_.colorbar(self.image_, ax=ax, label="probability", pad=0.01)

    def _draw_strip(self, ax: Axes, stretches: pd.DataFrame, classes: list[Hashable]) -> None:
        from matplotlib.patches import Rectangle

        lengths = stretches["end"] - stretches["start"]
        spans = np.column_stack([stretches["start"], lengths]).astype(float)
        is_silent = stretches["silence"].to_numpy(bool)
        height, top = len(classes) + 1.2, -1.7
        self.silence_ = None
        if is_silent.any():
            silences = spans[is_silent].tolist()
            self.silence_ = ax.broken_barh(silences, (top, height), zorder=0, **_SILENCE)
        inches_per_second = 0.8 * self.figure_.bbox.width / self.figure_.dpi / lengths.sum()
        self.strips_ = {}
        beside = ax.get_yaxis_transform()
        for i, name in enumerate(classes):
            colour = COLOURS[i % len(COLOURS)]
            # The colour of the emotion, between its name and its row.
            ax.add_patch(
                Rectangle((-0.012, i - 0.3), 0.008, 0.6, color=colour, lw=0, transform=beside)
            ).set_clip_on(False)
            pieces = spans[(stretches["emotion"] == name).to_numpy(bool)].tolist()
            if pieces:
                strip = ax.broken_barh(pieces, (top, 1.0), facecolor=colour, edgecolor="none")
                self.strips_[str(name)] = strip
            for start, length in pieces:
                if length * inches_per_second > _INCHES_PER_LETTER * len(str(name)):
                    label = ax.text(start + length / 2, top + 0.5, str(name), fontsize="small")
                    label.set(ha="center", va="center", color=_text_colour_on(colour))


def _coarsened(timeline: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """A timeline with one row for each ``n_rows``: the mean of those that are not silent."""
    if n_rows == 1:
        return timeline
    groups = timeline.groupby(np.arange(len(timeline)) // n_rows)
    classes = list(timeline.columns[len(COLUMNS) :])
    is_silent = groups["silence"].mean() > 0.5
    means = groups[classes].mean().mask(is_silent)  # NaN in silent rows
    best = means.fillna(0.0).to_numpy().argmax(axis=1)
    emotions = [None if silent else classes[i] for i, silent in zip(best, is_silent, strict=True)]
    table = groups.agg({"start": "first", "end": "last"})
    table["emotion"] = pd.Series(emotions, dtype=object)
    table["silence"] = is_silent
    return table.join(means)


def _text_colour_on(colour: str) -> str:
    """Black or white, whichever is legible on a colour."""
    from matplotlib.colors import to_rgb

    return "black" if np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) > 0.5 else "white"


def _label_time(ax: Axes, start: float, end: float) -> None:
    """Ticks at round times, written as `format_time` does."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    longest = _TICK_STEPS[-1] * round((end - start) / 86_400 + 1)
    step = next((s for s in _TICK_STEPS if (end - start) / s < _MAX_TICKS), longest)
    ax.xaxis.set_major_locator(MultipleLocator(step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda time, _: format_time(time, end)))


def format_time(time: float, end: float) -> str:
    """``1:05``, or ``0:01:05`` if ``end`` is an hour or later."""
    minutes, seconds = divmod(round(time), 60)
    if end < 3600:
        return f"{minutes}:{seconds:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
