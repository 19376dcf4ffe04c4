"""When to stop before the last epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.training.metrics import falls


@dataclass
class Stop:
    """Stop when a number has not improved for `patience` epochs by more than `tolerance`, relative
    to it.

    `monitor` is a key of the history. What ends in 'loss' or 'error' should fall, as do 'mse' and
    'mae'; other numbers, such as 'accuracy', should rise.
    """

    monitor: str = "loss"
    tolerance: float = 1e-4
    patience: int = 10
    best: float = float("inf")
    waited: int = 0

    def __post_init__(self) -> None:
        if self.patience < 1 or self.tolerance < 0:
            raise ArgumentError(
                f"Stop(patience={self.patience}, tolerance={self.tolerance}): patience counts "
                "epochs from 1, tolerance is not negative"
            )

    def cost(self, row: dict[str, float]) -> float:
        """The monitored number of an epoch, so that smaller is better."""
        return row[self.monitor] if falls(self.monitor) else -row[self.monitor]

    def should(self, value: float) -> str:
        """Take one epoch's number (smaller is better); the reason to stop, or ''."""
        margin = self.tolerance * abs(self.best) if self.best != float("inf") else 0.0
        if value < self.best - margin:
            self.best, self.waited = value, 0
            return ""
        self.waited += 1
        if self.waited < self.patience:
            return ""
        verb = "converged" if self.monitor == "loss" else "stopped improving"
        better = (
            f"value better by more than {self.tolerance:g} of it"
            if self.tolerance
            else "better value"
        )
        return f"{self.monitor} {verb}: no {better} in {self.patience} epochs"


def converged(tolerance: float = 1e-4, patience: int = 10) -> Stop:
    """Stop when the training loss has converged to a minimum."""
    return Stop("loss", tolerance, patience)


def no_improvement(patience: int = 10, tolerance: float = 0.0) -> Stop:
    """Stop when the loss on the validation data no longer improves."""
    return Stop("val_loss", tolerance, patience)


_NAMES = {"converged": converged, "validation": no_improvement}


def named(stop: str | Stop | None) -> Stop | None:
    """A stop rule that has seen nothing yet: 'converged', 'validation', or like another one."""
    if isinstance(stop, str):
        if stop not in _NAMES:
            raise ArgumentError(
                f"no stop rule {stop!r}.{nearest(stop, _NAMES)} There are {', '.join(_NAMES)}, and "
                "Stop(…)."
            )
        return _NAMES[stop]()
    return replace(stop, best=float("inf"), waited=0) if stop is not None else None
