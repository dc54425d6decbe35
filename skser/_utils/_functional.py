"""Fitted steps as functions of arrays, for estimators and for prediction without scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np


class Network(Protocol):
    """A trained network."""

    def probabilities(self, rows: np.ndarray) -> np.ndarray: ...


def standardize(values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``(values - mean) / scale`` in the dtype of the values, of shape (..., n_features)."""
    scaled = values - mean.astype(values.dtype)
    scaled /= scale.astype(values.dtype)
    return scaled


def average_statistics(
    statistics: Mapping[object, tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over groups of their means and of their scales, (n_views, n_features) each."""
    means, scales = zip(*statistics.values(), strict=True)
    return np.mean(means, axis=0), np.mean(scales, axis=0)


def linear_discriminant(values: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Probabilities (n_classes,) of features (n_features,), as from scikit-learn's discriminant.

    ``coef`` and ``intercept`` have a row for each class, or a single row for the second of two.
    """
    scores = coef @ values + intercept
    return softmax(scores if len(scores) > 1 else np.array([0.0, scores[0]]))


def mean_probabilities(networks: Sequence[Network], rows: np.ndarray) -> np.ndarray:
    """Mean of the networks' probabilities (n_rows, n_classes)."""
    return np.mean([network.probabilities(rows) for network in networks], axis=0)


def soft_vote(probabilities: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted mean of the members' probabilities; the weights sum to 1."""
    return np.tensordot(weights, probabilities, axes=1)


def parts_of(vote: Any, values: np.ndarray) -> list[np.ndarray]:
    """The blocks (..., n_features) that each member of a BlockVotingClassifier sees."""
    blocks = np.split(values, vote.n_blocks, axis=-1)
    members = [(i,) for i in range(vote.n_blocks)] if vote.members is None else vote.members
    return [np.concatenate([blocks[i] for i in member], axis=-1) for member in members]


def geometric_vote(probabilities: Sequence[np.ndarray], temperature: float) -> np.ndarray:
    """Geometric mean of the members' probabilities, flattened by a temperature, with sum 1."""
    logs = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    return softmax(logs.mean(axis=0) / temperature)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
