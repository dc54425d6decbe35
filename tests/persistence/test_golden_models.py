"""Model files of earlier versions of skser give the same probabilities as when they were saved.

``golden/make_golden_models.py`` wrote them.
"""

import json
from pathlib import Path

import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from typer.testing import CliRunner

import skser
from skser import cli
from skser.persistence import _container, load_info
from skser.persistence._light import load_light
from tests.persistence.golden.make_golden_models import MODELS as NAMES
from tests.versions import is_older

GOLDEN = Path(__file__).with_name("golden")
FOLDERS = sorted(GOLDEN.glob("format_*"))
CLIPS = sorted(map(str, GOLDEN.glob("clips/*.flac")))
MODELS = [folder / f"{name}.skser" for folder in FOLDERS for name in NAMES]
WITH_NETWORK = {"all_network_params", "default", "dense_195", "own_network"}
ALONE = [model for model in MODELS if model.stem != "speakers"]


def name_of(path):
    return f"{path.parent.name}-{path.stem}"


def golden(model):
    """Speakers of the clips, classes, and golden probabilities."""
    content = json.loads((model.parent / "probabilities.json").read_text())
    return content["groups"], content["classes"], content["probabilities"][model.stem]


def test_every_format_has_golden_models():
    formats = {int(folder.name.removeprefix("format_")) for folder in FOLDERS}
    assert formats == set(range(1, _container.FORMAT + 1))
    for folder in FOLDERS:
        models = [folder / f"{name}.skser" for name in NAMES]
        assert sorted(folder.glob("*.skser")) == sorted(models)
        assert [_container.read(model)[0]["format"] for model in models] == [
            int(folder.name.removeprefix("format_"))
        ] * len(models)


def runtimes(model):
    """All that can run a model; Keras does not read networks of a newer Keras."""
    if model.stem not in WITH_NETWORK:
        return ["auto"]
    newer = is_older("keras", _container.read(model)[0]["versions"]["keras"])
    return ["onnx"] if newer else ["tensorflow", "onnx"]


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_probabilities(model):
    groups, classes, expected = golden(model)
    params = {"groups": groups} if model not in ALONE else {}
    for runtime in runtimes(model):
        pipeline = skser.load(model, runtime=runtime)
        with config_context(enable_metadata_routing=True):
            probabilities = pipeline.predict_proba(CLIPS, **params)
        assert list(pipeline.classes_) == classes
        assert_allclose(probabilities, expected, atol=1e-5, err_msg=runtime)
    assert load_info(model).n_recordings == 24


@pytest.mark.parametrize("model", ALONE, ids=name_of)
def test_light_form(model):
    _, classes, expected = golden(model)
    light = load_light(model)
    assert list(light.classes_) == classes
    assert_allclose([light.predict_proba(clip) for clip in CLIPS], expected, atol=1e-5)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_command(folder):
    model = folder / "default.skser"
    _, classes, expected = golden(model)
    result = CliRunner().invoke(cli.app, ["predict", str(model), *CLIPS, "--json", "-"])
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == CLIPS
    probabilities = [[line["probabilities"][name] for name in classes] for line in lines]
    assert_allclose(probabilities, expected, atol=1e-4)  # four digits are printed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_speakers_are_required(folder):
    model = folder / "speakers.skser"
    assert load_light(model) is None
    result = CliRunner().invoke(cli.app, ["predict", str(model), *CLIPS])
    assert result.exit_code == 1
    assert "groups must be the speaker of each clip" in result.stderr
