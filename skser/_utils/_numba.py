"""Kernels: functions that numba compiles, all with the same options.

Import modules of kernels inside functions, because numba takes longer to import than skser.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numba
from numba.core.caching import FunctionCache

from ..exceptions import SkserWarning

# Sums may be reordered for the processor's vector units; NaN and infinity keep their meaning.
_compiled = numba.njit(
    nogil=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "arcp", "nsz"},
)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function; its machine code is cached beside its module if that can be written to.

    Otherwise in the user's cache folder, or, with a warning, not at all.
    """
    dispatcher: Any = _compiled(function)
    try:
        dispatcher._cache = _OptionalCache(function)
    except RuntimeError:  # no folder can be written to
        _warn_once()
    return dispatcher


class _OptionalCache(FunctionCache):  # type: ignore[misc]
    """A cache whose files may be unreadable, and its disk full."""

    @contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, pickle.UnpicklingError):
            _warn_once()


@lru_cache(maxsize=1)
def _warn_once() -> None:
    warnings.warn(
        "numba has no folder to write machine code to, so each process compiles it anew, which"
        " takes some seconds; set NUMBA_CACHE_DIR to a folder with space that can be written to",
        SkserWarning,
        stacklevel=2,
    )
