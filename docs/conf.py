"""Sphinx configuration. Build with ``python -m sphinx -W -b html docs docs/_build``."""

import doctest
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from skser._version import __version__

project = "skser"
author = "The skser developers"
copyright = author
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "literal"
nitpicky = False

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types are in the docstrings
numpydoc_show_class_members = False  # the template lists them

html_theme = "alabaster"
html_theme_options = {
    "description": "Speech emotion recognition for scikit-learn",
    "page_width": "1100px",
    "sidebar_width": "230px",
    "fixed_sidebar": True,
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_copy_source = False
html_show_sourcelink = False

# The examples of a page share names and a folder, which is empty at first.
doctest_global_setup = """
import os, tempfile
_home, _folder = os.getcwd(), tempfile.TemporaryDirectory()
os.chdir(_folder.name)
"""
doctest_global_cleanup = """
os.chdir(_home)
_folder.cleanup()
"""
doctest_default_flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1


def skip_generated(app, what, name, obj, skip, options):
    """Leave out scikit-learn's methods for metadata routing, and fields of named tuples."""
    is_routing = name.startswith("set_") and name.endswith("_request")
    return True if is_routing or type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    app.connect("autodoc-skip-member", skip_generated)
