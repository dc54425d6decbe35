import io
import os
import pickle
import re
import sys
from itertools import product
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

import skser.audio._clip_reader
from skser import AudioLoader, Segment, read_audio
from skser.exceptions import (
    AudioError,
    AudioIsADirectoryError,
    AudioNotFoundError,
    AudioWarning,
    DataError,
    MissingDependencyError,
    ParameterError,
)

from .samples import encode, noise, tone, write_container

SR = 16000


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Recordings of 0.5, 1, 1.5 and 2 s, at several rates and in several formats."""
    folder = tmp_path_factory.mktemp("recordings")
    kinds = [(16000, "wav"), (8000, "flac"), (44100, "ogg"), (48000, "mp3")]
    formats = {"wav": "WAV/PCM_16", "flac": "FLAC/PCM_16", "ogg": "OGG/VORBIS"}
    made = []
    for i, (sr, suffix) in enumerate(kinds):
        made.append(str(folder / f"{i}.{suffix}"))
        samples = noise(sr * (i + 1) // 2, 1 + i % 2, seed=i)
        with open(made[-1], "wb") as file:
            file.write(encode(samples, sr, formats.get(suffix, "MP3/MPEG_LAYER_III")))
    return made


@pytest.fixture
def no_decoding(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("was decoded")

    monkeypatch.setattr(skser.audio._clip_reader, "decode_audio", fail)


def waveforms_of(clips):
    assert all(views.shape[0] == 1 and views.dtype == np.float32 for views in clips)
    return [views[0] for views in clips]


def assert_same(clips, expected):
    for ours, theirs in zip(waveforms_of(clips), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- what is taken --------------------------------------------------------------------------


def open_all(paths):
    return [io.BytesIO(content) for content in read_all(paths)]


def read_all(paths):
    contents = []
    for path in paths:
        with open(path, "rb") as file:
            contents.append(file.read())
    return contents


INPUTS = {
    "list": list,
    "tuple": tuple,
    "str array": np.array,
    "object array": lambda paths: np.array(paths, dtype=object),
    "column": lambda paths: np.array(paths)[:, np.newaxis],
    "Series": lambda paths: pd.Series(paths, index=[7, 3, 3, 0]),
    "object Series": lambda paths: pd.Series(paths, dtype=object),
    "string Series": lambda paths: pd.Series(paths, dtype="string"),
    "Index": pd.Index,
    "DataFrame": lambda paths: pd.DataFrame({"path": paths}, index=list("abcd")),
    "pathlib": lambda paths: [Path(path) for path in paths],
    "BytesIO": open_all,
    "bytes": read_all,
    "bytearray": lambda paths: [bytearray(content) for content in read_all(paths)],
    "mixed": lambda paths: [*paths[:2], *open_all(paths[2:])],
    "generator": iter,
}


@pytest.mark.parametrize("kind", INPUTS)
def test_recordings(paths, kind):
    clips = AudioLoader(duration=None, pad=None).transform(INPUTS[kind](paths))
    assert repr(clips) == "<4 clips of various lengths at 16000 Hz>"
    assert_same(clips, [read_audio(path, SR)[0] for path in paths])


def test_open_files(paths):
    expected = [read_audio(path, SR)[0] for path in paths[:2]]
    with open(paths[0], "rb") as first, open(paths[1], "rb") as second:
        for _ in range(2):  # files are left as they were
            assert_same(AudioLoader(duration=None, pad=None).transform([first, second]), expected)


def test_rest_of_a_file(paths):
    content = read_all(paths)[0]
    file = io.BytesIO(b"before" + content)
    file.seek(6)
    AudioLoader().transform([file])
    assert file.tell() == 6


def test_stream_that_cannot_be_put_back(paths):
    class Stream:
        def __init__(self, content):
            self.content = content

        def read(self):
            content, self.content = self.content, b""
            return content

    clips = AudioLoader(duration=None, pad=None).transform([Stream(read_all(paths)[0])])
    assert_same(clips, [read_audio(paths[0])[0]])


WAVEFORMS = noise(800, 3).T.astype(np.float32)


@pytest.mark.parametrize(
    ("waveforms", "expected"),
    [
        (WAVEFORMS, WAVEFORMS),
        (WAVEFORMS.astype(np.float64), WAVEFORMS),
        (list(WAVEFORMS), WAVEFORMS),
        (WAVEFORMS.tolist(), WAVEFORMS),
        (pd.DataFrame(WAVEFORMS), WAVEFORMS),
        (pd.Series(list(WAVEFORMS), index=[2, 1, 0]), WAVEFORMS),
        ([WAVEFORMS[0], WAVEFORMS[1, :5]], [WAVEFORMS[0], WAVEFORMS[1, :5]]),
        (np.array([[16384, -32768]], np.int16), [[0.5, -1.0]]),
        ([np.array([16384], np.int16), np.array([128, 0], np.uint8)], [[0.5], [0, -1]]),
    ],
)
def test_waveforms(waveforms, expected):
    clips = AudioLoader(duration=None, pad=None).transform(waveforms)
    assert_same(clips, [np.asarray(waveform, np.float32) for waveform in expected])


NOT_SEQUENCES = [
    "a.wav",
    b"RIFF",
    None,
    5,
    Path("a.wav"),
    np.array("a.wav"),
    {"a.wav"},
    io.BytesIO(b"RIFF"),
]


@pytest.mark.parametrize("X", NOT_SEQUENCES)
def test_inputs_that_are_not_sequences(X):
    message = re.escape(f"X must be a sequence of recordings, got {X!r}")
    with pytest.raises(DataError, match=f"^{message}$"):
        AudioLoader().transform(X)


BAD_INPUTS = [
    (Bunch(paths=["a.wav"], sr=16000), "X must be a sequence of recordings, got a Bunch of paths"),
    ({"array": np.zeros(9)}, "X must be a sequence of recordings, got a dict of array$"),
    ([], "X must .*at least one recording"),
    (np.array([], dtype=str), "X must .*at least one recording"),
    (np.zeros(9), "X must be a sequence .*got a single waveform"),
    (np.array([["a", "b"]]), r"X must be one column .*got shape \(1, 2\)"),
    (["a.wav", 7], "recording 1 must be .*got int 7"),
    ([None], "recording 0 must be .*got NoneType None"),
    (pd.Series(["a.wav", np.nan], dtype=object), "recording 1 must be .*got float nan"),
    ([io.StringIO("RIFF")], "recording 0 .* text mode.* 'rb'"),
    (np.zeros((2, 3, 4)), r"waveform 0 must be .*got shape \(3, 4\) and dtype float64"),
    ([[0.0, 1.0], [0.0, np.nan]], "waveform 1 .*NaN or infinite"),
]


@pytest.mark.parametrize(("X", "message"), BAD_INPUTS)
def test_bad_inputs(X, message):
    with pytest.raises(DataError, match=f"^{message}"):
        AudioLoader().transform(X)


# --- files that cannot be used --------------------------------------------------------------


def bad_files(folder, n):
    made = []
    for i in range(n):
        made.append(str(folder / f"bad{i:02d}.wav"))
        with open(made[-1], "wb"):
            pass
    return made


def transform_error(X, **parameters):
    with pytest.raises(AudioError) as error:
        AudioLoader(**parameters).transform(X)
    return type(error.value), str(error.value)


@pytest.mark.usefixtures("no_decoding")
class TestBadFiles:
    """All that headers tell is said by transform, before anything is decoded."""

    def test_one(self, paths, tmp_path):
        missing = str(tmp_path / "no.wav")
        error = (AudioNotFoundError, f"{missing}: does not exist")
        assert transform_error([*paths, missing]) == error

    def test_several(self, paths, tmp_path):
        bad = bad_files(tmp_path, 2)
        assert transform_error([bad[0], *paths, bad[1]]) == (
            AudioError,
            "2 of 6 recordings that cannot be used:\n"
            f"  {bad[0]}: is empty (0 bytes)\n"
            f"  {bad[1]}: is empty (0 bytes)",
        )

    @pytest.mark.parametrize("n", [10, 13])
    def test_many(self, tmp_path, n):
        bad = bad_files(tmp_path, n)
        lines = [f"{n} of {n} recordings that cannot be used:"]
        lines += [f"  {path}: is empty (0 bytes)" for path in bad[:10]]
        lines += ["  ... and 3 more; skser.datasets.check_audio lists all"] if n == 13 else []
        assert transform_error(bad) == (AudioError, "\n".join(lines))

    def test_segments_of_one_recording_share_a_line(self, tmp_path):
        path = tmp_path / "no.wav"
        segments = [Segment(path, i, i + 1) for i in range(20)]
        assert transform_error([*segments, "other.wav"])[1] == (
            "21 of 21 recordings that cannot be used:\n"
            f"  {path}: does not exist (20 times)\n"
            "  other.wav: does not exist"
        )

    def test_of_one_class(self, tmp_path):
        missing = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
        assert transform_error(missing)[0] is AudioNotFoundError
        assert transform_error([str(tmp_path)] * 2)[0] is AudioIsADirectoryError

    def test_of_several_classes(self, tmp_path):
        assert transform_error([str(tmp_path / "a.wav"), str(tmp_path)]) == (
            AudioError,
            "2 of 2 recordings that cannot be used:\n"
            f"  {tmp_path}{os.sep}a.wav: does not exist\n"
            f"  {tmp_path}: is a directory, not a recording",
        )

    def test_too_long(self, paths):
        kind, message = transform_error([paths[3]], max_duration=1.25)
        assert kind is AudioError
        assert message == f"{paths[3]}: is 2.0 s long, allowed is max_duration=1.25 s"
        assert len(AudioLoader(max_duration=2).transform(paths)) == 4
        assert len(AudioLoader(max_duration=None).transform(paths)) == 4

    def test_too_short_for_the_offset(self, paths):
        assert transform_error(paths, offset=0.5) == (
            AudioError,
            f"{paths[0]}: is 0.50 s long, so nothing is left from offset=0.5 s",
        )

    def test_pyav_is_missing(self, paths, tmp_path, monkeypatch):
        pytest.importorskip("av")
        write_container(str(tmp_path / "a.m4a"), "mp4", "aac")
        monkeypatch.setitem(sys.modules, "av", None)
        with pytest.raises(MissingDependencyError, match=r"a\.m4a: .*PyAV.*skser\[video\]"):
            AudioLoader(on_error="silence").transform([*paths, tmp_path / "a.m4a"])


def test_damage_that_only_decoding_finds(tmp_path):
    content = bytearray(encode(noise(48000), format="FLAC/PCM_16"))
    content[40000:40600] = bytes(600)
    path = tmp_path / "damaged.flac"
    path.write_bytes(content)
    message = f"{path}: cannot be decoded (Error : flac decoder lost sync.)"
    clips = AudioLoader().transform([path])
    with pytest.raises(AudioError, match=f"^{re.escape(message)}$"):
        clips[0]
    clips = AudioLoader(on_error="silence").transform([path])
    with pytest.warns(AudioWarning, match=f"^silence in place of {re.escape(message)}$"):
        waveform = clips[0]
    np.testing.assert_array_equal(waveform, np.zeros((1, 48000), np.float32), strict=True)


@pytest.mark.parametrize(
    ("parameters", "n_samples"),
    [
        ({}, 48000),
        ({"duration": 0.5, "sr": 8000, "normalize": "peak"}, 4000),
        ({"duration": 0.5, "pad": None, "trim_db": 20}, 8000),
        ({"duration": None, "normalize": "rms"}, 16000),
    ],
)
def test_silence(paths, tmp_path, parameters, n_samples):
    bad = bad_files(tmp_path, 2)
    loader = AudioLoader(on_error="silence", **parameters)
    with pytest.warns(AudioWarning) as warned:
        clips = loader.transform([bad[0], paths[0], bad[1]])
    assert [str(warning.message) for warning in warned] == [
        "silence in place of 2 of 3 recordings that cannot be used:\n"
        f"  {bad[0]}: is empty (0 bytes)\n"
        f"  {bad[1]}: is empty (0 bytes)"
    ]
    assert warned[0].filename == __file__
    for i in (0, 2):
        silence = np.zeros((1, n_samples), np.float32)
        np.testing.assert_array_equal(clips[i], silence, strict=True)
    np.testing.assert_array_equal(clips[1], AudioLoader(**parameters).transform(paths)[0])


# --- what parameters do ---------------------------------------------------------------------

SHORT = np.arange(1, 4001, dtype=np.float32) / 4000


@pytest.mark.parametrize(
    ("pad", "n_samples", "expected"),
    [
        ("end", 9000, np.r_[SHORT, np.zeros(5000)]),
        ("both", 9001, np.r_[np.zeros(2500), SHORT, np.zeros(2501)]),
        ("repeat", 9000, np.r_[SHORT, SHORT, SHORT[:1000]]),
        (None, 9000, SHORT),
        *[(pad, 3000, SHORT[:3000]) for pad in ("end", "both", "repeat", None)],
        *[(pad, 4000, SHORT) for pad in ("end", "both", "repeat", None)],
    ],
)
def test_pad(pad, n_samples, expected):
    clips = AudioLoader(duration=n_samples / SR, pad=pad).transform([SHORT])
    assert clips.max_samples == n_samples
    assert clips.n_samples == (None if pad is None else n_samples)
    assert_same(clips, [expected.astype(np.float32)])


@pytest.mark.parametrize("pad", ["end", "both", "repeat", None])
def test_no_duration_keeps_clips_whole(pad):
    clips = AudioLoader(duration=None, pad=pad).transform([SHORT, SHORT[:100]])
    assert clips.n_samples is clips.max_samples is None
    assert_same(clips, [SHORT, SHORT[:100]])


@pytest.mark.parametrize("sr", [8000, 22050, 48000])
def test_offset_duration_and_sr(paths, sr):
    clips = AudioLoader(sr=sr, offset=0.25, duration=0.125).transform(paths)
    assert (clips.sr, clips.n_samples) == (sr, round(0.125 * sr))
    for path, waveform in zip(paths, waveforms_of(clips), strict=True):
        expected = read_audio(path, sr, offset=0.25, duration=0.125)[0]
        assert abs(len(expected) - len(waveform)) <= 1
        n = min(len(expected), len(waveform))
        np.testing.assert_array_equal(waveform[:n], expected[:n])


def test_offset_in_a_waveform():
    loader = AudioLoader(offset=0.125, duration=None)
    assert_same(loader.transform([SHORT]), [SHORT[2000:]])
    with pytest.raises(AudioError, match=r"^waveform 1: is 0\.12 s .*offset=0\.125 s"):
        loader.transform([SHORT, SHORT[:2000]])
    with pytest.raises(AudioError, match=r"^waveform 0: is 0\.2 s .*max_duration=0\.2 s"):
        AudioLoader(max_duration=0.2).transform([SHORT])


def test_trim(paths):
    speech = tone(300, SR, 1) * np.hanning(SR).astype(np.float32) ** 4
    quiet = np.r_[np.zeros(8000, np.float32), speech, np.zeros(8000, np.float32)]
    for trim_db in (20, 60):
        clips = AudioLoader(trim_db=trim_db, duration=None).transform([quiet])
        expected = librosa.effects.trim(quiet, top_db=trim_db)[0]
        assert 1000 < len(expected) < 24000
        assert_same(clips, [expected])


def test_trim_comes_before_the_crop(tmp_path):
    path = tmp_path / "late.wav"
    path.write_bytes(encode(np.r_[np.zeros(SR), tone(300, SR, 1)], format="WAV/FLOAT"))
    clip = AudioLoader(trim_db=30, duration=0.5).transform([path])[0][0]
    assert clip.shape == (8000,)
    assert np.sqrt(np.mean(clip[4000:] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("gain", [1e-3, 1, 50])
def test_normalize(gain):
    waveform = gain * tone(300, SR, 1)
    peak = AudioLoader(normalize="peak", duration=1).transform([waveform])[0]
    assert np.abs(peak).max() == pytest.approx(1)
    rms = AudioLoader(normalize="rms", duration=1).transform([waveform])[0]
    assert np.sqrt(np.mean(rms**2)) == pytest.approx(0.1)
    np.testing.assert_array_equal(
        AudioLoader(duration=1).transform([waveform])[0][0], waveform.astype(np.float32)
    )


def test_level_is_that_of_the_clip_without_its_padding():
    clip = AudioLoader(normalize="rms", duration=1).transform([tone(300, SR, 0.25)])[0][0]
    assert np.sqrt(np.mean(clip[:4000] ** 2)) == pytest.approx(0.1)
    assert not clip[4000:].any()


def test_silent_and_tiny_clips():
    waveforms = [np.zeros(99), np.zeros(1), np.full(99, 1e-44), np.ones(1)]
    for normalize, trim_db, pad in product(
        ("peak", "rms", None), (30, None), ("end", "both", "repeat")
    ):
        loader = AudioLoader(normalize=normalize, trim_db=trim_db, pad=pad)
        for waveform, clip in zip(waveforms, loader.transform(waveforms), strict=True):
            assert clip.shape == (1, 48000), loader
            assert np.isfinite(clip).all(), loader
            assert clip.any() == bool(np.float32(waveform).any()), loader


def test_transform_is_lazy(tmp_path):
    path = tmp_path / "clip.wav"
    path.write_bytes(encode(noise(1600)))
    clips = AudioLoader(duration=0.1).fit_transform([path, path])[1:]
    copy = pickle.loads(pickle.dumps(clips))
    for seed in (1, 2):  # each access decodes what the file holds by then
        path.write_bytes(encode(noise(1600, seed=seed)))
        expected = read_audio(path)[0]
        np.testing.assert_array_equal(clips[0][0], expected)
        np.testing.assert_array_equal(copy[0][0], expected)


def test_file_that_goes_away(paths, tmp_path):
    path = tmp_path / "clip.wav"
    path.write_bytes(read_all(paths)[0])
    clips = AudioLoader().transform([path])
    path.unlink()
    with pytest.raises(AudioError, match=re.escape(str(path))):
        clips[0]


def test_file_that_is_written_anew(tmp_path):
    path = tmp_path / "clip.wav"
    samples = noise(1600)
    path.write_bytes(encode(samples, format="WAV/FLOAT"))
    clips = AudioLoader().transform([path])
    samples[7] = np.nan
    path.write_bytes(encode(samples, format="WAV/FLOAT"))
    message = f"{path}: has samples that are NaN or infinite"
    with pytest.raises(AudioError, match=f"^{re.escape(message)}$"):
        clips[0]


BAD_PARAMETERS = [
    ("sr", 3999),
    ("sr", None),
    ("sr", 16e3),
    ("duration", 0),
    ("duration", np.inf),
    ("offset", -0.1),
    ("offset", None),
    ("pad", "start"),
    ("trim_db", 0),
    ("trim_db", True),
    ("normalize", "max"),
    ("max_duration", -1),
    ("on_error", "skip"),
    ("channel", "left"),
]


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS)
@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_bad_parameters(name, value, method):
    loader = AudioLoader(**{name: value})
    with pytest.raises(ParameterError, match=f"^{name} must be .*, got {value!r}$"):
        getattr(loader, method)([SHORT])


def test_every_parameter_is_checked():
    names = set(AudioLoader().get_params())
    assert names == set(AudioLoader._allowed)
    assert names == {name for name, _ in BAD_PARAMETERS}


def test_real_speech(speech_home):
    recordings = sorted((speech_home / "ravdess" / "Actor_01").glob("*.flac"))[:4]
    clips = AudioLoader(trim_db=40, normalize="rms").transform(recordings)
    for path, waveform in zip(recordings, waveforms_of(clips), strict=True):
        expected = librosa.effects.trim(read_audio(path)[0], top_db=40)[0][:48000]
        expected = expected * (0.1 / np.sqrt(np.mean(expected**2)))
        np.testing.assert_allclose(waveform[: len(expected)], expected, rtol=1e-5, atol=1e-7)
        assert not waveform[len(expected) :].any()
