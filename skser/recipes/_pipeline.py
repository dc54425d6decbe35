"""Pipeline: scikit-learn's, which checks the labels before its first step reads recordings."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import sklearn.pipeline
from numpy.typing import ArrayLike
from sklearn.base import is_classifier

from .._utils._labels import check_labels
from .._utils._types import Recordings
from ._labels import check_all_needs


class Pipeline(sklearn.pipeline.Pipeline):
    """A pipeline of scikit-learn whose `fit` begins with what its classifier needs of the labels.

    All steps get the labels in a type of NumPy's own. Model files hold it as scikit-learn's.
    """

    saved_as = "sklearn.pipeline.Pipeline"

    def fit(self, X: Recordings, y: ArrayLike | None = None, **params: Any) -> Pipeline:
        """Check the labels, and fit all steps."""
        if is_classifier(self) and isinstance(X, Sized) and not isinstance(X, (str, bytes)):
            y = check_labels(y, len(X))
            check_all_needs(self, y, params.get("groups"))
        return super().fit(X, y, **params)
