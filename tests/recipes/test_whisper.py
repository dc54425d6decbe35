"""The recipe with a pre-trained encoder, here a random one."""

import json
import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from skser import cli, evaluate
from skser.datasets import load_emodb, make_emotional_speech
from skser.exceptions import AudioNotFoundError, ParameterError
from skser.recipes import RECIPES, get_recipe, whisper
from skser.report._analyses import make_findings
from tests.embeddings.encoders import write_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoders") / "whisper-random")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return make_emotional_speech(
        tmp_path_factory.mktemp("speech"),
        n_speakers=3,
        emotions=("angry", "sad"),
        n_sentences=2,
        n_takes=1,
        random_state=0,
    )


@pytest.fixture(scope="module")
def fitted(encoder, speech):
    return whisper(encoder, layers=(1, 2), random_state=0).fit(speech.paths, speech.target)


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_steps():
    pipeline = whisper()
    assert list(pipeline.named_steps) == ["load", "augment", "features", "scale", "classify"]
    assert pipeline["features"].model == "openai/whisper-base"
    assert pipeline["features"].layer == (2, 3, 4, 5)
    assert pipeline["load"].sr == 16000
    assert get_recipe("whisper") is RECIPES["whisper"] is whisper


def test_parameters_reach_the_steps(encoder):
    pipeline = clone(whisper(encoder, memory="cache", n_jobs=2, random_state=3, layers=2))
    assert pipeline["features"].model == encoder
    assert pipeline["features"].get_params()["layer"] == 2
    assert pipeline["features"].memory == "cache"
    assert pipeline["features"].n_jobs == 2
    assert pipeline["augment"].random_state == 3


def test_is_a_vote_of_discriminants_of_layers(fitted, speech):
    """Of the means of layers 1 and 2, and of means and deviations of layer 2, by name."""
    views = clone(fitted)[:3].fit_transform(speech.paths).values
    layers_and_statistics = [name[:-4] for name in fitted["features"].get_feature_names_out()]
    flat = views.reshape(-1, views.shape[-1])
    scaler = StandardScaler().fit(flat)
    logarithms = []
    for parts in (["l1_mean"], ["l2_mean"], ["l2_mean", "l2_std"]):
        columns = [i for i, name in enumerate(layers_and_statistics) if name.endswith(tuple(parts))]
        assert len(columns) == 16 * len(parts)
        member = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2)
        member.fit(scaler.transform(flat)[:, columns], np.repeat(speech.target, views.shape[1]))
        probabilities = member.predict_proba(scaler.transform(views[:, 0])[:, columns])
        logarithms.append(np.log(probabilities))
    expected = np.exp(np.mean(logarithms, axis=0) / 3)
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(fitted.predict_proba(speech.paths), expected, atol=1e-4)


def test_training_is_on_views(fitted, speech):
    views = clone(fitted)[:3].fit_transform(speech.paths[:2])
    assert views.values.shape[:2] == (2, fitted["augment"].n_views)
    clean = fitted[:3].transform(speech.paths[:2])
    assert_allclose(views.values[:, 0], clean, atol=1e-5)


def test_evaluate(encoder, speech):
    evaluation = evaluate(whisper(encoder, layers=(1, 2), random_state=0), speech)
    assert "leave one speaker out" in evaluation.protocol
    assert evaluation.to_frame().loc["uar", "pooled"] > 0.5


@pytest.mark.slow
def test_published_encoder_on_real_speech(models_home, speech_home):
    """Speakers 3 and 8 are trained on, speaker 9 is new."""
    speech = load_emodb(speech_home / "emodb4")
    known = np.isin(speech.groups, ["emodb-03", "emodb-08"])
    new = speech.groups == "emodb-09"
    pipeline = whisper(models_home / "whisper-tiny.en", layers=(2, 3))
    pipeline.fit(speech.paths[known], speech.target[known])
    predicted = pipeline.predict(speech.paths[new])
    assert balanced_accuracy_score(speech.target[new], predicted) > 0.75


@pytest.mark.slow
def test_explained_by_layers(encoder, speech, tmp_path):
    pipeline = whisper(encoder, layers=(1, 2), random_state=0)
    findings = make_findings(
        pipeline, speech, None, leakage=False, explain=True, corpora={}, checkpoint=tmp_path
    )
    assert set(findings.importance.index) == {"whisper_random_l1", "whisper_random_l2"}
    assert findings.saliency is None


def test_bad_input_comes_before_extraction(encoder, speech):
    with pytest.raises(ParameterError, match=r"layer .*from 0 to 2, got \(1, 7\)"):
        whisper(encoder, layers=(1, 7)).fit(speech.paths, speech.target)
    with pytest.raises(ParameterError, match=r"layers .*one or several.*got \[\]"):
        whisper(encoder, layers=[])
    with pytest.raises(AudioNotFoundError, match=r"missing\.wav"):
        whisper(encoder).fit(["missing.wav"] * 4, ["angry", "sad"] * 2)


@pytest.fixture
def folder(speech, tmp_path):
    """A folder per class."""
    for i, (path, emotion) in enumerate(zip(speech.paths, speech.target, strict=True)):
        (tmp_path / "own" / emotion).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "own" / emotion / f"{i}.flac")
    return tmp_path / "own"


def test_command_line(encoder, folder, fitted, speech, tmp_path):
    model = tmp_path / "model.skser"
    settings = ["--set", f"model={encoder}", "--set", "layers=(1, 2)"]
    run("train", folder, "--recipe", "whisper", *settings, "--out", model)
    answer = json.loads(run("predict", model, speech.paths[0], "--json", "-"))["probabilities"]
    expected = fitted.predict_proba(speech.paths[:1])[0]
    assert_allclose([answer["angry"], answer["sad"]], expected, atol=1e-4)
