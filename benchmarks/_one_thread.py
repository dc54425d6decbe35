"""Imported before numpy: one thread for whatever computes, so that one core is one core."""

import os

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
os.environ.update(ONE_THREAD)
