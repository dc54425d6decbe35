"""ASGI middlewares: who may ask, how much a request may hold, and what every response says.

They are plain ASGI, since starlette's BaseHTTPMiddleware takes as long as a short prediction.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..exceptions import ParameterError
from ._limits import Limits
from ._metrics import Metrics
from ._problems import FAILED, Problem

_log = logging.getLogger("skser.serving")

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
_PROBES = ("/healthz", "/readyz")  # under any name, without a key
_OPEN = ("/", "/docs", "/openapi.json")  # without a key
_BODY_PAUSE = 30.0  # seconds without a byte


def check_access(api_key: str | None, origins: Sequence[str], hosts: Sequence[str] | None) -> None:
    """Raise ParameterError for what would let in everybody, or never fit a request."""
    # As a header can carry it. An empty one would be that of a request without a key.
    if api_key is not None and (not api_key or not all("!" <= c <= "~" for c in api_key)):
        raise ParameterError(
            "api_key must be one or more visible ASCII characters without spaces, or None for a "
            "service open to all"
        )
    for origin in origins:
        if not re.fullmatch(r"https?://[^/?#@*\s]+/?", origin, re.IGNORECASE):
            raise ParameterError(
                f"origins must be web sites without a path, as https://example.org, got {origin!r}"
            )
    for host in hosts or ():
        if not (re.fullmatch(r"[^/?#@*:\[\]\s]+", host) or _is_ipv6(host)):
            raise ParameterError(
                f"hosts must be names without scheme and port, as example.org, got {host!r}"
            )


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class ApiKey:
    """The key of a service, None for a service that is open to all."""

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else key.encode()

    def fits(self, given: str | None) -> bool:
        """Whether a key is right, in a time that does not depend on it."""
        return self._key is None or hmac.compare_digest(
            (given or "").encode(errors="replace"), self._key
        )

    def fits_headers(self, headers: Headers) -> bool:
        """Whether the key in ``Authorization: Bearer`` or ``X-API-Key`` is right."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        bearer = token.strip() if kind.lower() == "bearer" else None
        return self.fits(bearer or headers.get("x-api-key"))


class Observe:
    """Security headers, metrics, a line in the log, and an answer to unexpected errors."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        # Not another name from outside, of which there are too many for metrics.
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        if method == "HEAD":  # what GET answers, without its body
            scope = {**scope, "method": "GET"}

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception as error:
            if isinstance(error.__cause__, (Problem, ClientDisconnect)):
                return  # after the first part of an answer, which the client sees to be incomplete
            _log.exception("%s %s failed", method, _template(scope))
            if status:  # too late for another answer
                raise
            problem = Problem(500, FAILED)
            await problem.response()(scope, receive, send_marked)
        finally:
            seconds = time.perf_counter() - started
            path = _template(scope)
            self.metrics.requests.labels(method, path, str(status)).inc()
            self.metrics.seconds.labels(path).observe(seconds)
            _log.info("%s %s %d %.0f ms", method, path, status, 1000 * seconds)


def _template(scope: Scope) -> str:
    """The path of the route, which has no names from outside; "other" without a route."""
    return str(getattr(scope.get("route"), "path", "other"))


class Access:
    """Refuses wrong hosts, pages of other sites, and wrong keys."""

    def __init__(
        self, app: ASGIApp, key: ApiKey, origins: Sequence[str], hosts: Sequence[str] | None
    ) -> None:
        self.app = app
        self.key = key
        self.origins = {origin.rstrip("/").lower() for origin in origins}
        self.hosts = None if hosts is None else {host.strip("[]").lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = None
        if scope["type"] in ("http", "websocket"):
            problem = self._problem(scope, Headers(scope=scope))
        if problem is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await problem.response()(scope, receive, send)
        else:  # before it is accepted, which the client sees as 403
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": problem.detail})

    def _problem(self, scope: Scope, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        path = scope["path"]
        if path in _PROBES:  # orchestrators ask by address, and learn no more than they see
            return None
        if self.hosts is not None and _host_name(host) not in self.hosts:
            # A page of another site may have pointed its name to this address.
            return Problem(421, "the header Host names no host of this service")
        origin = headers.get("origin")
        is_own = origin is None or origin.partition("://")[2] == host
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if changes and not is_own and origin not in self.origins:
            return Problem(403, "pages of this origin may not use the service")
        if scope["type"] == "websocket":
            return None  # a page cannot set headers, so the session asks for the key
        if not (path in _OPEN or path.startswith("/static/") or self.key.fits_headers(headers)):
            return Problem(
                401,
                "the API key is missing or wrong; send it as Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return None


def _host_name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class BoundBodies:
    """Bounds the body of a request, the time it takes to come, and all bodies in memory."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self._n_held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        too_large = Problem(413, f"the upload is larger than {self.limits.upload_mb:g} MB")
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self.limits.upload_bytes:
            await too_large.response()(scope, receive, send)
            return
        n_own, is_complete = 0, False
        loop = asyncio.get_running_loop()
        end = loop.time() + self.limits.timeout_s

        async def bounded() -> Message:
            nonlocal n_own, is_complete
            if is_complete:  # then only the end of the connection comes
                return await receive()
            try:
                seconds = min(_BODY_PAUSE, end - loop.time())
                message = await asyncio.wait_for(receive(), seconds)
            except asyncio.TimeoutError:
                raise Problem(408, "the body of the request came too slowly") from None
            n_new = len(message.get("body", b""))
            n_own += n_new
            self._n_held += n_new
            if n_own > self.limits.upload_bytes:
                raise too_large
            if self._n_held > self.limits.all_upload_bytes:
                busy = "other requests hold too large uploads"
                raise Problem(503, busy, headers={"Retry-After": "5"})
            is_complete = not message.get("more_body", False)
            return message

        try:
            await self.app(scope, bounded, send)
        finally:
            self._n_held -= n_own
