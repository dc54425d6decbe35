import csv
import io
import json
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli
from skser.audio import _clip_reader
from skser.cli.predict import find_recordings
from skser.exceptions import DataError
from skser.inference import TrainingAudio
from skser.persistence import ModelInfo
from tests.persistence.models import quick_model


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A model, and recordings in folders."""
    home = tmp_path_factory.mktemp("home")
    pipeline, clips = quick_model()
    skser.save(pipeline, home / "model.skser")
    (home / "calls" / "old").mkdir(parents=True)
    for i, clip in enumerate(clips):
        folder = home / "calls" / ("old" if i % 2 else "")
        soundfile.write(folder / f"{i}.flac", clip, 16000)
    (home / "calls" / "notes.txt").write_text("no audio")
    return home


def invoke(*arguments, stdin=None):
    arguments = ["predict", *map(str, arguments)]
    return CliRunner().invoke(cli.app, arguments, input=stdin, catch_exceptions=False)


def probabilities(home, *paths):
    return skser.load(home / "model.skser").predict_proba([str(home / path) for path in paths])


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
def test_table(at_home, runtime):
    files = ("calls/0.flac", "calls/old/1.flac")
    done = invoke("model.skser", *files, "--runtime", runtime)
    assert done.exit_code == 0
    header, *rows = [line.split() for line in done.stdout.splitlines()]
    assert header == ["file", "emotion", "angry", "calm", "sad"]
    for row, path, numbers in zip(rows, files, probabilities(at_home, *files), strict=True):
        assert row[:2] == [path, header[2 + numbers.argmax()]]
        assert row[2:] == [f"{p:.2f}" for p in numbers]


def test_csv_of_a_folder_in_the_order_of_names(at_home):
    done = invoke("model.skser", "calls", "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    names = ["calls/0.flac", "calls/2.flac", "calls/4.flac", "calls/old/1.flac", "calls/old/3.flac"]
    assert [row["file"] for row in rows] == names
    numbers = [[float(row[c]) for c in ("angry", "calm", "sad")] for row in rows]
    np.testing.assert_allclose(numbers, probabilities(at_home, *names), atol=1e-4)


def test_json_lines_of_a_pattern(at_home):
    done = invoke("model.skser", "calls/**/*.flac", "--json", "-")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 5
    for row in rows:
        numbers = list(row["probabilities"].values())
        assert row["emotion"] == max(row["probabilities"], key=row["probabilities"].get)
        assert numbers == sorted(numbers, reverse=True)


def test_several_outputs_at_once(at_home, tmp_path):
    printed = invoke("model.skser", "calls", "--csv", "-").stdout
    done = invoke(
        "model.skser", "calls", "--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json"
    )
    assert done.stdout.splitlines() == [f"wrote {tmp_path}/a.json", f"wrote {tmp_path}/a.csv"]
    assert (tmp_path / "a.csv").read_text() == printed
    rows = [json.loads(line) for line in (tmp_path / "a.json").read_text().splitlines()]
    assert [row["file"] for row in rows] == [
        line.split(",")[0] for line in printed.splitlines()[1:]
    ]
    # Messages do not get between the data.
    mixed = invoke("model.skser", "calls", "--csv", "-", "--json", tmp_path / "a.json")
    assert (mixed.stdout, mixed.stderr) == (printed, f"wrote {tmp_path}/a.json\n")


def test_a_list_on_standard_input(at_home):
    done = invoke("model.skser", "-", "--csv", "-", stdin="calls/0.flac\n\ncalls/old/1.flac\n")
    files = [line.split(",")[0] for line in done.stdout.splitlines()]
    assert files == ["file", "calls/0.flac", "calls/old/1.flac"]


def test_top(at_home):
    done = invoke("model.skser", "calls/0.flac", "--csv", "-", "--top", "2")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    columns = ["file", "emotion", "probability", "emotion2", "probability2"]
    assert list(row) == [*columns, "silence", "ood_reasons"]
    first, second = np.sort(probabilities(at_home, "calls/0.flac")[0])[:0:-1]
    assert float(row["probability"]) == pytest.approx(first, abs=1e-4)
    assert float(row["probability2"]) == pytest.approx(second, abs=1e-4)
    assert invoke("model.skser", "calls/0.flac", "--csv", "-", "--top", "9").exit_code == 0


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
def test_a_bad_recording_costs_no_other(at_home, runtime):
    files = ("calls/0.flac", "nowhere.wav", "calls/notes.txt", "calls/old/1.flac")
    done = invoke("model.skser", *files, "--csv", "-", "--runtime", runtime)
    assert done.exit_code == 1
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == [files[0], files[3]]
    first, second = done.stderr.splitlines()
    assert first == "skser: error: nowhere.wav: does not exist"
    assert second.startswith("skser: error: calls/notes.txt: is text, not a recording")


def test_nothing_but_bad_recordings(at_home):
    done = invoke("model.skser", "nowhere.wav")
    assert (done.exit_code, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.skser", "calls/*.mp3"], "calls/*.mp3: no file matches this pattern"),
        (
            ["model.skser", "https://example.org/a.wav?raw=1"],
            "https://example.org/a.wav?raw=1: is an address; download it",
        ),
        (
            ["model.skser", "calls/0.flac", "--json", "-", "--csv", "-"],
            "--csv and --json exclude each other on standard output, got - twice",
        ),
        (
            ["model.skser", "calls/2.flac", "--csv", "calls/0.flac"],
            "--csv must not overwrite a recording, got calls/0.flac",
        ),
        (
            ["model.skser", "calls/0.flac", "--csv", "model.skser"],
            "model.skser: is named twice, and writing to it would overwrite it",
        ),
        (["nothing.skser", "calls/0.flac"], "nothing.skser: is not a file, so there is no model"),
        (["calls/0.flac", "calls/0.flac"], "calls/0.flac: is not a model file, or is truncated"),
        (
            ["model.skser", "calls/0.flac", "--runtime", "tensorflo"],
            "--runtime must be 'auto' or 'onnx' or 'tensorflow', got 'tensorflo'; did you mean "
            "'tensorflow'?",
        ),
    ],
)
def test_errors_are_one_line(arguments, message, at_home, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["skser", "predict", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    stderr = capsys.readouterr().err
    assert left.value.code == 1
    assert stderr.startswith(f"skser: error: {message}")
    assert stderr.count("\n") == 1


def test_errors_repeat_little_of_base64(at_home):
    done = invoke("model.skser", "UklGRiQAAABXQVZFZm10IBAAAAABAAEA" * 300)
    assert done.stderr.startswith("skser: error: UklGR")
    assert "is text in base64" in done.stderr
    assert len(done.stderr) < 350


def test_errors_of_the_decoder_name_a_recording_once(at_home):
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, 80000)
    soundfile.write(file, noise, 16000, format="FLAC")
    content = bytearray(file.getvalue())
    content[3000:3500] = bytes(500)
    (at_home / "damaged.flac").write_bytes(content)
    done = invoke("model.skser", "damaged.flac")
    assert done.stderr.startswith("skser: error: damaged.flac: cannot be decoded (")
    (at_home / "damaged.flac").unlink()


def test_a_warning_is_shown_once(at_home, tmp_path, monkeypatch, capsys):
    waveform, sr = soundfile.read(at_home / "calls" / "0.flac")
    path = tmp_path / "opposite.wav"
    soundfile.write(path, np.stack([waveform, -waveform], axis=1), sr)
    monkeypatch.setattr("sys.argv", ["skser", "predict", "model.skser", str(path)])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(SystemExit):
            cli.main()
    assert capsys.readouterr().err.count("its channels cancel in their mean") == 1


def test_abstain_below(at_home):
    probability = probabilities(at_home, "calls/0.flac")[0].max()
    for limit, is_named in ((probability - 0.01, True), (probability + 0.01, False)):
        done = invoke(
            "model.skser", "calls/0.flac", "--json", "-", "--abstain-below", f"{limit:.4f}"
        )
        row = json.loads(done.stdout)
        assert (row["emotion"] is not None) == is_named
        assert max(row["probabilities"].values()) == pytest.approx(probability, abs=1e-4)


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
def test_out_of_distribution(at_home, tmp_path, runtime):
    pipeline, clips = quick_model()
    audio = TrainingAudio.of(pipeline, clips).to_dict()
    path = tmp_path / "model.skser"
    skser.save(pipeline, path, info=ModelInfo({"angry": 1}, audio=audio))
    soundfile.write(tmp_path / "quiet.flac", 0.001 * clips[0], 16000, subtype="PCM_24")
    files = ("calls/0.flac", str(tmp_path / "quiet.flac"), "nowhere.wav")
    done = invoke(str(path), *files, "--json", "-", "--runtime", runtime)
    alike, quiet = map(json.loads, done.stdout.splitlines())
    assert alike["ood_reasons"] == []
    assert quiet["ood_reasons"][0].startswith("level -")
    header, first, second = invoke(str(path), *files, "--runtime", runtime).stdout.splitlines()
    assert header.split()[-1] == "ood_reasons"
    assert "level" not in first
    assert second.endswith("; ".join(quiet["ood_reasons"]))


def test_abstaining_keeps_the_column(at_home):
    header, row = invoke("model.skser", "calls/0.flac", "--abstain-below", "1").stdout.splitlines()
    assert header.split() == ["file", "emotion", "angry", "calm", "sad"]
    assert len(row.split()) == 4


def test_a_name_is_shown_on_one_line(at_home, tmp_path):
    strange = str(tmp_path / "a\nb\x1b.flac")
    shutil.copy("calls/0.flac", strange)
    done = invoke("model.skser", strange, f"{strange}.mp3")
    assert len(done.stdout.splitlines()) == 2
    assert f"{tmp_path}/a\\nb\\x1b.flac " in done.stdout
    assert done.stderr == f"skser: error: {tmp_path}/a\\nb\\x1b.flac.mp3: does not exist\n"


def run(*arguments, **options):
    """Run the command in a process of its own, with real streams."""
    command = [sys.executable, "-m", "skser.cli", "predict", "model.skser", *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, **options)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names are not any bytes everywhere")
def test_a_name_that_is_not_text(at_home, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.flac"
    shutil.copy("calls/0.flac", name)
    done = run("-", "--csv", "-", input=name + b"\n", stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[1].startswith(name + b",")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_disk(at_home):
    with open("/dev/full", "wb") as full:
        done = run("calls/0.flac", stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"skser: error: [Errno 28] No space left on device\n"


def test_closed_pipe(at_home):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = run("calls/0.flac", "--csv", "-", stdout=closed)
    assert (done.returncode, done.stderr) == (1, b"")


def test_no_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="no recording on standard input"):
        list(find_recordings("-"))


def test_empty_name():
    with pytest.raises(DataError, match="got an empty name"):
        list(find_recordings(""))


@pytest.mark.parametrize("options", [(), ("--runtime", "tensorflow")])
def test_each_file_is_decoded_once(at_home, tmp_path, monkeypatch, options):
    pipeline, clips = quick_model()
    speech = [str(path) for path in sorted((at_home / "calls").rglob("*.flac"))]
    training = TrainingAudio.of(pipeline, speech)
    info = ModelInfo({"angry": 5}, audio=training.to_dict())
    skser.save(pipeline, tmp_path / "model.skser", info=info)
    decoded = []
    decode = _clip_reader.decode_audio

    def counting(source, *arguments, **named):
        decoded.append(source)
        return decode(source, *arguments, **named)

    monkeypatch.setattr(_clip_reader, "decode_audio", counting)
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, 0.001 * clips[0], 16000)
    done = invoke(tmp_path / "model.skser", "calls", loud, "--csv", "-", *options)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["ood_reasons"] for row in rows] == [
        "; ".join(training.ood_reasons(row["file"])) for row in rows
    ]
    assert "level" in rows[-1]["ood_reasons"]
    assert len(decoded) == 2 * len(rows)  # the second time for the comparison above


def test_most_recordings_below_the_threshold(at_home):
    files = ("calls/0.flac", "calls/old/1.flac")
    highest = probabilities(at_home, *files).max(axis=1)
    done = invoke("model.skser", *files, "--csv", "all.csv", "--abstain-below", "1")
    reason = f"the highest probability is {highest.max():.2f}"
    warning = f"skser: warning: 2 of 2 recordings are below --abstain-below 1; {reason}"
    assert warning in done.stderr
    half = f"{highest.mean():.4f}"
    assert "warning" not in invoke("model.skser", *files, "--abstain-below", half).stderr
    done = invoke("model.skser", *files, "--out", "most.csv", "--abstain-below", "1")
    assert warning in done.stderr
