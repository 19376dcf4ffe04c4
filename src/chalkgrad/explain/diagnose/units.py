"""Units that cannot learn: dead, saturated, or all alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chalkgrad.core.graph import Array, Node
from chalkgrad.explain.diagnose import limits
from chalkgrad.explain.diagnose.factors import FLAT, SMOOTH, Factor, inactive, saturated, weights
from chalkgrad.explain.diagnose.flow import Edge
from chalkgrad.explain.diagnose.names import MOVES, Names, Station, by_unit
from chalkgrad.explain.diagnose.report import FAULT, WARNING, Finding

_LOGS = {"log", "log1p", "bounded_log"}


class Idle(NamedTuple):
    """The units of one activation that do nothing for any record."""

    edge: Edge
    units: list[int]
    total: int  # of the layer
    wanted: list[int]  # those of `units` to which a gradient comes

    @property
    def dead(self) -> bool:
        return self.edge.name in FLAT


def idle(names: Names) -> Iterator[Idle]:
    """Every activation, and its units whose slope is (next to) 0 for every record."""
    for user in names.flow.order:
        if user.primitive is None or user.primitive.name not in SMOOTH.keys() | FLAT:
            continue
        edge = Edge(user, 0)
        axis = names.axis(edge.source)
        steepest = SMOOTH[edge.name][1] if edge.name in SMOOTH else 0.0
        slopes = by_unit(np.abs(names.flow.slope(edge)), axis).max(1, initial=0.0)
        places = np.flatnonzero(slopes <= limits.SATURATED * steepest)
        gradient = names.flow.gradients.get(user)
        if gradient is not None and gradient.size:
            came = by_unit(np.abs(gradient), axis).max(1, initial=0.0)
            wanted = places[came[places] > limits.WANTED * came.max(initial=0.0)]
            yield Idle(edge, places.tolist(), len(slopes), wanted.tolist())


def lost(names: Names, found: Idle) -> tuple[Finding, Factor] | None:
    """What an activation's idle units deserve to be told."""
    edge, units = found.edge, found.wanted
    many = len(units) >= limits.MOST * found.total
    if not units or not (many or found.total <= limits.FEW):
        return None
    if not found.dead and _undone(names, edge.user):
        return None
    mask = names.mask(edge.source, units)
    factor = inactive(names, edge, mask) if found.dead else _saturated(names, found, mask)
    every = len(units) == found.total
    severity = FAULT if every else WARNING
    share = f"{len(units)} of {found.total} units" if found.total > 1 else "the unit"
    what = f"{share} {'dead' if found.dead else 'saturated'}"
    return Finding(severity, factor.where, what, factor.because, factor.remedy), factor


def _saturated(names: Names, found: Idle, mask: Array) -> Factor:
    slopes = np.where(mask, np.abs(names.flow.slope(found.edge)), -1.0)
    place = tuple(int(k) for k in np.unravel_index(int(np.argmax(slopes)), slopes.shape))
    return saturated(names, found.edge, place, found.wanted)


def _undone(names: Names, node: Node) -> bool:
    """Is this read by a logarithm, whose slope makes up for the saturation?"""
    stack = [node]
    while stack:
        for edge in names.flow.users[stack.pop()]:
            if edge.name in _LOGS:
                return True
            if edge.name in MOVES | {"subtract", "negative", "select", "clip", "take_along"}:
                stack.append(edge.user)
    return False


# Alike.
def alike(names: Names) -> Iterator[Finding]:
    """Units with equal weights and equal gradients: each step keeps them equal."""
    for station in names.stations.values():
        groups = _equal_units(names, station)
        if groups:
            yield _alike(names, station, groups)


def _equal_units(names: Names, station: Station) -> list[list[int]]:
    gradient = names.flow.gradients.get(station.weight)
    if gradient is None or len(station.weight.shape) < 2:
        return []
    values = np.ascontiguousarray(by_unit(station.weight.value, station.weight_axis))
    slopes = by_unit(gradient, station.weight_axis)
    same: dict[bytes, list[int]] = defaultdict(list)
    for k, row in enumerate(values):
        same[row.tobytes()].append(k)
    groups = []
    for places in (places for places in same.values() if len(places) > 1):
        first = slopes[places[0]]
        size = np.abs(first).max(initial=0.0)  # products in blocks round the same sum differently
        equal = [k for k in places if np.allclose(slopes[k], first, rtol=0, atol=1e-5 * size)]
        if len(equal) > 1 and size > 0:
            groups.append(equal)
    return groups


def _alike(names: Names, station: Station, groups: list[list[int]]) -> Finding:
    node = names.sum_of(station.node)
    largest = max(groups, key=len)
    every = len(largest) == station.weight.shape[station.weight_axis]
    who = names.units(node, largest)
    count = "both" if len(largest) == 2 else f"all {len(largest)}"
    because = (
        f"{count} have the same weights ({weights(station.weight)}) and the same gradient, so they "
        "stay alike at every step and count as one unit"
    )
    return Finding(FAULT if every else WARNING, who, f"{len(largest)} units are alike", because,
                   "different weights to start from, drawn at random")  # fmt: skip
