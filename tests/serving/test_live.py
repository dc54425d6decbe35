"""Live sessions with a real server and a real client."""

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

import skser
from skser import predict_timeline

from .conftest import in_thread
from .sessions import END, Heard, assert_rows_are, container, opened, streamed, talk, until_closed

pytestmark = pytest.mark.slow

PCM = {"format": "pcm16", "sr": 16000, "channels": 1}


def wav(samples, sr):
    file = io.BytesIO()
    soundfile.write(file, samples, sr, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="module")
def pipeline(model_file):
    return skser.load(model_file)


@pytest.mark.parametrize(
    ("sr", "n_channels", "sizes"),
    [
        (16000, 1, [3200]),
        (16000, 1, [1, 0, 777, 40001]),
        (16000, 2, [6401]),
        (44100, 2, [8820, 13]),
        (8000, 1, [500_000]),
    ],
)
def test_rows_of_pcm_are_those_of_the_file(sr, n_channels, sizes, server, pipeline):
    samples = talk(sr, n_channels)
    settings = {"format": "pcm16", "sr": sr, "channels": n_channels}
    heard = streamed(server, samples.tobytes(), settings, sizes)
    timeline = predict_timeline(pipeline, wav(samples, sr))
    assert 0 < timeline["silence"].mean() < 1
    assert_rows_are(heard, timeline)


def test_settings_are_those_of_the_timeline(server, pipeline):
    samples = talk()
    timing = {"window": 1.5, "hop": 0.5, "smoothing": None, "top_db": 25}
    heard = streamed(server, samples.tobytes(), {**PCM, **timing})
    assert_rows_are(heard, predict_timeline(pipeline, wav(samples, 16000), **timing))
    assert {name: heard.messages[0][name] for name in timing} == timing


@pytest.mark.parametrize(
    ("format", "codec", "n_channels"),
    [("webm", "libopus", 1), ("webm", "libopus", 2), ("mp4", "aac", 2), ("ogg", "libopus", 1)],
)
def test_rows_of_a_container_are_those_of_the_file(
    format, codec, n_channels, server, pipeline, tmp_path
):
    content = container(talk(48000, n_channels), format, codec)
    path = tmp_path / f"talk.{format}"
    path.write_bytes(content)
    heard = streamed(server, content, {"format": "container"}, [700, 1, 5000])
    # FFmpeg decodes what is sent, libsndfile decodes Ogg files, and their Opus differs a little.
    atol = 0.02 if format == "ogg" else 1.01e-4
    assert_rows_are(heard, predict_timeline(pipeline, path), atol)


def test_rows_come_in_order_and_are_revised(server):
    heard = streamed(server, talk().tobytes(), PCM)
    ready = heard.messages[0]
    assert ready["type"] == "ready"
    assert ready["model"]["name"] == "quick"
    assert ready["emotions"] == ["angry", "calm", "sad"]
    assert (ready["window"], ready["hop"]) == (3.0, 1.0)
    new = [row for row in heard.of("row") if not row["revised"]]
    assert [row["index"] for row in new] == list(range(len(new)))
    seen = set()
    for row in heard.of("row"):
        assert row["revised"] == (row["index"] in seen)
        seen.add(row["index"])
        assert (row["emotion"] is None) == row["silence"] == (row["probabilities"] is None)
    assert any(row["revised"] for row in heard.of("row"))


def test_rows_come_before_the_end_with_levels(server):
    samples = talk()[: 8 * 16000].tobytes()
    with opened(server) as connection:
        connection.send(json.dumps(PCM))
        connection.send(samples)
        heard = Heard()
        while len(heard.of("row")) < 5:
            heard.messages.append(json.loads(connection.recv(timeout=60)))
        for level in heard.of("level"):
            assert -120 <= level["db"] <= 0
            assert 0 < level["at"] <= 8
        assert heard.of("level")
        connection.send(END)
        until_closed(connection, heard)
    assert heard.messages[-1] == {"type": "end", "duration": 8.0, "rows": 8}


def test_twenty_sessions_at_a_time_get_their_own_answers(server, pipeline):
    samples = talk()
    parts = [samples[8000 * i : 8000 * i + 16000 * 12] for i in range(20)]
    with ThreadPoolExecutor(20) as pool:
        sessions = list(pool.map(lambda part: streamed(server, part.tobytes(), PCM), parts))
    for part, heard in zip(parts, sessions, strict=True):
        assert_rows_are(heard, predict_timeline(pipeline, wav(part, 16000)))


def test_the_client_of_the_user_guide(server, tmp_path, monkeypatch, capsys, pipeline):
    guide = Path(__file__).parents[2] / "docs/user_guide/live_client.py"
    code = guide.read_text(encoding="utf-8").replace("time.sleep(0.1)", "time.sleep(0)")
    path = tmp_path / "my_recording.wav"
    path.write_bytes(wav(talk(44100), 44100))
    monkeypatch.setattr(sys, "argv", ["live_client.py", str(path)])
    exec(code.replace("127.0.0.1:8000", server.address.removeprefix("http://")), {})
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    timeline = predict_timeline(pipeline, path)
    last = {float(start): emotion for start, emotion, _ in rows}
    assert last == dict(zip(timeline["start"], timeline["emotion"].map(str), strict=True))


def test_nothing_was_said(server):
    for settings in (PCM, {"format": "container"}):
        heard = streamed(server, b"", settings)
        assert heard.messages[1:] == [{"type": "end", "duration": 0.0, "rows": 0}]
        assert heard.code == 1000


def test_a_channel_of_the_loader_is_heard(model_file, pipeline, tmp_path):
    path = tmp_path / "right.skser"
    right = skser.load(model_file)
    right.steps[0][1].channel = 1
    skser.save(right, path)
    samples = talk(16000, 2)
    with in_thread(path) as client:
        heard = streamed(client, samples.tobytes(), {**PCM, "channels": 2})
        assert_rows_are(heard, predict_timeline(right, wav(samples, 16000)))
        heard = streamed(client, talk().tobytes(), PCM)
        assert heard.error[0] == 422
        assert "has 1 channel, so channel must be" in heard.error[1]
