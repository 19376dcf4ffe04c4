"""A picture in words: for a terminal, for a screen reader, for a search."""

from __future__ import annotations

from textwrap import wrap

from chalkgrad.draw.measure import clean
from chalkgrad.draw.picture import Edge, Picture, Vertex, in_order, number

_WIDTH = 80


def text(picture: Picture) -> str:
    """One line for every quantity, each after those that it is computed from.

    >>> product = Picture(
    ...     (Vertex("y", "y", 3.0), Vertex("z", "z", 2.0), Vertex("u", "u", 6.0, detail="y·z")),
    ...     (Edge("y", "u", below="∂u/∂y = 2"), Edge("z", "u", below="∂u/∂z = 3")),
    ... )
    >>> print(text(product))
    y = 3
    z = 2
    u = y·z = 6    ∂u/∂y = 2, ∂u/∂z = 3
    """
    labels = {vertex.key: vertex.label for vertex in picture.vertices}
    arriving: dict[str, list[Edge]] = {vertex.key: [] for vertex in picture.vertices}
    for edge in picture.edges:
        arriving[edge.target].append(edge)
    lines = [clean(line) for line in (picture.title, picture.description) if line]
    if lines:
        lines.append("")
    for vertex in in_order(picture):
        edges = _edges_text(arriving[vertex.key], labels, picture.digits)
        lines += _joined(clean(vertex_text(vertex, picture.digits)), clean(edges))
    return "\n".join(lines)


def vertex_text(vertex: Vertex, digits: int) -> str:
    """`u = y·z = 6`."""
    value = "" if vertex.value is None else number(vertex.value, digits)
    return " = ".join(part for part in (vertex.label, vertex.detail, value) if part)


def edge_text(edge: Edge, digits: int) -> str:
    """`w5 = 0.4 (∂E/∂w5 = 0.08)`; the weight where nothing is said."""
    if edge.above and edge.below:
        return f"{edge.above} ({edge.below})"
    unsaid = "" if edge.weight is None else number(edge.weight, digits)
    return edge.above or edge.below or unsaid


def _edges_text(edges: list[Edge], labels: dict[str, str], digits: int) -> str:
    said = [edge_text(edge, digits) for edge in edges if edge.above or edge.below]
    others = [edge for edge in edges if not (edge.above or edge.below)]
    names = ", ".join(
        f"{labels[edge.source]} ({edge_text(edge, digits)})"
        if edge.weight is not None
        else labels[edge.source]
        for edge in others
    )
    return ", ".join([*said, f"from {names}"] if names else said)


def _joined(vertex: str, edges: str) -> list[str]:
    """On one line, or the edges on lines of their own where that is too long."""
    if not edges:
        return [vertex]
    line = f"{vertex}    {edges}"
    if len(line) <= _WIDTH:
        return [line]
    indent = "    "
    broken = wrap(
        edges, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return [vertex, *broken]
