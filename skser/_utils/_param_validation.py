"""Declarative checks of parameters, with messages that say what is allowed.

An estimator lists its parameters in ``_allowed``; ``check_parameters(self)`` at fit raises
``ParameterError: n_mfcc must be an integer in [1, 128], got 0``.
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from ..exceptions import ParameterError


class Allowed(NamedTuple):
    """A kind of values that a parameter may have: its description and its test."""

    text: str
    accepts: Callable[[Any], bool]
    options: tuple[object, ...] = ()


def _is_a(kind: type, value: object) -> bool:
    """Whether a value is an integer or a number; booleans are neither."""
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def integer(low: int, high: int | None = None) -> Allowed:
    """Integers from ``low`` to ``high``, both included."""
    text = f"of at least {low}" if high is None else f"in [{low}, {high}]"
    top = np.inf if high is None else high
    return Allowed(f"an integer {text}", lambda v: _is_a(Integral, v) and low <= v <= top)


def even_integer(low: int, high: int) -> Allowed:
    """Even integers from ``low`` to ``high``, both included."""
    accepts = integer(low, high).accepts
    return Allowed(f"an even integer in [{low}, {high}]", lambda v: accepts(v) and v % 2 == 0)


NONE = Allowed("None", lambda v: v is None)
BOOLEAN = Allowed("True or False", lambda v: isinstance(v, (bool, np.bool_)))
RANDOM_STATE = Allowed(
    "an integer in [0, 2**32 - 1], a numpy RandomState or None",
    lambda v: (
        v is None or isinstance(v, np.random.RandomState) or (_is_a(Integral, v) and 0 <= v < 2**32)
    ),
)
N_JOBS = Allowed(
    "an integer other than 0 or None", lambda v: v is None or (_is_a(Integral, v) and v != 0)
)
VERBOSE = Allowed("an integer of at least 0", lambda v: isinstance(v, Integral) and int(v) >= 0)


def number(
    low: float, high: float = np.inf, *, open_low: bool = False, open_high: bool = False
) -> Allowed:
    """Finite numbers from ``low`` to ``high``, without these if they are open."""
    is_above = operator.gt if open_low else operator.ge
    is_below = operator.lt if open_high else operator.le

    def accepts(v: Any) -> bool:
        return _is_a(Real, v) and is_above(v, low) and is_below(v, high) and math.isfinite(v)

    if np.isinf(high):
        return Allowed(f"a number {'above' if open_low else 'of at least'} {low:g}", accepts)
    start, end = "(" if open_low else "[", ")" if open_high else "]"
    return Allowed(f"a number in {start}{low:g}, {high:g}{end}", accepts)


def number_range(low: float, high: float) -> Allowed:
    """Pairs ``(a, b)`` with ``low <= a <= b <= high``."""

    def accepts(pair: Any) -> bool:
        is_pair = isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2
        return is_pair and all(_is_a(Real, v) for v in pair) and low <= pair[0] <= pair[1] <= high

    return Allowed(f"a pair (low, high) with {low:g} <= low <= high <= {high:g}", accepts)


def one_of(*options: object) -> Allowed:
    """One of a few values."""

    def accepts(value: object) -> bool:
        # Searches may pass NumPy's integers, but True is not 1.
        return any(
            value == option
            for option in options
            if type(value) is type(option) or (_is_a(Integral, value) and _is_a(Integral, option))
        )

    return Allowed(" or ".join(repr(option) for option in options), accepts, options)


def check_parameters(estimator: Any) -> None:
    """Check each parameter by ``_allowed``, and all together by ``_check_together()`` if any."""
    for name, kinds in estimator._allowed.items():
        check_value(name, getattr(estimator, name), *kinds)
    if hasattr(estimator, "_check_together"):
        estimator._check_together()


def check_value(name: str, value: object, *kinds: Allowed) -> None:
    """Raise ParameterError unless ``value`` is of one of the ``kinds``."""
    if not any(kind.accepts(value) for kind in kinds):
        wanted = " or ".join(kind.text for kind in kinds)
        names = [option for kind in kinds for option in kind.options if isinstance(option, str)]
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        raise ParameterError(f"{name} must be {wanted}, got {value!r}{hint}")


def check_is_fitted(estimator: object, attribute: str) -> None:
    """Raise skser's NotFittedError unless ``estimator`` has ``attribute``."""
    from sklearn.utils import validation

    from ..exceptions import NotFittedError

    try:
        validation.check_is_fitted(estimator, attribute)
    except ValueError as error:  # scikit-learn's NotFittedError
        raise NotFittedError(str(error)) from None


def did_you_mean(name: str, options: Collection[str]) -> str:
    """``"; did you mean 'mfcc'?"`` if an option is similar, else an empty string."""
    close = difflib.get_close_matches(str(name), list(options), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
