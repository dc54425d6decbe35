"""Marks of tests that need newer packages than the oldest that setup.cfg allows."""

from importlib.metadata import version

import pytest
from packaging.version import Version


def is_older(package, bound):
    """Whether the installed version of a package is older than another version."""
    return Version(version(package)) < Version(bound)


needs_scikit_learn_1_8 = pytest.mark.skipif(
    is_older("scikit-learn", "1.8"), reason="a bug that is fixed in scikit-learn 1.8"
)
