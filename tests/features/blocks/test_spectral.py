"""Blocks on the spectrum's shape and on the waveform against librosa."""

import librosa
import numpy as np
import pytest

from skser.features import (
    RMS,
    Spectra,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralFlatness,
    SpectralRolloff,
    ZeroCrossingRate,
)

from ..golden.make_golden import speechlike
from ..parity import FRAMES, assert_parity

FEATURE = librosa.feature


@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize(
    ("name", "block", "function", "params"),
    [
        ("centroid", SpectralCentroid, FEATURE.spectral_centroid, {}),
        ("rolloff", SpectralRolloff, FEATURE.spectral_rolloff, {}),
        ("rolloff", SpectralRolloff, FEATURE.spectral_rolloff, {"roll_percent": 0.5}),
        ("bandwidth", SpectralBandwidth, FEATURE.spectral_bandwidth, {}),
        ("bandwidth", SpectralBandwidth, FEATURE.spectral_bandwidth, {"p": 1.0}),
        ("contrast", SpectralContrast, FEATURE.spectral_contrast, {}),
        (
            "contrast",
            SpectralContrast,
            FEATURE.spectral_contrast,
            {"n_bands": 4, "fmin": 150.0, "quantile": 0.1},
        ),
    ],
)
def test_spectral_shape(frames, name, block, function, params):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = function(y=waveform, sr=sr, n_fft=n_fft, hop_length=hop_length, **params)
    assert_parity(block(**params).compute(Spectra(waveform, *frames)), reference, name)


@pytest.mark.parametrize("frames", FRAMES, ids=str)
def test_flatness(frames):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = FEATURE.spectral_flatness(y=waveform, n_fft=n_fft, hop_length=hop_length, power=2)
    features = SpectralFlatness().compute(Spectra(waveform, *frames))
    assert_parity(features, reference, "flatness")


@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize(
    ("block", "function"),
    [(ZeroCrossingRate, FEATURE.zero_crossing_rate), (RMS, FEATURE.rms)],
)
def test_waveform_blocks(frames, block, function):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = function(y=waveform, frame_length=n_fft, hop_length=hop_length)
    assert_parity(block().compute(Spectra(waveform, *frames)), reference, "rms")


@pytest.mark.parametrize(
    ("block", "hertz", "tolerance"),
    [(SpectralCentroid, 1000, 5), (SpectralRolloff, 1000, 16), (SpectralBandwidth, 0, 80)],
)
def test_a_tone_lies_where_it_is(block, hertz, tolerance):
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000, dtype=np.float32) / 16000)
    assert np.median(block().compute(Spectra(tone, 16000))) == pytest.approx(hertz, abs=tolerance)


@pytest.mark.parametrize("gain", [0.01, 1.0, 100.0])
def test_rms_follows_the_level(gain):
    tone = gain * np.sin(2 * np.pi * 1000 * np.arange(8000, dtype=np.float32) / 16000)
    level = np.median(RMS().compute(Spectra(tone.astype(np.float32), 16000)))
    assert level == pytest.approx(gain / np.sqrt(2), rel=1e-4)


def test_contrast_has_a_band_below_the_octaves():
    assert SpectralContrast(n_bands=4).bin_names() == ["0", "1", "2", "3", "4"]
