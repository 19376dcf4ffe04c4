"""The curve of the loss: a point for each update, thinned where there are too many to draw."""

from __future__ import annotations

from collections.abc import Iterable

from chalkgrad.studio.limits import MOST_LOSSES

Point = tuple[int, float]


def extended(points: tuple[Point, ...], more: Iterable[Point]) -> tuple[Point, ...]:
    """The points and some more; a later point of an update takes the place of an earlier one."""
    return thinned(tuple(dict([*points, *more]).items()))


def thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """At most so many points, evenly spread over the updates, the first and the last among them."""
    if len(points) <= MOST_LOSSES:
        return points
    first, last = points[0][0], points[-1][0]
    kept: dict[int, Point] = {}
    for point in points[:-1]:
        kept.setdefault((point[0] - first) * (MOST_LOSSES - 1) // (last - first), point)
    return (*kept.values(), points[-1])
