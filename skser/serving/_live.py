"""``WS /v1/live``: rows of a timeline, while the client sends its audio.

Each session has a thread, which reads the audio from a `Feed`, predicts, and sends. Nothing grows
if one side is slower: a full feed lets the client wait, and a slow client lets the thread wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..audio._info import checking
from ..audio._streaming import level
from ..exceptions import SkserError
from ..inference import LiveTimeline, TimelineRow
from ..inference._timeline import fitted_loader
from ..inference._timeline_formats import json_row
from ._limits import Limits
from ._live_audio import Feed, container_blocks, pcm_blocks
from ._live_settings import LiveSettings, is_end, read_settings
from ._models import ServedModel, TooLongError, problem_of
from ._problems import FAILED, Problem
from ._requests import check_query, model_named
from ._uploads import Upload
from ._workers import Cancelled, Workers

_log = logging.getLogger("skser.serving")

_T = TypeVar("_T")
_Send = Callable[[dict[str, Any]], None]

_FIRST_MESSAGE = 10.0  # seconds for the settings to come
_IDLE = 60.0  # seconds without a message
_SEND = 20.0  # seconds for a client to take an answer
_LEVEL = 0.2  # seconds from one level to the next
_CLOSE_CODES = {413: 1009, 500: 1011, 503: 1013}
_REFUSED, _GONE, _DRAINED, _DONE = 1008, 1006, 1001, 1000


async def live(socket: WebSocket) -> None:
    """A session: settings come, then audio, then the end; rows go back."""
    await socket.accept()
    started, code = time.perf_counter(), _GONE
    with suppress(WebSocketDisconnect):
        try:
            code = await _session(socket)
            await _in_time(socket.close(code), _SEND)
        except Problem as problem:
            code = await _refuse(socket, problem)
        except Exception as error:
            if isinstance(error, WebSocketDisconnect):
                raise
            _log.exception("a live session failed")
            code = await _refuse(socket, Problem(500, FAILED))
    _log.info("WebSocket /v1/live %d %.1f s", code, time.perf_counter() - started)


async def _session(socket: WebSocket) -> int:
    """Answer a client to the end; the code to close with."""
    state = socket.app.state
    late = f"the first message did not come in {_FIRST_MESSAGE:g} s"
    content = await _receive(socket, _FIRST_MESSAGE, late)
    settings = read_settings(content)
    if not (state.api_key.fits_headers(socket.headers) or state.api_key.fits(settings.api_key)):
        raise Problem(
            401,
            "the API key is missing or wrong; send it as Authorization: Bearer KEY, or as api_key "
            "in the first message",
        )
    check_query(socket, ["model"])
    model = model_named(state.models, socket.query_params.get("model"))
    with _place(state.workers):
        return await _answer(socket, model, settings)


@contextmanager
def _place(workers: Workers) -> Iterator[None]:
    """One of the sessions at a time."""
    if workers.is_draining:
        raise Problem(503, "the service is shutting down")
    if workers.n_live >= workers.limits.live_sessions:
        raise Problem(503, f"{workers.n_live} live sessions are open")
    workers.n_live += 1
    try:
        yield
    finally:
        workers.n_live -= 1


async def _answer(socket: WebSocket, model: ServedModel, settings: LiveSettings) -> int:
    workers: Workers = socket.app.state.workers
    loop = asyncio.get_running_loop()
    in_thread = partial(loop.run_in_executor, workers.live_pool)
    try:
        timeline = await in_thread(partial(LiveTimeline, model.pipeline, **settings.timing))
    except SkserError as error:
        raise problem_of(error, Upload(None, b"")) from error
    ready = {"type": "ready", "model": model.identity, "emotions": model.emotions}
    await _send(socket, ready | settings.timing)
    feed = Feed()

    def send(content: dict[str, Any]) -> None:
        """From the thread, which waits until the client has taken the answer."""
        asyncio.run_coroutine_threadsafe(_send(socket, content), loop).result()

    channel = fitted_loader(model.pipeline).channel
    if settings.sr is None:
        blocks = container_blocks(feed, timeline.sr, channel)
    else:
        form = {"sr": settings.sr, "n_channels": settings.n_channels}
        blocks = pcm_blocks(feed, timeline.sr, channel, **form)
    session = _Predicting(timeline, feed, model.emotions, workers.limits, send)
    predicting = in_thread(session.run, blocks)
    # Twice the audio leaves time for pauses; a client that sends almost nothing must end as well.
    longest = 2 * workers.limits.duration_s + workers.limits.timeout_s
    receiving = loop.create_task(_feed(socket, feed, longest))
    draining = loop.create_task(_drained(workers))
    tasks = (predicting, receiving, draining)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if draining.done():
            feed.end()
            await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
        # If the client has gone or broken the rules, the rest is not worth predicting.
        await (predicting if predicting.done() else receiving)
        return _DRAINED if draining.done() else _DONE
    finally:
        feed.end(cancel=True)
        receiving.cancel()
        draining.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(socket: WebSocket, feed: Feed, longest: float) -> None:
    """Pass audio on, until the client goes away or breaks the rules: an error either way."""
    has_ended, end = False, time.monotonic() + longest
    # asyncio.wait_for, before Python 3.12, forgets a cancellation when a message comes just then.
    while not feed.is_cancelled:
        seconds = None if has_ended else _IDLE
        content = await _receive(socket, seconds, f"nothing came for {_IDLE:g} s")
        if time.monotonic() > end:
            raise Problem(408, f"the session took more than {longest:g} s")
        if has_ended:
            raise Problem(422, "nothing may come after the end")
        if isinstance(content, bytes):
            await feed.put(content)
        elif is_end(content):
            has_ended = True
            feed.end()
        else:
            raise Problem(422, 'a text after the first message must be {"type": "end"}')


async def _drained(workers: Workers) -> None:
    """Return when the service shuts down, which a signal tells it between two ticks."""
    while not workers.is_draining:
        await asyncio.sleep(0.2)


class _Predicting:
    """The thread of a session."""

    def __init__(
        self,
        timeline: LiveTimeline,
        feed: Feed,
        emotions: list[str],
        limits: Limits,
        send: _Send,
    ) -> None:
        self._timeline, self._feed, self._emotions = timeline, feed, emotions
        self._limits, self._send = limits, send
        self._n_seconds, self._n_rows = 0.0, 0
        self._level_due = time.monotonic()

    def run(self, blocks: Iterator[np.ndarray]) -> None:
        """Send what the audio says, to its end; Problem for unusable audio."""
        try:
            with checking(self._check):
                for block in blocks:
                    self._send_level(block)
                    self._send_rows(self._timeline.push(block))
            if self._feed.is_cancelled:
                return
            self._send_rows(self._timeline.finish())
        except Cancelled:
            return
        except SkserError as error:
            raise problem_of(error, Upload(None, b"")) from error
        seconds = round(self._timeline.n_samples / self._timeline.sr, 3)
        self._send({"type": "end", "duration": seconds, "rows": self._n_rows})

    def _check(self, seconds: float) -> None:
        """Before each block that is decoded."""
        if self._feed.is_cancelled:
            raise Cancelled
        self._n_seconds += seconds
        if self._n_seconds > self._limits.duration_s:
            raise TooLongError(f"is longer than {self._limits.duration_s:g} s")

    def _send_rows(self, rows: list[TimelineRow]) -> None:
        for row in rows:
            self._n_rows = max(self._n_rows, row.index + 1)
            names = ("index", "start", "end", "emotion", "silence")
            content = json_row(
                {name: getattr(row, name) for name in names}, self._emotions, row.probabilities
            )
            self._send({"type": "row", **content, "revised": row.revised})

    def _send_level(self, block: np.ndarray) -> None:
        now = time.monotonic()
        if len(block) and now >= self._level_due:
            self._level_due = now + _LEVEL
            end = (self._timeline.n_samples + len(block)) / self._timeline.sr
            self._send({"type": "level", "db": round(level(block), 1), "at": round(end, 2)})


async def _receive(socket: WebSocket, seconds: float | None, late: str) -> str | bytes:
    """The next message; Problem if it is late, WebSocketDisconnect if the client has gone."""
    try:
        message = await asyncio.wait_for(socket.receive(), seconds)
    except asyncio.TimeoutError:
        raise Problem(408, late) from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    content = message.get("text")
    return message["bytes"] if content is None else content  # type: ignore[no-any-return]


async def _send(socket: WebSocket, content: dict[str, Any]) -> None:
    await _in_time(socket.send_json(content), _SEND)


async def _in_time(awaitable: Awaitable[_T], seconds: float) -> _T:
    """The result, or WebSocketDisconnect: a client that takes no answer takes no error either."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except (
        asyncio.TimeoutError,
        RuntimeError,
    ):  # the server itself has closed it
        raise WebSocketDisconnect(_GONE) from None


async def _refuse(socket: WebSocket, problem: Problem) -> int:
    content = {"status": problem.status, "title": problem.title, "detail": problem.detail}
    code = _CLOSE_CODES.get(problem.status, _REFUSED)
    await _send(socket, {"type": "error", **content})
    await _in_time(socket.close(code, problem.title), _SEND)
    return code
