"""A quick pipeline, its model file, and a folder to work in."""

import joblib
import pytest

from tests.evaluations import noises, quick_pipeline


@pytest.fixture(scope="module")
def pipeline():
    speech = noises()
    return quick_pipeline(load__duration=3.0, load__pad=None).fit(speech.waveforms, speech.target)


@pytest.fixture(scope="module")
def model(pipeline, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.joblib"
    joblib.dump(pipeline, path)
    return path


@pytest.fixture
def at_home(home, monkeypatch):
    """The folder `home` of the module, as the current one."""
    monkeypatch.chdir(home)
    return home
