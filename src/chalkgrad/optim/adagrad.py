"""Adagrad: the gradient over the size of all gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class Adagrad(Optimizer):
    """Steps that shrink for a weight as its squared gradients add up.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        s ← s + g²
        θ ← θ − η / (1 + (t − 1) δ) · g / (√s + ε)

    with η = lr, δ = lr_decay, λ = weight_decay, ε = eps; s starts at initial_accumulator_value.
    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods" (2011).

    Raises ValueError for a negative option.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        without(foreach=foreach, differentiable=differentiable, fused=fused)
        check(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps,
              initial_accumulator_value=initial_accumulator_value)  # fmt: skip
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for group in self.param_groups:  # before any gradient is there, as PyTorch does here alone
            for parameter in group["params"]:
                self.state[parameter] = self.start(parameter, group)

    def start(self, parameter: Tensor, group: Group) -> State:
        initial = group["initial_accumulator_value"]
        return {"step": number(0), "sum": filled(parameter, initial)}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        t = state["step"] + 1
        gradient = penalized(parameter, gradient, setting)
        total = state["sum"] + e.square(gradient)
        lr = setting("lr") / (1 + (t - 1) * setting("lr_decay"))
        move = lr * gradient / (e.sqrt(total) + setting("eps"))
        return parameter - move, {"step": t, "sum": total}
