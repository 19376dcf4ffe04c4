"""From a parameter up to the loss: the edge where its gradient goes to 0, shrinks or grows."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from chalkgrad.core.graph import Node
from chalkgrad.explain.diagnose import limits
from chalkgrad.explain.diagnose.factors import (
    SMOOTH,
    SUMS,
    Factor,
    cancelled,
    is_difference,
    is_error,
    number,
    small,
    weights,
)
from chalkgrad.explain.diagnose.flow import Edge, Masks, norm, total
from chalkgrad.explain.diagnose.names import Names, region
from chalkgrad.primitives.elementwise import EVERYWHERE

_PATHS = "the contributions of the paths"
_KEEPS_SIZE = "relu or tanh, normalization, or an initialisation that keeps the size (nn.init)"
_HUGE = "huge"  # one cause upstream makes everything large
_STEADY = "smaller weights, normalization, or nn.utils.clip_grad_norm_"


def zero(names: Names, node: Node) -> Factor:
    """Why every element of a gradient is 0: the last edge to which anything came."""
    flow, masks = names.flow, names.flow.masks(node)
    seen, stack, last = {node}, [node], list[Edge]()
    while stack:
        for edge in flow.users[stack.pop()]:
            gradient = flow.gradients.get(edge.user)
            if gradient is not None and total(gradient, masks[edge.user]):
                last.append(edge)
            elif edge.user not in seen:
                seen.add(edge.user)
                stack.append(edge.user)
    if not last:
        return Factor(node, names.node(node), "a rule on the way gives no gradient")
    edge = max(last, key=lambda e: total(flow.gradients[e.user], masks[e.user]))
    path = flow.path(edge.source, masks)
    if depth(names, path) < limits.VANISHED**2:  # what is left rounds to 0
        return shrinking(names, flow.path(node, masks))
    left = total(flow.contribution(edge), masks[edge.source])
    if left:
        terms = sum(total(flow.contribution(e), masks[e.source]) for e in flow.users[edge.source])
        return cancelled(names, edge.source, terms, 0.0, _PATHS)
    return _at_minimum(names, small(names, edge, masks), edge)


class _Stage(NamedTuple):
    gain: float
    edge: Edge
    before: float = 0.0  # of a sum: Σ of the sizes of its terms
    after: float = 0.0


def tiny(names: Names, node: Node) -> Factor:
    """Why next to nothing is left: the smallest factor of the strongest path, or its length."""
    masks = names.flow.masks(node)
    path = names.flow.path(node, masks)
    stages = [stage for edge in path for stage in _stages(names, edge, masks)]
    worst = min(stages, key=lambda stage: stage.gain)
    product = float(np.exp(sum(np.log(max(stage.gain, 1e-300)) for stage in stages)))
    sums = _sums(names, path)
    if worst.gain > max(product, 1e-300) ** 0.5 and len(sums) > 2:
        return shrinking(names, path)
    if worst.before:
        return cancelled(names, worst.edge.source, worst.before, worst.after, _PATHS)
    return _at_minimum(names, small(names, worst.edge, masks), worst.edge)


def _stages(names: Names, edge: Edge, masks: Masks) -> list[_Stage]:
    """The gain of one edge, and of the sum at its lower end if other paths meet there."""
    flow, mask = names.flow, masks.get(edge.source)
    arrived = norm(flow.arriving(edge), mask)
    came = norm(flow.gradients[edge.user], masks.get(edge.user))
    if edge.name in SUMS:  # without regard to how many elements share the gradient
        came = norm(flow.contribution(edge, np.abs(flow.gradients[edge.user])), mask)
    found = [_Stage(arrived / came if came else 0.0, edge)]
    others = flow.users[edge.source]
    if len(others) > 1:
        terms = sum(norm(flow.contribution(other), mask) for other in others)
        met = norm(flow.gradients[edge.source], mask)
        found.append(_Stage(met / terms if terms else 0.0, edge, terms, met))
    return found


def _at_minimum(names: Names, factor: Factor, edge: Edge) -> Factor:
    """A loss that is 0 has nothing to learn, though what gives the right answer is saturated."""
    loss = float(names.flow.loss.value.reshape(()))
    saturated = edge.name in SMOOTH or edge.name == "select"
    if factor.harmless or not saturated or not 0 <= loss <= 10 * limits.TINY:
        return factor
    because = f"the loss is {number(loss)}, at its minimum ({factor.because})"
    return Factor(factor.node, "the loss", because, harmless=True)


# Depth.
def _sums(names: Names, path: list[Edge]) -> list[tuple[str, float, Node]]:
    """The weighted sums on a path to which anything comes, the loss's side first: layer, size of
    its gradient."""
    found = []
    for edge in reversed(path):
        if edge.user in names.stations:
            size = norm(names.flow.gradients[edge.user])
            if not size:
                break
            found.append((names.station(names.stations[edge.user]), size, edge.user))
    return found


def deepest(names: Names) -> list[Edge]:
    """The path from the first weighted sum to the loss."""
    stations = [*names.stations.values()]
    if len(stations) < 3:
        return []
    first = next((s.weight for s in stations if s.weight.tracked), stations[0].inputs)
    return names.flow.path(first, {}) if first.tracked else []


def depth(names: Names, path: list[Edge]) -> float:
    """How much of the last layer's gradient is left at the first."""
    sums = _sums(names, path)
    return sums[-1][1] / sums[0][1] if len(sums) > 2 else 1.0


def shrinking(names: Names, path: list[Edge]) -> Factor:
    """So much a layer over so many layers; where one layer is to blame, that one is named."""
    sums = _sums(names, path)
    steps = [b[1] / a[1] for a, b in pairwise(sums)]
    product = float(np.prod(steps))
    worst = int(np.argmin(steps))
    if steps[worst] < product**0.5:
        between = [e for e in path if sums[worst + 1][2].seq <= e.source.seq < sums[worst][2].seq]
        stages = [_Stage(*s[:2]) for e in between for s in _stages(names, e, {})]
        return small(names, min(stages, key=lambda s: s.gain).edge, {})
    a_step = product ** (1 / len(steps))
    slopes = [e for e in path if e.name in SMOOTH]
    why = ""
    if slopes:
        mean = np.mean([np.abs(names.flow.slope(e)).mean() for e in slopes])
        symbol = SMOOTH[slopes[0].name][0]
        why = f"; {symbol}′ is {number(float(mean))} on average"
    word = "step" if recurrent(names, path) else "layer"
    rest = ""
    if any(edge.user in names.stations and edge.user.seq < sums[-1][2].seq for edge in path):
        rest = f", and is less than {sums[-1][2].dtype} can hold before that"
    because = (
        f"the gradient shrinks by {number(a_step)} a {word} over {len(steps)} {word}s, from "
        f"{number(sums[0][1])} at {sums[0][0]} to {number(sums[-1][1])} at {sums[-1][0]}{rest}{why}"
    )
    return Factor(sums[-1][2], _span(sums), because, _KEEPS_SIZE, key="shrinking")


def recurrent(names: Names, path: list[Edge]) -> bool:
    """Does a path go through the same weights again and again?"""
    sums = [names.station(names.stations[e.user]) for e in path if e.user in names.stations]
    return len(set(sums)) < len(sums)


def growing(names: Names, path: list[Edge]) -> Factor:
    """So much a layer over so many layers, and the layer that adds most to it."""
    sums = _sums(names, path)
    steps = [b[1] / a[1] for a, b in pairwise(sums)]
    a_step = float(np.prod(steps)) ** (1 / len(steps))
    worst = int(np.argmax(steps))
    word = "step" if recurrent(names, path) else "layer"
    because = (
        f"the gradient grows by {number(a_step)} a {word} over {len(steps)} {word}s, from "
        f"{number(sums[0][1])} at {sums[0][0]} to {number(sums[-1][1])} at {sums[-1][0]}; most, by "
        f"{number(steps[worst])}, through {sums[worst][0]}"
    )
    return Factor(sums[-1][2], _span(sums), because, _STEADY, key=_HUGE)


def _span(sums: list[tuple[str, float, Node]]) -> str:
    return f"{sums[-1][0]} … {sums[0][0]}"


# Too much.
def huge(names: Names, node: Node) -> Factor:
    """What makes a gradient large: depth, inputs, weights, the error, or a sum over many."""
    deep = deepest(names)
    if depth(names, deep) > limits.EXPLODED:
        return growing(names, deep)
    masks = names.flow.masks(node)
    path = names.flow.path(node, masks)
    found = [size for edge in path if (size := _large(names, edge, masks)) is not None]
    if not found:
        because = "no single factor is large: the gradient is a product of several"
        return Factor(node, names.node(node), because, _STEADY, key=_HUGE)
    found.sort(key=lambda pair: -pair[0])
    first = found[0][1]
    because = "; and ".join(factor.because for _, factor in found[:2])
    return Factor(first.node, first.where, because, first.remedy, key=_HUGE)


def _large(names: Names, edge: Edge, masks: Masks) -> tuple[float, Factor] | None:
    user, source = edge.user, edge.source
    if is_error(edge):
        return _large_error(names, edge)
    if edge.name == "sum":
        count = source.value.size / max(user.value.size, 1)
        because = f"the loss{region(user)} is a sum over {int(count)} terms"
        factor = Factor(user, "the loss", because, 'reduction="mean", or a smaller learning rate')
        return (count, factor) if count > limits.MANY else None
    if user in names.stations:
        return _large_product(names, edge)
    if edge.name in EVERYWHERE and edge.name not in ("add", "subtract", "multiply"):
        slopes = np.abs(_selected(names.flow.slope(edge), masks.get(source)))
        slope = float(slopes.max(initial=0.0))
        because = f"the slope of {edge.name}{region(user)} is up to {number(slope)}"
        factor = Factor(user, names.layer(user) or edge.name, because)
        return (slope, factor) if slope > limits.LARGE_SLOPE else None
    return None


def _large_error(names: Names, edge: Edge) -> tuple[float, Factor] | None:
    """A large error of large targets is a cause; of large outputs, what another cause led to."""
    size = float(np.abs(edge.source.value).max(initial=0.0))
    if size <= limits.LARGE_ERROR:
        return None
    because, remedy = f"the error is up to {number(size)}", "scaled targets, or a huber loss"
    if is_difference(edge.source):
        sizes = [
            (float(np.abs(side.value).max(initial=0.0)), side.tracked and side not in names.data)
            for side in edge.source.inputs
        ]  # fmt: skip
        largest, computed = max(sizes)
        word = "outputs" if computed else "targets"
        because += f" (the {word} are up to {number(largest)})"
        size = size**0.5 if computed else size
    return size, Factor(edge.user, "the loss", because, remedy)


def _selected(array: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return array if mask is None or mask.shape != array.shape else array[mask]


def _large_product(names: Names, edge: Edge) -> tuple[float, Factor] | None:
    station = names.stations[edge.user]
    layer = names.station(station)
    if edge.source is station.weight:
        value = station.inputs.value
        size = norm(value) / max(value.size, 1) ** 0.5
        data = names.below(station.inputs) is None
        because = f"the inputs of {layer} are around {number(size)} (root mean square)"
        remedy = "inputs scaled to mean 0 and variance 1" if data else "normalization before it"
        factor = Factor(edge.user, layer, because, remedy)
        # Large activations are what large inputs or weights below them led to.
        return (size if data else size**0.5, factor) if size > limits.LARGE_INPUT else None
    came = norm(names.flow.gradients[edge.user])
    gain = norm(names.flow.contribution(edge)) / came if came else 0.0
    because = f"the weights {weights(station.weight)} multiply the gradient by {number(gain)}"
    factor = Factor(edge.user, layer, because, "smaller weights, or nn.utils.clip_grad_norm_")
    return (gain, factor) if gain > limits.LARGE_INPUT else None
