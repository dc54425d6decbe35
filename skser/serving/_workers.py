"""Threads that predict, so that the event loop stays free."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

from ._limits import Limits
from ._problems import Problem

_Result = TypeVar("_Result")


class Cancelled(Exception):
    """The client has gone, or its time is up."""


class Workers:
    """A bounded pool of threads, with a bounded queue."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.is_draining = False
        self._pool = ThreadPoolExecutor(limits.requests, "skser-predict")
        self._held: Counter[str] = Counter()  # places by client

    @property
    def n_active(self) -> int:
        """Requests that are answered or wait."""
        return self._held.total()

    def check_room(self, client: str) -> None:
        """Raise Problem if a request of this client cannot be answered or wait."""
        retry = {"Retry-After": "1"}
        if self.is_draining:
            raise Problem(503, "the service is shutting down", headers=retry)
        n_places = self.limits.requests + self.limits.queue
        if self.n_active >= n_places:
            raise Problem(503, f"{n_places} requests are being answered or wait", headers=retry)
        if self._held[client] >= (most := max(1, n_places // 2)):
            raise Problem(429, f"a client may have {most} requests at a time", headers=retry)

    async def run(
        self,
        function: Callable[..., _Result],
        *arguments: object,
        client: str,
        cancelled: Event,
        gone: Callable[[], Coroutine[Any, Any, object]],
    ) -> _Result:
        """The result of a function in a thread; ``gone`` returns when the client has gone.

        ``cancelled`` is set as soon as nobody waits for the result any more.
        """
        self.check_room(client)
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._pool, _unless_set, cancelled, function, *arguments)
        self._held[client] += 1
        # Until its thread ends, even if nobody waits for it.
        job.add_done_callback(lambda _: self._release(client))
        leaving = loop.create_task(gone())
        try:
            await asyncio.wait(
                (job, leaving),
                timeout=self.limits.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if job.done():
                return job.result()
            if leaving.done():
                raise Cancelled
            raise Problem(503, f"the request took more than {self.limits.timeout_s:g} s")
        finally:
            leaving.cancel()
            if not job.done():
                cancelled.set()
                job.add_done_callback(_forget)

    def _release(self, client: str) -> None:
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]

    def close(self) -> None:
        """Start nothing any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _unless_set(cancelled: Event, function: Callable[..., _Result], *arguments: object) -> _Result:
    if cancelled.is_set():
        raise Cancelled
    return function(*arguments)


def _forget(job: asyncio.Future[_Result]) -> None:
    if not job.cancelled():
        job.exception()
