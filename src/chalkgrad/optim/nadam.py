"""NAdam: Adam that looks ahead as Nesterov's momentum does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, decayed, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


class NAdam(Optimizer):
    """Adam with Nesterov momentum, whose share grows with time.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        μₜ = β₁ (1 − ½ · 0.96^(t ψ))        Πₜ = μ₁ · … · μₜ
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        θ ← θ − η [ (1 − μₜ) / (1 − Πₜ) · g + μₜ₊₁ / (1 − Πₜ₊₁) · m ] / (√(v / (1 − β₂ᵗ)) + ε)

    with η = lr, (β₁, β₂) = betas, ψ = momentum_decay, ε = eps, λ = weight_decay. With
    `decoupled_weight_decay` the decay is AdamW's. Source: Dozat, "Incorporating Nesterov momentum
    into Adam" (2016).

    Raises ValueError for a negative option, and for betas outside of [0, 1).

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach().round(decimals=3)
    tensor([ 0.7360, -1.7360])
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        without(foreach=foreach, capturable=capturable, differentiable=differentiable)
        check(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        moments = {name: filled(parameter, 0) for name in ("exp_avg", "exp_avg_sq")}
        return {"step": number(0), "mu_product": number(1), **moments}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        (beta1, beta2), t = setting.pair("betas"), state["step"] + 1
        lr, decay = setting("lr"), setting("momentum_decay")
        if setting.on("decoupled_weight_decay"):
            parameter, gradient = decayed(parameter, gradient, setting)
        else:
            gradient = penalized(parameter, gradient, setting)
        share = beta1 * (1 - 0.5 * 0.96 ** (t * decay))
        share_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * decay))
        product = state["mu_product"] * share
        mean = beta1 * state["exp_avg"] + (1 - beta1) * gradient
        square = beta2 * state["exp_avg_sq"] + (1 - beta2) * e.square(gradient)
        root = e.sqrt(square / (1 - beta2**t)) + setting("eps")
        parameter = parameter - lr * (1 - share) / (1 - product) * gradient / root
        parameter = parameter - lr * share_next / (1 - product * share_next) * mean / root
        after = {"step": t, "mu_product": product, "exp_avg": mean, "exp_avg_sq": square}
        return parameter, after
