"""Freed memory that glibc keeps for the next arrays, on Linux."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD of <malloc.h>
_KEPT = 2**24  # bytes; 4 MiB are enough for clips of a few seconds


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep up to 16 MiB that is freed, where ``MALLOC_TRIM_THRESHOLD_`` allows less.

    Dask sets the variable to 64 KiB for its workers. The pages of each temporary array would go
    back to the system and be mapped again for the next.
    """
    threshold = _threshold_of_environment()
    mallopt = None if threshold is None or threshold >= _KEPT else _find_mallopt()
    if mallopt is None:
        yield
        return
    mallopt(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        mallopt(_TRIM_THRESHOLD, threshold)


def _threshold_of_environment() -> int | None:
    value = os.environ.get("MALLOC_TRIM_THRESHOLD_", "")
    return int(value) if value.isdecimal() else None


def _find_mallopt() -> ctypes._NamedFuncPointer | None:
    """The function of the C library; None where there is none, as in musl."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
