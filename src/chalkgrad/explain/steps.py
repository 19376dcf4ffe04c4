"""What a derivation is made of beside the board: gradients, updates, and equations of arrays."""

from __future__ import annotations

from dataclasses import dataclass

from chalkgrad.explain.board import Path
from chalkgrad.formulas import Expression, Name


@dataclass(frozen=True)
class Gradient:
    """∂of/∂wrt, and the paths that it is the sum of, largest first where not all are shown."""

    of: Name
    wrt: Name
    value: float
    paths: tuple[Path, ...]
    hidden: bool = False  # are there paths that are not among `paths`?
    hidden_value: float = 0.0  # what those add up to


@dataclass(frozen=True)
class Line:
    """One equation of an update: m ← β₁ m + (1 − β₁) g."""

    name: Name
    formula: Expression
    value: float


@dataclass(frozen=True)
class Update:
    """How the optimizer moves one parameter."""

    name: Name
    old: float
    gradient: float
    new: float
    lines: tuple[Line, ...]  # in order; the last one gives `new`
    values: tuple[tuple[str, float], ...]  # of the names in the lines: lr, momentum, w5, …


@dataclass(frozen=True)
class Matrix:
    """One equation of whole arrays, forward or backward."""

    symbol: Expression  # a Name, or a Partial: the gradient towards an array
    formula: Expression | None  # None for what is given
    shape: tuple[int, ...]
    rows: tuple[tuple[float, ...], ...] | None  # the numbers, where they are few
    also: Name | None = None  # δ⁽²⁾ for ∂L/∂Z⁽²⁾
    shorter: Expression | None = None  # the formula, multiplied out and cancelled
