"""The loops over frames: compiled, or in NumPy for a few short recordings.

Numba takes longer to load than a few recordings take in NumPy, and 120 MiB. The values agree to
the rounding of float32; those of pitch to that of the height of a trough, as with librosa.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

_MAX_FRAMES = 2048  # of a recording in NumPy, which copies them
_prefers_numpy = ContextVar("_prefers_numpy", default=False)

_T = TypeVar("_T")


@contextmanager
def without_numba() -> Iterator[None]:
    """Features in this context come from NumPy, except those of long recordings."""
    token = _prefers_numpy.set(True)
    try:
        yield
    finally:
        _prefers_numpy.reset(token)


def each_without_numba(items: Iterable[_T]) -> Iterator[_T]:
    """The items, each computed `without_numba`."""
    remaining = iter(items)
    while True:
        with without_numba():
            try:
                item = next(remaining)
            except StopIteration:
                return
        yield item


def spectral_loops(n_frames: int) -> Any:
    """Module of the loops of spectra, level and derivatives."""
    if _is_in_numpy(n_frames):
        from . import _numpy_spectral as loops
    else:
        from . import _kernels as loops  # type: ignore[no-redef]
    return loops


def pitch_loops(n_frames: int) -> Any:
    """Module of the loops of `pyin`."""
    if _is_in_numpy(n_frames):
        from . import _numpy_pyin as loops
    else:
        from . import _pyin_kernels as loops  # type: ignore[no-redef]
    return loops


def _is_in_numpy(n_frames: int) -> bool:
    return _prefers_numpy.get() and n_frames <= _MAX_FRAMES
