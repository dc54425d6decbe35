import signal
import socket
import struct
import threading

import httpx
import pytest
from sklearn.utils import Bunch

from tests.persistence.models import golden_model

from .conftest import in_thread, recording, serving, tone, until

pytestmark = pytest.mark.slow

# Minutes of work, if nobody stops it.
LONG = tone(3000)
URL = "/v1/timeline?hop=0.1"


def in_background(function, *arguments, **options):
    thread = threading.Thread(target=function, args=arguments, kwargs=options, daemon=True)
    thread.start()
    return thread


def abandoned_request(client, content, headers="", url=URL):
    """Ask for a timeline; the open connection."""
    connection = socket.create_connection(("127.0.0.1", client.base_url.port), timeout=20)
    head = f"POST {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(content)}\r\n"
    head += "\r\n"
    connection.sendall(head.encode() + content)
    return connection


@pytest.mark.parametrize("format", ["json", "csv", "srt", "textgrid"])
def test_a_long_timeline_does_not_stall_others_and_its_end_frees_its_work(
    format, model_file, caplog
):
    with in_thread(model_file, requests=2) as client:
        workers = client.app.state.workers
        connection = abandoned_request(client, LONG, url=f"{URL}&format={format}")
        until(lambda: workers.n_active == 1)
        for _ in range(10):
            assert client.get("/healthz").status_code == 200
        assert client.post("/v1/predict", content=recording()).status_code == 200
        assert workers.n_active == 1  # a request that waited for the timeline would see its end
        connection.close()
        until(lambda: workers.n_active == 0)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_requests_that_take_too_long_stop(model_file):
    with in_thread(model_file, timeout_s=3) as client:  # sending takes its time, too
        # Subtitles have no first part that could come in time.
        response = client.post(f"{URL}&format=srt", content=LONG)
        assert response.status_code == 503
        assert response.json()["detail"] == "the request took more than 3 s"
        until(lambda: client.app.state.workers.n_active == 0)


def test_requests_at_a_time_are_bounded(model_file):
    with in_thread(model_file, requests=1, queue=2) as client:
        workers = client.app.state.workers
        connections = [abandoned_request(client, LONG)]
        until(lambda: workers.n_active == 1)
        response = client.post("/v1/predict", content=recording())
        assert response.status_code == 429
        assert response.json()["detail"] == "a client may have 1 requests at a time"
        workers._held["other"] = 2
        response = client.post("/v1/predict", content=recording())
        assert response.status_code == 503
        assert response.json()["detail"] == "3 requests are being answered or wait"
        assert response.headers["retry-after"] == "1"
        del workers._held["other"]
        for connection in connections:
            connection.close()
        until(lambda: workers.n_active == 0)
        assert client.post("/v1/predict", content=recording()).status_code == 200


def test_long_recordings_are_refused_by_their_header(model_file):
    with in_thread(model_file, duration_s=60) as client:
        response = client.post("/v1/predict", content=tone(61))
        assert response.status_code == 413
        assert response.json()["detail"] == "has 61.0 s, allowed are 60 s"
        assert client.post("/v1/timeline", content=tone(61)).status_code == 413
        files = [("files", ("long.flac", tone(61))), ("files", ("short.wav", recording()))]
        long, short = client.post("/v1/predict", files=files).json()["predictions"]
        assert long["error"] == "has 61.0 s, allowed are 60 s"
        assert short["error"] is None


def test_recordings_longer_than_their_header_says_are_refused(model_file):
    """A FLAC file that says that its length is unknown is decoded only as far as allowed."""
    content = bytearray(tone(2000))
    place = content.index(b"fLaC") + 8 + 10  # STREAMINFO: 20 bits of rate, then 36 of samples
    (bits,) = struct.unpack(">Q", content[place : place + 8])
    content[place : place + 8] = struct.pack(">Q", bits & ~((1 << 36) - 1))
    with in_thread(model_file, duration_s=60) as client:
        response = client.post("/v1/predict", content=bytes(content))
        assert response.status_code == 413
        assert response.json()["detail"] == "is longer than 60 s"


def test_what_runs_finishes_and_what_comes_is_refused_on_sigterm(model_file):
    with serving(model_file) as server, server.client() as client:
        answers = []
        content = tone(600)
        running = in_background(lambda: answers.append(client.post(URL, content=content)))
        with server.client() as other:
            until(lambda: "skser_jobs 1.0" in other.get("/metrics").text)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: other.get("/readyz").status_code == 503)
            assert other.get("/readyz").headers["retry-after"] == "1"
            refused = other.post("/v1/predict", content=recording())
            assert refused.status_code == 503
            assert refused.json()["detail"] == "the service is shutting down"
            assert other.get("/healthz").status_code == 200
            running.join(60)
        assert answers[0].status_code == 200
        assert len(answers[0].json()) == 6000
        assert server.process.wait(20) == 0


def test_networks_with_a_graph_are_served_without_tensorflow():
    with serving(golden_model("dense_195")) as server, server.client() as client:
        for url in ("/v1/predict", "/v1/timeline", "/v1/timeline?format=srt"):
            assert client.post(url, content=recording(3)).status_code == 200
        with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as maps:
            assert "tensorflow" not in maps.read()


def test_rows_come_as_they_are_predicted(model_file):
    with in_thread(model_file) as client:
        workers = client.app.state.workers
        with client.stream("POST", f"{URL}&format=csv", content=LONG) as response:
            lines = response.iter_lines()
            assert next(lines) == "start,end,emotion,silence,angry,calm,sad"
            assert next(lines).startswith("0.0,0.1,")
            assert workers.n_active == 1
        until(lambda: workers.n_active == 0)


def told(server, *addresses):
    """Statuses of /v1/predict, each told to come from another address."""
    with server.client() as client:
        return [
            client.post(
                "/v1/predict", content=recording(), headers={"X-Forwarded-For": address}
            ).status_code
            for address in addresses
        ]


@pytest.mark.parametrize("proxy", [[], ["--proxy", "127.0.0.1"]])
def test_places_of_clients_behind_a_proxy(proxy, model_file):
    """Of four places, a client has two; the address that a client tells itself is ignored."""
    with serving(model_file, "--requests", 3, "--queue", 1, *proxy) as server:
        base_url = httpx.URL(server.address)
        long = [
            abandoned_request(Bunch(base_url=base_url), LONG, "X-Forwarded-For: 10.0.0.1\r\n")
            for _ in range(2)
        ]
        with server.client() as client:
            until(lambda: "skser_jobs 2.0" in client.get("/metrics").text)
        found = told(server, "10.0.0.1", "10.0.0.9, 10.0.0.1", "10.0.0.2", "10.0.0.1, 10.0.0.2")
        assert found == ([429, 429, 200, 200] if proxy else [429] * 4)
        for connection in long:
            connection.close()
