"""Splits: train and test indices of each fold of a corpus, checked."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from .._utils._label_hints import label_hints
from .._utils._labels import check_none_missing
from .._utils._splits import split_name
from .._utils._types import CV, Splitter
from ..exceptions import DataError
from ..model_selection import SpeakerTextKFold, TextKFold
from ._corpus import Corpus, whole_file

# Train and test indices of each fold.
Splits = Sequence[tuple[np.ndarray, np.ndarray]]

# More speakers than this are divided into this many folds.
_MAX_FOLDS = 10


class OwnSplit(PredefinedSplit):
    """The split of a corpus into ``train``, ``test`` and ``val``, which is trained on too.

    Without ``test``, ``val`` is tested.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        tested = "test" if "test" in parts else "val"
        super().__init__([0 if part == tested else -1 for part in parts])
        self.tested = tested
        trained = " and ".join(sorted(set(parts) - {tested}))
        self.description = f"the corpus' own split: trained on {trained}, tested on {tested}"


class WholeRecordings(StratifiedGroupKFold):
    """Stratified random folds in which the segments of a recording are together."""

    description = "whole recordings at random"

    def __init__(self, recordings: np.ndarray, n_splits: int) -> None:
        super().__init__(n_splits, shuffle=True, random_state=0)
        self.recordings = recordings

    def split(
        self, X: object, y: ArrayLike | None = None, groups: object = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Train and test indices of each fold; speakers in ``groups`` are ignored."""
        return super().split(X, y, self.recordings)


def own_split(names: Iterable[object]) -> OwnSplit | None:
    """The split in a column ``split``, if each clip has a part and some can be tested."""
    parts = [split_name(name) for name in names]
    known = [part for part in parts if part is not None]
    is_split = len(known) == len(parts) and "train" in known and len(set(known)) > 1
    return OwnSplit(known) if is_split else None


def held_out(frame: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Whether a clip is tested by the own split of its corpus, and a line that says so.

    What `evaluate` tests is for no choice that is made before. Without a split, the line is "".
    """
    mask = np.zeros(len(frame), dtype=bool)
    if "split" not in frame:
        return mask, ""
    names = frame["corpus"].fillna("") if "corpus" in frame else pd.Series("", frame.index)
    tested = set()
    for name in names.unique():
        rows = (names == name).to_numpy()
        split = own_split(frame["split"][rows])
        if split is not None:
            mask[rows] = split.test_fold == 0
            tested.add(split.tested)
    if not tested:
        return mask, ""
    parts = " and ".join(sorted(tested))
    return mask, f"{mask.sum()} of {len(mask)} recordings are left out: part {parts} of the split"


def split_corpus(corpus: Corpus, cv: CV = None) -> tuple[Splitter, Splits]:
    """The splitter meant by ``cv``, and train and test indices of each of its folds, checked.

    None is the corpus' own split, which does not test all clips, else `default_cv`.
    """
    cv = (
        (own_split(corpus.frame.get("split", [])) or default_cv(corpus.groups, corpus.items))
        if cv is None
        else cv
    )
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
        if len(shared := np.intersect1d(train, test)):
            raise DataError(
                f"cv must not train on clips that it tests, but fold {number} does both with "
                f"{frame['path'][shared[0]]}"
            )
        if len(missing := np.setdiff1d(target[test], target[train])):
            hints = "; ".join(["", *label_hints(target.tolist())])
            raise DataError(
                f"cv must leave each class in training, but fold {number} tests "
                f"{missing.tolist()[0]!r} and trains on none{hints}"
            )
    if (n_tests != 1).any() and not isinstance(cv, OwnSplit):
        i = int((n_tests != 1).argmax())
        raise DataError(
            f"cv must test each clip once, but {frame['path'][i]} is tested {n_tests[i]} times"
        )
    return cv, splits


def split_indices(cv: CV, target: np.ndarray, groups: ArrayLike | None) -> tuple[Splitter, Splits]:
    """The splitter meant by ``cv``, and its folds; DataError if it cannot divide these clips."""
    indices = np.arange(len(target))
    try:
        splitter = check_cv(cv, target, classifier=True)
        with warnings.catch_warnings():
            # `warn_of_leakage` warns of shared speakers; a rare class may be in some folds only.
            for message in ("The groups parameter is ignored", "The least populated class"):
                warnings.filterwarnings("ignore", message, UserWarning)
            split = splitter.split(target, target, groups)
            return splitter, [(indices[train], indices[test]) for train, test in split]
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"cv cannot divide these clips: {error}") from error


def default_cv(groups: ArrayLike | None, clips: Iterable[Any] = ()) -> BaseCrossValidator:
    """Leave one speaker out, up to ten, or ten groups of speakers; random folds without."""
    if groups is None:
        return random_cv(clips, 5)
    n_speakers = len(np.unique(groups))
    return LeaveOneGroupOut() if n_speakers <= _MAX_FOLDS else GroupKFold(_MAX_FOLDS)


def random_cv(clips: Iterable[Any], n_splits: int) -> BaseCrossValidator:
    """Stratified random folds, of whole recordings if some clips are segments of the same one."""
    files = [
        os.path.abspath(whole) if isinstance(whole := whole_file(clip), str) else str(i)
        for i, clip in enumerate(clips)
    ]
    recordings = np.unique(files, return_inverse=True)[1]
    n_recordings = len(np.unique(recordings))
    if n_recordings == len(files):
        return StratifiedKFold(n_splits, shuffle=True, random_state=0)
    if n_recordings == 1:
        raise DataError(
            f"all {len(files)} clips are of one recording, {files[0]}, and are not independent; at "
            "least two recordings are needed"
        )
    return WholeRecordings(recordings, min(n_splits, n_recordings))
