"""BlockVotingClassifier: a vote of classifiers that each see one block of the features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter, validate_data

from .._utils._param_validation import check_is_fitted, check_parameters, integer
from ..exceptions import DataError, ParameterError

__all__ = ["BlockVotingClassifier"]


class BlockVotingClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Average the probabilities of classifiers that each see one block of the features.

    The layers of a :class:`skser.SpeechEmbedding` are such blocks. One classifier of all layers
    side by side would have many more features than clips.

    Parameters
    ----------
    estimator : classifier
        A classifier with ``predict_proba``; a clone is fitted to each block.
    n_blocks : int
        Number of blocks, all of one size, in the order of the features.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted clones.
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

    _allowed = {"n_blocks": [integer(1)]}

    def __init__(self, estimator: BaseEstimator, n_blocks: int) -> None:
        self.estimator = estimator
        self.n_blocks = n_blocks

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> BlockVotingClassifier:
        """Fit a classifier to each block.

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
            ``n_blocks`` is invalid, or ``estimator`` takes no ``sample_weight``.
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
        blocks = np.split(values, self.n_blocks, axis=1)
        self.estimators_ = [clone(self.estimator).fit(block, y, **weights) for block in blocks]
        self.classes_ = self.estimators_[0].classes_
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict probabilities, averaged over the blocks.

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
        blocks = np.split(self._check(X, reset=False), len(self.estimators_), axis=1)
        members = zip(self.estimators_, blocks, strict=True)
        return np.mean([member.predict_proba(block) for member, block in members], axis=0)

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

    def _check(self, X: ArrayLike, reset: bool) -> np.ndarray:
        try:
            return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        except ValueError as error:
            raise DataError(str(error)) from None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = get_tags(self.estimator).classifier_tags
        return tags
