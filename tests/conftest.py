"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

from .features.golden.make_golden import references, speechlike


def pytest_configure(config):
    """Have librosa compile its functions here; workers that do so at once spoil its cache."""
    is_worker = hasattr(config, "workerinput")
    if getattr(config.option, "numprocesses", None) and not is_worker:
        references(speechlike())


@pytest.fixture(scope="session")
def speech_home():
    """Folder with real speech (ravdess, emodb4, emovo), else the test is skipped."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    home = Path(os.environ.get("SKSER_TEST_SPEECH", beside))
    if not home.is_dir():
        pytest.skip(f"no real speech in {home}; set SKSER_TEST_SPEECH")
    return home
