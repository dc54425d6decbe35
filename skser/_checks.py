"""Checks of labels and features, which say in skser's errors what scikit-learn says in its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from .exceptions import DataError
from .views import AugmentedFeatures


def check_labels(y: Any, n_clips: int) -> np.ndarray:
    """Labels as a 1-D array: one for each clip, none missing, at least two classes."""
    if y is None:
        raise DataError("y must be given: requires y to be passed, but the target y is None")
    try:
        labels = column_or_1d(y, warn=True)
    except ValueError as error:
        raise DataError(f"y must be 1-D with a label for each clip: {error}") from None
    if len(labels) != n_clips:
        raise DataError(f"y must have a label for each clip: {n_clips} clips, {len(labels)} labels")
    check_none_missing(labels, "y", "labels")
    try:
        check_classification_targets(labels)
    except ValueError as error:
        raise DataError(f"y must be labels: {error}") from None
    classes = np.unique(labels).tolist()
    if len(classes) < 2:
        got = f"one class only: {classes[0]!r}" if classes else "no labels"
        raise DataError(f"y must have at least two classes, got {got}")
    return labels


def check_speakers(groups: Any, n_clips: int) -> np.ndarray:
    """Speakers as a 1-D array: one for each clip, none missing."""
    groups = np.asarray(groups)
    if groups.shape != (n_clips,):
        raise DataError(
            f"groups must have a speaker for each clip: {n_clips} clips, got shape {groups.shape}"
        )
    check_none_missing(groups, "groups", "speakers")
    return groups


def check_none_missing(values: np.ndarray, name: str, what: str) -> None:
    """Raise DataError for None, NaN and infinity."""
    missing = np.array([_is_missing(value) for value in values.tolist()], dtype=bool)
    if missing.any():
        raise DataError(
            f"{name} must have no missing {what}, got {values[missing].tolist()[0]!r} in row "
            f"{int(missing.argmax())}"
        )


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


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
