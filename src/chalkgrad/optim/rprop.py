"""Rprop: only the sign of the gradient counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, filled, number
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.operand import binary
from chalkgrad.tensor.tensor import Tensor


class Rprop(Optimizer):
    """Resilient backpropagation: each weight has a step size of its own, for full batches.

        g ← ∂L/∂θ                           (−∂L/∂θ to maximize)
        Δ ← Δ η₊ where g g′ > 0,  Δ η₋ where g g′ < 0,  kept between Δmin and Δmax
        g ← 0 where g g′ < 0                (a minimum was jumped over: wait)
        θ ← θ − sign(g) Δ
        g′ ← g

    with (η₋, η₊) = etas, (Δmin, Δmax) = step_sizes; Δ starts at lr. Source: Riedmiller and Braun,
    "A direct adaptive method for faster backpropagation learning" (1993).

    Raises ValueError for a negative option, and for etas that do not stand around 1.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        without(capturable=capturable, foreach=foreach, differentiable=differentiable)
        check(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ArgumentError(
                f"Invalid eta values: {etas[0]}, {etas[1]}. The first shrinks a step (between 0 "
                "and 1), the second lengthens it (above 1)."
            )
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        sizes = filled(parameter, group["lr"])
        return {"step": number(0), "prev": filled(parameter, 0), "step_size": sizes}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        shrink, grow = (eta.cast(gradient.node.dtype) for eta in setting.pair("etas"))
        smallest, largest = setting.pair("step_sizes")
        gradient = -gradient if setting.on("maximize") else gradient
        zero, one = gradient.literal(0), gradient.literal(1)
        agreement = gradient * state["prev"]
        turned = e.less(agreement, zero)
        factor = e.select(e.greater(agreement, zero), grow, e.select(turned, shrink, one))
        size = binary(piecewise.maximum, state["step_size"] * factor, smallest)
        size = binary(piecewise.minimum, size, largest)
        gradient = e.select(turned, zero, gradient)
        after = {"step": state["step"] + 1, "prev": gradient, "step_size": size}
        return parameter - e.sign(gradient) * size, after
