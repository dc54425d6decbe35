"""FeatureScaler: zero mean and unit variance for each feature."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin

from .._utils._blocks import blocks_of
from .._utils._functional import standardize
from .._utils._param_validation import BOOLEAN, check_is_fitted, check_parameters
from .._utils._set_output import FeaturesTransformer
from ..exceptions import DataError
from ._augmented_features import AugmentedFeatures, Features
from ._checks import check_features
from ._on_disk import FeaturesOnDisk


class Standardizer(OneToOneFeatureMixin, FeaturesTransformer, BaseEstimator):
    """Base of transformers that standardise features of any number of axes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class FeatureScaler(Standardizer):
    """Standardise the last axis of vectors, sequences and augmented features.

    Like `sklearn.preprocessing.StandardScaler`, with the mean and standard deviation over all
    clips, views and frames. `fit` ignores NaN (padding of sequences), `transform` preserves it.

    Parameters
    ----------
    with_mean : bool, default=True
        Subtract the mean.
    with_std : bool, default=True
        Divide by the standard deviation.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each feature.
    scale_ : ndarray of shape (n_features,)
        Standard deviation of each feature, or 1 for a constant.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import FeatureScaler
    >>> sequences = np.random.default_rng(0).normal(5.0, 2.0, size=(10, 50, 3))
    >>> scaled = FeatureScaler().fit_transform(sequences)
    >>> bool(abs(scaled.mean()) < 1e-9), scaled.shape
    (True, (10, 50, 3))
    """

    _allowed = {"with_mean": [BOOLEAN], "with_std": [BOOLEAN]}

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: Features, y: ArrayLike | None = None) -> FeatureScaler:
        """Compute the mean and standard deviation of each feature.

        Parameters
        ----------
        X : array of shape (..., n_features) or AugmentedFeatures
            Features.
        y : None
            Ignored.

        Returns
        -------
        self : FeatureScaler
            The fitted scaler.

        Raises
        ------
        ParameterError
            A parameter is not allowed.
        DataError
            The features are infinite or of a wrong shape, or a feature is NaN everywhere.
        """
        check_parameters(self)
        values = check_features(self, X, reset=True, allow_nan=True)
        mean, scale, count = mean_and_scale(values)
        if not count.all():
            raise DataError(
                f"feature {int((count == 0).argmax())} of {self.n_features_in_} is NaN everywhere"
            )
        self.mean_ = mean if self.with_mean else np.zeros_like(mean)
        self.scale_ = scale if self.with_std else np.ones_like(mean)
        return self

    def transform(self, X: Features) -> np.ndarray | AugmentedFeatures:
        """Standardise features.

        Parameters
        ----------
        X : array of shape (..., n_features) or AugmentedFeatures
            Features.

        Returns
        -------
        X : array or AugmentedFeatures
            Standardised features of the same kind and shape.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        DataError
            The features are infinite, or their number differs from `fit`.
        """
        check_is_fitted(self, "mean_")
        values = check_features(self, X, reset=False, allow_nan=True)
        if isinstance(values, FeaturesOnDisk):
            mean, scale = self.mean_[np.newaxis, np.newaxis], self.scale_[np.newaxis, np.newaxis]
            scaled = values.standardized(mean, scale)
        else:
            scaled = standardize(values, self.mean_, self.scale_)
        return AugmentedFeatures(scaled) if isinstance(X, AugmentedFeatures) else scaled


def mean_and_scale(
    values: np.ndarray, *, by_view: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each feature, its deviation (1 for a constant), and its number of values.

    ``values`` are of shape (n_clips, ..., n_features). The results are of shape (n_features,), or
    with ``by_view``, which needs (n_clips, n_views, ..., n_features), (n_views, n_features).
    """
    n_groups = values.shape[1] if by_view else 1
    shape = n_groups, values.shape[-1]
    count, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for rows in _blocks(values, n_groups):
        finite = np.isfinite(rows)
        count += finite.sum(axis=1)
        if not finite.all():
            rows[np.isnan(rows)] = 0.0
        total += rows.sum(axis=1)
    mean = total / np.maximum(count, 1)
    # Squares about the mean, in a second pass, do not cancel.
    for rows in _blocks(values, n_groups):
        rows -= mean[:, np.newaxis]
        rows[np.isnan(rows)] = 0.0
        squares += np.einsum("vnf,vnf->vf", rows, rows)
    deviation = np.sqrt(squares / np.maximum(count, 1))
    # The deviation of a constant is a rounding error.
    constant = deviation <= 10 * np.finfo(values.dtype).eps * np.abs(mean)
    scale = np.where(constant, 1.0, deviation)
    return (mean, scale, count) if by_view else (mean[0], scale[0], count[0])


def _blocks(values: np.ndarray, n_groups: int) -> Iterator[np.ndarray]:
    """Copies of blocks of clips in float64, of shape (n_groups, n_rows, n_features)."""
    for block in blocks_of(len(values), math.prod(values.shape[1:])):
        clips = np.asarray(values[block])
        rows = clips.reshape(len(clips), n_groups, -1, values.shape[-1]).swapaxes(0, 1)
        yield rows.reshape(n_groups, -1, values.shape[-1]).astype(np.float64)
