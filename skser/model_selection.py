"""Splitters: published folds, and folds of new sentences, with or without new speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from ._utils._param_validation import NONE, check_value, integer, one_of
from .exceptions import DataError, ParameterError

__all__ = ["GroupFolds", "SpeakerTextKFold", "TextKFold", "ravdess_folds"]

# Description, and the actors in the test part of each fold.
_RAVDESS_FOLDS = {
    "luna-jimenez": (
        "actors as in Luna-Jiménez et al., 2021",
        "2 5 14 15 16 / 3 6 7 13 18 / 10 11 12 19 20 / 8 17 21 23 24 / 1 4 9 22",
    ),
    "emobox": (
        "actors as in EmoBox, Ma et al., 2024",
        "1 11 20 21 / 4 10 12 14 / 8 9 19 23 / 3 5 7 24 / 2 15 16 18 / 6 13 17 22",
    ),
}


class _GroupsSplitter(BaseCrossValidator):
    """A splitter that consumes ``groups``, which scikit-learn routes to it by default."""

    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True}


class GroupFolds(_GroupsSplitter):
    """Folds whose test groups are given by name.

    Parameters
    ----------
    folds : sequence of sequences
        The groups (such as speakers) in the test part of each fold. All others are trained on.
    description : str or None, default=None
        What a report calls them.

    Raises
    ------
    ParameterError
        A group is in two folds, or a fold is empty.

    Examples
    --------
    >>> from skser.model_selection import GroupFolds
    >>> speakers = ["ann", "bob", "cem", "ann"]
    >>> for train, test in GroupFolds([["ann"], ["bob", "cem"]]).split(speakers, groups=speakers):
    ...     print(train, test)
    [1 2] [0 3]
    [0 3] [1 2]
    """

    def __init__(self, folds: Sequence[Sequence[Any]], *, description: str | None = None) -> None:
        self.folds = folds
        self.description = description
        names = [name for fold in folds for name in fold]
        if not folds or not all(len(fold) for fold in folds):
            raise ParameterError(f"folds must be sequences of groups, none empty, got {folds!r}")
        for name in names:
            if names.count(name) > 1:
                raise ParameterError(f"folds must have each group once, got {name!r} twice")

    def _iter_test_masks(
        self, X: Any = None, y: Any = None, groups: Any = None
    ) -> Iterator[np.ndarray]:
        groups = _check_groups(X, groups)
        names = [name for fold in self.folds for name in fold]
        for unknown in set(groups) - set(names):
            raise DataError(f"groups must be in one of the folds, got {str(unknown)!r}")
        parts = [np.isin(groups, list(fold)) for fold in self.folds]
        for fold, test in zip(self.folds, parts, strict=True):
            if not test.any() or test.all():
                raise DataError(
                    f"groups must have some in the fold {fold!r} and some in others, got "
                    f"{', '.join(sorted(map(str, set(groups))))}"
                )
            yield test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds."""
        return len(self.folds)


class TextKFold(_GroupsSplitter):
    """Folds of new sentences, said by speakers who are trained on with others.

    It tells whether a pipeline knows sentences by heart. For claims about new speakers, take
    :class:`SpeakerTextKFold`.

    Parameters
    ----------
    n_folds : int or None, default=None
        Folds of sentences, with about as many clips; None leaves out one sentence at a time.

    Attributes
    ----------
    description : str
        What a report calls them.

    Examples
    --------
    >>> from skser.model_selection import TextKFold
    >>> sentences = ["s1", "s2", "s1", "s3"]
    >>> for train, test in TextKFold(2).split(sentences, groups=sentences):
    ...     print(train, test)
    [1 3] [0 2]
    [0 2] [1 3]
    """

    description = "new sentences"

    def __init__(self, n_folds: int | None = None) -> None:
        self.n_folds = n_folds
        check_value("n_folds", n_folds, integer(2), NONE)

    def _iter_test_masks(
        self, X: Any = None, y: Any = None, groups: Any = None
    ) -> Iterator[np.ndarray]:
        yield from _parts(_check_groups(X, groups), self.n_folds, "sentences")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds, for which the groups may be needed."""
        if self.n_folds is not None:
            return self.n_folds
        return len(np.unique(_check_groups(groups, groups)))


class SpeakerTextKFold(_GroupsSplitter):
    """Folds of new speakers who say new sentences.

    Speakers and sentences are both divided into folds. A test part is what the speakers of one
    fold say of the sentences of another; neither these speakers nor these sentences are trained
    on, so some clips of each fold are on neither side. Every clip is tested once.

    Parameters
    ----------
    n_speaker_folds : int or None, default=None
        Folds of speakers; None leaves out one at a time.
    n_text_folds : int or None, default=None
        Folds of sentences; None leaves out one at a time.

    Attributes
    ----------
    description : str
        What a report calls them.

    Examples
    --------
    >>> from skser.model_selection import SpeakerTextKFold
    >>> groups = [("ann", "s1"), ("ann", "s2"), ("bob", "s1"), ("bob", "s2")]
    >>> for train, test in SpeakerTextKFold().split(groups, groups=groups):
    ...     print(train, test)
    [3] [0]
    [2] [1]
    [1] [2]
    [0] [3]
    """

    description = "new speakers with new sentences"

    def __init__(self, n_speaker_folds: int | None = None, n_text_folds: int | None = None) -> None:
        self.n_speaker_folds = n_speaker_folds
        self.n_text_folds = n_text_folds
        for name in ("n_speaker_folds", "n_text_folds"):
            check_value(name, getattr(self, name), integer(2), NONE)

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Indices of the train and test part of each fold.

        Parameters
        ----------
        X : array of shape (n_clips, ...)
            Only its length matters.
        y : None
            Ignored.
        groups : array or DataFrame of shape (n_clips, 2)
            Speaker and sentence of each clip.

        Yields
        ------
        train, test : ndarray of int
        """
        speaker_parts, text_parts = self._parts(X, groups)
        for new_speaker, new_text in product(speaker_parts, text_parts):
            train = np.flatnonzero(~new_speaker & ~new_text)
            test = np.flatnonzero(new_speaker & new_text)
            if len(test):  # not everybody says everything
                yield train, test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds, for which the groups are needed."""
        speaker_parts, text_parts = self._parts(groups if X is None else X, groups)
        return sum((s & t).any() for s, t in product(speaker_parts, text_parts))

    def _parts(self, X: Any, groups: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        groups = _check_groups(X, groups, n_columns=2)
        return (
            _parts(groups[:, 0], self.n_speaker_folds, "speakers"),
            _parts(groups[:, 1], self.n_text_folds, "sentences"),
        )


def ravdess_folds(name: str = "luna-jimenez") -> GroupFolds:
    """Published folds of RAVDESS' actors.

    Parameters
    ----------
    name : {"luna-jimenez", "emobox"}, default="luna-jimenez"
        Five folds [1]_, on which most speaker-independent figures were measured, or six [2]_.

    Returns
    -------
    cv : GroupFolds
        For groups as :func:`skser.datasets.load_ravdess` gives them.

    References
    ----------
    .. [1] C. Luna-Jiménez et al., "Multimodal emotion recognition on RAVDESS dataset using
       transfer learning", Sensors 21(22), 2021.
    .. [2] Z. Ma et al., "EmoBox: multilingual multi-corpus speech emotion recognition toolkit and
       benchmark", Interspeech 2024.

    Examples
    --------
    >>> from skser.model_selection import ravdess_folds
    >>> cv = ravdess_folds("luna-jimenez")
    >>> cv.get_n_splits(), cv.folds[0][:2]
    (5, ['ravdess-02', 'ravdess-05'])
    """
    check_value("name", name, one_of(*_RAVDESS_FOLDS))
    description, folds = _RAVDESS_FOLDS[name]
    actors = [[f"ravdess-{int(actor):02d}" for actor in fold.split()] for fold in folds.split("/")]
    return GroupFolds(actors, description=description)


def _parts(names: np.ndarray, n_folds: int | None, what: str) -> list[np.ndarray]:
    """Masks of the clips of each fold, whose groups have about as many clips."""
    unique, index, counts = np.unique(names, return_inverse=True, return_counts=True)
    n_folds = len(unique) if n_folds is None else n_folds
    if len(unique) < max(n_folds, 2):
        raise DataError(f"groups must have at least {max(n_folds, 2)} {what}, got {len(unique)}")
    fold_of = np.zeros(len(unique), int)
    sizes = np.zeros(n_folds)
    for i in np.argsort(-counts, kind="stable"):
        fold_of[i] = sizes.argmin()
        sizes[fold_of[i]] += counts[i]
    return [fold_of[index] == fold for fold in range(n_folds)]


def _check_groups(X: Any, groups: Any, n_columns: int | None = None) -> np.ndarray:
    if groups is None:
        raise ParameterError("groups must be given")
    indexable(X, groups)
    groups = np.asarray(groups)
    if groups.shape[1:] != (() if n_columns is None else (n_columns,)):
        wanted = "(n_clips,)" if n_columns is None else f"(n_clips, {n_columns})"
        raise DataError(f"groups must be of shape {wanted}, got {groups.shape}")
    return groups
