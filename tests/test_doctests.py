import doctest
import importlib
import re
from pathlib import Path

import pytest

import skser

HOME = Path(skser.__file__).parent
# An example in a docstring of the module, or a decorator that appends one.
EXAMPLE = re.compile(r"^ {4,}>>> |^@\w+_docstring\(", re.MULTILINE)
MODULES = sorted(
    ".".join(path.relative_to(HOME.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in HOME.rglob("*.py")
    if EXAMPLE.search(path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", [n for n in skser.__all__ if n not in ("__version__",)])
def test_public_names_are_documented(name):
    public = getattr(skser, name)
    assert public.__doc__
    if isinstance(public, type) or callable(public):
        assert ">>>" in public.__doc__, f"{name} has no example"
