import pickle
import re

import numpy as np
import pytest

from skser import AudioLoader, Clips
from skser.audio._clips import as_clips, as_waveform, stack_padded, without_padding
from skser.exceptions import DataError

from .samples import encode, noise

WAVEFORMS = np.random.default_rng(0).uniform(-1, 1, (5, 80)).astype(np.float32)


def quieter(views, sr):
    return views / 2


class TwoViews:
    n_views = 2

    def __call__(self, views, sr):
        return np.concatenate([views, -views])


@pytest.fixture
def clips():
    return Clips.from_waveforms(WAVEFORMS, sr=8000)


def waveforms_of(clips):
    return [views[0].tolist() for views in clips]


def test_clips_are_a_sequence(clips):
    assert len(clips) == 5
    assert clips.shape == (5,)
    assert (clips.sr, clips.n_samples, clips.max_samples, clips.n_views) == (8000, 80, 80, 1)
    for i, views in enumerate(clips):
        np.testing.assert_array_equal(views, WAVEFORMS[i : i + 1], strict=True)
        np.testing.assert_array_equal(clips[i], views)
    np.testing.assert_array_equal(clips[-1], clips[4])
    np.testing.assert_array_equal(clips[np.int64(2)], clips[2])


@pytest.mark.parametrize(
    "index",
    [
        slice(1, 4),
        slice(None, None, -1),
        slice(9, 20),
        [3, 0, 0],
        ([1, 2], ...),
        [],
        [-1, -5],
        np.array([True, False, False, True, False]),
        [False] * 5,
        np.array([4, 2]),
    ],
)
def test_parts_are_clips(clips, index):
    for whole, expected in [(clips, WAVEFORMS[index]), (clips.map(quieter), WAVEFORMS[index] / 2)]:
        part = whole[index]
        assert isinstance(part, Clips)
        assert (part.sr, part.n_samples, part.max_samples) == (8000, 80, 80)
        assert waveforms_of(part) == expected.tolist()


def test_bad_indices(clips):
    for index in (5, -6, [0, 5], [-6], [True, False], [0.5]):
        with pytest.raises(IndexError):
            clips[index]


def test_stages_are_lazy_and_leave_the_clips_alone(clips):
    calls = []

    def stage(views, sr):
        calls.append(sr)
        return views + 1

    mapped = clips.map(stage).map(quieter)
    assert calls == []
    np.testing.assert_array_equal(mapped[3][0], (WAVEFORMS[3] + 1) / 2)
    assert calls == [8000]
    np.testing.assert_array_equal(clips[3][0], WAVEFORMS[3])


def test_to_array(clips):
    for dtype in (None, np.float32, np.float64):
        array = np.asarray(clips.map(quieter), dtype=dtype)
        np.testing.assert_array_equal(
            array, (WAVEFORMS / 2).astype(dtype or np.float32), strict=True
        )


@pytest.mark.parametrize(
    "clips",
    [
        Clips.from_waveforms([[1.0], [1.0, 2.0]], sr=8000),
        Clips.from_waveforms(WAVEFORMS, sr=8000).map(TwoViews()),
    ],
    ids=["ragged", "views"],
)
def test_conversion_to_an_array_fails(clips):
    with pytest.raises(TypeError, match=r"several lengths or views.*FeatureUnionExtractor"):
        np.asarray(clips)


def test_views(clips):
    views = clips.map(TwoViews()).map(quieter)
    assert views.n_views == views[1:3].n_views == 2
    np.testing.assert_array_equal(views[0], [WAVEFORMS[0] / 2, -WAVEFORMS[0] / 2])


@pytest.mark.parametrize(
    ("waveforms", "stages", "text"),
    [
        (WAVEFORMS, [], "<5 clips of 80 samples at 8000 Hz>"),
        (WAVEFORMS, [TwoViews()], "<5 clips of 80 samples at 8000 Hz, 2 views each>"),
        ([[1.0], [1.0, 2.0]], [], "<2 clips of various lengths at 8000 Hz>"),
    ],
)
def test_repr(waveforms, stages, text):
    clips = Clips.from_waveforms(waveforms, sr=8000)
    for stage in stages:
        clips = clips.map(stage)
    assert repr(clips) == text


def test_pickles(clips):
    copy = pickle.loads(pickle.dumps(clips.map(quieter).map(TwoViews())))
    assert repr(copy) == repr(clips.map(quieter).map(TwoViews()))
    for ours, theirs in zip(copy, clips.map(quieter).map(TwoViews()), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_pickle_of_files_does_not_grow_with_the_audio(tmp_path):
    sizes = []
    for seconds in (1, 30):
        path = tmp_path / f"{seconds:02d}.wav"
        path.write_bytes(encode(noise(16000 * seconds)))
        sizes.append(len(pickle.dumps(AudioLoader(duration=None, pad=None).transform([path]))))
    assert max(sizes) < 1000
    assert abs(sizes[0] - sizes[1]) < 10


@pytest.mark.parametrize(
    ("waveform", "expected"),
    [
        (np.array([-32768, 0, 16384], np.int16), [-1, 0, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1, 0.5]),
        (np.array([-128, 64], np.int8), [-1, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1, 0, 0.5]),
        (np.array([0.1, 2.0]), [np.float32(0.1), 2]),
        ([1, 0.5], [1, 0.5]),
        (np.array([0.5], np.float16), [0.5]),
        (np.array([True, False]), [1, 0]),
    ],
)
def test_waveforms_become_float32(waveform, expected):
    waveform = as_waveform(waveform, 0)
    np.testing.assert_array_equal(waveform, np.array(expected, np.float32), strict=True)


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        ("a.wav", "array of numbers, got array('a.wav', dtype='<U5'); .*AudioLoader"),
        ([None], "array of numbers, got array([None], dtype=object); .*AudioLoader"),
        (np.zeros((2, 3)), "array of numbers, (n_samples,) .* shape (2, 3) and dtype float64"),
        (np.zeros(0), "array of numbers, (n_samples,) .* shape (0,) and dtype float64"),
        (np.zeros(3, complex), "array of numbers, (n_samples,) .* shape (3,) and dtype complex128"),
        (1.5, "array of numbers, (n_samples,) .* shape () and dtype float64"),
        ([0.0, np.nan], "NaN or infinite"),
        ([0.0, np.inf], "NaN or infinite"),
    ],
)
def test_bad_waveforms(waveform, message):
    for make in (Clips.from_waveforms, lambda waveforms, sr: AudioLoader().transform(waveforms)):
        if isinstance(waveform, (str, float)) and make is not Clips.from_waveforms:
            continue
        pattern = re.escape(message).replace(r"\.\*", ".*")
        with pytest.raises(DataError, match=f"^waveform 1 .*{pattern}"):
            make([[0.0, 1.0], waveform], sr=8000)


class Stage:
    sr = 8000


def test_as_clips(clips):
    assert as_clips(clips, None, reset=True) is clips
    ragged = as_clips([[1.0, 0.5], [0.25]], Stage(), reset=True)
    assert (ragged.sr, ragged.n_samples) == (8000, None)
    assert waveforms_of(ragged) == [[1.0, 0.5], [0.25]]
    with pytest.raises(DataError, match="recordings must go through an AudioLoader first"):
        as_clips(["a.wav", "b.wav"], Stage(), reset=True)


def test_padding():
    stacked = stack_padded([np.ones(3, np.float32), np.ones(1, np.float32)])
    np.testing.assert_array_equal(stacked, np.float32([[1, 1, 1], [1, np.nan, np.nan]]))
    assert [len(without_padding(view)) for view in stacked] == [3, 1]
    frames = stack_padded([np.ones((2, 4)), np.ones((5, 4))])
    assert frames.shape == (2, 5, 4)
    assert np.isnan(frames).sum() == 12
