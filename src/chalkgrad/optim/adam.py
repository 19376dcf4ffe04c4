"""Adam, and AdamW, which decays the weights beside the gradient and not through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import Group, Settings, check, without
from chalkgrad.optim.terms import State, decayed, filled, number, penalized
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.operand import binary
from chalkgrad.tensor.tensor import Tensor


class Adam(Optimizer):
    """Adaptive moments: each weight's step is scaled by the size of its own recent gradients.

        g ← ∂L/∂θ + λ θ                     (−∂L/∂θ to maximize)
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        m̂ = m / (1 − β₁ᵗ)      v̂ = v / (1 − β₂ᵗ)      (AMSGrad: the largest v so far)
        θ ← θ − η m̂ / (√v̂ + ε)

    with η = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay. With `decoupled_weight_decay` the
    decay is AdamW's. Sources: Kingma and Ba, "Adam" (2015), algorithm 1; Reddi et al., "On the
    convergence of Adam and beyond" (2018).

    Raises ValueError for a negative option, and for betas outside of [0, 1).

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        without(foreach=foreach, capturable=capturable, differentiable=differentiable, fused=fused)
        check(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def start(self, parameter: Tensor, group: Group) -> State:
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        return {"step": number(0), **{name: filled(parameter, 0) for name in names}}

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
        after = {"step": t, "exp_avg": mean, "exp_avg_sq": square}
        if setting.on("amsgrad"):
            square = binary(piecewise.maximum, state["max_exp_avg_sq"], square)
            after["max_exp_avg_sq"] = square
        root = e.sqrt(square) / e.sqrt(1 - beta2**t) + setting("eps")
        return parameter - setting("lr") / (1 - beta1**t) * mean / root, after


class AdamW(Adam):
    """Adam with decoupled weight decay: the weights shrink beside the gradient step.

        θ ← θ − η λ θ, then Adam's step with λ = 0

    with η = lr, λ = weight_decay. Source: Loshchilov and Hutter, "Decoupled weight decay
    regularization" (2019), algorithm 2. Raises as Adam does.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.25, weight_decay=1.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.2500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
        maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip
