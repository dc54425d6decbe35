"""What an estimator, stage or function does, as plain data that can be hashed."""

from __future__ import annotations

import hashlib
import inspect
from functools import lru_cache, partial
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import joblib

from .exceptions import ParameterError

# What these ship is known by their versions.
_KNOWN = ("builtins", "sklearn", "skser")


def identify(part: Any) -> Any:
    """What something does, as plain data: its name, its code and its parameters.

    It is not pickled, because a class of a notebook has no place to be found in a worker.
    """
    if _is_function(part) or not (hasattr(part, "get_params") or hasattr(part, "__dict__")):
        return _plain(part)
    kind = type(part)
    params = part.get_params(deep=False) if hasattr(part, "get_params") else dict(vars(part))
    foreign = [c for c in kind.__mro__ if c.__module__.partition(".")[0] not in _KNOWN]
    members = [
        (name, _plain(_unwrapped(member)))
        for cls in foreign
        for name, member in sorted(vars(cls).items())
        if _is_function(_unwrapped(member)) or _is_constant(name, member)
    ]
    return (kind.__qualname__, _plain(params), members)


def hash_of(value: Any, name: str, parameter: str) -> str:
    """Hash of a value; ParameterError says which parameter is not for what has none."""
    try:
        return joblib.hash(value)
    except Exception as error:
        # Pickling what does not pickle raises almost anything.
        raise ParameterError(
            f"{parameter} must be None, because {name} holds what cannot be pickled "
            f"({type(error).__name__})"
        ) from error


@lru_cache(maxsize=8)
def own_code(*names: str) -> str:
    """Hash of skser's own code, since a checkout changes without a new version.

    Parameters
    ----------
    *names : str
        Modules or packages below ``skser`` that count; all if there are none.
    """
    code = b"".join(path.read_bytes() for name in names or ("",) for path in _modules(name))
    return hashlib.blake2b(code, digest_size=16).hexdigest()


def _modules(name: str) -> list[Path]:
    path = Path(__file__).parent / name
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _is_function(value: Any) -> bool:
    return hasattr(value, "__code__") or isinstance(value, (partial, MethodType))


def _is_constant(name: str, member: Any) -> bool:
    # A list or a dict of a class may be its memory of earlier calls.
    kinds = (int, float, complex, str, bytes, tuple, type)
    return isinstance(member, kinds) and not name.startswith("__")


def _unwrapped(member: Any) -> Any:
    """The function in a property, class method or static method."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _plain(value: Any) -> Any:
    """A value whose functions are their code and what they hold, and whose classes are names."""
    if isinstance(value, partial):
        return ("partial", _plain([value.func, value.args, value.keywords]))
    if isinstance(value, MethodType):
        return (identify(value.__self__), _plain(value.__func__))
    if isinstance(value, type):
        return value.__qualname__
    if hasattr(value, "get_params"):  # a step of a pipeline, or a member of a vote
        return identify(value)
    if hasattr(value, "__code__"):
        function = value if isinstance(value, FunctionType) else inspect.unwrap(value)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        # A function that calls itself holds itself.
        held = [content for content in cells if content is not value]
        held += [function.__defaults__, function.__kwdefaults__]
        return (function.__qualname__, _code(function.__code__), _plain(held))
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _code(code: Any) -> tuple:
    constants = [_code(c) if hasattr(c, "co_code") else _constant(c) for c in code.co_consts]
    return (code.co_code, code.co_names, constants)


def _constant(constant: Any) -> str:
    # The order of a set is another in every process.
    is_set = isinstance(constant, frozenset)
    return repr(sorted(map(repr, constant)) if is_set else constant)
