"""BlockVotingClassifier: a vote of classifiers that each see one block of the features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter, validate_data

from .._utils._functional import geometric_vote, parts_of
from .._utils._param_validation import (
    NONE,
    Allowed,
    check_is_fitted,
    check_parameters,
    integer,
    number,
)
from ..exceptions import DataError, ParameterError

__all__ = ["BlockVotingClassifier"]

_MEMBERS = Allowed(
    "a sequence of tuples of blocks",
    lambda value: (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(
            isinstance(blocks, (list, tuple)) and blocks and all(map(integer(0).accepts, blocks))
            for blocks in value
        )
    ),
)


class BlockVotingClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Vote of classifiers that each see some blocks of the features.

    The layers of a :class:`skser.SpeechEmbedding` are such blocks. One classifier of all layers
    side by side would have many more features than clips. The vote is the geometric mean of the
    members' probabilities; for linear discriminants, it is linear too.

    Parameters
    ----------
    estimator : classifier
        A classifier with ``predict_proba``; each member is a fitted clone.
    n_blocks : int
        Number of blocks, all of one size, in the order of the features.
    members : sequence of tuple of int, or None, default=None
        Blocks that each member sees, counted from 0; None makes a member for each block.
    temperature : float, default=1.0
        Divides the logarithms of the probabilities of the vote. Discriminants of many features are
        overconfident; values above 1 correct that. Labels do not change.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    skser.classifiers.SoftVotingClassifier : A vote of pipelines that see the same clips.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.classifiers import BlockVotingClassifier, WeightedLinearDiscriminant
    >>> y = np.repeat(["calm", "sad"], 10)
    >>> X = (y == "sad")[:, None] + np.random.default_rng(0).normal(size=(20, 6))
    >>> vote = BlockVotingClassifier(WeightedLinearDiscriminant(shrinkage="auto"), n_blocks=2)
    >>> [member.n_features_in_ for member in vote.fit(X, y).estimators_]
    [3, 3]
    """

    _allowed = {
        "n_blocks": [integer(1)],
        "members": [_MEMBERS, NONE],
        "temperature": [number(0, open_low=True)],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        n_blocks: int,
        *,
        members: Sequence[Sequence[int]] | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.estimator = estimator
        self.n_blocks = n_blocks
        self.members = members
        self.temperature = temperature

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> BlockVotingClassifier:
        """Fit the members.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips.

        Returns
        -------
        self : BlockVotingClassifier
            The fitted vote.

        Raises
        ------
        ParameterError
            A parameter is invalid, or ``estimator`` takes no ``sample_weight``.
        DataError
            The features cannot be divided into blocks of one size, or are invalid.
        """
        check_parameters(self)
        if sample_weight is not None and not has_fit_parameter(self.estimator, "sample_weight"):
            raise ParameterError(
                f"sample_weight must be None: {type(self.estimator).__name__} does not take it"
            )
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        values = self._check(X, reset=True)
        n_features = values.shape[1]
        if n_features % self.n_blocks:
            raise DataError(
                f"X must have a multiple of n_blocks={self.n_blocks} features, got {n_features}"
            )
        self.estimators_ = [
            clone(self.estimator).fit(part, y, **weights) for part in parts_of(self, values)
        ]
        self.classes_ = self.estimators_[0].classes_
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict probabilities.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self, "estimators_")
        parts = parts_of(self, self._check(X, reset=False))
        members = zip(self.estimators_, parts, strict=True)
        probabilities = [member.predict_proba(part) for member, part in members]
        return geometric_vote(probabilities, self.temperature)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the most probable labels.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            The labels.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _check_together(self) -> None:
        for block in itertools.chain.from_iterable(self.members or ()):
            if block >= self.n_blocks:
                raise ParameterError(
                    f"members must have blocks below n_blocks={self.n_blocks}, got {block}"
                )

    def _check(self, X: ArrayLike, reset: bool) -> np.ndarray:
        try:
            return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        except ValueError as error:
            raise DataError(str(error)) from None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = get_tags(self.estimator).classifier_tags
        return tags
