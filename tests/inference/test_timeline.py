import io
import re
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from skser import AudioLoader, FeatureUnionExtractor, Segment, predict_timeline, read_audio
from skser._utils._temperature import at_temperature
from skser.calibration import TemperatureScaledClassifier
from skser.exceptions import (
    AudioError,
    AudioNotFoundError,
    AudioWarning,
    DataError,
    ExtractionError,
    NotFittedError,
    ParameterError,
)
from skser.inference import segments, to_srt, to_textgrid
from skser.recipes import functionals

from ..audio.samples import encode, noise
from ..evaluations import noises, quick_pipeline

SR = 16000


def make(loader=None, classes=("angry", "calm"), classifier=None):
    """A pipeline that tells loud from faint noise, not too surely."""
    rng = np.random.default_rng(0)
    loud = [0.2 * rng.normal(size=SR) for _ in range(6)]
    faint = [0.04 * rng.normal(size=SR) for _ in range(6)]
    return Pipeline(
        [
            ("load", AudioLoader(duration=5.0) if loader is None else loader),
            ("features", FeatureUnionExtractor(["rms", "zcr"])),
            ("classify", LogisticRegression(C=100.0) if classifier is None else classifier),
        ]
    ).fit([*loud, *faint], [classes[0]] * 6 + [classes[1]] * 6)


PIPELINE = make()


def speech(*parts):
    """Noise of so many seconds and such levels, one after the other."""
    rng = np.random.default_rng(1)
    waves = [level * rng.normal(size=round(seconds * SR)) for seconds, level in parts]
    return np.concatenate(waves).astype(np.float32)


def message(kind, *args, **kwargs):
    with pytest.raises(kind) as caught:
        predict_timeline(*args, **kwargs)
    return str(caught.value)


@pytest.fixture(scope="module")
def recording():
    return speech((7, 0.1), (2.5, 0.03), (4, 0.0), (3.3, 0.12), (5, 0.06))


@pytest.fixture(scope="module")
def timeline(recording):
    return predict_timeline(PIPELINE, recording, smoothing=None)


# --- rows -----------------------------------------------------------------------------------


def test_rows_tile_the_recording(timeline):
    assert list(timeline.columns) == ["start", "end", "emotion", "silence", "angry", "calm"]
    assert_array_equal(timeline["start"], np.arange(22))
    assert_array_equal(timeline["end"], [*range(1, 22), 21.8])
    assert timeline["emotion"].dtype == object
    assert timeline["silence"].dtype == bool


@pytest.mark.parametrize(("seconds", "hop"), [(1.1, 0.1), (0.7, 0.1), (2.0, 1 / 3), (3.0, 7.0)])
def test_no_row_is_empty(seconds, hop):
    found = predict_timeline(PIPELINE, speech((seconds, 0.1)), hop=hop)
    assert len(found) == np.ceil(round(seconds / hop, 6))
    assert found["end"].iloc[-1] == seconds
    assert (found["end"] > found["start"]).all()
    assert_array_equal(found["start"][1:], found["end"][:-1])


@pytest.mark.parametrize("trim_db", [None, 30])
def test_probabilities_are_those_of_the_window_as_a_file(recording, tmp_path, trim_db):
    """Also with a loader that trims, normalises and pads."""
    pipeline = make(AudioLoader(trim_db=trim_db, normalize="peak", pad="repeat"))
    found = predict_timeline(pipeline, recording, window=2.0, hop=1.5, smoothing=None)
    for row in found[~found["silence"]].itertuples():
        middle = (row.start + row.end) / 2
        start = round(min(max(middle - 1.0, 0.0), 21.8 - 2.0) * SR)
        path = tmp_path / f"{row.Index}.wav"
        soundfile.write(path, recording[start : start + 2 * SR], SR, subtype="FLOAT")
        expected = pipeline.predict_proba([str(path)])[0]
        assert_allclose([row.angry, row.calm], expected, rtol=1e-4)
        assert row.emotion == pipeline.classes_[expected.argmax()]


def test_a_recipe_predicts_a_window_like_a_file(tmp_path):
    clips = [*noise(SR // 2, 6).T, *0.1 * noise(SR // 2, 6, seed=1).T]
    params = {"augment__n_views": 1, "features__blocks": ["rms", "zcr"]}
    pipeline = functionals(random_state=0, **params).fit(clips, ["a"] * 6 + ["b"] * 6)
    wave = speech((4, 0.05), (4, 0.01))
    found = predict_timeline(pipeline, wave, smoothing=None, hop=2.0)
    soundfile.write(tmp_path / "a.wav", wave[3 * SR // 2 : 9 * SR // 2], SR, subtype="FLOAT")
    assert_allclose(
        found[["a", "b"]].iloc[1], pipeline.predict_proba([tmp_path / "a.wav"])[0], rtol=1e-3
    )


def test_short_recording_is_heard_whole():
    wave = speech((0.4, 0.1))
    found = predict_timeline(PIPELINE, wave, hop=0.1, smoothing=None)
    expected = PIPELINE.predict_proba([wave])
    assert_allclose(found[["angry", "calm"]], np.repeat(expected, 4, axis=0), rtol=1e-5)


@pytest.mark.parametrize("format", ["FLAC/PCM_16", "WAV/FLOAT"])
def test_every_kind_of_source_gives_the_same(tmp_path, recording, format):
    content = encode(recording, SR, format)
    (tmp_path / "a").write_bytes(content)
    expected = predict_timeline(PIPELINE, read_audio(content)[0])
    for source in (content, io.BytesIO(content), tmp_path / "a", str(tmp_path / "a")):
        pd.testing.assert_frame_equal(predict_timeline(PIPELINE, source), expected)


def test_recordings_of_other_rates_and_channels(tmp_path, recording):
    from skser.audio._waveforms import resample

    wave = resample(recording, SR, 44100)
    soundfile.write(tmp_path / "a.flac", np.stack([wave, wave], axis=1), 44100, subtype="PCM_24")
    found = predict_timeline(PIPELINE, tmp_path / "a.flac")
    expected = predict_timeline(PIPELINE, read_audio(tmp_path / "a.flac")[0])
    pd.testing.assert_frame_equal(found, expected)


def test_names_of_classes_may_be_numbers(recording):
    found = predict_timeline(make(classes=(3, 5)), recording)
    assert list(found.columns[4:]) == [3, 5]
    assert set(found["emotion"]) == {3, 5, None}


def test_offset_and_longest_duration_are_for_whole_recordings(recording, timeline):
    pipeline = make().set_params(load__offset=2.5, load__max_duration=1.0)
    found = predict_timeline(pipeline, recording, smoothing=None)
    pd.testing.assert_frame_equal(found, timeline)
    assert pipeline["load"].offset == 2.5


# --- silence --------------------------------------------------------------------------------


def test_silence_is_marked_and_not_guessed_at(timeline):
    is_silent = timeline["silence"].to_numpy()
    assert_array_equal(np.flatnonzero(is_silent), [10, 11, 12])
    assert timeline.loc[is_silent, ["angry", "calm"]].isna().all().all()
    assert list(timeline.loc[is_silent, "emotion"]) == [None] * 3
    assert timeline.loc[~is_silent, ["angry", "calm"]].notna().all().all()
    assert_allclose(timeline.loc[~is_silent, ["angry", "calm"]].sum(axis=1), 1)


def test_without_top_db_nothing_is_silence(recording):
    assert not predict_timeline(PIPELINE, recording, top_db=None)["silence"].any()


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_recording_that_is_silent_throughout(level):
    found = predict_timeline(PIPELINE, speech((4, level)))
    assert found["silence"].all()
    assert found["emotion"].isna().all()
    assert len(segments(found)) == 1
    assert to_srt(found) == ""


def test_faint_voices_are_no_silence():
    """Levels around -50 dB are those of calm recordings made at a distance."""
    wave = speech((1, 1e-4), (3, 10 ** (-50 / 20)), (1, 1e-4))
    assert_array_equal(
        predict_timeline(PIPELINE, wave)["silence"], [True, False, False, False, True]
    )


def test_quiet_actors_are_no_silence(speech_home):
    for path in sorted((speech_home / "ravdess/Actor_01").glob("*.flac"))[::10]:
        assert not predict_timeline(PIPELINE, path)["silence"].iloc[1:3].any()


def test_a_bang_does_not_silence_the_voices():
    wave = speech((30, 0.005))
    wave[SR : SR + 1600] = 0.99
    assert not predict_timeline(PIPELINE, wave)["silence"].any()


def test_pauses_between_words_are_no_silence():
    wave = speech(*[(0.4, 0.1), (0.5, 0.0)] * 8)
    assert not predict_timeline(PIPELINE, wave, hop=0.1)["silence"].any()


# --- smoothing ------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [3.0, 5.0, 100.0])
def test_smoothing_is_a_weighted_mean_that_stops_at_silence(recording, timeline, smoothing):
    found = predict_timeline(PIPELINE, recording, smoothing=smoothing)
    raw = timeline["angry"].to_numpy()
    for i in np.flatnonzero(~timeline["silence"]):
        total = weight = 0.0
        for j in range(len(raw)):
            if abs(i - j) < smoothing / 2 and not np.isnan(raw[min(i, j) : max(i, j) + 1]).any():
                hann = np.cos(np.pi * (i - j) / smoothing) ** 2
                total, weight = total + hann * raw[j], weight + hann
        assert found["angry"][i] == pytest.approx(total / weight)
    spoken = found[~found["silence"]]
    assert_allclose(spoken[["angry", "calm"]].sum(axis=1), 1)
    assert_array_equal(spoken["emotion"], spoken[["angry", "calm"]].idxmax(axis=1))


@pytest.mark.parametrize("smoothing", [0, 1.0, 2.0])
def test_narrow_smoothing_changes_nothing(recording, timeline, smoothing):
    pd.testing.assert_frame_equal(
        predict_timeline(PIPELINE, recording, smoothing=smoothing), timeline
    )


# --- memory ---------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_recording(tmp_path):
    peaks = []
    for minutes in (3, 10):
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.tile(noise(SR), (60 * minutes, 1)), SR)
        tracemalloc.start()
        predict_timeline(PIPELINE, path, hop=10.0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    samples = 7 * 60 * SR * 4
    assert peaks[1] - peaks[0] < 0.05 * samples


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", 0),
        ("window", 5.5),  # longer than the loader's clips
        ("hop", -1.0),
        ("smoothing", "3"),
        ("top_db", 0),
        ("verbose", -1),
    ],
)
def test_bad_parameters(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be .*, got {value!r}$"):
        predict_timeline(PIPELINE, "gone.wav", **{name: value})


def test_pipelines_that_cannot_be_used(recording):
    tail = PIPELINE[1:]
    for bad, name in [(tail, "FeatureUnionExtractor"), (tail[-1], "LogisticRegression")]:
        with pytest.raises(ParameterError, match=f"pipeline must .*AudioLoader, got {name}"):
            predict_timeline(bad, recording)
    unfitted = make_pipeline(AudioLoader(), FeatureUnionExtractor(["rms"]), LogisticRegression())
    with pytest.raises(NotFittedError, match="This Pipeline instance is not"):
        predict_timeline(unfitted, recording)
    with pytest.raises(ParameterError, match=r"predict_proba.*RidgeClassifier"):
        predict_timeline(make(classifier=RidgeClassifier()), recording)
    with pytest.raises(DataError, match=r"emotion 'silence'.*column"):
        predict_timeline(make(classes=("silence", "speech")), recording)


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (["a.wav", "b.wav"], "['a.wav', 'b.wav']"),
        (None, "NoneType None"),
        (np.zeros((9, 9)), "shape (9, 9)"),
        (np.array(["a.wav"]), "array(['a.wav']"),
    ],
)
def test_what_is_not_a_recording(audio, expected):
    with pytest.raises(DataError, match=f"^audio.* must be .*got {re.escape(expected)}"):
        predict_timeline(PIPELINE, audio)


def test_recordings_that_cannot_be_used(tmp_path):
    path = tmp_path / "a.wav"
    assert message(AudioNotFoundError, PIPELINE, path) == f"{path}: does not exist"
    path.write_bytes(encode(noise(SR))[:9000])
    assert message(AudioError, PIPELINE, path) == (
        f"{path}: is truncated, its header promises 32000 bytes of samples and 8956 are there"
    )
    with pytest.raises(DataError, match=r"^audio: .*NaN or infinite"):
        predict_timeline(PIPELINE, np.full(99, np.nan))
    with pytest.raises(DataError, match=r"^audio: .*text mode.*'rb'"):
        predict_timeline(PIPELINE, io.StringIO("text"))


def test_damage_within_a_long_recording_names_it(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(20 * SR), SR)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 600] = bytes(600)
    path.write_bytes(content)
    assert message(AudioError, PIPELINE, path).startswith(f"{path}: ")


def test_whatever_fails_names_the_place(recording, monkeypatch):
    def fail(self, X):
        raise RuntimeError("no")

    monkeypatch.setattr(LogisticRegression, "predict_proba", fail)
    assert message(ExtractionError, PIPELINE, recording) == (
        "waveform, from 0.0 s: RuntimeError: no"
    )


# --- segments and files ---------------------------------------------------------------------


def table(emotions, angry, hop=1.0):
    times = hop * np.arange(len(emotions) + 1)
    return pd.DataFrame(
        {
            "start": times[:-1],
            "end": times[1:],
            "emotion": pd.Series(emotions, dtype=object),
            "silence": [emotion is None for emotion in emotions],
            "angry": angry,
            'a "calm"\none': 1 - np.array(angry),
        }
    )


CALM = 'a "calm"\none'
TABLE = table(["angry", "angry", None, CALM, "angry"], [0.9, 0.6, np.nan, 0.2, 0.51], hop=1800.0005)


def test_segments_merge_rows_of_one_emotion(timeline):
    found = segments(TABLE)
    assert list(found.columns) == ["start", "end", "emotion", "probability", "silence"]
    assert list(found["emotion"]) == ["angry", None, CALM, "angry"]
    assert_allclose(found["end"] / 1800.0005, [2, 3, 4, 5])
    assert_allclose(found["probability"], [0.75, np.nan, 0.8, 0.51])
    assert_array_equal(found["silence"], [False, True, False, False])
    merged = segments(timeline)
    assert_array_equal(merged["start"][1:], merged["end"][:-1])
    assert (merged["emotion"].fillna("")[1:].values != merged["emotion"].fillna("")[:-1]).all()


def test_segments_of_a_table_that_was_kept_as_csv(timeline):
    again = pd.read_csv(io.StringIO(timeline.to_csv(index=False)))
    pd.testing.assert_frame_equal(segments(again), segments(timeline))


@pytest.mark.parametrize("function", [segments, to_srt, to_textgrid])
def test_what_is_no_timeline(function):
    with pytest.raises(DataError, match=r"timeline must .*got DataFrame .*\['start'\]"):
        function(pd.DataFrame({"start": [0.0]}))


def parse_textgrid(text):
    """Intervals of the only tier: a reader of the long format that allows nothing else."""
    tokens = re.findall(r'"(?:[^"]|"")*"|<exists>|(?<![\w.\[])-?\d+(?:\.\d+)?(?![\w\]])', text)
    values = iter(token[1:-1].replace('""', '"') if token[0] == '"' else token for token in tokens)
    head = [next(values) for _ in range(2)]
    assert head == ["ooTextFile", "TextGrid"]
    low, high = float(next(values)), float(next(values))
    assert [next(values) for _ in range(4)] == ["<exists>", "1", "IntervalTier", "emotion"]
    assert (float(next(values)), float(next(values))) == (low, high)
    intervals = [
        (float(next(values)), float(next(values)), next(values)) for _ in range(int(next(values)))
    ]
    assert next(values, None) is None
    assert (intervals[0][0], intervals[-1][1]) == (low, high)
    assert all(one[1] == other[0] for one, other in pairwise(intervals))
    assert all(start < end for start, end, _ in intervals)
    return intervals


def test_textgrid(timeline):
    assert parse_textgrid(to_textgrid(TABLE)) == [
        (0, 3600.001, "angry"),
        (3600.001, 5400.0015, ""),
        (5400.0015, 7200.002, 'a "calm" one'),
        (7200.002, 9000.0025, "angry"),
    ]
    found = segments(timeline)
    labels = [label or None for _, _, label in parse_textgrid(to_textgrid(timeline))]
    assert labels == list(found["emotion"])


def parse_srt(text):
    cue = re.compile(r"(\d+)\n(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n([^\n]+)\n")
    cues = [cue.fullmatch(block + "\n").groups() for block in text[:-1].split("\n\n")]
    assert [int(number) for number, *_ in cues] == list(range(1, len(cues) + 1))
    return [others for _, *others in cues]


def test_srt():
    assert parse_srt(to_srt(TABLE)) == [
        ["00:00:00,000", "01:00:00,001", "angry 75 %"],
        ["01:30:00,002", "02:00:00,002", 'a "calm" one 80 %'],
        ["02:00:00,002", "02:30:00,002", "angry 51 %"],
    ]


def test_a_calibrated_pipeline_is_less_sure_of_the_same():
    speech = noises()
    pipeline = quick_pipeline(load__duration=3.0).fit(list(speech.waveforms), speech.target)
    recording = np.concatenate(list(speech.waveforms[:12]))
    plain = predict_timeline(pipeline, recording, smoothing=None)
    scaled = TemperatureScaledClassifier.of(pipeline, 3.0)
    cooler = predict_timeline(scaled, recording, smoothing=None)
    assert cooler["emotion"].tolist() == plain["emotion"].tolist()
    classes = pipeline.classes_.tolist()
    expected = at_temperature(plain[classes].to_numpy(), 3.0)
    np.testing.assert_allclose(cooler[classes], expected, rtol=1e-6)


# --- channels -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """A call: loud then silent at one end, silent then faint at the other."""
    first = speech((5, 0.2), (4, 0.0), (2.5, 0.04))
    second = speech((5, 0.0), (4, 0.04), (2.5, 0.2))
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    soundfile.write(path, np.stack([first, second], axis=1).clip(-1, 1), SR)
    return str(path)


@pytest.fixture(scope="module")
def parties(call):
    return predict_timeline(PIPELINE, call, channel="each")


def test_each_party_has_its_timeline(call, parties):
    assert list(parties.columns) == [
        "channel",
        "start",
        "end",
        "emotion",
        "silence",
        "angry",
        "calm",
    ]
    for channel in (0, 1):
        alone = predict_timeline(PIPELINE, call, channel=channel)
        mono = predict_timeline(PIPELINE, (read_audio(call, channel=channel)[0], SR))
        own = parties[parties["channel"] == channel].drop(columns="channel")
        pd.testing.assert_frame_equal(alone, mono)
        pd.testing.assert_frame_equal(own.reset_index(drop=True), alone)
    assert parties["emotion"].iloc[[1, 10, 13, 18, 22]].tolist() == [
        *("angry", "calm", None, "calm", "angry")
    ]


def test_the_channel_is_that_of_the_loader_by_default(call):
    expected = predict_timeline(PIPELINE, call, channel=1)
    loader = PIPELINE["load"]
    loader.channel = 1
    try:
        pd.testing.assert_frame_equal(predict_timeline(PIPELINE, call), expected)
        mean = predict_timeline(PIPELINE, call, channel="mean")
    finally:
        loader.channel = "mean"
    pd.testing.assert_frame_equal(predict_timeline(PIPELINE, call), mean)
    assert not mean.equals(expected)


@pytest.mark.parametrize("form", ["bytes", "pair", "array", "segment", "flac at 44.1 kHz"])
def test_channels_of_everything_that_is_taken(call, parties, form, tmp_path):
    samples = soundfile.read(call)[0]
    if form == "bytes":
        audio = io.BytesIO(Path(call).read_bytes())
    elif form == "segment":
        audio = Segment(call, 0.0, 11.5)
    elif form.startswith("flac"):
        audio = tmp_path / "call.flac"
        soundfile.write(audio, np.repeat(samples, 2, axis=0), 2 * SR)
    else:
        audio = (samples.T, SR) if form == "pair" else samples
    found = predict_timeline(PIPELINE, audio, channel="each")
    if form.startswith("flac"):
        assert_array_equal(found["silence"], parties["silence"])
    else:
        pd.testing.assert_frame_equal(found, parties)


def test_each_channel_of_one(call):
    mono = speech((4, 0.1))
    found = predict_timeline(PIPELINE, mono, channel="each")
    assert found["channel"].unique().tolist() == [0]
    pd.testing.assert_frame_equal(
        found.drop(columns="channel"), predict_timeline(PIPELINE, mono, channel=0)
    )


def test_channels_that_are_not_there(call):
    for audio, name in ((call, "call.wav"), (Segment(call, 1.0), "call.wav"), (np.ones(SR), "")):
        text = message(AudioError, PIPELINE, audio, channel=2)
        assert re.search(rf"{name}.*: has [12] channels?, .* got 2$", text)
    text = message(ParameterError, PIPELINE, call, channel="left")
    assert text.startswith("channel must be ")
    assert text.endswith("got 'left'")
    text = message(DataError, make(classes=("channel", "calm")), call, channel="each")
    assert "'channel'" in text


def test_opposite_channels_are_no_silence(tmp_path):
    wave = speech((5, 0.1))
    path = tmp_path / "opposite.wav"
    soundfile.write(path, np.stack([wave, -wave], axis=1).clip(-1, 1), SR)
    with pytest.warns(AudioWarning, match=r"opposite\.wav: its channels cancel") as caught:
        found = predict_timeline(PIPELINE, path)
    assert len(caught) == 1
    pd.testing.assert_frame_equal(found, predict_timeline(PIPELINE, path, channel=0))
    assert not found["silence"].any()


def test_formats_of_each_channel(parties):
    merged = segments(parties)
    assert list(merged.columns) == ["channel", "start", "end", "emotion", "probability", "silence"]
    text = to_textgrid(parties)
    head, *tiers = re.split(r"(?=    item \[\d)", text)
    assert "size = 2\n" in head
    cues = []
    for channel, tier in enumerate(tiers):
        own = parties[parties["channel"] == channel].drop(columns="channel").reset_index(drop=True)
        expected = segments(own)
        found = merged[merged["channel"] == channel].drop(columns="channel")
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)
        alone = to_textgrid(own).split("item []:\n")[1]
        assert tier == alone.replace("item [1]", f"item [{channel + 1}]").replace(
            '"emotion"', f'"channel {channel}"'
        )
        cues += [
            [*times, f"channel {channel}: {label}"] for *times, label in parse_srt(to_srt(own))
        ]
    assert parse_srt(to_srt(parties)) == sorted(cues, key=lambda cue: (cue[0], cue[2]))
