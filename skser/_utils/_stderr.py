"""Turns away what libraries in C write to stderr, past Python."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_n_inside = 0
_kept: int | None = None


@contextmanager
def stderr_closed() -> Iterator[None]:
    """Nothing that is written to file descriptor 2 arrives while a thread is in such a block."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _kept, _n_inside
    with _lock:
        _n_inside += 1
        if _n_inside > 1:
            return
        try:
            _kept = os.dup(2)
        except OSError:  # there is no stderr
            _kept = None
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _leave() -> None:
    global _n_inside
    with _lock:
        _n_inside -= 1
        if _n_inside == 0 and _kept is not None:
            os.dup2(_kept, 2)
            os.close(_kept)
