"""What is to be drawn: names, numbers and arrows. Nothing here knows what they mean.

Picture ::= Vertex*, Edge*, title, description     arrows never run in a circle
Vertex  ::= label = detail = value                 `u = y·z = 6`
Edge    ::= source → target, above, below          `w5 = 0.4` above it, `∂E/∂w5 = 0.08` below
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.formulas import DIGITS, shown
from chalkgrad.formulas.labels import VALUE

REST = "rest"  # the kind of a vertex that stands for those which are not shown


@dataclass(frozen=True)
class Vertex:
    """A quantity. Its kind, one of the words of formulas.labels, decides how it looks."""

    key: str  # what edges call it
    label: str  # what a reader calls it
    value: float | None = None
    kind: str = VALUE
    column: int | None = None  # at least there, counted from 0 at the left
    detail: str = ""  # how it is computed: `y·z`


@dataclass(frozen=True)
class Edge:
    """An arrow from what is used to what is computed from it."""

    source: str
    target: str
    above: str = ""  # what goes forward along it: `w5 = 0.4`
    below: str = ""  # what comes back: `∂u/∂y = 2`
    weight: float | None = None  # its sign is a colour, its size a width


@dataclass(frozen=True)
class Picture:
    """A graph to be drawn.

    `layout` is "graph", where vertices are ordered so that few arrows cross, or "layers", where
    every column keeps the order in which its vertices are given.

    Raises:
        ArgumentError: two vertices have one key, an edge has an end that is not there, or the
            edges run in a circle.

    >>> square = Picture((Vertex("x", "x", 3.0), Vertex("y", "y", 9.0)), (Edge("x", "y"),))
    >>> [edge.target for edge in square.edges]
    ['y']
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...] = ()
    title: str = ""
    description: str = ""
    layout: Literal["layers", "graph"] = "graph"
    digits: int = DIGITS  # of the values of vertices

    def __post_init__(self) -> None:
        keys = Counter(vertex.key for vertex in self.vertices)
        twice = [key for key, count in keys.items() if count > 1]
        if twice:
            raise ArgumentError(f"two vertices of the picture have the key {twice[0]!r}")
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in keys:
                    raise ArgumentError(
                        f"the edge {edge.source!r} → {edge.target!r} has no vertex {end!r} in the "
                        f"picture.{nearest(end, keys)}"
                    )
        if self.layout not in ("layers", "graph"):
            raise ArgumentError(f"layout is 'layers' or 'graph', not {self.layout!r}")
        in_order(self)


def in_order(picture: Picture) -> list[Vertex]:
    """The vertices such that every edge leads from an earlier to a later one."""
    sorter = TopologicalSorter[str]({vertex.key: () for vertex in picture.vertices})
    for edge in picture.edges:
        sorter.add(edge.target, edge.source)
    try:
        keys = list(sorter.static_order())
    except CycleError as error:
        circle = " → ".join(repr(key) for key in error.args[1])
        raise ArgumentError(
            f"the edges of the picture run in a circle: {circle}; only a graph without circles "
            "can be drawn from left to right"
        ) from None
    by_key = {vertex.key: vertex for vertex in picture.vertices}
    return [by_key[key] for key in keys]


def number(value: float, digits: int = DIGITS) -> str:
    """A number for reading, with the sign that mathematics uses."""
    return shown(value, digits).replace("-", "−")
