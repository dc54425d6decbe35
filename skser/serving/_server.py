"""DrainingServer: on SIGTERM, finishes what runs and refuses what comes."""

from __future__ import annotations

import logging
import time
from types import FrameType

import uvicorn

from ._workers import Workers

_DRAIN = 30.0  # seconds for requests that run; orchestrators kill after as many


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
