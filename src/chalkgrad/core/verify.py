"""The verifier: is a graph what its grammar says? Run in tests after every pass that makes a graph.

order      every input of a node is older than the node, so there is no cycle
types      a node has the shape and type of its primitive's type rule, a leaf those of its value
arguments  inputs and states are leaves, each named once; no other leaf is without a value
states     a state has the same shape and type before and after
stamps     if asked: every backward node says because of which forward node it exists
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.core.graph import ArrayType, Because, Graph, Node, show_type


class MalformedGraph(ChalkgradError, AssertionError):
    """A graph that breaks its own grammar: a fault of the pass that made it."""


def verify(graph: Graph, *, forward: Collection[Node] | None = None) -> None:
    """Raise MalformedGraph at the first node that breaks a rule.

    With `forward`, every other equation is a backward node and must be stamped with a forward node,
    or with a backward node of an earlier pass.

    >>> import chalkgrad as torch
    >>> verify(torch.trace(lambda x: torch.tanh(x) * 2, torch.zeros(3)))
    """
    nodes = graph.nodes
    _check_arguments(graph, nodes)
    for node in nodes:
        _check_order(node)
        _check_type(node)
        if forward is not None and node.primitive is not None and node not in forward:
            _check_stamp(node)
    for state in graph.states:
        if _type(state.before) != _type(state.after):
            raise MalformedGraph(
                f"the state {state.name} is {show_type(state.before)} before the program and "
                f"{show_type(state.after)} after it"
            )


def _check_arguments(graph: Graph, nodes: Iterable[Node]) -> None:
    given = set(graph.arguments)
    if len(given) != len(graph.arguments):
        raise MalformedGraph("one node is an argument of the graph twice")
    names = [state.name for state in graph.states]
    if len(set(names)) != len(names):
        raise MalformedGraph(f"two states have one name, in {', '.join(names)}")
    for node in nodes:
        if node in given and node.primitive is not None:
            raise MalformedGraph(f"the argument {node!r} is computed inside the graph")
        if node.primitive is None and node.value is None and node not in given:
            raise MalformedGraph(f"{node!r} is a placeholder, and no argument of the graph")


def _check_order(node: Node) -> None:
    for source in node.inputs:
        if source.seq >= node.seq:
            raise MalformedGraph(f"{node!r} reads {source!r}, which was made after it")


def _check_type(node: Node) -> None:
    if node.primitive is not None:
        promised = node.primitive.type(*map(_type, node.inputs), **node.params)
        if promised != _type(node):
            raise MalformedGraph(f"{node!r}, but the rule of {node.primitive.name} says {promised}")
    if node.value is not None and (node.value.shape, node.value.dtype) != _type(node):
        raise MalformedGraph(f"{node!r} holds {node.value.dtype}{list(node.value.shape)}")


def _check_stamp(node: Node) -> None:
    stamp = node.because
    if stamp is None:
        raise MalformedGraph(f"the backward node {node!r} does not say why it exists")
    if isinstance(stamp, Because) and not 0 <= stamp.argnum < len(stamp.node.inputs):
        raise MalformedGraph(f"{node!r} is stamped with input {stamp.argnum} of {stamp.node!r}")


def _type(node: Node) -> ArrayType:
    return ArrayType(node.shape, node.dtype)
