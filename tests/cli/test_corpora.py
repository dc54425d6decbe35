"""`skser train`, `evaluate` and `datasets check` of several corpora, and `predict --adapt`."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose
from sklearn import config_context
from typer.main import get_command
from typer.testing import CliRunner

import skser
from skser import cli
from skser.cli._corpora import load_paths
from skser.cli._options import make_pipeline
from skser.datasets import make_emotional_speech
from skser.exceptions import DataError, LeakageWarning, ParameterError
from skser.persistence import load_info
from skser.persistence._light import load_light

FUNCTIONALS = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
]
SPEAKER = ["--speaker", "Who"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two tables of synthetic speech, the second larger and louder, and one of other labels."""
    home = tmp_path_factory.mktemp("corpora")
    parts = {"first": (3, 1, ("angry", "sad")), "second": (3, 3, ("angry", "happy", "sad"))}
    for seed, (name, (n_speakers, n_takes, emotions)) in enumerate(parts.items()):
        speech = make_emotional_speech(
            home / name,
            n_speakers=n_speakers,
            emotions=emotions,
            n_sentences=2,
            n_takes=n_takes,
            random_state=seed,
        )
        columns = {"FileName": speech.paths, "Emotion": speech.target, "Who": speech.groups}
        pd.DataFrame(columns).to_csv(home / f"{name}.csv", index=False)
    other = pd.read_csv(home / "first.csv").assign(Emotion=["bored", "calm"] * 6)
    other.to_csv(home / "other.csv", index=False)
    (home / "elsewhere.csv").write_text("file,emotion\na.wav,angry\nb.wav,sad\n")
    return home


@pytest.fixture(scope="module")
def model(home):
    path = home / "general.skser"
    tables = [home / "first.csv", home / "second.csv"]
    run("train", *tables, *SPEAKER, "--labels", "angry,sad", "--out", path, *FUNCTIONALS)
    return path


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)


def run(*arguments):
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["skser", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code, capsys.readouterr().err


def test_train_on_two_corpora(home, model):
    info = load_info(model)
    assert info.corpora == ("first", "second")
    assert info.emotions == {"angry": 24, "sad": 24}
    assert info.n_speakers == 6
    pipeline = skser.load(model)
    assert sorted(pipeline["scale"].statistics_) == ["first", "second"]
    # Corpora count alike, so that priors of classes are those of the mean corpus.
    assert_allclose(pipeline["classify"].estimator_.priors_, [0.5, 0.5])
    # Recordings of an unknown corpus, with and without scikit-learn.
    paths = sorted(map(str, (home / "first").rglob("*.wav")))
    expected = pipeline.predict_proba(paths)
    light = load_light(model)
    assert_allclose([light.predict_proba(path) for path in paths], expected, atol=1e-5)
    with config_context(enable_metadata_routing=True):
        known = pipeline.predict_proba(paths, domains=["first"] * len(paths))
    assert np.abs(np.log(known) - np.log(expected)).max() > 1


def test_evaluate_two_corpora(at_home):
    arguments = ["first.csv", "second.csv", *SPEAKER, *FUNCTIONALS, "--jobs", 1]
    printed = run("evaluate", *arguments, "--labels", "sad,angry", "--cross-corpus")
    assert "first: 12 recordings: angry 6, sad 6\n" in printed
    assert "\n48 recordings: angry 24, sad 24\n" in printed
    assert "6 folds (leave one speaker out), speaker-independent" in printed
    assert "mean and deviation of each corpus: those of the clips that are trained on" in printed
    assert re.search(r"^by corpus first [01]\.\d{3}, second [01]\.\d{3}$", printed, re.M)
    rows = [re.split(r"\s{2,}", line)[0] for line in printed.splitlines()[-4:]]
    assert rows == ["first", "second", "all others", "all others, adapted"]


def test_evaluate_a_model_of_several_corpora(at_home, model):
    arguments = ["first.csv", "second.csv", *SPEAKER, "--labels", "angry,sad"]
    printed = run("evaluate", *arguments, "--model", model)
    assert "a pipeline that was fitted before" in printed
    assert "mean and deviation of each corpus" in printed


@pytest.mark.slow
def test_scores_of_several_corpora_go_into_the_model(at_home, tmp_path):
    arguments = ["first.csv", "second.csv", *SPEAKER, "--labels", "angry,sad", *FUNCTIONALS]
    run("evaluate", *arguments, "--jobs", 1, "--out", tmp_path / "scores")
    assert "first.csv, second.csv" in (tmp_path / "scores" / "report.html").read_text()
    path = tmp_path / "model.skser"
    printed = run("train", *arguments, "--scores", tmp_path / "scores", "--out", path)
    assert "calibrated: temperature" in printed
    assert "deviation of each corpus" in load_info(path).score["protocol"]
    clip = str(next((at_home / "first").rglob("*.wav")))
    light = load_light(path).predict_proba(clip)
    assert_allclose(light, skser.load(path).predict_proba([clip])[0], rtol=1e-4, atol=1e-9)


def test_check_several_corpora(at_home):
    lines = run("datasets", "check", "first.csv", "second.csv", "--csv", "all.csv").splitlines()
    assert lines[0].startswith("first.csv: 12 recordings, 0 of them unusable; ")
    assert lines[2].startswith("all: 66 recordings, 0 of them unusable; ")
    assert lines[3:5] == ["labels in all: angry, sad", "labels in some: happy (second)"]
    assert len(pd.read_csv("all.csv")) == 66


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["first.csv", "first.csv"], r"corpora must be different, got \S*first.csv twice"),
        (["first.csv", "first"], "corpora must have different names, got first twice"),
        (["first.csv", "nowhere"], "nowhere: no such folder"),
        (["first.csv", "https://a.org/b.zip"], "https:/a.org/b.zip: is an address; download it"),
        (["https://a.org/b.csv"], "https:/a.org/b.csv: is an address; download it"),
        (
            ["elsewhere.csv"],
            "elsewhere.csv: none of its recordings exist, such as a.wav; --audio-home says",
        ),
        (
            ["second.csv", "other.csv"],
            r"has no label in common .*\(boredom, calm\), got angry",
        ),
        (
            ["first.csv", "second.csv", "--labels", "angry,afraid"],
            r"--labels must be of .*\(angry, happy, sad\), got 'fear'",
        ),
        (
            ["first.csv", "second.csv", "--labels", "happy"],
            r"first\.csv: has none of the labels happy, but angry, sad",
        ),
        (
            ["first.csv", "second.csv", "--corpus", "manifest"],
            "--corpus must be auto with several corpora, got 'manifest'",
        ),
    ],
)
def test_errors(at_home, monkeypatch, capsys, arguments, message):
    command = ["train", *arguments, "--out", "m.skser", *FUNCTIONALS]
    code, printed = fail(monkeypatch, capsys, *command)
    assert code != 0
    assert re.search(message, printed)
    assert not (at_home / "m.skser").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["first.csv", "--cross-corpus"], "--cross-corpus must be used with several corpora"),
        (["first.csv", "second.csv", "--across", "other.csv"], "--across must be left out"),
        (["first.csv", "second.csv", "--folds", "emobox"], "--folds emobox .* RAVDESS alone"),
    ],
)
def test_options_that_exclude_each_other(at_home, monkeypatch, capsys, arguments, message):
    code, printed = fail(monkeypatch, capsys, "evaluate", *arguments)
    assert code != 0
    assert re.search(message, printed)


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Twenty-four recordings at a tenth of the level, and a file that is none."""
    home = tmp_path_factory.mktemp("calls")
    speech = make_emotional_speech(
        n_speakers=4, emotions=("angry", "sad"), n_takes=1, random_state=5
    )
    for i, clip in enumerate(speech.waveforms):
        soundfile.write(home / f"{i:02d}.flac", 0.1 * clip, speech.sr)
    (home / "broken.wav").write_bytes(b"no audio")
    return home


def test_predict_adapts_to_the_batch(model, calls, tmp_path):
    table = tmp_path / "emotions.csv"
    done = invoke("predict", model, calls, "--adapt", "--csv", table)
    assert done.exit_code == 1  # one recording is unusable
    assert "adapted to 24 of 25 recordings, without labels" in done.stderr
    assert "broken.wav" in done.stderr
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["adapted_to"] for row in rows] == ["24"] * 24
    files = [row["file"] for row in rows]
    expected = skser.predict_table(skser.load(model), files, adapt=True)
    assert_allclose([float(row["angry"]) for row in rows], expected["angry"], atol=1e-4)
    as_it_is = skser.load(model).predict_proba(files)[:, 0]
    assert np.abs(expected["angry"] - as_it_is).max() > 0.01


def test_too_few_recordings_to_adapt_to(model, calls, monkeypatch, capsys):
    files = sorted(calls.glob("*.flac"))[:19]
    code, printed = fail(monkeypatch, capsys, "predict", model, *files, "--adapt")
    assert code != 0
    assert re.search("at least 20 usable .* got 19 of 19", printed)


def test_inconsistent_model_cannot_adapt(model, calls, tmp_path, monkeypatch, capsys):
    pipeline = skser.load(model)
    pipeline[-1].estimator_.coef_ = np.zeros((1, 3))
    damaged = tmp_path / "damaged.skser"
    skser.save(pipeline, damaged)
    code, printed = fail(monkeypatch, capsys, "predict", damaged, calls, "--adapt")
    assert code != 0
    assert re.search("damaged.skser: cannot predict", printed)


def test_a_corpus_with_one_label(tmp_path):
    speech = make_emotional_speech(
        tmp_path / "two", n_speakers=2, emotions=("angry", "sad"), n_takes=1, random_state=0
    )
    first = speech.groups == speech.groups[0]
    for name, rows in (("both", first), ("flat", ~first & (speech.target == "angry"))):
        table = pd.DataFrame({"FileName": speech.paths[rows], "Emotion": speech.target[rows]})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    arguments = ["train", tmp_path / "both.csv", tmp_path / "flat.csv", "--out", tmp_path / "m"]
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    assert isinstance(result.exception, DataError)
    assert "flat: has only the label 'angry'" in str(result.exception)


def test_discriminants_of_several_corpora_are_shrunk_more():
    name = "classify__estimator__estimator__shrinkage"
    shrinkages = [
        make_pipeline("whisper", 0, 1, settings, n_corpora=n).get_params()[name]
        for n, settings in ((1, None), (2, None), (2, ["shrinkage=0.1"]))
    ]
    assert shrinkages == [0.2, 0.5, 0.1]


@pytest.fixture(scope="module")
def mixed(home, tmp_path_factory):
    """The recordings of both tables under the names of EMOVO and SAVEE, in one folder."""
    folder = tmp_path_factory.mktemp("mixed")
    letters = {"angry": ("rab", "a"), "sad": ("tri", "sa"), "happy": ("gio", "h")}
    men = ("DC", "JE", "JK", "KL")
    for name in ("first", "second"):
        table = pd.read_csv(home / f"{name}.csv")
        speakers = {who: i for i, who in enumerate(table["Who"].unique())}
        for number, row in enumerate(table.itertuples()):
            who, (emovo, savee) = speakers[row.Who], letters[row.Emotion]
            new = f"{men[who]}_{savee}{number:02d}"
            if name == "first":
                new = f"{emovo}-f{who + 1}-{'bln'[number % 3]}{number // 3}"
            shutil.copy(row.FileName, folder / f"{new}.wav")
    return folder


LABELS = ["--labels", "angry,sad"]


def test_train_on_a_folder_of_several_corpora(mixed, tmp_path):
    printed = run("train", mixed, *LABELS, "--out", tmp_path / "m.skser", *FUNCTIONALS)
    assert "2 corpora: each is standardised by its own recordings" in printed
    assert "emovo: 12 recordings: angry 6, sad 6\nsavee: 36 recordings: angry 18" in printed
    pipeline = skser.load(tmp_path / "m.skser")
    assert sorted(pipeline["scale"].statistics_) == ["emovo", "savee"]
    assert load_info(tmp_path / "m.skser").corpora == ("emovo", "savee")


def test_evaluate_a_folder_of_several_corpora(mixed):
    arguments = [mixed, *LABELS, *FUNCTIONALS, "--jobs", 1, "--cross-corpus"]
    printed = run("evaluate", *arguments)
    assert "mean and deviation of each corpus" in printed
    assert re.search(r"^by corpus emovo [01]\.\d{3}, savee [01]\.\d{3}$", printed, re.M)
    assert "all others, adapted" in printed


def test_a_table_that_names_corpora(home, tmp_path):
    table = pd.concat([pd.read_csv(home / f"{name}.csv") for name in ("first", "second")])
    table["Corpus"] = ["here"] * 12 + [""] * 54
    table.to_csv(tmp_path / "all.csv", index=False)
    arguments = [tmp_path / "all.csv", *SPEAKER, *LABELS, *FUNCTIONALS]
    printed = run("train", *arguments, "--out", tmp_path / "m.skser")
    assert "2 corpora: each is standardised" in printed
    assert load_info(tmp_path / "m.skser").corpora == ("here", "all")


def test_check_names_doubtful_labels(home, tmp_path):
    table = pd.read_csv(home / "second.csv")
    table.loc[table.index[:2], "Emotion"] = ["Angri", "faer"]
    table.to_csv(tmp_path / "all.csv", index=False)
    lines = run("datasets", "check", tmp_path / "all.csv").splitlines()
    assert lines[-2].startswith("'Angri' (1): perhaps 'angry' (1")
    assert lines[-1].startswith("'faer' (1): too few recordings")


def test_a_corpus_alone_and_among_others(mixed, tmp_path, monkeypatch, capsys):
    (tmp_path / "SAVEE").mkdir()
    shutil.copy(mixed / "DC_a00.wav", tmp_path / "SAVEE" / "DC_a00.wav")
    arguments = ["train", mixed, tmp_path / "SAVEE", "--out", tmp_path / "m.skser"]
    code, printed = fail(monkeypatch, capsys, *arguments)
    assert code != 0
    assert re.search(r"SAVEE: has corpus 'savee', as \S*mixed\S* has", printed)


def test_check_takes_what_train_takes(home, mixed, monkeypatch, capsys):
    lines = run("datasets", "check", home / "second.csv", *SPEAKER, *LABELS).splitlines()
    assert lines[-2].startswith("36 recordings, 0 of them unusable")
    assert lines[-1] == "36 recordings: angry 18, sad 18"
    lines = run("datasets", "check", home / "first", "--label", "_([a-z]+)_").splitlines()
    assert lines[-1] == "12 recordings: angry 6, sad 6"
    lines = run("datasets", "check", mixed, "--corpus", "several").splitlines()
    assert lines[-1] == "labels in some: happy (savee)"
    code, printed = fail(monkeypatch, capsys, "datasets", "check", mixed, "--speaker", "(..)")
    assert code != 0
    assert "--speaker must be left out for several" in printed


def test_commands_take_the_same_options_for_corpora():
    root = get_command(cli.app)
    names = ("corpus", "path_column", "speaker", "label", "labels", "audio_home")
    commands = [root.commands[name] for name in ("train", "evaluate", "tune", "adapt")]
    for command in (*commands, root.commands["datasets"].commands["check"]):
        found = {p.name: p for p in command.params if p.name in names}
        assert sorted(found) == sorted(names)
        for name, option in found.items():
            expected = next(p for p in commands[0].params if p.name == name)
            assert (option.opts, option.help, option.default) == (
                expected.opts,
                expected.help,
                expected.default,
            )


def test_tables_name_their_columns_and_may_lie_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(8000)), 16000)
    (tmp_path / "lists").mkdir()
    table = tmp_path / "lists" / "calls.csv"
    table.write_text("wav;Label;ACTOR\na.wav;sad;ann\nb.wav;angry;bob\n")
    arguments = ["datasets", "check", "lists/calls.csv"]
    code, _ = fail(monkeypatch, capsys, *arguments)
    assert code == 1
    printed = invoke(*arguments, "--audio-home", ".").output
    columns = "recordings in column 'wav', labels in column 'Label', speakers in column 'ACTOR'"
    assert columns in printed
    assert "2 recordings, 0 of them unusable" in printed
    code, printed = fail(monkeypatch, capsys, "datasets", "check", ".", "--audio-home", ".")
    assert code == 1
    assert "--audio-home must be left out without tables" in printed
    folder = ["datasets", "check", ".", "--corpus", "folder", "--path", "wav"]
    code, printed = fail(monkeypatch, capsys, *folder)
    assert code == 1
    assert "--path must be left out without tables" in printed
    table.write_text("clip;Label;ACTOR\na.wav;sad;ann\nb.wav;angry;bob\n")
    code, printed = fail(monkeypatch, capsys, *arguments, "--audio-home", ".")
    assert code == 1
    assert "or give path_column (--path)" in printed
    printed = invoke(*arguments, "--audio-home", ".", "--path", "clip").output
    assert columns.replace("wav", "clip") in printed
    out = ["--out", "model.skser", "--audio-home", "."]
    code, printed = fail(monkeypatch, capsys, "train", ".", "--corpus", "folder", *out)
    assert code == 1
    assert "--audio-home must be left out without tables" in printed


@pytest.fixture
def clips_column(home, tmp_path, monkeypatch):
    """A table whose column of recordings has no usual name."""
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(home / "first.csv").rename(columns={"FileName": "clip"})
    table.to_csv("calls.csv", index=False)
    return ["calls.csv", "--path", "clip", *SPEAKER]


def test_the_column_of_recordings(clips_column, home, monkeypatch, capsys):
    code, printed = fail(monkeypatch, capsys, "evaluate", "calls.csv", *SPEAKER, *FUNCTIONALS)
    assert code == 1
    assert "no column of recordings, such as filename" in printed
    run("train", *clips_column, "--keep-features", *FUNCTIONALS, "--out", "model.skser")
    assert load_info("model.skser").emotions == {"angry": 6, "sad": 6}
    run("adapt", "model.skser", *clips_column, "--out", "adapted.skser")
    printed = run("evaluate", *clips_column, "--model", "adapted.skser")
    assert "12 recordings: angry 6, sad 6" in printed
    printed = run("evaluate", *clips_column, *FUNCTIONALS, "--jobs", 1)
    assert "3 folds (leave one speaker out)" in printed


@pytest.mark.slow
def test_the_column_of_recordings_of_a_study_and_across(clips_column, home):
    search = ["--range", "load__duration=0.5,1.0", "--trials", 2]
    with pytest.warns(LeakageWarning, match="best of 2 trials"):
        run("tune", *clips_column, *FUNCTIONALS, *search, "--out", "tuned")
    assert Path("tuned/best.skser").exists()
    table = pd.read_csv(home / "second.csv").rename(columns={"FileName": "clip"})
    table.to_csv("other.csv", index=False)
    printed = run("evaluate", *clips_column, *FUNCTIONALS, "--jobs", 1, "--across", "other.csv")
    assert "other" in printed.splitlines()[-1]


def test_options_for_the_tables_across_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "03a01Fa.wav").touch()
    (tmp_path / "calls.csv").write_text("clip,emotion,agent\nemodb/03a01Fa.wav,sad,ann\n")
    columns = {"speaker": "agent", "path_column": "clip", "audio_home": tmp_path}
    loaded = load_paths([tmp_path / "emodb"], "auto", others=[tmp_path / "calls.csv"], **columns)
    assert loaded[tmp_path / "emodb"].target.tolist() == ["happy"]
    with pytest.raises(ParameterError, match="--audio-home must be left out without tables"):
        load_paths([tmp_path / "emodb"], "auto", **columns)
