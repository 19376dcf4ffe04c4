"""Composites replayed: a pure function of tensors whose equations are put on record at once.

A composite such as `linear` or `binary_cross_entropy` writes the same equations every time it is
called with the same kinds of arguments. From the third time on they are not found again operation
by operation but replayed: its traced graph is written out as one Python function that computes each
value and makes each node, as

    def replayed(n0, n1):
        v2 = matmul(n0.value, n1.value)
        n2 = equation(p2, (n0, n1), params2, v2, shape2, dtype2, True, scope2)
        return n2

so that the graph holds exactly the nodes that it would hold otherwise, at half of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from chalkgrad.core.graph import Node, equation, leaf
from chalkgrad.core.scope import current
from chalkgrad.executors.numpy import called, define
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.trace import capture

P = ParamSpec("P")
_CAPACITY = 256  # kinds of arguments that one function remembers


def replayed(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Replay a pure function of tensors, and of hashable options, that are given by position.

    Pure means: its equations follow from the shapes, types and options alone, it looks at no
    number, and it changes nothing.
    """
    plans: dict[Any, Callable[..., Node] | None] = {}

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        mode = current()
        if mode.abstract or mode.because is not None or kwargs:
            return function(*args, **kwargs)
        key: list[Any] = [mode.scope, mode.recording]
        nodes: list[Node] = []
        for argument in args:
            if isinstance(argument, Tensor):
                node = argument.node
                nodes.append(node)
                key += (node.shape, node.dtype, node.tracked)
            else:
                key.append(argument)
        kind = tuple(key)
        plan = plans.get(kind)
        if plan is not None:
            return args[0].wrap(mode.run(plan, *nodes))  # type: ignore[attr-defined, no-any-return]
        if kind in plans:
            plans[kind] = _plan(function, args)
        elif len(plans) < _CAPACITY:
            plans[kind] = None  # seen once: most kinds are never seen again
        return function(*args, **kwargs)

    return call


def _plan(function: Callable[..., Tensor], args: Sequence[Any]) -> Callable[..., Node]:
    examples = [argument for argument in args if isinstance(argument, Tensor)]

    def of_tensors(*tensors: Tensor) -> Tensor:
        given = iter(tensors)
        arguments: list[Any] = [next(given) if isinstance(a, Tensor) else a for a in args]
        return function(*arguments)

    graph = capture(of_tensors, *examples).graph
    writer = _Writer(graph.inputs)
    for node in graph.nodes:
        if node.primitive is not None:
            writer.write(node)
    writer.lines.append(f"    return {writer.node(graph.outputs[0])}")
    header = f"def program({', '.join(writer.nodes[node] for node in graph.inputs)}):"
    return define([header, *writer.lines], writer.names)


class _Writer:
    """The text of a replay, and the objects that it names."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        self.nodes = {node: f"n{k}" for k, node in enumerate(inputs)}
        self.values = {node: f"n{k}.value" for k, node in enumerate(inputs)}
        self.names: dict[str, Any] = {"asarray": np.asarray, "equation": equation, "leaf": leaf}
        self.lines: list[str] = []

    def write(self, node: Node) -> None:
        k = len(self.names)
        call = called(k, node, [self.value(source) for source in node.inputs], self.names)
        self.lines.append(f"    v{k} = {call}" if node.shape else f"    v{k} = asarray({call})")
        self.values[node] = f"v{k}"
        if not node.tracked:
            return  # it becomes a leaf where a tracked equation reads it
        facts = (node.params, node.shape, node.dtype, node.scope, node.primitive)
        self.names |= dict(zip([f"{letter}{k}" for letter in "msdhp"], facts, strict=True))
        inputs = "".join(f"{self.node(source)}, " for source in node.inputs)
        self.lines.append(
            f"    n{k} = equation(p{k}, ({inputs}), m{k}, v{k}, s{k}, d{k}, True, h{k})"
        )
        self.nodes[node] = f"n{k}"

    def value(self, node: Node) -> str:
        if node not in self.values:
            self.values[node] = f"c{len(self.names)}"
            self.names[self.values[node]] = node.value
        return self.values[node]

    def node(self, node: Node) -> str:
        if node in self.nodes:
            return self.nodes[node]
        self.nodes[node] = name = f"l{len(self.names)}"
        if node.primitive is None:  # a literal
            self.names[name] = node
        else:
            self.lines.append(f"    {name} = leaf({self.values[node]})")
        return name
