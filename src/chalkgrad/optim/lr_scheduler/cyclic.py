"""Cycles: up to a large rate and down again, over and over."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.lr_scheduler.scheduler import LRScheduler, checked, one_a_group
from chalkgrad.optim.optimizer import Optimizer


class CyclicLR(LRScheduler):
    """Cyclical learning rates; `step()` goes after every batch.

        η = base_lr + (max_lr − base_lr) · h · s    with h from 0 up to 1 in step_size_up steps,
        μ = max_momentum − (max_momentum − base_momentum) · h · s      and down in step_size_down

    (β₁ for Adam). s is 1 for "triangular", 1 / 2^(cycle − 1) for "triangular2", γ^steps for
    "exp_range", or `scale_fn` of the cycle or, if scale_mode is "iterations", of the steps.
    Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).

    Raises ValueError for an unknown mode, and for an optimizer without momentum if that is to be
    cycled.

    >>> import chalkgrad as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> CyclicLR(optimizer, base_lr=0.01, max_lr=0.1).get_last_lr()
    [0.01]
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
        step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular",
        gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle", cycle_momentum: bool = True, base_momentum: float = 0.8,
        max_momentum: float = 0.9, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.optimizer = checked(optimizer)
        base_lrs = one_a_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = rate
        self.max_lrs = one_a_group("max_lr", optimizer, max_lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ArgumentError(
                f"mode is invalid and scale_fn is None: {mode!r} is none of triangular, "
                "triangular2, exp_range"
            )
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        known = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = known if scale_fn is None else scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momenta(max_momentum, base_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _begin_momenta(self, high: Any, low: Any, last_epoch: int) -> None:
        optimizer = self.optimizer
        self.use_beta1 = "betas" in optimizer.defaults
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ArgumentError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled; "
                f"{type(optimizer).__name__} has neither. Pass cycle_momentum=False."
            )
        self.base_momentums = one_a_group("base_momentum", optimizer, low)
        self.max_momentums = one_a_group("max_momentum", optimizer, high)
        if last_epoch == -1:
            ends = zip(self.max_momentums, self.base_momentums, strict=True)
            for group, (top, bottom) in zip(optimizer.param_groups, ends, strict=True):
                self._set_momentum(group, top)
                group.update(max_momentum=top, base_momentum=bottom)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum

    def scale_fn(self, x: float) -> float:
        """s: how high the cycle, or the step, with this number reaches."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return float(1 / 2.0 ** (x - 1))
        return float(self.gamma**x) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        self._warn_outside_of_step()
        turns = self.last_epoch / self.total_size
        cycle = math.floor(1 + turns)
        x = 1.0 + turns - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ends = zip(self.max_momentums, self.base_momentums, strict=True)
            for group, (top, bottom) in zip(self.optimizer.param_groups, ends, strict=True):
                self._set_momentum(group, top - (top - bottom) * height * scale)
        rates = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in rates]

    def state_dict(self) -> dict[str, Any]:
        """All that changes or was chosen, except the optimizer and a function of one's own."""
        return super().state_dict() | {"_scale_fn_custom": None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over `state_dict()`, chalkgrad's or PyTorch's; a function of one's own stays."""
        own = self._scale_fn_custom
        super().load_state_dict(state_dict)
        self._scale_fn_custom = own
