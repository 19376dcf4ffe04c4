"""How an update equation reads the options of a parameter group, such as the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, NotAvailable, TypeMismatch
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.trace import setting as traced_setting

Group = dict[str, Any]


class Settings:
    """The options of one group, as an update equation sees them.

    A number is a tensor without dimensions (float64), because a schedule may change it between two
    runs of one program. Whether an option is on, that is neither 0 nor False, decides which program
    it is.
    """

    def __init__(self, group: Group, number: Callable[[str, int], Tensor]) -> None:
        self._group = group
        self._number = number

    def __call__(self, name: str) -> Tensor:
        """The number of an option."""
        return self._number(name, 0)

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """Both numbers of an option that has two, such as `betas`."""
        return self._number(name, 0), self._number(name, 1)

    def on(self, name: str) -> bool:
        """Is the option there at all: a number that is not 0, or True?"""
        return bool(self._group[name])


def traced(group: Group, prefix: str) -> Settings:
    """Settings inside a trace: inputs that are read again before every run."""
    made: dict[tuple[str, int], Tensor] = {}

    def number(name: str, k: int) -> Tensor:
        if (name, k) not in made:
            label = f"{prefix}{name}" + (str(k + 1) if len(numbers(group[name])) > 1 else "")
            made[name, k] = traced_setting(lambda: numbers(group[name])[k], label)
        return made[name, k]

    return Settings(group, number)


def numbers(value: Any) -> tuple[float, ...]:
    """The numbers in an option: one, two for a pair, none for a switch or a word."""
    if type(value) is float:  # most are, and they are read before every run
        return (value,)
    if isinstance(value, Tensor):
        raise TypeMismatch(
            "an option of an optimizer is a number here, not a Tensor: pass lr=float(lr). "
            "A schedule may change it at any time, also between runs of a compiled step."
        )
    if isinstance(value, (tuple, list)):
        return tuple(number for item in value for number in numbers(item))
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return (float(value),) if is_number else ()


def structure(value: Any) -> Any:
    """What of an option decides which program an update is."""
    kind = type(value)
    if kind is float:
        return value != 0.0
    if value is None or kind is bool:
        return value
    if isinstance(value, (tuple, list)):
        return tuple(map(structure, value))
    return bool(value) if numbers(value) else value


_READS_AS = {"lr": "learning rate", "eps": "epsilon value"}


def check(*, betas: tuple[float, float] | None = None, **options: float) -> None:
    """Refuse a negative option, and a beta outside of [0, 1)."""
    for name, value in options.items():
        if not numbers(value):
            raise TypeMismatch(f"{name} must be a number, not {value!r}")
        if not value >= 0.0:
            words = _READS_AS.get(name, f"{name} value")
            raise ArgumentError(f"Invalid {words}: {value}. It must not be negative.")
    for k, beta in enumerate(numbers(betas or ())):
        if not 0.0 <= beta < 1.0:
            raise ArgumentError(
                f"Invalid beta parameter at index {k}: {beta}. It is the share of the old average "
                "that is kept: at least 0, below 1."
            )


def without(**hints: bool | None) -> None:
    """Refuse an option that chooses between PyTorch's implementations."""
    for name, value in hints.items():
        if value:
            raise NotAvailable(
                f"{name}=True chooses one of PyTorch's implementations; chalkgrad has one, which "
                f"updates all parameters in one program. Leave {name} out."
            )
