"""Temperature scaling of probabilities."""

from __future__ import annotations

import numpy as np

from ._functional import softmax

# A probability of 0 has no logarithm.
_SMALLEST = np.finfo(np.float64).eps


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, which are kept away from 0."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``softmax(log(p) / temperature)`` over the last axis."""
    return softmax(log_probabilities(probabilities) / temperature)
