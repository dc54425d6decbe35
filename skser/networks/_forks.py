"""Forks of a process in which TensorFlow runs: its threads do not exist in the child.

A call of TensorFlow in the child would wait for them forever. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..exceptions import ModelError

_is_forked = False


def check_not_forked() -> None:
    """Raise ModelError in a child of a process in which TensorFlow had run."""
    if _is_forked:
        raise ModelError(
            "TensorFlow had run before this process was forked, and cannot run in it: start"
            ' processes by "spawn", or load and use the model after the fork only, or load it with'
            ' runtime="onnx"'
        )


def _has_run() -> bool:
    """Whether TensorFlow has started its threads in this process."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    with suppress(AttributeError):  # it is being imported
        threading = tf.config.threading
        n_threads = threading.get_intra_op_parallelism_threads()
        try:
            threading.set_intra_op_parallelism_threads(n_threads + 1)
        except RuntimeError:  # it may no longer be changed
            return True
        threading.set_intra_op_parallelism_threads(n_threads)
    return False


def _after_fork() -> None:
    global _is_forked
    _is_forked = _is_forked or _has_run()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
