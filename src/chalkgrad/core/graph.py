"""The graph: one data structure that every reader of chalkgrad reads.

    Graph  ::= inputs: Node*  states: State*  outputs: Node*     a whole program
    State  ::= name, before: Node, after: Node                   what a program changes
    Node   ::= primitive(inputs: Node*; params) : dtype[shape]   one equation
             | leaf : dtype[shape] = value                       a parameter, a datum, a literal
    Stamp  ::= Because(node, argnum)     the chain rule at `node`, towards its input `argnum`
             | Meeting(node)             paths meet at `node`: their gradients add up

A node holds its value when it was computed eagerly, and none inside a traced program. Its equation
and value never change once made, so a graph keeps the numbers of the pass that built it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.rooms import above

if TYPE_CHECKING:
    from chalkgrad.core.primitive import Primitive
    from chalkgrad.core.scope import Scope

Array = NDArray[Any]
Shape = tuple[int, ...]
Params = Mapping[str, Any]
NO_PARAMS: Params = {}
LITERAL: Params = {"literal": True}  # of a leaf that is a number written in a formula
FRESH: Params = {}  # of an equation, inside a trace, that stands for a leaf made there


class ArrayType(NamedTuple):
    """What is known of an array before it has numbers."""

    shape: Shape
    dtype: np.dtype[Any]


class Because(NamedTuple):
    """Why a backward node exists: the chain rule at `node`, towards its input `argnum`."""

    node: Node
    argnum: int


class Meeting(NamedTuple):
    """Why a backward node exists: two paths from the loss meet at `node`, so they are added."""

    node: Node


class Node:
    """One equation of the graph, or a leaf (then `primitive` is None)."""

    __slots__ = (
        "because", "dtype", "inputs", "name", "owner", "params", "primitive", "scope", "seq",
        "shape", "spent", "tracked", "value",
    )  # fmt: skip

    primitive: Primitive | None
    inputs: tuple[Node, ...]
    params: Params
    value: Any  # an array; None inside a trace
    shape: Shape
    dtype: np.dtype[Any]
    tracked: bool  # does a gradient flow through this node?
    scope: Scope | None
    because: Because | Meeting | None
    name: str | None
    owner: ref[Any] | None  # the tensor that receives this gradient
    spent: bool  # has a backward pass gone through it and let it go?
    seq: int  # the order of making is a topological order

    def __repr__(self) -> str:
        label = self.name or f"#{self.seq}"
        kind = self.primitive.name if self.primitive else "leaf"
        return f"<{label}: {kind} {show_type(self)}>"


_new = object.__new__
tick = itertools.count().__next__


def equation(
    primitive: Primitive | None,
    inputs: tuple[Node, ...],
    params: Params,
    value: Any,
    shape: Shape,
    dtype: np.dtype[Any],
    tracked: bool,
    scope: Scope | None = None,
    because: Because | Meeting | None = None,
) -> Node:
    """A new node. (A plain function takes a third less time than a constructor.)"""
    node = _new(Node)
    node.primitive, node.inputs, node.params = primitive, inputs, params
    node.value, node.shape, node.dtype = value, shape, dtype
    node.tracked, node.scope, node.because = tracked, scope, because
    node.name = node.owner = None
    node.spent = False
    node.seq = tick()
    return node


def is_leaf(node: Node) -> bool:
    """Has a node no history? That of an equation which stands for a new leaf ends there."""
    return node.primitive is None or node.params is FRESH


def leaf(value: Array, *, tracked: bool = False, name: str | None = None) -> Node:
    """A node that holds a given array."""
    node = equation(None, (), NO_PARAMS, value, value.shape, value.dtype, tracked)
    node.name = name
    return node


def placeholder(kind: ArrayType, *, tracked: bool = False, name: str | None = None) -> Node:
    """A leaf without a value: an input of a traced program."""
    node = equation(None, (), NO_PARAMS, None, kind.shape, kind.dtype, tracked)
    node.name = name
    return node


by_age = attrgetter("seq")


def ancestors(roots: Iterable[Node], *, tracked_only: bool = False) -> list[Node]:
    """Every node that the roots depend on, themselves included, inputs before users."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for node in stack.pop().inputs:
            if (node.tracked or not tracked_only) and node not in seen:
                seen.add(node)
                stack.append(node)
    return sorted(seen, key=by_age)


@dataclass(frozen=True)
class State:
    """What a program reads before and writes after: a parameter, a moment, a random key."""

    name: str
    before: Node
    after: Node


@dataclass(frozen=True, eq=False)
class Graph:
    """A program with static shapes. `print(graph)` reads as a list of equations."""

    inputs: tuple[Node, ...]
    states: tuple[State, ...]
    outputs: tuple[Node, ...]

    @property
    def results(self) -> tuple[Node, ...]:
        """What must be computed: the outputs, then every state's value after."""
        return (*self.outputs, *(state.after for state in self.states))

    @property
    def arguments(self) -> tuple[Node, ...]:
        """What must be given: the inputs, then every state's value before."""
        return (*self.inputs, *(state.before for state in self.states))

    @property
    def nodes(self) -> list[Node]:
        """Every node, in an order in which it can be computed."""
        return ancestors((*self.arguments, *self.results))

    def kernels(self) -> Any:
        """The loops that the compiler makes of it: `print` them, or `time` them."""
        return above("kernels")(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def show_type(node: Node) -> str:
    return f"{node.dtype}[{','.join(map(str, node.shape))}]"


def labels(graph: Graph) -> dict[Node, str]:
    """What a reader calls each node: arguments, then equations by age, each after the constants
    that it is the first to use. (A constant may be older than the graph; its age says nothing.)"""
    order = dict.fromkeys(graph.arguments)
    for node in graph.nodes:
        if node.primitive is not None:
            order.update(dict.fromkeys((*node.inputs, node)))
    order.update(dict.fromkeys(graph.results))
    return {node: node.name or f"%{i}" for i, node in enumerate(order)}


def _lines(graph: Graph) -> Iterable[str]:
    names = labels(graph)
    for word, nodes in (("input", graph.inputs), ("state", [s.before for s in graph.states])):
        for node in nodes:
            yield f"{word} {names[node]}: {show_type(node)}"
    given = set(graph.arguments)
    for node in names:
        if node in given:
            continue
        if node.primitive is None:
            yield f"const {names[node]}: {show_type(node)} = {_brief(node.value)}"
            continue
        arguments = [names[i] for i in node.inputs]
        arguments += [f"{key}={value}" for key, value in node.params.items()]
        scope = f"   # {node.scope}" if node.scope else ""
        call = f"{node.primitive.name}({', '.join(arguments)})"
        yield f"{names[node]}: {show_type(node)} = {call}{scope}"
    for state in graph.states:
        yield f"{state.name} <- {names[state.after]}"
    yield f"return {', '.join(names[node] for node in graph.outputs)}"


def _brief(value: Array | None) -> str:
    return str(value).replace("\n", "") if value is not None and value.size <= 6 else "…"
