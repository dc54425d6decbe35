"""Imports TensorFlow and Keras without the greeting that TensorFlow writes to stderr.

TensorFlow logs before its own settings apply, so only the file descriptor can be turned away.
Set ``TF_CPP_MIN_LOG_LEVEL`` to below 3 to see all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def _stderr_closed(quiet: bool) -> Iterator[None]:
    try:
        kept = os.dup(2) if quiet else None
    except OSError:  # there is no stderr
        kept = None
    if kept is None:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _stderr_closed(os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") >= "3"):
    import keras
    import tensorflow as tf

# joblib tells its workers with this how many threads are theirs; TensorFlow would take all. It
# raises RuntimeError if it has begun to work.
if not tf.config.threading.get_intra_op_parallelism_threads():
    with suppress(KeyError, ValueError, RuntimeError):
        n_threads = int(os.environ["OMP_NUM_THREADS"])
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)

# Every fit has a network of its own, which TensorFlow takes for one that is traced again and again.
tf.get_logger().addFilter(lambda record: "tf.function retracing" not in record.getMessage())

__all__ = ["keras", "tf"]
