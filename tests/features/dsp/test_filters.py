import librosa
import numpy as np
import pytest

from skser.features.dsp._filters import chroma_filters


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("n_fft", [256, 551, 2048])
@pytest.mark.parametrize("n_chroma", [7, 12, 36])
@pytest.mark.parametrize("tuning", [-0.3, 0.0, 0.5])
def test_chroma_filters_are_those_of_librosa(sr, n_fft, n_chroma, tuning):
    reference = librosa.filters.chroma(sr=sr, n_fft=n_fft, n_chroma=n_chroma, tuning=tuning)
    filters = chroma_filters(sr, n_fft, n_chroma, tuning)
    assert filters.dtype == np.float32
    np.testing.assert_allclose(filters, reference, rtol=1e-6, atol=1e-12)
