"""Imported before numpy: one thread for whatever computes, so that one core is one core."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
# Where there is one core, no thread reads the next recording while features are computed.
os.environ["LOKY_MAX_CPU_COUNT"] = "1"
