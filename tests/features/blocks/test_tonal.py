"""Chroma, ChromaCQT, Tonnetz and Pitch against librosa."""

import librosa
import numpy as np
import pytest

from skser.features import Chroma, ChromaCQT, FeatureUnionExtractor, Pitch, Spectra, Tonnetz

from ..golden.make_golden import speechlike
from ..parity import FRAMES, assert_parity

# librosa says this of the low octaves of short clips; skser does not (test_blocks.py).
short_for_librosa = pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")


@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize("n_chroma", [12, 24])
def test_chroma(frames, n_chroma):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = librosa.feature.chroma_stft(
        y=waveform, sr=sr, n_fft=n_fft, hop_length=hop_length, n_chroma=n_chroma
    )
    assert_parity(
        Chroma(n_chroma=n_chroma).compute(Spectra(waveform, *frames)), reference, "chroma"
    )


@pytest.mark.slow
@short_for_librosa
@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize(("n_chroma", "n_octaves"), [(12, 7), (18, 5), (36, 6)])
def test_chroma_cqt(frames, n_chroma, n_octaves):
    sr, _, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = librosa.feature.chroma_cqt(
        y=waveform, sr=sr, hop_length=hop_length, n_chroma=n_chroma, n_octaves=n_octaves
    )
    features = ChromaCQT(n_chroma=n_chroma, n_octaves=n_octaves).compute(Spectra(waveform, *frames))
    assert_parity(features, reference, "chroma_cqt")


@pytest.mark.slow
@short_for_librosa
@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize(
    ("params", "chromagram"),
    [
        ({}, lambda y, sr, n, h: librosa.feature.chroma_cqt(y=y, sr=sr, hop_length=h)),
        (
            {"n_octaves": 5},
            lambda y, sr, n, h: librosa.feature.chroma_cqt(y=y, sr=sr, hop_length=h, n_octaves=5),
        ),
        (
            {"chroma": "stft"},
            lambda y, sr, n, h: librosa.feature.chroma_stft(y=y, sr=sr, n_fft=n, hop_length=h),
        ),
    ],
    ids=["cqt", "cqt-5-octaves", "stft"],
)
def test_tonnetz(frames, params, chromagram):
    waveform = speechlike(frames[0], 0.5)
    reference = librosa.feature.tonnetz(chroma=chromagram(waveform, *frames), sr=frames[0])
    assert_parity(Tonnetz(**params).compute(Spectra(waveform, *frames)), reference, "tonnetz")


@pytest.mark.slow
@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize(
    "params", [{}, {"fmin": 80.0, "fmax": 400.0, "frame_length": 1024}], ids=str
)
def test_pitch(frames, params):
    sr, _, hop_length = frames
    waveform = speechlike(sr, 0.5)
    wanted = {"fmin": 65.0, "fmax": 500.0, "frame_length": 2048, **params}
    f0, _, voicing = librosa.pyin(waveform, sr=sr, hop_length=hop_length, **wanted)
    assert 0 < np.isfinite(f0).mean() < 1  # both kinds of frames are compared
    features = Pitch(**params).compute(Spectra(waveform, *frames))
    assert_parity(features, np.stack([f0, voicing]), "pitch")


@pytest.mark.parametrize("cents", [-49, 0, 30, 49])
@pytest.mark.parametrize(("sr", "n_octaves"), [(4268, 5), (8536, 6), (8537, 7), (16000, 7)])
def test_as_many_octaves_as_are_allowed_work_at_any_tuning(sr, n_octaves, cents):
    time = np.arange(sr // 8, dtype=np.float32) / sr
    tone = np.sin(2 * np.pi * 440 * 2 ** (cents / 1200) * time)[np.newaxis]
    extractor = FeatureUnionExtractor(["chroma_cqt"], sr=sr)
    extractor.set_params(chroma_cqt__n_octaves=n_octaves)
    assert np.isfinite(extractor.fit_transform(tone)).all()


def test_unvoiced_frames_have_no_pitch():
    noise = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    f0, voicing = Pitch().compute(Spectra(noise, 16000))
    assert np.isnan(f0).mean() > 0.5
    assert np.isfinite(voicing).all()


def test_names():
    assert Chroma(n_chroma=3).bin_names() == ["0", "1", "2"]
    assert ChromaCQT(n_chroma=18).bin_names()[-1] == "17"
    axes = ("fifth", "minor", "major")
    assert Tonnetz().bin_names() == [f"{axis}_{part}" for axis in axes for part in "xy"]
    assert Pitch().bin_names() == ["f0", "voicing"]
