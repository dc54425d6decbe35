"""WeightedLinearDiscriminant: linear discriminant analysis of weighted rows."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from .._utils._blocks import blocks_of
from .._utils._functional import softmax
from .._utils._param_validation import NONE, check_is_fitted, check_parameters, number, one_of
from ..exceptions import DataError, ParameterError
from ._class_rows import ClassRows

__all__ = ["WeightedLinearDiscriminant"]


class WeightedLinearDiscriminant(ClassifierMixin, BaseEstimator):
    """Linear discriminant analysis that takes ``sample_weight``.

    Without weights, it equals scikit-learn's ``LinearDiscriminantAnalysis(solver="lsqr")``.
    Weights let corpora of different size count alike.

    Parameters
    ----------
    shrinkage : None, "auto" or float, default=None
        Shrinkage of the covariance of each class towards a multiple of the identity: None for no
        shrinkage, "auto" for the estimate of Ledoit and Wolf [1]_ on standardised features, or a
        number in [0, 1].
    priors : array of shape (n_classes,) or None, default=None
        Probabilities of the classes, in the order of their labels; None uses their shares of the
        weights.

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, n_features) or (1, n_features)
        Coefficients of each class; with two classes, of the second.
    intercept_ : ndarray of shape (n_classes,) or (1,)
        Intercepts.
    means_ : ndarray of shape (n_classes, n_features)
        Weighted mean of each class.
    priors_ : ndarray of shape (n_classes,)
        Probabilities of the classes, with sum 1.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features.

    Notes
    -----
    A row of weight 2 equals two rows, except with ``shrinkage="auto"``: the estimate of Ledoit and
    Wolf depends on the effective number of rows, ``sum(weight) ** 2 / sum(weight**2)``.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis, 88(2), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.classifiers import WeightedLinearDiscriminant
    >>> X, y = np.array([[0.0], [1.0], [3.0], [4.0]]), ["calm", "calm", "sad", "sad"]
    >>> discriminant = WeightedLinearDiscriminant().fit(X, y, sample_weight=[1, 1, 2, 2])
    >>> discriminant.predict([[1.95]]), discriminant.priors_.round(2)
    (array(['sad'], dtype='<U4'), array([0.33, 0.67]))
    """

    _allowed = {"shrinkage": [one_of("auto"), number(0, 1), NONE]}

    def __init__(
        self,
        *,
        shrinkage: float | Literal["auto"] | None = None,
        priors: ArrayLike | None = None,
    ) -> None:
        self.shrinkage = shrinkage
        self.priors = priors

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> WeightedLinearDiscriminant:
        """Fit the discriminant.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips; None gives all the same weight.

        Returns
        -------
        self : WeightedLinearDiscriminant
            The fitted discriminant.

        Raises
        ------
        ParameterError
            A parameter has a value that is not allowed.
        DataError
            The features are not finite, there are fewer than two classes or no more clips than
            classes, or all clips of a class have weight 0.
        """
        check_parameters(self)
        try:
            values, y = validate_data(
                self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2
            )
            check_classification_targets(y)
            weight = _check_sample_weight(
                sample_weight, values, dtype=np.float64, ensure_non_negative=True
            )
        except ValueError as error:
            raise DataError(str(error)) from None
        self.classes_, index = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        total = np.bincount(index, weight)
        _check_classes(self.classes_, total, int(np.count_nonzero(weight)))
        self.priors_ = self._check_priors(total / total.sum())
        share = weight / total[index]  # of the weight of its class
        parts = [
            ClassRows(values, np.flatnonzero((index == k) & (weight > 0)), share)
            for k in range(n_classes)
        ]
        self.means_ = np.stack([part.mean for part in parts])
        covariance = np.zeros((values.shape[1], values.shape[1]))
        for part, prior in zip(parts, self.priors_, strict=True):
            covariance += prior * part.covariance(self.shrinkage)
        coef = _solve(covariance, self.means_.T).T
        intercept = -0.5 * np.sum(self.means_ * coef, axis=1)
        with np.errstate(divide="ignore"):  # a class of prior 0 is never predicted
            intercept += np.log(self.priors_)
        if n_classes == 2:
            coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        self.coef_, self.intercept_ = coef, intercept
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the log posterior of each class, up to a constant.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
            With two classes, the log ratio of the second and the first.
        """
        check_is_fitted(self, "coef_")
        try:
            rows = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        except ValueError as error:
            raise DataError(str(error)) from None
        values = np.empty((len(rows), len(self.coef_)))
        for block in blocks_of(*rows.shape):  # a product in float64 copies rows in float32
            values[block] = rows[block] @ self.coef_.T + self.intercept_
        return values.ravel() if len(self.classes_) == 2 else values

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the labels of clips.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            The labels.
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``.
        """
        return softmax(self._scores(X))

    def _scores(self, X: ArrayLike) -> np.ndarray:
        """Decision values with a column for each class."""
        values = self.decision_function(X)
        return values if values.ndim == 2 else np.stack([np.zeros_like(values), values], axis=1)

    def _check_priors(self, shares: np.ndarray) -> np.ndarray:
        """``priors`` with sum 1; the classes' shares of the weights for None."""
        if self.priors is None:
            return shares
        priors = np.asarray(self.priors, dtype=np.float64)
        if priors.shape != shares.shape or not (priors >= 0).all() or not 0 < priors.sum() < np.inf:
            raise ParameterError(
                f"priors must be a number of at least 0 for each of {len(shares)} classes, not all "
                f"0, got {self.priors!r}"
            )
        return priors / priors.sum()


def _check_classes(classes: np.ndarray, total: np.ndarray, n_clips: int) -> None:
    """Raise DataError for too few clips of weight above 0; ``total`` is the weight of a class."""
    if len(classes) < 2:
        raise DataError(f"y must have at least two classes, got {len(classes)} class")
    if not total.all():
        raise DataError(
            "sample_weight must be above 0 for a clip of each class, got 0 for all of "
            f"{classes[total == 0].tolist()[0]!r}"
        )
    if n_clips <= len(classes):
        raise DataError(
            f"X must have more clips than classes, got {n_clips} of weight above 0 for "
            f"{len(classes)} classes"
        )


def _solve(covariance: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Solution of ``covariance @ x = means``, the shortest if the covariance is singular."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", linalg.LinAlgWarning)
            return linalg.solve(covariance, means, assume_a="pos")
    except (linalg.LinAlgError, linalg.LinAlgWarning):
        # scikit-learn's cutoff keeps directions that are rounding errors.
        return linalg.lstsq(covariance, means, cond=len(covariance) * np.finfo(float).eps)[0]
