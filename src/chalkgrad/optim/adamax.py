"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.operand import binary
from chalkgrad.tensor.tensor import Tensor


class Adamax(Optimizer):
    """Adam in the infinity norm.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        m ← β₁ m + (1 − β₁) g
        u ← max(β₂ u, |g| + ε)
        θ ← θ − η / (1 − β₁ᵗ) · m / u

    with η = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay. Source: Kingma and Ba, "Adam" (2015),
    algorithm 2.

    Raises ValueError for a negative option, and for betas outside of [0, 1).

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        without(foreach=foreach, differentiable=differentiable, capturable=capturable)
        check(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        state = {name: filled(parameter, 0) for name in ("exp_avg", "exp_inf")}
        return {"step": number(0), **state}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        (beta1, beta2), t = setting.pair("betas"), state["step"] + 1
        gradient = penalized(parameter, gradient, setting)
        mean = beta1 * state["exp_avg"] + (1 - beta1) * gradient
        size = e.absolute(gradient) + setting("eps")
        largest = binary(piecewise.maximum, beta2 * state["exp_inf"], size)
        move = setting("lr") / (1 - beta1**t) * mean / largest
        return parameter - move, {"step": t, "exp_avg": mean, "exp_inf": largest}
