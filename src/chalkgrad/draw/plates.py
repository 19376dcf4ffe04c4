"""Where on its arrow a plate lies: on no other plate, and on few other arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalkgrad.draw.shapes import Box, Point, Row, row_width

ROW = 15.0  # the height of a row of a plate
_PLACES = 15  # places along an arrow that are tried
_OFF_CENTRE = 0.2  # at least that share of a plate is on either side of its arrow
_APART = 3.0
_ROUNDS = 3  # after the first, every plate is laid again, now that it knows all others


@dataclass(frozen=True)
class Link:
    """The part of an arrow that crosses a gap."""

    edge: int
    start: Point
    end: Point


@dataclass(frozen=True)
class Gap:
    """Between two columns: where plates may lie, from left to right, and the arrows there."""

    left: float
    right: float
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Plate:
    """What is said on an arrow, and where."""

    box: Box
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Spot:
    """A place for a plate, and what it costs to lie there."""

    cost: float
    gap: int
    box: Box


def laid(
    gaps: Sequence[Gap], rows: Mapping[int, tuple[Row, ...]]
) -> tuple[dict[int, Plate], set[int]]:
    """The plates of edges, and the edges whose plate has no room. `rows` is what is on each."""
    found: dict[int, _Spot] = {}
    lying: list[dict[int, Box]] = [{} for _ in gaps]  # the plates in every gap
    choices = _all_choices(gaps, rows)
    for _ in range(_ROUNDS):
        for edge, spots in choices.items():
            if edge in found:
                del lying[found[edge].gap][edge]
            free = next((spot for spot in spots if _is_free(spot, lying)), None)
            if free:
                found[edge] = free
                lying[free.gap][edge] = free.box
        if len(found) < len(rows):
            break
    plates = {edge: Plate(spot.box, rows[edge]) for edge, spot in found.items()}
    return plates, set(rows) - set(found)


def _is_free(spot: _Spot, lying: Sequence[Mapping[int, Box]]) -> bool:
    return not any(spot.box.overlaps(other, _APART) for other in lying[spot.gap].values())


def _all_choices(
    gaps: Sequence[Gap], rows: Mapping[int, tuple[Row, ...]]
) -> dict[int, list[_Spot]]:
    """For every edge that has a plate where it may lie, the best place first."""
    links: dict[int, list[tuple[int, Link]]] = {edge: [] for edge in rows}
    for place, gap in enumerate(gaps):
        for link in gap.links:
            if link.edge in links:
                links[link.edge].append((place, link))
    lines = [_lines(gap) for gap in gaps]
    found: dict[int, list[_Spot]] = {}
    for edge, parts in links.items():
        width, height = max(map(row_width, rows[edge])) + 8, ROW * len(rows[edge]) + 3
        ends = dict([parts[0], parts[len(parts) // 2], parts[-1]])  # by gap; a long arrow has many
        spots = [
            spot
            for place, link in ends.items()
            for spot in _spots(place, gaps[place], link, (width, height), lines[place])
        ]
        found[edge] = sorted(spots, key=lambda spot: spot.cost)
    return found


Array = NDArray[np.float64]


def _lines(gap: Gap) -> tuple[Array, Array]:
    """The links of a gap as y = slope · x + offset."""
    starts = np.array([link.start for link in gap.links]).reshape(-1, 2)
    ends = np.array([link.end for link in gap.links]).reshape(-1, 2)
    slopes = (ends[:, 1] - starts[:, 1]) / (ends[:, 0] - starts[:, 0])
    return slopes, starts[:, 1] - slopes * starts[:, 0]


def _spots(
    place: int, gap: Gap, link: Link, size: tuple[float, float], lines: tuple[Array, Array]
) -> list[_Spot]:
    """Places on a link. One costs its distance from the middle, and 1 for every link it covers.

    A plate is centred on its link where the gap is wide enough for that, else moved to the side:
    the link still goes through it, off its centre.
    """
    width, height = size
    inset = min(width * _OFF_CENTRE, (gap.right - gap.left) / 2)
    shares = np.linspace(0, 1, _PLACES)
    x = gap.left + inset + (gap.right - gap.left - 2 * inset) * shares
    slope = (link.end[1] - link.start[1]) / (link.end[0] - link.start[0])
    y = link.start[1] + slope * (x - link.start[0])
    centres = np.clip(x, gap.left + width / 2, gap.right - width / 2)
    covered = _covered(centres, y, size, lines) - 1  # its own it always covers
    costs = np.abs(shares - 0.5) + covered
    return [
        _Spot(float(cost), place, Box(float(centre), float(down), width, height, 4.0))
        for cost, centre, down in zip(costs, centres, y, strict=True)
    ]


def _covered(x: Array, y: Array, size: tuple[float, float], lines: tuple[Array, Array]) -> Array:
    """How many lines go through each of some boxes that have one size."""
    slopes, offsets = lines
    left = (x - size[0] / 2)[:, None] * slopes + offsets
    right = (x + size[0] / 2)[:, None] * slopes + offsets
    above = np.maximum(left, right) < (y - size[1] / 2)[:, None]
    below = np.minimum(left, right) > (y + size[1] / 2)[:, None]
    return np.asarray((~above & ~below).sum(axis=1), np.float64)
