"""The NumPy executor: every node, one NumPy line each, no fusion. The others must agree with it.

`interpret` walks the nodes. `compile` writes the same walk out as one Python function,

    def program(a0, a1):
        v2 = matmul(a0, a1)
        v3 = sigmoid(v2); del v2
        return v3,

which spares the bookkeeping of a walk (0.3 µs a node) where a program runs again and again.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Graph, Node
from chalkgrad.core.scope import current
from chalkgrad.transform.simplify import equations

Program = Callable[..., tuple[Array, ...]]

# Primitives whose NumPy line may return a view of its input.
_VIEWS = {
    "reshape",
    "transpose",
    "slice",
    "broadcast",
    "flip",
    "cast",
    "einsum",
    "sum",
    "max",
    "min",
    "prod",
}


def interpret(
    arguments: Sequence[Node], results: Sequence[Node], arrays: Sequence[Array]
) -> tuple[Array, ...]:
    """Compute the results once, node by node."""
    run = current().run
    values: dict[Node, Any] = dict(zip(arguments, arrays, strict=True))
    order = equations(arguments, results)
    last = {source: node for node in order for source in node.inputs}
    kept = set(results)
    for node in order:
        assert node.primitive is not None
        operands = [values.get(i, i.value) for i in node.inputs]
        values[node] = run(node.primitive.numpy, *operands, **node.params)
        for source in node.inputs:
            if last[source] is node and source not in kept:
                values.pop(source, None)
    found = [values.get(node, node.value) for node in results]
    own = zip(found, _fresh(arguments, results), strict=True)
    return tuple([np.asarray(value) if fresh else np.array(value) for value, fresh in own])


def compile(arguments: Sequence[Node], results: Sequence[Node]) -> Program:
    """One Python function that computes the results from the arguments."""
    program = define(*_source(arguments, results))
    return lambda *arrays: current().run(program, *arrays)


def define(lines: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    """The function `program` that these lines define."""
    # The text holds only names made in this room (a0, v1, f1, c2) and no word of a user's.
    exec(builtins.compile("\n".join(lines), "<chalkgrad program>", "exec"), names)  # noqa: S102
    program: Callable[..., Any] = names["program"]
    return program


def run(graph: Graph, *arrays: Array) -> tuple[Array, ...]:
    """Run a whole graph: inputs, then states; back come outputs, then states."""
    return interpret(graph.arguments, graph.results, arrays)


def _source(arguments: Sequence[Node], results: Sequence[Node]) -> tuple[list[str], dict[str, Any]]:
    label = {node: f"a{k}" for k, node in enumerate(arguments)}
    names: dict[str, Any] = {"asarray": np.asarray}
    order = equations(arguments, results)
    last = {source: node for node in order for source in node.inputs}
    kept = {*results, *arguments}
    lines = [f"def program({', '.join(label.values())}):"]
    for k, node in enumerate(order):
        assert node.primitive is not None
        for source in node.inputs:
            if source not in label:
                label[source] = f"c{len(label)}"
                names[label[source]] = source.value
        label[node] = f"v{k}"
        call = called(k, node, [label[i] for i in node.inputs], names)
        # NumPy makes scalars of arrays without dimensions, and is slow at computing with those.
        line = f"    v{k} = {call}" if node.shape else f"    v{k} = asarray({call})"
        ended = {label[i] for i in node.inputs if last[i] is node and i not in kept and i.primitive}
        lines.append(line + (f"; del {', '.join(sorted(ended))}" if ended else ""))
    fresh = _fresh(arguments, results)
    for node in results:
        if node not in label:
            label[node] = f"c{len(label)}"
            names[label[node]] = node.value
    values = [
        f"asarray({label[n]}){'' if ok else '.copy()'}"
        for n, ok in zip(results, fresh, strict=True)
    ]
    lines.append(f"    return ({', '.join(values)}{',' if len(values) == 1 else ''})")
    return lines, names


def called(k: int, node: Node, operands: Iterable[str], names: dict[str, Any]) -> str:
    """The text of node k's NumPy line, called with its parameters by keyword."""
    assert node.primitive is not None
    names[f"f{k}"] = node.primitive.numpy
    names |= {f"{key}{k}": value for key, value in node.params.items()}
    return f"f{k}({', '.join([*operands, *(f'{key}={key}{k}' for key in node.params)])})"


def _fresh(arguments: Sequence[Node], results: Sequence[Node]) -> list[bool]:
    """Which results come in memory of their own, so that they may be changed in place?"""
    given, taken, answer = set(arguments), set(), []
    for result in results:
        root, repeated = result, False
        while root.primitive and root not in given and root.primitive.name in _VIEWS:
            repeated |= root.primitive.name == "broadcast"
            root = root.inputs[0]
        own = root.primitive is not None and root not in given and root not in taken
        taken.add(root)
        answer.append(own and not repeated)
    return answer
