"""How far down everything stands: near its neighbours, and never too near to what is above it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from chalkgrad.draw.columns import Grid

_SWEEPS = 10
_STRAIGHT = 4.0  # a bend pulls harder than a vertex, so that long arrows run straight


def spaced(grid: Grid, separations: Sequence[Sequence[float]]) -> dict[int, float]:
    """The height of every item: each wants to stand at the mean of its neighbours.

    `separations` has, for every column, the least distances from one item to the next.
    """
    found: dict[int, float] = {}
    for column, apart in zip(grid.columns, separations, strict=True):
        found |= _stacked(column, apart)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        order = range(len(grid.columns))
        for place in order if forward else reversed(order):
            _settle(grid, place, separations[place], found, forward=forward)
    return found


def _stacked(column: Sequence[int], apart: Sequence[float]) -> dict[int, float]:
    y = -sum(apart) / 2
    found = {}
    for item, step in zip(column, [*apart, 0.0], strict=True):
        found[item] = y
        y += step
    return found


def _settle(
    grid: Grid, place: int, apart: Sequence[float], found: dict[int, float], *, forward: bool
) -> None:
    column = grid.columns[place]
    wanted, weights = [], []
    for item in column:
        first, second = (grid.before, grid.after) if forward else (grid.after, grid.before)
        near = first[item] or second[item]
        pulls = [(found[end], _STRAIGHT if end >= grid.vertices else 1.0) for end in near]
        total = sum(weight for _, weight in pulls)
        wanted.append(sum(y * w for y, w in pulls) / total if pulls else found[item])
        weights.append(_STRAIGHT if item >= grid.vertices else 1.0)
    for item, y in zip(column, apart_at_least(wanted, weights, apart), strict=True):
        found[item] = y


def apart_at_least(
    wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]
) -> list[float]:
    """min Σ wᵢ (yᵢ − wantedᵢ)² subject to yᵢ₊₁ − yᵢ ≥ apartᵢ.

    With the distances taken off it is isotonic regression: neighbours in the wrong order are pooled
    at their mean (Ayer et al. 1955).

    >>> apart_at_least([0.0, 0.0], [1.0, 1.0], [10.0])
    [-5.0, 5.0]
    """
    offsets = list(accumulate(apart, initial=0.0))[: len(wanted)]
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, other_total, other_count = pools.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, count = total + other_total, count + other_count
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
