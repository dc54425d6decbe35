"""Temperature scaling: apply a temperature to probabilities, and fit one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._functional import softmax

# A probability of 0 has no logarithm.
_SMALLEST = np.finfo(np.float64).eps
# Beyond these, all labels or none would be certain.
_LOWEST, HIGHEST_TEMPERATURE = 0.05, 20.0


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, which are kept away from 0."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``softmax(log(p) / temperature)`` over the last axis."""
    return softmax(log_probabilities(probabilities) / temperature)


def fit_temperature(y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike) -> float:
    """Temperature that calibrates probabilities.

    It is the T that minimises the log loss of ``softmax(log(p) / T)`` [1]_. Above 1 it lowers
    confidence, below 1 it raises it; the most probable emotion stays the same.

    Parameters
    ----------
    y_true : array of shape (n_clips,)
        True labels.
    y_prob : array of shape (n_clips, n_classes)
        Probabilities from a pipeline that was not trained on these clips.
    classes : array of shape (n_classes,)
        The labels, in the order of the probabilities.

    Returns
    -------
    temperature : float
        From 0.05 to 20.

    Raises
    ------
    DataError
        There are no clips, not one row of probabilities for each, not one column for each class, or
        a label that is none of the classes.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.calibration import fit_temperature
    >>> truth = ["calm"] * 8 + ["sad"] * 2
    >>> round(fit_temperature(truth, np.tile([0.9, 0.1], (10, 1)), ["calm", "sad"]), 3)
    1.585
    """
    from scipy.optimize import minimize_scalar

    from ._labels import index_labels

    truth, probabilities = index_labels(y_true, y_prob, classes)
    scores = log_probabilities(probabilities)
    rows = np.arange(len(truth))

    def log_loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        total = highest + np.log(np.exp(scaled - highest[:, np.newaxis]).sum(axis=1))
        return float(np.mean(total - scaled[rows, truth]))

    # Convex in 1 / T, so there is one minimum.
    bounds = (np.log(_LOWEST), np.log(HIGHEST_TEMPERATURE))
    result = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(result.x))
