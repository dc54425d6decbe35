"""Parameters of a network among those of its classifier, with a prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._utils._param_validation import did_you_mean

PREFIX = "network__"


def network_params(params: Mapping[str, object]) -> dict[str, Any]:
    """The parameters with the prefix."""
    return {name: value for name, value in params.items() if name.startswith(PREFIX)}


class NetworkParamsMixin:
    """Estimators that keep ``network__*`` parameters as attributes, as they keep their own."""

    def _set_network_params(self, params: Mapping[str, object]) -> None:
        for name in params.keys() - network_params(params):
            hint = did_you_mean(name, self._get_param_names())  # type: ignore[attr-defined]
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}{hint}")
        vars(self).update(params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return super().get_params(deep) | network_params(vars(self))  # type: ignore[misc]

    def set_params(self, **params: object) -> Any:
        own = {name: value for name, value in params.items() if not name.startswith(PREFIX)}
        super().set_params(**own)  # type: ignore[misc]
        vars(self).update(network_params(params))
        return self
