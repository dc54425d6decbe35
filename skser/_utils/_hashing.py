"""Fingerprints: hashes of everything that a result depends on, functions of notebooks included."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.metadata import packages_distributions
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

import joblib

from ..exceptions import ParameterError
from ._versions import versions

# Modules whose code is identified by versions and `own_code`.
_KNOWN = ("builtins", "sklearn", "skser")
_ROOT = Path(__file__).parents[1]
# Parts of skser that change no result.
_NOT_HASHED = ("cli", "plotting", "report")


def fingerprint(
    parts: Mapping[str, object],
    *,
    parameter: str,
    packages: tuple[str, ...] = (),
    code: tuple[str, ...] = (),
) -> str:
    """Hash of parts, such as estimators and data, of skser's code, and of versions of packages.

    ``packages`` of Python and ``code``, packages of skser, are by default those that scores depend
    on. If a part cannot be hashed, a ParameterError says that ``parameter`` must be None.
    """
    hashes = [(name, hash_of(part, name, parameter)) for name, part in parts.items()]
    return joblib.hash((hashes, own_code(*code), versions(*packages)))


def hash_of(part: object, name: str, parameter: str) -> str:
    """Hash of a part; ParameterError if it cannot be pickled."""
    try:
        return joblib.hash(identify(part))
    except Exception as error:  # pickling may raise almost anything
        raise ParameterError(
            f"{parameter} must be None, because {name} holds an object that cannot be pickled "
            f"({type(error).__name__})"
        ) from error


def identify(part: Any) -> Any:
    """An estimator, stage or function as plain data: its name, its code and its parameters."""
    # It is not pickled, because a worker cannot import a class of a notebook.
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
    """Hash of the code of some packages of skser, or of all that make results."""
    results = [path for path in _ROOT.iterdir() if path.stem not in _NOT_HASHED]
    paths = [_ROOT / name for name in names] or results
    files = [file for p in paths for file in (p.rglob("*.py") if p.is_dir() else [p])]
    code = b"".join(file.read_bytes() for file in sorted(files))
    return hashlib.blake2b(code, digest_size=16).hexdigest()


@lru_cache
def _version_of(module: str) -> list[tuple[str, str]]:
    """Versions of the packages that a top-level module belongs to."""
    packages = packages_distributions().get(module)
    return sorted(versions(*packages).items()) if packages else []


def _is_function(value: object) -> bool:
    return hasattr(value, "__code__") or isinstance(value, (partial, MethodType))


def _is_constant(name: str, member: object) -> bool:
    # Lists and dicts of a class may be caches.
    kinds = (int, float, complex, str, bytes, tuple, type)
    return isinstance(member, kinds) and not name.startswith("__")


def _unwrapped(member: object) -> object:
    """The function in a property, class method or static method."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _plain(value: Any) -> Any:
    """A value with functions replaced by their code and contents, and classes by their names."""
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
        contents = [content for content in cells if content is not value]  # a recursive function
        contents += [function.__defaults__, function.__kwdefaults__]
        return (function.__qualname__, _code(function.__code__), _plain(contents))
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _code(code: object) -> object:
    """A code object, or a constant in one, as plain data."""
    if isinstance(code, CodeType):
        return (code.co_code, code.co_names, [_code(constant) for constant in code.co_consts])
    # The order of a set differs between processes.
    return repr(sorted(map(repr, code)) if isinstance(code, frozenset) else code)
