"""Parameters that a model file does not keep, and what stands in their place."""

from __future__ import annotations

import inspect
from typing import Any

from ..exceptions import ModelError

# Of the machine that trained, and not of the model.
_NAMES = ("memory", "n_jobs", "verbose", "callbacks", "checkpoint")


def of_no_place(estimator: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Their defaults; a file may not choose where another machine writes."""
    parameters = inspect.signature(type(estimator).__init__).parameters
    return {
        name: parameters[name].default for name in _NAMES if name in state and name in parameters
    }


class NotKept:
    """Stands for a function that builds a network, which a model file does not hold.

    Parameters
    ----------
    function : callable or str
        The function, or what it was called.
    """

    def __init__(self, function: Any) -> None:
        self.name = str(getattr(function, "__name__", getattr(function, "name", function)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ModelError(
            f"architecture is the function {self.name}, which the model file did not hold: set it "
            "again before fitting"
        )

    def __repr__(self) -> str:
        return f"<function {self.name}, not kept>"
