"""NotKept: what a model file has in place of a function that builds a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..exceptions import ModelError


class NotKept:
    """Placeholder for a function that builds a network, which a model file cannot contain."""

    def __init__(self, function: Callable[..., Any] | str) -> None:
        # Saved again, a placeholder keeps its name.
        self.name = str(getattr(function, "__name__", getattr(function, "name", function)))

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise ModelError(
            f"architecture is the function {self.name}, which the model file does not contain: set "
            "it again before fitting, or set warm_start=True to continue with the network of the "
            "file"
        )

    def __repr__(self) -> str:
        return f"<function {self.name}, not kept>"
