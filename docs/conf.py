"""Sphinx over the Markdown pages as they are; builds without network (``make docs``)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docs import formulas, reference

project = "Explainability workbench"
copyright = "its authors, Apache-2.0"  # noqa: A001 - the name that Sphinx reads
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "screenshots"]
html_theme = "furo"
html_title = project
html_show_sphinx = False
html_copy_source = False
html_math_renderer = "mathml"
myst_heading_anchors = 4
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# Several results have an attribute of one name, and a type may mention it.
suppress_warnings = ["ref.python"]
python_use_unqualified_type_names = True


def setup(app: object) -> None:
    """Fill in what is generated from the records."""
    formulas.connect(app)
    reference.connect(app)
