"""Views: what augmented clips become as features, and classifiers that train on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import check_array, column_or_1d, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, has_fit_parameter, validate_data

from ._validation import check_is_fitted
from .exceptions import DataError, ParameterError

__all__ = ["AugmentedClassifier", "AugmentedFeatures"]


class AugmentedFeatures:
    """Features of several views of each clip, one row for each clip.

    Parameters
    ----------
    values : ndarray of shape (n_clips, n_views, n_features) or \
            (n_clips, n_views, n_frames, n_features)
        The features; view 0 is the clean clip.

    Attributes
    ----------
    n_views : int
        Views of a clip.
    shape : tuple
        Shape of ``values``.

    Notes
    -----
    Indexing selects clips, with all their views. There is no conversion to an array, because an
    estimator that knows nothing of views would take them for features.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import AugmentedFeatures
    >>> features = AugmentedFeatures(np.zeros((10, 4, 13)))
    >>> features[:3].shape, features.flatten().shape, features.repeat(np.arange(10)).shape
    ((3, 4, 13), (40, 13), (40,))
    """

    def __init__(self, values: np.ndarray) -> None:
        if not isinstance(values, np.ndarray) or values.ndim < 3:
            raise DataError(
                "values must be an array of shape (n_clips, n_views, ...), got "
                f"{getattr(values, 'shape', type(values).__name__)}"
            )
        self.values = values

    @property
    def n_views(self) -> int:
        return self.values.shape[1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> AugmentedFeatures:
        if isinstance(index, (int, np.integer)):
            index = [index]
        elif isinstance(index, tuple):
            index = index[0]
        return AugmentedFeatures(self.values[index])

    def flatten(self) -> np.ndarray:
        """All views as rows: (n_clips * n_views, ...), the views of a clip side by side."""
        return self.values.reshape(-1, *self.values.shape[2:])

    def repeat(self, per_clip: Any) -> np.ndarray:
        """One value for each clip (a label, a weight) to one for each row of `flatten`."""
        return np.repeat(np.asarray(per_clip), self.n_views, axis=0)

    def average(self, per_row: np.ndarray) -> np.ndarray:
        """One value for each row of `flatten` to its mean over the views of each clip."""
        return per_row.reshape(len(self), self.n_views, *per_row.shape[1:]).mean(axis=1)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> AugmentedFeatures:
        """Apply a function to the array of features, which must keep clips and views."""
        return AugmentedFeatures(function(self.values))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(
            "AugmentedFeatures are no array: their views must stay together. Put the classifier "
            "into skser.AugmentedClassifier(...), or take .values if you know what you do."
        )

    def __repr__(self) -> str:
        shape = " x ".join(str(n) for n in self.shape[2:])
        return f"<features of {len(self)} clips, {self.n_views} views each of {shape}>"


def _estimator_has(method: str) -> Callable[[Any], bool]:
    def check(self: Any) -> bool:
        # Raises AttributeError, as available_if expects.
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class AugmentedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Let any classifier train on all views of augmented clips.

    In `fit` every view becomes a row with its clip's label and weight. If there are views in
    `predict` too (``Augmenter(test_time=True)``), their probabilities are averaged.

    Parameters
    ----------
    estimator : classifier
        Any scikit-learn classifier or pipeline that ends in one.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone of ``estimator``.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features, where ``estimator`` knows it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from skser import AugmentedClassifier, AugmentedFeatures
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "angry"], 10)
    >>> centre = (y == "angry")[:, None, None]
    >>> X = AugmentedFeatures(centre + 0.1 * rng.normal(size=(20, 4, 5)))
    >>> AugmentedClassifier(SVC()).fit(X, y).predict(np.ones((1, 5)))
    array(['angry'], dtype='<U5')
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Any:
        """Fit on the views of every clip.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips.
        **fit_params : dict
            Further arguments of the estimator's ``fit``, as they are.

        Returns
        -------
        self : AugmentedClassifier
        """
        if not is_classifier(self.estimator):
            raise ParameterError(f"estimator must be a classifier, got {self.estimator!r}")
        if sample_weight is not None:
            if not has_fit_parameter(self.estimator, "sample_weight"):
                raise ParameterError(
                    f"sample_weight must be None: {type(self.estimator).__name__} has no use for it"
                )
            fit_params["sample_weight"] = sample_weight
        if isinstance(X, AugmentedFeatures):
            y = check_labels(y, len(X))
            if sample_weight is not None:
                weight = _check_sample_weight(sample_weight, np.empty((len(X), 1)))
                fit_params["sample_weight"] = X.repeat(weight)
            X, y = X.flatten(), X.repeat(y)
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        self.classes_ = self.estimator_.classes_
        if hasattr(self.estimator_, "n_features_in_"):
            self.n_features_in_ = self.estimator_.n_features_in_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Labels of clips.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        check_is_fitted(self, "estimator_")
        if not isinstance(X, AugmentedFeatures):
            return self.estimator_.predict(X)
        for method in ("predict_proba", "decision_function"):
            if hasattr(self.estimator_, method):
                scores = X.average(getattr(self.estimator_, method)(X.flatten()))
                break
        else:
            labels = self.estimator_.predict(X.flatten())
            scores = X.average((labels[:, np.newaxis] == self.classes_).astype(float))
        best = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
        return self.classes_[best]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, averaged over views.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        return self._scores(X, "predict_proba")

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Decision values, averaged over views.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        return self._scores(X, "decision_function")

    def _scores(self, X: Any, method: str) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        scores = getattr(self.estimator_, method)
        return X.average(scores(X.flatten())) if isinstance(X, AugmentedFeatures) else scores(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags = inner.classifier_tags
        return tags


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
    missing = np.array([_is_missing(label) for label in labels.tolist()], dtype=bool)
    if missing.any():
        raise DataError(
            f"y must have no missing labels, got {labels[missing].tolist()[0]!r} in row "
            f"{int(missing.argmax())}"
        )
    check_classification_targets(labels)
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"y must have at least two classes, got one class only: {labels.tolist()[0]!r}"
        )
    return labels


def _is_missing(label: Any) -> bool:
    return label is None or (isinstance(label, float) and not math.isfinite(label))


def check_features(estimator: Any, X: Any, *, reset: bool, allow_nan: bool = False) -> np.ndarray:
    """Features as an array of numbers, their last axis as many as in fit.

    Vectors are checked as scikit-learn does, names of columns included. ``allow_nan`` is for
    vectors; in sequences NaN is padding.
    """
    if isinstance(X, AugmentedFeatures):
        values = X.values
    else:
        X = X if hasattr(X, "ndim") else np.asarray(X)
        dtypes = (np.float64, np.float32)
        finite = "allow-nan" if allow_nan or X.ndim > 2 else True
        try:
            if X.ndim > 2:
                values = check_array(X, dtype=dtypes, ensure_all_finite=finite, allow_nd=True)
            else:
                values = validate_data(
                    estimator, X, reset=reset, dtype=dtypes, ensure_all_finite=finite
                )
        except ValueError as error:
            raise DataError(str(error)) from None
    n_features = values.shape[-1]
    if reset:
        estimator.n_features_in_ = n_features
    elif n_features != estimator.n_features_in_:
        raise DataError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
    return values
