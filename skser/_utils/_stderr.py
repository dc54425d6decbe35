"""Discard what C libraries write to stderr."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_lock = threading.Lock()
_n_threads = 0
_stderr: int | None = None  # copy of file descriptor 2


@contextmanager
def stderr_closed() -> Iterator[None]:
    """Redirect file descriptor 2 to the null device while any thread is in such a block."""
    global _n_threads
    with _lock:
        _n_threads += 1
        if _n_threads == 1:
            _close()
    try:
        yield
    finally:
        with _lock:
            _n_threads -= 1
            if _n_threads == 0 and _stderr is not None:
                os.dup2(_stderr, 2)
                os.close(_stderr)


def _close() -> None:
    global _stderr
    _stderr = None
    with suppress(OSError):  # there may be no stderr
        _stderr = os.dup(2)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
