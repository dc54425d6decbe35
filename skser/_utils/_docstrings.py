"""Docstrings with sections that several functions share."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import TypeVar

_T = TypeVar("_T", bound=Callable[..., object])


def fill_in(**texts: str) -> Callable[[_T], _T]:
    """Decorate a function to replace each ``{name}`` in its docstring by the text of that name."""

    def decorate(function: _T) -> _T:
        if function.__doc__:  # None with python -OO
            function.__doc__ = cleandoc(function.__doc__)
            for name, text in texts.items():
                function.__doc__ = function.__doc__.replace(f"{{{name}}}", text.strip("\n"))
        return function

    return decorate
