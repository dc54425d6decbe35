"""Imports TensorFlow and Keras without the greeting that TensorFlow writes to stderr.

TensorFlow logs before its own settings apply, so only the file descriptor can be turned away.
Set ``TF_CPP_MIN_LOG_LEVEL`` to below 3 to see all.
"""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress

from .._utils._stderr import stderr_closed

# A pool of memory for tensors: malloc may return large ones to the system and fault them in anew.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
_is_quiet = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") >= "3"

with stderr_closed() if _is_quiet else nullcontext():
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
