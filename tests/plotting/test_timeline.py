import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from skser.exceptions import DataError, ParameterError
from skser.plotting import TimelineDisplay
from skser.plotting._style import COLOURS
from skser.plotting._timeline import format_time

CLASSES = ["angry", "happy", "sad"]


def timeline_of(best, hop=1.0, end=None):
    """A timeline of these classes by number, -1 for silence."""
    best = np.array(best)
    probabilities = np.where(best[:, None] == np.arange(3), 0.8, 0.1)
    probabilities[best < 0] = np.nan
    times = hop * np.arange(len(best) + 1)
    times[-1] = times[-1] if end is None else end
    columns = {
        "start": times[:-1],
        "end": times[1:],
        "emotion": pd.Series([None if i < 0 else CLASSES[i] for i in best], dtype=object),
        "silence": best < 0,
    }
    table = pd.DataFrame(columns)
    return pd.concat([table, pd.DataFrame(probabilities, columns=CLASSES)], axis=1)


@pytest.fixture
def ax():
    return Figure(figsize=(10, 3)).subplots()


def spans(collection):
    """Start and end of each piece of a strip."""
    ends = [path.get_extents() for path in collection.get_paths()]
    return [(float(box.x0), float(box.x1)) for box in ends]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_probabilities_strip_and_silence(ax):
    timeline = timeline_of([2, 2, 2, -1, 0, 2], hop=2.0, end=11.0)
    display = TimelineDisplay(timeline).plot(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert_allclose(display.image_.get_array(), timeline[CLASSES].to_numpy().T)
    assert display.image_.get_extent() == [0, 12, 2.5, -0.5]
    assert ax.get_xlim() == (0, 11)
    assert labels(ax.yaxis) == CLASSES
    assert list(display.strips_) == ["angry", "sad"]
    assert spans(display.strips_["sad"]) == [(0, 6), (10, 11)]
    assert spans(display.strips_["angry"]) == [(8, 10)]
    assert to_hex(display.strips_["sad"].get_facecolor()[0]) == COLOURS[2].lower()
    assert spans(display.silence_) == [(6, 8)]
    assert display.silence_.get_hatch()


def test_names_are_written_where_there_is_room(ax):
    display = TimelineDisplay(timeline_of([0] * 50 + [1] + [2] * 49)).plot(ax=ax)
    assert [text.get_text() for text in display.ax_.texts] == ["angry", "sad"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(30, ["0:00", "0:05"]), (200, ["0:00", "0:30"]), (7200, ["0:00:00", "0:10:00"])],
)
def test_time_is_in_minutes_or_hours(ax, seconds, expected):
    TimelineDisplay(timeline_of([0, 1], hop=seconds / 2)).plot(ax=ax)
    ax.figure.canvas.draw()
    shown = [text for text in labels(ax.xaxis) if text[0] != "-"]  # there is a tick before 0
    assert shown[:2] == expected
    assert len(shown) <= 14


def test_hours_of_rows_are_drawn_as_means(ax):
    best = [0] * 1000 + [-1] * 6 + [2, -1, -1, -1] + [2] * 1990
    display = TimelineDisplay(timeline_of(best)).plot(ax=ax)
    drawn = display.image_.get_array()
    assert drawn.shape == (3, 300)
    assert_allclose(drawn[:, 0], [0.8, 0.1, 0.1])
    assert drawn[:, 100].mask.all()  # nine of ten are silent
    assert_allclose(drawn[:, 101], [0.1, 0.1, 0.8])
    assert spans(display.silence_) == [(1000, 1010)]
    assert spans(display.strips_["sad"]) == [(1010, 3000)]
    assert len(display.timeline) == 3000


def test_silence_alone():
    display = TimelineDisplay(timeline_of([-1, -1])).plot()
    assert display.strips_ == {}
    assert spans(display.silence_) == [(0, 2)]
    assert display.figure_ is plt.gcf()


def test_speech_alone(ax):
    assert TimelineDisplay(timeline_of([0, 1])).plot(ax=ax).silence_ is None


@pytest.mark.parametrize(
    ("time", "end", "expected"),
    [(5, 60, "0:05"), (754, 3599, "12:34"), (754, 3600, "0:12:34"), (36610, 40000, "10:10:10")],
)
def test_times(time, end, expected):
    assert format_time(time, end) == expected


def test_another_table():
    with pytest.raises(DataError, match="timeline must be a result of predict_timeline"):
        TimelineDisplay(pd.DataFrame())


def test_channels_are_drawn_one_above_the_other():
    parties = [timeline_of([2, 2, -1, 0]), timeline_of([-1, 1, 1])]
    timeline = pd.concat([party.assign(channel=i) for i, party in enumerate(parties)])
    timeline = timeline[["channel", *parties[0].columns]]
    display = TimelineDisplay(timeline).plot()
    assert display.n_channels == len(display.displays_) == 2
    assert display.ax_ is display.displays_[0].ax_
    assert display.figure_.axes[:2] == [own.ax_ for own in display.displays_]
    assert [own.ax_.get_title() for own in display.displays_] == ["channel 0", "channel 1"]
    for own, party in zip(display.displays_, parties, strict=True):
        alone = TimelineDisplay(party).plot()
        assert alone.displays_ == [alone]
        assert_allclose(own.image_.get_array(), alone.image_.get_array())
        assert list(own.strips_) == list(alone.strips_)
        assert labels(own.ax_.yaxis) == CLASSES
    height = display.figure_.get_size_inches()[1]
    assert height == pytest.approx(2 * alone.figure_.get_size_inches()[1])


def test_as_many_axes_as_channels(ax):
    timeline = timeline_of([2, 2, -1, 0])
    timeline.insert(0, "channel", [0, 0, 1, 1])
    with pytest.raises(ParameterError, match=r"^ax must be 2 axes, one for each channel, got 1$"):
        TimelineDisplay(timeline).plot(ax=ax)
    rows = Figure().subplots(2)
    assert TimelineDisplay(timeline).plot(ax=rows).ax_ is rows[0]
