"""FeatureStore: training features that a fitted pipeline keeps, so that it can be adapted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin

from .._utils._labels import check_labels, check_speakers
from .._utils._param_validation import check_is_fitted
from .._utils._set_output import FeaturesTransformer
from ..exceptions import DataError
from ._augmented_features import AugmentedFeatures, Features
from ._checks import check_features, check_padding
from ._scaler import mean_and_scale


class FeatureStore(OneToOneFeatureMixin, FeaturesTransformer, BaseEstimator):
    """Keep the features and labels of `fit`, and pass all features on unchanged.

    Put it before the scaler of a pipeline, as :func:`skser.recipes.keep_features` does. Then
    :func:`skser.adapt` fits the steps after it again, on these features and those of new
    recordings. Features are rounded to about a thousandth of their standard deviation.

    Attributes
    ----------
    features_ : ndarray of shape (n_clips, n_views, n_features)
        Features of all views.
    labels_ : ndarray of shape (n_clips,)
        Labels.
    domains_ : ndarray of shape (n_clips,) or None
        Corpora, if `fit` got them.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import FeatureStore
    >>> X, y = np.eye(2), ["calm", "sad"]
    >>> store = FeatureStore().fit(X, y)
    >>> store.features_.shape, store.labels_.tolist()
    ((2, 1, 2), ['calm', 'sad'])
    """

    def fit(
        self,
        X: Features,
        y: ArrayLike,
        domains: ArrayLike | None = None,
    ) -> FeatureStore:
        """Keep features, labels and metadata.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or AugmentedFeatures
            Features, not sequences.
        y : array of shape (n_clips,)
            Labels.
        domains : array of shape (n_clips,) or None, default=None
            Corpora.

        Returns
        -------
        self : FeatureStore
            The fitted step.

        Raises
        ------
        DataError
            Features are sequences or not finite, or labels or corpora are invalid.
        """
        values = check_features(self, X, reset=True)
        if values.ndim != 2 + isinstance(X, AugmentedFeatures):
            raise DataError(
                f"X must be vectors (n_clips, n_features) to be kept, got shape {values.shape}"
            )
        check_padding(values, is_sequence=False)
        values = np.asarray(values).reshape(len(values), -1, self.n_features_in_)
        self._mean, self._scale, _ = mean_and_scale(values)
        # In deviations from the mean, half the precision is enough.
        self._deviations = ((values - self._mean) / self._scale).astype(np.float16)
        self.labels_ = check_labels(y, len(values))
        self.domains_ = None if domains is None else check_speakers(domains, len(values))
        return self

    def transform(self, X: Features) -> Features:
        """Return the features unchanged.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or AugmentedFeatures
            Features.

        Returns
        -------
        X : array or AugmentedFeatures
            The same.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        DataError
            The features are not finite, or their number differs from `fit`.
        """
        check_is_fitted(self, "labels_")
        values = check_features(self, X, reset=False)
        return X if isinstance(X, AugmentedFeatures) else values

    @property
    def features_(self) -> np.ndarray:
        """Features of all views, float32."""
        check_is_fitted(self, "labels_")
        return (self._deviations * self._scale + self._mean).astype(np.float32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
