"""Checks of features: numbers, of as many features as in fit, padded with whole frames of NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..exceptions import DataError
from ._augmented_features import AugmentedFeatures


def check_features(estimator: Any, X: Any, *, reset: bool, allow_nan: bool = False) -> np.ndarray:
    """Features as an array of numbers, their last axis as many as in fit.

    Vectors are checked as scikit-learn does, names of columns included. ``allow_nan`` is for
    vectors; in sequences NaN is padding.
    """
    if isinstance(X, AugmentedFeatures):
        values = X.values
        if values.dtype.kind not in "fiu":
            raise DataError(f"X must hold numbers, got dtype {values.dtype}")
    else:
        if not hasattr(X, "ndim") or is_table_after_views(estimator, X, reset):
            X = np.asarray(X)
        dtypes = (np.float64, np.float32)
        finite = "allow-nan" if allow_nan or X.ndim > 2 else True
        try:
            if X.ndim > 2:
                values = check_array(X, dtype=dtypes, ensure_all_finite=finite, allow_nd=True)
            else:
                values = validate_data(
                    estimator, X, reset=reset, dtype=dtypes, ensure_all_finite=finite
                )
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


def is_table_after_views(estimator: Any, X: Any, reset: bool = False) -> bool:
    """Whether ``X`` has names of columns and what was fitted had none, as views have none."""
    return not reset and hasattr(X, "columns") and not hasattr(estimator, "feature_names_in_")


def check_padding(values: np.ndarray, is_sequence: bool) -> None:
    """Raise DataError for NaN that does not fill a whole frame, and for infinity."""
    n_missing = np.isnan(values).sum(axis=-1)
    if (n_missing[n_missing > 0] != (values.shape[-1] if is_sequence else 0)).any():
        raise DataError("X must have NaN only where it fills whole frames that pad a sequence")
    if np.isinf(values).any():
        raise DataError("X must not have infinite values")
