"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        b ← μ b + (1 − τ) g                 (b ← g in the first step)
        θ ← θ − η b                         Nesterov:  θ ← θ − η (g + μ b)

    with η = lr, μ = momentum, τ = dampening, λ = weight_decay. Source: Sutskever et al., "On the
    importance of initialization and momentum in deep learning" (2013), in the form that multiplies
    the velocity by the learning rate of the day.

    Raises ValueError for a negative option, and for Nesterov momentum without momentum.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        without(foreach=foreach, differentiable=differentiable, fused=fused)
        check(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgumentError(
                "Nesterov momentum requires a momentum and zero dampening; here momentum is "
                f"{momentum} and dampening {dampening}."
            )
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        if not group["momentum"]:
            return {}
        state = {"momentum_buffer": filled(parameter, 0)}
        if group["dampening"]:  # without it μ · 0 + g is g, and the first step is like any other
            state["step"] = number(0)
        return state

    def complete(self, parameter: Tensor, group: Group, state: dict[str, Any]) -> State:
        lacking = super().complete(parameter, group, state)
        if "step" in lacking and "momentum_buffer" in state:
            lacking["step"] = number(1)  # a buffer from elsewhere: its first step is over
        return lacking

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        lr = setting("lr")
        gradient = penalized(parameter, gradient, setting)
        if not setting.on("momentum"):
            return parameter - lr * gradient, {}
        momentum, after = setting("momentum"), State()
        buffer = momentum * state["momentum_buffer"]
        if setting.on("dampening"):
            buffer = buffer + (1 - setting("dampening")) * gradient
            buffer = e.select(e.equal(state["step"], state["step"].literal(0)), gradient, buffer)
            after["step"] = state["step"] + 1
        else:
            buffer = buffer + gradient
        after["momentum_buffer"] = buffer
        move = gradient + momentum * buffer if setting.on("nesterov") else buffer
        return parameter - lr * move, after
