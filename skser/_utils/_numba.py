"""Kernels: functions that numba compiles, all in the same way.

A module with kernels is imported by the function that needs one, because importing numba takes
longer than all of skser.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

# The machine code is kept beside the module, as Python keeps its bytecode. Sums may be reordered,
# which lets them use the processor's vector units; NaN and infinity keep their meaning.
kernel: Callable[..., Any] = numba.njit(
    cache=True,
    nogil=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "arcp", "nsz"},
)
