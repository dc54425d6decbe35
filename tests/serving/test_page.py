"""The page, in a real browser with a microphone that plays a file."""

import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli
from skser.inference import to_srt
from tests.serving.conftest import in_thread, serving
from tests.serving.page_visits import HTML_NAME

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)

    def noise(level, seconds):
        return rng.normal(0, level, int(16000 * seconds))

    soundfile.write(tmp_path / "loud.wav", noise(0.15, 2), 16000)
    soundfile.write(tmp_path / HTML_NAME, noise(0.05, 0.4), 16000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    parts = [noise(5e-4, 5.0), noise(0.2, 4.0)]  # what precedes loud speech becomes silence
    soundfile.write(tmp_path / "talk.wav", np.concatenate(parts), 16000)
    (tmp_path / "broken.wav").write_text("no recording")
    return tmp_path


def visit(name, address, folder):
    pytest.importorskip("playwright")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium is installed")
    address = str(address).rstrip("/")
    command = [sys.executable, "-m", "tests.serving.page_visits", name, address, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr


def test_files_that_are_dropped(server, folder):
    visit("drop", server.address, folder)


def test_downloads_equal_the_commands(server, folder, model_file, monkeypatch):
    visit("files", server.address, folder)
    monkeypatch.chdir(folder)

    def command(name, *arguments):
        done = CliRunner().invoke(
            cli.app, [name, str(model_file), *arguments], catch_exceptions=False
        )
        assert done.exit_code == 0
        return done.stdout

    names = ["loud.wav", "silent.wav", HTML_NAME, "talk.wav"]
    predictions = command("predict", *names, "--csv", "-")
    assert (folder / "predictions.csv").read_text() == predictions
    assert (folder / "timeline.csv").read_text() == command("timeline", "talk.wav", "--csv", "-")
    assert (folder / "timeline.srt").read_text() == command("timeline", "talk.wav", "--srt", "-")


def test_live_recording(server, folder, model_file):
    visit("live", server.address, folder)
    sr = json.loads((folder / "sent.json").read_text())["sr"]
    samples = np.frombuffer((folder / "sent.pcm").read_bytes(), "<i2")
    assert len(samples) > 9 * sr
    assert np.abs(samples).max() > 1000  # the microphone was heard
    soundfile.write(folder / "sent.wav", samples, sr)
    expected = skser.predict_timeline(skser.load(model_file), folder / "sent.wav")
    table = pd.read_csv(folder / "live.csv", keep_default_na=False, na_values={"angry": ""})
    assert table.columns.tolist() == expected.columns.tolist()
    np.testing.assert_allclose(table[["start", "end"]], expected[["start", "end"]], atol=1e-3)
    assert table["silence"].tolist() == expected["silence"].tolist()
    assert 0 < table["silence"].sum() < len(table)
    assert [name or None for name in table["emotion"]] == expected["emotion"].tolist()
    np.testing.assert_allclose(table["angry"], expected["angry"], atol=1e-3)
    assert (folder / "live.srt").read_text() == to_srt(_with_numbers(folder / "live.csv"))


def _with_numbers(path):
    table = pd.read_csv(io.StringIO(path.read_text()))
    table["emotion"] = table["emotion"].astype(object).where(table["emotion"].notna(), None)
    return table


def test_long_pause(server, folder):
    visit("pause", server.address, folder)


def test_clip_of_the_microphone(server, folder):
    visit("clip", server.address, folder)


def test_keyboard_alone(server, folder):
    visit("keyboard", server.address, folder)


def test_model_is_chosen(model_file, folder, tmp_path):
    other = tmp_path / "other.skser"
    shutil.copyfile(model_file, other)
    with serving(model_file, other) as running:
        visit("models", running.address, folder)


def test_key_is_asked_for(model_file, folder):
    with in_thread(model_file, api_key="secret") as client:
        visit("key", client.base_url, folder)


def test_limits_are_said(model_file, folder):
    with in_thread(model_file, live_sessions=0, upload_mb=1) as client:
        visit("busy", client.base_url, folder)


def test_accessible(server, folder):
    if not os.path.isfile(os.environ.get("SKSER_TEST_AXE", "")):
        pytest.skip("SKSER_TEST_AXE is no file axe.min.js, of the npm package axe-core")
    visit("accessible", server.address, folder)


def test_page_holds_no_inline_code_and_loads_nothing(client):
    page = client.get("/").text
    assert not [text for text in ("<style", " style=", "http") if text in page]
    assert page.count("<script") == page.count('<script type="module" src="static/') == 1
    for name in ("page.css", "page.js", "upload.js", "live.js", "samples.js"):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        kind = "css" if name.endswith("css") else "javascript"
        assert kind in answer.headers["content-type"]
        assert "innerHTML" not in answer.text
