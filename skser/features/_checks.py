"""Checks of features: their values, their number and their padding."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..exceptions import DataError
from ._augmented_features import AugmentedFeatures, Features


def check_features(
    estimator: BaseEstimator, X: Features, *, reset: bool, allow_nan: bool = False
) -> np.ndarray:
    """Features as an array of numbers, with the number and column names of ``fit``.

    ``allow_nan`` is for vectors; NaN in sequences is padding.
    """
    if isinstance(X, AugmentedFeatures):
        values = X.values
        if values.dtype.kind not in "fiu":
            raise DataError(f"X must hold numbers, got dtype {values.dtype}")
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
    n_missing = np.isnan(values).sum(axis=-1)
    if (n_missing[n_missing > 0] != (values.shape[-1] if is_sequence else 0)).any():
        raise DataError("X must have NaN only where it fills whole frames that pad a sequence")
    if np.isinf(values).any():
        raise DataError("X must not have infinite values")
