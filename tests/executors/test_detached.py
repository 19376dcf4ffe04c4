"""Leaves and detached tensors inside a compiled function: it gives what the function gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.core.errors import GradientError

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


def detached_twice(x: cg.Tensor) -> cg.Tensor:
    y = x * 2
    one, two = y.detach(), y.detach()
    one.add_(1)
    y.mul_(3)
    return two + one


def a_view_of_an_input(x: cg.Tensor) -> cg.Tensor:
    row = x[0]
    x.add_(1)
    return row * 1


def changed_leaf(x: cg.Tensor) -> cg.Tensor:
    z = x * 2
    leaf = z.detach().requires_grad_()
    assert leaf.is_leaf
    with cg.no_grad():
        leaf.add_(1)
    (leaf**3).sum().backward()
    assert leaf.grad is not None
    return leaf.grad + z


def no_longer(x: cg.Tensor) -> cg.Tensor:
    x.requires_grad_()
    x.requires_grad_(False)
    return x * 2


def of_a_view(x: cg.Tensor) -> cg.Tensor:
    y = x * 2
    y.reshape(6).detach().sub_(1)
    return y


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    "function",
    [
        asked, a_fresh_leaf, detached, of_a_view, detached_twice, a_view_of_an_input, changed_leaf,
        no_longer,
    ],
)  # fmt: skip
def test_a_function_of_tensors(function: Callable[..., cg.Tensor], executor: str) -> None:
    wanted = function(cg.arange(6.0).reshape(2, 3).clone())
    found = cg.compile(function, executor=executor)(cg.arange(6.0).reshape(2, 3).clone())
    assert found.tolist() == wanted.tolist()


def test_a_gradient_is_not_lost_behind_a_detached_tensor() -> None:
    weight = cg.tensor([2.0], requires_grad=True)

    def step(x: cg.Tensor) -> cg.Tensor:
        h = weight * x
        h.data.mul_(2)
        return (h * 1.5).sum()

    with pytest.raises(GradientError, match="has a history, whose gradient would be lost"):
        cg.compile(step)(cg.tensor([3.0]))


def test_a_leaf_made_inside_is_not_changed_while_it_is_recorded() -> None:
    def step(x: cg.Tensor) -> cg.Tensor:
        leaf = (x * 2).detach().requires_grad_()
        return leaf.add_(1)

    with pytest.raises(GradientError, match="in-place operation"):
        cg.compile(step)(cg.tensor([3.0]))


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
