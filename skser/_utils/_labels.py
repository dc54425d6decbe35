"""Checks of labels and speakers: one for each clip, none missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..exceptions import DataError


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
    try:
        speakers = column_or_1d(groups)
    except ValueError:
        shape = np.shape(groups)
        raise DataError(
            f"groups must be 1-D with a speaker for each clip: {n_clips} clips, got shape {shape}"
        ) from None
    if len(speakers) != n_clips:
        raise DataError(
            f"groups must have a speaker for each clip: {n_clips} clips, {len(speakers)} speakers"
        )
    check_none_missing(speakers, "groups", "speakers")
    return speakers


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


def index_labels(y_true: Any, y_prob: Any, classes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Index of the class of each clip, and its probabilities, checked."""
    truth, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=float)
    names = np.asarray(classes).tolist()
    wanted = (len(truth), len(names))
    if len(truth) == 0 or probabilities.shape != wanted:
        raise DataError(
            f"y_prob must be of shape {wanted} (clips, classes), with at least one clip, got "
            f"{probabilities.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise DataError("y_prob must hold probabilities, got NaN or infinite values")
    number_of = {name: number for number, name in enumerate(names)}
    unknown = [label for label in truth.tolist() if label not in number_of]
    if unknown:
        raise DataError(
            f"y_true must have labels of {', '.join(map(str, names))}, got {unknown[0]!r}"
        )
    return np.array([number_of[label] for label in truth.tolist()]), probabilities
