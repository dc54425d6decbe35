"""Corpora made of empty files: loaders read names, never audio."""

import pytest


@pytest.fixture
def touch(tmp_path):
    """Function that makes empty files in a folder of its own, which it returns."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make
