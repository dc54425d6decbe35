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

from skser.datasets import EMOTIONS, make_emotional_speech
from skser.datasets._speech._phones import VOWELS, make_sentence
from skser.datasets._speech._synthesis import (
    Timbre,
    Tracks,
    glottal_source,
    synthesise,
    tract_response,
)
from skser.datasets._speech._voices import PROFILES
from skser.exceptions import ParameterError

SR = 16000
TIMBRE = Timbre(1.0, 0.6, 0.0, jitter=0.0, shimmer=0.0, microphone_tilt=0.0)
SMALL = {"n_speakers": 2, "emotions": ["happy", "sad"], "n_sentences": 2, "n_takes": 2}
TINY = {"n_speakers": 1, "emotions": ["sad"], "n_sentences": 1, "n_takes": 1}


@pytest.fixture(scope="module")
def small():
    return make_emotional_speech(**SMALL, random_state=3)


def held_vowel(name, pitch=120.0, seconds=0.5):
    n = round(250 * seconds)
    vowel = VOWELS[name]
    ones, zeros = np.ones(n), np.zeros(n)
    formants = np.tile([vowel.f1, vowel.f2, vowel.f3], (n, 1))
    return Tracks(pitch * ones, formants, ones, ones, zeros, zeros, 4000 * ones, 1000 * ones)


# The Bunch


def test_waveforms(small):
    assert len(small.waveforms) == 2 * 2 * 2 * 2
    assert small.sr == SR
    for waveform in small.waveforms:
        assert waveform.ndim == 1
        assert waveform.dtype == np.float32
        assert np.isfinite(waveform).all()
        assert np.abs(waveform).max() <= 1
        assert waveform.std() > 1e-3
        assert 1.5 * SR <= len(waveform) <= 2.5 * SR


def test_labels(small):
    frame = small.frame
    assert list(frame) == ["emotion", "speaker", "corpus", "gender", "sentence", "take"]
    assert (frame.groupby(["speaker", "emotion", "sentence"]).size() == 2).all()
    assert frame["speaker"].unique().tolist() == ["synthetic-f01", "synthetic-m02"]
    assert (frame["speaker"].str[10] == frame["gender"].str[0]).all()
    assert (frame["corpus"] == "synthetic").all()
    assert small.target.dtype.kind == small.groups.dtype.kind == "U"
    assert small.target.tolist() == frame["emotion"].tolist()
    assert small.groups.tolist() == frame["speaker"].tolist()
    assert "16 recordings: 2 speakers, 2 emotions (happy, sad)" in small.DESCR
    assert "paths" not in small


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


@pytest.mark.parametrize(
    ("sr", "duration"), [(8000, (4, 6)), (22050, (1.2345, 1.3)), (48000, (0.5, 0.5))]
)
def test_rates_and_durations(sr, duration):
    options = {"n_speakers": 2, "emotions": ["sad", "fear"], "n_sentences": 1, "n_takes": 1}
    speech = make_emotional_speech(**options, sr=sr, duration=duration, random_state=0)
    for waveform in speech.waveforms:
        assert duration[0] - 1 / sr <= len(waveform) / sr <= duration[1] + 1 / sr
        assert np.isfinite(waveform).all()
        assert np.abs(waveform).max() <= 1


# Determinism


def test_same_random_state_same_bits(small):
    again = make_emotional_speech(**SMALL, random_state=3)
    for first, second in zip(small.waveforms, again.waveforms, strict=True):
        np.testing.assert_array_equal(first, second)


def test_golden_samples():
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
        return make_emotional_speech(**TINY, random_state=random_state).waveforms[0]

    rng = np.random.RandomState(0)
    assert not np.array_equal(first(4)[:1000], small.waveforms[0][:1000])
    assert not np.array_equal(first(rng)[:1000], first(rng)[:1000])
    assert not np.array_equal(first(None)[:1000], first(None)[:1000])
    np.testing.assert_array_equal(first(np.random.RandomState(7)), first(np.random.RandomState(7)))


def test_no_two_clips_are_the_same(small):
    assert len({waveform.tobytes() for waveform in small.waveforms}) == len(small.waveforms)


def test_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_emotional_speech(**TINY, random_state=3)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    "fewer",
    [{"n_speakers": 1}, {"emotions": ["sad"]}, {"n_sentences": 1}, {"n_takes": 1}],
    ids=lambda fewer: next(iter(fewer)),
)
def test_a_part_of_the_corpus_has_the_same_clips(small, fewer):
    keys = ["emotion", "speaker", "sentence", "take"]
    clips = dict(zip(small.frame[keys].itertuples(index=False), small.waveforms, strict=True))
    part = make_emotional_speech(**{**SMALL, **fewer}, random_state=3)
    assert len(part.waveforms) == 8
    for key, waveform in zip(part.frame[keys].itertuples(index=False), part.waveforms, strict=True):
        np.testing.assert_array_equal(waveform, clips[key])


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
    first = make_emotional_speech(tmp_path, **TINY, random_state=3)
    content = [Path(path).read_bytes() for path in first.paths]
    Path(first.paths[0]).write_bytes(b"")
    again = make_emotional_speech(str(tmp_path), **TINY, random_state=3)
    assert [Path(path).read_bytes() for path in again.paths] == content


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    speech = make_emotional_speech(tmp_path, **TINY, random_state=3)
    content = Path(speech.paths[0]).read_bytes()

    def fail(file, *args, **kwargs):
        Path(file).write_bytes(b"RIFF")
        raise OSError("disk full")

    monkeypatch.setattr(soundfile, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        make_emotional_speech(tmp_path, **TINY, random_state=4)
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
    resonances = np.sort(np.angle(roots)) * SR / (2 * np.pi)
    for formant in (VOWELS[vowel].f1, VOWELS[vowel].f2):
        assert np.abs(resonances - formant).min() < 60


def test_sentences_have_n_syllables():
    for seed in range(20):
        sentence = make_sentence(7, np.random.default_rng(seed))
        assert len(sentence) == 7
        assert sentence[-1].ends_word
        words = sum(syllable.ends_word for syllable in sentence)
        assert sum(syllable.stressed for syllable in sentence) == words


# Emotions


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_sentences=2, random_state=0)


def measure(waveform):
    """Spectral shape and its spread, pitch and rhythm; then level, high frequencies, duration."""
    spectrum = np.abs(librosa.stft(waveform, n_fft=1024, hop_length=512))
    power = spectrum**2
    mel = librosa.feature.melspectrogram(S=power, sr=SR)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)[1:]
    rms = librosa.feature.rms(S=spectrum, frame_length=1024)[0]
    loud = rms > 0.15 * rms.max()
    pitch = librosa.yin(waveform, fmin=60, fmax=600, sr=SR, frame_length=1024, hop_length=512)
    semitones = 12 * np.log2(pitch[loud])
    high = librosa.fft_frequencies(sr=SR, n_fft=1024) > 1000
    return {
        **{f"mfcc mean {i}": value for i, value in enumerate(mfcc.mean(axis=1))},
        **{f"mfcc std {i}": value for i, value in enumerate(mfcc.std(axis=1))},
        "pitch": np.median(semitones),
        "pitch range": semitones.std(),
        "frames": loud.sum(),
        "level": 20 * np.log10(rms.mean()),
        "high energy": 10 * np.log10(power[high].sum() / power[~high].sum()),
        "seconds": np.ptp(np.flatnonzero(loud)) * 512 / SR,
    }


@pytest.fixture(scope="module")
def measured(corpus):
    """A row of measures per clip."""
    return pd.DataFrame([measure(waveform) for waveform in corpus.waveforms])


@pytest.mark.slow
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
def test_acoustic_correlates(corpus, measured, measure, more, less, margin):
    means = measured[measure].groupby(corpus.target).mean()
    assert means[more] > means[less] + margin


@pytest.mark.slow
def test_learnable_across_speakers_and_not_trivial(corpus, measured):
    X = measured.loc[:, "mfcc mean 0":"frames"].to_numpy()  # independent of the level
    classifier = make_pipeline(StandardScaler(), SVC(C=3.0))

    def uar(cv, groups=None):
        predicted = cross_val_predict(classifier, X, corpus.target, groups=groups, cv=cv)
        return balanced_accuracy_score(corpus.target, predicted)

    new_speakers = uar(LeaveOneGroupOut(), corpus.groups)
    known_speakers = uar(StratifiedKFold(5, shuffle=True, random_state=0))
    assert 0.5 < new_speakers < 0.9  # chance is 1/6
    assert new_speakers < known_speakers < 0.95


# Invalid parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_speakers": 0}, r"n_speakers.*\[1, 99\].*got 0"),
        ({"n_speakers": 100}, "n_speakers.*got 100"),
        ({"n_speakers": True}, "n_speakers.*got True"),
        ({"n_sentences": 1.0}, r"n_sentences.*integer.*got 1\.0"),
        ({"n_takes": -1}, "n_takes.*got -1"),
        ({"sr": 4000}, r"sr.*\[8000, 48000\].*got 4000"),
        ({"duration": (2.5, 1.5)}, r"duration.*low.*high.*got \(2\.5, 1\.5\)"),
        ({"random_state": -1}, "random_state.*got -1"),
        ({"return_X_y": "no"}, "return_X_y.*got 'no'"),
        ({"emotions": ["hapy"]}, "emotions.*'neutral'.*got 'hapy'.*'happy'"),
        ({"emotions": "happy"}, "emotions.*list.*got 'happy'"),
        ({"emotions": []}, r"emotions.*list.*got \[\]"),
        ({"emotions": None}, "emotions.*list.*got None"),
        ({"emotions": ("sad", "sad")}, r"emotions.*different.*got \('sad', 'sad'\)"),
        ({"data_home": 3}, "data_home.*folder.*got 3"),
        ({"data_home": __file__}, r"data_home.*folder.*got '.*\.py'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_invalid_parameters(options, message):
    with pytest.raises(ParameterError, match=message):
        make_emotional_speech(**options)


def test_import_is_light():
    code = (
        "import sys, skser.datasets as module\n"
        "heavy = {'librosa', 'numba', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
        "module.make_emotional_speech(n_speakers=1, n_sentences=1, n_takes=1)\n"
        "heavy |= {'librosa', 'numba', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
