"""Versions of what scores and models depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("skser", "scikit-learn", "tensorflow", "keras", "librosa", "numpy")


def versions(*packages: str) -> dict[str, str]:
    """Versions of what scores depend on, and of other packages."""
    found = {name: _version(name) for name in (*_PACKAGES, *packages)}
    return {"python": platform.python_version()} | found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # some builds have other names
        return "unknown"
