"""Probabilistic YIN against librosa's."""

import warnings

import librosa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skser import read_audio
from skser.exceptions import ParameterError
from skser.features import Pitch, Spectra
from skser.features.dsp import _numpy_pyin, _pyin, _pyin_kernels
from skser.features.dsp._loops import without_numba

from ..golden.make_golden import speechlike

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
LOOPS = [
    pytest.param(_pyin_kernels, id="compiled"),
    pytest.param(_numpy_pyin, id="numpy"),
]
SECONDS = np.arange(8000) / 16000
WAVEFORMS = {
    "silence": np.zeros(3000),
    "one sample": np.array([0.5]),
    "constant": np.full(3000, 0.7),
    "square": np.tile([1.0, -1.0], 1500),
    "click": np.eye(1, 3000, 1500)[0],
    "very quiet": 1e-12 * speechlike(seconds=0.2),
    "very loud": 1e6 * speechlike(seconds=0.2),
    "silence, then speech": np.append(np.zeros(3000), speechlike(seconds=0.2)),
    "noise": np.random.default_rng(0).normal(size=8000),
    # Frames that cannot be unvoiced, with leaps that are out of reach.
    "tones": np.sin(2 * np.pi * np.cumsum(np.where(SECONDS * 8 % 2 < 1, 90, 400)) / 16000),
    "pulses": np.where(SECONDS < 0.25, np.arange(8000) % 200 == 0, np.arange(8000) % 50 == 0),
}


def of_both(waveform, sr, hop_length, params):
    """Pitch and voicing, skser's and librosa's."""
    waveform = waveform.astype(np.float32)
    pitch = Pitch(**params)
    with warnings.catch_warnings():
        # Some extremes leave less than two periods in a frame.
        warnings.filterwarnings("ignore", message="With fmin=")
        f0, _, voicing = librosa.pyin(waveform, sr=sr, hop_length=hop_length, **pitch.get_params())
    return pitch.compute(Spectra(waveform, sr, hop_length=hop_length)), np.array([f0, voicing])


def assert_librosas(*given):
    ours, theirs = of_both(*given)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6, atol=1e-9)


def assert_librosas_but_for_rounding(*given):
    """Librosa's rounding makes troughs, of probability 0.01, where the difference is flat.

    One frame in 500 may have a trough on the other side of a threshold.
    """
    ours, theirs = of_both(*given)
    np.testing.assert_array_equal(np.isnan(ours[0]), np.isnan(theirs[0]))
    with np.errstate(invalid="ignore"):
        pitch_differs = np.abs(ours[0] - theirs[0]) > 1e-6 * theirs[0]
    assert np.mean(pitch_differs) <= 0.002
    assert np.mean(np.abs(ours[1] - theirs[1]) > 0.01001) <= 0.002


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_speechlike(setting):
    for seed in (3, 4):
        assert_librosas(speechlike(setting[0], 1.0, seed), *setting)


@pytest.mark.slow
@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[2], *EXTREMES], ids=str)
def test_extreme_waveforms(setting):
    for waveform in WAVEFORMS.values():
        assert_librosas_but_for_rounding(waveform, *setting)


@pytest.mark.slow
@pytest.mark.parametrize("setting", [SETTINGS[0], EXTREMES[3]], ids=str)
def test_without_numba(setting):
    for waveform in WAVEFORMS.values():
        with without_numba():
            assert_librosas_but_for_rounding(waveform, *setting)


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["ravdess", "emodb4", "emovo"])
def test_real_speech(speech_home, corpus):
    paths = sorted((speech_home / corpus).rglob("*.flac"))
    if not paths:
        pytest.skip(f"no {corpus}")
    for path, setting in zip(paths[:: max(1, len(paths) // 4)], SETTINGS, strict=False):
        waveform, _ = read_audio(path, sr=setting[0], duration=2.0)
        assert_librosas(waveform, *setting)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    sr=st.integers(4000, 48000),
    hop_length=st.integers(50, 1000),
    fmin=st.floats(20, 500),
    fmax=st.floats(100, 2000),
    frame_length=st.integers(50, 1024).map(lambda half: 2 * half),
    n_samples=st.integers(200, 4000),
    noise=st.floats(0, 0.3),
)
def test_random_parameters(sr, hop_length, fmin, fmax, frame_length, n_samples, noise):
    params = {"fmin": fmin, "fmax": fmax, "frame_length": frame_length}
    try:
        Pitch(**params).check(sr, 1024, hop_length)
    except ParameterError:
        assume(False)
    waveform = speechlike(sr, 1.0, seed=n_samples)[:n_samples]
    waveform += np.float32(noise) * np.random.default_rng(0).normal(size=len(waveform))
    assert_librosas_but_for_rounding(waveform, sr, hop_length, params)


@pytest.mark.parametrize("loops", LOOPS)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    seed=st.integers(0, 10**6),
    n_bins=st.integers(21, 60),
    semitones=st.integers(0, 2),
    surely_voiced=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_path_is_as_likely_as_the_best_of_all(loops, seed, n_bins, semitones, surely_voiced):
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
    states = loops.likeliest_path(
        np.cumsum(np.bincount(frames, minlength=30)),
        bins.astype(np.int16),
        np.log(voiced[bins, frames]),
        voicing,
        *_pyin.moves(n_bins, 5 * semitones),
    )
    tiny = np.finfo(np.float64).tiny
    own = np.log(emissions[states, np.arange(30)] + tiny).sum() - np.log(2 * n_bins)
    own += np.log(transition[states[:-1], states[1:]] + tiny).sum()
    np.testing.assert_allclose(own, likelihood, rtol=1e-12)


@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize("hop_length", [8, 100, 163, 256, 700])
@pytest.mark.parametrize(("n_samples", "n_at_once"), [(1, 1024), (300, 5), (3000, 5), (3000, 1024)])
def test_autocorrelation_of_every_frame(monkeypatch, loops, hop_length, n_samples, n_at_once):
    """To the rounding of float32, also of a quiet frame after a loud one."""
    monkeypatch.setattr(loops, "FRAMES_AT_ONCE", n_at_once)
    waveform = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    waveform[n_samples // 2 :] *= 1e-12
    blocks = list(_pyin.autocorrelations(waveform, 512, hop_length, 200, loops))
    correlations = np.concatenate([correlations for _, correlations in blocks])
    frames = librosa.util.frame(
        np.pad(waveform.astype(float), 256), frame_length=512, hop_length=hop_length
    )
    wanted = [[frame[: 512 - lag] @ frame[lag:] for lag in range(201)] for frame in frames.T]
    energy = (frames**2).sum(axis=0)[:, np.newaxis]
    assert correlations.shape == (frames.shape[1], 201)
    assert (np.abs(correlations - wanted) <= 1e-6 * energy).all()
