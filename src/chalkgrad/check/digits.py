"""What the numbers in a person's formula stand for.

    0.6 · 0.08020      0.6 is the learning rate: exactly that. 0.08020 is what the line before
                       says: somewhere between these digits and what they were rounded from.

A number stands for the person's own claim with those digits; else for what the problem gives, if
that is this number exactly; else for a quantity, a derivative or a new parameter that would be
shown so; else for anything that would be shown so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from chalkgrad.check.affine import Affine, between, exact, negative
from chalkgrad.check.shown import Shown, Style, shown
from chalkgrad.check.truth import Truth
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Number
from chalkgrad.formulas.labels import LOSS_TERM, TARGET

_MOST_TERMS = 8  # loss terms whose derivatives are told apart


@dataclass
class Digits:
    """How one person writes numbers, and what their numbers stand for."""

    style: Style
    usual: int | None  # decimals
    given: frozenset[float]  # what the problem gives, and minus that: exact numbers
    true: list[float]  # everything that has a value, sorted
    own: dict[float, list[Affine]] = field(default_factory=dict)  # claimed so far, as written

    @classmethod
    def of(cls, truth: Truth, style: Style, usual: int | None) -> Digits:
        given = {sign * value for value in _given(truth) for sign in (1.0, -1.0)}
        return cls(style, usual, frozenset(given), sorted(set(_values(truth))))

    @property
    def styles(self) -> tuple[Style, ...]:
        """A person who truncates may round now and then; one at a time."""
        return (Style.ROUNDED,) if self.style is Style.ROUNDED else (Style.TRUNCATED, Style.ROUNDED)

    def intervals(self, number: Shown) -> list[tuple[float, float]]:
        """What a claimed number can stand for, one way or the other."""
        return [number.interval(style, self.usual) for style in self.styles]

    def reader(self) -> Reader:
        """Reads the numbers of one formula: the same digits are the same number."""
        return Reader(self)

    def learn(self, written: float, number: Affine) -> None:
        """Remember what a claimed number stands for."""
        known = self.own.setdefault(written, [])
        if not any(other.low <= number.low and number.high <= other.high for other in known):
            known.append(number)

    def meaning(self, number: Number) -> Affine:
        """What a number in a formula stands for."""
        read = shown(number)
        if read is None:
            return exact(number.value)
        own = self._own(read.value)
        if own is not None:
            return own
        if not read.has_point or self.is_given(read):
            return exact(read.value)
        return self._shown(read)

    def is_given(self, read: Shown) -> bool:
        """Is it a number of the problem, as the problem writes it? (0.60 is not its 0.6.)"""
        return read.value in self.given and read.decimals <= _decimals(abs(read.value))

    def _own(self, value: float) -> Affine | None:
        found = self.own.get(value)
        if found is None and -value in self.own:
            found = [negative(number) for number in self.own[-value]]
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        return between(min(x.low for x in found), max(x.high for x in found), value)

    def _shown(self, read: Shown) -> Affine:
        """Between the digits and the values that would be shown so."""
        for low, high in self.intervals(read):
            near = [*self._true(low, high), *(-x for x in self._true(-high, -low))]
            if near:
                return between(min(read.value, *near), max(read.value, *near), read.value)
        low, high = self.intervals(read)[0]
        return between(low, high, read.value)

    def _true(self, low: float, high: float) -> list[float]:
        start, end = bisect_left(self.true, low), bisect_right(self.true, high)
        return [self.true[start], self.true[end - 1]] if start < end else []


class Reader:
    """Reads the numbers of one formula."""

    def __init__(self, digits: Digits) -> None:
        self.digits = digits
        self.found: dict[float, Affine] = {}

    def __call__(self, number: Number) -> Affine:
        if number.value not in self.found:
            opposite = self.found.get(-number.value)
            self.found[number.value] = (
                self.digits.meaning(number) if opposite is None else negative(opposite)
            )
        return self.found[number.value]


def carried(
    digits: float, low: float, high: float, following: Iterable[Affine], true: float | None
) -> Affine:
    """What a person goes on with who wrote these digits: the digits, or what they stand for.

    `low` and `high` are what the digits can stand for, `following` what the number should be from
    the lines before, `true` what it is.
    """
    ends = [
        end for number in following if number.overlaps(low, high)
        for end in (max(number.low, low), min(number.high, high))
    ]  # fmt: skip
    if true is not None and low <= true <= high:
        ends.append(true)
    if not ends:
        return between(min(low, digits), max(high, digits), digits)
    return between(min(digits, *ends), max(digits, *ends), digits)


def _given(truth: Truth) -> Iterator[float]:
    """Numbers that are exact: the problem's, and ½."""
    yield 0.5
    if truth.learning_rate is not None:
        yield truth.learning_rate
    for quantity in truth.board.quantities.values():
        if quantity.formula is None:
            yield quantity.value
    for update in truth.updates.values():
        yield from (value for _, value in update.values)


def _values(truth: Truth) -> Iterator[float]:
    """Everything on the board that a person may write down as a number."""
    board = truth.board
    yield from board.values.values()
    yield from (local.value for local in board.locals.values())
    yield from truth.new.values()
    for of in _losses(board):
        yield from board.gradients(of).values()
    targets = [q.value for q in board.quantities.values() if q.kind == TARGET]
    for quantity in board.quantities.values():
        if quantity.formula is not None:
            yield 1.0 - quantity.value
            yield from (quantity.value - target for target in targets[:_MOST_TERMS])


def _decimals(value: float) -> int:
    """How many decimals a number needs."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _losses(board: Board) -> list[str]:
    terms = [name for name, q in board.quantities.items() if q.kind == LOSS_TERM]
    return [board.loss, *terms[:_MOST_TERMS]]
