"""Declarative checks of parameters, with messages that say what is allowed.

An estimator lists its parameters in ``_allowed``; ``check_parameters(self)`` at fit raises
``ParameterError: n_mfcc must be an integer in [1, 128], got 0``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from ..exceptions import ParameterError


class Allowed(NamedTuple):
    """One kind of value a parameter may have: how to say it and how to test it."""

    text: str
    accepts: Callable[[Any], bool]
    options: tuple[Any, ...] = ()


NONE = Allowed("None", lambda value: value is None)
BOOLEAN = Allowed("True or False", lambda value: _is_boolean(value))
RANDOM_STATE = Allowed(
    "an integer in [0, 2**32 - 1], a numpy RandomState or None",
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (_is_integer(value) and 0 <= value < 2**32)
    ),
)
N_JOBS = Allowed(
    "an integer other than 0 or None",
    lambda value: value is None or (_is_integer(value) and value != 0),
)
VERBOSE = Allowed(
    "an integer of at least 0", lambda value: isinstance(value, Integral) and int(value) >= 0
)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not _is_boolean(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not _is_boolean(value)


def integer(low: int, high: int | None = None) -> Allowed:
    """Integers from ``low`` to ``high``, both included."""
    if high is None:
        return Allowed(f"an integer of at least {low}", lambda v: _is_integer(v) and v >= low)
    return Allowed(f"an integer in [{low}, {high}]", lambda v: _is_integer(v) and low <= v <= high)


def even_integer(low: int, high: int) -> Allowed:
    """Even integers from ``low`` to ``high``, both included."""
    return Allowed(
        f"an even integer in [{low}, {high}]",
        lambda v: _is_integer(v) and low <= v <= high and v % 2 == 0,
    )


def number(low: float, high: float = np.inf, *, open_low: bool = False) -> Allowed:
    """Finite numbers from ``low`` (not itself, if ``open_low``) to ``high``."""

    def accepts(value: Any) -> bool:
        above = _is_number(value) and (value > low if open_low else value >= low)
        return above and value <= high and math.isfinite(value)

    if np.isinf(high):
        return Allowed(f"a number {'above' if open_low else 'of at least'} {low:g}", accepts)
    return Allowed(f"a number in {'(' if open_low else '['}{low:g}, {high:g}]", accepts)


def number_range(low: float, high: float) -> Allowed:
    """Pairs ``(a, b)`` with ``low <= a <= b <= high``."""

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, (tuple, list, np.ndarray))
            and len(value) == 2
            and all(_is_number(v) for v in value)
            and low <= value[0] <= value[1] <= high
        )

    return Allowed(f"a pair (low, high) with {low:g} <= low <= high <= {high:g}", accepts)


def one_of(*options: Any) -> Allowed:
    """One of a few named values."""

    def accepts(value: Any) -> bool:
        # An integer may be NumPy's, from a search, but True is no 1.
        return any(
            value == option
            for option in options
            if type(value) is type(option) or (_is_integer(value) and _is_integer(option))
        )

    return Allowed(" or ".join(repr(option) for option in options), accepts, options)


def check_parameters(estimator: Any) -> None:
    """Raise ParameterError for the first parameter of ``estimator`` with a value not allowed.

    An estimator whose parameters have to go together checks that in ``_check_together()``.
    """
    allowed: Mapping[str, Iterable[Allowed]] = estimator._allowed
    for name, kinds in allowed.items():
        check_value(name, getattr(estimator, name), *kinds)
    if hasattr(estimator, "_check_together"):
        estimator._check_together()


def check_value(name: str, value: Any, *kinds: Allowed) -> None:
    """Raise ParameterError unless ``value`` is of one of the ``kinds``."""
    if not any(kind.accepts(value) for kind in kinds):
        wanted = " or ".join(kind.text for kind in kinds)
        names = [option for kind in kinds for option in kind.options if isinstance(option, str)]
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        raise ParameterError(f"{name} must be {wanted}, got {value!r}{hint}")


def check_is_fitted(estimator: Any, attribute: str) -> None:
    """Raise skser's NotFittedError unless ``estimator`` has ``attribute``."""
    from sklearn.exceptions import NotFittedError as SklearnNotFittedError
    from sklearn.utils.validation import check_is_fitted as sklearn_check_is_fitted

    from ..exceptions import NotFittedError

    try:
        sklearn_check_is_fitted(estimator, attribute)
    except SklearnNotFittedError as error:
        raise NotFittedError(str(error)) from None


def did_you_mean(name: str, options: Collection[str]) -> str:
    """``"; did you mean 'mfcc'?"`` where something like it exists, else an empty string."""
    close = difflib.get_close_matches(str(name), list(options), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
