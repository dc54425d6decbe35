"""Kernels: functions that numba compiles, all with the same options.

Import modules of kernels inside functions, because numba takes longer to import than skser.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

from ..exceptions import SkserWarning

# Sums may be reordered for the processor's vector units; NaN and infinity keep their meaning.
_compiled = numba.njit(
    nogil=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "arcp", "nsz"},
)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function; its machine code is cached beside its module if that can be written to.

    Otherwise in the user's cache folder. Without either, code that was compiled beside the module
    before is used, such as that of a container image; all else is compiled anew, with a warning.
    """
    dispatcher: Any = _compiled(function)
    try:
        dispatcher._cache = _OptionalCache(function)
    except RuntimeError:  # no folder can be written to
        _warn_once()
    return dispatcher


class _ReadOnlyLocator(InTreeCacheLocator):  # type: ignore[misc]
    """The folder beside a module that cannot be written to but has machine code of the module."""

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _ReadOnlyLocator | None:
        locator = cls(py_func, py_file)
        indices = Path(locator.get_cache_path()).glob(f"{Path(py_file).stem}.*.nbi")
        return locator if any(indices) else None


class _Implementation(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [*CompileResultCacheImpl._locator_classes, _ReadOnlyLocator]


class _OptionalCache(FunctionCache):  # type: ignore[misc]
    """A cache whose files may be unreadable, and its disk full."""

    _impl_class = _Implementation

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
