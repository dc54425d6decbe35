import io
import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression

from skser import AudioLoader, make_emotion_pipeline
from skser.audio import read_audio
from skser.audio._waveforms import resample
from skser.calibration import TemperatureScaledClassifier
from skser.datasets import make_emotional_speech
from skser.exceptions import AudioError, AudioNotFoundError, DataError, ParameterError
from skser.inference import TrainingAudio
from skser.recipes import functionals
from tests.evaluations import quick_pipeline

SPEECH = make_emotional_speech(n_speakers=3, emotions=["angry", "sad"], random_state=0)
SR = 16000


def content(waveform, sr=SR):
    file = io.BytesIO()
    soundfile.write(file, waveform, sr, format="WAV", subtype="FLOAT")
    return file.getvalue()


def names(reasons):
    return [reason.split()[0] for reason in reasons]


@pytest.fixture(scope="module")
def training():
    return TrainingAudio.of(functionals(), [content(wave) for wave in SPEECH.waveforms])


def test_ranges_are_percentiles_of_what_is_measured_here(training):
    lengths = [len(wave) / SR for wave in SPEECH.waveforms]
    assert training.length == pytest.approx(np.percentile(lengths, [0.5, 99.5]))
    assert training.rates == {SR: len(SPEECH.waveforms)}
    assert training.n_recordings == len(SPEECH.waveforms)
    assert len(training.mean) == len(training.deviation) == 2 * 26


def test_level_and_bandwidth_of_known_sounds():
    seconds = np.arange(SR) / SR
    tone = 0.5 * np.sin(2 * np.pi * 1000 * seconds).astype("float32")
    loader = quick_pipeline(load__duration=None)
    found = TrainingAudio.of(loader, [tone])
    assert found.level == pytest.approx([10 * np.log10(0.125)] * 2, abs=0.05)
    # A tone that sets in at once has all frequencies.
    faded = TrainingAudio.of(loader, [tone * np.hanning(SR)])
    assert faded.bandwidth[0] == pytest.approx(1000, abs=50)
    # Silence around it does not change the level.
    padded = np.concatenate([np.zeros(SR), tone, np.zeros(SR)]).astype("float32")
    assert TrainingAudio.of(loader, [padded]).level == pytest.approx(found.level, abs=0.05)
    noise = np.random.default_rng(0).normal(0, 0.1, size=SR)
    narrow = content(resample(noise, SR, 8000), 8000)
    assert TrainingAudio.of(loader, [narrow]).bandwidth[0] == pytest.approx(4000, abs=250)
    assert TrainingAudio.of(loader, [noise]).bandwidth[0] == 8000


def test_recordings_of_training_are_alike(training):
    alike = [training.ood_reasons(wave) == () for wave in SPEECH.waveforms]
    assert np.mean(alike) == 1


def test_ood_reasons(training):
    wave = SPEECH.waveforms[0]
    low, high = training.level
    (quiet,) = training.ood_reasons(0.01 * wave)
    assert quiet.endswith(f" dB (training {low:.0f} to {high:.0f})")
    assert names([quiet]) == ["level"]
    (long,) = training.ood_reasons(np.tile(wave, 10))
    low, high = training.length
    assert long == f"length {len(wave) / SR * 10:.1f} s (training {low:.1f} to {high:.1f})"
    telephone = training.ood_reasons(content(resample(wave, SR, 8000), 8000))
    assert telephone[0] == "rate 8000 Hz (training 16000)"
    assert names(telephone)[1:] == ["bandwidth", "features"]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 10 ** (np.mean(training.level) / 20), size=len(wave))
    (features,) = training.ood_reasons(noise)
    assert features.startswith("features at distance ")
    assert features.endswith(f" (training up to {training.distance:.1f})")


def test_rates_count_up_to_that_of_the_loader(training):
    faster = content(resample(SPEECH.waveforms[0], SR, 48000), 48000)
    assert "rate" not in names(training.ood_reasons(faster))
    several = [content(resample(w, SR, sr), sr) for w in SPEECH.waveforms[:3] for sr in (8000, SR)]
    both = TrainingAudio.of(functionals(), several)
    assert both.rates == {8000: 3, 16000: 3}
    middle = both.ood_reasons(content(resample(SPEECH.waveforms[0], SR, 11025), 11025))
    assert middle[0] == "rate 11025 Hz (training 8000, 16000)"


@given(st.integers(0, 35), st.floats(-2.9, 2.9))
@settings(max_examples=15, deadline=None)
def test_a_little_louder_or_quieter_is_alike(training, i, gain):
    i = i % len(SPEECH.waveforms)
    assert names(training.ood_reasons(SPEECH.waveforms[i] * 10 ** (gain / 20))) == []


def test_silence_is_out_of_distribution(training):
    assert "level" in names(training.ood_reasons(np.zeros(SR)))


def test_description_goes_through_json(training):
    found = TrainingAudio.from_dict(json.loads(json.dumps(training.to_dict())))
    assert found == training
    assert pickle.loads(pickle.dumps(training)) == training
    wave = 0.01 * SPEECH.waveforms[0]
    assert found.ood_reasons(wave) == training.ood_reasons(wave)
    with pytest.raises(FrozenInstanceError):
        training.level = (0, 0)


def test_order_and_content_change_nothing(training, tmp_path):
    paths = []
    for i, wave in enumerate(SPEECH.waveforms):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], wave, SR, subtype="FLOAT")
    found = TrainingAudio.of(functionals(), paths[::-1])
    assert_allclose(found.mean, training.mean, atol=1e-4)
    assert found.distance == pytest.approx(training.distance)
    with paths[0].open("rb") as file:
        assert found.ood_reasons(paths[0]) == found.ood_reasons(file) == ()


def test_loader_is_found_in_any_pipeline():
    readers = {
        TrainingAudio.of(pipeline, SPEECH.waveforms[:2]).reader
        for pipeline in (
            functionals(load__normalize="rms"),
            TemperatureScaledClassifier(functionals()),
            make_emotion_pipeline(),
        )
    }
    (reader,) = readers
    assert (reader.sr, reader.duration, reader.trim_db) == (16000, 5.0, 30)
    assert reader.pad is reader.normalize is None


def test_what_cannot_be_used_is_told_or_left_out(tmp_path):
    missing = str(tmp_path / "missing.wav")
    recordings = [missing, *SPEECH.waveforms[:2]]
    with pytest.raises(AudioNotFoundError, match=missing):
        TrainingAudio.of(functionals(), recordings)
    silent = functionals(load__on_error="silence")
    assert TrainingAudio.of(silent, recordings).n_recordings == 2
    with pytest.raises(DataError, match="at least one usable recording, got none"):
        TrainingAudio.of(silent, [missing])


def test_errors(training):
    with pytest.raises(ParameterError, match="an AudioLoader, got LogisticRegression"):
        TrainingAudio.of(LogisticRegression(), SPEECH.waveforms)
    with pytest.raises(DataError, match="recordings must hold at least one recording, got none"):
        TrainingAudio.of(functionals(), [])
    with pytest.raises(AudioError, match="is empty"):
        training.ood_reasons(b"")
    later = TrainingAudio.of(quick_pipeline(load=AudioLoader(offset=0.1)), SPEECH.waveforms[:2])
    with pytest.raises(AudioError, match=r"is 0\.05 s long.* offset=0\.1 s"):
        later.ood_reasons(np.ones(800))


@pytest.mark.slow
def test_new_speakers_are_alike_and_their_voices_through_a_telephone_are_not(speech_home):
    paths = sorted(map(str, (speech_home / "emodb4" / "wav").iterdir()))
    is_new = np.array([path.rpartition("/")[2][:2] in ("03", "16") for path in paths])
    training = TrainingAudio.of(functionals(), np.array(paths)[~is_new])
    new = np.array(paths)[is_new].tolist()
    assert np.mean([training.ood_reasons(path) != () for path in new]) < 0.03
    waveforms = [read_audio(path)[0] for path in new[::5]]
    for waveform in waveforms:
        narrow = resample(resample(waveform, SR, 8000), 8000, SR)
        assert "bandwidth" in names(training.ood_reasons(narrow))
        noise = np.random.default_rng(0).normal(0, waveform.std() / 10**0.25, len(waveform))
        assert "features" in names(training.ood_reasons(waveform + noise))


@pytest.mark.slow
def test_it_is_asked_without_slow_imports(training, tmp_path):
    (tmp_path / "training.json").write_text(json.dumps(training.to_dict()))
    (tmp_path / "a.wav").write_bytes(content(0.01 * SPEECH.waveforms[0]))
    program = (
        "import json, sys\n"
        "from skser.inference import TrainingAudio\n"
        "training = TrainingAudio.from_dict(json.load(open('training.json')))\n"
        "print(training.ood_reasons('a.wav')[0].split()[0])\n"
        "heavy = ('sklearn', 'pandas', 'librosa', 'tensorflow', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["level", "[]"]
