"""Parameters of the machine that trained a model, which its file does not keep."""

from __future__ import annotations

import inspect
from typing import Any

from ..exceptions import ModelError

_MACHINE_PARAMS = ("memory", "n_jobs", "verbose", "callbacks", "checkpoint")


def machine_defaults(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """Defaults of these parameters, so that no file chooses where another machine writes."""
    parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    names = [name for name in _MACHINE_PARAMS if name in state and name in parameters]
    return {name: parameters[name].default for name in names}


class NotKept:
    """Placeholder of a function that builds a network, which a model file does not hold.

    Parameters
    ----------
    function : callable or str
        The function, or its name.
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
