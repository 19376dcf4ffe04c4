"""What all schedules share: the count of epochs, and writing the rates into the groups."""

from __future__ import annotations

import warnings
from typing import Any

from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.optim.optimizer import Optimizer


class MissingOption(ArgumentError, KeyError):
    """An option that a parameter group lacks."""

    __str__ = Exception.__str__  # KeyError shows the repr of its text


class LRScheduler:
    """The base of all schedules.

    A schedule states `get_lr()`, the rate of every parameter group in epoch `last_epoch`. Most say
    how a rate follows from the one before, ηₜ from ηₜ₋₁, so that schedules can be chained and a
    rate that was set by hand is carried on; `_get_closed_form_lr()` says ηₜ from η₀ alone.

    Call `step()` after the optimizer's steps of an epoch.

    >>> import chalkgrad as torch
    >>> class HarmonicLR(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base / (1 + self.last_epoch) for base in self.base_lrs]
    >>> w = torch.zeros(1, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.6)
    >>> HarmonicLR(optimizer).get_last_lr()
    [0.6]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise MissingOption(
                    f"param 'initial_lr' is not specified in param_groups[{k}] when resuming "
                    f"scheduler with last_epoch >= 0 ({last_epoch}). Load the optimizer's state "
                    "first, or start with last_epoch=-1."
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[float]:
        """The rates that the last `step()` set, one a group."""
        return self._last_lr

    def get_lr(self) -> list[float]:
        """The rates in epoch `last_epoch`. Meant for `step()`: elsewhere use `get_last_lr()`."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or, as PyTorch still allows, to a given one."""
        if self._step_count == 1:
            self._warn_if_early()
        self._step_count += 1
        if epoch is not None:
            _warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            self._write(self.get_lr() if closed is None else closed())
        finally:
            self._get_lr_called_within_step = False

    def _write(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        """The rates of the groups times a factor."""
        return [rate * factor for rate in self._rates()]

    def _warn_if_early(self) -> None:
        # A step() of the optimizer's own need not say that it was called.
        if type(self.optimizer).step is Optimizer.step and not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first "
                "rate of the schedule is skipped. Call `optimizer.step()` first, then "
                "`lr_scheduler.step()`.",
                UserWarning,
                stacklevel=3,
            )

    def _warn_outside_of_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """All that changes or was chosen, except the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over `state_dict()`, chalkgrad's or PyTorch's."""
        self.__dict__.update(state_dict)


def checked(optimizer: Any) -> Optimizer:
    """The optimizer, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeMismatch(
            f"{type(optimizer).__name__} is not an Optimizer: a schedule gets the optimizer whose "
            "learning rate it changes, StepLR(optimizer, …)"
        )
    return optimizer


def one_a_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for every parameter group, from one for all or a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ArgumentError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, param_groups has {groups}."
        )
    return list(value)


def positive_whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ArgumentError(f"Expected positive integer {name}, but got {value}")
    return value


def _warn_of_epoch() -> None:
    warnings.warn(
        "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated: "
        "`scheduler.step()` goes to the next epoch.",
        UserWarning,
        stacklevel=4,
    )
