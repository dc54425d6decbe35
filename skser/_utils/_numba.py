"""Kernels: functions that numba compiles, all with the same options.

Import modules of kernels inside functions, because numba takes longer to import than skser.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

# The machine code is cached beside the module, as Python's bytecode. Sums may be reordered for the
# processor's vector units; NaN and infinity keep their meaning.
kernel: Callable[..., Any] = numba.njit(
    cache=True,
    nogil=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "arcp", "nsz"},
)
