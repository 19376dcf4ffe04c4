"""By how much a step of the optimizer moves each layer, beside the layer's own size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Node, leaf
from chalkgrad.core.scope import recording
from chalkgrad.explain.diagnose.factors import number
from chalkgrad.explain.diagnose.flow import norm
from chalkgrad.explain.diagnose.limits import DEFAULT_RATE, RATIO_HIGH, RATIO_LOW
from chalkgrad.explain.diagnose.report import WARNING, Finding
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Settings, numbers
from chalkgrad.optim.terms import tensor_of
from chalkgrad.tensor.tensor import Tensor

Groups = dict[str, list[Node]]  # the parameters of each layer


def described(optimizer: Optimizer | None) -> str:
    if optimizer is None:
        return f"SGD with a learning rate of {DEFAULT_RATE:g} (no optimizer was given)"
    return type(optimizer).__name__


def moves(
    optimizer: Optimizer | None, gradients: Mapping[Node, Array], tensors: Mapping[Node, Tensor]
) -> dict[Node, float]:
    """The size of each parameter's next update; nothing of the optimizer is changed."""
    if optimizer is None:
        return {node: DEFAULT_RATE * norm(gradient) for node, gradient in gradients.items()}
    groups = {p: group for group in optimizer.param_groups for p in group["params"]}
    found = {}
    for node, gradient in gradients.items():
        tensor = tensors.get(node)
        if tensor is not None and tensor in groups:
            found[node] = _move(optimizer, groups[tensor], tensor, node, gradient)
    return found


def _move(
    optimizer: Optimizer, group: dict[str, Any], tensor: Tensor, node: Node, gradient: Array
) -> float:
    given, slope = tensor.wrap(leaf(node.value)), tensor.wrap(leaf(gradient))
    setting = Settings(group, lambda name, k: tensor_of(np.array(numbers(group[name])[k])))
    with recording(False):
        state = dict(optimizer.state.get(tensor, {}))
        state |= optimizer.complete(given, group, state)
        try:
            after, _ = optimizer.apply(given, slope, state, setting)
        except NotImplementedError:  # a rule with a step() of its own, such as LBFGS
            return float(group.get("lr", DEFAULT_RATE)) * norm(gradient)
    return norm(after.node.value - node.value)


def ratios(groups: Groups, sizes: Mapping[Node, float]) -> dict[str, float]:
    """‖update‖ / ‖value‖ of each layer that has a size."""
    found = {}
    for layer, nodes in groups.items():
        known = [node for node in nodes if node in sizes]
        value = _joined([norm(node.value) for node in known])
        if value > 0:
            found[layer] = _joined([sizes[node] for node in known]) / value
    return found


def _joined(sizes: Sequence[float]) -> float:
    return hypot(*sizes)


def out_of_range(ratio: Mapping[str, float], given: bool) -> list[Finding]:
    """Layers that an update changes too much, or (of a known optimizer) next to nothing."""
    found = []
    for layer, size in ratio.items():
        if size > RATIO_HIGH:
            found.append(_ratio(layer, size, "too much", "a smaller learning rate"))
        elif given and 0 < size < RATIO_LOW:
            found.append(_ratio(layer, size, "next to nothing", "a larger learning rate"))
    return found


def _ratio(layer: str, size: float, word: str, remedy: str) -> Finding:
    because = f"‖update‖/‖value‖ = {number(size)}; about 1e−3 is usual"
    return Finding(WARNING, layer, f"a step changes the layer {word}", because, remedy)
