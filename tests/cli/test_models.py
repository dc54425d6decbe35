"""`skser info`, `export`, `plot` and `datasets check`."""

import json
import os
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from sklearn.preprocessing import FunctionTransformer
from typer.testing import CliRunner

import skser
from skser import CNNEmotionClassifier, cli
from skser.persistence import ModelInfo
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import quick_model


def run(*arguments, code=0):
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == code
    return done.stdout


class Doubled(FunctionTransformer):
    """A transformer that skser does not know."""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.skser"
    score = {"protocol": "3 folds", "uar": 0.5, "low": 0.4, "high": 0.6}
    info = ModelInfo({"angry": 2, "sad": 3}, ("calls",), ("CC BY 4.0",), 4, score)
    skser.save(quick_model()[0], path, info=info)
    return path


def test_info(model):
    lines = run("info", model).splitlines()
    assert lines[:4] == [
        "labels: angry, calm, sad",
        "trained on: 5 recordings, 4 speakers, of calls (angry 2, sad 3)",
        "licence of the data: CC BY 4.0",
        "score: unweighted average recall 0.500 (95 % 0.400 to 0.600): 3 folds",
    ]
    assert "not facts about a person" in lines[4]
    assert lines[-1].startswith("written with: python ")


def test_info_as_json_and_card(model):
    content = json.loads(run("info", model, "--json", "-"))
    assert content["classes"] == ["angry", "calm", "sad"]
    assert content["info"]["score"]["uar"] == 0.5
    card = run("info", model, "--card", "-")
    assert card.startswith("# Speech emotion recognition with skser")
    assert "| Licence of the data | CC BY 4.0 |" in card


def test_info_of_a_model_without_info(tmp_path):
    skser.save(quick_model()[0], tmp_path / "model.skser")
    printed = run("info", tmp_path / "model.skser")
    assert "trained on: not recorded" in printed
    assert "score: not evaluated" in printed


@pytest.mark.slow
def test_export(tmp_path):
    network = CNNEmotionClassifier("dense", network__dense_units=(4,), epochs=1, random_state=0)
    speech = noises()
    pipeline = quick_pipeline(classify=network).fit(list(speech.waveforms), speech.target)
    skser.save(pipeline, tmp_path / "model.skser")
    printed = run("export", tmp_path / "model.skser", "--out", tmp_path / "exported")
    assert printed.splitlines() == [f"wrote {p}" for p in sorted((tmp_path / "exported").iterdir())]


def test_trust(tmp_path, monkeypatch, capsys):
    """A class that skser does not know is loaded only if it is named."""
    clips, labels = list(noises().waveforms), noises().target
    with pytest.warns(UserWarning, match="unknown to skser"):
        skser.save(quick_pipeline(scale=Doubled()).fit(clips, labels), tmp_path / "model.skser")
    soundfile.write(tmp_path / "clip.wav", clips[0], 16000)
    arguments = ["predict", tmp_path / "model.skser", tmp_path / "clip.wav"]
    monkeypatch.setattr("sys.argv", ["skser", *map(str, arguments)])
    with pytest.raises(SystemExit):
        cli.main()
    name = f"{__name__}.Doubled"
    assert name in capsys.readouterr().err
    assert "angry" in run(*arguments, "--trust", name)


@pytest.mark.slow
def test_plot(model, tmp_path):
    waveform = np.random.default_rng(0).normal(0, 0.1, 8000)
    soundfile.write(tmp_path / "clip.wav", waveform, 16000)
    sizes = []
    for arguments in ([], ["--model", model]):
        out = tmp_path / f"{len(arguments)}.png"
        assert run("plot", tmp_path / "clip.wav", "--out", out, *arguments) == f"wrote {out}\n"
        with Image.open(out) as picture:
            sizes.append(picture.size)
    assert sizes[1][1] > sizes[0][1]


@pytest.mark.skipif(sys.platform != "linux", reason="names are not any bytes everywhere")
def test_datasets_check_of_a_name_that_is_not_text(tmp_path):
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(800)), 16000)
    os.rename(tmp_path / "a.wav", os.fsencode(tmp_path / "speech") + b"/\xff.wav")
    run("datasets", "check", tmp_path / "speech", "--csv", tmp_path / "all.csv")
    (path,) = pd.read_csv(tmp_path / "all.csv")["path"]
    assert path == f"{tmp_path}/speech/\\udcff.wav"


def test_datasets_check(tmp_path):
    soundfile.write(tmp_path / "good.wav", np.sin(np.arange(32000)), 16000)
    first, second = run("datasets", "check", tmp_path).splitlines()
    assert first == "1 recordings, 0 of them unusable; 0.0 minutes (1 at 16000 Hz)"
    assert second.startswith(f"not usable by skser train: {tmp_path}: not recognised: ")
    (tmp_path / "bad.mp3").write_text("no audio")
    printed = run("datasets", "check", tmp_path, "--csv", tmp_path / "all.csv", code=1)
    lines = printed.splitlines()
    assert lines[0].startswith(f"{tmp_path}/bad.mp3: is text, not a recording")
    assert lines[1].startswith("2 recordings, 1 of them unusable")
    assert lines[-1] == f"wrote {tmp_path}/all.csv"


def test_datasets_check_of_labels_that_train_refuses(tmp_path, monkeypatch, capsys):
    for folder in ("Trauer", "Wut"):
        (tmp_path / "speech" / folder).mkdir(parents=True)
        soundfile.write(tmp_path / "speech" / folder / "1.wav", np.sin(np.arange(8000)), 16000)
    monkeypatch.chdir(tmp_path)
    line = run("datasets", "check", "speech").splitlines()[-1]
    monkeypatch.setattr("sys.argv", ["skser", "train", "speech", "--out", "m.skser"])
    with pytest.raises(SystemExit):
        cli.main()
    refused = capsys.readouterr().err.removeprefix("skser: error: ").rstrip()
    assert line == f"not usable by skser train: {refused}"
    (tmp_path / "speech" / "Trauer").rename(tmp_path / "speech" / "sad")
    (tmp_path / "speech" / "Wut").rename(tmp_path / "speech" / "angry")
    assert len(run("datasets", "check", "speech").splitlines()) == 1
    line = run("datasets", "check", "speech", "--labels", "sad").splitlines()[-1]
    assert line.endswith(": y must have at least two classes, got one class only: 'sad'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "{home}/old.joblib"], "{home}/old.joblib: is not a model file"),
        (
            ["info", "{model}", "--json", "-", "--card", "-"],
            "--json and --card exclude each other on",
        ),
        (["export", "{model}", "--out", "{home}"], "{home}: exists, and is not an empty"),
        (["export", "{model}", "--out", "{home}/new"], "pipeline has no fitted network to export"),
        (
            ["plot", "{home}/clip.wav", "--out", "{home}/clip.gif"],
            "the suffix of --out must be '.png' or '.svg' or '.pdf', got '.gif'",
        ),
        (["plot", "{home}/clip.wav", "--out", "{home}/a.png"], "{home}/clip.wav: does not exist"),
        (["datasets", "check", "{home}/no"], "{home}/no: no such folder"),
    ],
)
def test_errors_are_one_line(arguments, message, model, tmp_path, monkeypatch, capsys):
    (tmp_path / "old.joblib").write_bytes(b"anything")
    names = {"model": model, "home": tmp_path}
    monkeypatch.setattr("sys.argv", ["skser", *(a.format(**names) for a in arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    stderr = capsys.readouterr().err
    assert left.value.code == 1
    assert stderr.startswith("skser: error: " + message.format(**names))
    assert stderr.count("\n") == 1
