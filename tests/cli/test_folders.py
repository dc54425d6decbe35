"""`skser train` and `evaluate` of folders: labels in file names, and folders train and test."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from skser import cli
from skser.datasets import make_emotional_speech
from skser.exceptions import DataError, ParameterError
from skser.persistence import load_info

QUICK = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
    *("--jobs", 1),
]


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(
        n_speakers=3, emotions=["angry", "sad"], n_sentences=1, n_takes=2, random_state=0
    )


def write(speech, name):
    """Write the recordings, each to the path that a function of its row gives."""
    for waveform, row in zip(speech.waveforms, speech.frame.itertuples(), strict=True):
        path = name(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, waveform, speech.sr)


@pytest.fixture
def flat(speech, tmp_path):
    """The emotion, the speaker and the take in the name."""
    home = tmp_path / "flat"
    write(speech, lambda row: home / f"{row.emotion}_{row.speaker[-3:]}_{row.take}.wav")
    return home


@pytest.fixture
def split(speech, tmp_path):
    """Folders train and test, with the last speaker in test."""
    home, last = tmp_path / "split", np.unique(speech.groups)[-1]
    part = {name: "test" if name == last else "train" for name in speech.groups}
    write(
        speech,
        lambda row: home / part[row.speaker] / row.emotion / f"{row.speaker[-3:]}_{row.take}.wav",
    )
    return home


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
def test_label_in_the_file_name(flat, tmp_path):
    words = ["--label", "^([a-z]+)_", "--speaker", r"_([a-z]\d+)_"]
    printed = run("evaluate", flat, *words, *QUICK)
    assert "12 recordings: angry 6, sad 6" in printed
    assert "3 folds (leave one speaker out)" in printed
    run("train", flat, *words, *QUICK, "--out", tmp_path / "model.skser")
    assert load_info(tmp_path / "model.skser").n_speakers == 3


def test_without_the_label_the_error_says_how_to_give_it(flat):
    with pytest.raises(DataError, match=r"not recognised.*pass label.*recordings: 'angry_f01"):
        run("evaluate", flat, *QUICK)


def test_label_of_a_known_corpus(tmp_path):
    (tmp_path / "03a01Fa.wav").touch()
    with pytest.raises(ParameterError, match="--label must be left out for emodb"):
        run("evaluate", tmp_path, "--label", "(a)", *QUICK)


def test_column_of_labels(flat):
    files = sorted(flat.iterdir())
    rows = [f"{file.name},{file.name.split('_')[0]},{file.name.split('_')[1]}" for file in files]
    table = flat / "table.csv"
    table.write_text("\n".join(["FileName,Mood,Who", *rows]))
    printed = run("evaluate", table, "--label", "Mood", "--speaker", "Who", *QUICK)
    assert "12 recordings: angry 6, sad 6" in printed


@pytest.mark.parametrize("speaker", [[], ["--speaker", r"/([a-z]\d+)_"]])
def test_folders_train_and_test(split, speaker):
    printed = run("evaluate", split, *speaker, *QUICK)
    assert "1 fold (the corpus' own split: trained on train, tested on test)" in printed
    assert "12 recordings: angry 6, sad 6" in printed


@pytest.mark.slow
def test_scores_of_the_split_go_into_the_model(split, tmp_path):
    words = ["--speaker", r"/([a-z]\d+)_", *QUICK]
    run("evaluate", split, *words, "--out", tmp_path / "scores")
    model = tmp_path / "model.skser"
    run("train", split, *words, "--scores", tmp_path / "scores", "--out", model)
    assert "the corpus' own split" in load_info(model).score["protocol"]


def test_speakers_rather_than_the_split(split):
    words = ["--speaker", r"/([a-z]\d+)_"]
    printed = run("evaluate", split, *words, "--folds", "speakers", *QUICK)
    assert "3 folds (leave one speaker out)" in printed
    assert re.search(
        r"^UAR .* with random folds", run("evaluate", split, *words, "--leakage", *QUICK), re.M
    )


@pytest.mark.slow
def test_training_leaves_the_test_part_out(split, tmp_path):
    words = ["--speaker", r"/([a-z]\d+)_", *QUICK, "--out", tmp_path / "model.skser"]
    printed = run("train", split, *words)
    assert "4 of 12 recordings are left out: part test of the split; --with-test trains" in printed
    info = load_info(tmp_path / "model.skser")
    assert (info.n_speakers, info.emotions) == (2, {"angry": 4, "sad": 4})
    model = tmp_path / "model.skser"
    printed = run("evaluate", split, *words[:2], "--model", model, "--out", tmp_path / "scores")
    assert "4 of 12 recordings are scored: the part that train leaves out" in printed
    assert len(pd.read_csv(tmp_path / "scores" / "predictions.csv")) == 4
    assert "left out" not in run("train", split, *words, "--with-test")
    assert load_info(tmp_path / "model.skser").n_speakers == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skser.exceptions.LeakageWarning")
@pytest.mark.parametrize("folds", ["auto", "speakers"])
def test_tuning_leaves_the_test_part_out(split, tmp_path, folds):
    words = ["--speaker", r"/([a-z]\d+)_", *QUICK, "--trials", 1, "--folds", folds]
    printed = run("tune", split, *words, "--out", tmp_path / "tuned")
    line = "4 of 12 recordings are left out: part test of the split"
    assert f"the search is on the rest of the corpus: {line}" in printed
    protocol = json.loads((tmp_path / "tuned" / "study.json").read_text())["protocol"]
    assert line in protocol
    assert "2 folds" in protocol
