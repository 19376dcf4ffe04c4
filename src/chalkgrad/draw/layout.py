"""Where everything goes: boxes of vertices, routes of arrows, and plates for what is said on them.

Columns stand side by side with gaps between them. Vertices live in columns, the slanted part of an
arrow and its plate live in a gap, so neither can cover the other. Plates may cover each other: then
the gap and the rows are given more room, and they are laid anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chalkgrad.draw.columns import Grid, grid
from chalkgrad.draw.measure import clean, elided
from chalkgrad.draw.picture import Picture, Vertex, number
from chalkgrad.draw.plates import Gap, Link, Plate, laid
from chalkgrad.draw.shapes import ARROW, PLATE_TEXT, Box, Point, Row, Span, row_width
from chalkgrad.draw.spacing import spaced

MARGIN = 16.0
_GAP, _ROWS = 72.0, 26.0  # between columns, between vertices of a column
_LEAVE, _ARRIVE = 6.0, ARROW + 7  # arrows are level there, so that their heads are
_BEND = 14.0  # the height that an arrow passing through a column has to itself
_NAME, _FORMULA = 14.0, 12.0
_LONGEST_NAME, _LONGEST_FORMULA, _LONGEST_PLATE = 28, 34, 34
_MOST_PLATES = 400  # nobody reads more, and they would take minutes to lay
_TRIES = 14  # each with a sixth more room; what has not found any by then is left out, and said


@dataclass(frozen=True)
class Placed:
    """A vertex, its box, and what is written in it from top to bottom."""

    vertex: Vertex
    box: Box
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Route:
    """An arrow: its corners from border to border, and its plate, where it has one."""

    edge: int  # which edge of the picture
    points: tuple[Point, ...]
    plate: Plate | None = None


@dataclass(frozen=True)
class Layout:
    """A picture with coordinates, in pixels from the top left corner."""

    width: float
    height: float
    vertices: tuple[Placed, ...]
    routes: tuple[Route, ...]
    left_out: int = 0  # plates that found no room


def layout(picture: Picture) -> Layout:
    """Boxes, routes and plates of a picture.

    >>> both = (Vertex("x", "x", 3.0), Vertex("y", "y", 9.0))
    >>> first, second = layout(Picture(both)).vertices
    >>> first.box.x == second.box.x and first.box.bottom < second.box.top
    True
    """
    return _Sheet(picture).finished()


@dataclass
class _Sheet:
    """The work in progress. Items are the vertices 0 … n−1 and then the bends, as in the grid."""

    picture: Picture
    grid: Grid = field(init=False)
    rows: list[tuple[Row, ...]] = field(init=False)
    sizes: list[tuple[float, float]] = field(init=False)
    plates: dict[int, tuple[Row, ...]] = field(init=False)
    gaps: list[float] = field(init=False)
    said: int = field(init=False)  # how many plates there should be
    between: float = field(init=False)

    def __post_init__(self) -> None:
        self.grid = grid(self.picture)
        self.rows = [written(vertex, self.picture.digits) for vertex in self.picture.vertices]
        ports = self._most_ports()
        self.sizes = [_size(rows, ports[item]) for item, rows in enumerate(self.rows)]
        self.plates = {
            position: rows
            for position, edge in enumerate(self.picture.edges)
            if (rows := _plate_rows(edge.above, edge.below))
        }
        self.said = len(self.plates)
        if self.said > _MOST_PLATES:
            self.plates = {}
        self.gaps = [self._gap(column) for column in range(len(self.grid.columns) - 1)]
        # Arrows with plates on them need a slope that shows: rows apart as gaps are wide.
        slope = 0.3 * max(self.gaps, default=0.0) if self.plates else 0.0
        self.between = max(_ROWS * (1.5 if self.plates else 1.0), slope)

    def _most_ports(self) -> list[int]:
        count = range(self.grid.vertices)
        return [max(len(self.grid.before[i]), len(self.grid.after[i])) for i in count]

    def _gap(self, column: int) -> float:
        """Wide enough for each plate alone, wider where many arrows go."""
        starting = set(self.grid.columns[column])
        chains = [(e, c) for e, c in enumerate(self.grid.chains) if starting.intersection(c[:-1])]
        widest = max((_plate_width(self.plates.get(edge, ())) for edge, _ in chains), default=0.0)
        room = widest + _LEAVE + _ARRIVE + 36 + 12 * min(len(chains), 6) if widest else 0.0
        return max(_GAP + min(4.0 * len(chains), 120.0), room)

    def finished(self) -> Layout:
        """The layout, once all plates have room."""
        for attempt in range(_TRIES):
            heights = self._heights()
            edges = self._column_edges()
            links = self._links(heights, edges)
            plates, homeless = laid(_gaps(edges, links), self.plates)
            if not homeless or attempt == _TRIES - 1:
                break
            self._give_room(homeless, links)
        return self._drawn(heights, edges, plates)

    def _give_room(self, homeless: set[int], links: Sequence[Sequence[Link]]) -> None:
        for column, there in enumerate(links):
            if any(link.edge in homeless for link in there):
                self.gaps[column] *= 1.17
        self.between = self.between * 1.12 + 3

    def _height(self, item: int) -> float:
        return self.sizes[item][1] if item < self.grid.vertices else _BEND

    def _separations(self, column: Sequence[int]) -> list[float]:
        """From centre to centre of what stands below one another."""
        found = []
        for upper, lower in pairwise(column):
            bends = (upper >= self.grid.vertices) + (lower >= self.grid.vertices)
            air = self.between / (1, 2, 3)[bends]
            found.append((self._height(upper) + self._height(lower)) / 2 + air)
        return found

    def _heights(self) -> dict[int, float]:
        separations = [self._separations(column) for column in self.grid.columns]
        found = spaced(self.grid, separations)
        top = min((y - self._height(item) / 2 for item, y in found.items()), default=0.0)
        return {item: y - top + MARGIN for item, y in found.items()}

    def _column_edges(self) -> list[tuple[float, float]]:
        """Where every column begins and ends."""
        found = []
        left = MARGIN
        for place, column in enumerate(self.grid.columns):
            widths = [self.sizes[item][0] for item in column if item < self.grid.vertices]
            right = left + max(widths, default=0.0)
            found.append((left, right))
            left = right + (self.gaps[place] if place < len(self.gaps) else 0.0)
        return found

    def _links(
        self, heights: Mapping[int, float], edges: Sequence[tuple[float, float]]
    ) -> list[list[Link]]:
        """The slanted parts of arrows, gap by gap."""
        column_of = {item: c for c, column in enumerate(self.grid.columns) for item in column}
        starts = self._ports(heights, leaving=True)
        ends = self._ports(heights, leaving=False)
        found: list[list[Link]] = [[] for _ in self.gaps]
        for edge, chain in enumerate(self.grid.chains):
            for left, right in pairwise(chain):
                column = column_of[left]
                start = (
                    edges[column][1] + _LEAVE,
                    starts[edge] if left == chain[0] else heights[left],
                )
                end = (
                    edges[column + 1][0] - _ARRIVE,
                    ends[edge] if right == chain[-1] else heights[right],
                )
                found[column].append(Link(edge, start, end))
        return found

    def _ports(self, heights: Mapping[int, float], *, leaving: bool) -> list[float]:
        """The height at which every arrow leaves its source, or reaches its target."""
        at: dict[int, list[tuple[float, int]]] = {}
        for edge, chain in enumerate(self.grid.chains):
            own, other = (chain[0], chain[1]) if leaving else (chain[-1], chain[-2])
            at.setdefault(own, []).append((heights[other], edge))
        found = [0.0] * len(self.grid.chains)
        for item, arrows in at.items():
            step = min(11.0, (self.sizes[item][1] - 14) / max(len(arrows) - 1, 1))
            for place, (_, edge) in enumerate(sorted(arrows)):
                found[edge] = heights[item] + step * (place - (len(arrows) - 1) / 2)
        return found

    def _drawn(
        self,
        heights: Mapping[int, float],
        edges: Sequence[tuple[float, float]],
        plates: Mapping[int, Plate],
    ) -> Layout:
        boxes: dict[int, Box] = {}
        for column, (left, right) in zip(self.grid.columns, edges, strict=True):
            for item in column:
                if item < self.grid.vertices:
                    boxes[item] = Box((left + right) / 2, heights[item], *self.sizes[item])
        corners: dict[int, list[Point]] = {edge: [] for edge in range(len(self.grid.chains))}
        for links in self._links(heights, edges):
            for link in links:
                corners[link.edge] += [link.start, link.end]
        routes = [
            Route(edge, _ended(points, boxes[chain[0]], boxes[chain[-1]]), plates.get(edge))
            for (edge, points), chain in zip(corners.items(), self.grid.chains, strict=True)
        ]
        reach = [y + self._height(item) / 2 for item, y in heights.items()]
        inside = [plate.box.bottom for plate in plates.values()]
        return Layout(
            width=max((right for _, right in edges), default=MARGIN) + MARGIN,
            height=max([*reach, *inside], default=MARGIN) + MARGIN,
            vertices=tuple(
                Placed(vertex, boxes[item], self.rows[item])
                for item, vertex in enumerate(self.picture.vertices)
            ),
            routes=tuple(routes),
            left_out=self.said - len(plates),
        )


def _gaps(edges: Sequence[tuple[float, float]], links: Sequence[Sequence[Link]]) -> list[Gap]:
    return [
        Gap(right + _LEAVE + 4, left - _ARRIVE, tuple(there))
        for ((_, right), (left, _)), there in zip(pairwise(edges), links, strict=True)
    ]


def _ended(points: Sequence[Point], source: Box, target: Box) -> tuple[Point, ...]:
    """From the border of the source to the border of the target, both of which are rounded."""
    start, end = points[0], points[-1]
    first = (source.x + source.reach(start[1]), start[1])
    last = (target.x - target.reach(end[1]), end[1])
    return (first, *points, last)


def written(vertex: Vertex, digits: int) -> tuple[Row, ...]:
    """What stands in a vertex: its name, how it is computed, its value."""
    name = Span(elided(clean(vertex.label), _LONGEST_NAME), _NAME, "name")
    rows: list[Row] = [(name,)]
    if vertex.detail:
        formula = Span(f"= {elided(clean(vertex.detail), _LONGEST_FORMULA)}", _FORMULA, "formula")
        short = len(name.text) + len(formula.text) <= 22
        rows = [(name, formula)] if short else [(name,), (formula,)]
    if vertex.value is not None:
        rows.append((Span(number(vertex.value, digits), _NAME, "value"),))
    return tuple(rows)


def _size(rows: Sequence[Row], ports: int) -> tuple[float, float]:
    width = max(map(row_width, rows)) + 28
    height = 19.0 * len(rows) + 12
    return max(width, 56.0), max(height, 7.0 * (ports - 1) + 14)


def _plate_rows(above: str, below: str) -> tuple[Row, ...]:
    texts = ((above, "forward"), (below, "backward"))
    return tuple(
        (Span(elided(clean(text), _LONGEST_PLATE), PLATE_TEXT, role),)
        for text, role in texts
        if text
    )


def _plate_width(rows: Sequence[Row]) -> float:
    return max(map(row_width, rows), default=0.0)
