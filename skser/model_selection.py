"""Splitters: published folds, and folds of new sentences, with or without new speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
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


Data = ArrayLike | None


class _GroupsSplitter(BaseCrossValidator):
    """A splitter that consumes ``groups``, which scikit-learn routes to it by default."""

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def get_n_splits(self, X: Data = None, y: Data = None, groups: Data = None) -> int:
        return sum(1 for _ in self.split(groups if X is None else X, y, groups))


class GroupFolds(_GroupsSplitter):
    """Folds whose test groups are given by name.

    Parameters
    ----------
    folds : sequence of sequences
        The groups, such as speakers, in the test part of each fold; it trains on all other groups.
    description : str or None, default=None
        Name of the folds in reports.

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

    def __init__(
        self, folds: Sequence[Sequence[str] | Sequence[int]], *, description: str | None = None
    ) -> None:
        self.folds = folds
        self.description = description
        names: list[str | int] = [name for fold in folds for name in fold]
        if not folds or not all(len(fold) for fold in folds):
            raise ParameterError(f"folds must be sequences of groups, none empty, got {folds!r}")
        for name in names:
            if names.count(name) > 1:
                raise ParameterError(f"folds must have each group once, got {name!r} twice")

    def _iter_test_masks(self, X: ArrayLike, y: Data, groups: Data) -> Iterator[np.ndarray]:
        groups = _check_groups(X, groups)
        for unknown in set(groups).difference(*self.folds):
            raise DataError(f"groups must be in one of the folds, got {str(unknown)!r}")
        for fold in self.folds:
            test = np.isin(groups, np.asarray(fold))
            if not test.any() or test.all():
                raise DataError(
                    f"groups must have some in the fold {fold!r} and some in others, got "
                    f"{', '.join(sorted(map(str, set(groups))))}"
                )
            yield test

    def get_n_splits(self, X: Data = None, y: Data = None, groups: Data = None) -> int:
        return len(self.folds)


class TextKFold(_GroupsSplitter):
    """Folds of new sentences, said by speakers of the training clips.

    They show whether a pipeline has memorised sentences. For claims about new speakers, use
    :class:`SpeakerTextKFold`.

    Parameters
    ----------
    n_folds : int or None, default=None
        Folds of sentences, of about equal size; None leaves out one sentence at a time.

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

    def _iter_test_masks(self, X: ArrayLike, y: Data, groups: Data) -> Iterator[np.ndarray]:
        yield from _parts(_check_groups(X, groups), self.n_folds, "sentences")

    def get_n_splits(self, X: Data = None, y: Data = None, groups: Data = None) -> int:
        return self.n_folds or super().get_n_splits(X, y, groups)


class SpeakerTextKFold(_GroupsSplitter):
    """Folds of new speakers who say new sentences.

    Speakers and sentences are both divided into folds; ``groups`` has a row ``(speaker, sentence)``
    for each clip. A test part is the sentences of one fold said by the speakers of another. Its
    training part has neither these speakers nor these sentences, so that some clips are in neither.
    Every clip is tested once.

    Parameters
    ----------
    n_speaker_folds : int or None, default=None
        Folds of speakers; None leaves out one speaker at a time.
    n_text_folds : int or None, default=None
        Folds of sentences; None leaves out one sentence at a time.

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
        self, X: ArrayLike, y: Data = None, groups: Data = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        speakers, texts = _check_groups(X, groups, (2,)).T
        speaker_parts = _parts(speakers, self.n_speaker_folds, "speakers")
        text_parts = _parts(texts, self.n_text_folds, "sentences")
        for new_speaker, new_text in product(speaker_parts, text_parts):
            train = np.flatnonzero(~new_speaker & ~new_text)
            test = np.flatnonzero(new_speaker & new_text)
            if len(test):  # some speakers do not say all sentences
                yield train, test


def ravdess_folds(name: str = "luna-jimenez") -> GroupFolds:
    """Published folds of the actors of RAVDESS.

    Parameters
    ----------
    name : {"luna-jimenez", "emobox"}, default="luna-jimenez"
        Five folds [1]_, on which most speaker-independent figures were measured, or six [2]_.

    Returns
    -------
    cv : GroupFolds
        For the ``groups`` of :func:`skser.datasets.load_ravdess`.

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
    """Masks of the clips of each fold, of about equal size."""
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


def _check_groups(X: ArrayLike, groups: Data, shape: tuple[int, ...] = ()) -> np.ndarray:
    """``groups`` as an array with a row of some shape for each clip."""
    if groups is None:
        raise ParameterError("groups must be given")
    indexable(X, groups)
    groups = np.asarray(groups)
    if groups.shape[1:] != shape:
        wanted = f"(n_clips, {shape[0]})" if shape else "(n_clips,)"
        raise DataError(f"groups must be of shape {wanted}, got {groups.shape}")
    return groups
