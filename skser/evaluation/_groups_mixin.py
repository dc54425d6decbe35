"""PredictsWithGroups: a classifier around a pipeline whose steps may consume speakers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if

from .._utils._param_validation import check_is_fitted
from .._utils._types import Recordings
from ._fitted_fold import FittedFold


class PredictsWithGroups:
    """Adds ``predict`` and ``predict_proba`` of the fitted pipeline in ``_fitted_name``."""

    _fitted_name = "estimator_"
    # scikit-learn then routes `groups` here by default.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__predict: ClassVar[dict[str, Any]] = {"groups": True, "domains": True}
    __metadata_request__predict_proba: ClassVar[dict[str, Any]] = {"groups": True, "domains": True}

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(
        self, X: Recordings, groups: ArrayLike | None = None, domains: ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the probabilities of the labels.

        Parameters
        ----------
        X : sequence of recordings or array of shape (n_clips, ...)
            What the pipeline takes.
        groups : array of shape (n_clips,) or None, default=None
            Speakers, for a pipeline that uses them.
        domains : array of shape (n_clips,) or None, default=None
            Corpora, for a pipeline that uses them.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        return self._predict("predict_proba", X, groups, domains)

    def predict(
        self, X: Recordings, groups: ArrayLike | None = None, domains: ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the labels.

        Parameters
        ----------
        X : sequence of recordings or array of shape (n_clips, ...)
            What the pipeline takes.
        groups : array of shape (n_clips,) or None, default=None
            Speakers, for a pipeline that uses them.
        domains : array of shape (n_clips,) or None, default=None
            Corpora, for a pipeline that uses them.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        return self._predict("predict", X, groups, domains)

    def _predict(
        self,
        method: str,
        X: Recordings,
        groups: ArrayLike | None,
        domains: ArrayLike | None,
    ) -> np.ndarray:
        check_is_fitted(self, self._fitted_name)
        metadata = {
            name: np.asarray(values)
            for name, values in (("groups", groups), ("domains", domains))
            if values is not None
        }
        return FittedFold(getattr(self, self._fitted_name), metadata).predict(X, method)
