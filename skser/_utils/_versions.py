"""Versions of the packages that scores and models depend on."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("skser", "scikit-learn", "tensorflow", "keras", "librosa", "numpy")
UNKNOWN = "unknown"  # the version of a package that is not installed, or under another name


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of packages, by default those that scores depend on."""
    return {"python": platform.python_version()} | {
        package: _version(package) for package in packages or _PACKAGES
    }


@lru_cache(maxsize=64)  # looking for a package and parsing what it says takes a millisecond
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return UNKNOWN
