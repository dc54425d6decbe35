"""ClassRows: weighted mean and shrunk covariance of a class, in little memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._utils._blocks import blocks_of


class ClassRows:
    """Mean and covariance of the rows of a class, whose shares sum to 1, in blocks of rows."""

    def __init__(self, values: np.ndarray, numbers: np.ndarray, share: np.ndarray) -> None:
        self.values = values
        self.numbers = numbers  # of the rows
        self.share = share[numbers]
        self.mean = np.sum(
            [share @ rows.astype(np.float64) for rows, share in self._blocks()], axis=0
        )

    def covariance(self, shrinkage: float | str | None) -> np.ndarray:
        """Shrunk covariance."""
        if shrinkage != "auto":
            return _shrink(self._gram()[0], float(shrinkage or 0.0))
        squares = [share @ rows.astype(np.float64) ** 2 for rows, share in self._centred()]
        variance = np.sum(squares, axis=0)
        # The variance of a constant is a rounding error.
        error = len(self.numbers) * np.finfo(self.values.dtype).eps * self.mean
        scale = np.where(variance <= error**2, 1.0, np.sqrt(variance))
        gram, fourth = self._gram(scale)
        shrunk = _shrink(gram, _ledoit_wolf(gram, fourth, self.share))
        return scale[:, np.newaxis] * shrunk * scale

    def _gram(self, scale: np.ndarray | None = None) -> tuple[np.ndarray, float]:
        """Covariance of the rows divided by ``scale``, and the mean 4th power of their norms.

        Products are in the precision of the rows.
        """
        n_features = self.values.shape[1]
        gram, fourth = np.zeros((n_features, n_features)), 0.0
        for rows, share in self._centred():
            if scale is not None:
                rows /= scale.astype(rows.dtype)
                fourth += share @ np.sum(rows.astype(np.float64) ** 2, axis=1) ** 2
            rows *= np.sqrt(share).astype(rows.dtype)[:, np.newaxis]
            gram += rows.T @ rows
        return gram, fourth

    def _centred(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Copies of blocks of rows less their mean, with their shares."""
        mean = self.mean.astype(self.values.dtype)
        for rows, share in self._blocks():
            rows -= mean
            yield rows, share

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Copies of blocks of rows, with their shares."""
        n_features = self.values.shape[1]
        # To add up covariances of fewer rows would take longer than to compute them.
        for block in blocks_of(len(self.numbers), n_features, at_least=2 * n_features):
            yield self.values[self.numbers[block]], self.share[block]


def _ledoit_wolf(covariance: np.ndarray, fourth: float, share: np.ndarray) -> float:
    """Shrinkage of Ledoit and Wolf: error of the covariance, divided by its distance.

    ``fourth`` is the mean 4th power of the norms of the centred rows.
    """
    n_features = len(covariance)
    square = np.sum(covariance**2)
    distance = square - np.trace(covariance) ** 2 / n_features
    if n_features == 1 or distance <= 0:
        return 0.0
    # Mean squared distance of the rows' outer products from the covariance.
    spread = fourth - square
    return float(np.clip(np.sum(share**2) * spread / distance, 0.0, 1.0))


def _shrink(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    shrunk = (1 - shrinkage) * covariance
    shrunk[np.diag_indices_from(shrunk)] += shrinkage * np.trace(covariance) / len(covariance)
    return shrunk
