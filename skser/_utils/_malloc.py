"""Freed memory that glibc keeps for the next arrays, on Linux."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of <malloc.h>: freed memory above the first goes back to the system, and arrays above the second
# are mapped one by one.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_DEFAULT_MMAP_THRESHOLD = 2**17
# With neither set, glibc raises both to these values once an array of 8 MiB is freed.
_RAISED = {_TRIM_THRESHOLD: 2**24, _MMAP_THRESHOLD: 2**23}


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep up to 16 MiB of freed memory where ``MALLOC_TRIM_THRESHOLD_`` is lower.

    Dask sets the variable to 64 KiB for its workers, with which the pages of each temporary array
    are mapped anew.
    """
    trim_threshold = _of_environment("MALLOC_TRIM_THRESHOLD_")
    is_low = trim_threshold is not None and trim_threshold < _RAISED[_TRIM_THRESHOLD]
    mallopt = _find_mallopt() if is_low else None
    if mallopt is None:
        yield
        return
    mmap_threshold = _of_environment("MALLOC_MMAP_THRESHOLD_")
    if mmap_threshold is None:
        mmap_threshold = _DEFAULT_MMAP_THRESHOLD
    for option, value in _RAISED.items():
        mallopt(option, value)
    try:
        yield
    finally:
        mallopt(_TRIM_THRESHOLD, trim_threshold)
        mallopt(_MMAP_THRESHOLD, mmap_threshold)


def _of_environment(name: str) -> int | None:
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() else None


def _find_mallopt() -> ctypes._NamedFuncPointer | None:
    """The function of the C library; None where there is none, as in musl."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
