import re
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli
from skser.datasets import make_emotional_speech
from skser.persistence._any_model import load_model
from skser.recipes import RECIPES

QUICK = [
    *("--set", "load__duration=0.5"),
    *("--set", "vote__network__classify__epochs=1"),
    *("--set", "vote__network__classify__network__filters=(4,)"),
    *("--set", "vote__network__classify__optimizer=sgd"),  # with the next, half the time to trace
    *("--set", "vote__network__classify__schedule=None"),
]
FUNCTIONALS = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder per class, of recordings without known speakers."""
    home = tmp_path_factory.mktemp("own")
    speech = make_emotional_speech(
        n_speakers=2, emotions=("angry", "sad"), n_sentences=2, n_takes=1, random_state=0
    )
    for i, (waveform, emotion) in enumerate(zip(speech.waveforms, speech.target, strict=True)):
        (home / emotion).mkdir(exist_ok=True)
        soundfile.write(home / emotion / f"{i}.flac", waveform, speech.sr)
    return home


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skser"
    run("train", corpus, "--out", path, *FUNCTIONALS)
    return path


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    """Arguments of `skser evaluate` for a table of three speakers."""
    home = tmp_path_factory.mktemp("voices")
    speech = make_emotional_speech(
        home, n_speakers=3, emotions=("angry", "sad"), n_sentences=2, n_takes=2, random_state=0
    )
    columns = {"FileName": speech.paths, "Emotion": speech.target, "Who": speech.groups}
    pd.DataFrame(columns).to_csv(home / "list.csv", index=False)
    return [home / "list.csv", "--speaker", "Who", *FUNCTIONALS, "--jobs", 1]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "my recording.mp3"
    noise = np.random.default_rng(0).normal(0, 0.1, size=(44100, 2))
    soundfile.write(path, noise, 44100)
    return path


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(monkeypatch, capsys, *arguments):
    """Exit code and stderr of the command as the shell sees it."""
    monkeypatch.setattr("sys.argv", ["skser", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code, capsys.readouterr().err


def test_version_and_help():
    assert run("--version") == f"skser {skser.__version__}\n"
    for command in ("demo", "train", "evaluate", "predict"):
        assert command in run("--help")


def test_help_names_every_recipe():
    option = re.split(r"--recipe (?:<str>|TEXT)", run("train", "--help"))[1].split("[default")[0]
    assert set(RECIPES) <= set(re.sub(r"[^a-z0-9_]+", " ", option).split())


@pytest.mark.slow
def test_train_writes_a_silent_model(corpus, tmp_path):
    path = tmp_path / "model.skser"
    printed = run("train", corpus, "--out", path, *QUICK)
    assert "8 recordings: angry 4, sad 4" in printed
    assert [p.name for p in path.parent.iterdir()] == ["model.skser"]
    for member in load_model(path)["vote"].estimators_:
        assert member["features"].verbose == 0


def test_train_on_a_manifest(corpus, tmp_path):
    table = [(str(p), p.parent.name) for p in sorted(corpus.rglob("*.flac"))]
    pd.DataFrame(table, columns=["FileName", "Emotion"]).to_csv(tmp_path / "list.csv", index=False)
    printed = run("train", tmp_path / "list.csv", "--out", tmp_path / "model.skser", *FUNCTIONALS)
    assert "8 recordings: angry 4, sad 4" in printed
    blocks = load_model(tmp_path / "model.skser")["features"].blocks
    assert [block if isinstance(block, str) else block.name for block in blocks] == ["zcr", "rms"]


def test_evaluate_leaves_out_speakers(voices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run("evaluate", *voices)
    assert re.search(
        r"^unweighted average recall [01]\.\d{3} \(95 % [01]\.\d{3} to [01]\.\d{3}; "
        r"chance 0\.500\)$",
        printed,
        re.M,
    )
    assert re.search(r"^3 folds \(leave one speaker out\), speaker-independent: ", printed, re.M)
    assert re.search(r"^recall angry [01]\.\d\d, sad [01]\.\d\d$", printed, re.M)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_evaluate_writes_tables_pictures_and_a_report(voices, tmp_path):
    out = tmp_path / "out"
    options = ("--leakage", "--explain", "--baseline", "functionals")
    printed = run("evaluate", *voices, "--jobs", 2, *options, "--out", out)
    written = [line.removeprefix("wrote ") for line in printed.splitlines() if "wrote" in line]
    names = ("results.json", "report.html", "class_scores.png", "leakage.csv", "leakage_gap.png")
    names += ("block_importance.csv", "block_importance.png", "comparison.csv", "comparison.png")
    assert {str(out / name) for name in names} <= set(written)
    assert {path.name for path in out.iterdir()} == {
        "folds",
        *(file.removeprefix(f"{out}/") for file in written),
    }
    assert re.search(r"^UAR [01]\.\d{3} with random folds, ", printed, re.M)
    assert "\nscores against those of the baseline\n" in printed
    recipe = "Recipe functionals with augment__n_views=1, "
    assert recipe in (out / "report.html").read_text(encoding="utf-8")
    assert len(list((out / "folds").iterdir())) == 12


def test_evaluate_across_corpora(voices, tmp_path):
    second = make_emotional_speech(
        tmp_path / "second", n_speakers=3, emotions=("angry", "sad"), n_sentences=1, random_state=1
    )
    columns = {"FileName": second.paths, "Emotion": second.target, "Who": second.groups}
    pd.DataFrame(columns).to_csv(tmp_path / "second.csv", index=False)
    lines = run("evaluate", *voices, "--across", tmp_path / "second.csv").splitlines()
    rows = [line.split() for line in lines[-2:]]
    assert lines[-4].split()[-2:] == [row[0] for row in rows] == ["list", "second"]
    assert all(0 <= float(uar) <= 1 for row in rows for uar in row[1:])


def test_evaluate_normalises_by_speaker(voices):
    printed = run("evaluate", *voices, "--transductive")
    assert "of each speaker: transductive, those of speakers who are tested" in printed


def test_evaluate_random_folds_with_a_warning_in_one_line(voices, monkeypatch, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(
            "sys.argv", ["skser", "evaluate", *map(str, voices), "--folds", "random"]
        )
        with pytest.raises(SystemExit) as left:
            cli.main()
    printed = capsys.readouterr()
    assert left.value.code == 0
    assert "not speaker-independent" in printed.out
    assert "skser: warning: 3 of 3 speakers are both trained on and tested, such as " in printed.err
    assert "LeakageWarning" not in printed.err


def test_evaluate_a_model(model, corpus):
    printed = run("evaluate", corpus, "--model", model)
    assert "a pipeline that was fitted before" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere", "--out", "m.skser"], "nowhere"),
        (
            ["train", "{corpus}", "--out", "no/m.skser"],
            "no/m.skser: its folder no does not exist",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--corpus", "ravdes"],
            "did you mean 'ravdess'?",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--set", "vote__network__classify__epoch=3"],
            "there is no parameter 'vote__network__classify__epoch'; did you mean "
            "'vote__network__classify__epochs'?",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--set", "epochs"],
            "--set must be of the form name=value, got 'epochs'",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--set", "random_state=-1"],
            "random_state must be an integer in [0, 2**32 - 1]",
        ),
        (
            [
                "train",
                "{corpus}",
                "--out",
                "m.skser",
                "--set",
                "vote__network__classify__epochs=0",
            ],
            "epochs must be an integer of at least 1, got 0",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--recipe", "dense195"],
            "got 'dense195'; did you mean 'dense_195'?",
        ),
        (
            [
                *("evaluate", "{corpus}", "--recipe", "dense_195"),
                *("--set", "classify__validation_fraction=0"),
            ],
            "early_stopping=15 needs a validation_fraction above 0, got 0",
        ),
        (
            [
                *("train", "{corpus}", "--out", "m.skser"),
                *("--set", "vote__network__classify__network__pool_size=2"),
            ],
            "architecture 'resnet' has no parameter network__pool_size, only",
        ),
        (
            ["train", "{corpus}", "--out", "m.skser", "--include-encoder"],
            "--include-encoder must be used with a pre-trained encoder",
        ),
        *(
            (["train", "{corpus}", "--out", out], "--out must be the path of a model file")
            for out in ("a.flac", "-")
        ),
        (
            ["evaluate", "{corpus}", "--out", "{corpus}"],
            "--out must not be the folder of the recordings",
        ),
        (["evaluate", "{corpus}"], "at least two known speakers are needed"),
        (["evaluate", "{corpus}", "--speaker", "no group"], "speaker"),
        (
            ["evaluate", "{corpus}", "--folds", "speaker"],
            "--folds must be 'auto' or 'speakers' or 'sentences' or 'luna-jimenez' or 'emobox' or "
            "'random', got 'speaker'; did you mean 'speakers'?",
        ),
        (
            ["evaluate", "{corpus}", "--model", "{model}", "--transductive"],
            "--transductive must be left out with --model, which is not fitted again",
        ),
        (
            ["evaluate", "{corpus}", "--model", "{model}", "--explain"],
            "--explain must be left out with --model",
        ),
        (
            ["evaluate", "{corpus}", "--model", "{model}", "--baseline", "default"],
            "--baseline must be left out with --model",
        ),
        (
            ["evaluate", "{corpus}", "--across", "{corpus}"],
            "corpora must be different, got",
        ),
        (
            ["evaluate", "{corpus}", "--leakage", "--folds", "random"],
            "--leakage must have --folds speakers, got 'random'",
        ),
        (
            ["evaluate", "{corpus}", "--transductive", "--folds", "random"],
            "--transductive must be used with folds of whole speakers, got --folds random",
        ),
        (
            ["evaluate", "{corpus}", "--leakage", "--transductive"],
            "--leakage must be used without --transductive: a random fold has too few clips",
        ),
        (["evaluate", "{corpus}", "--out", "{recording}"], "--out must be a folder, got the file"),
        (
            ["evaluate", "{corpus}", "--out", "{recording}/scores"],
            "--out must be a writable folder, got",
        ),
        (["evaluate", "nowhere", "--out", "scores"], "nowhere: no such folder"),
        (
            ["evaluate", "{corpus}", "--model", "{model}", "--recipe", "functionals"],
            "--recipe must be left out with --model",
        ),
        (
            ["evaluate", "{corpus}", "--recipe", "dense_195", "--set", "classify__epochs=0"],
            "epochs must be an integer",
        ),
        (
            [
                "evaluate",
                "{corpus}",
                "--recipe",
                "functionals",
                "--set",
                "classify__estimator__shrinkage=2",
            ],
            "shrinkage must be 'auto' or a number in [0, 1] or None, got 2",
        ),
        (["predict", "{model}", "nowhere.mp3"], "nowhere.mp3: does not exist"),
        (["predict", "{recording}", "{recording}"], "is not a model file, or is truncated"),
        (["predict", "nowhere.joblib", "{recording}"], "nowhere.joblib: is not a file"),
        (
            ["predict", "{model}", "{recording}", "--json", "-", "--csv", "-"],
            "--csv and --json exclude each other on standard output",
        ),
        (["demo", "--out", "{recording}"], "--out must be a folder, got the file"),
    ],
)
def test_errors_are_one_line(
    arguments, message, corpus, model, recording, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    names = {"corpus": corpus, "model": model, "recording": recording}
    code, stderr = fail(monkeypatch, capsys, *(a.format(**names) for a in arguments))
    assert code == 1
    assert stderr.startswith("skser: error: ")
    assert message in stderr
    assert list(tmp_path.iterdir()) == []
