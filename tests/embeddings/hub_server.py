"""A server on this machine that speaks the part of the Hub's protocol that downloads need."""

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>[^?]+)")
_TREE = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/?]+)")
_STORE = re.compile(r"/store/(?P<sha256>[0-9a-f]{64})")


class Hub(ThreadingHTTPServer):
    """Serves ``repositories[name][commit][file]`` (bytes) and records the ``requests``.

    Files ending in ``.safetensors`` are in large file storage, as on the Hub: the first answer is
    a redirection with the size and the hash. ``cuts`` are numbers of bytes after which the next
    bodies end; ``announced`` is a size to tell instead of the true one, ``status`` an error for
    every request, and ``damaged`` sends large files backwards.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories, self.requests, self.cuts = {}, [], []
        self.announced = self.status = None
        self.damaged = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def store(self):
        # A host of its own, as on the Hub: the library follows redirections within a host.
        return f"http://localhost:{self.server_address[1]}/store"

    def content(self, sha256):
        for commits in self.repositories.values():
            for files in commits.values():
                for content in files.values():
                    if hashlib.sha256(content).hexdigest() == sha256:
                        return content
        raise KeyError(sha256)


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        hub = self.server
        hub.requests.append((self.command, self.path, self.headers.get("Range")))
        if hub.status is not None:
            self._error(hub.status, None)
        elif match := _STORE.fullmatch(self.path):
            content = hub.content(match["sha256"])
            self.body(content[::-1] if hub.damaged else content, {})
        elif match := _TREE.match(self.path):
            self._tree(match["repo"], match["revision"])
        elif match := _RESOLVE.fullmatch(self.path):
            self.resolve(**match.groupdict())
        else:
            self._error(404, None)

    def _files(self, repo, revision):
        """The files of a commit, or None after the error was sent."""
        if repo not in self.server.repositories:
            self._error(401, "RepoNotFound")
        elif revision not in self.server.repositories[repo]:
            self._error(404, "RevisionNotFound")
        else:
            return self.server.repositories[repo][revision]
        return None

    def _tree(self, repo, revision):
        if (files := self._files(repo, revision)) is not None:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in files.items()
            ]
            self.body(json.dumps(tree).encode(), {"Content-Type": "application/json"})

    def resolve(self, repo, revision, file):
        if (files := self._files(repo, revision)) is None:
            return
        headers = {"X-Repo-Commit": revision}
        if file not in files:
            self._error(404, "EntryNotFound", headers)
            return
        content = files[file]
        if not file.endswith(".safetensors"):
            blob = b"blob %d\0" % len(content) + content
            self.body(content, {**headers, "ETag": f'"{hashlib.sha1(blob).hexdigest()}"'})
            return
        sha256 = hashlib.sha256(content).hexdigest()
        self._head(302, 0, {
            **headers,
            "X-Linked-Size": str(self.server.announced or len(content)),
            "X-Linked-ETag": f'"{sha256}"',
            "Location": f"{self.server.store}/{sha256}",
        })  # fmt: skip

    def body(self, content, headers):
        start = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
        status = 206 if start else 200
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._head(status, len(content) - start, {"Accept-Ranges": "bytes", **headers})
        if self.command == "GET":
            cuts = self.server.cuts if _STORE.fullmatch(self.path) else []
            self.wfile.write(content[start:][: cuts.pop(0) if cuts else None])

    def _error(self, status, code, headers=None):
        self._head(status, 0, {**({"X-Error-Code": code} if code else {}), **(headers or {})})

    def _head(self, status, length, headers):
        self.send_response(status)
        for header in {"Content-Length": str(length), **headers}.items():
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def running_hub():
    """A Hub that answers while the block runs."""
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()
