"""The log-mel spectrogram against NumPy in double precision, with librosa's filters."""

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser.embeddings._log_mel import log_mel
from tests.features.golden.make_golden import speechlike


def reference(waveform, n_mels):
    """As Whisper's authors describe it."""
    waveform = np.asarray(waveform, np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    padded = np.pad(waveform, 200, mode="reflect")
    n_frames = 1 + (len(padded) - 400) // 160
    frames = np.stack([padded[160 * i : 160 * i + 400] * window for i in range(n_frames)])
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    filters = librosa.filters.mel(sr=16000, n_fft=400, n_mels=n_mels, htk=False, norm="slaney")
    mel = filters @ power[:-1].T
    bels = np.log10(np.maximum(mel, 1e-10))
    return (np.maximum(bels, bels.max() - 8) + 4) / 4


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("n_samples", [400, 401, 479, 480, 1600, 1759, 8000])
def test_values(n_mels, n_samples):
    waveform = speechlike(seconds=0.5, seed=n_samples)[:n_samples]
    result = log_mel(waveform, n_mels)
    assert (result.dtype, result.shape) == (np.float32, (n_mels, n_samples // 160))
    assert_allclose(result, reference(waveform, n_mels), rtol=0, atol=2e-4)


def test_values_of_a_loud_tone(chirp):
    """Quiet bands are cut at eight decades below the loudest."""
    result, expected = log_mel(chirp, 80), reference(chirp, 80)
    assert_allclose(result, expected, rtol=0, atol=2e-3)
    assert_allclose(result.min(), expected.max() - 2, atol=1e-4)


@pytest.mark.parametrize("n_samples", [1, 159, 160, 399])
def test_clip_shorter_than_a_frame_is_followed_by_zeros(n_samples):
    waveform = speechlike(seconds=0.1)[:n_samples]
    padded = np.pad(waveform, (0, 400 - n_samples))
    result = log_mel(waveform, 80)
    assert result.shape == (80, 2)
    assert_array_equal(result, log_mel(padded, 80))
    assert_allclose(result, reference(padded, 80), rtol=0, atol=2e-4)


def test_silence():
    assert_allclose(log_mel(np.zeros(1600, np.float32), 80), (-10 + 4) / 4, rtol=1e-6)


def test_level_shifts_all_bands(chirp):
    assert_allclose(log_mel(0.1 * chirp, 80), log_mel(chirp, 80) - 2 / 4, atol=2e-3)
