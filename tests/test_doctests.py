import doctest
import importlib
import pkgutil

import pytest

import skser

MODULES = sorted(info.name for info in pkgutil.walk_packages(skser.__path__, "skser."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


@pytest.mark.parametrize("name", [n for n in skser.__all__ if n not in ("__version__",)])
def test_public_names_are_documented(name):
    public = getattr(skser, name)
    assert public.__doc__
    if isinstance(public, type) or callable(public):
        assert ">>>" in public.__doc__, f"{name} has no example"
