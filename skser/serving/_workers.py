"""Threads that predict, so that the event loop stays free."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Event, Lock, Semaphore
from typing import TypeVar

from starlette.requests import ClientDisconnect

from ._limits import Limits
from ._problems import Problem

_Result = TypeVar("_Result")
RETRY = {"Retry-After": "1"}


class Cancelled(BaseException):
    """Nobody waits for the result of a thread any more; not an error that code may handle."""


class Workers:
    """A bounded pool of threads, with a bounded queue."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.is_draining = False
        self.n_live = 0  # live sessions
        self._pool = ThreadPoolExecutor(limits.requests, "skser-predict")
        self.live_pool = ThreadPoolExecutor(max(1, limits.live_sessions), "skser-live")
        # More threads than cores that compute at a time only get into each other's way; those of
        # long timelines let others in between two parts.
        self._cores = Semaphore(os.cpu_count() or 1)
        self._held: Counter[str] = Counter()  # jobs by client
        self._lock = Lock()

    @property
    def n_active(self) -> int:
        """Jobs that run or wait."""
        return self._held.total()

    def check_room(self, client: str) -> None:
        """Raise Problem if a job of this client can neither run nor wait."""
        if self.is_draining:
            raise Problem(503, "the service is shutting down", headers=RETRY)
        n_places = self.limits.requests + self.limits.queue
        if self.n_active >= n_places:
            raise Problem(503, f"{n_places} requests are being answered or wait", headers=RETRY)
        if self._held[client] >= (most := max(1, n_places // 2)):
            raise Problem(429, f"a client may have {most} requests at a time", headers=RETRY)

    async def run(
        self,
        function: Callable[..., _Result],
        *arguments: object,
        client: str,
        cancelled: Event,
        gone: Callable[[], Awaitable[object]],
    ) -> _Result:
        """The result of a function in a thread; ``gone`` returns when the client has gone.

        ``cancelled`` is set as soon as nobody waits for the result any more.
        """
        job = self._start(client, self._compute, cancelled, function, *arguments)
        try:
            return await unless_gone(
                self._in_time(asyncio.wrap_future(job), self.limits.timeout_s), gone
            )
        finally:
            cancelled.set()

    async def stream(
        self, parts: Generator[bytes, None, None], *, client: str, cancelled: Event
    ) -> AsyncIterator[bytes]:
        """The parts that a generator makes in a thread, as they come."""
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[bytes | None] = asyncio.Queue()

        def make() -> None:
            with closing(parts):
                while (part := self._compute(cancelled, next, parts, None)) is not None:
                    loop.call_soon_threadsafe(made.put_nowait, part)

        job = asyncio.wrap_future(self._start(client, make))

        def end(job: asyncio.Future[None]) -> None:
            made.put_nowait(None)
            if not job.cancelled():
                job.exception()  # else asyncio logs it if nobody waits any more

        job.add_done_callback(end)
        latest = loop.time() + self.limits.timeout_s
        try:
            while (part := await self._in_time(made.get(), latest - loop.time())) is not None:
                yield part
            job.result()
        finally:
            cancelled.set()

    async def _in_time(self, awaitable: Awaitable[_Result], seconds: float) -> _Result:
        try:
            return await asyncio.wait_for(awaitable, seconds)
        except asyncio.TimeoutError:  # another class than TimeoutError in Python 3.10
            took = f"the request took more than {self.limits.timeout_s:g} s"
            raise Problem(503, took, headers=RETRY) from None

    def _start(
        self, client: str, function: Callable[..., _Result], *arguments: object
    ) -> Future[_Result]:
        self.check_room(client)
        with self._lock:
            self._held[client] += 1
        try:
            job = self._pool.submit(function, *arguments)
        except RuntimeError:  # closed
            self._release(client)
            raise
        # Not before its thread ends, even if nobody waits for it.
        job.add_done_callback(lambda _: self._release(client))
        return job

    def _compute(
        self, cancelled: Event, function: Callable[..., _Result], *arguments: object
    ) -> _Result:
        """Call a function when a core is free, unless nobody waits for it any more."""
        with self._cores:
            if cancelled.is_set():
                raise Cancelled
            return function(*arguments)

    def _release(self, client: str) -> None:
        with self._lock:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]

    def close(self) -> None:
        """Start nothing any more."""
        for pool in (self._pool, self.live_pool):
            pool.shutdown(wait=False, cancel_futures=True)


async def unless_gone(
    awaitable: Awaitable[_Result], gone: Callable[[], Awaitable[object]]
) -> _Result:
    """The result, or ClientDisconnect if ``gone`` returns before."""
    task = asyncio.ensure_future(awaitable)
    leaving = asyncio.ensure_future(gone())
    try:
        await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        task.cancel()
        leaving.cancel()
