"""Default blocks against stored values of librosa."""

import numpy as np
import pytest

from skser.features import Spectra
from skser.features.blocks._named import DEFAULT_BLOCKS

from ..parity import assert_parity
from .make_golden import GOLDEN, HOP_LENGTH, N_FFT, SECONDS, SR, references, speechlike


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def spectra():
    return Spectra(speechlike(seconds=SECONDS), SR, N_FFT, HOP_LENGTH)


def test_every_default_block_is_stored(golden):
    assert golden.keys() == DEFAULT_BLOCKS.keys()
    assert GOLDEN.stat().st_size < 100_000


@pytest.mark.parametrize("name", DEFAULT_BLOCKS)
def test_block_gives_the_stored_values(name, golden, spectra):
    assert_parity(DEFAULT_BLOCKS[name]().compute(spectra), golden[name], name)


def test_installed_librosa_gives_the_stored_values(golden):
    for name, values in references(speechlike(seconds=SECONDS)).items():
        assert_parity(values.astype(np.float32), golden[name], name)
