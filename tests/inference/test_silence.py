"""Silent recordings have no emotion, however they are given and predicted."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from skser import Segment, predict_table, predict_timeline
from skser.audio import _clip_reader, _silence
from skser.exceptions import DataError
from skser.inference import TrainingAudio
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
SILENT = np.zeros(4000, np.float32)


@pytest.fixture(scope="module")
def pipeline():
    return quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)


@pytest.fixture
def files(tmp_path):
    """Speech, digital silence, a constant at another rate, and speech after a second of silence."""
    contents = {
        "speech": (SPEECH.waveforms[0], 16000),
        "silent": (SILENT, 16000),
        "constant": (np.full(44100, 0.4), 44100),
        "late": (np.concatenate([np.zeros(16000), SPEECH.waveforms[0]]), 16000),
    }
    for name, (waveform, sr) in contents.items():
        soundfile.write(tmp_path / f"{name}.wav", waveform, sr, subtype="FLOAT")
    return {name: str(tmp_path / f"{name}.wav") for name in contents}


def check(table, silent, classes):
    """Rows that are silent, and no others, are marked and have no answer."""
    assert table["silence"].dtype == bool
    assert table["silence"].tolist() == silent
    assert table["emotion"].isna().tolist() == silent
    assert table["error"].isna().all()
    for name in ["confidence", *classes]:
        assert table[name].isna().tolist() == silent


def test_files_contents_and_waveforms(pipeline, files):
    contents = [Path(path).read_bytes() for path in files.values()]
    constant = np.full(4000, 0.2)
    silence = [SILENT, constant, (SILENT, 16000), (np.full(8000, 0.2), 48000)]
    whole = quick_pipeline(load__duration=2.0).fit(SPEECH.waveforms, SPEECH.target)
    for recordings, silent in [
        (list(files.values()), [False, True, True, False]),
        (contents, [False, True, True, False]),
        ([SPEECH.waveforms[0], *silence], [False] + 4 * [True]),
    ]:
        check(predict_table(whole, recordings), silent, whole.classes_)
    # What comes after the part that the pipeline takes does not count.
    table = predict_table(pipeline, list(files.values()))
    check(table, [False, True, True, True], pipeline.classes_)
    later = quick_pipeline(load__offset=1.0).fit(
        [np.tile(w, 5) for w in SPEECH.waveforms], SPEECH.target
    )
    check(predict_table(later, [files["late"]]), [False], later.classes_)


def test_the_channel_that_the_pipeline_takes(tmp_path):
    stereo = [np.stack([waveform, 0 * waveform], axis=1) for waveform in SPEECH.waveforms]
    first, second = (
        quick_pipeline(load__channel=channel).fit(stereo, SPEECH.target) for channel in (0, 1)
    )
    soundfile.write(tmp_path / "call.wav", stereo[0], 16000)
    forms = [tmp_path / "call.wav", (stereo[0], 16000), (stereo[0], 48000), stereo[0]]
    assert not predict_table(first, forms)["silence"].any()
    assert predict_table(second, forms)["silence"].all()


def test_labels_of_the_others_are_those_of_predict(pipeline, files):
    table = predict_table(pipeline, [files["silent"], *SPEECH.waveforms[:3]])
    np.testing.assert_allclose(
        table[pipeline.classes_][1:], pipeline.predict_proba(SPEECH.waveforms[:3])
    )


def test_segments(files):
    pipeline = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    parts = [Segment(files["late"], 0.0, 0.9), Segment(files["late"], 1.0), files["speech"]]
    check(predict_table(pipeline, parts), [True, False, False], pipeline.classes_)


def test_beside_unusable_recordings_and_training_audio(pipeline, files):
    training = TrainingAudio.of(pipeline, SPEECH.waveforms)
    recordings = [files["silent"], "missing.wav", files["speech"]]
    table = predict_table(pipeline, recordings, training_audio=training)
    assert table["silence"].tolist() == [True, False, False]
    assert table["error"].tolist() == [None, "does not exist", None]
    assert table["ood_reasons"].tolist() == ["", None, ""]
    assert table["emotion"].isna().tolist() == [True, True, False]


def test_silence_that_the_loader_puts_in_place_has_an_error(files):
    pipeline = quick_pipeline(load__on_error="silence", load__max_duration=1.1)
    pipeline.fit(SPEECH.waveforms, SPEECH.target)
    with pytest.warns(UserWarning, match="silence in place of"):
        table = predict_table(pipeline, ["missing.wav", files["late"], files["speech"]])
    assert table["error"][0] == "does not exist"
    assert "max_duration=1.1" in table["error"][1]
    assert table["emotion"].isna().tolist() == [True, True, False]
    assert not table["silence"].any()


@pytest.mark.parametrize("load", [{"load__normalize": "peak"}, {"load__trim_db": 30.0}])
def test_dither_is_silence_whatever_its_level_is_set_to(tmp_path, load):
    rng = np.random.default_rng(0)
    dither = np.round(rng.uniform(-0.5, 0.5, (4000, 2)).sum(axis=1)) / 2**15
    soundfile.write(tmp_path / "dither.wav", dither, 16000)
    pipeline = quick_pipeline(**load).fit(SPEECH.waveforms, SPEECH.target)
    table = predict_table(pipeline, [str(tmp_path / "dither.wav"), dither])
    check(table, [True, True], pipeline.classes_)


def test_features_from_the_cache_and_of_processes(tmp_path, files):
    pipeline = quick_pipeline(features__memory=str(tmp_path / "cache"))
    pipeline.fit(SPEECH.waveforms, SPEECH.target)
    recordings = [files["speech"], files["silent"]]
    for _ in range(2):
        check(predict_table(pipeline, recordings), [False, True], pipeline.classes_)


@pytest.mark.slow
def test_features_of_other_processes(files):
    pipeline = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    pipeline.set_params(features__n_jobs=2)
    recordings = [files["speech"], files["silent"]]
    check(predict_table(pipeline, recordings), [False, True], pipeline.classes_)


def test_files_are_decoded_once(pipeline, files, monkeypatch):
    decoded = []
    decode = _clip_reader.decode_audio

    def counting(source, *arguments, **named):
        decoded.append(source)
        return decode(source, *arguments, **named)

    monkeypatch.setattr(_clip_reader, "decode_audio", counting)
    monkeypatch.setattr(_silence, "audio_blocks", None)  # raises
    recordings = [files["speech"], files["silent"], Segment(files["late"], 1.0)]
    assert predict_table(pipeline, recordings)["silence"].tolist() == [False, True, False]
    assert decoded == [files["speech"], files["silent"], files["late"]]


def test_silence_is_no_reference_to_adapt_to(pipeline, files):
    recordings = [*SPEECH.waveforms, files["silent"], SILENT]
    table = predict_table(pipeline, recordings, adapt=True)
    alone = predict_table(pipeline, SPEECH.waveforms, adapt=True)
    n = len(SPEECH.waveforms)
    check(table, [False] * n + [True, True], pipeline.classes_)
    assert set(table["adapted_to"]) == {n}
    np.testing.assert_allclose(table[pipeline.classes_][:n], alone[pipeline.classes_])
    with pytest.raises(DataError, match=r"got 1 of 20; .*silent\.wav: is silent or constant"):
        predict_table(pipeline, [files["speech"], *[files["silent"]] * 19], adapt=True)


def test_an_offset_is_silence_in_a_timeline(pipeline):
    part = np.concatenate(SPEECH.waveforms[:8])
    recording = np.concatenate([part, np.zeros(32000)]) * 0.5 + 0.4
    table = predict_timeline(pipeline, recording, window=0.25, hop=1.0)
    assert table["silence"].tolist() == [False, False, True, True]
    assert predict_timeline(pipeline, np.full(32000, 0.4), window=0.25)["silence"].all()
