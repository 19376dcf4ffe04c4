"""RAdam: Adam that waits until its estimate of the variance can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, decayed, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class RAdam(Optimizer):
    """Adam with the variance of its step rectified; momentum alone in the first steps.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        m ← β₁ m + (1 − β₁) g               m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1 − β₂) g²              l = √(1 − β₂ᵗ) / (√v + ε)
        ρ∞ = 2 / (1 − β₂) − 1               ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
        r = √( (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ) )
        θ ← θ − η m̂ · (r l where ρ > 5, else 1)

    with η = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay. With `decoupled_weight_decay` the
    decay is AdamW's. Source: Liu et al., "On the variance of the adaptive learning rate and beyond"
    (2020), algorithm 2.

    Raises ValueError for a negative option, and for betas outside of [0, 1).

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        without(foreach=foreach, capturable=capturable, differentiable=differentiable)
        check(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        moments = {name: filled(parameter, 0) for name in ("exp_avg", "exp_avg_sq")}
        return {"step": number(0), **moments}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        (beta1, beta2), t = setting.pair("betas"), state["step"] + 1
        if setting.on("decoupled_weight_decay"):
            parameter, gradient = decayed(parameter, gradient, setting)
        else:
            gradient = penalized(parameter, gradient, setting)
        mean = beta1 * state["exp_avg"] + (1 - beta1) * gradient
        square = beta2 * state["exp_avg_sq"] + (1 - beta2) * e.square(gradient)
        move = setting("lr") / (1 - beta1**t) * mean
        scale = e.sqrt(1 - beta2**t) / (e.sqrt(square) + setting("eps"))
        trusted, factor = _rectification(beta2, t)
        # The factor of an untrusted step is not a number; `select` leaves it out.
        move = e.select(trusted, move * (factor * scale), move)
        return parameter - move, {"step": t, "exp_avg": mean, "exp_avg_sq": square}


def _rectification(beta2: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Whether the variance is estimated from enough steps (ρ > 5), and r."""
    limit = 2 / (1 - beta2) - 1
    power = beta2**t
    length = limit - 2 * t * power / (1 - power)
    over = (length - 4) * (length - 2) * limit
    under = (limit - 4) * (limit - 2) * length
    return e.greater(length, length.literal(5)), e.sqrt(over / under)
