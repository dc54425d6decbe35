"""Connections of uvicorn that end if a client does nothing with them.

uvicorn itself waits for ever for the head of a request, and for a client to take an answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from websockets.frames import Frame

_HEAD = 10.0  # seconds for the head of a request to come
_STUCK = 30.0  # seconds in which a client takes nothing of an answer
_REFUSAL = 1.0  # seconds to read why a message is refused
_MOST, _FEWEST = 1024, 16  # connections that are answered
_BACKLOG = 128  # connections that are accepted at once
_OWN_FILES = 64  # of the process
_CROWD = 1.25  # connections for each that uvicorn answers
_MOST_UNTAKEN = 2**16  # bytes of answers to pings
_MOST_FRAMES = 4096  # of a message
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Answering(asyncio.Protocol):
    """Ends the connection if the client does not take what is sent to it.

    Closing alone would wait until the client has taken the rest.
    """

    transport: asyncio.Transport
    _slow_since: float | None = None
    _n_waiting = 0
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)  # writing pauses if anything waits

    @property
    def _seconds(self) -> float:
        """Longest time for a client to take an answer that it does not take at once."""
        config: Any = self.config  # type: ignore[attr-defined]
        return float(config.app.state.limits.timeout_s)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._slow_since is None:
            self._slow_since = self._loop.time()
        self._watch_more()

    def resume_writing(self) -> None:
        self._unwatch()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch_more(self) -> None:
        assert self._slow_since is not None
        self._n_waiting = self.transport.get_write_buffer_size()
        left = self._slow_since + self._seconds - self._loop.time()
        self._watch = self._loop.call_later(max(0.0, min(_STUCK, left)), self._end_if_stuck)

    def _end_if_stuck(self) -> None:
        assert self._slow_since is not None
        is_late = self._loop.time() >= self._slow_since + self._seconds
        is_stuck = self.transport.get_write_buffer_size() >= self._n_waiting
        if is_late or is_stuck or self.transport.is_closing():
            self.transport.abort()
        else:
            self._watch_more()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class HttpConnection(_Answering, H11Protocol):
    """A connection that waits for the head of a request, and for an answer to be taken, in time."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_head()
        if self._is_one_too_many():
            self.transport.abort()

    def _is_one_too_many(self) -> bool:
        """Whether there are more than uvicorn answers 503, or half of them from this address."""
        n_connections, most = len(self.connections), self.limit_concurrency
        if most is None or n_connections <= most // 2:
            return False
        if n_connections > _CROWD * most:
            return True
        if self.config.proxy_headers:  # all may come from the proxy
            return False
        others = [getattr(other, "client", None) for other in self.connections]
        n_same = sum(other[0] == self.client[0] for other in others if other and self.client)
        return n_same > most // 2

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._unawait_head()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._unawait_head()
        self._unwatch()
        super().handle_websocket_upgrade(event)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.cycle is None or self.cycle.response_complete:
            self._slow_since = None

    def on_response_complete(self) -> None:
        if self._watch is None:
            self._slow_since = None
        self._await_head()  # or for the rest of a body that nobody reads
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unawait_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._unawait_head()
        seconds = min(_HEAD, self._seconds)
        self._head = self._loop.call_later(seconds, self._end_without_head)

    def _unawait_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end_without_head(self) -> None:
        if self.cycle is None and self.conn.trailing_data[0]:
            self.transport.write(_TOO_SLOW)
        self.transport.close()


class SocketConnection(_Answering, WebSocketsSansIOProtocol):
    """A WebSocket whose client cannot make the server hold more and more."""

    def resume_writing(self) -> None:
        super().resume_writing()
        self._slow_since = None

    def handle_ping(self) -> None:
        if self.transport.get_write_buffer_size() > _MOST_UNTAKEN:
            self.transport.abort()
        else:
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) > _MOST_FRAMES:
            self.transport.abort()
        else:
            super().handle_cont(event)

    def handle_parser_exception(self) -> None:
        """Read on for a moment: a client that still sends could not read why it must end."""
        if self.close_sent:
            return
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self._loop.call_later(_REFUSAL, self.transport.close)


def settings() -> dict[str, Any]:
    """Settings of uvicorn that bound connections."""
    return {
        "http": HttpConnection,
        "ws": SocketConnection,
        "backlog": _BACKLOG,
        "limit_concurrency": most_connections(),
        "proxy_headers": False,
        # Audio hardly shrinks by compression, with which a short message can be a huge one.
        "ws_max_size": 2**20,
        "ws_per_message_deflate": False,
        # A client that has sent much at once answers a ping late, after that.
        "ws_ping_timeout": None,
    }


def most_connections() -> int:
    """Connections at a time, for each of which the system must let the process open a file."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return _MOST
    n_files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(_CROWD * _MOST) + _BACKLOG + _OWN_FILES
    if most_files != resource.RLIM_INFINITY:
        wanted = min(wanted, most_files)
    if n_files != resource.RLIM_INFINITY and n_files < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most_files))
        except (OSError, ValueError):
            wanted = n_files
    return max(_FEWEST, int((wanted - _BACKLOG - _OWN_FILES) / _CROWD))
