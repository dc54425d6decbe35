"""Splits: train and test indices of each fold of a corpus, checked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    LeaveOneGroupOut,
    StratifiedKFold,
    check_cv,
)

from .._utils._labels import check_none_missing
from ..exceptions import DataError
from ..model_selection import SpeakerTextKFold, TextKFold
from ._corpus import Corpus

# Train and test indices of each fold.
Splits = Sequence[tuple[np.ndarray, np.ndarray]]

# More speakers than this are put together into this many folds.
_MAX_FOLDS = 10


def split_corpus(corpus: Corpus, cv: Any = None) -> tuple[Any, Splits]:
    """The splitter meant by ``cv``, and train and test indices of each of its folds.

    DataError if ``cv`` cannot divide the clips, tests a clip more or less than once, trains on a
    clip that it tests, or tests a class that it does not train on.
    """
    cv = default_cv(corpus.groups) if cv is None else cv
    target, groups, frame = corpus.target, corpus.groups, corpus.frame
    if isinstance(cv, (TextKFold, SpeakerTextKFold)):
        columns = ["sentence"] if isinstance(cv, TextKFold) else ["speaker", "sentence"]
        if not set(columns) <= set(frame):
            raise DataError(
                f"corpus.frame must have columns {' and '.join(columns)} for new sentences, got "
                f"{', '.join(map(str, frame.columns))}"
            )
        check_none_missing(frame["sentence"].to_numpy(object), "sentence", "names")
        groups = frame[columns].squeeze(axis=1)
    cv, splits = split_indices(cv, target, groups)
    n_tests = np.zeros(len(target), int)
    for number, (train, test) in enumerate(splits):
        np.add.at(n_tests, test, 1)
        shared = np.intersect1d(train, test)
        if len(shared):
            raise DataError(
                f"cv must not train on clips that it tests, but fold {number} does both with "
                f"{frame['path'][shared[0]]}"
            )
        missing = np.setdiff1d(target[test], target[train])
        if len(missing):
            raise DataError(
                f"cv must leave each class in training, but fold {number} tests "
                f"{missing.tolist()[0]!r} and trains on none"
            )
    if (n_tests != 1).any():
        i = int((n_tests != 1).argmax())
        raise DataError(
            f"cv must test each clip once, but {frame['path'][i]} is tested {n_tests[i]} times"
        )
    return cv, splits


def split_indices(cv: Any, target: np.ndarray, groups: Any) -> tuple[Any, Splits]:
    """The splitter meant by ``cv``, and its folds; DataError if it cannot divide these clips."""
    indices = np.arange(len(target))
    try:
        cv = check_cv(cv, target, classifier=True)
        with warnings.catch_warnings():
            # `warn_of_leakage` warns of shared speakers; a rare class may be in some folds only.
            for message in ("The groups parameter is ignored", "The least populated class"):
                warnings.filterwarnings("ignore", message, UserWarning)
            split = cv.split(target, target, groups)
            return cv, [(indices[train], indices[test]) for train, test in split]
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"cv cannot divide these clips: {error}") from error


def default_cv(groups: Any) -> BaseCrossValidator:
    """Leave one speaker out, up to ten, else ten groups of speakers; without, stratified folds."""
    if groups is None:
        return StratifiedKFold(5, shuffle=True, random_state=0)
    n_speakers = len(np.unique(groups))
    return LeaveOneGroupOut() if n_speakers <= _MAX_FOLDS else GroupKFold(_MAX_FOLDS)
