"""How Sphinx builds these pages: Markdown through MyST, warnings are errors (scripts/docs)."""

project = "vercel-marketplace-mcp"
author = "The vercel-marketplace-mcp authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "vercel-marketplace-mcp"
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# Links into the repository lead to files that are not part of the pages; tests/test_docs.py follows them.
suppress_warnings = ["myst.xref_missing"]
