"""Leaves and detached tensors inside a compiled function: it gives what the function gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import chalkgrad as cg
from chalkgrad import nn

EXECUTORS = ["native", "numpy"]


def asked(x: cg.Tensor) -> cg.Tensor:
    x.requires_grad_()
    (x**3).sum().backward()
    assert x.grad is not None
    return x.grad


def a_fresh_leaf(x: cg.Tensor) -> cg.Tensor:
    leaf = (x * 2).detach().requires_grad_()
    (leaf**3).sum().backward()
    assert leaf.grad is not None
    return leaf.grad


def detached(x: cg.Tensor) -> cg.Tensor:
    y = x * 2
    y.detach().add_(5)
    y[0].detach().mul_(3)
    return y + y.detach()


def of_a_view(x: cg.Tensor) -> cg.Tensor:
    y = x * 2
    y.reshape(6).detach().sub_(1)
    return y


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("function", [asked, a_fresh_leaf, detached, of_a_view])
def test_a_function_of_tensors(function: Callable[..., cg.Tensor], executor: str) -> None:
    wanted = function(cg.arange(6.0).reshape(2, 3))
    found = cg.compile(function, executor=executor)(cg.arange(6.0).reshape(2, 3))
    assert found.tolist() == wanted.tolist()


def replaced(p: cg.Tensor) -> None:
    p.data = p.data - 0.1 * p.grad


def changed(p: cg.Tensor) -> None:
    p.data -= 0.1 * p.grad


def written(p: cg.Tensor) -> None:
    p.data.sub_(0.1 * p.grad)
    p.data.mul_(0.9)


def through_detach(p: cg.Tensor) -> None:
    p.detach().sub_(0.1 * p.grad)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("update", [replaced, changed, written, through_detach])
def test_an_update_by_hand(update: Callable[[cg.Tensor], None], executor: str) -> None:
    def trained(executor: str | None) -> list[float]:
        cg.manual_seed(0)
        layer, x = nn.Linear(2, 1), cg.ones(3, 2)

        def step(x: cg.Tensor) -> cg.Tensor:
            loss = (layer(x) ** 2).mean()
            layer.zero_grad()
            loss.backward()
            for parameter in layer.parameters():
                update(parameter)
            return loss

        run = step if executor is None else cg.compile(step, executor=executor)
        return [float(run(x)) for _ in range(4)]

    losses = trained(executor)
    assert losses == pytest.approx(trained(None), rel=1e-6)
    assert losses[-1] < losses[0]
