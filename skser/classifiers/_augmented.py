"""AugmentedClassifier: any scikit-learn classifier, trained on all views of augmented clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, has_fit_parameter

from .._utils._labels import check_labels
from .._utils._param_validation import check_is_fitted
from ..exceptions import ParameterError
from ..features import AugmentedFeatures
from ..features._checks import is_table_after_views
from ._class_needs import check_needs

__all__ = ["AugmentedClassifier"]

Features = ArrayLike | AugmentedFeatures


def _estimator_has(method: str) -> Callable[[Any], bool]:
    def check(self: Any) -> bool:
        # Raises AttributeError, as available_if expects.
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


def _check_no_splits(estimator: BaseEstimator) -> None:
    """Raise ParameterError if an estimator splits its rows by itself."""
    for name, value in estimator.get_params().items():
        last = name.split("__")[-1]
        if (last == "cv" and value != "prefit") or (last == "early_stopping" and value is True):
            raise ParameterError(
                f"estimator must not split its rows ({name}={value!r}), which would put views of "
                "one clip on both sides; put a search or calibration around the pipeline"
            )


class WrapperMixin(ClassifierMixin, MetaEstimatorMixin):
    """A classifier with the tags, classes and feature names of the ``estimator`` it wraps."""

    estimator: BaseEstimator

    def _keep(self, fitted: BaseEstimator) -> Any:
        self.estimator_ = fitted
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.classifier_tags = inner.input_tags, inner.classifier_tags
        return tags


class AugmentedClassifier(WrapperMixin, BaseEstimator):
    """Train any classifier on all views of augmented clips.

    In `fit` every view becomes a row with the label and weight of its clip. If `predict` gets views
    too (``Augmenter(test_time=True)``), it averages their probabilities.

    Parameters
    ----------
    estimator : classifier
        A scikit-learn classifier or a pipeline that ends in one. It must not split its rows by
        itself (a search, ``cv``, ``early_stopping``), which would put views of one clip on both
        sides: put a search around the pipeline, where rows are clips.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone of ``estimator``.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features, if ``estimator`` has it.

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

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator

    def fit(
        self,
        X: Features,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        **fit_params: object,
    ) -> AugmentedClassifier:
        """Fit the estimator on the views of all clips.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips.
        **fit_params : dict
            Further arguments of the estimator's ``fit``.

        Returns
        -------
        self : AugmentedClassifier
            The fitted classifier.

        Raises
        ------
        ParameterError
            The estimator is not a classifier, splits its rows or takes no ``sample_weight``.
        DataError
            The labels are invalid.
        """
        if not is_classifier(self.estimator):
            raise ParameterError(f"estimator must be a classifier, got {self.estimator!r}")
        if sample_weight is not None:
            if not has_fit_parameter(self.estimator, "sample_weight"):
                raise ParameterError(
                    f"sample_weight must be None: {type(self.estimator).__name__} does not take it"
                )
            fit_params["sample_weight"] = sample_weight
        if isinstance(X, AugmentedFeatures):
            _check_no_splits(self.estimator)
            y = check_labels(y, len(X))
            self._check_needs(y, None)  # of clips, which have several views
            if sample_weight is not None:
                weight = _check_sample_weight(sample_weight, np.empty((len(X), 1)))
                fit_params["sample_weight"] = X.repeat(weight)
            X, y = X.flatten(), X.repeat(y)
        return self._keep(clone(self.estimator).fit(X, y, **fit_params))

    def _check_needs(self, labels: np.ndarray, groups: np.ndarray | None) -> None:
        """Raise DataError if the estimator cannot be fitted on these labels."""
        estimator = self.estimator
        last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        check_needs(last, labels, groups)

    def predict(self, X: Features) -> np.ndarray:
        """Predict the labels of clips.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            The labels.
        """
        check_is_fitted(self, "estimator_")
        if not isinstance(X, AugmentedFeatures):
            return self.estimator_.predict(self._unnamed(X))
        rows = X.flatten()
        if hasattr(self.estimator_, "predict_proba"):
            return self.classes_[X.average(self.estimator_.predict_proba(rows)).argmax(axis=1)]
        votes = self.estimator_.predict(rows)
        if hasattr(self.estimator_, "decision_function"):
            scores = self.estimator_.decision_function(rows)
            if scores.ndim == 1:
                scores = np.stack([-scores, scores], axis=1)
            # One-versus-one scores may be as many as classes, but belong to pairs of them.
            n_classes = len(self.classes_)
            if scores.shape[1] == n_classes and (self.classes_[scores.argmax(1)] == votes).all():
                return self.classes_[X.average(scores).argmax(axis=1)]
        ballots = (votes[:, np.newaxis] == self.classes_).astype(float)
        return self.classes_[X.average(ballots).argmax(axis=1)]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: Features) -> np.ndarray:
        """Predict probabilities, averaged over views.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``.
        """
        return self._scores(X, "predict_proba")

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: Features) -> np.ndarray:
        """Compute decision values, averaged over views.

        Parameters
        ----------
        X : AugmentedFeatures or array of shape (n_clips, n_features)
            Features.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
            Decision values.
        """
        return self._scores(X, "decision_function")

    def _scores(self, X: Features, method: str) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        scores = getattr(self.estimator_, method)
        if isinstance(X, AugmentedFeatures):
            return X.average(scores(X.flatten()))
        return scores(self._unnamed(X))

    def _unnamed(self, X: ArrayLike) -> ArrayLike:
        return np.asarray(X) if is_table_after_views(self.estimator_, X) else X
