import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from skser import cli, predict_timeline
from skser.inference import to_srt, to_textgrid


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


def test_an_address_is_no_path(model, monkeypatch, capsys):
    address = "https://example.org/call.wav"
    assert fail(monkeypatch, capsys, model, address).startswith(
        f"skser: error: {address}: is an address; download it"
    )


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


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    noise = np.random.default_rng(0).normal(0, 0.1, (6 * 16000, 2))
    soundfile.write(path, noise * np.repeat([[1.0, 0.0], [0.0, 0.5]], 3 * 16000, axis=0), 16000)
    return path


def test_each_channel(pipeline, model, call, tmp_path):
    out = {name: tmp_path / f"call.{name}" for name in ("csv", "json", "png", "textgrid", "srt")}
    options = [part for name, path in out.items() for part in (f"--{name}", path)]
    run(model, call, "--channel", "each", *options)
    expected = predict_timeline(pipeline, call, channel="each")
    table = pd.read_csv(out["csv"])
    assert list(table.columns) == list(expected.columns)
    assert list(table["channel"]) == list(expected["channel"])
    np.testing.assert_allclose(table["angry"], expected["angry"], atol=5.1e-5)
    rows = json.loads(out["json"].read_text(encoding="utf-8"))
    assert [row["channel"] for row in rows] == [0] * 6 + [1] * 6
    for row, silent in zip(rows, expected["silence"], strict=True):
        assert list(row) == ["channel", "start", "end", "emotion", "silence", "probabilities"]
        assert (row["probabilities"] is None) == silent
    assert list(rows[0]["probabilities"]) == ["angry", "calm", "sad"]
    assert out["textgrid"].read_text(encoding="utf-8") == to_textgrid(expected)
    assert out["srt"].read_text(encoding="utf-8") == to_srt(expected)
    run(model, call, "--png", tmp_path / "mean.png")
    with Image.open(out["png"]) as picture, Image.open(tmp_path / "mean.png") as mean:
        assert picture.width == mean.width
        assert picture.height == pytest.approx(2 * mean.height, abs=2)
    lines = run(model, call, "--channel", "each").splitlines()
    assert lines[0].split() == ["channel", "start", "end", "emotion", "probability"]
    assert {line.split()[0] for line in lines[1:]} == {"0", "1"}


@pytest.mark.parametrize("channel", ["mean", "1"])
def test_a_channel(channel, pipeline, model, call, tmp_path):
    run(model, call, "--channel", channel, "--csv", tmp_path / "a.csv")
    number = int(channel) if channel.isdecimal() else channel
    expected = predict_timeline(pipeline, call, channel=number)
    assert list(pd.read_csv(tmp_path / "a.csv")["silence"]) == list(expected["silence"])


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("2", "call.wav: has 2 channels, so channel must be 'mean' or an integer in [0, 1], got 2"),
        ("left", "channel must be "),
        ("-1", "got '-1'"),
        ("", "got ''"),
    ],
)
def test_channels_that_are_none(channel, message, model, call, monkeypatch, capsys):
    stderr = fail(monkeypatch, capsys, model, call, f"--channel={channel}")
    assert message in stderr
    assert stderr.count("\n") == 1
