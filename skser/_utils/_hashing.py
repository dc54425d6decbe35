"""Fingerprints: a hash of all that a result depends on, functions of notebooks included."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.metadata import packages_distributions
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import joblib

from ..exceptions import ParameterError
from ._versions import versions

# Their code is identified by their versions.
_KNOWN = ("builtins", "sklearn", "skser")
_ROOT = Path(__file__).parents[1]
# Parts of skser that change no result.
_NOT_HASHED = ("cli", "plotting", "report")


def fingerprint(
    parts: Mapping[str, Any],
    *,
    parameter: str,
    packages: tuple[str, ...] = (),
    code: tuple[str, ...] = (),
) -> str:
    """Hash of all that a result depends on: parts, skser's code, and versions of packages.

    ``parts`` are estimators, functions and data by their names in an error, which says that
    ``parameter`` must be None. Pass estimators without what changes no result, such as ``n_jobs``.
    ``packages`` are by default those that scores depend on; those of other estimators always count.
    ``code`` names packages of skser, by default all that make results.
    """
    hashes = [(name, hash_of(part, name, parameter)) for name, part in parts.items()]
    return joblib.hash((hashes, own_code(*code), versions(*packages)))


def hash_of(part: Any, name: str, parameter: str) -> str:
    """Hash of one part; ParameterError says that ``parameter`` must be None if there is none."""
    try:
        return joblib.hash(identify(part))
    except Exception as error:
        # Pickling what does not pickle raises almost anything.
        raise ParameterError(
            f"{parameter} must be None, because {name} holds an object that cannot be pickled "
            f"({type(error).__name__})"
        ) from error


def identify(part: Any) -> Any:
    """An estimator, stage or function as plain data: its name, its code and its parameters.

    It is not pickled, because a worker cannot import a class of a notebook.
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
    for module in sorted({cls.__module__.partition(".")[0] for cls in foreign}):
        members += _version_of(module)
    return (kind.__qualname__, _plain(params), members)


@lru_cache(maxsize=8)
def own_code(*names: str) -> str:
    """Hash of skser's own code, since a checkout changes without a new version.

    ``names`` are those of the packages that count; without any, all that make results.
    """
    paths = [_ROOT / name for name in names]
    paths = paths or [path for path in _ROOT.iterdir() if path.stem not in _NOT_HASHED]
    files = [file for p in paths for file in (p.rglob("*.py") if p.is_dir() else [p])]
    code = b"".join(file.read_bytes() for file in sorted(files))
    return hashlib.blake2b(code, digest_size=16).hexdigest()


@lru_cache
def _version_of(module: str) -> list[tuple[str, str]]:
    """Versions of the packages that a top-level module is from."""
    packages = packages_distributions().get(module)
    return sorted(versions(*packages).items()) if packages else []


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
