"""Fewer vertices: of a long column the ones that matter, and how many more there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, isnan

from chalkgrad.draw.columns import columns
from chalkgrad.draw.picture import REST, Edge, Picture, Vertex


def folded(picture: Picture, most: int = 8, ranking: Mapping[str, float] | None = None) -> Picture:
    """At most `most` vertices a column, and one more that counts the rest.

    Those stay which have the largest rank, by key; without a ranking the largest |value|. Edges of
    the others lead to the vertex that stands for them, without numbers.

    >>> inputs = tuple(Vertex(f"x{i}", f"x{i}", float(i)) for i in range(20))
    >>> [vertex.label for vertex in folded(Picture(inputs), most=2).vertices]
    ['x18', 'x19', '… 18 more']
    """
    place = columns(picture)
    stands_for: dict[str, str] = {}
    rests: dict[int, Vertex] = {}
    taken = set(place)
    for column in range(max(place.values(), default=-1) + 1):
        members = [vertex for vertex in picture.vertices if place[vertex.key] == column]
        if len(members) <= most + 1:  # "… 1 more" takes as much room as the one
            continue
        by_rank = sorted(members, key=lambda vertex: -_rank(vertex, ranking))
        hidden = {vertex.key for vertex in by_rank[most:]}
        rest = _rest(column, len(hidden), taken)
        rests[column] = rest
        stands_for |= dict.fromkeys(hidden, rest.key)
    kept = [
        replace(vertex, column=place[vertex.key])
        for vertex in picture.vertices
        if vertex.key not in stands_for
    ]
    return replace(picture, vertices=(*kept, *rests.values()), edges=_edges(picture, stands_for))


def _rank(vertex: Vertex, ranking: Mapping[str, float] | None) -> float:
    if ranking is not None:
        return ranking.get(vertex.key, -inf)
    if vertex.value is None:
        return -inf
    return inf if isnan(vertex.value) else abs(vertex.value)  # NaN is what a reader looks for


def _rest(column: int, count: int, taken: set[str]) -> Vertex:
    key = f"rest of column {column}"
    while key in taken:
        key += "′"
    taken.add(key)
    return Vertex(key, f"… {count} more", kind=REST, column=column)


def _edges(picture: Picture, stands_for: Mapping[str, str]) -> tuple[Edge, ...]:
    found: dict[tuple[str, str, int], Edge] = {}
    for position, edge in enumerate(picture.edges):
        ends = stands_for.get(edge.source, edge.source), stands_for.get(edge.target, edge.target)
        if ends == (edge.source, edge.target):
            found[(*ends, position)] = edge
        else:
            found.setdefault((*ends, -1), Edge(*ends))
    return tuple(found.values())
