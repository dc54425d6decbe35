"""`skser train --keep-features` and `skser adapt`."""

import json
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose
from typer.testing import CliRunner

import skser
from skser import adapt, cli
from skser.datasets import load_corpus, make_emotional_speech
from skser.persistence import load_card, load_info
from tests.embeddings.encoders import write_encoder

FUNCTIONALS = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
]
SPEAKER = ["--speaker", "Who"]
pytestmark = pytest.mark.filterwarnings("ignore:label 'happy' .* is new")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Tables of synthetic speech, of two corpora and of own recordings, and models of them."""
    home = tmp_path_factory.mktemp("home")
    emotions = {"studio": ("angry", "sad"), "phone": ("angry", "sad"), "mine": ("angry", "happy")}
    for seed, (name, labels) in enumerate(emotions.items()):
        speech = make_emotional_speech(
            home / name, n_speakers=2, emotions=labels, n_sentences=2, n_takes=2, random_state=seed
        )
        columns = {"FileName": speech.paths, "Emotion": speech.target, "Who": speech.groups}
        table = pd.DataFrame(columns)
        table.to_csv(home / f"{name}.csv", index=False)
        table.iloc[::8].to_csv(home / f"few_{name}.csv", index=False)
    few = pd.read_csv(home / "mine.csv").groupby("Emotion").head(2)
    few.to_csv(home / "few.csv", index=False)
    train(home, "studio.csv", "phone.csv", "--out", home / "general.skser", "--keep-features")
    train(home, "studio.csv", "--out", home / "plain.skser")
    return home


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def train(home, *arguments):
    paths = [home / a if str(a).endswith(".csv") else a for a in arguments]
    return run("train", *paths, *SPEAKER, *FUNCTIONALS)


def fail(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["skser", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    error = capsys.readouterr().err
    assert left.value.code not in (0, None)
    return error


def test_adapts_as_in_python(home, tmp_path):
    printed = run("adapt", "general.skser", "mine.csv", *SPEAKER, "--out", tmp_path / "mine.skser")
    assert "16 recordings: angry 8, happy 8\n" in printed
    assert printed.endswith(f"wrote {tmp_path / 'mine.skser'}\n")
    mine = load_corpus(home / "mine.csv", speaker_column="Who")
    expected = adapt(skser.load("general.skser"), mine).predict_proba(mine.paths)
    pipeline = skser.load(tmp_path / "mine.skser")
    assert_allclose(pipeline.predict_proba(mine.paths), expected, atol=1e-6)
    assert pipeline.classes_.tolist() == ["angry", "happy", "sad"]
    answer = json.loads(run("predict", tmp_path / "mine.skser", mine.paths[0], "--json", "-"))
    assert_allclose(list(answer["probabilities"].values()), expected[0], atol=1e-3)


def test_what_the_adapted_model_says_of_itself(tmp_path):
    run("adapt", "general.skser", "few.csv", *SPEAKER, "--out", tmp_path / "mine.skser")
    info, before = load_info(tmp_path / "mine.skser"), load_info("general.skser")
    assert info.emotions == {"angry": 18, "happy": 2, "sad": 16}
    assert info.corpora == ("studio", "phone", "few")
    assert info.n_speakers == before.n_speakers + len(pd.read_csv("few.csv")["Who"].unique())
    assert info.score is None
    # Four recordings do not say what is usual.
    assert info.audio == before.audio
    printed = run("info", tmp_path / "mine.skser")
    assert "studio, phone, few" in printed
    assert "not evaluated" in printed
    assert "angry 18, happy 2, sad 16" in load_card(tmp_path / "mine.skser")


def test_enough_new_recordings_say_what_is_usual(tmp_path):
    tables = [pd.read_csv(f"{name}.csv") for name in ("mine", "studio")]
    pd.concat(tables).to_csv(tmp_path / "more.csv", index=False)
    arguments = [tmp_path / "more.csv", *SPEAKER, "--out", tmp_path / "mine.skser"]
    run("adapt", "general.skser", *arguments)
    audio, before = (load_info(m).audio for m in (tmp_path / "mine.skser", "general.skser"))
    assert audio != before


def test_licences_of_all_corpora(tmp_path):
    """Those of the model before and those of the new recordings, each once."""
    corpora = {}
    for name in ("emodb", "emovo"):
        corpora[name] = tmp_path / name
        corpora[name].mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, (12, 8000))
    for i, letter in enumerate("WTWTWT"):
        name = f"{('03', '08', '09')[i // 2]}a01{letter}a.wav"
        soundfile.write(corpora["emodb"] / name, noise[i], 16000)
    for i, emotion in enumerate(("rab", "tri", "rab", "tri", "rab", "tri")):
        folder = corpora["emovo"] / f"f{1 + i // 2}"
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{emotion}-f{1 + i // 2}-b1.wav", noise[6 + i], 16000)
    model, mine = tmp_path / "a.skser", tmp_path / "b.skser"
    run("train", corpora["emodb"], *FUNCTIONALS, "--keep-features", "--out", model)
    for before, after in ((model, mine), (mine, tmp_path / "c.skser")):
        run("adapt", before, corpora["emovo"], "--out", after)
    licences = load_info(model).licences
    assert len(licences) == 1
    assert load_info(mine).licences[0] == licences[0]
    assert len(set(load_info(mine).licences)) == len(load_info(mine).licences) == 2
    assert load_info(tmp_path / "c.skser").licences == load_info(mine).licences


def test_labels_and_share(home, tmp_path):
    out = ["--out", tmp_path / "mine.skser"]
    printed = run("adapt", "general.skser", "mine.csv", "studio.csv", *SPEAKER, *out)
    assert "32 recordings: angry 16, happy 8, sad 8\n" in printed
    arguments = ["mine.csv", "studio.csv", *SPEAKER, "--labels", "angry,sad", "--share", "0.9"]
    assert "24 recordings: angry 16, sad 8\n" in run("adapt", "general.skser", *arguments, *out)
    pipeline = skser.load(tmp_path / "mine.skser")
    assert pipeline.classes_.tolist() == ["angry", "sad"]
    # Priors are the weights of the emotions.
    new, old = np.array([16, 8]) / 24, np.array([0.5, 0.5])
    assert_allclose(pipeline["classify"].estimator_.priors_, 0.9 * new + 0.1 * old, atol=1e-6)


@pytest.mark.slow
def test_a_model_with_its_encoder_keeps_it(home, tmp_path):
    encoder = write_encoder(tmp_path / "whisper-random")
    settings = ["--recipe", "whisper", "--set", f"model={encoder}", "--set", "layers=(1,2)"]
    model, mine = tmp_path / "general.skser", tmp_path / "mine.skser"
    for include in ([], ["--include-encoder"]):
        arguments = ["studio.csv", *SPEAKER, *settings, "--keep-features", *include]
        run("train", *arguments, "--out", model)
        run("adapt", model, "few.csv", *SPEAKER, "--out", mine)
        assert ("file contains it" in run("info", mine)) == bool(include)
    predicted = skser.load(mine).predict(pd.read_csv("few.csv")["FileName"].tolist())
    assert set(predicted) <= {"angry", "happy", "sad"}


def test_joblib(tmp_path):
    """A joblib file does not say what it was trained on, so the adapted model does not either."""
    train_out = tmp_path / "general.joblib"
    run("train", "studio.csv", *SPEAKER, *FUNCTIONALS, "--keep-features", "--out", train_out)
    run("adapt", train_out, "few.csv", *SPEAKER, "--out", tmp_path / "mine.joblib")
    run("adapt", train_out, "few.csv", *SPEAKER, "--out", tmp_path / "mine.skser")
    own = joblib.load(tmp_path / "mine.joblib")
    assert len(own["keep"].labels_) == 20
    paths = pd.read_csv("mine.csv")["FileName"].tolist()
    found = skser.load(tmp_path / "mine.skser").predict_proba(paths)
    assert_allclose(found, own.predict_proba(paths), atol=1e-6)
    assert load_info(tmp_path / "mine.skser") is None


@pytest.mark.slow
def test_scores_of_the_recipe_calibrate_a_model_that_keeps_its_features(tmp_path):
    run("evaluate", "studio.csv", *SPEAKER, *FUNCTIONALS, "--jobs", 1, "--out", tmp_path / "scores")
    arguments = ["--scores", tmp_path / "scores", "--keep-features", "--out", tmp_path / "a.skser"]
    assert "calibrated: temperature" in run(
        "train", "studio.csv", *SPEAKER, *FUNCTIONALS, *arguments
    )
    assert load_info(tmp_path / "a.skser").score is not None
    run("adapt", tmp_path / "a.skser", "few.csv", *SPEAKER, "--out", tmp_path / "b.skser")
    assert load_info(tmp_path / "b.skser").score is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plain.skser", "mine.csv"], r"training features .*--keep-features.*CNNEmotionClassifier"),
        (["general.skser", "mine.csv", "--share", "1"], r"share must be .*\(0, 1\) or None, got 1"),
        (["general.skser", "mine.csv", "--labels", "happy"], "at least two classes, .*'happy'"),
        (["general.skser", "mine.csv", "--labels", "bored"], "--labels must be of .*'boredom'"),
        (["general.skser", "gone.csv"], r"gone\.csv: no such"),
        (["gone.skser", "mine.csv"], r"gone\.skser: is not a file"),
    ],
)
def test_errors(monkeypatch, capsys, arguments, message):
    error = fail(monkeypatch, capsys, "adapt", *arguments, "--out", "never.skser")
    assert re.search(message, error)
    # Before it, a line names the columns of the table.
    assert error.splitlines()[-1].startswith("skser: error: ")
    assert error.count("\n") <= 2
    assert skser.__file__ is not None


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("general.skser", r"general\.skser: is named twice"),
        ("mine.csv", r"mine\.csv: is named twice"),
        ("voice.wav", "--out must be the path of a model file.*voice"),
        ("-", "--out must be the path of a model file.*-"),
        ("nowhere/mine.skser", "nowhere"),
    ],
)
def test_outputs_that_would_overwrite(monkeypatch, capsys, out, message):
    contents = [Path(name).read_bytes() for name in ("general.skser", "mine.csv")]
    error = fail(monkeypatch, capsys, "adapt", "general.skser", "mine.csv", "--out", out)
    assert re.search(message, error)
    assert [Path(name).read_bytes() for name in ("general.skser", "mine.csv")] == contents


@pytest.mark.slow
def test_networks_keep_no_features(monkeypatch, capsys):
    arguments = ["studio.csv", *SPEAKER, "--recipe", "residual_network", "--keep-features"]
    error = fail(monkeypatch, capsys, "train", *arguments, "--out", "never.skser")
    assert re.search("must not end in a network .*weights", error)
