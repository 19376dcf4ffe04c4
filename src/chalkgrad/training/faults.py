"""Where a NaN or an infinity began: the first equation whose inputs are finite and whose result is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Because, Graph, Meeting, Node
from chalkgrad.core.scope import current


def locate(graph: Graph, arrays: Sequence[Array]) -> str:
    """Run the graph node by node and describe the first fault; '' when every number is finite."""
    values: dict[Node, Any] = dict(zip(graph.arguments, arrays, strict=True))
    for node, value in values.items():
        if not finite(value):
            return f"{node.name or 'an input'} holds {kind(value)} {place(value)}"
    for node in graph.nodes:
        if node in values:
            continue
        if node.primitive is None:
            values[node] = node.value
            continue
        operands = [values[source] for source in node.inputs]
        values[node] = current().run(node.primitive.numpy, *operands, **node.params)
        if not finite(values[node]) and all(finite(operand) for operand in operands):
            return f"{describe(node)} gives {kind(values[node])} {place(values[node])}"
    return ""


def finite(value: Any) -> bool:
    value = np.asarray(value)
    return value.dtype.kind != "f" or bool(np.isfinite(value).all())


def kind(value: Any) -> str:
    return "NaN" if np.isnan(value).any() else "infinity"


def place(value: Any) -> str:
    value = np.asarray(value)
    bad = np.argwhere(~np.isfinite(value))
    where = f"at {[int(i) for i in bad[0]]} of shape {list(value.shape)}" if value.shape else ""
    return f"{where} ({len(bad)} of {value.size} elements)" if value.size > 1 else where


def describe(node: Node) -> str:
    """'the gradient of matmul (layers.0)', in words."""
    assert node.primitive is not None
    because = node.because
    if isinstance(because, Because):
        source = because.node.inputs[because.argnum]
        towards = source.name or (source.primitive.name if source.primitive else "an input")
        rule = because.node.primitive.name if because.node.primitive else "?"
        return f"the gradient through {rule} towards {towards}{_in(because.node)} ({node.primitive.name})"
    if isinstance(because, Meeting):
        return f"the sum of gradients at {because.node.name or 'a node'}{_in(because.node)}"
    return f"{node.primitive.name}{_in(node)}"


def _in(node: Node) -> str:
    return f" in {node.scope}" if node.scope else ""
