"""Sphinx's settings of the site: Markdown pages, the C++ interface by Doxygen and Breathe, the Python one by autodoc.

`./dev docs` builds it. Pages that C++ and Python examples are on are tested like the README (CONTRIBUTING.md).
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "docs"

project = "gpuconv"
author = "the gpuconv developers"
version = release = re.search(r'define GPUCONV_VERSION "([^"]+)"', (ROOT / "include/gpuconv/version.hpp").read_text())[1]

extensions = ["breathe", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
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

html_theme = "furo"
html_title = f"gpuconv {version}"
html_static_path = []
html_theme_options = {"navigation_with_keys": True}
html_show_copyright = False


def run_doxygen(app):
    """Reads the public headers before Sphinx reads the pages; a comment that Doxygen cannot read ends the build."""
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["doxygen", "docs/Doxyfile"], cwd=ROOT, check=True)


def setup(app):
    app.connect("builder-inited", run_doxygen)
