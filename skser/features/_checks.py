"""Checks of features: their values, their number and their padding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._utils._blocks import blocks_of
from ..exceptions import DataError
from ._augmented_features import AugmentedFeatures, Features
from ._on_disk import FeaturesOnDisk


def check_features(
    estimator: BaseEstimator, X: Features, *, reset: bool, allow_nan: bool = False
) -> np.ndarray:
    """Features as an array of numbers, or on disk, with the number and column names of ``fit``.

    ``allow_nan`` is for vectors; NaN in sequences is padding.
    """
    values: Any
    if isinstance(X, AugmentedFeatures):
        values = X.values
        if values.dtype.kind not in "fiu":
            raise DataError(f"X must hold numbers, got dtype {values.dtype}")
    elif isinstance(X, FeaturesOnDisk):
        values = X
    else:
        has_axes = hasattr(X, "ndim") and not is_table_after_views(estimator, X, reset)
        features: Any = X if has_axes else np.asarray(X)
        finite = "allow-nan" if allow_nan or features.ndim > 2 else True
        checks = {"dtype": (np.float64, np.float32), "ensure_all_finite": finite}
        try:
            if features.ndim > 2:
                values = check_array(features, allow_nd=True, **checks)
            else:
                values = validate_data(estimator, features, reset=reset, **checks)
        except ValueError as error:
            raise DataError(str(error)) from None
    n_features = values.shape[-1]
    if reset:
        estimator.n_features_in_ = n_features
    elif n_features != estimator.n_features_in_:
        raise DataError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
    return values


def is_table_after_views(estimator: BaseEstimator, X: object, reset: bool = False) -> bool:
    """Whether ``X`` has column names and the features in fit had none, such as views."""
    return not reset and hasattr(X, "columns") and not hasattr(estimator, "feature_names_in_")


def check_padding(values: np.ndarray, is_sequence: bool) -> None:
    """Raise DataError for infinity, and for NaN other than whole frames of a sequence."""
    n_allowed = values.shape[-1] if is_sequence else 0
    for block in blocks_of(len(values), math.prod(values.shape[1:])):
        rows = np.asarray(values[block])
        if np.isfinite(rows).all():
            continue
        n_missing = np.isnan(rows).sum(axis=-1)
        if (n_missing[n_missing > 0] != n_allowed).any():
            raise DataError("X must have NaN only where it fills whole frames that pad a sequence")
        if np.isinf(rows).any():
            raise DataError("X must not have infinite values")


def by_view(X: Features, values: np.ndarray) -> np.ndarray:
    """Features with an axis for views: (n_clips, n_views, ..., n_features)."""
    if isinstance(values, FeaturesOnDisk):
        return values.by_view()
    return values if isinstance(X, AugmentedFeatures) else values[:, np.newaxis]
