"""What a temperature does to probabilities, which is all that a model file needs to know of it."""

from __future__ import annotations

import numpy as np

# A probability of 0 has no logarithm.
_SMALLEST = np.finfo(np.float64).eps


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, which are kept away from 0."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``softmax(log(p) / temperature)`` over the last axis."""
    scores = log_probabilities(probabilities) / temperature
    found = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)
