"""Fitted steps as functions of arrays, for estimators and for prediction without scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def standardize(values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``(values - mean) / scale`` in the dtype of the values, of shape (..., n_features)."""
    scaled = values - mean.astype(values.dtype)
    scaled /= scale.astype(values.dtype)
    return scaled


def linear_discriminant(values: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Probabilities (n_classes,) of features (n_features,), as scikit-learn's discriminant."""
    # Of two classes, there are coefficients of the second only.
    scores = coef @ values + intercept
    return softmax(scores if len(scores) > 1 else np.array([0.0, scores[0]]))


def soft_vote(probabilities: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted mean of the probabilities of members; the weights sum to 1."""
    return np.tensordot(weights, probabilities, axes=1)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
