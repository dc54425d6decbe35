"""Checks of labels and speakers: one for each clip, none missing."""

from __future__ import annotations

import math
import warnings
from enum import Enum
from numbers import Real
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning

from ..exceptions import DataError

# What missing values become in arrays of text, as np.array(["sad", np.nan]).
_MISSING_TEXTS = {"", "nan", "NaN", "None", "<NA>", "NaT"}


def check_labels(y: ArrayLike | None, n_clips: int) -> np.ndarray:
    """Labels as a 1-D array: one for each clip, none missing, at least two classes."""
    if y is None:
        raise DataError("y must be given: requires y to be passed, but the target y is None")
    labels = _check_column(y, n_clips, "y", "label", warn=True)
    if labels.dtype.kind == "f" and (is_fraction := labels != np.round(labels)).any():
        row = int(is_fraction.argmax())
        raise DataError(
            f"y must be labels: Unknown label type: continuous, got {labels[row]:g} in row {row}; "
            "give each clip one of a few classes, as text or whole numbers"
        )
    classes = np.unique(labels).tolist()
    if len(classes) < 2:
        got = f"one class only: {classes[0]!r}" if classes else "no labels"
        raise DataError(f"y must have at least two classes, got {got}")
    return labels


def check_more_clips_than_classes(labels: np.ndarray) -> None:
    """Raise DataError if each class has one clip only."""
    n_classes = len(np.unique(labels))
    if n_classes == len(labels):
        raise DataError(
            f"y must have more clips than classes, got {len(labels)} clips of {n_classes} "
            "classes: add recordings of each"
        )


def check_any_targets(y: ArrayLike, n_clips: int) -> None:
    """Raise DataError for labels that no classifier is fitted on; a regression may have targets."""
    try:
        targets = np.asarray(y)
    except ValueError:
        targets = np.empty(0)  # `check_labels` says what is wrong
    fractions = targets[np.isfinite(targets)] % 1 if targets.dtype.kind == "f" else 0
    if np.any(fractions) and targets.ndim > 0 and len(targets) == n_clips:
        return
    labels = check_labels(y, n_clips)
    check_more_clips_than_classes(labels)
    if labels.dtype != object and str(getattr(y, "dtype", "")) == "object":
        raise DataError(
            "y must be text or numbers in NumPy's types, which scikit-learn needs, got objects: "
            f"pass y.astype({labels.dtype.name!r})"
        )


def check_class_sizes(labels: np.ndarray, least: int, who: str, way: str = "") -> None:
    """Raise DataError for a class with fewer clips than ``who`` needs; ``way`` is a way out."""
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    few = np.flatnonzero(counts < least)
    if not len(few):
        return
    rows = np.flatnonzero(index == few[0]).tolist()
    more = "" if len(few) == 1 else f", and too few of {len(few) - 1} more"
    raise DataError(
        f"{who} needs at least {least} clips of each class, got {len(rows)} of "
        f"{classes.tolist()[few[0]]!r:.80} (row{'s' * (len(rows) > 1)} "
        f"{', '.join(map(str, rows[:5]))}{', ...' * (len(rows) > 5)}){more}; add recordings, or "
        f"leave the class out{way}"
    )


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
    table = _as_array(values, name, what)
    if table.ndim == 2 and table.shape[1] > 1:
        is_one_hot = table.dtype.kind in "biuf" and bool(
            np.isin(table, (0, 1)).all() and (table.sum(axis=1) == 1).all()
        )
        index = "idxmax" if hasattr(values, "idxmax") else "argmax"
        way = f"; it is one-hot: pass {name}.{index}(axis=1), or the names" if is_one_hot else ""
        raise DataError(
            f"{name} must be 1-D with a {what} for each clip, got shape {table.shape}{way}"
        )
    if table.ndim == 2:
        if warn:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=4,
            )
        table = table.ravel()
    if table.ndim != 1:
        raise DataError(
            f"{name} must be 1-D with a {what} for each clip, got an array of shape {table.shape}"
        )
    if len(table) != n_clips:
        raise DataError(
            f"{name} must have a {what} for each clip: {n_clips} clips, {len(table)} {what}s"
        )
    check_none_missing(table, name, f"{what}s")
    column = _of_one_type(table, name, what) if table.dtype == object else table
    if column.dtype.kind not in "biufUO":
        _refuse(table.tolist()[0], 0, name, what)
    # Lists become arrays of texts, as in NumPy; columns of pandas stay objects.
    return np.array(column.tolist()) if isinstance(values, (list, tuple)) else column


def _as_array(values: ArrayLike, name: str, what: str) -> np.ndarray:
    """``values`` as an array, without NumPy's conversion of numbers among words into words."""
    if issparse(values):
        raise DataError(f"{name} must be dense, got a sparse array: pass {name}.toarray()")
    if isinstance(values, np.ma.MaskedArray):
        unmasked = np.array(values.data, dtype=object)
        unmasked[np.ma.getmaskarray(values)] = None
        return unmasked
    if isinstance(values, (list, tuple)):
        cells: np.ndarray = np.empty(len(values), dtype=object)  # type: ignore[type-var]
        cells[:] = values
        if not any(isinstance(cell, (list, tuple, np.ndarray)) for cell in cells):
            return cells
    try:
        return np.asarray(values)
    except ValueError:
        raise DataError(
            f"{name} must be 1-D with a {what} for each clip, got lists of different lengths"
        ) from None


def _of_one_type(cells: np.ndarray, name: str, what: str) -> np.ndarray:
    """Words, or numbers in the type that NumPy has for them; DataError for anything else."""
    for row, cell in enumerate(cells):
        if not isinstance(cell, (str, Real, np.bool_)):
            _refuse(cell, row, name, what)
    is_word = [isinstance(cell, str) for cell in cells]
    if all(is_word):
        # NumPy takes members of a StrEnum by their names.
        return np.array([str.__str__(cell) for cell in cells], dtype=object)
    if any(is_word):
        word, other = is_word.index(True), is_word.index(False)
        raise DataError(
            f"{name} must have {what}s of one type, got {cells[word]!r:.80} in row {word} and "
            f"{cells[other]!r:.80} in row {other}; convert them by str()"
        )
    numbers = np.array(cells.tolist())
    if numbers.dtype == object:  # fractions, or integers of more than 64 bits
        _refuse(cells[0], 0, name, what)
    return numbers


def _refuse(cell: object, row: int, name: str, what: str) -> NoReturn:
    """Raise DataError for what is neither a text nor a number."""
    way = "str()"
    if isinstance(cell, bytes):
        way = "bytes.decode()"
    elif isinstance(cell, Enum):
        way = "label.name"
    if isinstance(cell, complex):  # scikit-learn's words
        raise DataError(f"Complex data not supported: {name} has {cell!r:.80} in row {row}")
    raise DataError(
        f"{name} must have {what}s of text or numbers, got {cell!r:.80} in row {row}; convert them "
        f"by {way}"
    )


def check_none_missing(values: np.ndarray, name: str, what: str) -> None:
    """Raise DataError for None, NaN, NaT, NA, infinity, and what they become as text."""
    cells = np.asarray(values).tolist()
    rows = [row for row, value in enumerate(cells) if _is_missing(value)]
    if rows:
        more = (
            "; leave it out" if len(rows) == 1 else f", and in {len(rows) - 1} more; leave them out"
        )
        raise DataError(
            f"{name} must have no missing {what}, got {cells[rows[0]]!r} in row {rows[0]}{more}"
        )


def _is_missing(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, str):
        return value.strip() in _MISSING_TEXTS
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
