"""Waveforms for tests of features."""

import numpy as np
import pytest

from skser.features.extraction._plan import FeaturePlan

from .golden.make_golden import speechlike
from .recordings import write_recordings


@pytest.fixture
def waveforms():
    """Three speech-like waveforms of 0.25 s at 16 kHz, as one array."""
    return np.stack([speechlike(16000, 0.25, seed) for seed in range(3)])


@pytest.fixture
def paths(tmp_path):
    """Three FLAC recordings of 0.25 s."""
    folder = tmp_path / "audio"
    folder.mkdir()
    return write_recordings(folder, [0.25] * 3)


@pytest.fixture
def memory(tmp_path):
    """Folder of a cache, which is not there yet."""
    return tmp_path / "memory"


@pytest.fixture
def forbid(monkeypatch):
    """Function after which nothing can be extracted any more."""

    def fail(self, views, sr):
        raise AssertionError("extracted again")

    return lambda: monkeypatch.setattr(FeaturePlan, "of_clips", fail)
