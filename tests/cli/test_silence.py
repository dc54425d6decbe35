"""What commands say of silent recordings."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli, evaluate
from skser.exceptions import AudioWarning
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import quick_model

SPEECH = noises()
FUNCTIONALS = [
    *("--recipe", "functionals"),
    *("--set", "augment__n_views=1"),
    *("--set", "features__blocks=['zcr','rms']"),
]


def run(*arguments, code=0):
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == code
    return done.stdout


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A table of recordings of four speakers, of which two are silent, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for i, waveform in enumerate(SPEECH.waveforms):
        silent = {3: np.zeros(4000), 20: np.full(5000, 0.1)}
        soundfile.write(f"{i:02d}.wav", silent.get(i, waveform), 16000)
    names = [f"{i:02d}.wav" for i in range(len(SPEECH.waveforms))]
    columns = {"path": names, "emotion": SPEECH.target, "speaker": SPEECH.groups}
    pd.DataFrame(columns).to_csv("list.csv", index=False)


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """A model, a recording with speech, and a silent one; the current folder."""
    monkeypatch.chdir(tmp_path)
    pipeline, clips = quick_model()
    skser.save(pipeline, "model.skser")
    soundfile.write("a.wav", clips[0], 16000)
    soundfile.write("b.wav", np.full(16000, 0.1), 16000)
    return ["predict", "model.skser", "a.wav", "b.wav"]


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
def test_predict_marks_silence_and_names_no_emotion(recordings, runtime):
    arguments = [*recordings, "--runtime", runtime]
    speech, silent = csv.DictReader(io.StringIO(run(*arguments, "--csv", "-")))
    assert (speech["silence"], silent["silence"]) == ("False", "True")
    assert speech["emotion"] in ("angry", "calm", "sad")
    assert [silent[name] for name in ("emotion", "angry", "calm", "sad")] == 4 * [""]
    speech, silent = map(json.loads, run(*arguments, "--json", "-").splitlines())
    assert (speech["silence"], silent["silence"]) == (False, True)
    assert (silent["emotion"], silent["probabilities"]) == (None, None)
    assert max(speech["probabilities"], key=speech["probabilities"].get) == speech["emotion"]
    header, first, second = [line.split() for line in run(*arguments).splitlines()]
    assert header == ["file", "emotion", "angry", "calm", "sad", "silence"]
    assert (len(first), first[-1]) == (6, "False")
    assert second == ["b.wav", "True"]


def test_top_emotions_of_silence(recordings):
    _, silent = csv.DictReader(io.StringIO(run(*recordings, "--csv", "-", "--top", "2")))
    assert silent["silence"] == "True"
    names = ("emotion", "probability", "emotion2", "probability2")
    assert [silent[name] for name in names] == 4 * [""]


@pytest.mark.usefixtures("corpus")
def test_train_names_silent_recordings():
    with pytest.warns(AudioWarning, match=r"^2 of 36 .* silent or constant.*03\.wav, .*20\.wav; "):
        run("train", "list.csv", "--out", "model.skser", *FUNCTIONALS)


@pytest.mark.usefixtures("corpus")
def test_evaluate_names_silent_recordings_once():
    frame = pd.read_csv("list.csv")
    with pytest.warns(AudioWarning, match=r"^2 of 36 .*silent.*03\.wav, .*20\.wav; ") as caught:
        evaluate(quick_pipeline(), frame["path"], frame["emotion"], groups=frame["speaker"])
    assert len(caught) == 1
    fitted = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    with pytest.warns(AudioWarning, match="1 of 2 .*silent"):
        evaluate(fitted, ["00.wav", "03.wav"], ["angry", "calm"], cv="prefit")


@pytest.mark.usefixtures("corpus")
def test_datasets_check_lists_silent_recordings():
    printed = run("datasets", "check", "list.csv", "--csv", "table.csv", code=1)
    assert [line for line in printed.splitlines() if "silent" in line] == [
        "03.wav: is silent or constant",
        "20.wav: is silent or constant",
    ]
    problems = pd.read_csv("table.csv").set_index("path")["problem"].dropna()
    assert problems.index.tolist() == ["03.wav", "20.wav"]
