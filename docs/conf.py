"""The documentation site. `make docs` builds it; warnings are errors."""

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))

import matplotlib
from _generators import write_all
from _generators.offline import loads_from_elsewhere
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx_gallery.sorting import ExplicitOrder

import ad_core

matplotlib.use("agg")
write_all(HERE / "generated")

project = "Anomaly Lens"
author = "The Anomaly Lens authors"
project_copyright = "The Anomaly Lens authors"
release = version = ad_core.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "_generators", "tutorials", "generated/**/*.ipynb", "**/sg_execution_times.rst"]
suppress_warnings = ["config.cache"]  # functions in the gallery's configuration can't be compared with an earlier build
default_role = "code"  # docstrings write `name`

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False

TUTORIALS = ("card_payments", "plates", "walking_sensor", "alerts_with_a_guarantee", "review", "write_a_pretext_task")
sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "generated/tutorials",
    "filename_pattern": r"\.py$",
    "within_subsection_order": ExplicitOrder([f"plot_{name}.py" for name in TUTORIALS]),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "nested_sections": False,
    "write_computation_times": False,
    "plot_gallery": os.environ.get("AD_DOCS_RUN", "1") == "1",
}

html_theme = "pydata_sphinx_theme"
html_title = "Anomaly Lens"
html_static_path = ["_static"]
html_css_files = ["look.css"]
html_favicon = "../pages/_ui/mark.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "Anomaly Lens", "image_light": "../pages/_ui/mark.svg", "image_dark": "../pages/_ui/mark.svg"},
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app: Sphinx) -> None:
    """After a build, fail if a page would load something from another host."""
    app.connect("build-finished", no_network_needed)
    app.connect("autodoc-process-signature", short_signature)
    app.connect("autodoc-process-docstring", literal_stars)


def short_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Leave out the arguments of classes that are made by a function and not by their user."""
    return ("", returns) if what == "class" and "<factory>" in (signature or "") else (signature, returns)


def literal_stars(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """The star of a shape, `(b, *item)`, begins no emphasis."""
    lines[:] = [re.sub(r"(\([\w, ]*)\*(?=\w)", r"\1\\*", line) for line in lines]


def no_network_needed(app: Sphinx, error: Exception | None) -> None:
    if app.builder.format == "html" and error is None and (found := loads_from_elsewhere(Path(app.outdir))):
        raise SphinxError("The pages would load from the network:\n" + "\n".join(found))
