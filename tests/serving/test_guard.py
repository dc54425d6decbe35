import contextlib
import http.client
import json
import select
import socket

import httpx
import pytest

from skser.exceptions import ParameterError
from skser.serving._guard import check_access

from .conftest import in_thread, recording, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strict(model_file):
    """A server with a key, an allowed origin and host names, and small uploads."""
    with in_thread(
        model_file,
        api_key="secret",
        origins=["https://example.org"],
        hosts=["127.0.0.1", "::1", "example.net"],
        upload_mb=1,
        files=3,
        timeout_s=1.5,
    ) as client:
        yield client


KEY = {"X-API-Key": "secret"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "secre"}, 401),
        ({"X-API-Key": "sécret"}, 401),
        ({"Authorization": "Basic secret"}, 401),
        ({"Authorization": "Bearer secret"}, 200),
        ({"X-API-Key": "secret"}, 200),
    ],
)
def test_the_key_is_needed(headers, status, strict):
    headers = {name: value.encode() for name, value in headers.items()}
    for url in ("/v1/models", "/metrics"):
        assert strict.get(url, headers=headers).status_code == status
    response = strict.post("/v1/predict", content=recording(), headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
        assert "secret" not in response.text


@pytest.mark.parametrize("key", ["", " ", "my key", "sécret", "secret\n"])
def test_keys_that_no_header_can_carry_are_refused(key):
    with pytest.raises(ParameterError, match="api_key must be one or more visible ASCII"):
        check_access(key, [], None)


def test_the_key_is_not_needed_to_be_seen_alive(strict):
    for url in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert strict.get(url).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:80", 200),
        ("EXAMPLE.net", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_other_hosts_are_refused(host, status, strict):
    assert strict.get("/docs", headers={"Host": host}).status_code == status
    # Orchestrators and load balancers ask by address.
    assert strict.get("/healthz", headers={"Host": host}).status_code == 200


def test_pages_of_other_origins_are_refused(strict):
    for origin, status in [
        ("https://example.org", 200),
        (str(strict.base_url).rstrip("/"), 200),
        ("https://evil.example", 403),
        ("null", 403),
    ]:
        headers = {**KEY, "Origin": origin}
        response = strict.post("/v1/predict", content=recording(), headers=headers)
        assert response.status_code == status
        allowed = response.headers.get("access-control-allow-origin")
        assert allowed == ("https://example.org" if origin == "https://example.org" else None)


def test_browsers_may_ask_before(strict):
    headers = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    assert strict.options("/v1/predict", headers=headers).status_code == 200
    headers["Origin"] = "https://evil.example"
    assert strict.options("/v1/predict", headers=headers).status_code == 400


def test_cors_is_off_by_default(client):
    response = client.get("/v1/models", headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("url", ["/healthz", "/v1/nothing", "/docs"])
def test_security_headers(url, client):
    headers = client.get(url).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("microphone=(self)")
    assert "server" not in headers


def test_large_uploads_are_refused_before_they_are_read(strict):
    address = ("127.0.0.1", strict.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        head = "POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: secret\r\n"
        connection.sendall(f"{head}Content-Length: 1048577\r\n\r\n".encode())
        answer = b""
        while b"the upload is larger than 1 MB" not in answer and (part := connection.recv(10_000)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"the upload is larger than 1 MB" in answer


def test_large_uploads_without_a_length_are_refused(strict):
    sent = []

    def body():
        for _ in range(1000):
            sent.append(100_000)
            yield bytes(sent[-1])

    try:
        response = strict.post("/v1/predict", content=body(), headers=KEY)
        assert response.status_code == 413
    except httpx.WriteError:  # the server closes the connection instead of reading on
        pass
    assert strict.app.middleware_stack is not None
    assert strict.post("/v1/predict", content=recording(), headers=KEY).status_code == 200


def test_slow_bodies_are_refused(strict):
    address = ("127.0.0.1", strict.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        head = "POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: secret\r\n"
        connection.sendall(f"{head}Content-Length: 100\r\n\r\nabc".encode())
        answer = connection.recv(10_000).decode()
    assert answer.startswith("HTTP/1.1 408")


def test_huge_headers_are_refused(client):
    address = ("127.0.0.1", client.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 1_000_000)
            assert connection.recv(1000).startswith(b"HTTP/1.1 400")
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert client.get("/healthz").status_code == 200


def test_recordings_of_a_request_are_counted(strict):
    files = [("files", (f"{i}.wav", recording(0.1))) for i in range(4)]
    response = strict.post("/v1/predict", files=files, headers=KEY)
    assert response.status_code == 413
    assert response.json()["detail"] == "there may be 3 recordings in a request"
    assert strict.post("/v1/predict", files=files[1:], headers=KEY).status_code == 200


def test_the_service_answers_its_own_errors_without_their_text(model_file):
    with in_thread(model_file) as client:
        served = client.app.state.models["quick"]

        def fail(content):
            raise RuntimeError("a secret of the service")

        served._predict = fail
        response = client.post("/v1/predict", content=recording())
        assert response.status_code == 500
        assert json.loads(response.text)["detail"] == "the service failed; its log says why"
        assert "x-content-type-options" in response.headers
        assert "secret" not in response.text


def test_uploads_in_memory_are_bounded_together(model_file):
    """The ninth upload of the largest size is refused while eight wait for their last byte."""
    with in_thread(model_file, upload_mb=1) as client:
        address = ("127.0.0.1", client.base_url.port)
        head = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1048576\r\n\r\n"
        waiting = [socket.create_connection(address, timeout=20) for _ in range(9)]
        for connection in waiting:
            connection.sendall(head + bytes(1_000_000))
        refused = []

        def is_refused():
            answered = select.select(waiting, [], [], 0.1)[0]
            refused.extend(answer(connection) for connection in answered)
            return refused

        def answer(connection):
            with contextlib.closing(http.client.HTTPResponse(connection)) as response:
                response.begin()
                return response.status, response.read()

        until(is_refused)
        status, content = refused[0]
        assert status == 503
        assert b"other requests hold too large uploads" in content
        for connection in waiting:
            connection.close()
        until(lambda: client.post("/v1/predict", content=recording()).status_code == 200)


def test_ten_thousand_tiny_files_are_refused(client):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\nx\r\n'
    response = client.post(
        "/v1/predict",
        content=part * 10_000 + b"--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 413
    assert response.json()["detail"] == "there may be 64 recordings in a request"
