"""The verifier accepts every graph that chalkgrad makes, and refuses each kind of broken one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chalkgrad as torch
from chalkgrad.core.graph import (
    NO_PARAMS,
    ArrayType,
    Because,
    Graph,
    State,
    equation,
    leaf,
    placeholder,
)
from chalkgrad.core.scope import current, recording
from chalkgrad.core.verify import MalformedGraph, verify
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import reductions
from chalkgrad.transform.grad import pullback
from chalkgrad.transform.simplify import simplify
from tests.primitives.judges import Handle

FLOAT = np.dtype(np.float64)


def given(*shape: int, name: str = "x") -> Handle:
    return Handle(placeholder(ArrayType(shape, FLOAT), tracked=True, name=name))


@pytest.fixture
def abstract() -> Any:
    current().abstract = True
    yield
    current().abstract = False


@pytest.fixture
def parts(abstract: None) -> tuple[Graph, Graph]:
    """A forward graph, and the graph of its gradients, of two orders."""
    x, w = given(2, 3), given(3, name="w")
    hidden = e.tanh(x * w) + x * w
    loss = reductions.sum(hidden * hidden, axes=(0, 1), keepdims=False)
    first = pullback([loss], [loss.literal(1)])
    inner = reductions.sum(first[x.node], axes=(0, 1), keepdims=False)
    with recording(False):
        second = pullback([inner], [inner.literal(1)])
    outputs = (first[x.node].node, first[w.node].node, second[w.node].node)
    forward = Graph((x.node, w.node), (), (loss.node,))
    return forward, Graph((x.node, w.node), (), outputs)


def test_the_graphs_that_chalkgrad_makes_are_sound(parts: tuple[Graph, Graph]) -> None:
    forward, backward = parts
    verify(forward)
    inner = [n for n in backward.nodes if n.primitive and n.primitive.name == "sum"]
    verify(backward, forward={*forward.nodes, *inner})
    smaller = replace(backward, outputs=tuple(simplify(backward.outputs, backward.arguments)))
    assert len(smaller.nodes) < len(backward.nodes)
    verify(smaller)


def test_a_backward_node_without_a_stamp_is_found(parts: tuple[Graph, Graph]) -> None:
    forward, backward = parts
    backward.outputs[0].because = None
    verify(backward)
    with pytest.raises(MalformedGraph, match="does not say why"):
        verify(backward, forward=set(forward.nodes))


def test_a_stamp_that_points_at_no_input_is_found(parts: tuple[Graph, Graph]) -> None:
    forward, backward = parts
    backward.outputs[0].because = Because(forward.outputs[0], 5)
    with pytest.raises(MalformedGraph, match="stamped with input 5"):
        verify(backward, forward=set(forward.nodes))


def test_a_wrong_shape_and_a_wrong_type_are_found(parts: tuple[Graph, Graph]) -> None:
    forward, _ = parts
    node = forward.nodes[-2]
    node.shape = (7,)
    with pytest.raises(MalformedGraph, match=r"multiply .*says ArrayType"):
        verify(forward)
    node.shape, node.dtype = (2, 3), np.dtype(np.float32)
    with pytest.raises(MalformedGraph, match="the rule of multiply says"):
        verify(forward)


def test_a_value_of_another_shape_is_found() -> None:
    x = leaf(np.zeros(3))
    x.shape = (4,)
    with pytest.raises(MalformedGraph, match=r"holds float64\[3\]"):
        verify(Graph((x,), (), (x,)))


def test_a_cycle_is_found(abstract: None) -> None:
    x = given(3)
    first = e.exp(x)
    second = e.exp(first)
    first.node.inputs = (second.node,)
    with pytest.raises(MalformedGraph, match="made after it"):
        verify(Graph((x.node,), (), (second.node,)))


def test_a_dangling_placeholder_is_found(abstract: None) -> None:
    x, y = given(3), given(3, name="y")
    out = (x * y).node
    verify(Graph((x.node, y.node), (), (out,)))
    with pytest.raises(MalformedGraph, match=r"<y: leaf .* is a placeholder"):
        verify(Graph((x.node,), (), (out,)))


def test_arguments_are_leaves_each_given_once(abstract: None) -> None:
    x = given(3)
    out = e.exp(x).node
    with pytest.raises(MalformedGraph, match="computed inside the graph"):
        verify(Graph((x.node, out), (), (out,)))
    with pytest.raises(MalformedGraph, match="argument of the graph twice"):
        verify(Graph((x.node, x.node), (), (out,)))


def test_a_state_keeps_its_type_and_its_name(abstract: None) -> None:
    x, w = given(3), given(3, name="w")
    verify(Graph((x.node,), (State("w", w.node, (w * x).node),), ()))
    total = reductions.sum(w, axes=(0,), keepdims=False).node
    with pytest.raises(
        MalformedGraph, match=r"state w is float64\[3\] before .* float64\[\] after"
    ):
        verify(Graph((x.node,), (State("w", w.node, total),), ()))
    with pytest.raises(MalformedGraph, match="two states have one name, in w, w"):
        verify(Graph((), (State("w", w.node, w.node), State("w", x.node, x.node)), ()))


def test_a_rule_that_lies_about_its_type_is_found(abstract: None) -> None:
    x = given(3)
    node = equation(e.exp, (x.node,), NO_PARAMS, None, (3,), np.dtype(np.int64), False)
    with pytest.raises(MalformedGraph, match="the rule of exp says"):
        verify(Graph((x.node,), (), (node,)))


def test_a_traced_training_step_is_sound() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    loss_function = torch.nn.CrossEntropyLoss()

    def step(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_function(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    graph = torch.trace(step, torch.ones(5, 3), torch.zeros(5, dtype=torch.int64))
    verify(graph)
    changed = [state.name for state in graph.states if state.after is not state.before]
    assert len(changed) > 4 * 3  # parameters with two moments each, and the running statistics
    smaller = simplify(graph.results, graph.arguments)
    states = zip(graph.states, smaller[len(graph.outputs) :], strict=True)
    verify(
        Graph(
            graph.inputs,
            tuple(replace(state, after=after) for state, after in states),
            tuple(smaller[: len(graph.outputs)]),
        )
    )
