"""Formulas of a person against the right ones, as functions, within a budget of time.

Where a person fills in what the problem gives (`sigmoid(1·w1 + 0·w2 + b1)` for inputs 1 and 0), the
formulas are compared with those quantities fixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from chalkgrad.check.called import NEW, Called
from chalkgrad.check.equality import Equality, same_function
from chalkgrad.check.equality.expansion import Expansion
from chalkgrad.check.known import World
from chalkgrad.check.truth import Truth
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Expression, Name, Number, Partial, names_in, parts, replaced

LINE, TOTAL = 1.0, 60.0  # seconds, after which no further comparison begins
NEAR = 1e-9  # relative: two doubles that are one number
_LARGEST = 1e6  # parts of a formula that is compared


@dataclass
class Budget:
    """Seconds for comparing formulas: some for each line, and some for all of them."""

    of_line: float = LINE
    of_all: float = TOTAL

    def next_line(self) -> None:
        self.of_line = LINE

    @property
    def is_left(self) -> bool:
        return self.of_line > 0 and self.of_all > 0

    def spend(self, seconds: float) -> None:
        self.of_line -= seconds
        self.of_all -= seconds


@dataclass
class Alike:
    """Compares formulas over a board; what was compared once is remembered."""

    called: Called
    truth: Truth
    budget: Budget
    memory: dict[tuple[object, ...], Equality] = field(default_factory=dict)

    def plain(self, formula: Expression, world: World) -> Expression:
        """Over the board's names alone: without the person's own names and without new w."""

        def other(part: Expression) -> Expression | None:
            if isinstance(part, Name) and part.text.startswith(NEW):
                return self.updated(part.text.removeprefix(NEW), world)
            return None

        return replaced(self.called.without_own(formula), other)

    def updated(self, name: str, world: World) -> Expression:
        """A parameter after the update, as a formula."""
        if world.before is not None or name in self.truth.frozen:
            return Name(name)
        if name not in self.truth.updates:
            rate = self.truth.learning_rate
            slope = Partial(Name(world.board.loss), Name(name))
            return Name(name) - Number(math.nan if rate is None else rate) * slope
        update = self.truth.updates[name]
        known: dict[str, Expression] = {text: Number(value) for text, value in update.values}
        known[name] = Name(name)

        def filled(part: Expression) -> Expression | None:
            return known.get(part.text) if isinstance(part, Name) else None

        for line in update.lines:
            known[line.name.text] = replaced(line.formula, filled)
        return known[update.lines[-1].name.text]

    def compared(self, claimed: Expression, truth: Expression, world: World) -> Equality:
        """Are they one function, if need be with the given numbers filled in?"""
        claimed, truth = self.plain(claimed, world), self.plain(truth, world)
        found = self._same(claimed, truth, world.board, frozenset())
        if found.same is False:
            fixed = filled_in(claimed, world.board)
            if fixed:
                other = self._same(claimed, truth, world.board, fixed)
                return other if other.same else found
        return found

    def _same(
        self, claimed: Expression, truth: Expression, board: Board, fixed: frozenset[str]
    ) -> Equality:
        key = (claimed, truth, id(board), fixed)
        if key not in self.memory:
            if not self.budget.is_left:
                return Equality(None, "there was no time to compare them as functions")
            if max(size(claimed, board), size(truth, board)) > _LARGEST:
                return Equality(None, "they are too large to compare as functions")
            began = monotonic()
            self.memory[key] = same_function(claimed, truth, with_fixed(board, fixed))
            self.budget.spend(monotonic() - began)
        return self.memory[key]


class _Sizes:
    """How long a formula is with every name written out."""

    def number(self, number: Number) -> float:
        return 1.0

    def apply(self, function: str, arguments: Sequence[float]) -> float:
        total = 1.0 + sum(arguments)
        return 2.0 * total if function in ("exp", "tanh", "power", "square", "prod") else total


def size(formula: Expression, board: Board) -> float:
    """The length of a formula with every name written out, at least. (An e^x takes two.)"""
    return Expansion[float](board, _Sizes(), lambda name: 1.0).value(formula)


def filled_in(formula: Expression, board: Board) -> frozenset[str]:
    """Given quantities whose numbers stand in a formula in their place."""
    numbers = {abs(part.value) for part in parts(formula) if isinstance(part, Number)}
    there = {name.text for name in names_in(formula)}
    return frozenset(
        name
        for name, quantity in board.quantities.items()
        if quantity.formula is None and name not in there and abs(quantity.value) in numbers
    )


def with_fixed(board: Board, fixed: frozenset[str]) -> Board:
    """The board with some given quantities as the numbers that they are."""
    if not fixed:
        return board
    quantities = {
        name: replace(q, formula=Number(q.value)) if name in fixed else q
        for name, q in board.quantities.items()
    }
    return Board(quantities, board.locals, board.loss, board.rest)
