"""What a line claims a number for, and what a mistake in it looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalkgrad.explain.board import Board

Pair = tuple[str, str]  # (of, by)


@dataclass(frozen=True)
class Question:
    """A number that a person was to find, and the numbers that they had at hand.

    of, by               ∂of/∂by is asked; without `by`, the quantity `of` itself
    new                  the parameter `of` after its update is asked
    expected             the right number from the person's own earlier ones
    shown                the number as the person wrote it: "0.0802" (digit slips read its digits)
    values               the person's own numbers of quantities, where they claimed some; what is
                         left out is computed from these by the board's formulas
    partials             the derivatives that the person claimed before, (of, by) -> number
    spreads              how far each of `values` and `partials` may be from what the person had
                         before writing it down, where it is not their digits that they went on with
    updated              every parameter after its update, the person's number where claimed
    learning_rate        of plain gradient descent
    step                 (parameter, gradient) -> new value, where the rule is another one
    """

    board: Board
    of: str
    by: str | None = None
    new: bool = False
    expected: float = 0.0
    shown: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    partials: Mapping[Pair, float] = field(default_factory=dict)
    spreads: Mapping[str | Pair, float] = field(default_factory=dict)
    updated: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None
    step: Callable[[str, float], float] | None = None


@dataclass(frozen=True)
class Mistake:
    """A slip that gives the number that the person has."""

    name: str  # short and stable: "updated weight"
    why: str  # one sentence, in the person's names
    value: float  # what the slip gives
    right: str  # the right line
    kinds: tuple[str, ...] = ()  # the slips that it consists of: one, or two


@dataclass(frozen=True)
class Ratio:
    """What is known of a number that no slip explains."""

    expected: float
    ratio: float | None  # claimed / expected; None where the expected number is 0
    factor: str = ""  # "∂output_o1/∂sum_o1 = 0.19481": a factor of the chain with this ratio


def claimed_number(question: Question) -> float | None:
    """The number that is shown; None where it is none."""
    try:
        return float(question.shown.replace("−", "-").replace(",", "."))
    except ValueError:
        return None
