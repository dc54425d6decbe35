"""Input that is meant to harm: it gets its status, nobody else notices, and nothing grows."""

import contextlib
import functools
import io
import json
import os
import random
import socket
import struct
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .conftest import recording, serving, tone, until
from .sessions import END, container, said

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts in /proc"),
]

MIB = 2**20
CLIP = recording(1.0)
PCM = json.dumps({"format": "pcm16", "sr": 16000, "channels": 1})
CONTAINER = json.dumps({"format": "container"})
POST = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def attacked(model_file):
    """A server process that waits no longer than 3 s, and has done everything once."""
    limits = {"timeout-s": 3, "duration-s": 60, "live-sessions": 8, "requests": 2, "upload-mb": 70}
    arguments = [str(text) for name, value in limits.items() for text in (f"--{name}", value)]
    with serving(model_file, *arguments) as server:
        with server.client() as client:
            client.post("/v1/predict", content=CLIP).raise_for_status()
            client.post("/v1/timeline", content=CLIP).raise_for_status()
        assert said(server, PCM, bytes(32000), END).code == 1000
        yield server


class Process:
    """What a process uses."""

    def __init__(self, pid):
        self.folder = Path(f"/proc/{pid}")

    def status(self, name):
        lines = (self.folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    @property
    def n_files(self):
        return len(os.listdir(self.folder / "fd"))

    @property
    def n_threads(self):
        return self.status("Threads")

    @property
    def memory(self):
        return 1024 * self.status("VmRSS")


@pytest.fixture
def neighbour(attacked):
    """Another client, which is answered at all times, and a server that is as before afterwards.

    The threads of a pool start with the first requests that need them, so 10 may be new, and the
    allocator may keep some memory.
    """
    process = Process(attacked.process.pid)
    n_files, n_threads, memory = process.n_files, process.n_threads, process.memory
    expected, errors, n_asked, is_over = None, [], Counter(), threading.Event()

    def ask():
        nonlocal expected
        try:
            with attacked.client() as client:
                while not is_over.is_set() or not n_asked:
                    assert client.get("/healthz", timeout=30).json() == {"status": "alive"}
                    answer = client.post("/v1/predict", content=CLIP)
                    # All places may be taken for a moment, by clients of the same address.
                    if answer.status_code not in (429, 503):
                        answer.raise_for_status()
                        expected = expected or answer.json()
                        assert answer.json() == expected
                        n_asked["answered"] += 1
                    is_over.wait(0.05)
        except Exception as error:
            errors.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join(30)
    assert not errors, errors
    assert n_asked["answered"] > 0
    assert attacked.process.poll() is None
    with attacked.client() as client:
        assert client.post("/v1/predict", content=CLIP).json() == expected
    until(lambda: process.n_files <= n_files)
    assert process.n_threads <= n_threads + 10
    assert process.memory <= memory + 96 * MIB


def connected(server, receive_buffer=None, host=None):
    connection = socket.socket()
    if host:
        connection.bind((host, 0))
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20)
    host, port = server.address.removeprefix("http://").split(":")
    connection.connect((host, int(port)))
    return connection


def rest(connection):
    """All that the server sends until it closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(MIB):
            parts.append(part)
    return b"".join(parts)


def reply(server, *parts):
    """The answer to bytes, to the end of the connection."""
    with connected(server) as connection:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for part in parts:
                connection.sendall(part)
        return rest(connection)


def statuses(answer):
    """Statuses of the responses in an answer."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def dribble(server, head, piece):
    """Send a byte every tenth of a second until the server ends it."""
    with connected(server) as connection:
        connection.sendall(head)
        connection.settimeout(0.1)
        for _ in range(300):
            try:
                connection.sendall(piece)
                if not (answer := connection.recv(MIB)):
                    return b""
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return b""
            connection.settimeout(20)
            return answer + rest(connection)
    raise AssertionError("the connection was still open after 30 s")


def test_slow_clients_are_sent_away_together(attacked, neighbour):
    """Nothing, a head and a body that never end, and the rest of a body after its refusal."""
    heads = [b"", POST + b"X: ", POST + b"Content-Length: 100000\r\n\r\n"]
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    refused = POST + b"Content-Length: 99999999\r\n\r\n"
    with ThreadPoolExecutor(7) as pool:
        slow = [pool.submit(dribble, attacked, head, b"x") for head in heads]
        slow.append(pool.submit(dribble, attacked, chunked, b"1\r\nx\r\n"))
        slow.append(pool.submit(dribble, attacked, refused, b"x"))
        slow.append(pool.submit(reply, attacked, POST + b"Content-Length: 5\r\n\r\nxx"))
        silent = pool.submit(reply, attacked)
    expected = [[408], [408], [408], [408], [413], [408]]
    assert [statuses(future.result()) for future in slow] == expected
    assert silent.result() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"X: " + b"x" * 100_000, [400]),
        (b"X: x\r\n" * 50_000, [400]),
        (b"Content-Length: -5\r\n\r\n", [400]),
        (b"Content-Length: 1e3\r\n\r\n", [400]),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", [400]),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", [400]),
        (b"Content-Length: 999999999999\r\n\r\n", [413]),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", [400]),
        (b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n", [400]),
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", [400]),
        (b"Transfer-Encoding: gzip\r\n\r\n", [400]),
        (b"Content-Length: 2\r\n\r\nxxxx\r\n\r\n", [422, 400]),
        (b"Content-Length: 0\r\n\r\n\x00\x01garbage\r\n\r\n", [422, 400]),
    ],
)
def test_wrong_heads_and_lengths(head, status, attacked, neighbour):
    assert statuses(reply(attacked, POST + head)) == status


def test_garbage_after_requests(attacked, neighbour):
    get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    found = statuses(reply(attacked, get * 50 + b"\x16\x03\x01" * 1000 + b"\r\n\r\n"))
    assert found == [200] * 50 + [400]


def test_requests_that_nobody_waits_for(attacked, neighbour):
    """A thousand requests in a row on connections that close without reading."""
    request = POST + b"Content-Length: %d\r\n\r\n" % len(CLIP) + CLIP
    for _ in range(10):
        with connected(attacked) as connection, contextlib.suppress(OSError):
            connection.sendall(request * 100)


def promising(content, n_samples):
    """A FLAC file whose header tells another length."""
    flac = bytearray(content)
    (packed,) = struct.unpack(">Q", flac[18:26])
    flac[18:26] = struct.pack(">Q", (packed >> 36 << 36) | n_samples)
    return bytes(flac)


@functools.cache
def silence(seconds, format):
    """A small file of hours of silence."""
    if format == "flac":
        file = io.BytesIO()
        with soundfile.SoundFile(file, "w", 16000, 1, format="FLAC") as sound:
            for _ in range(seconds // 60):
                sound.write(np.zeros(60 * 16000, "int16"))
        return file.getvalue()
    one = container(np.zeros((60 * 48000, 1), "<i2"), "webm", "libopus")
    cluster = one.index(b"\x1f\x43\xb6\x75")
    # Clusters repeat: their times are wrong, their audio is not.
    return one[:cluster] + one[cluster:] * (seconds // 60)


@pytest.mark.parametrize("url", ["/v1/predict", "/v1/timeline"])
@pytest.mark.parametrize(
    ("make", "allowed"),
    [
        pytest.param(lambda: silence(4 * 3600, "flac"), {413}, id="hours of FLAC"),
        pytest.param(lambda: silence(2 * 3600, "webm"), {413}, id="hours of WebM"),
        pytest.param(lambda: promising(tone(1), 2**36 - 1), {413, 422}, id="a header of weeks"),
        pytest.param(lambda: promising(tone(600), 160_000), {200, 413, 422}, id="a short header"),
        pytest.param(lambda: promising(tone(600), 0), {413, 422}, id="a header without a length"),
        pytest.param(
            lambda: CLIP[:40] + struct.pack("<I", 2**32 - 1) + CLIP[44:],
            {200, 422},
            id="WAV of 4 GB",
        ),
    ],
)
def test_recordings_that_are_longer_than_they_look(make, allowed, url, attacked, neighbour):
    content = make()
    assert len(content) < 8 * MIB
    with attacked.client() as client:
        response = client.post(url, content=content)
    assert response.status_code in allowed, response.text


def form(*heads, body=b"x"):
    parts = b"".join(b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n" for head in heads)
    return parts + b"--b--\r\n"


FILE = b'Content-Disposition: form-data; name="files"; filename="a.wav"'


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(lambda: form(*[FILE] * 10_000), 413, id="ten thousand files"),
        pytest.param(
            lambda: form(*[FILE.replace(b"filename", b"file")] * 10_000), 422, id="as many fields"
        ),
        pytest.param(
            lambda: form(FILE.replace(b'"files"', b'"' + b"x" * 64 * MIB + b'"')), 400, id="a name"
        ),
        pytest.param(lambda: form(FILE.replace(b"a.wav", b"x" * 64 * MIB)), 400, id="a file name"),
        pytest.param(lambda: form(b"X" * 64 * MIB + b": x\r\n" + FILE), 400, id="a header"),
        pytest.param(lambda: form(b"X: x\r\n" * 100_000 + FILE), 400, id="headers"),
        pytest.param(lambda: form(FILE + b"; a=b" * 700), 422, id="options"),
        pytest.param(
            lambda: form(FILE.replace(b"files", b"files" + b"[a]" * 1000)), 422, id="a deep name"
        ),
        pytest.param(
            lambda: form(
                FILE + b"\r\nContent-Type: multipart/mixed; boundary=c",
                body=b"--c\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" * 10_000,
            ),
            422,
            id="forms in forms",
        ),
        pytest.param(lambda: b"--b" * 5 * MIB, 422, id="boundaries"),
        pytest.param(lambda: b"\r\n" * 5 * MIB, 422, id="line ends"),
        pytest.param(lambda: form(FILE)[:-9], 422, id="no end"),
        pytest.param(lambda: b"", 422, id="nothing"),
    ],
)
def test_hostile_forms(content, status, attacked, neighbour):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with attacked.client() as client:
        response = client.post("/v1/predict", content=content(), headers=headers)
    assert response.status_code == status, response.text


def mutated(content, seed):
    """The content with a few bytes changed, cut, doubled or moved."""
    rng = random.Random(seed)
    made = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        # The first hundreds of bytes are those of the header.
        start = rng.randrange(min(len(made), rng.choice([400, len(made)])) or 1)
        end = start + rng.choice([1, 4, 50, 1000])
        kind = rng.randrange(5)
        if kind == 0:
            made[start:end] = rng.randbytes(len(made[start:end]))
        elif kind == 1:
            del made[start:end]
        elif kind == 2:
            made[start:start] = made[start:end] * rng.choice([1, 100])
        elif kind == 3:
            made[start:end] = rng.choice([b"\x00", b"\xff"]) * len(made[start:end])
        elif rng.random() < 0.3:
            del made[start:]
    return bytes(made)


@pytest.fixture(scope="module")
def webm():
    rng = np.random.default_rng(0)
    noise = (3000 * rng.standard_normal((3 * 48000, 1))).astype("<i2")
    return container(noise, "webm", "libopus")


def test_fuzzed_webm_over_http(webm, attacked, neighbour):
    with attacked.client() as client:
        found = Counter(
            client.post("/v1/timeline", content=mutated(webm, seed)).status_code
            for seed in range(100)
        )
    assert set(found) <= {200, 413, 422}
    assert len(found) > 1, found


def test_fuzzed_webm_on_the_socket(webm, attacked, neighbour):
    found = Counter()
    for seed in range(100, 200):
        content = mutated(webm, seed)
        parts = [content[start : start + 5000] for start in range(0, len(content), 5000)]
        heard = said(attacked, CONTAINER, *parts, END)
        kind = heard.messages[-1]["type"]
        status = heard.messages[-1].get("status")
        found[kind, status, heard.code] += 1
    allowed = {("end", None, 1000), ("error", 422, 1008), ("error", 413, 1009)}
    assert set(found) <= allowed
    assert len(found) > 1, found


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([b"binary"], 1008),
        ([""], 1008),
        (["[" * 4000], 1008),
        (["[" * 100_000], 1008),
        (['{"format": "pcm16", "sr": 1e99}'], 1008),
        (['{"format": "pcm16", "sr": 16000, "window": NaN}'], 1008),
        (['{"format": "pcm16", "sr": 16000, "hop": 0}'], 1008),
        (['{"format": "pcm16", "sr": 16000, "channels": 1000000}'], 1008),
        (['{"format": "pcm16", "sr": ' + "9" * 4000 + "}"], 1008),
        ([PCM, PCM], 1008),
        ([PCM, "\ud7ff" * 1000], 1008),
        ([PCM, END, b"more"], 1008),
        ([PCM, bytes(2 * MIB)], 1009),
        (["x" * 2 * MIB], 1009),
        ([CONTAINER, bytes(100_000), END], 1008),
        ([CONTAINER, *[b"\x1a\x45\xdf\xa3" * 1000] * 100, END], 1008),
        ([PCM, *[b""] * 5000, END], 1000),
        ([PCM, *[b"x"] * 5000, END], 1000),
        # 60 s are allowed.
        ([PCM, *[bytes(320_000)] * 8, END], 1009),
    ],
)
def test_wrong_messages(messages, code, attacked, neighbour):
    assert said(attacked, *messages).code == code


UPGRADE = (
    b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def frame(opcode, content=b""):
    """A frame of a client, with a mask of zeros."""
    n_bytes = len(content)
    length = bytes([0x80 | n_bytes]) if n_bytes < 126 else b"\xfe" + n_bytes.to_bytes(2, "big")
    return bytes([opcode]) + length + bytes(4) + content


TEXT, BINARY, PING, MORE = 0x81, 0x82, 0x89, 0x00


def raw_session(server, **options):
    """A socket after the handshake."""
    connection = connected(server, **options)
    connection.sendall(UPGRADE)
    assert connection.recv(1000).startswith(b"HTTP/1.1 101")
    return connection


def sent_until_closed(connection, content, most):
    """How much the server takes before it closes the connection, or does not take it any more."""
    n_sent = 0
    connection.settimeout(15)
    try:
        while n_sent < most:
            n_sent += connection.send(content)
    except OSError:
        pass
    return n_sent


def test_pings_whose_answers_nobody_reads(attacked, neighbour):
    with raw_session(attacked, receive_buffer=4096) as connection:
        content = frame(PING, bytes(100)) * 1000
        assert sent_until_closed(connection, content, 64 * MIB) < 64 * MIB


def test_a_message_of_endless_empty_frames(attacked, neighbour):
    with raw_session(attacked) as connection:
        connection.sendall(frame(0x01))
        content = frame(MORE) * 10_000
        assert sent_until_closed(connection, content, 32 * MIB) < 32 * MIB


def test_broken_frames(attacked, neighbour):
    def send(content):
        with raw_session(attacked) as connection:
            connection.sendall(content * 10)
            return rest(connection)

    broken = [b"\xff" * 100, b"\x81\x01x", frame(0x83), frame(PING, bytes(200)), b"GET / "]
    with ThreadPoolExecutor(len(broken)) as pool:
        answers = list(pool.map(send, broken))
    # A frame that closes, with 1002 for an error of the protocol.
    assert [bytes([0x88]) == answer[:1] and answer[2:4] for answer in answers] == [b"\x03\xea"] * 5


@pytest.mark.parametrize("n_connections", [200, 700])
def test_silent_connections(n_connections, attacked, neighbour):
    """An address may have half of all that are answered."""
    connections = [connected(attacked, host="127.0.0.2") for _ in range(n_connections)]
    assert {rest(connection) for connection in connections} == {b""}
    for connection in connections:
        connection.close()


def test_answers_that_nobody_reads(attacked, neighbour):
    """Of a timeline and a session, which fit into buffers of the system, and of many requests."""
    content = tone(50)
    timeline = b"POST /v1/timeline?hop=0.1 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    timeline += b"Content-Length: %d\r\n\r\n" % len(content) + content
    settings = json.dumps({"format": "pcm16", "sr": 4000, "hop": 0.1}).encode()
    sound = frame(BINARY, bytes(8000)) * 20
    talk = UPGRADE + frame(TEXT, settings) + sound + frame(TEXT, END.encode())
    get = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    process = Process(attacked.process.pid)
    n_files = process.n_files
    with contextlib.ExitStack() as stack:
        for request in (timeline, talk):
            stack.enter_context(connected(attacked, receive_buffer=4096)).sendall(request)
        flood = stack.enter_context(connected(attacked, receive_buffer=4096))
        assert sent_until_closed(flood, get * 1000, 64 * MIB) < 64 * MIB
        until(lambda: process.n_files <= n_files + 1)


def test_a_thousand_sessions_opened_and_dropped(attacked, neighbour):
    def drop(number):
        with raw_session(attacked) as connection:
            if number % 2:
                connection.sendall(frame(TEXT, PCM.encode()))
            if number % 4 == 3:
                connection.sendall(frame(BINARY, bytes(3200)))
            if number % 8 == 7:  # with a reset instead of an end
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(drop, range(1000)))


def test_the_log_has_no_stack_trace(attacked):
    """Nothing of the above was an error of the service."""
    log = "".join(attacked.log)
    assert "Traceback" not in log, log[log.find("Traceback") :][:20_000]
    assert "Exception" not in log, log[log.find("Exception") :][:20_000]
