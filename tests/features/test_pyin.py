"""Probabilistic YIN against librosa's."""

import warnings

import librosa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skser import read_audio
from skser.exceptions import ParameterError
from skser.features import Pitch, Spectra, _pyin
from skser.features.tonal import max_semitones

from .golden.make_golden import speechlike

SETTINGS = [  # sr, hop_length, parameters of Pitch
    (16000, 256, {}),
    (22050, 512, {"fmax": 2093.0}),
    (16000, 160, {"fmin": 80.0, "fmax": 400.0, "frame_length": 1024}),
    (22050, 441, {"fmin": 50, "fmax": 600, "frame_length": 1024}),
]
EXTREMES = [
    (16000, 256, {"fmin": 20.0, "fmax": 4000.0}),
    (16000, 256, {"fmax": 97.5}),  # as narrow as the moves of pitch
    (16000, 8, {"fmax": 67.0}),  # pitch cannot move
    (16000, 100, {"fmin": 1900.0, "fmax": 4000.0, "frame_length": 64}),
    (8000, 300, {"fmin": 20.0, "fmax": 4000.0, "frame_length": 4096}),
]
SECONDS = np.arange(8000) / 16000
WAVEFORMS = {
    "silence": np.zeros(3000),
    "one sample": np.array([0.5]),
    "constant": np.full(3000, 0.7),
    "square": np.tile([1.0, -1.0], 1500),
    "click": np.eye(1, 3000, 1500)[0],
    "very quiet": 1e-25 * speechlike(seconds=0.2),
    "very loud": 1e6 * speechlike(seconds=0.2),
    "silence, then speech": np.append(np.zeros(3000), speechlike(seconds=0.2)),
    "noise": np.random.default_rng(0).normal(size=8000),
    # Frames that cannot be unvoiced, with leaps that are out of reach.
    "tones": np.sin(2 * np.pi * np.cumsum(np.where(SECONDS * 8 % 2 < 1, 90, 400)) / 16000),
    "pulses": np.where(SECONDS < 0.25, np.arange(8000) % 200 == 0, np.arange(8000) % 50 == 0),
}


def assert_librosas(waveform, sr, hop_length, params):
    waveform = waveform.astype(np.float32)
    pitch = Pitch(**params)
    with warnings.catch_warnings():
        # Some extremes leave less than two periods in a frame.
        warnings.filterwarnings("ignore", message="With fmin=")
        f0, _, voicing = librosa.pyin(waveform, sr=sr, hop_length=hop_length, **pitch.get_params())
    features = pitch.compute(Spectra(waveform, sr, hop_length=hop_length))
    np.testing.assert_allclose(features[0], f0, rtol=1e-6)
    np.testing.assert_allclose(features[1], voicing, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", [3, 4])
def test_speechlike(setting, seed):
    assert_librosas(speechlike(setting[0], 1.0, seed), *setting)


@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[2], *EXTREMES], ids=str)
@pytest.mark.parametrize("kind", WAVEFORMS)
def test_whatever_the_waveform(kind, setting):
    assert_librosas(WAVEFORMS[kind], *setting)


@pytest.mark.parametrize("corpus", ["ravdess", "emodb4", "emovo"])
def test_real_speech(speech_home, corpus):
    paths = sorted((speech_home / corpus).rglob("*.flac"))
    if not paths:
        pytest.skip(f"no {corpus}")
    for path, setting in zip(paths[:: max(1, len(paths) // 4)], SETTINGS, strict=False):
        waveform, _ = read_audio(path, sr=setting[0], duration=2.0)
        assert_librosas(waveform, *setting)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    sr=st.integers(4000, 48000),
    hop_length=st.integers(50, 1000),
    fmin=st.floats(20, 500),
    fmax=st.floats(100, 2000),
    frame_length=st.integers(50, 1024).map(lambda half: 2 * half),
    n_samples=st.integers(1, 4000),
    noise=st.floats(0, 0.3),
)
def test_whatever_the_parameters(sr, hop_length, fmin, fmax, frame_length, n_samples, noise):
    params = {"fmin": fmin, "fmax": fmax, "frame_length": frame_length}
    try:
        Pitch(**params).check(sr, 1024, hop_length)
    except ParameterError:
        assume(False)
    waveform = speechlike(sr, 1.0, seed=n_samples)[:n_samples]
    waveform += np.float32(noise) * np.random.default_rng(0).normal(size=len(waveform))
    assert_librosas(waveform, sr, hop_length, params)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    seed=st.integers(0, 10**6),
    n_bins=st.integers(21, 60),
    semitones=st.integers(0, 2),
    surely_voiced=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_path_is_as_likely_as_the_best_of_all(seed, n_bins, semitones, surely_voiced):
    rng = np.random.default_rng(seed)
    voiced = rng.random((n_bins, 30)) * (rng.random((n_bins, 30)) < 0.1)
    total = voiced.sum(axis=0)
    sure = (rng.random(30) < surely_voiced) & (total > 0)
    voiced *= np.where(sure, 1, rng.random(30)) / np.where(total > 0, total, 1)
    voicing = np.where(sure, 1.0, voiced.sum(axis=0))
    emissions = np.concatenate([voiced, np.tile((1 - voicing) / n_bins, (n_bins, 1))])
    switch = librosa.sequence.transition_loop(2, 0.99)
    local = librosa.sequence.transition_local(n_bins, 10 * semitones + 1, window="triangle")
    transition = np.kron(switch, local)
    _, likelihood = librosa.sequence.viterbi(emissions, transition, return_logp=True)

    frames, bins = np.nonzero(voiced.T)
    states = _pyin.likeliest_path(
        np.cumsum(np.bincount(frames, minlength=30)),
        bins.astype(np.int16),
        np.log(voiced[bins, frames]),
        voicing,
        *_pyin.moves(n_bins, semitones),
    )
    tiny = np.finfo(np.float64).tiny
    own = np.log(emissions[states, np.arange(30)] + tiny).sum() - np.log(2 * n_bins)
    own += np.log(transition[states[:-1], states[1:]] + tiny).sum()
    np.testing.assert_allclose(own, likelihood, rtol=1e-12)


def test_blocks_of_frames_change_nothing(monkeypatch):
    waveform = speechlike(seconds=1.0)
    given = (16000, 65.0, 500.0, 2048, 256, max_semitones(16000, 256))
    together = _pyin.pyin(waveform, *given)
    monkeypatch.setattr(_pyin, "_SAMPLES_PER_BLOCK", 1)
    np.testing.assert_array_equal(_pyin.pyin(waveform, *given), together)
