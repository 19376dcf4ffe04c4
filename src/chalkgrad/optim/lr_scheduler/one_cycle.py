"""One cycle: up to a large rate, then down to nearly nothing, momentum the other way."""

from __future__ import annotations

import math
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.lr_scheduler.scheduler import LRScheduler, checked, one_a_group, positive_whole
from chalkgrad.optim.optimizer import Optimizer

Phase = dict[str, Any]


class OneCycleLR(LRScheduler):
    """The 1cycle policy; `step()` goes after every batch.

        η from max_lr / div_factor up to max_lr in the first pct_start of the steps,
          then down to max_lr / (div_factor · final_div_factor)
        μ from max_momentum down to base_momentum, then up again (β₁ for Adam)

    each along half a cosine, a + (b − a)(1 − cos(π p)) / 2, or a line. With `three_phase` the way
    down first mirrors the way up. Source: Smith and Topin, "Super-convergence" (2019).

    Raises ValueError for a length that is missing or not a positive whole number, for a pct_start
    outside of [0, 1], and for an optimizer without momentum if that is to be cycled.

    >>> import chalkgrad as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=100)
    >>> round(schedule.get_last_lr()[0], 3), optimizer.param_groups[0]["momentum"]
    (0.04, 0.95)
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.optimizer = checked(optimizer)
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if type(pct_start) is not float or not 0 <= pct_start <= 1:
            raise ArgumentError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ArgumentError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled; "
                f"{type(optimizer).__name__} has neither. Pass cycle_momentum=False."
            )
        rates = one_a_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            self._begin_rates(rates, div_factor, final_div_factor)
        if cycle_momentum:
            high = one_a_group("max_momentum", optimizer, max_momentum)
            low = one_a_group("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                self._begin_momenta(high, low)
        super().__init__(optimizer, last_epoch)

    def _begin_rates(self, rates: list[float], divisor: float, final_divisor: float) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            initial = rate / divisor
            group.update(initial_lr=initial, max_lr=rate, min_lr=initial / final_divisor)

    def _begin_momenta(self, high: list[float], low: list[float]) -> None:
        for group, top, bottom in zip(self.optimizer.param_groups, high, low, strict=True):
            self._set_momentum(group, top)
            group.update(max_momentum=top, base_momentum=bottom)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum

    def get_lr(self) -> list[float]:
        self._warn_outside_of_step()
        if self.last_epoch > self.total_steps:
            raise ArgumentError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        phase, share = self._place()
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._between(*ends, share))
        return rates

    def _place(self) -> tuple[Phase, float]:
        """The phase that the current step is in, and how much of it has passed."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        return phase, (self.last_epoch - start) / (phase["end_step"] - start)

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def _length(total: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total is not None:
        return positive_whole("total_steps", total)
    if epochs is None or steps_per_epoch is None:
        raise ArgumentError(
            "You must define either total_steps OR (epochs AND steps_per_epoch): the cycle needs "
            "its length"
        )
    return positive_whole("epochs", epochs) * positive_whole("steps_per_epoch", steps_per_epoch)


def _phases(share: float, steps: int, three: bool) -> list[Phase]:
    """When each phase ends, and between which options of a group it goes."""
    up = _phase(share * steps - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three:
        return [up, _phase(steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = _phase(2 * share * steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    return [up, down, _phase(steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]


def _phase(end: float, lr: str, lr_then: str, momentum: str, momentum_then: str) -> Phase:
    return {
        "end_step": end, "start_lr": lr, "end_lr": lr_then,
        "start_momentum": momentum, "end_momentum": momentum_then,
    }  # fmt: skip
