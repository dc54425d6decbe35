"""Imports TensorFlow and Keras without TensorFlow's messages on stderr.

TensorFlow logs before its own settings apply, so file descriptor 2 is closed meanwhile.
Set ``TF_CPP_MIN_LOG_LEVEL`` below 3 to see its messages.
"""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress

import joblib

from .._utils._stderr import stderr_closed
from ._forks import check_not_forked

# A memory pool for tensors: malloc may return large blocks to the system after every step.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
# TensorFlow would take all memory of a GPU, and leave none to other processes.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
_is_quiet = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") >= "3"

check_not_forked()  # the import would wait too
with stderr_closed() if _is_quiet else nullcontext():
    import keras
    import tensorflow as tf

Tensor = tf.Tensor | keras.KerasTensor

# joblib tells its workers here how many threads to use; TensorFlow would use all. Elsewhere half of
# them: two operations of a step run side by side, and more threads would wait for each other.
# Raises RuntimeError once TensorFlow has started.
if (
    not tf.config.threading.get_intra_op_parallelism_threads()
    and "TF_NUM_INTRAOP_THREADS" not in os.environ
):
    with suppress(ValueError, RuntimeError):
        n_threads = int(os.environ.get("OMP_NUM_THREADS", max(1, joblib.cpu_count() // 2)))
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)

# Every fit builds a new network, which TensorFlow mistakes for one network traced repeatedly.
tf.get_logger().addFilter(lambda record: "tf.function retracing" not in record.getMessage())

__all__ = ["Tensor", "keras", "tf"]
