"""Sphinx configuration. Build with ``python -m sphinx -W -b html docs docs/_build``."""

import doctest
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")

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
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "changelog",
    "gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples"]
default_role = "literal"
nitpicky = False
smartquotes = False  # they would be wrong in types such as {"end", "both"}

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types are in the docstrings
numpydoc_show_class_members = False  # the template lists them

# Copies the code, without prompts and output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = "skser"
html_static_path = ["_static"]
html_css_files = ["skser.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_theme_options = {
    "logo": {"text": "skser", "alt_text": "skser, home"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
# Pages without a navigation of their section.
html_sidebars = {page: [] for page in ("index", "install", "quickstart", "changelog")}
html_copy_source = False
html_show_sourcelink = False

# With ``-t versions`` the pages have a menu of versions. A published site is a folder per version
# and, beside them, a copy of switcher.json, whose addresses are paths of that site.
if tags.has("versions"):  # noqa: F821, a name of Sphinx
    html_theme_options["navbar_end"].insert(0, "version-switcher")
    html_theme_options["check_switcher"] = False  # it is not here but where the site is published
    html_theme_options["switcher"] = {
        "json_url": "../switcher.json",
        "version_match": "dev" if "dev" in version else version,
    }

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "gallery.ExampleOrder",
    "image_scrapers": ("matplotlib", "gallery.audio_scraper"),
    "image_srcset": ["2x"],
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|skser\.plotting",
    "reset_modules": ("matplotlib", "gallery.reset"),
    "reset_modules_order": "both",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skser",),
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

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
