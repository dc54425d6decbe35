"""DrainingServer: on SIGTERM, finishes what runs and refuses what comes."""

from __future__ import annotations

import logging
import time
from types import FrameType
from typing import Any

import uvicorn

from ._connections import HttpConnection, SocketConnection
from ._workers import Workers

_DRAIN = 30.0  # seconds for requests that run; orchestrators kill after as many

# Settings of uvicorn. Audio hardly shrinks by compression, with which a short message can be a huge
# one. A client that has sent much at once answers a ping late, after that.
CONNECTIONS: dict[str, Any] = {
    "http": HttpConnection,
    "ws": SocketConnection,
    "limit_concurrency": 1024,  # connections
    "ws_max_size": 2**20,
    "ws_per_message_deflate": False,
    "ws_ping_timeout": None,
}


class WithoutSockets(logging.Filter):
    """Drops uvicorn's lines on sockets, which have queries; skser.serving writes its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line stays."""
        return '"WebSocket' not in str(record.msg)


class DrainingServer(uvicorn.Server):
    """A server that still answers, with 503, while requests that run finish."""

    def __init__(self, config: uvicorn.Config, workers: Workers) -> None:
        super().__init__(config)
        self.workers = workers
        self._end: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal ends at once."""
        if self._end is None:
            self._end = time.monotonic() + _DRAIN
            self.workers.is_draining = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to end, ten times a second."""
        is_done = self.workers.n_active == 0 and self.workers.n_live == 0
        if self._end is not None and (is_done or time.monotonic() > self._end):
            return True
        return await super().on_tick(counter)
