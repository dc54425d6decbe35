"""MelSpectrogram and MFCC against librosa."""

import librosa
import numpy as np
import pytest

from skser.features import MFCC, MelSpectrogram, Spectra

from ..golden.make_golden import speechlike
from ..parity import FRAMES, assert_parity

BANDS = [
    {},
    {"n_mels": 40, "fmin": 80.0, "fmax": 6000.0},
]


@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize("band", BANDS, ids=str)
def test_mel_power(frames, band):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5)
    reference = librosa.feature.melspectrogram(
        y=waveform, sr=sr, n_fft=n_fft, hop_length=hop_length, **band
    )
    assert_parity(MelSpectrogram(**band).compute(Spectra(waveform, *frames)), reference, "mel")


@pytest.mark.parametrize("top_db", [80.0, 30.0, None])
@pytest.mark.parametrize("band", BANDS, ids=str)
def test_mel_db(top_db, band):
    waveform = speechlike(16000, 0.5)
    mel = librosa.feature.melspectrogram(y=waveform, sr=16000, n_fft=1024, hop_length=256, **band)
    block = MelSpectrogram(scale="db", top_db=top_db, **band)
    reference = librosa.power_to_db(mel, top_db=top_db)
    assert_parity(block.compute(Spectra(waveform, 16000)), reference, "mfcc")


@pytest.mark.parametrize("frames", FRAMES, ids=str)
@pytest.mark.parametrize("band", BANDS, ids=str)
@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_mfcc_and_deltas(frames, band, deltas):
    sr, n_fft, hop_length = frames
    waveform = speechlike(sr, 0.5, seed=deltas)
    mfcc = librosa.feature.mfcc(
        y=waveform, sr=sr, n_fft=n_fft, hop_length=hop_length, n_mfcc=20, **band
    )
    derivatives = [librosa.feature.delta(mfcc, order=order) for order in range(1, deltas + 1)]
    features = MFCC(n_mfcc=20, deltas=deltas, **band).compute(Spectra(waveform, *frames))
    assert_parity(features, np.concatenate([mfcc, *derivatives]), "mfcc")


@pytest.mark.parametrize("top_db", [30.0, None])
def test_mfcc_floor(top_db):
    waveform = speechlike(16000, 0.5)
    mel = librosa.feature.melspectrogram(y=waveform, sr=16000, n_fft=1024, hop_length=256)
    reference = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=top_db), n_mfcc=13)
    features = MFCC(n_mfcc=13, top_db=top_db).compute(Spectra(waveform, 16000))
    assert_parity(features, reference, "mfcc")


@pytest.mark.parametrize("deltas", [0, 2])
def test_skip_first_leaves_out_the_0th_of_every_order(deltas):
    spectra = Spectra(speechlike(seconds=0.5), 16000)
    with_first = MFCC(n_mfcc=13, deltas=deltas)
    without = MFCC(n_mfcc=13, deltas=deltas, skip_first=True)
    is_present = [not name.endswith("_0") and name != "0" for name in with_first.bin_names()]
    assert without.bin_names() == np.asarray(with_first.bin_names())[is_present].tolist()
    np.testing.assert_array_equal(without.compute(spectra), with_first.compute(spectra)[is_present])


@pytest.mark.parametrize("n_frames", [1, 2, 8, 9])
def test_deltas_of_few_frames(n_frames):
    waveform = speechlike(16000, 0.5)[: 256 * n_frames - 1]
    features = MFCC(n_mfcc=4, deltas=2).compute(Spectra(waveform, 16000))
    assert features.shape == (12, n_frames)
    assert np.isfinite(features).all()
    if n_frames == 1:  # no change is known
        np.testing.assert_allclose(features[4:], 0, atol=1e-3)


def test_names():
    assert MelSpectrogram(n_mels=3).bin_names() == ["0", "1", "2"]
    assert MFCC(n_mfcc=2, deltas=2).bin_names() == [
        "0",
        "1",
        "delta_0",
        "delta_1",
        "delta2_0",
        "delta2_1",
    ]
