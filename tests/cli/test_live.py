"""``skser live`` with a stand-in for sounddevice, and with a virtual microphone of PulseAudio."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from skser import AudioLoader, FeatureUnionExtractor, cli, predict_timeline
from skser.cli._live_outputs import CsvFile, LastRows, StatusLine
from skser.inference import TimelineRow
from skser.inference._timeline_formats import to_csv
from tests.audio.sounddevice_double import SoundDevice
from tests.evaluations import noises, quick_pipeline

SR = 16000


@pytest.fixture(scope="module")
def wave():
    """Faint speech that becomes silence beside the loud speech that follows."""
    rng = np.random.default_rng(0)
    parts = [(3, 0.002), (2, 0.05), (2, 0.0), (3.5, 0.4)]
    return np.concatenate([level * rng.normal(size=int(SR * s)) for s, level in parts]).astype("f4")


@pytest.fixture
def install(monkeypatch):
    def put(samples, **options):
        options = {"devices": [("Mic", 1, SR)], **options}
        module = SoundDevice(np.reshape(samples, (-1, options["devices"][0][1])), **options)
        monkeypatch.setitem(sys.modules, "sounddevice", module)
        return module

    return put


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["live", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def fail(monkeypatch, capsys, *arguments):
    """Standard error of the command, which must exit with 1."""
    monkeypatch.setattr("sys.argv", ["skser", "live", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    return capsys.readouterr().err


def test_rows_are_those_of_the_timeline(pipeline, model, wave, install, tmp_path):
    install(wave)
    done = run(model, "--duration", len(wave) / SR, "--csv", tmp_path / "a.csv")
    expected = predict_timeline(pipeline, wave)
    assert (tmp_path / "a.csv").read_text() == to_csv(expected)
    assert os.listdir(tmp_path) == ["a.csv"]
    head, *lines, last = done.stdout.splitlines()
    assert head.split() == ["start", "end", "emotion", "probability"]
    assert last == f"wrote {tmp_path}/a.csv"
    assert any(line.endswith("revised") for line in lines)
    shown = {float(line.split()[0]): line.split()[2] for line in lines}  # the last of each
    assert list(shown.values()) == [emotion or "-" for emotion in expected["emotion"]]
    assert done.stderr == "recording from Mic, ALSA; Ctrl-C ends\n"


def test_csv_on_standard_output_has_revised_rows_again(pipeline, model, wave, install):
    install(wave)
    done = run(model, "--duration", len(wave) / SR, "--csv", "-")
    table = pd.read_csv(io.StringIO(done.stdout))
    expected = predict_timeline(pipeline, wave)
    assert len(table) > len(expected)
    last = table.drop_duplicates("start", keep="last").sort_values("start")
    assert to_csv(last) == to_csv(expected)


def test_options_and_the_rate_of_the_device(pipeline, model, wave, install):
    loud = np.repeat(wave[5 * SR :], 3)  # 48 kHz
    module = install(np.stack([np.zeros_like(loud), loud], axis=1), devices=[("Mic", 2, 48000)])
    timing = {"window": 2.0, "hop": 0.5, "smoothing": 1.0, "top_db": 30.0}
    options = [part for name, value in timing.items() for part in (f"--{name}", value)]
    options = [str(option).replace("_", "-") for option in options]
    done = run(model, "--device", "mic", "--channel", 1, "--duration", 4, "--csv", "-", *options)
    expected = predict_timeline(pipeline, (loud[: 4 * 48000], 48000), **timing)
    table = pd.read_csv(io.StringIO(done.stdout)).drop_duplicates("start", keep="last")
    assert list(table["emotion"].fillna("")) == list(expected["emotion"].fillna(""))
    np.testing.assert_allclose(table["angry"], expected["angry"], atol=1e-3)
    assert module.opened[0].closed


def test_devices_are_listed_without_a_model(install):
    install([], devices=[("Mic", 1, 16000), ("Array", 4, 48000)])
    assert run("--list-devices").stdout == (
        "*  0  Mic, ALSA  (1 channel, 16000 Hz)\n   1  Array, ALSA  (4 channels, 48000 Hz)\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_the_remaining_rows(number, pipeline, model, wave, install, tmp_path):
    before = signal.getsignal(number)
    install(wave, at_end=lambda: signal.raise_signal(number))
    run(model, "--csv", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == to_csv(predict_timeline(pipeline, wave))
    assert signal.getsignal(number) == before


def test_ctrl_c_before_any_audio(model, install, tmp_path):
    install([], at_end=lambda: signal.raise_signal(signal.SIGINT))
    run(model, "--csv", tmp_path / "a.csv")
    assert os.listdir(tmp_path) == []


def test_what_an_unplugged_device_has_heard_is_kept(
    pipeline, model, wave, install, tmp_path, monkeypatch, capsys
):
    install(wave)
    stderr = fail(monkeypatch, capsys, model, "--csv", tmp_path / "a.csv")
    *_, last = stderr.splitlines()
    assert last == "skser: error: Mic, ALSA: has stopped recording; is it still connected?"
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(predict_timeline(pipeline, wave))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--device", "webcam"],
            "part of the name of an input device, got 'webcam': 0 Mic, ALSA",
        ),
        (["--channel", "left"], "channel must be 'mean' or an integer of at least 0, got 'left'"),
        (["--channel", "1"], "Mic, ALSA: has 1 channel, so channel must be 'mean' or 0, got 1"),
        (["--duration", "0"], "duration must be "),
        (["--hop", "0"], "hop must be a number of at least 0.01, got 0"),
        (["--csv", "no/a.csv"], "no/a.csv: its folder no does not exist"),
    ],
)
def test_errors_are_one_line(options, message, model, install, monkeypatch, capsys):
    install([])
    stderr = fail(monkeypatch, capsys, model, *options)
    assert stderr.startswith("skser: error: ")
    assert message in stderr
    assert stderr.count("\n") == 1


def test_a_model_that_does_not_load_audio(install, tmp_path, monkeypatch, capsys):
    install([])
    speech = noises()
    steps = quick_pipeline().fit(speech.waveforms, speech.target)[1:]
    joblib.dump(steps, tmp_path / "m.joblib")
    stderr = fail(monkeypatch, capsys, tmp_path / "m.joblib")
    assert "pipeline must begin with an AudioLoader, got " in stderr


def row(index, emotion="sad", revised=False):
    probabilities = None if emotion is None else np.array([0.25, 0.75])
    silence = emotion is None
    return TimelineRow(index, index, index + 1.0, emotion, silence, probabilities, revised)


def test_the_file_is_complete_after_each_row(tmp_path):
    rows = LastRows(["angry", "sad"])
    file = CsvFile(tmp_path / "a.csv", rows)
    for news, emotions in [
        ([row(0)], ["sad"]),
        ([row(1), row(2)], ["sad"] * 3),
        ([row(1, None, revised=True), row(3)], ["sad", None, "sad", "sad"]),
        ([row(4)], ["sad", None, "sad", "sad", "sad"]),
    ]:
        rows.update(news)
        file.write(news)
        table = pd.read_csv(tmp_path / "a.csv")
        assert list(table.columns) == ["start", "end", "emotion", "silence", "angry", "sad"]
        assert [None if pd.isna(name) else name for name in table["emotion"]] == emotions
    assert os.listdir(tmp_path) == ["a.csv"]


def test_the_line_of_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    line = StatusLine(stream, ["angry", "sad"])
    line.level(61.5, -30.0)
    line.show([row(0)])
    line.level(3661.5, 5.0)
    line.clear()
    drawn = [text for text in stream.getvalue().split("\r") if text]
    assert {len(text) for text in drawn} == {59}
    assert [text.rstrip() for text in drawn] == [
        "0:01:01 ##########..........  -30 dB",
        "1:01:01 ####################    5 dB  sad 75 %  angry 25 %",
        "",
    ]


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    """Environment of a PulseAudio server whose sink ``speech`` is a virtual microphone."""
    if shutil.which("pulseaudio") is None or shutil.which("paplay") is None:
        pytest.skip("no PulseAudio; apt install pulseaudio libasound2-plugins")
    home = tmp_path_factory.mktemp("pulse")
    home.chmod(0o700)
    socket = home / "native"
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PULSE_RUNTIME_PATH": str(home),
        "PULSE_SERVER": f"unix:{socket}",
        "PYTHONWARNINGS": "",
    }
    modules = [f"module-native-protocol-unix socket={socket}", "module-null-sink sink_name=speech"]
    options = [part for module in modules for part in ("-L", module)]
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *options],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not socket.exists() and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        devices = subprocess.run(
            [sys.executable, "-m", "skser", "live", "--list-devices"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if "default, ALSA" not in devices.stdout and "pulse, ALSA" not in devices.stdout:
            pytest.skip(f"no virtual microphone: {(devices.stdout + devices.stderr).strip()}")
        yield environment
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.mark.slow
def test_a_virtual_microphone_on_a_terminal(pulse, tmp_path):
    rng = np.random.default_rng(0)
    clips = [level * rng.normal(size=SR) for level in (0.02, 0.3) for _ in range(4)]
    pipeline = make_pipeline(
        AudioLoader(), FeatureUnionExtractor(["rms"]), LogisticRegression(C=1e6)
    ).fit(clips, ["calm"] * 4 + ["angry"] * 4)
    model = tmp_path / "model.joblib"
    joblib.dump(pipeline, model)
    talk = np.concatenate([level * rng.normal(size=3 * SR) for level in (0.02, 0.3, 0.02)])
    soundfile.write(tmp_path / "talk.wav", talk.clip(-1, 1), SR)
    terminal, its_end = os.openpty()
    command = [sys.executable, "-m", "skser", "live", model, "--device", "pulse"]
    options = ["--window", "1", "--hop", "0.5", "--smoothing", "0"]
    process = subprocess.Popen(
        [*map(str, command), "--csv", str(tmp_path / "a.csv"), *options],
        env=pulse,
        stdout=its_end,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(its_end)
    try:
        assert process.stderr.readline() == "recording from pulse, ALSA; Ctrl-C ends\n"
        subprocess.run(
            ["paplay", "--device=speech", tmp_path / "talk.wav"], env=pulse, check=True, timeout=60
        )
        process.send_signal(signal.SIGINT)
        shown = b""
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert process.wait(timeout=60) == 0
        assert "error" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        os.close(terminal)
    assert b" dB  " in shown
    assert shown.decode().endswith(f"wrote {tmp_path}/a.csv\r\n")
    found = pd.read_csv(tmp_path / "a.csv")
    expected = predict_timeline(pipeline, tmp_path / "talk.wav", window=1.0, hop=0.5)

    def turns(table):
        emotions = table.loc[~table["silence"], "emotion"]
        return emotions[emotions != emotions.shift()].tolist()

    assert turns(found) == turns(expected) == ["calm", "angry", "calm"]
