"""RMSprop: the gradient over its own recent size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class RMSprop(Optimizer):
    """Divide each gradient by a running average of its own magnitude.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        v ← α v + (1 − α) g²
        ḡ ← α ḡ + (1 − α) g                 (centered; otherwise ḡ is 0)
        b ← μ b + g / (√(v − ḡ²) + ε)
        θ ← θ − η b

    with η = lr, α = alpha, ε = eps, μ = momentum, λ = weight_decay. Sources: Tieleman and Hinton,
    "Lecture 6.5: rmsprop" (2012); centered: Graves, "Generating sequences with recurrent neural
    networks" (2013).

    Raises ValueError for a negative option.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.25, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        without(capturable=capturable, foreach=foreach, differentiable=differentiable)
        check(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        names = ["square_avg"]
        names += ["momentum_buffer"] if group["momentum"] else []
        names += ["grad_avg"] if group["centered"] else []
        return {"step": number(0), **{name: filled(parameter, 0) for name in names}}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        alpha = setting("alpha")
        gradient = penalized(parameter, gradient, setting)
        square = alpha * state["square_avg"] + (1 - alpha) * e.square(gradient)
        after = {"step": state["step"] + 1, "square_avg": square}
        variance = square
        if setting.on("centered"):
            mean = after["grad_avg"] = alpha * state["grad_avg"] + (1 - alpha) * gradient
            variance = square - e.square(mean)
        move = gradient / (e.sqrt(variance) + setting("eps"))
        if setting.on("momentum"):
            move = setting("momentum") * state["momentum_buffer"] + move
            after["momentum_buffer"] = move
        return parameter - setting("lr") * move, after
