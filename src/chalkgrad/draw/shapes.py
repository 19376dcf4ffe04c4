"""Boxes, and rows of text in them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from chalkgrad.draw.measure import text_width

ARROW = 9.0  # the length of an arrowhead
PLATE_TEXT = 12.0
SPACE = 0.32  # between two spans of a row, in sizes

Point = tuple[float, float]


@dataclass(frozen=True)
class Span:
    """Text of one size; its role decides the colour."""

    text: str
    size: float
    role: str


Row = tuple[Span, ...]


def row_width(row: Row) -> float:
    """With the spaces between its spans."""
    spaces = sum(SPACE * span.size for span in row[1:])
    return spaces + sum(map(span_width, row))


def span_width(span: Span) -> float:
    """Names are bold, which is a ninth wider."""
    return text_width(span.text, span.size) * (1.12 if span.role == "name" else 1.0)


@dataclass(frozen=True)
class Box:
    """A rectangle about its centre, with rounded corners."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 10.0

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    def overlaps(self, other: Box, apart: float = 0.0) -> bool:
        """Do they come nearer to each other than that?"""
        across = abs(self.x - other.x) < (self.width + other.width) / 2 + apart
        return across and abs(self.y - other.y) < (self.height + other.height) / 2 + apart

    def reach(self, y: float) -> float:
        """How far the border is from the centre line at a height: less near a corner."""
        into = abs(y - self.y) - (self.height / 2 - self.radius)
        if into <= 0:
            return self.width / 2
        return self.width / 2 - self.radius + sqrt(max(self.radius**2 - into**2, 0.0))
