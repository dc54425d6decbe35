"""Parameters: get_params and set_params as in scikit-learn, without importing it.

Worker processes then extract features without the rest of scikit-learn.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from ..exceptions import ParameterError

_T = TypeVar("_T", bound="Parameters")


class Parameters:
    """Base class whose ``__init__`` stores each argument as the attribute of that name."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of this object.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of parameters.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = {name: getattr(self, name) for name in self._defaults()}
        nested = {
            f"{name}__{key}": inner
            for name, value in params.items()
            if deep and hasattr(value, "get_params") and not isinstance(value, type)
            for key, inner in value.get_params().items()
        }
        return params | nested

    def set_params(self: _T, **params: object) -> _T:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : object
            This object.
        """
        known = self._defaults()
        for key, value in params.items():
            name, nested, inner = key.partition("__")
            has_inner = hasattr(getattr(self, name, None), "set_params")
            if name not in known or (nested and not has_inner):
                raise ParameterError(
                    f"Invalid parameter {key!r} for {type(self).__name__}, which has "
                    f"{', '.join(known) or 'none'}"
                )
            if nested:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = [
            f"{name}={value!r}"
            for name, value in sorted(self.get_params(deep=False).items())
            if repr(value) != repr(self._defaults()[name])
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """Defaults of the parameters by name."""
        if cls.__init__ is object.__init__:
            return {}
        arguments = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if any(argument.kind is argument.VAR_POSITIONAL for argument in arguments):
            raise ParameterError(f"{cls.__name__} must name all its parameters, got *args")
        return {
            argument.name: argument.default
            for argument in arguments
            if argument.kind is not argument.VAR_KEYWORD
        }
