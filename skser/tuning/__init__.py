"""Tuning: Optuna studies of a pipeline's parameters, scored on speakers that are left out."""

from . import spaces
from .nested import TunedClassifier, nested_evaluate
from .objective import Objective
from .spaces import combine, search_space
from .tune import Tuning, tune

__all__ = [
    "Objective",
    "TunedClassifier",
    "Tuning",
    "combine",
    "nested_evaluate",
    "search_space",
    "spaces",
    "tune",
]
