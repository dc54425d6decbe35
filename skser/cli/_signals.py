"""Signals that end a command: one line, no worker left behind and no half-written file."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer

_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "its terminal was closed"}
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class _Stop(KeyboardInterrupt):
    """Python ends by SIGINT after a KeyboardInterrupt of no other class, even if it is caught."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the block as Ctrl-C does at SIGTERM and SIGHUP too, and exit with 128 + the number.

    Signals that are ignored, as by ``nohup``, still are. The second of a kind ends the process at
    once.
    """
    received: list[signal.Signals] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        received.append(signal.Signals(number))
        raise _Stop

    numbers = [getattr(signal, name) for name in _WORDS if hasattr(signal, name)]  # by the system
    previous = {}
    if threading.current_thread() is threading.main_thread():
        previous = {n: signal.signal(n, stop) for n in numbers if signal.getsignal(n) in _DEFAULTS}
    try:
        yield
    except BaseException:  # whatever other code has made of it
        if not received:
            raise
        typer.echo(f"skser: {_WORDS[received[0].name]}", err=True)
        sys.exit(128 + received[0])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the process in the handler of a signal, for a block that has nothing to clean up.

    An exception would be lost in a callback of the interpreter, of which imports have many.
    """

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, f"skser: {_WORDS[signal.Signals(number).name]}\n".encode())
        os._exit(128 + number)

    previous: dict[int, Any] = {}  # handlers
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                previous[number] = handler
                signal.signal(number, end)
    try:
        yield
    finally:
        for ended_number, handler in previous.items():
            signal.signal(ended_number, handler)


@contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, for a command that has no end of its own.

    The second one ends the command as it ends others. Signals that are ignored still are.
    """
    event = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(number, previous[number])
        event.set()

    previous: dict[int, Any] = {}  # handlers
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                previous[number] = handler
                signal.signal(number, ask)
    try:
        yield event
    finally:
        for asked_number, handler in previous.items():
            signal.signal(asked_number, handler)
