"""A picture as SVG: one file for light and dark pages, for screens, print and typesetters.

    <svg role="img">  <title> <desc>         what a screen reader says
      <style>                                the colours of the page's scheme, in browsers only
      <g> edges  <g> vertices  <g> plates    later ones lie on top
      <g> legend                             what colours and widths mean, where they mean something

Colours stand twice. Attributes have the light ones, which every program understands; in a browser
the style sheet replaces them by variables, which follow `prefers-color-scheme`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import hypot, isfinite, sqrt
from xml.sax.saxutils import escape

from chalkgrad.draw.layout import Layout, Placed, Route, layout
from chalkgrad.draw.measure import clean, text_width
from chalkgrad.draw.palette import DARK, LIGHT, SCREEN, TINTS
from chalkgrad.draw.picture import REST, Edge, Picture
from chalkgrad.draw.plates import ROW, Plate
from chalkgrad.draw.shapes import ARROW, SPACE, Point, Row, Span, row_width, span_width
from chalkgrad.draw.text import edge_text, vertex_text

FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_THIN, _THICK = 1.1, 4.2  # strokes of the smallest and the largest weight
_CORNER = 16.0  # how round an arrow bends
_LEGEND_TEXT = 11.0
_ROLES = {"name": "ink", "formula": "muted", "value": "ink"}
_SIGNS = ("positive", "negative")


def svg(picture: Picture, *, dark: bool = False) -> str:
    """The picture as an SVG document, which may also stand inside an HTML page.

    It follows the reader's colour scheme; `dark` makes it dark everywhere.

    >>> from chalkgrad.draw.picture import Vertex
    >>> svg(Picture((Vertex("x", "x", 3.0),), title="One number")).splitlines()[1]
    '<title id="draw-...-title">One number</title>'
    """
    placed = layout(picture)
    return _Pen(picture, placed, DARK if dark else LIGHT, dark).document()


class _Pen:
    """Writes one picture in one set of colours."""

    def __init__(
        self, picture: Picture, placed: Layout, colours: dict[str, str], dark: bool
    ) -> None:
        self.picture, self.layout, self.colours, self.dark = picture, placed, colours, dark
        self.kinds = {vertex.key: vertex.kind for vertex in picture.vertices}
        self.largest = max((_size(edge.weight) for edge in picture.edges), default=0.0)

    def document(self) -> str:
        legend = self._legend_entries()
        width = max(self.layout.width, *(16.0 + wide for _, wide in legend), 0.0)
        rows = _rows(legend, width)
        height = self.layout.height + (20.0 * len(rows) + 6 if rows else 0)
        return "\n".join(
            [
                *self._head(width, height),
                f'<rect width="100%" height="100%" {self._fill("paper")}/>',
                f'<g transform="translate({_n((width - self.layout.width) / 2)} 0)">',
                *map(self._edge, self.layout.routes),
                *map(self._vertex, self.layout.vertices),
                *(self._plate(r.edge, r.plate) for r in self.layout.routes if r.plate),
                "</g>",
                *self._legend(rows, width),
                "</svg>\n",
            ]
        )

    def _head(self, width: float, height: float) -> Iterable[str]:
        name = "draw-" + sha256(repr(self.picture).encode("utf-8", "replace")).hexdigest()[:10]
        scheme = "chalkgrad-draw-dark" if self.dark else "chalkgrad-draw"
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{scheme}" role="img" direction="ltr" '
            f'aria-labelledby="{name}-title {name}-desc" width="{_n(width)}" height="{_n(height)}" '
            f'viewBox="0 0 {_n(width)} {_n(height)}" style="max-width:100%;height:auto" '
            f'font-family="{FONT}">'
        )
        yield f'<title id="{name}-title">{_safe(self.picture.title or "Graph")}</title>'
        yield f'<desc id="{name}-desc">{_safe(self._description())}</desc>'
        if not self.dark:
            yield f"<style>{SCREEN}</style>"

    def _description(self) -> str:
        counted = f"{len(self.picture.vertices)} quantities, {len(self.picture.edges)} arrows."
        return f"{self.picture.description} {counted}".strip()

    def _fill(self, colour: str) -> str:
        return f'class="f-{colour}" fill="{self.colours[colour]}"'

    def _stroke(self, colour: str, width: float) -> str:
        stroke = f'stroke="{self.colours[colour]}" stroke-width="{_n(width)}"'
        return f'class="s-{colour}" {stroke} fill="none"'

    # -------------------------------------------------------------------------------- arrows

    def _edge(self, route: Route) -> str:
        edge = self.picture.edges[route.edge]
        colour, width, dashes = self._look(edge)
        head = ARROW + max(width - 2, 0)
        *before, (x, y) = route.points
        path = _rounded([*before, (x - head + 1, y)])
        half = head * 0.42
        arrow = f"M{_n(x)} {_n(y)}L{_n(x - head)} {_n(y - half)}V{_n(y + half)}Z"
        dashed = f' stroke-dasharray="{_n(4 + 2 * width)} {_n(2 + width)}"' if dashes else ""
        return (
            f'<g class="edge"><title>{_safe(self._spoken(edge))}</title>'
            f'<path d="{path}" {self._stroke(colour, width)}{dashed}/>'
            f'<path d="{arrow}" {self._fill(colour)}/></g>'
        )

    def _look(self, edge: Edge) -> tuple[str, float, bool]:
        """Colour, width, dashed: the sign is never told by colour alone."""
        if REST in (self.kinds[edge.source], self.kinds[edge.target]):
            return "faint", _THIN, False
        if edge.weight is None or edge.weight == 0 or edge.weight != edge.weight:
            return "line", 1.4, False
        share = sqrt(_size(edge.weight) / self.largest) if isfinite(edge.weight) else 1.0
        width = _THIN + (_THICK - _THIN) * share
        return ("positive", width, False) if edge.weight > 0 else ("negative", width, True)

    def _spoken(self, edge: Edge) -> str:
        labels = {vertex.key: vertex.label for vertex in self.picture.vertices}
        said = edge_text(edge, self.picture.digits)
        ends = f"{labels[edge.source]} → {labels[edge.target]}"
        return f"{ends}: {said}" if said else ends

    def _plate(self, edge: int, plate: Plate) -> str:
        box = plate.box
        back = (
            f'<rect x="{_n(box.left)}" y="{_n(box.top)}" width="{_n(box.width)}" '
            f'height="{_n(box.height)}" rx="{_n(box.radius)}" {self._fill("paper")}/>'
        )
        top = box.y - ROW * len(plate.rows) / 2
        said = "".join(
            self._row(row, box.x, top + ROW * (place + 0.5)) for place, row in enumerate(plate.rows)
        )
        spoken = _safe(self._spoken(self.picture.edges[edge]))
        return f'<g class="plate"><title>{spoken}</title>{back}{said}</g>'

    # ------------------------------------------------------------------------------ vertices

    def _vertex(self, placed: Placed) -> str:
        vertex, box = placed.vertex, placed.box
        tint, border, dashed = TINTS.get(vertex.kind, TINTS["value"])
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        # One element with fill and stroke would need one class for both colours.
        shape = (
            f'<rect x="{_n(box.left)}" y="{_n(box.top)}" width="{_n(box.width)}" '
            f'height="{_n(box.height)}" rx="{_n(box.radius)}" '
        )
        step = min(19.0, (box.height - 8) / len(placed.rows))
        top = box.y - step * len(placed.rows) / 2
        said = "".join(
            self._row(row, box.x, top + step * (place + 0.5))
            for place, row in enumerate(placed.rows)
        )
        outline = f"{shape}{self._stroke(border, 1.4)}{dashes}/>"
        spoken = _safe(vertex_text(vertex, self.picture.digits))
        return (
            f'<g class="vertex"><title>{spoken}</title>'
            f"{shape}{self._fill(tint)}/>{outline}{said}</g>"
        )

    def _row(self, row: Row, x: float, y: float) -> str:
        """A row of text about a point, each span from where it meets the other."""
        if len(row) == 1:
            return self._text(row[0], x, y, "middle")
        joint = x - row_width(row) / 2 + span_width(row[0])
        gap = SPACE * row[1].size / 2
        return self._text(row[0], joint, y, "end") + self._text(row[1], joint + 2 * gap, y, "start")

    def _text(self, span: Span, x: float, y: float, anchor: str) -> str:
        colour = _ROLES.get(span.role, span.role)
        bold = ' font-weight="600"' if span.role == "name" else ""
        return (
            f'<text x="{_n(x)}" y="{_n(y + span.size * 0.35)}" font-size="{_n(span.size)}" '
            f'text-anchor="{anchor}"{bold} {self._fill(colour)}>{_safe(span.text)}</text>'
        )

    # -------------------------------------------------------------------------------- legend

    def _legend_entries(self) -> list[tuple[str, float]]:
        """What needs saying, and how wide it is."""
        weights = [edge.weight for edge in self.picture.edges if edge.weight]
        entries = {
            "positive": any(weight > 0 for weight in weights),
            "negative": any(weight < 0 for weight in weights),
            "the wider, the larger": len({abs(weight) for weight in weights}) > 1,
        }
        said = [entry for entry, needed in entries.items() if needed]
        if self.layout.left_out:
            said.append(f"{self.layout.left_out} labels found no room; they are in the text")
        return [
            (entry, text_width(entry, _LEGEND_TEXT) + (44 if entry in _SIGNS else 20))
            for entry in said
        ]

    def _legend(self, rows: Sequence[Sequence[tuple[str, float]]], width: float) -> Iterable[str]:
        for place, row in enumerate(rows):
            x = (width - sum(wide for _, wide in row)) / 2
            y = self.layout.height + 20.0 * place + 4
            for entry, wide in row:
                yield from self._entry(entry, x, y)
                x += wide

    def _entry(self, entry: str, x: float, y: float) -> Iterable[str]:
        if entry in _SIGNS:
            dashed = ' stroke-dasharray="7 4"' if entry == "negative" else ""
            yield f'<path d="M{_n(x)} {_n(y)}h22" {self._stroke(entry, 2.4)}{dashed}/>'
            x += 28
        yield self._text(Span(entry, _LEGEND_TEXT, "muted"), x, y, "start")


def _rows(entries: Iterable[tuple[str, float]], width: float) -> list[list[tuple[str, float]]]:
    rows: list[list[tuple[str, float]]] = []
    used = width
    for entry, wide in entries:
        if used + wide > width - 8:
            rows.append([])
            used = 0.0
        rows[-1].append((entry, wide))
        used += wide
    return rows


def _rounded(points: Sequence[Point]) -> str:
    """A line through points with round corners."""
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _toward(corner, before), _toward(corner, after)
        parts.append(f"L{_n(start[0])} {_n(start[1])}")
        parts.append(f"Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
    parts.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(parts)


def _toward(corner: Point, other: Point) -> Point:
    across, down = other[0] - corner[0], other[1] - corner[1]
    length = hypot(across, down)
    share = min(_CORNER, length / 2) / length if length else 0.0
    return corner[0] + across * share, corner[1] + down * share


def _size(weight: float | None) -> float:
    return abs(weight) if weight is not None and isfinite(weight) else 0.0


def _n(number: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    return f"{round(number, 1) + 0.0:g}" if abs(number) < 1e5 else f"{number:.0f}"


def _safe(text: str) -> str:
    return escape(clean(text))
