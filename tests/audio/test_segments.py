"""Segments of recordings, from the loader to the scores."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_array_equal

from skser import AudioLoader, Segment, read_audio
from skser.audio import _soundfile
from skser.datasets import check_audio, load_corpus, merge_corpora
from skser.evaluation import evaluate
from skser.evaluation._folds import signature
from skser.evaluation._leakage_checks import digests_of, number_contents
from skser.exceptions import AudioError, DataError, LeakageWarning, ParameterError
from skser.features import FeatureUnionExtractor
from skser.inference import predict_table, predict_timeline
from skser.recipes import functionals

SR = 16000


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Path of 12 s of noise whose level changes every second."""
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    noise = np.random.default_rng(0).normal(0, 0.1, 12 * SR)
    soundfile.write(path, noise * np.repeat([0.2, 1.0] * 6, SR), SR)
    return str(path)


@pytest.fixture
def pipeline():
    return functionals(
        augment__n_views=1, features__blocks=["rms", "zcr"], features__statistics=["mean"]
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("sr", [SR, 8000])
def test_a_segment_is_the_excerpt(call, tmp_path, suffix, sr):
    path = tmp_path / f"call.{suffix}"
    soundfile.write(path, soundfile.read(call)[0], SR)
    segments = [Segment(path, 1.25, 2.5), Segment(path, 10.0), Segment(str(path), end=0.3)]
    clips = AudioLoader(sr=sr, duration=None).transform(segments)
    excerpts = [(1.25, 1.25), (10.0, None), (0.0, 0.3)]
    for clip, (offset, duration) in zip(clips, excerpts, strict=True):
        assert_array_equal(clip[0], read_audio(path, sr, offset=offset, duration=duration)[0])


def test_neighbours_make_the_whole(call):
    bounds = np.round(np.arange(0, 1.25, 0.1), 1).tolist()
    segments = [Segment(call, *pair) for pair in itertools.pairwise(bounds)]
    clips = AudioLoader(duration=None).transform(segments)
    assert_array_equal(np.concatenate([c[0] for c in clips]), read_audio(call, duration=1.2)[0])


def test_parameters_of_the_loader_are_of_the_segment(call):
    segment = Segment(call, 2.0, 4.0)
    waveform = read_audio(call)[0]
    [clip] = AudioLoader(offset=0.5, duration=1.0).transform([segment])
    assert_array_equal(clip[0], waveform[int(2.5 * SR) : int(3.5 * SR)])
    [clip] = AudioLoader(offset=0.5, duration=3.0).transform([segment])
    assert_array_equal(clip[0, : int(1.5 * SR)], waveform[int(2.5 * SR) : 4 * SR])
    assert not clip[0, int(1.5 * SR) :].any()
    [clip] = AudioLoader(offset=0.5, duration=None, trim_db=60).transform([segment])
    assert len(clip[0]) == 1.5 * SR
    AudioLoader(max_duration=2.0).transform([segment])
    with pytest.raises(AudioError, match=r"call.wav#t=2,4: is 2.0 s long.*max_duration=1.9"):
        AudioLoader(max_duration=1.9).transform([segment])
    with pytest.raises(AudioError, match=r"call.wav#t=2,4: is 2.00 s long.*offset=2 s"):
        AudioLoader(offset=2.0).transform([segment])


def test_only_the_segment_is_decoded(call, monkeypatch):
    clips = AudioLoader(duration=None).transform([Segment(call, 8.0, 8.5), Segment(call, 1.0, 1.5)])
    n_read = []

    def read(sound, n_samples, read=_soundfile.Sound.read):
        samples = read(sound, n_samples)
        n_read.append(len(samples))
        return samples

    monkeypatch.setattr(_soundfile.Sound, "read", read)
    assert [clip.shape for clip in clips] == [(1, 8000)] * 2
    assert sum(n_read) == 16000


def test_steps_on_waveforms_ask_for_a_loader(call):
    with pytest.raises(DataError, match=r"got array.Segment.*must go through an AudioLoader"):
        FeatureUnionExtractor(blocks=["rms"]).fit([Segment(call)])


def test_ends_may_be_rounded(call):
    [clip] = AudioLoader(duration=None).transform([Segment(call, 11.0, 12.05)])
    assert clip.shape == (1, SR)
    for start, end in [(11.0, 12.2), (12.0, None), (15.0, 16.0)]:
        with pytest.raises(AudioError, match=r"call.wav#t=.*not within the recording.*12.00 s"):
            AudioLoader().transform([Segment(call, start, end)])


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ((-1.0, None), "start must be .*, got -1"),
        ((0.0, 0.0), "end must be .*, got 0"),
        ((2.0, 1.0), "end must be after start=2, got 1"),
        ((float("nan"), 1.0), "start must be .*, got nan"),
        (("0", 1.0), "start must be .*, got '0'"),
    ],
)
def test_bounds_are_checked(bounds, reason):
    with pytest.raises(ParameterError, match=reason):
        Segment("call.wav", *bounds)


def test_cache_knows_segments_apart(call, tmp_path):
    segments = [Segment(call, 0.0, 1.0), Segment(call, 1.0, 2.0), call]
    clips = AudioLoader(duration=1.0).transform(segments)
    plain = FeatureUnionExtractor(blocks=["rms"]).fit_transform(clips)
    extractor = FeatureUnionExtractor(blocks=["rms"], memory=tmp_path)
    assert_array_equal(extractor.fit_transform(clips), plain)
    assert extractor.cache_info().n_entries == 3
    assert_array_equal(extractor.transform(clips), plain)
    assert extractor.cache_info().hits == 3
    assert signature(segments[0]) != signature(segments[1])
    assert signature(segments[0]) == signature(Segment(call, 0.0, 1.0))


def test_segments_of_a_recording_belong_together(call, tmp_path):
    copy, other = tmp_path / "copy.wav", tmp_path / "other.wav"
    copy.write_bytes(Path(call).read_bytes())
    soundfile.write(other, np.zeros(12 * SR), SR)
    clips = [Segment(call, 0.0, 1.0), Segment(other, 0.0, 1.0), Segment(call, 1.0, 2.0)]
    assert number_contents(clips).tolist() == [0, 1, 0]
    assert number_contents(clips[::2]).tolist() == [0, 0]
    assert number_contents([*clips, Segment(copy), call]).tolist() == [0, 1, 0, 0, 0]
    digests = digests_of(np.array(clips, dtype=object))
    assert digests[0] == digests[2] != digests[1]


@pytest.fixture
def table(call, tmp_path):
    """Six segments of each of two recordings, the quiet ones sad."""
    second = tmp_path / "second.wav"
    soundfile.write(second, 0.9 * soundfile.read(call)[0], SR)
    rows = [(path, i, i + 1, ["sad", "angry"][i % 2]) for path in (call, second) for i in range(6)]
    frame = pd.DataFrame(rows, columns=["file", "start", "end", "emotion"])
    frame["speaker"] = ["ann"] * 6 + ["bob"] * 6
    frame.to_csv(tmp_path / "calls.csv", index=False)
    return tmp_path / "calls.csv"


def test_from_a_table_to_scores(table, call, pipeline):
    speech = load_corpus(table)
    result = evaluate(pipeline, speech)  # speakers are in one recording each: no warning
    assert (result.predictions["predicted"] == speech.target).all()
    assert result.predictions["path"].tolist() == [str(segment) for segment in speech.paths]
    first = np.array([0, 1, 6, 7])
    rest = np.setdiff1d(np.arange(12), first)
    folds = [(rest, first), (first, rest)]
    with pytest.warns(LeakageWarning, match=r"in segments, 2 of them, .*call.wav#t=0,1 and .*=1,2"):
        evaluate(pipeline, speech.paths, speech.target, cv=folds)
    fitted = pipeline.fit(speech.paths, speech.target)
    answers = predict_table(fitted, [*speech.paths[:2], call, Segment("no.wav", 1.0)])
    assert answers["file"].tolist() == [f"{call}#t=0,1", f"{call}#t=1,2", call, "no.wav#t=1"]
    assert answers["emotion"].tolist()[:2] == ["sad", "angry"]
    assert "does not exist" in answers["error"].tolist()[3]


def test_timeline_of_a_segment(table, call, pipeline):
    speech = load_corpus(table)
    pipeline.fit(speech.paths, speech.target)
    options = {"window": 1.0, "hop": 0.5}
    of_segment = predict_timeline(pipeline, Segment(call, 2.0, 5.0), **options)
    excerpt, _ = read_audio(call, offset=2.0, duration=3.0)
    expected = predict_timeline(pipeline, (excerpt, 16000), **options)
    pd.testing.assert_frame_equal(of_segment, expected)


def test_check_audio(call):
    table = check_audio([Segment(call, 1.0, 3.0), Segment(call, 13.0), call, Segment("no.wav")])
    assert table["path"].tolist() == [f"{call}#t=1,3", f"{call}#t=13", call, "no.wav#t=0"]
    assert table["duration"].tolist()[:3:2] == [2.0, 12.0]
    assert table["problem"].tolist()[::2] == [None, None]
    assert table["problem"][1].startswith("is not within the recording")
    assert table["problem"][3] == "does not exist"


def test_merged(table, call, tmp_path):
    speech = load_corpus(table)
    (tmp_path / "whole.csv").write_text(f"file,emotion,speaker\n{call},happy,ann\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = merge_corpora(speech, load_corpus(tmp_path / "whole.csv"))
    assert both.paths.tolist() == [*speech.paths, call]
    assert both.groups.tolist()[-1] == "whole-ann"
    with pytest.raises(DataError, match="12 of 24 recordings are in more than one corpus"):
        merge_corpora(speech, speech)
