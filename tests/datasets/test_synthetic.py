import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.linalg import solve_toeplitz
from scipy.signal import freqz
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skser.datasets._corpus import EMOTIONS
from skser.datasets._speech._phones import VOWELS, make_sentence
from skser.datasets._speech._synthesis import (
    Timbre,
    Tracks,
    glottal_source,
    synthesise,
    tract_response,
)
from skser.datasets._speech._voices import PROFILES
from skser.datasets.synthetic import make_emotional_speech
from skser.exceptions import ParameterError
from skser.features import Pitch, Spectra

SR = 16000
NAMES = "neutral, calm, happy, sad, angry, fear, disgust, surprise, boredom"
TIMBRE = Timbre(1.0, 0.6, 0.0, jitter=0.0, shimmer=0.0, microphone_tilt=0.0)
SMALL = {"n_speakers": 2, "emotions": ["happy", "sad"], "n_sentences": 2, "n_takes": 2}


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(random_state=0)


@pytest.fixture(scope="module")
def small():
    return make_emotional_speech(**SMALL, random_state=3)


def held_vowel(name, pitch=120.0, seconds=0.5):
    n = round(250 * seconds)
    vowel = VOWELS[name]
    one, zero = np.ones(n), np.zeros(n)
    formants = np.tile([vowel.f1, vowel.f2, vowel.f3], (n, 1))
    return Tracks(pitch * one, formants, one, one, zero, zero, 4000 * one, 1000 * one)


# What comes back


def test_waveforms(corpus):
    assert len(corpus.waveforms) == 8 * 6 * 3 * 2
    assert corpus.sr == SR
    for waveform in corpus.waveforms:
        assert waveform.ndim == 1
        assert waveform.dtype == np.float32
        assert np.isfinite(waveform).all()
        assert np.abs(waveform).max() <= 1
        assert waveform.std() > 1e-3
        assert 1.5 * SR <= len(waveform) <= 2.5 * SR


def test_labels(corpus):
    frame = corpus.frame
    assert list(frame) == ["emotion", "speaker", "corpus", "gender", "sentence", "take"]
    assert (frame.groupby(["speaker", "emotion", "sentence"]).size() == 2).all()
    assert frame["speaker"].unique().tolist() == [
        *("synthetic-f01", "synthetic-m02", "synthetic-f03", "synthetic-m04"),
        *("synthetic-f05", "synthetic-m06", "synthetic-f07", "synthetic-m08"),
    ]
    assert (frame["speaker"].str[10] == frame["gender"].str[0]).all()
    assert (frame["corpus"] == "synthetic").all()
    assert corpus.target.dtype.kind == corpus.groups.dtype.kind == "U"
    assert corpus.target.tolist() == frame["emotion"].tolist()
    assert corpus.groups.tolist() == frame["speaker"].tolist()
    assert "288 recordings: 8 speakers, 6 emotions (neutral, happy," in corpus.DESCR
    assert "paths" not in corpus


def test_every_emotion_of_the_vocabulary_can_be_made():
    assert set(PROFILES) == set(EMOTIONS)
    speech = make_emotional_speech(n_speakers=1, emotions=EMOTIONS, n_sentences=1, n_takes=1)
    assert speech.target.tolist() == list(EMOTIONS)


def test_return_X_y(small, tmp_path):
    X, y = make_emotional_speech(**SMALL, random_state=3, return_X_y=True)
    assert isinstance(X, list)
    np.testing.assert_array_equal(X[-1], small.waveforms[-1])
    np.testing.assert_array_equal(y, small.target)
    X, y = make_emotional_speech(tmp_path, **SMALL, random_state=3, return_X_y=True)
    assert X.shape == y.shape == (16,)
    assert all(isinstance(path, str) for path in X)


@pytest.mark.parametrize("sr", [8000, 22050, 48000])
@pytest.mark.parametrize("duration", [(0.5, 0.5), (1.2345, 1.3), (4, 6)])
def test_other_rates_and_durations(sr, duration):
    options = {"n_speakers": 2, "emotions": ["sad", "fear"], "n_sentences": 1, "n_takes": 1}
    speech = make_emotional_speech(**options, sr=sr, duration=duration, random_state=0)
    for waveform in speech.waveforms:
        assert duration[0] - 1 / sr <= len(waveform) / sr <= duration[1] + 1 / sr
        assert np.isfinite(waveform).all()
        assert np.abs(waveform).max() <= 1


# Determinism


def test_same_random_state_same_bits(small):
    again = make_emotional_speech(**SMALL, random_state=3)
    for one, other in zip(small.waveforms, again.waveforms, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_speech_as_ever():
    options = {"n_speakers": 2, "emotions": ["happy", "sad"], "n_sentences": 1, "n_takes": 1}
    speech = make_emotional_speech(**options, random_state=3)
    assert [len(waveform) for waveform in speech.waveforms] == [31042, 34489, 25738, 32418]
    golden = [
        [-0.01739, 0.31132, 0.00293, -0.04217],
        [0.03008, -0.04418, -0.00607, 0.00022],
        [0.00098, 0.02912, 0.00278, 0.00572],
        [0.00074, -0.0693, 0.0076, -0.00137],
    ]
    samples = [waveform[8000:20000:3000] for waveform in speech.waveforms]
    np.testing.assert_allclose(samples, golden, rtol=0, atol=1e-4)


def test_random_state_kinds(small):
    def first(random_state):
        return make_emotional_speech(**SMALL, random_state=random_state).waveforms[0]

    rng = np.random.RandomState(0)
    assert not np.array_equal(first(4)[:1000], small.waveforms[0][:1000])
    assert not np.array_equal(first(rng)[:1000], first(rng)[:1000])
    assert not np.array_equal(first(None)[:1000], first(None)[:1000])
    np.testing.assert_array_equal(first(np.random.RandomState(7)), first(np.random.RandomState(7)))


def test_no_two_clips_are_the_same(corpus):
    assert len({waveform.tobytes() for waveform in corpus.waveforms}) == len(corpus.waveforms)


def test_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_emotional_speech(**SMALL, random_state=3)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    "fewer",
    [{"n_speakers": 1}, {"emotions": ["sad"]}, {"n_sentences": 1}, {"n_takes": 1}],
    ids=lambda fewer: next(iter(fewer)),
)
def test_a_part_of_the_corpus_has_the_same_clips(small, fewer):
    keys = ["emotion", "speaker", "sentence", "take"]
    whole = dict(zip(small.frame[keys].itertuples(index=False), small.waveforms, strict=True))
    part = make_emotional_speech(**{**SMALL, **fewer}, random_state=3)
    assert len(part.waveforms) == 8
    for key, waveform in zip(part.frame[keys].itertuples(index=False), part.waveforms, strict=True):
        np.testing.assert_array_equal(waveform, whole[key])


# Files


def test_files_hold_the_waveforms(small, tmp_path):
    home = tmp_path / "new" / "corpus"
    speech = make_emotional_speech(home, **SMALL, random_state=3)
    assert "waveforms" not in speech
    assert speech.paths.dtype == object
    assert speech.frame["path"].tolist() == speech.paths.tolist()
    assert list(speech.frame)[:4] == ["path", "emotion", "speaker", "corpus"]
    assert speech.paths[0] == str(home / "synthetic-f01" / "synthetic-f01_happy_s01_t01.wav")
    assert sorted(map(str, home.rglob("*.*"))) == sorted(speech.paths)  # no temporary files
    for path, waveform in zip(speech.paths, small.waveforms, strict=True):
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.samplerate) == ("WAV", "PCM_16", SR)
        written, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(written, waveform, rtol=0, atol=1 / 2**15)


def test_files_are_written_again(tmp_path):
    first = make_emotional_speech(tmp_path, **SMALL, random_state=3)
    content = [Path(path).read_bytes() for path in first.paths]
    Path(first.paths[0]).write_bytes(b"")
    again = make_emotional_speech(str(tmp_path), **SMALL, random_state=3)
    assert [Path(path).read_bytes() for path in again.paths] == content


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    speech = make_emotional_speech(tmp_path, **SMALL, random_state=3)
    content = Path(speech.paths[0]).read_bytes()

    def fail(file, *args, **kwargs):
        Path(file).write_bytes(b"RIFF")
        raise OSError("disk full")

    monkeypatch.setattr(soundfile, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        make_emotional_speech(tmp_path, **SMALL, random_state=4)
    assert Path(speech.paths[0]).read_bytes() == content
    assert sorted(map(str, tmp_path.rglob("*.*"))) == sorted(speech.paths)


# The synthesiser


def test_tract_response_is_klatts_cascade():
    tracks = held_vowel("ɛ", seconds=0.02)
    frequencies = np.linspace(0, 7900, 80).astype("f4")
    response = tract_response(tracks, TIMBRE, frequencies, SR)
    expected = np.ones(80, dtype=complex)
    poles = [(530, 90), (1840, 110), (2480, 160)]
    poles += [(f, 0.05 * f) for f in (3500, 4500, 5500, 6500)]
    for centre, bandwidth in poles:
        c = -np.exp(-2 * np.pi * bandwidth / SR)
        b = 2 * np.exp(-np.pi * bandwidth / SR) * np.cos(2 * np.pi * centre / SR)
        expected *= freqz([1 - b - c], [1, -b, -c], worN=frequencies, fs=SR)[1]
    np.testing.assert_allclose(response[-1], expected, rtol=2e-3)


def test_glottal_source_without_jitter_is_periodic():
    flow, derivative = glottal_source(np.full(4000, 100.0), TIMBRE, SR, np.random.default_rng(0))
    assert 0 <= flow.min() < flow.max() <= 1
    np.testing.assert_allclose(flow[160:3200], flow[320:3360], atol=1e-9)
    # The glottis is open for its share of a cycle and closes faster than it opens.
    assert (flow[:1600] > 1e-9).mean() == pytest.approx(0.6, abs=0.02)
    assert -derivative.min() > 1.2 * derivative.max()


def test_jitter_and_shimmer_vary_the_cycles():
    timbre = TIMBRE._replace(jitter=0.02, shimmer=0.1)
    flow, _ = glottal_source(np.full(32000, 100.0), timbre, SR, np.random.default_rng(0))
    starts = np.flatnonzero((flow[1:] > 0) & (flow[:-1] == 0))
    lengths = np.diff(starts) / 160
    assert lengths.mean() == pytest.approx(1, abs=0.01)
    assert lengths.std() == pytest.approx(0.02, rel=0.25)
    peaks = np.maximum.reduceat(flow, starts)
    assert peaks.std() == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("vowel", ["i", "ɛ", "ɑ", "u"])
def test_vowels_have_their_formants(vowel):
    tracks = held_vowel(vowel, pitch=80.0)
    waveform = synthesise(tracks, TIMBRE, SR // 2, SR, np.random.default_rng(0))
    assert waveform.shape == (SR // 2,)
    assert np.sqrt(np.mean(waveform**2)) == pytest.approx(1, rel=1e-4)
    # Linear prediction, after pre-emphasis, finds the resonances again.
    steady = np.append(0, np.diff(waveform[2000:6000])) * np.hamming(4000)
    correlation = np.correlate(steady, steady, "full")[len(steady) - 1 :][:19]
    roots = np.roots([1, *-solve_toeplitz(correlation[:-1], correlation[1:])])
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.93)]
    found = np.sort(np.angle(roots)) * SR / (2 * np.pi)
    for formant in (VOWELS[vowel].f1, VOWELS[vowel].f2):
        assert np.abs(found - formant).min() < 60


def test_sentences_have_the_syllables_asked_for():
    for seed in range(20):
        sentence = make_sentence(7, np.random.default_rng(seed))
        assert len(sentence) == 7
        assert sentence[-1].ends_word
        words = sum(syllable.ends_word for syllable in sentence)
        assert sum(syllable.stressed for syllable in sentence) == words


# Emotions


def measure(waveform):
    # librosa's pyin gives the same and takes long.
    block = Pitch(fmin=60, fmax=600, frame_length=1024)
    pitch, _ = block.compute(Spectra(waveform, SR, 1024, 512))
    voiced = ~np.isnan(pitch)
    power = np.abs(librosa.stft(waveform, n_fft=512)) ** 2
    high = librosa.fft_frequencies(sr=SR, n_fft=512) > 1000
    rms = librosa.feature.rms(y=waveform)[0]
    loud = np.flatnonzero(rms > 0.1 * rms.max())
    semitones = 12 * np.log2(pitch[voiced])
    return {
        "pitch": semitones.mean(),
        "pitch range": semitones.std(),
        "level": 20 * np.log10(rms.mean()),
        "high energy": 10 * np.log10(power[high].sum() / power[~high].sum()),
        "seconds": (loud[-1] - loud[0]) * 512 / SR,
    }


@pytest.fixture(scope="module")
def measured():
    """Means over four speakers of each emotion's measures."""
    emotions = ["neutral", "happy", "sad", "angry", "fear"]
    speech = make_emotional_speech(n_speakers=4, emotions=emotions, n_takes=1, random_state=0)
    values = [measure(waveform) for waveform in speech.waveforms]
    return pd.DataFrame(values).groupby(speech.target).mean()


@pytest.mark.parametrize(
    ("measure", "more", "less", "margin"),
    [
        ("pitch", "happy", "sad", 2),
        ("pitch", "angry", "sad", 2),
        ("pitch", "fear", "neutral", 2),
        ("pitch range", "happy", "sad", 0.5),
        ("level", "angry", "neutral", 2),
        ("level", "neutral", "sad", 2),
        ("high energy", "angry", "neutral", 2),
        ("high energy", "neutral", "sad", 2),
        ("seconds", "sad", "neutral", 0.1),
        ("seconds", "neutral", "fear", 0.1),
        ("seconds", "neutral", "angry", 0.1),
    ],
)
def test_acoustic_correlates(measured, measure, more, less, margin):
    assert measured.loc[more, measure] > measured.loc[less, measure] + margin


def features(waveform):
    """Shape of the spectrum, its spread, pitch and rhythm; nothing depends on the level."""
    mfcc = librosa.feature.mfcc(y=waveform, sr=SR, n_mfcc=20, n_fft=1024, hop_length=512)[1:]
    rms = librosa.feature.rms(y=waveform)[0]
    pitch = librosa.yin(waveform, fmin=60, fmax=600, sr=SR, frame_length=1024, hop_length=512)
    loud = rms > 0.15 * rms.max()
    semitones = 12 * np.log2(pitch[loud])
    shape = [np.median(semitones), semitones.std(), loud.sum()]
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1), shape])


def test_learnable_across_speakers_and_not_trivial(corpus):
    X = np.array([features(waveform) for waveform in corpus.waveforms])
    classifier = make_pipeline(StandardScaler(), SVC(C=3.0))

    def uar(cv, groups=None):
        predicted = cross_val_predict(classifier, X, corpus.target, groups=groups, cv=cv)
        return balanced_accuracy_score(corpus.target, predicted)

    new_speakers = uar(LeaveOneGroupOut(), corpus.groups)
    known_speakers = uar(StratifiedKFold(5, shuffle=True, random_state=0))
    assert 0.5 < new_speakers < 0.9  # chance is 1/6
    assert new_speakers < known_speakers < 0.95


# What is not allowed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_speakers": 0}, "n_speakers must be an integer in [1, 99], got 0"),
        ({"n_speakers": 100}, "n_speakers must be an integer in [1, 99], got 100"),
        ({"n_speakers": True}, "n_speakers must be an integer in [1, 99], got True"),
        ({"n_sentences": 1.0}, "n_sentences must be an integer in [1, 99], got 1.0"),
        ({"n_takes": -1}, "n_takes must be an integer in [1, 99], got -1"),
        ({"sr": 4000}, "sr must be an integer in [8000, 48000], got 4000"),
        (
            {"duration": (2.5, 1.5)},
            "duration must be a pair (low, high) with 0.5 <= low <= high <= 30, got (2.5, 1.5)",
        ),
        (
            {"random_state": -1},
            "random_state must be an integer in [0, 2**32 - 1], a numpy RandomState or None,"
            " got -1",
        ),
        ({"return_X_y": "no"}, "return_X_y must be True or False, got 'no'"),
        (
            {"emotions": ["hapy"]},
            f"emotions must be some of {NAMES}, got 'hapy'; did you mean 'happy'?",
        ),
        ({"emotions": "happy"}, f"emotions must be a list of some of {NAMES}, got 'happy'"),
        ({"emotions": []}, f"emotions must be a list of some of {NAMES}, got []"),
        ({"emotions": None}, f"emotions must be a list of some of {NAMES}, got None"),
        (
            {"emotions": ("sad", "sad")},
            "emotions must differ from each other, got ['sad', 'sad']",
        ),
        ({"data_home": 3}, "data_home must be a str, a path or None, got 3"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_parameters(options, message):
    with pytest.raises(ParameterError) as caught:
        make_emotional_speech(**options)
    assert str(caught.value) == message


def test_data_home_is_a_file(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ParameterError) as caught:
        make_emotional_speech(file)
    assert str(caught.value) == f"data_home must be a folder, got the file {str(file)!r}"


def test_import_is_light():
    code = (
        "import sys, skser.datasets.synthetic as module\n"
        "heavy = {'librosa', 'numba', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
        "module.make_emotional_speech(n_speakers=1, n_sentences=1, n_takes=1)\n"
        "heavy |= {'librosa', 'numba', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
