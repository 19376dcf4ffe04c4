"""Which column a vertex stands in, and in which order a column is read from top to bottom.

Columns are longest paths from the inputs. An edge that skips columns gets a bend in each of them,
so that every link leads from a column to the next; then a column is sorted by where its neighbours
stand, sweeping to and fro, and the order with the fewest crossings is kept (Sugiyama, Tagawa and
Toda 1981).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chalkgrad.draw.picture import Picture, in_order
from chalkgrad.formulas.labels import PARAMETER, TARGET

_SWEEPS = 12


def columns(picture: Picture) -> dict[str, int]:
    """The column of every vertex: behind all that it is computed from, and not before its hint."""
    sources: dict[str, list[str]] = {vertex.key: [] for vertex in picture.vertices}
    targets: dict[str, list[str]] = {vertex.key: [] for vertex in picture.vertices}
    for edge in picture.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    found: dict[str, int] = {}
    ordered = in_order(picture)
    for vertex in ordered:
        earliest = max((found[source] + 1 for source in sources[vertex.key]), default=0)
        found[vertex.key] = max(earliest, vertex.column or 0)
    # What is given stands right before its first use: a weight of the last layer is no input.
    for vertex in ordered:
        given = vertex.kind in (PARAMETER, TARGET) and vertex.column is None
        if given and not sources[vertex.key] and targets[vertex.key]:
            found[vertex.key] = min(found[target] for target in targets[vertex.key]) - 1
    used = {column: place for place, column in enumerate(sorted(set(found.values())))}
    return {key: used[column] for key, column in found.items()}


@dataclass
class Grid:
    """Vertices and bends in columns. The vertices are 0 … n−1 as in the picture, bends follow."""

    vertices: int
    columns: list[list[int]]
    chains: list[list[int]]  # of every edge: its source, its bends, its target
    before: dict[int, list[int]] = field(default_factory=dict)  # neighbours one column to the left
    after: dict[int, list[int]] = field(default_factory=dict)

    def crossings(self) -> int:
        """How many pairs of links cross each other."""
        rank = {item: place for column in self.columns for place, item in enumerate(column)}
        return sum(self._crossings_behind(column, rank) for column in self.columns)

    def _crossings_behind(self, column: list[int], rank: dict[int, int]) -> int:
        passed: list[int] = []
        crossed = 0
        for item in column:
            ends = sorted(rank[end] for end in self.after[item])
            crossed += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
        return crossed


def grid(picture: Picture) -> Grid:
    """The picture in columns, in an order with few crossings."""
    made = _unsorted(picture)
    best, fewest = [list(column) for column in made.columns], made.crossings()
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        _sweep(made, forward=sweep % 2 == 0, fixed=picture.layout == "layers")
        crossings = made.crossings()
        if crossings < fewest:
            best, fewest = [list(column) for column in made.columns], crossings
    made.columns = best
    return made


def _unsorted(picture: Picture) -> Grid:
    place = columns(picture)
    index = {vertex.key: number for number, vertex in enumerate(picture.vertices)}
    made = Grid(len(index), [[] for _ in range(max(place.values(), default=-1) + 1)], [])
    for key, column in place.items():
        made.columns[column].append(index[key])
    for column_items in made.columns:
        column_items.sort()
    total = len(index)
    for edge in picture.edges:
        start, end = place[edge.source], place[edge.target]
        bends = range(total, total + end - start - 1)
        total += len(bends)
        for column, bend in enumerate(bends, start + 1):
            made.columns[column].append(bend)
        made.chains.append([index[edge.source], *bends, index[edge.target]])
    made.before = {item: [] for item in range(total)}
    made.after = {item: [] for item in range(total)}
    for chain in made.chains:
        for left, right in pairwise(chain):
            made.after[left].append(right)
            made.before[right].append(left)
    return made


def _sweep(made: Grid, *, forward: bool, fixed: bool) -> None:
    neighbours = made.before if forward else made.after
    height = {item: place for column in made.columns for item, place in _heights(column).items()}
    for column in made.columns if forward else reversed(made.columns):
        wanted = {item: _mean(height, neighbours[item], height[item]) for item in column}
        column.sort(key=wanted.__getitem__)
        if fixed:  # the vertices keep their order among themselves; bends go between them
            vertices = iter(sorted(item for item in column if item < made.vertices))
            column[:] = [next(vertices) if item < made.vertices else item for item in column]
        height |= _heights(column)


def _heights(column: Sequence[int]) -> dict[int, float]:
    """How far down its column everything stands, from 0 to 1: columns differ in length."""
    return {item: (place + 0.5) / len(column) for place, item in enumerate(column)}


def _mean(height: Mapping[int, float], items: Sequence[int], otherwise: float) -> float:
    return sum(height[item] for item in items) / len(items) if items else otherwise
