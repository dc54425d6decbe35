"""Waveforms for tests of features."""

import numpy as np
import pytest

from .golden.make_golden import speechlike


@pytest.fixture
def waveforms():
    """Three speech-like waveforms of 0.25 s at 16 kHz, as one array."""
    return np.stack([speechlike(16000, 0.25, seed) for seed in range(3)])
