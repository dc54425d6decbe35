"""Features without numba against those with it; pitch is also compared in `test_pyin`."""

import numpy as np
import pytest

from skser.features import Spectra
from skser.features.blocks._named import DEFAULT_BLOCKS
from skser.features.dsp import _kernels, _loops, _numpy_spectral
from skser.features.dsp._filters import delta
from skser.features.dsp._loops import each_without_numba, spectral_loops, without_numba

from ..golden.make_golden import speechlike

WAVEFORMS = {
    "speech": speechlike(seconds=0.5),
    "silence": np.zeros(3000, np.float32),
    "one sample": np.array([0.5], np.float32),
    "shorter than a frame": speechlike(seconds=0.5)[3000:3400],
    "speech, then silence": np.append(speechlike(seconds=0.2), np.zeros(5000, np.float32)),
    "square": np.tile(np.float32([1, -1]), 1500),
}


def features(block, waveform, dtype):
    values = block.compute(Spectra(waveform, 16000, 512, 128, dtype))
    return values, delta(values, 1)


@pytest.mark.parametrize("waveform", WAVEFORMS.values(), ids=WAVEFORMS)
@pytest.mark.parametrize("name", DEFAULT_BLOCKS)
def test_values_are_those_of_the_compiled_loops(name, waveform):
    block = DEFAULT_BLOCKS[name]()
    for dtype in {np.float64, block.fourier_dtype}:
        compiled = features(block, waveform, dtype)
        with without_numba():
            in_numpy = features(block, waveform, dtype)
        largest = np.nanmax(np.abs(compiled[0]), initial=0)
        for ours, wanted in zip(in_numpy, compiled, strict=True):
            assert ours.dtype == wanted.dtype
            np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=5e-5 * largest)


def test_bandwidth_of_any_power():
    spectrum = np.abs(np.random.default_rng(0).normal(size=(5, 100))).astype(np.float32)
    spectrum[2] = 0
    arguments = (spectrum, np.arange(100.0), np.full(5, 50.0), 1.5)
    np.testing.assert_allclose(
        _numpy_spectral.weighted_deviations(*arguments),
        _kernels.weighted_deviations(*arguments),
        rtol=1e-6,
    )


def test_long_recordings_are_compiled():
    with without_numba():
        assert spectral_loops(_loops._MAX_FRAMES) is _numpy_spectral
        assert spectral_loops(_loops._MAX_FRAMES + 1) is _kernels
    assert spectral_loops(1) is _kernels


def test_each_item_is_computed_without_numba_and_used_with_it():
    loops = (spectral_loops(1) for _ in range(2))
    assert [(item, spectral_loops(1)) for item in each_without_numba(loops)] == [
        (_numpy_spectral, _kernels)
    ] * 2
