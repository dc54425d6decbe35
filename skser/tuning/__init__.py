"""Tuning: Optuna studies of a pipeline's parameters, scored on speakers who are left out."""

from . import spaces
from ._nested import TunedClassifier, nested_evaluate
from ._objective import Objective
from ._result import Tuning
from ._tune import tune
from .spaces import combine, search_space

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
