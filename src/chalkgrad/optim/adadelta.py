"""Adadelta: steps in the units of the weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class Adadelta(Optimizer):
    """The ratio of recent moves to recent gradients takes the place of a learning rate.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        v ← ρ v + (1 − ρ) g²
        Δ = √(u + ε) / √(v + ε) · g
        u ← ρ u + (1 − ρ) Δ²
        θ ← θ − η Δ

    with η = lr, ρ = rho, ε = eps, λ = weight_decay. Source: Zeiler, "ADADELTA: an adaptive learning
    rate method" (2012), algorithm 1.

    Raises ValueError for a negative option, and for rho outside of [0, 1].

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w], rho=0.75, eps=0.0001)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9800, -1.9800], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach: bool | None = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        without(foreach=foreach, capturable=capturable, differentiable=differentiable)
        check(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1.0:
            raise ArgumentError(f"Invalid rho value: {rho}. It is a share, so it is at most 1.")
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        state = {name: filled(parameter, 0) for name in ("square_avg", "acc_delta")}
        return {"step": number(0), **state}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        rho, eps = setting("rho"), setting("eps")
        gradient = penalized(parameter, gradient, setting)
        square = rho * state["square_avg"] + (1 - rho) * e.square(gradient)
        delta = e.sqrt(state["acc_delta"] + eps) / e.sqrt(square + eps) * gradient
        moves = rho * state["acc_delta"] + (1 - rho) * e.square(delta)
        after = {"step": state["step"] + 1, "square_avg": square, "acc_delta": moves}
        return parameter - setting("lr") * delta, after
