"""Sphinx's settings of the site: Markdown pages, the C++ interface by Doxygen and Breathe, the Python one by autodoc, pictures by
the programs of docs/gallery.

`./dev docs` builds it. Pages that C++ and Python examples are on are tested like the README (CONTRIBUTING.md).
"""

import re
import subprocess
from pathlib import Path

from matplotlib import cycler

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "docs"

project = "gpuconv"
author = "the gpuconv developers"
version = release = re.search(r'define GPUCONV_VERSION "([^"]+)"', (ROOT / "include/gpuconv/version.hpp").read_text())[1]

extensions = ["breathe", "matplotlib.sphinxext.plot_directive", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["figures"]
suppress_warnings = ["myst.header"]
nitpicky = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

breathe_projects = {"gpuconv": str(BUILD / "doxygen" / "xml")}
breathe_default_project = "gpuconv"
breathe_default_members = ("members",)
primary_domain = "cpp"
highlight_language = "cpp"

autodoc_member_order = "bysource"
napoleon_use_param = False  # arguments that are described together stay together

plot_include_source = True
plot_html_show_source_link = plot_html_show_formats = False
plot_formats = [("png", 150)]
plot_working_directory = str(ROOT)
plot_rcparams = {
    "figure.figsize": (8, 4), "figure.constrained_layout.use": True, "font.size": 9, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10,
    "axes.prop_cycle": cycler(color=["#7b8794", "#c8102e", "#0b7a75", "#d98200"]),
}

html_theme = "furo"
html_title = f"gpuconv {version}"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"code-font-size": "0.74em"},  # lines of examples are up to 120 columns long
}
html_show_copyright = False


def run_doxygen(app):
    """Reads the public headers before Sphinx reads the pages; a comment that Doxygen cannot read ends the build."""
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["doxygen", "docs/Doxyfile"], cwd=ROOT, check=True)


def setup(app):
    app.connect("builder-inited", run_doxygen)
