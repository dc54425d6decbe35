"""The rows of a recording that is pushed block by block are those of predict_timeline."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skser import predict_timeline
from skser.calibration import TemperatureScaledClassifier
from skser.exceptions import DataError, ParameterError
from skser.inference import LiveTimeline

from .test_shared_frames import folder, pipeline, recording  # noqa: F401
from .test_timeline import PIPELINE, SR, speech


def pushed(live, waveform, sizes):
    """The rows, as lists of what each push gave, in blocks of sizes that repeat."""
    answers, start = [], 0
    while start < len(waveform):
        size = sizes[len(answers) % len(sizes)]
        answers.append(live.push(waveform[start : start + size]))
        start += size
    return [*answers, live.finish()]


def assert_same_rows(found, timeline):
    """The last row of each index is that of the timeline."""
    rows = {row.index: row for answer in found for row in answer}
    assert sorted(rows) == list(range(len(timeline)))
    classes = timeline.columns[4:]
    for expected in timeline.itertuples():
        row = rows[expected.Index]
        assert (row.start, row.end) == (expected.start, expected.end)
        assert (row.emotion, row.silence) == (expected.emotion, expected.silence)
        if row.silence:
            assert row.probabilities is None
        else:
            probabilities = timeline.loc[row.index, classes].to_numpy(dtype=float)
            assert_allclose(row.probabilities, probabilities, atol=1e-6)


parts = st.lists(
    st.tuples(st.floats(0.05, 4), st.sampled_from([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(
    parts=parts,
    sizes=st.lists(st.integers(1, 40000), min_size=1, max_size=5),
    window=st.sampled_from([0.5, 1.0, 3.0]),
    hop=st.sampled_from([0.25, 0.7, 1.0, 4.0]),
    smoothing=st.sampled_from([None, 1.0, 3.0, 9.0]),
    top_db=st.sampled_from([None, 20.0, 40.0]),
)
def test_rows_are_those_of_the_timeline(parts, sizes, window, hop, smoothing, top_db):
    options = {"window": window, "hop": hop, "smoothing": smoothing, "top_db": top_db}
    waveform = speech(*parts)
    sizes = [max(size, len(waveform) // 100) for size in sizes]
    found = pushed(LiveTimeline(PIPELINE, **options), waveform, sizes)
    assert_same_rows(found, predict_timeline(PIPELINE, waveform, **options))


@pytest.mark.parametrize("seconds", [0.01, 1.3, 2.0, 11.37])
@pytest.mark.parametrize(("window", "hop"), [(2.0, 0.5), (1.01, 0.3), (1.0, 1.0)])
def test_windows_share_the_frames_of_an_encoder(pipeline, seconds, window, hop):  # noqa: F811
    options = {"window": window, "hop": hop}
    waveform = recording(seconds)
    scaled = TemperatureScaledClassifier.of(pipeline, 2.0)
    found = pushed(LiveTimeline(scaled, **options), waveform, [3200, 1111])
    assert_same_rows(found, predict_timeline(scaled, waveform, **options))


def test_rows_come_in_order_and_at_once():
    """2 s after its end a row has its window and its neighbours."""
    live = LiveTimeline(PIPELINE)
    answers = [live.push(block) for block in np.split(speech((10, 0.1)), 20)]  # of 0.5 s
    found = [(row.index, i / 2 + 0.5) for i, answer in enumerate(answers) for row in answer]
    assert found == [(index, index + 3.0) for index in range(8)]
    assert [row.index for row in live.finish()] == [8, 9]


def test_a_row_in_silence_does_not_wait():
    live = LiveTimeline(PIPELINE, window=1.0)
    answers = [live.push(block) for block in np.split(speech((2, 0.1), (4, 0.0)), 12)]
    found = {row.index: i / 2 + 0.5 for i, answer in enumerate(answers) for row in answer}
    assert found == {0: 2.0, 1: 3.0, 2: 3.0, 3: 4.0, 4: 5.0, 5: 6.0}


def test_louder_speech_revises_rows():
    live = LiveTimeline(PIPELINE, window=1.0, smoothing=None)
    faint = live.push(speech((25, 0.001)))
    assert not any(row.silence or row.revised for row in faint)
    loud = live.push(speech((3, 0.3)))
    revised = [row for row in loud if row.revised]
    assert [row.index for row in revised] == list(range(25))
    assert all(row.silence and row.emotion is None for row in revised)
    assert [row.index for row in loud if not row.revised] == [25, 26, 27]


def test_memory_does_not_grow_with_the_audio():
    live = LiveTimeline(PIPELINE, hop=3.0)
    block = speech((3, 0.1))
    for _ in range(5):
        live.push(block)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(40):
        live.push(block)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 120 * SR * 4 / 4  # a quarter of the audio


def test_nothing_was_said():
    live = LiveTimeline(PIPELINE)
    assert live.push(np.empty(0, np.float32)) == []
    assert live.finish() == []


@pytest.mark.parametrize(
    "waveform",
    [np.zeros((2, 100)), np.full(10, np.nan), np.zeros(10, np.int16), ["a"]],
    ids=["2-D", "NaN", "integers", "strings"],
)
def test_samples_are_checked(waveform):
    with pytest.raises(DataError, match=r"waveform must be one-dimensional, of finite floats, got"):
        LiveTimeline(PIPELINE).push(waveform)


def test_nothing_comes_after_the_end():
    live = LiveTimeline(PIPELINE)
    live.push(speech((1, 0.1)))
    live.finish()
    assert live.finish() == []
    with pytest.raises(DataError, match="waveform"):
        live.push(speech((1, 0.1)))


@pytest.mark.parametrize(
    ("name", "value"), [("window", 9.0), ("hop", 0), ("smoothing", -1), ("top_db", 0)]
)
def test_parameters_are_checked(name, value):
    with pytest.raises(ParameterError, match=name):
        LiveTimeline(PIPELINE, **{name: value})
