import json

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from skser import cli, predict_timeline
from skser.inference import to_srt, to_textgrid
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


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "my talk.flac"
    parts = [(4, 0.05), (3, 0.0), (5.5, 0.15)]
    rng = np.random.default_rng(0)
    wave = np.concatenate([level * rng.normal(size=int(16000 * s)) for s, level in parts])
    soundfile.write(path, wave, 16000)
    return path


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["timeline", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(monkeypatch, capsys, *arguments):
    """Standard error of the command, which must exit with 1."""
    monkeypatch.setattr("sys.argv", ["skser", "timeline", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    return capsys.readouterr().err


def test_every_format_is_written(pipeline, model, recording, tmp_path):
    out = {name: tmp_path / f"talk.{name}" for name in ("csv", "json", "png", "textgrid", "srt")}
    options = [part for name, path in out.items() for part in (f"--{name}", path)]
    printed = run(model, recording, *options, "--hop", 0.5, "--smoothing", 2)
    assert printed == "".join(f"wrote {path}\n" for path in out.values())
    assert sorted(tmp_path.iterdir()) == sorted(out.values())

    expected = predict_timeline(pipeline, recording, hop=0.5, smoothing=2.0)
    table = pd.read_csv(out["csv"])
    assert list(table.columns) == list(expected.columns)
    np.testing.assert_allclose(table["angry"], expected["angry"], atol=5.1e-5)
    assert list(table["silence"]) == list(expected["silence"])

    rows = json.loads(out["json"].read_text(encoding="utf-8"))
    assert [row["emotion"] for row in rows] == list(expected["emotion"])
    assert [row["end"] for row in rows] == list(expected["end"])
    for row, silent in zip(rows, expected["silence"], strict=True):
        assert list(row) == ["start", "end", "emotion", "silence", "probabilities"]
        assert row["silence"] is bool(silent)
        assert (row["probabilities"] is None) == silent
    assert list(rows[0]["probabilities"]) == ["angry", "calm", "sad"]

    assert out["textgrid"].read_text(encoding="utf-8") == to_textgrid(expected)
    assert out["srt"].read_text(encoding="utf-8") == to_srt(expected)
    with Image.open(out["png"]) as picture:
        assert picture.format == "PNG"
        assert picture.width == 1500


@pytest.mark.parametrize("name", ["csv", "png"])
def test_standard_output(name, model, recording, tmp_path):
    arguments = ["timeline", model, recording, f"--{name}"]
    run(*arguments[1:], tmp_path / "a")
    done = CliRunner().invoke(cli.app, [*map(str, arguments), "-", "--srt", str(tmp_path / "b")])
    assert done.stdout_bytes == (tmp_path / "a").read_bytes()
    assert done.stderr.endswith(f"\nwrote {tmp_path}/b\n")


def test_segments_are_printed_without_files(model, recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = run(model, recording).splitlines()
    assert lines[0].split() == ["start", "end", "emotion", "probability"]
    starts, ends = zip(*(line.split()[:2] for line in lines[1:]), strict=True)
    assert (starts[0], ends[-1]) == ("0.00", "12.50")
    assert starts[1:] == ends[:-1]
    assert [line.split()[2:] for line in lines[1:]].count(["-", "-"]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{model}", "nowhere.mp3"], "nowhere.mp3: does not exist"),
        (["{model}", "nowhere.mp3", "--csv", "no/a.csv"], "no/a.csv: its folder no does not exist"),
        (["{model}", "{recording}", "--hop", "0"], "hop must be a number of at least 0.01, got 0"),
        (["{recording}", "{recording}"], "is not a model file, or is truncated"),
        (["{model}", "{recording}", "--window", "4"], "window must be at most"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    arguments, message, model, recording, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    names = {"model": model, "recording": recording}
    stderr = fail(monkeypatch, capsys, *(argument.format(**names) for argument in arguments))
    assert stderr.startswith("skser: error: ")
    assert message in stderr
    assert stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--csv", "{recording}"], "{recording}: is named twice, and"),
        (["--csv", "a", "--srt", "{model}"], "{model}: is named twice, and"),
        (["--csv", "a", "--json", "a"], "a: is named twice, and writing"),
        (["--png", "a.wav"], "--png must not overwrite a recording, got a.wav"),
    ],
)
def test_nothing_is_overwritten(options, message, model, recording, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = model.read_bytes(), recording.read_bytes()
    places = {"model": model, "recording": recording}
    options = [option.format(**places) for option in options]
    stderr = fail(monkeypatch, capsys, model, recording, *options)
    assert stderr.startswith(f"skser: error: {message.format(**places)}")
    assert (model.read_bytes(), recording.read_bytes()) == before
    assert list(tmp_path.iterdir()) == []
