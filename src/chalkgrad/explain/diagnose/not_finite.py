"""The first equation that made a NaN or an infinity, forwards or on the way back."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Node
from chalkgrad.explain.diagnose.factors import Factor, number
from chalkgrad.explain.diagnose.flow import Edge, finite
from chalkgrad.explain.diagnose.names import Names, region
from chalkgrad.primitives.elementwise import EVERYWHERE

_LOGS = {"log", "log1p", "bounded_log"}
_REMEDIES = {
    "log": "log(x + 1e-8), or a loss of logits (cross_entropy, binary_cross_entropy_with_logits)",
    "exp": "log_softmax, logsumexp or softplus, which do not overflow",
    "divide": "a small number added to what is divided by",
    "sqrt": "sqrt(x + 1e-12), whose slope at 0 is finite",
    "power": "a small number added to the base",
}


def first_in_the_loss(names: Names) -> Factor | None:
    """Where a loss that is not finite became so; None if it is finite."""
    loss = names.flow.loss
    if finite(loss.value):
        return None
    stack, seen, found = [loss], {loss}, list[Node]()
    while stack:
        node = stack.pop()
        bad = [source for source in node.inputs if not finite(source.value)]
        if not bad:
            found.append(node)
        fresh = [source for source in bad if source not in seen]
        seen.update(fresh)
        stack += fresh
    return _forward(names, min(found, key=lambda node: node.seq))


def first_on_the_way_back(names: Names) -> Factor | None:
    """The first edge that brings NaN or an infinity though a finite gradient came to it."""
    flow = names.flow
    for user in reversed(flow.order):
        gradient = flow.gradients.get(user)
        if user.primitive is None or gradient is None or not finite(gradient):
            continue
        for argnum, source in enumerate(user.inputs):
            if source.tracked and not finite(flow.gradients.get(source, gradient)):
                brought = flow.contribution(Edge(user, argnum))
                if not finite(brought):
                    return _backward(names, Edge(user, argnum), brought)
    return _meeting(names)


def _meeting(names: Names) -> Factor | None:
    """Finite contributions may still add up to an infinity."""
    for node in reversed(names.flow.order):
        gradient = names.flow.gradients.get(node)
        if gradient is not None and not finite(gradient):
            because = f"the sum of the gradients at {names.node(node)} overflows {node.dtype}"
            return Factor(node, names.layer(node) or names.node(node), because)
    return None


def _forward(names: Names, node: Node) -> Factor:
    place = _bad(node.value)
    word = _kind(node.value[place])
    if node.primitive is None:
        because = f"{names.node(node)} holds {word}{_at(place, node.value)}; no equation made it"
        made = "" if node.name else ": it is data, or was computed without a gradient"
        return Factor(node, names.node(node), because + made, "data without missing values")
    operands = _operands(node, place)
    name = node.primitive.name
    said = _equation(names, node, name, operands)
    because = f"{said} is {word}{region(node)}{_at(place, node.value)}"
    key = "log" if name in _LOGS else name
    return Factor(node, names.layer(node) or name, because, _REMEDIES.get(key, ""))


def _equation(names: Names, node: Node, name: str, operands: list[float] | None) -> str:
    """As in log(0), 0/0 or e^800; else the primitive and what it got."""
    if operands is None:
        return f"{name} of {', '.join(names.node(source) for source in node.inputs)}"
    shown = [number(x) for x in operands]
    if name == "divide":
        return f"{shown[0]}/{shown[1]}"
    if name in ("multiply", "add", "subtract"):
        sign = {"multiply": "·", "add": "+", "subtract": "−"}[name]
        return f"{shown[0]} {sign} {shown[1]}"
    if name == "power":
        return f"{shown[0]}^{shown[1]}"
    reads = {"exp": f"e^{shown[0]}", "reciprocal": f"1/{shown[0]}"}
    return reads.get(name) or f"{'log' if name == 'bounded_log' else name}({', '.join(shown)})"


def _backward(names: Names, edge: Edge, brought: Array) -> Factor:
    user, name = edge.user, edge.name
    place = _bad(brought)
    word = f"{_kind(brought[place])}{_at(place, brought)}"
    towards = f"the gradient through {name}{region(user)} towards {names.node(edge.source)}"
    where, remedy = names.layer(user) or name, _REMEDIES.get("log" if name in _LOGS else name, "")
    if name in EVERYWHERE and brought.shape == user.shape:
        came = float(names.flow.gradients[user][place])
        slope = float(names.flow.slope(edge)[place])
        x = float(edge.source.value[place])
        because = (
            f"{towards} is {word}: the slope of {name} at {number(x)} is {number(slope)}, and "
            f"{number(came)} came to it"
        )
        return Factor(user, where, because, remedy)
    largest = float(np.abs(names.flow.gradients[user]).max(initial=0.0))
    because = f"{towards} is {word}: it overflows {user.dtype} (up to {number(largest)} came to it)"
    return Factor(user, where, because, "smaller weights, or a smaller learning rate")


def _operands(node: Node, place: tuple[int, ...]) -> list[float] | None:
    """The numbers that made one element, where it is a function of single elements."""
    assert node.primitive is not None
    if node.primitive.name not in EVERYWHERE:
        return None
    return [
        float(source.value[place] if source.shape == node.shape else source.value)
        for source in node.inputs
        if source.dtype.kind == "f"
    ]


def _bad(value: Array) -> tuple[int, ...]:
    return tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])


def _kind(value: Any) -> str:
    return "NaN" if np.isnan(value) else ("∞" if value > 0 else "−∞")


def _at(place: tuple[int, ...], value: Array) -> str:
    if not place or value.size == 1:
        return ""
    count = int((~np.isfinite(value)).sum())
    return f" at {list(place)} of shape {list(value.shape)} ({count} of {value.size} elements)"
