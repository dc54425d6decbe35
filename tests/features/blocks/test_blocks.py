"""What all feature blocks have in common."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skser import FeatureUnionExtractor, read_audio
from skser.exceptions import ParameterError
from skser.features import (
    MFCC,
    Chroma,
    ChromaCQT,
    MelSpectrogram,
    Pitch,
    Spectra,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralRolloff,
    Tonnetz,
    ZeroCrossingRate,
)
from skser.features.blocks._named import DEFAULT_BLOCKS

from ..golden.make_golden import references, speechlike
from ..parity import FRAMES, assert_parity

BLOCKS = [
    *(block() for block in DEFAULT_BLOCKS.values()),
    # Variants that take another branch.
    MFCC(n_mfcc=13, deltas=2, n_mels=40, fmin=50.0, fmax=7000.0, top_db=None, skip_first=True),
    MelSpectrogram(n_mels=20, scale="db"),
    ChromaCQT(n_chroma=36, n_octaves=5),
    SpectralContrast(n_bands=3, fmin=100.0, quantile=0.2),
    SpectralBandwidth(p=3.0),
    Tonnetz(chroma="stft"),
]
every_block = pytest.mark.parametrize("block", BLOCKS, ids=repr)
few_examples = settings(max_examples=15, deadline=None, derandomize=True, database=None)

WAVEFORMS = {
    "silence": np.zeros(3000),
    "one sample": np.array([0.5]),
    "one silent sample": np.zeros(1),
    "click": np.eye(1, 3000, 1500)[0],
    "click at the end": np.eye(1, 3000, 2999)[0],
    "constant": np.full(3000, 0.7),
    "square": np.tile([1.0, -1.0], 1500),
    "very loud": 1e6 * speechlike(seconds=0.2),
    "very quiet": 1e-9 * speechlike(seconds=0.2),
    "silence, then speech": np.append(np.zeros(3000), speechlike(seconds=0.2)),
}


def assert_finite(block, features):
    if isinstance(block, Pitch):
        f0, features = features
        voiced = f0[~np.isnan(f0)]
        assert ((block.fmin <= voiced) & (voiced <= block.fmax)).all()
    assert np.isfinite(features).all()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "frames"), list(enumerate(FRAMES)), ids=str)
def test_default_blocks_are_librosas(seed, frames):
    waveform = speechlike(frames[0], 0.6, seed)
    spectra = Spectra(waveform, *frames)
    for name, reference in references(waveform, *frames).items():
        assert_parity(DEFAULT_BLOCKS[name]().compute(spectra), reference, name)


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["ravdess", "emodb4", "emovo"])
def test_default_blocks_are_librosas_for_real_speech(speech_home, corpus):
    path = min((speech_home / corpus).rglob("*.flac"), default=None)
    if path is None:
        pytest.skip(f"no {corpus}")
    waveform, sr = read_audio(path, sr=16000, duration=2.0)
    spectra = Spectra(waveform, sr)
    for name, reference in references(waveform, sr).items():
        features = DEFAULT_BLOCKS[name]().compute(spectra)
        if name == "contrast":
            # Where a recording has nothing in its highest octave, the valley of that band is a
            # rounding error of the Fourier transform.
            assert_parity(features[:-1], reference[:-1], name)
            assert np.median(np.abs(features[-1] - reference[-1])) < 0.1
        else:
            assert_parity(features, reference, name)


@pytest.mark.slow
@every_block
@few_examples
@given(
    n_samples=st.integers(1, 4000),
    frames=st.sampled_from([(1024, 256), (1024, 300), (2048, 512), (1500, 441)]),
)
def test_number_of_frames(block, n_samples, frames):
    n_fft, hop_length = frames
    waveform = speechlike(seconds=0.25)[:n_samples]
    features = block.compute(Spectra(waveform, 16000, n_fft, hop_length))
    assert features.shape == (len(block.bin_names()), 1 + n_samples // hop_length)
    assert features.dtype == np.float32
    assert_finite(block, features)


@every_block
def test_finite_for_extreme_waveforms(block):
    for values in WAVEFORMS.values():
        waveform = values.astype(np.float32)
        before = waveform.copy()
        spectra = Spectra(waveform, 16000)
        features = block.compute(spectra)
        assert features.dtype == np.float32
        assert_finite(block, features)
        assert spectra.waveform is waveform
        np.testing.assert_array_equal(waveform, before)


@pytest.mark.parametrize(
    "block",
    [
        ZeroCrossingRate(),
        SpectralCentroid(),
        SpectralRolloff(),
        SpectralBandwidth(),
        Chroma(),
        Tonnetz(chroma="stft"),
    ],
    ids=repr,
)
@few_examples
@given(seed=st.integers(0, 1000), gain=st.sampled_from([4.0, 0.25]))
def test_level_changes_nothing(block, seed, gain):
    waveform = speechlike(seconds=0.15, seed=seed)
    features = block.compute(Spectra(waveform, 16000))
    louder = block.compute(Spectra(np.float32(gain) * waveform, 16000))
    np.testing.assert_allclose(louder, features, rtol=1e-5, atol=1e-6)


def test_shared_spectra_change_nothing():
    waveform = speechlike(seconds=0.2)
    shared = Spectra(waveform, 16000)
    for block in BLOCKS:
        block.compute(shared)
    for block in BLOCKS:
        own = block.compute(Spectra(waveform, 16000))
        np.testing.assert_array_equal(block.compute(shared), own, err_msg=repr(block))


@every_block
def test_clone_params_repr_pickle_and_names(block):
    params = block.get_params()
    for copy in (clone(block), type(block)(**params), pickle.loads(pickle.dumps(block))):
        assert copy is not block
        assert copy.get_params() == params
        assert repr(copy) == repr(block)
    assert type(block)().set_params(**params).get_params() == params
    assert repr(block).startswith(f"{type(block).__name__}(")
    names = block.bin_names()
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "params", "reason"),
    [
        ("mfcc", {"n_mfcc": 0}, "[1, 1024]"),
        ("mfcc", {"n_mfcc": 20.0}, "integer"),
        ("mfcc", {"n_mfcc": True}, "integer"),
        ("mfcc", {"n_mfcc": 60, "n_mels": 40}, "n_mels = 40"),
        ("mfcc", {"deltas": 3}, "0 or 1 or 2"),
        ("mfcc", {"skip_first": 1}, "True or False"),
        ("mfcc", {"n_mfcc": 1, "skip_first": True}, "skip_first"),
        ("mel", {"n_mels": 1025}, "[1, 1024]"),
        ("mel", {"fmin": -1}, "at least 0"),
        ("mel", {"fmin": float("nan")}, "at least 0"),
        ("mel", {"fmin": 8000}, "fmax = 8000 Hz"),
        ("mel", {"fmin": 500, "fmax": 400}, "fmax = 400 Hz"),
        ("mel", {"fmax": 8001}, "sr / 2 = 8000 Hz"),
        ("mel", {"fmax": "high"}, "above 0 or None"),
        ("mel", {"top_db": 0}, "above 0 or None"),
        ("mel", {"scale": "dB"}, "'power' or 'db'"),
        ("chroma", {"n_chroma": 0}, "[1, 120]"),
        ("chroma_cqt", {"n_chroma": 13}, "12 or 18 or 36"),
        ("chroma_cqt", {"n_octaves": 8}, "at most 7 at sr=16000 Hz"),
        ("tonnetz", {"chroma": "cens"}, "'cqt' or 'stft'"),
        ("tonnetz", {"n_octaves": 0}, "[1, 10]"),
        ("rolloff", {"roll_percent": 0}, "(0, 1)"),
        ("rolloff", {"roll_percent": 1}, "(0, 1)"),
        ("rolloff", {"roll_percent": True}, "(0, 1)"),
        ("bandwidth", {"p": 0}, "above 0"),
        ("contrast", {"n_bands": 13}, "[1, 12]"),
        ("contrast", {"quantile": 0.6}, "(0, 0.5]"),
        ("contrast", {"n_bands": 7}, "at most 6 with fmin=200 Hz at sr=16000 Hz"),
        ("contrast", {"fmin": 15.0}, "sr / n_fft = 15.625 Hz"),
        ("pitch", {"fmin": 10}, "[20, 2000]"),
        ("pitch", {"fmin": 500}, "fmax = 500 Hz"),
        ("pitch", {"frame_length": 1023}, "even integer in [64, 65536]"),
        ("pitch", {"frame_length": 256}, "at least 493"),
        ("pitch", {"fmax": 90}, "97.4 Hz with fmin=65 Hz and hop_length=256 at sr=16000 Hz"),
    ],
)
def test_bad_parameters(waveforms, name, params, reason):
    """The first of ``params`` is named."""
    parameter, value = next(iter(params.items()))
    message = rf"^{name}__{parameter} .*{re.escape(reason)}.*got {re.escape(repr(value))}$"
    with pytest.raises(ParameterError, match=message):
        FeatureUnionExtractor([(name, DEFAULT_BLOCKS[name](**params))]).fit(waveforms)


@pytest.mark.parametrize(
    ("name", "sr", "message"),
    [
        ("contrast", 8000, "n_bands .* 5 with fmin=200 Hz at sr=8000 Hz, got 6"),
        ("tonnetz", 8000, "n_octaves .* 6 at sr=8000 Hz .*got 7"),
        ("chroma_cqt", 4000, "n_octaves .* 5 at sr=4000 Hz .*got 7"),
        ("pitch", 96000, "frame_length .* 2954 .*at sr=96000 Hz, got 2048"),
    ],
)
def test_defaults_that_the_sampling_rate_forbids(waveforms, name, sr, message):
    with pytest.raises(ParameterError, match=f"^{name}__{message}$"):
        FeatureUnionExtractor([name], sr=sr).fit(waveforms)


@pytest.mark.parametrize("fmax", [97.5, 200.0])
@pytest.mark.parametrize("sr", [4000, 16000])
def test_narrowest_pitch_that_is_allowed_works(sr, fmax):
    pitch = Pitch(fmax=fmax)
    waveform = speechlike(sr, 0.2)
    features = pitch.compute(Spectra(waveform, sr, hop_length=sr // 64))
    pitch.check(sr, 1024, sr // 64)
    assert_finite(pitch, features)


@pytest.mark.parametrize("n_fft", [80, 100, 256, 1024])
@pytest.mark.parametrize("n_bands", [1, 5])
def test_narrowest_contrast_that_is_allowed_works(n_fft, n_bands):
    contrast = SpectralContrast(n_bands=n_bands, fmin=16000 / n_fft)
    contrast.check(16000, n_fft, 256)
    features = contrast.compute(Spectra(speechlike(seconds=0.2), 16000, n_fft))
    assert np.isfinite(features).all()
