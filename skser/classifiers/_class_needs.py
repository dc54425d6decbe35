"""Clips of each class that an estimator needs to be fitted."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._utils._labels import check_class_sizes, check_more_clips_than_classes

_MORE_THAN_CLASSES = ("LinearDiscriminantAnalysis", "WeightedLinearDiscriminant")


def check_needs(step: Any, labels: np.ndarray, groups: np.ndarray | None = None) -> None:
    """Raise DataError if an estimator cannot be fitted on clips with these labels.

    Estimators of skser say so in ``_check_needs(labels, groups)``; for those of scikit-learn, whose
    own errors would come after the features, their needs are known by name.
    """
    if hasattr(step, "_check_needs"):
        step._check_needs(labels, groups)
        return
    name = type(step).__name__
    if name in _MORE_THAN_CLASSES:
        check_more_clips_than_classes(labels)
    elif name == "QuadraticDiscriminantAnalysis":
        check_class_sizes(labels, 2, name)
    elif name == "CalibratedClassifierCV":
        n_folds = 5 if step.cv is None else step.cv
        if isinstance(n_folds, (int, np.integer)):
            check_class_sizes(labels, int(n_folds), f"{name} with cv={n_folds}")
    elif getattr(step, "early_stopping", None) is True and hasattr(step, "validation_fraction"):
        way = ", or set early_stopping=False"
        check_class_sizes(labels, 2, f"{name} with early_stopping=True", way)
