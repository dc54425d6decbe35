"""Live sessions with clients that are wrong, slow, gone or too many; the end of the service."""

import asyncio
import contextlib
import io
import json
import signal
import socket
import struct
import time

import av
import numpy as np
import pytest
import websockets
from starlette.websockets import WebSocketDisconnect

import skser
from skser import predict_timeline
from skser.serving import _live

from .conftest import in_thread, serving, until
from .sessions import END, assert_rows_are, container, opened, said, streamed, talk, until_closed
from .test_live import PCM, wav
from .test_workers import in_background

pytestmark = pytest.mark.slow

FIRST = 'the first message must be JSON as {"format": "pcm16", "sr": 16000, "channels": 1}'


@pytest.fixture
def n_live(client):
    """The number of sessions, by the metrics of the server."""

    def number():
        lines = client.get("/metrics").text.splitlines()
        (line,) = [line for line in lines if line.startswith("skser_live_sessions ")]
        return float(line.split()[1])

    return number


@pytest.fixture
def unharmed(server, n_live):
    """A server that holds no session after a test, and answers."""
    yield server
    until(lambda: n_live() == 0)
    heard = streamed(server, bytes(32000), PCM)
    assert heard.messages[-1] == {"type": "end", "duration": 1.0, "rows": 1}


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (b"\0\1", f"{FIRST}, got a binary message"),
        ("hello", f"{FIRST}, got other text"),
        ("", f"{FIRST}, got other text"),
        ("[" * 4000, f"{FIRST}, got other text"),
        ("[1]", f"{FIRST}, got a list"),
        ("{" + " " * 4096 + "}", f"{FIRST}, of at most 4096 characters"),
        ({}, "format must be 'pcm16' or 'container', got None"),
        (
            {"format": "pcm"},
            "format must be 'pcm16' or 'container', got 'pcm'; did you mean",
        ),
        ({"format": ["pcm16"]}, "format must be 'pcm16' or 'container', got ['pcm16']"),
        ({"format": "pcm16"}, "sr must be an integer in [4000, 192000], got None"),
        ({**PCM, "sr": "16000"}, "sr must be an integer in [4000, 192000], got '16000'"),
        ({**PCM, "sr": True}, "sr must be an integer in [4000, 192000], got True"),
        ({**PCM, "channels": 0}, "channels must be an integer in [1, 32], got 0"),
        ({"format": "container", "sr": 48000}, "sr is for pcm16 alone; a container has its own"),
        ({**PCM, "hop": 0}, "hop must be a number in [0.1, 60], got 0"),
        ({**PCM, "hop": 10**400}, "hop must be a number in [0.1, 60], got 1000"),
        ('{"format": "pcm16", "sr": 8000, "window": NaN}', "window must be a number in [0.1, 60]"),
        ({**PCM, "window": 4}, "window must be at most the duration of the loader, 3, got 4"),
        ({**PCM, "smoothing": "1"}, "smoothing must be a number in [0, 600] or None, got '1'"),
        ({**PCM, "top_db": -1}, "top_db must be a number in (0, 200] or None, got -1"),
        ({**PCM, "api_key": 1}, "api_key must be a string"),
        ({**PCM, "windows": 1}, "'windows' is no setting of a session; did you mean 'window'?"),
    ],
)
def test_the_first_message_is_checked(message, detail, client):
    heard = said(client, message)
    status, found, code = heard.error
    assert (status, code) == (422, 1008)
    assert found.startswith(detail)
    assert len(heard.messages) == 1


@pytest.mark.parametrize(
    ("messages", "status", "detail", "code"),
    [
        ([PCM, PCM], 422, 'a text after the first message must be {"type": "end"}', 1008),
        ([PCM, '{"type": "stop"}'], 422, "a text after the first message must be", 1008),
        ([PCM, "[" * 100_000], 422, "a text after the first message must be", 1008),
        ([PCM, bytes(10**6), END, bytes(10)], 422, "nothing may come after the end", 1008),
        ([PCM, bytes(10**6), END, END], 422, "nothing may come after the end", 1008),
        (
            [{"format": "container"}, np.random.default_rng(0).bytes(90_000), END],
            422,
            "is no WebM or Matroska, Ogg, MP4 stream",
            1008,
        ),
        (
            [{"format": "container"}, b"ffconcat version 1.0\nfile /etc/hostname\n", END],
            422,
            "is no WebM or Matroska, Ogg, MP4 stream",
            1008,
        ),
        ([{"format": "container"}, wav(talk()[:9000], 16000), END], 422, "is no WebM", 1008),
    ],
)
def test_messages_are_checked(messages, status, detail, code, unharmed):
    found = said(unharmed, *messages).error
    assert (found[0], found[2]) == (status, code)
    assert found[1].startswith(detail)


def test_no_model_of_that_name(client):
    assert said(client, PCM, query="?model=other").error == (
        404,
        "there is no model 'other', only quick",
        1008,
    )


def test_settings_are_not_in_the_address(client):
    status, detail, code = said(client, PCM, query="?modle=quick").error
    assert (status, code) == (422, 1008)
    assert detail == "'modle' is no parameter of this request; did you mean 'model'?"


def test_a_film_without_sound(unharmed):
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as output:
        stream = output.add_stream("libvpx", rate=5)
        stream.width = stream.height = 16
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        output.mux(stream.encode(None))
    found = said(unharmed, {"format": "container"}, file.getvalue(), END).error
    assert found == (422, "has no audio track", 1008)


def test_half_a_sample_at_the_end_is_dropped(unharmed, model_file):
    samples = talk()[:40000]
    heard = streamed(unharmed, samples.tobytes() + b"\1", PCM, [3201])
    assert_rows_are(heard, predict_timeline(skser.load(model_file), wav(samples, 16000)))


def test_a_webm_that_is_cut_has_the_rows_of_its_beginning(unharmed, model_file, tmp_path):
    content = container(talk(48000), "webm", "libopus")
    content = content[: len(content) // 2]
    path = tmp_path / "cut.webm"
    path.write_bytes(content)
    heard = streamed(unharmed, content, {"format": "container"})
    assert_rows_are(heard, predict_timeline(skser.load(model_file), path))


def test_damaged_webm_harms_nobody(unharmed):
    """Bits are flipped, parts are lost, sizes are wrong: rows or one error, and the same server."""
    content = container(talk(48000)[: 48000 * 6], "webm", "libopus")
    rng = np.random.default_rng(0)
    for trial in range(25):
        damaged = bytearray(content)
        for place in rng.integers(0, 600 if trial % 2 else len(content), 1 + trial % 9):
            damaged[place] = rng.integers(256)
        if trial % 3 == 0:
            start = rng.integers(len(damaged))
            del damaged[start : start + rng.integers(5000)]
        heard = streamed(unharmed, bytes(damaged), {"format": "container"}, [4096])
        if heard.code == 1000:
            assert heard.messages[-1]["type"] == "end"
        else:
            assert heard.error[0] == 422
            assert heard.code == 1008


def test_a_message_may_have_a_mebibyte(unharmed):
    assert said(unharmed, PCM, bytes(2**20), bytes(2**20 + 1)).code == 1009


def test_no_compression_makes_short_messages_long(unharmed):
    with opened(unharmed) as connection:
        assert connection.protocol.extensions == []
        connection.send(json.dumps(PCM))


def test_an_answer_after_the_server_has_closed_a_connection_is_none():
    """As uvicorn does after broken frames, before the session gets to know of it."""

    class Closed:
        async def send_json(self, content):
            raise RuntimeError("Unexpected ASGI message, after sending 'websocket.close'.")

    with pytest.raises(WebSocketDisconnect):
        asyncio.run(_live._send(Closed(), {"type": "level"}))


def leaves(connection):
    """End a connection without a word, as when a machine loses its network and then resets."""
    options = struct.pack("ii", 1, 0)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, options)
    connection.socket.shutdown(socket.SHUT_RDWR)
    connection.socket.close()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("settings", [PCM, {"format": "container"}])
def test_a_client_that_goes_away_frees_its_thread(how, settings, unharmed, n_live):
    with opened(unharmed) as connection:
        connection.send(json.dumps(settings))
        if settings == PCM:
            connection.send(talk().tobytes()[:100_000])
        else:  # PyAV waits for the rest
            connection.send(container(talk(48000), "webm", "libopus")[:20_001])
        connection.recv(timeout=20)
        assert n_live() == 1
        connection.close() if how == "close" else leaves(connection)
        until(lambda: n_live() == 0)  # before a minute without a message would end the session


def test_a_client_that_does_not_read_holds_little(model_file, monkeypatch):
    """The thread waits, then the feed is full, then the client's own messages wait."""
    monkeypatch.setattr(_live, "_SEND", 1.5)
    with in_thread(model_file) as client:
        workers = client.app.state.workers
        address = ("127.0.0.1", client.base_url.port)
        # The kernel holds little too, in new connections.
        client.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(address)
        settings = json.dumps({**PCM, "hop": 0.1, "window": 0.1})
        noise = np.random.default_rng(0).normal(0, 3000, 50_000).astype("<i2").tobytes()
        sent = []

        def send(connection):
            with contextlib.suppress(OSError, websockets.exceptions.ConnectionClosed):
                while True:
                    connection.send(noise)
                    sent.append(len(noise))

        with opened(client, sock=raw, max_queue=1) as connection:  # of which nobody reads
            connection.send(settings)
            thread = in_background(send, connection)
            until(lambda: workers.n_live == 1)
            until(lambda: workers.n_live == 0)
            leaves(connection)
            thread.join(20)
        assert 2**20 < sum(sent) < 50 * 2**20


def test_sessions_at_a_time_are_bounded(model_file):
    with (
        in_thread(model_file, live_sessions=2) as client,
        opened(client) as first,
        opened(client) as second,
    ):
        for connection in (first, second):
            connection.send(json.dumps(PCM))
            assert json.loads(connection.recv(timeout=20))["type"] == "ready"
        assert said(client, PCM).error == (503, "2 live sessions are open", 1013)
        first.close()
        until(lambda: client.app.state.workers.n_live == 1)
        assert streamed(client, bytes(32000), PCM).code == 1000
        second.send(END)
        assert until_closed(second).code == 1000


@pytest.mark.parametrize("form", ["pcm16", "container"])
def test_the_duration_is_bounded(form, model_file):
    samples = talk(48000)
    content, settings = samples.tobytes(), {**PCM, "sr": 48000}
    if form == "container":
        content, settings = container(samples, "webm", "libopus"), {"format": "container"}
    with in_thread(model_file, duration_s=5) as client:
        heard = streamed(client, content, settings)
        assert heard.error == (413, "is longer than 5 s", 1009)
        assert all(row["end"] <= 5 for row in heard.of("row"))
        assert heard.of("row")


def test_messages_have_to_come(model_file, monkeypatch):
    monkeypatch.setattr(_live, "_FIRST_MESSAGE", 0.3)
    monkeypatch.setattr(_live, "_IDLE", 0.3)
    with in_thread(model_file) as client:
        with opened(client) as connection:
            heard = until_closed(connection)
        assert heard.error == (408, "the first message did not come in 0.3 s", 1008)
        heard = said(client, PCM, bytes(32000))
        assert heard.error == (408, "nothing came for 0.3 s", 1008)


def test_a_session_that_hardly_sends_ends(model_file):
    with (
        in_thread(model_file, duration_s=0.2, timeout_s=0.1) as client,
        opened(client) as connection,
    ):
        connection.send(json.dumps(PCM))
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(100):
                connection.send(b"")
                time.sleep(0.05)
        assert until_closed(connection).error == (408, "the session took more than 0.5 s", 1008)


def test_the_key_is_needed(model_file):
    with in_thread(model_file, api_key="secret") as client:
        detail = (
            "the API key is missing or wrong; send it as Authorization: Bearer KEY, or as api_key "
            "in the first message"
        )
        wrong = (401, detail, 1008)
        assert said(client, PCM).error == wrong
        assert said(client, {**PCM, "api_key": "secre"}).error == wrong
        assert said(client, '{"format": "container", "api_key": "\\ud800"}').error == wrong
        assert said(client, PCM, additional_headers={"X-API-Key": "other"}).error == wrong
        for options in (
            {"settings": {**PCM, "api_key": "secret"}},
            {"settings": PCM, "additional_headers": {"X-API-Key": "secret"}},
            {"settings": PCM, "additional_headers": {"Authorization": "Bearer secret"}},
        ):
            assert streamed(client, bytes(32000), **options).code == 1000


@pytest.mark.parametrize(
    ("host", "origin"), [("127.0.0.1", "https://evil.example"), ("example.net", None)]
)
def test_pages_of_others_are_refused(host, origin, model_file):
    headers = {} if origin is None else {"Origin": origin}
    with in_thread(model_file, hosts=[host]) as client:
        with (
            pytest.raises(websockets.exceptions.InvalidStatus) as refused,
            opened(client, additional_headers=headers),
        ):
            pass
        assert refused.value.response.status_code == 403


def test_own_pages_are_answered(model_file):
    with in_thread(model_file, hosts=["127.0.0.1"]) as client:
        own = {"Origin": str(client.base_url).rstrip("/")}
        assert streamed(client, b"", PCM, additional_headers=own).code == 1000


def test_the_service_answers_its_own_errors_without_their_text(model_file):
    with in_thread(model_file) as client:
        client.app.state.models["quick"].emotions = None
        heard = said(client, PCM, talk().tobytes()[:200_000], END)
        assert heard.error == (500, "the service failed; its log says why", 1011)
        assert client.app.state.workers.n_live == 0


def test_on_sigterm_sessions_end_with_their_rows_and_new_ones_are_refused(model_file):
    samples = talk()[: 16000 * 5]
    with serving(model_file) as server, opened(server) as connection, opened(server) as late:
        connection.send(json.dumps(PCM))
        connection.send(samples.tobytes())
        while json.loads(connection.recv(timeout=20))["type"] != "row":
            pass
        server.process.send_signal(signal.SIGTERM)
        heard = until_closed(connection)
        assert heard.messages[-1] == {"type": "end", "duration": 5.0, "rows": 5}
        assert heard.code == 1001
        assert until_closed(late).code in (1012, 1013)
        assert server.process.wait(20) == 0


def test_logs_hold_no_queries_keys_or_tracebacks(model_file):
    with serving(model_file, "--api-key", "my-key") as server:
        settings, query = {**PCM, "api_key": "my-key"}, "?model=somebody"
        said(server, settings, query=query)
        said(server, {**PCM, "api_key": "somebody's"})
        streamed(server, bytes(32000), settings, query="?model=quick")
        options = {"additional_headers": {"Origin": "https://evil.example"}}
        with pytest.raises(websockets.exceptions.InvalidStatus):
            said(server, settings, query=query, **options)
        until(lambda: sum("WebSocket /v1/live" in line for line in server.log) == 3)
        log = "".join(server.log)
    assert "WebSocket /v1/live 1000" in log
    for word in ("somebody", "my-key", "Traceback", "model="):
        assert word not in log
