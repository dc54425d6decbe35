"""Corpora made of empty files, as loaders read only names; and a file server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def touch(tmp_path):
    """Function that makes empty files in a folder of its own, which it returns."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


class Server(ThreadingHTTPServer):
    """Serves ``files`` (name to bytes) and records the ``requests``.

    ``cut`` ends the connection after so many bytes of a response, ``ranges=False`` sends whole
    files only, ``sized=False`` omits their length, and ``shift`` moves the range that is sent.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.headers = {}, [], {}
        self.cut, self.ranges, self.sized, self.shift = None, True, True, 0

    def url(self, name, content=None):
        if content is not None:
            self.files[name] = content
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, name = self.server, self.path[1:].partition("?")[0]
        wanted = self.headers.get("Range")
        server.requests.append((name, wanted))
        if name not in server.files:
            self.send_error(404)
            return
        content = server.files[name]
        start = 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) + server.shift
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if server.sized:
            self.send_header("Content-Length", str(len(content) - start))
        for header in server.headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content[start:][: server.cut])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()
