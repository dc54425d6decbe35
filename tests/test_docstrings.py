"""Every public function, class and method has a complete numpydoc docstring."""

import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import validate

import skser

CHECKED = {
    "GL08",  # no docstring
    "SS01",  # no summary
    "SS04",  # leading spaces in the summary
    "PR01",  # a parameter is not documented
    "PR02",  # a documented parameter does not exist
    "PR03",  # parameters in another order
    "PR04",  # a parameter has no type
    "PR07",  # a parameter has no description
    "PR10",  # no space before the colon
    "RT01",  # no Returns section
    "YD01",  # no Yields section
}


def public_objects():
    """Dotted names of all that skser's public modules offer, methods included."""
    modules = [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(skser.__path__, "skser.")
        if not any(part.startswith("_") for part in info.name.split("."))
        and not info.name.startswith("skser.cli")
    ]
    paths = {
        getattr(module, name): f"{module.__name__}.{name}"
        for module in modules
        for name in getattr(module, "__all__", [])
        if callable(getattr(module, name))
    }
    for thing, path in paths.items():
        yield path
        if inspect.isclass(thing):
            for name, member in vars(thing).items():
                is_method = inspect.isfunction(member) or isinstance(member, classmethod)
                if is_method and not name.startswith("_") and not _is_inherited(thing, name):
                    yield f"{path}.{name}"


def _is_inherited(kind, name):
    """Whether a method has no docstring of its own but a base class documents it."""
    has_own = getattr(vars(kind)[name], "__doc__", None)
    return not has_own and any(name in vars(base) for base in kind.__mro__[1:])


def errors_of(path):
    return [error for error in validate(path)["errors"] if error[0] in CHECKED]


@pytest.mark.parametrize("path", sorted(public_objects()))
def test_docstring_is_complete(path):
    assert not errors_of(path)
