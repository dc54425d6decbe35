"""Spectra: intermediates against librosa, each computed once."""

import librosa
import numpy as np
import pytest
import scipy.fft

from skser.features import (
    MFCC,
    Chroma,
    FeatureBlock,
    MelSpectrogram,
    Spectra,
    SpectralCentroid,
    SpectralContrast,
    SpectralFlatness,
    Tonnetz,
)
from skser.features.dsp._filters import mel_filters
from skser.features.dsp._spectra import power_to_db
from skser.features.extraction._plan import FeaturePlan

from ..golden.make_golden import speechlike
from ..parity import FRAMES


@pytest.fixture(params=FRAMES, ids=str)
def pair(request):
    """Spectra, and librosa's complex STFT of the same waveform."""
    sr, n_fft, hop_length = request.param
    waveform = speechlike(sr, 0.5)
    stft = librosa.stft(waveform, n_fft=n_fft, hop_length=hop_length)
    return Spectra(waveform, sr, n_fft, hop_length), stft


def test_stft_is_librosas(pair):
    spectra, stft = pair
    assert spectra.stft.dtype == np.complex64
    assert spectra.n_frames == stft.shape[1]
    largest = np.abs(stft).max()
    np.testing.assert_allclose(spectra.stft, stft, rtol=0, atol=1e-6 * largest)
    np.testing.assert_allclose(spectra.magnitude, np.abs(stft), rtol=0, atol=1e-6 * largest)
    np.testing.assert_allclose(spectra.power, np.abs(stft) ** 2, rtol=0, atol=1e-6 * largest**2)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
@pytest.mark.parametrize("n_samples", [700, 768, 1000])
def test_frames_are_those_of_the_padded_waveform(mode, n_samples):
    waveform = speechlike(16000, 0.1)[:n_samples]
    frames = Spectra(waveform, 16000, n_fft=512, hop_length=128).frames(mode)
    padded = np.pad(waveform, 256, mode=mode)
    np.testing.assert_array_equal(
        frames, librosa.util.frame(padded, frame_length=512, hop_length=128)
    )


@pytest.mark.parametrize("params", [(128, 0.0, None), (40, 50.0, 7000.0)])
def test_mel_filters_are_librosas_and_made_once(params):
    n_mels, fmin, fmax = params
    filters = mel_filters(16000, 1024, *params)
    reference = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=n_mels, fmin=fmin, fmax=fmax)
    dense = np.zeros_like(reference.T)
    stops = np.cumsum([weights.shape[1] for _, weights in filters])
    for stop, (bins, weights) in zip(stops, filters, strict=True):
        dense[bins, stop - weights.shape[1] : stop] = weights
    np.testing.assert_array_equal(dense.T, reference)
    assert sum(weights.size for _, weights in filters) < reference.size / 3
    assert mel_filters(16000, 1024, *params) is filters


@pytest.mark.parametrize("top_db", [None, 80.0, 20.0])
def test_power_to_db_is_librosas(top_db):
    power = np.geomspace(1e-14, 1e4, 50).astype(np.float32).reshape(5, 10)
    reference = librosa.power_to_db(power, top_db=top_db)
    np.testing.assert_allclose(power_to_db(power, top_db), reference, rtol=1e-6, atol=1e-5)


def test_intermediates_are_kept():
    spectra = Spectra(speechlike(seconds=0.25), 16000)
    for compute in (
        lambda: spectra.stft,
        lambda: spectra.power,
        lambda: spectra.magnitude,
        lambda: spectra.mel(40, 0.0, None),
        lambda: spectra.log_mel(40, 0.0, None, 80.0),
        lambda: spectra.chroma_stft(12),
        lambda: spectra.chroma_cqt(12, 5),
    ):
        assert compute() is compute()
    assert spectra.mel(20, 0.0, None) is not spectra.mel(40, 0.0, None)
    assert spectra.log_mel(40, 0.0, None, None) is not spectra.log_mel(40, 0.0, None, 80.0)


def test_blocks_share_one_stft(monkeypatch):
    calls = []
    rfft = scipy.fft.rfft
    monkeypatch.setattr(scipy.fft, "rfft", lambda *a, **k: calls.append(1) or rfft(*a, **k))
    spectra = Spectra(speechlike(seconds=0.25), 16000)
    for block in (
        MFCC(),
        MelSpectrogram(),
        Chroma(),
        Tonnetz(chroma="stft"),
        SpectralCentroid(),
        SpectralContrast(),
        SpectralFlatness(),
    ):
        block.compute(spectra)
    assert len(calls) == 1


def test_once_computes_once():
    spectra = Spectra(np.zeros(10, np.float32), 16000)
    calls = []
    for _ in range(2):
        assert spectra.once(("mine", 1), lambda: calls.append(1) or np.ones(3)).sum() == 3
    assert len(calls) == 1


def test_float32_is_near(pair):
    double, _ = pair
    given = (double.waveform, double.sr, double.n_fft, double.hop_length)
    single = Spectra(*given, dtype=np.float32)
    largest = double.magnitude.max()
    assert single.stft.dtype == np.complex64
    np.testing.assert_allclose(single.stft, double.stft, rtol=0, atol=2e-6 * largest)
    np.testing.assert_allclose(single.power, double.power, rtol=0, atol=2e-6 * largest**2)


@pytest.mark.parametrize(
    ("neighbours", "dtype"),
    [([], np.float32), ([MFCC()], np.float32), ([Chroma()], np.float64), ([Tonnetz()], np.float64)],
)
def test_precision_is_what_a_block_needs(neighbours, dtype):
    seen = []

    class Precision(FeatureBlock):
        def compute(self, spectra):
            seen.append(spectra.dtype)
            return np.zeros((1, spectra.n_frames), np.float32)

    blocks = [("precision", Precision()), *((type(block).__name__, block) for block in neighbours)]
    recipe = FeaturePlan(tuple(blocks), 1024, 256, 0, ("mean",))
    assert recipe(speechlike(seconds=0.25), 16000).shape == (recipe.n_features,)
    assert seen == [dtype]
