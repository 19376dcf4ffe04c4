"""The part of a board between a quantity and what it is derived by, as a person has it.

A derivative that the person claimed before stands in for what it was computed from: with ∂E/∂sum_h1
on an earlier line, ∂E/∂w1 is that number times ∂sum_h1/∂w1, right or wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chalkgrad.check.slips.question import Pair
from chalkgrad.explain.board import Board
from chalkgrad.formulas import (
    Expression,
    Name,
    Number,
    Partial,
    evaluate,
    float_value,
    names_in,
)
from chalkgrad.formulas.floats import Floats

NONE: Mapping[Pair, Expression] = {}


@dataclass
class Chain:
    """The edges between `of` and `by`; `claimed` gives the numbers of some, of which the person's
    may be no edges of the board."""

    board: Board
    of: str
    by: str
    claimed: dict[Pair, float]
    users: dict[str, list[str]] = field(init=False)  # of every quantity between the two
    order: list[str] = field(init=False)  # from `of`, which is left out, down to `by`

    def __post_init__(self) -> None:
        users = {name: list(several) for name, several in self.board.users.items()}
        for of, by in self.claimed:
            if (of, by) in self.board.locals and users[by] == [of]:
                continue
            if of == self.of:
                users[by] = [of]
            elif by == self.by:
                for name in users:
                    users[name] = [user for user in users[name] if user != of]
                users[by].append(of)
        self._restrict(users)

    def _restrict(self, users: dict[str, list[str]]) -> None:
        """To what lies between."""
        above = {self.of}
        for name in reversed(self.board.quantities):
            if not above.isdisjoint(users.get(name, ())):
                above.add(name)
        below, work = {self.by}, [self.by]
        while work:
            for user in users[work.pop()]:
                if user in above and user not in below:
                    below.add(user)
                    work.append(user)
        inside = above & below
        self.users = {
            name: [user for user in users[name] if user in inside] for name in inside - {self.of}
        }
        self.order = [name for name in reversed(self.board.quantities) if name in self.users]

    @property
    def edges(self) -> Iterator[Pair]:
        """Every edge, from `by` upwards."""
        for name in reversed(self.order):
            for user in self.users[name]:
                yield user, name

    @property
    def leads_anywhere(self) -> bool:
        return self.by in self.users


@dataclass
class World:
    """Numbers of every quantity and edge of a chain's board, as one person may have had them."""

    board: Board
    values: Mapping[str, float]
    slopes: dict[Pair, float] = field(
        default_factory=dict
    )  # of edges, as far as they were asked for
    decimals: int | None = None  # every factor is rounded to so many
    rounds_products: bool = False  # and every product

    def slope(self, chain: Chain, pair: Pair) -> float:
        if pair in chain.claimed:
            return chain.claimed[pair]
        if pair not in self.slopes:
            number = value_of(self.board.locals[pair].formula, self.values)
            self.slopes[pair] = number if self.decimals is None else round(number, self.decimals)
        return self.slopes[pair]

    def gradient(self, chain: Chain, changed: Mapping[Pair, Expression] = NONE) -> float:
        """∂of/∂by, with the formulas of some edges changed (or edges added)."""
        found = {chain.of: 1.0}
        added: dict[str, list[Pair]] = {}
        for pair in changed:
            if pair[1] not in chain.users or pair[0] not in chain.users[pair[1]]:
                added.setdefault(pair[1], []).append(pair)
        for name in chain.order:
            total = 0.0
            for user in chain.users[name]:
                formula = changed.get((user, name))
                if formula is None:
                    total += found[user] * self.slope(chain, (user, name))
                else:
                    total += found[user] * self._number(formula, chain, found)
            for pair in added.get(name, ()):
                if pair[0] in found:
                    total += found[pair[0]] * self._number(changed[pair], chain, found)
            found[name] = round(total, self.decimals) if self.rounds_products else total
        return found.get(chain.by, 0.0)

    def _number(self, formula: Expression, chain: Chain, found: Mapping[str, float]) -> float:
        if isinstance(formula, Number):
            return formula.value

        def known(part: Expression) -> float:
            if isinstance(part, Partial):
                if part.of.text == chain.of and part.by.text in found:
                    return found[part.by.text]
                return self.slope(chain, (part.of.text, part.by.text))
            assert isinstance(part, Name)
            return self.values[part.text]

        return evaluate(formula, known, Floats())


def value_of(formula: Expression, values: Mapping[str, float]) -> float:
    """A formula's value; a number or a name at once."""
    if isinstance(formula, Number):
        return formula.value
    if isinstance(formula, Name):
        return values[formula.text]
    return float_value(formula, values)


def completed(
    board: Board, claimed: Mapping[str, float], formulas: Mapping[str, Expression] | None = None,
    decimals: int | None = None,
) -> dict[str, float]:  # fmt: skip
    """The values of all quantities, where some are claimed and some have other formulas."""
    values: dict[str, float] = {}
    formulas = formulas or {}
    changed = {name for name, number in claimed.items() if _differs(board, name, number)}
    for name, quantity in board.quantities.items():
        if name in claimed:
            values[name] = claimed[name]
            continue
        formula = formulas.get(name, quantity.formula)
        if formula is None:
            values[name] = quantity.value
            continue
        if name in formulas or decimals is not None or _mentions(formula, changed):
            number = value_of(formula, values)
            values[name] = number if decimals is None else round(number, decimals)
            changed.add(name)
        else:
            values[name] = quantity.value
    return values


def _differs(board: Board, name: str, number: float) -> bool:
    return name not in board.quantities or board.quantities[name].value != number


def _mentions(formula: Expression, changed: set[str]) -> bool:
    return bool(changed) and any(name.text in changed for name in names_in(formula))
