"""The short cuts of eager use, replays and recognised graphs, change no node and no bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.graph import Node
from chalkgrad.core.scope import scope
from chalkgrad.executors.eager import EagerEngine
from chalkgrad.executors.replay import replayed
from chalkgrad.nn import functional as F
from chalkgrad.tensor.tensor import Tensor


def equations(out: Tensor) -> list[tuple[Any, ...]]:
    """The graph from its result down; how old a literal is makes no difference."""
    order: list[Node] = [out.node]
    for node in order:
        order += [source for source in node.inputs if source not in order]
    place = {node: k for k, node in enumerate(order)}
    return [
        (n.primitive, tuple(place[i] for i in n.inputs), dict(n.params), n.shape, str(n.scope),
         n.tracked, n.value.tobytes())
        for n in order
    ]  # fmt: skip


def two_class(p: Tensor, y: Tensor) -> Tensor:
    with scope("two classes"):
        return -(y * p.log() + (1.0 - y) * (1.0 - p).log()).mean()


def test_a_replay_records_the_same_nodes() -> None:
    function = replayed(two_class)
    p = cg.tensor([[0.2], [0.7], [0.9]], dtype=cg.float64, requires_grad=True)
    y = cg.tensor([[0.0], [1.0], [1.0]], dtype=cg.float64)
    wanted = equations(two_class(p, y))
    for _ in range(4):  # noted, planned, replayed, replayed
        assert equations(function(p, y)) == wanted
    with scope("outer"):
        wanted = equations(two_class(p, y))
        for _ in range(4):
            assert equations(function(p, y)) == wanted
    with cg.no_grad():
        assert [function(p, y).requires_grad for _ in range(4)] == [False] * 4


def test_a_replay_refuses_what_the_function_refuses() -> None:
    weight = cg.ones(2, 3, requires_grad=True)
    for _ in range(4):
        F.linear(cg.ones(1, 3), weight)
        with pytest.raises(RuntimeError):
            F.linear(cg.ones(1, 4), weight)


def gradients(loss: Callable[[], Tensor], leaves: list[Tensor]) -> list[bytes]:
    for leaf in leaves:
        leaf.grad = None
    loss().backward()
    return [b"" if leaf.grad is None else leaf.grad.numpy().tobytes() for leaf in leaves]


def test_a_recognised_graph_gives_the_gradients_of_an_unseen_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    x, w, v = (cg.tensor(rng.normal(size=(3, 3)), requires_grad=True) for _ in range(3))
    losses: list[Callable[[], Tensor]] = [
        lambda: (x * w).tanh().sum(),
        lambda: (x * x).tanh().sum(),  # one leaf where the last had two
        lambda: ((x @ w).tanh() * (x @ w)).mean(),
        lambda: (x.detach() * w + v).sum(),
        lambda: (x * w).sum(dim=0).max(),
        lambda: (x * w).sum(dim=1).max(),  # other parameters
    ]
    leaves = [x, w, v]
    monkeypatch.setattr(Tensor, "engine", EagerEngine())
    wanted = [gradients(loss, leaves) for loss in losses]
    for _ in range(3):
        for loss, want in zip(losses, wanted, strict=True):
            for _ in range(3):
                assert gradients(loss, leaves) == want
    engine = Tensor.engine
    assert isinstance(engine, EagerEngine)
    assert engine.recent


def test_a_recognised_graph_still_refuses_a_second_backward() -> None:
    x = cg.ones(3, requires_grad=True)
    for _ in range(4):
        loss = (x * x).sum()
        loss.backward(retain_graph=True)
        loss.backward()
        with pytest.raises(RuntimeError, match="a second time"):
            loss.backward()


def test_a_retained_gradient_inside_is_not_passed_over() -> None:
    x = cg.ones(3, requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
    inside = x * x
    inside.retain_grad()
    inside.sum().backward()
    assert inside.grad is not None
    assert inside.grad.tolist() == [1.0, 1.0, 1.0]


def test_a_leaf_is_its_own_loss_again_and_again() -> None:
    for _ in range(6):  # from the third time on the structure is recognised
        loss = cg.tensor(1.5, requires_grad=True)
        loss.backward()
        assert loss.grad is not None
        assert loss.grad.item() == 1.0
