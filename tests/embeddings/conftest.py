"""Encoders and clips for tests."""

import numpy as np
import pytest

from skser.embeddings import _whisper_encoder
from tests.features.golden.make_golden import speechlike

from .encoders import write_encoder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """Folder of a random encoder of two layers; not to be changed."""
    return write_encoder(tmp_path_factory.mktemp("encoders") / "whisper-random")


@pytest.fixture(scope="session")
def waveforms():
    """Speech-like waveforms of unequal length at 16 kHz, some of equal; one of a single sample."""
    lengths = (4800, 3210, 1, 4800, 6400, 399)
    return [speechlike(seconds=0.4, seed=i)[:n] for i, n in enumerate(lengths)]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty folder for encoders, and no session that is still open."""
    monkeypatch.setenv("SKSER_CACHE", str(tmp_path / "cache"))
    _whisper_encoder._open.cache_clear()
    yield tmp_path / "cache"
    _whisper_encoder._open.cache_clear()


@pytest.fixture
def chirp():
    """One second from 100 to 4000 Hz."""
    time = np.arange(16000) / 16000
    return (0.3 * np.sin(2 * np.pi * (100 + 1950 * time) * time)).astype(np.float32)
