"""Checks of labels and speakers: one for each clip, none missing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..exceptions import DataError


def check_labels(y: ArrayLike | None, n_clips: int) -> np.ndarray:
    """Labels as a 1-D array: one for each clip, none missing, at least two classes."""
    if y is None:
        raise DataError("y must be given: requires y to be passed, but the target y is None")
    labels = _check_column(y, n_clips, "y", "label", warn=True)
    try:
        check_classification_targets(labels)
    except ValueError as error:
        raise DataError(f"y must be labels: {error}") from None
    classes = np.unique(labels).tolist()
    if len(classes) < 2:
        got = f"one class only: {classes[0]!r}" if classes else "no labels"
        raise DataError(f"y must have at least two classes, got {got}")
    return labels


def all_classes(known: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Classes of a fit and those of further labels, sorted."""
    try:
        sorted({*known.tolist(), *present.tolist()})
    except TypeError:
        raise DataError(
            f"y must have labels of the same type as in the previous fit, got "
            f"{present[:1].tolist()} beside {known[:1].tolist()}"
        ) from None
    return np.unique(np.concatenate([known, present]))


def check_speakers(groups: ArrayLike, n_clips: int) -> np.ndarray:
    """Speakers as a 1-D array: one for each clip, none missing."""
    return _check_column(groups, n_clips, "groups", "speaker")


def _check_column(
    values: ArrayLike, n_clips: int, name: str, what: str, *, warn: bool = False
) -> np.ndarray:
    """``values`` as a 1-D array with one for each clip, none missing."""
    if isinstance(values, (list, tuple)):
        # NumPy would turn missing values and numbers among words into words.
        cells = np.empty(len(values), dtype=object)
        cells[:] = values
        check_none_missing(cells, name, f"{what}s")
        _check_one_kind(cells, name, what)
    shape = np.asarray(values).shape
    if len(shape) == 2 and shape[1] > 1:
        table = np.asarray(values)
        is_one_hot = table.dtype.kind in "biuf" and bool(
            np.isin(table, (0, 1)).all() and (table.sum(axis=1) == 1).all()
        )
        way = f"; it is one-hot: pass {name}.argmax(axis=1), or the names" if is_one_hot else ""
        raise DataError(f"{name} must be 1-D with a {what} for each clip, got shape {shape}{way}")
    try:
        column = column_or_1d(values, warn=warn)
    except ValueError as error:
        reason = str(error).removeprefix("y should be a 1d array, ")
        raise DataError(f"{name} must be 1-D with a {what} for each clip: {reason}") from None
    if len(column) != n_clips:
        raise DataError(
            f"{name} must have a {what} for each clip: {n_clips} clips, {len(column)} {what}s"
        )
    check_none_missing(column, name, f"{what}s")
    if column.dtype == object:
        _check_one_kind(column, name, what)
    return column


def _check_one_kind(cells: np.ndarray, name: str, what: str) -> None:
    """Raise DataError for words mixed with numbers."""
    is_word = [isinstance(cell, str) for cell in cells]
    if any(is_word) and not all(is_word):
        word, other = is_word.index(True), is_word.index(False)
        raise DataError(
            f"{name} must have {what}s of one type, got {cells[word]!r:.80} in row {word} and "
            f"{cells[other]!r:.80} in row {other}; convert them by str()"
        )


def check_none_missing(values: np.ndarray, name: str, what: str) -> None:
    """Raise DataError for None, NaN, NaT, NA and infinity."""
    cells = np.asarray(values).tolist()
    rows = [row for row, value in enumerate(cells) if _is_missing(value)]
    if rows:
        more = "" if len(rows) == 1 else f", and in {len(rows) - 1} more; leave them out"
        raise DataError(
            f"{name} must have no missing {what}, got {cells[rows[0]]!r} in row {rows[0]}{more}"
        )


def _is_missing(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    # Types of pandas, which takes long to import.
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def index_labels(
    y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Index of the class of each clip, and its probabilities, checked."""
    truth, probabilities = np.asarray(y_true).tolist(), np.asarray(y_prob, dtype=float)
    names = np.asarray(classes).tolist()
    shape = (len(truth), len(names))
    if not truth or probabilities.shape != shape:
        raise DataError(
            f"y_prob must be of shape {shape} (clips, classes), with at least one clip, got "
            f"{probabilities.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise DataError("y_prob must hold probabilities, got NaN or infinite values")
    index_of = {name: index for index, name in enumerate(names)}
    for label in truth:
        if label not in index_of:
            raise DataError(
                f"y_true must have labels of {', '.join(map(str, names))}, got {label!r}"
            )
    return np.array([index_of[label] for label in truth]), probabilities
