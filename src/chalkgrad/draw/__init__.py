"""Pictures of graphs: a plain description, drawn as SVG or told as text."""

from chalkgrad.draw.folding import folded
from chalkgrad.draw.layout import layout
from chalkgrad.draw.picture import Edge, Picture, Vertex
from chalkgrad.draw.svg import svg
from chalkgrad.draw.text import text

__all__ = ["Edge", "Picture", "Vertex", "folded", "layout", "svg", "text"]
