"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def speech_home():
    """Folder with real speech (ravdess, emodb4, emovo), else the test is skipped."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    home = Path(os.environ.get("SKSER_TEST_SPEECH", beside))
    if not home.is_dir():
        pytest.skip(f"no real speech in {home}; set SKSER_TEST_SPEECH")
    return home
