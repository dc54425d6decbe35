"""one_blas_thread: matrix products that do not depend on the number of threads."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


class _OneBlasThread:
    """Context in which BLAS has one thread, for as long as any thread of the process is inside.

    Matrix products round differently with the number of threads, which ``n_jobs`` would change.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._limits = _controller().limit(limits=1, user_api="blas")
            self._n_inside += 1

    def __exit__(self, *exception: Any) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limits.restore_original_limits()


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes longer than the features of a clip.
    return ThreadpoolController()


one_blas_thread = _OneBlasThread()
