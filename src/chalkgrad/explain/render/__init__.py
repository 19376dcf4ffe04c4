"""A document in every format: what a derivation looks like, and nothing of what it says."""

from chalkgrad.explain.render.html import fragment, to_html
from chalkgrad.explain.render.latex import to_latex
from chalkgrad.explain.render.markdown import to_markdown
from chalkgrad.explain.render.notebook import to_notebook
from chalkgrad.explain.render.text import Terminal, to_text
from chalkgrad.explain.render.typst import to_pdf, to_typst

__all__ = [
    "Terminal",
    "fragment",
    "to_html",
    "to_latex",
    "to_markdown",
    "to_notebook",
    "to_pdf",
    "to_text",
    "to_typst",
]
