"""Schedules from a function of the epoch."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.optim.lr_scheduler.scheduler import LRScheduler, checked
from chalkgrad.optim.optimizer import Optimizer

Factor = Callable[[int], float]


class _FunctionLR(LRScheduler):
    """A schedule with a function for every parameter group."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1
    ) -> None:
        groups = len(checked(optimizer).param_groups)
        given = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(given) != groups:
            raise ArgumentError(
                f"Expected {groups} lr_lambdas, one for each parameter group, but got {len(given)}"
            )
        for function in given:
            if not callable(function):
                raise TypeMismatch(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )
        self.lr_lambdas = given
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """A function is not saved; of an object that can be called, its attributes are."""
        saved = [None if _is_code(f) else f.__dict__.copy() for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


def _is_code(function: Factor) -> bool:
    return isinstance(function, types.FunctionType) or not hasattr(function, "__dict__")


class LambdaLR(_FunctionLR):
    """ηₜ = η₀ f(t), with f = lr_lambda.

    >>> import chalkgrad as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5 ** (epoch + 1)).get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        self._warn_outside_of_step()
        pairs = zip(self.lr_lambdas, self.base_lrs, strict=True)
        return [base * function(self.last_epoch) for function, base in pairs]


class MultiplicativeLR(_FunctionLR):
    """ηₜ = ηₜ₋₁ f(t), with f = lr_lambda.

    >>> import chalkgrad as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.95).get_last_lr()
    [1.0]
    """

    def get_lr(self) -> list[float]:
        self._warn_outside_of_step()
        if self._is_initial:
            return self._rates()
        pairs = zip(self.lr_lambdas, self._rates(), strict=True)
        return [rate * function(self.last_epoch) for function, rate in pairs]
