"""Model files of earlier versions of skser, which must go on answering as they did.

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
from skser.persistence import load_info
from skser.persistence._light import load_light

FOLDERS = sorted(Path(__file__).with_name("golden").glob("format_*"))
MODELS = sorted(path for folder in FOLDERS for path in folder.glob("*.skser"))
WITH_NETWORK = {"all_network_params", "default", "dense_195", "own_network"}
WITH_SPEAKERS = {"speakers"}
ALONE = [model for model in MODELS if model.stem not in WITH_SPEAKERS]


def name_of(path):
    return f"{path.parent.name}-{path.stem}" if isinstance(path, Path) else None


def answers(model):
    """Clips, speakers, classes, and what the pipeline answered when it was saved."""
    content = json.loads((model.parent / "answers.json").read_text())
    clips = [str(model.parent / clip) for clip in content["clips"]]
    return clips, content["groups"], content["classes"], content["probabilities"][model.stem]


def test_none_is_missing():
    for folder in FOLDERS:
        kept = json.loads((folder / "answers.json").read_text())["probabilities"]
        assert set(kept) == {model.stem for model in MODELS if model.parent == folder}
        assert set(kept) >= WITH_NETWORK | WITH_SPEAKERS


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_answers_as_it_did(model):
    clips, groups, classes, expected = answers(model)
    runtimes = ["tensorflow", "onnx"] if model.stem in WITH_NETWORK else ["tensorflow"]
    params = {"groups": groups} if model.stem in WITH_SPEAKERS else {}
    for runtime in runtimes:
        pipeline = skser.load(model, runtime=runtime)
        with config_context(enable_metadata_routing=True):
            probabilities = pipeline.predict_proba(clips, **params)
        assert list(pipeline.classes_) == classes
        assert_allclose(probabilities, expected, atol=1e-5, err_msg=runtime)
    assert load_info(model).n_recordings == 24


@pytest.mark.parametrize("model", ALONE, ids=name_of)
def test_has_a_light_form(model):
    clips, _, classes, expected = answers(model)
    light = load_light(model)
    assert list(light.classes_) == classes
    probabilities = [light.predict_proba(clip) for clip in clips]
    assert_allclose(probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("model", ALONE, ids=name_of)
def test_answers_the_command_line(model):
    clips, _, classes, expected = answers(model)
    result = CliRunner().invoke(cli.app, ["predict", str(model), *clips, "--json", "-"])
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == clips
    probabilities = [[line["probabilities"][name] for name in classes] for line in lines]
    assert_allclose(probabilities, expected, atol=1e-4)  # four digits are printed


def test_speakers_are_asked_for():
    for model in set(MODELS) - set(ALONE):
        clips, *_ = answers(model)
        assert load_light(model) is None
        result = CliRunner().invoke(cli.app, ["predict", str(model), *clips])
        assert result.exit_code == 1
        assert "groups must be the speaker of each clip" in result.stderr
