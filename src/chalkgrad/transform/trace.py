"""Tracing: from a Python function on tensors to a graph with static shapes.

The function runs once, on tensors that have shapes and no numbers. What it returns becomes the
graph's outputs. Tensors that it *changes* (parameters by an optimizer, moments, running means, the
random generator's state) become the graph's states: their value before is an argument of the
program, their value after a result. Afterwards every tensor is put back as it was: tracing changes
nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, overload

import numpy as np

from chalkgrad.core.errors import TraceError
from chalkgrad.core.graph import ArrayType, Graph, Node, State, ancestors, placeholder
from chalkgrad.core.scope import current
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.nested import mapped

Facts = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Capture:
    """A traced function: its graph, and what ties the graph to the running program."""

    graph: Graph
    tensors: tuple[Tensor, ...]  # whose states these are, in the order of graph.states
    settings: tuple[Callable[[], float], ...]  # numbers read before each run: the last inputs
    rebuild: Callable[[Sequence[Tensor]], Any]  # the function's return value, from its tensors
    facts: tuple[Fact, ...] = ()

    def outdated(self) -> str:
        """What is no longer as it was when this was traced; empty if everything is."""
        for fact in self.facts:
            now = fact.read()
            if now != fact.value:
                names = (name for name, *_ in {*fact.value} ^ {*now})
                return f"{min(names, default='the order')} of {fact.what}"
        return ""


@dataclass(frozen=True)
class Fact:
    """What traced equations rest on beside numbers, as (name, value …): a module's mode, say."""

    what: str
    read: Callable[[], Facts]
    value: Facts


@dataclass
class _Trace:
    before: dict[int, tuple[Tensor, Node]] = field(default_factory=dict)
    gradients: dict[int, tuple[Tensor, Tensor | None]] = field(default_factory=dict)
    settings: list[tuple[Node, Callable[[], float]]] = field(default_factory=list)
    facts: dict[str, Callable[[], Facts]] = field(default_factory=dict)

    def assigned(self, tensor: Tensor, before: Node) -> None:
        self.before.setdefault(id(tensor), (tensor, before))

    def graded(self, tensor: Tensor, before: Tensor | None) -> None:
        self.gradients.setdefault(id(tensor), (tensor, before))

    def rests_on(self, what: str, read: Callable[[], Facts]) -> None:
        self.facts[what] = read

    def restore(self) -> None:
        for tensor, node in self.before.values():
            tensor.node = node
        for tensor, gradient in self.gradients.values():
            tensor._grad = gradient


@overload
def trace(function: Tensor) -> Tensor: ...
@overload
def trace(function: Callable[..., Any], *examples: Any) -> Graph: ...


def trace(function: Any, *examples: Any) -> Any:
    """The graph of a function of tensors, for inputs of the examples' shapes and types.

    Of a matrix it is PyTorch's `trace`, the sum of the diagonal.

    >>> import chalkgrad as torch
    >>> print(torch.trace(lambda x: torch.tanh(x) * 2, torch.zeros(3)))
    input x: float32[3]
    %1: float32[3] = tanh(x)
    const %2: float32[] = 2.0
    %3: float32[3] = multiply(%1, %2)
    return %3
    """
    return function.trace() if isinstance(function, Tensor) else capture(function, *examples).graph


def setting(read: Callable[[], float], name: str) -> Tensor:
    """Inside a trace: a number, such as a learning rate, that is read again before every run."""
    running = current().trace
    if not isinstance(running, _Trace):
        raise TraceError(f"the setting {name} is asked for outside of a trace")
    node = placeholder(ArrayType((), np.dtype(np.float64)), name=name)
    running.settings.append((node, read))
    return Tensor().wrap(node)


def capture(function: Callable[..., Any], *examples: Any) -> Capture:
    """Trace a function, and keep what running its graph needs."""
    mode = current()
    if mode.trace is not None:
        raise TraceError(
            "a traced function was called inside another trace: call the function itself"
        )
    names = _argument_names(function, len(examples))
    leaves: list[Tensor] = []
    arguments = [
        mapped(example, partial(_input, name, leaves))
        for example, name in zip(examples, names, strict=True)
    ]
    running = _Trace()
    mode.trace, mode.abstract = running, True
    try:
        returned = function(*arguments)
        outputs: list[Tensor] = []
        mapped(returned, outputs.append)
        after = {key: tensor.node for key, (tensor, _) in running.before.items()}
        output_nodes = tuple(tensor.node for tensor in outputs)
    finally:
        mode.trace, mode.abstract = None, False
        running.restore()
    tensors, states = _states(running, after, output_nodes)
    inputs = (*(leaf.node for leaf in leaves), *(node for node, _ in running.settings))
    graph = Graph(inputs, states, output_nodes)
    reads = tuple(read for _, read in running.settings)
    facts = tuple([Fact(what, read, read()) for what, read in running.facts.items()])
    return Capture(graph, tensors, reads, lambda values: _rebuilt(returned, values), facts)


def _states(
    running: _Trace, after: dict[int, Node], outputs: tuple[Node, ...]
) -> tuple[tuple[Tensor, ...], tuple[State, ...]]:
    pairs = [(tensor, node, after[key]) for key, (tensor, node) in running.before.items()]
    # A tensor made during the trace has no value before it.
    pairs = [(tensor, node, end) for tensor, node, end in pairs if node.value is not None]
    changed = {node for _, node, _ in pairs}
    for node in ancestors([*outputs, *(end for _, _, end in pairs)]):
        if node.primitive is None and node.owner is not None and node not in changed:
            tensor = node.owner()
            if (
                tensor is not None and tensor.node is node
            ):  # read and not changed, but it may be later
                pairs.append((tensor, node, node))
    names = _unique([node.name or "state" for _, node, _ in pairs])
    states = tuple(
        State(name, node, end) for name, (_, node, end) in zip(names, pairs, strict=True)
    )
    return tuple(tensor for tensor, _, _ in pairs), states


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        result.append(f"{name}.{count}" if count or names.count(name) > 1 else name)
    return result


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    return [names[k] if k < len(names) else f"input{k}" for k in range(count)]


def _input(name: str, leaves: list[Tensor], example: Tensor) -> Tensor:
    node = example.node
    made = example.wrap(
        placeholder(ArrayType(node.shape, node.dtype), tracked=node.tracked, name=name)
    )
    leaves.append(made)
    return made


def _rebuilt(returned: Any, values: Sequence[Tensor]) -> Any:
    remaining = iter(values)
    return mapped(returned, lambda _: next(remaining))
