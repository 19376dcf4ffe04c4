"""The numbers that a person may have worked from: by their own lines, by full ones, afresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import isclose

from chalkgrad.check.slips.chain import Chain, World, completed, value_of
from chalkgrad.check.slips.network import Network
from chalkgrad.check.slips.question import Pair, Question
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import Expression


@dataclass
class View:
    """A chain as the person may have gone along it, and the worlds in which they may have."""

    chain: Chain | None
    worlds: list[World]

    @property
    def size(self) -> int:
        """How many edges one replay walks along."""
        if self.chain is None:
            return 1
        return 1 + sum(len(users) for users in self.chain.users.values())


@dataclass
class Views:
    """The views of one question, and what a slip gives in them."""

    question: Question
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        self.network = Network(self.question.board)

    @cached_property
    def own(self) -> dict[str, float]:
        """Every quantity from the person's own numbers."""
        return completed(self.question.board, self.question.values)

    @cached_property
    def right(self) -> dict[str, float]:
        return self.question.board.values

    @property
    def of(self) -> str:
        return self.question.board.loss if self.question.new else self.question.of

    @property
    def by(self) -> str | None:
        return self.question.of if self.question.new else self.question.by

    @cached_property
    def views(self) -> list[View]:
        """By the derivatives that the person claimed, and without them."""
        board = self.question.board
        worlds = [World(board, self.own)]
        if self.own != self.right:
            worlds.append(World(board, self.right))
        if self.by is None:
            return [View(None, worlds)]
        views = []
        for claimed in self.claims():
            chain = Chain(board, self.of, self.by, claimed)
            if chain.leads_anywhere:
                views.append(View(chain, worlds))
        return views

    def claims(self) -> Iterator[dict[Pair, float]]:
        """Sets of claimed derivatives that can be used together."""
        question = self.question
        board, mine = question.board, (self.of, self.by)
        if question.new and mine in question.partials:  # the gradient itself was claimed
            yield {(self.of, str(self.by)): question.partials[self.of, str(self.by)]}
        known_pairs = {
            pair: number for pair, number in question.partials.items()
            if pair != mine and pair[0] in board.quantities and pair[1] in board.quantities
        }  # fmt: skip
        edges = {pair: x for pair, x in known_pairs.items() if pair in board.locals}
        totals = {pair: x for pair, x in known_pairs.items() if pair[0] == self.of}
        ends = {pair: x for pair, x in known_pairs.items() if pair[1] == self.by}
        tried: list[dict[Pair, float]] = []
        for claimed in ({**edges, **ends}, {**edges, **totals}, edges, {}):
            if claimed not in tried:
                tried.append(claimed)
                yield claimed

    @cached_property
    def gradients(self) -> dict[str, float]:
        """Of every parameter, the person's where they claimed it."""
        loss = self.question.board.loss
        all_of_them = self.question.board.gradients(loss)
        return {
            q.name.text: self.question.partials.get(
                (loss, q.name.text), all_of_them.get(q.name.text, 0.0)
            )
            for q in self.question.board.parameters
        }

    @cached_property
    def plain(self) -> bool:
        """Do the new parameters come from plain gradient descent, as far as they are known?"""
        board, rate = self.question.board, self.question.learning_rate
        gradients = board.gradients(board.loss)
        moved = [
            isclose(new, board.quantities[name].value - (rate or 0.0) * gradients[name])
            for name, new in self.question.updated.items()
            if gradients.get(name)
        ]
        return not moved or any(moved)

    def shaken(self, view: View) -> list[View]:
        """The view with each of the person's numbers moved by its spread, one at a time."""
        key = id(view)
        if key not in self._shaken:
            self._shaken[key] = list(self._moved(view))
        return self._shaken[key]

    @cached_property
    def _shaken(self) -> dict[int, list[View]]:
        return {}

    def _moved(self, view: View) -> Iterator[View]:
        question = self.question
        for what, spread in question.spreads.items():
            if isinstance(what, str):
                if what in question.values and spread:
                    values = {**question.values, what: question.values[what] + spread}
                    yield View(
                        view.chain, [World(question.board, completed(question.board, values))]
                    )
            elif view.chain is not None and what in view.chain.claimed and spread:
                claimed = {**view.chain.claimed, what: view.chain.claimed[what] + spread}
                chain = Chain(question.board, view.chain.of, view.chain.by, claimed)
                yield View(chain, view.worlds[:1])

    def rounded_worlds(self, most: int) -> Iterator[tuple[int, View, World]]:
        """Factors rounded, of rounded quantities or of full ones, products rounded or not."""
        board, claims = self.question.board, self.question.values
        for places in range(1, most + 1):
            for values in (completed(board, claims, decimals=places), self.own):
                for products in (True, False):
                    world = World(board, values, decimals=places, rounds_products=products)
                    for view in self.views:
                        yield places, view, world

    # ------------------------------------------------------------------------------------ values

    def value(self, slip: Slip, view: View, world: World) -> float:
        """The number that a slip gives; NaN where it gives none."""
        try:
            return self._value(slip, view, world)
        except (ArithmeticError, ValueError, KeyError):
            return float("nan")

    def _value(self, slip: Slip, view: View, world: World) -> float:
        if slip.formulas:
            world = World(self.question.board, self.values_with(slip, view, world))
        if view.chain is None:
            return slip.factor * self.quantity(world, slip)
        gradient = slip.factor * world.gradient(view.chain, slip.edges)
        if not self.question.new:
            return gradient
        return self.updated(gradient, world, slip.update)

    def values_with(self, slip: Slip, view: View, world: World) -> dict[str, float]:
        """All quantities, where the slip is in the formulas of some."""
        board = self.question.board
        below = {n: world.values[n] for n, q in board.quantities.items() if q.formula is None}
        if world is view.worlds[0]:
            below |= {n: x for n, x in self.question.values.items() if n not in slip.formulas}
            if view.chain is None:
                below.pop(self.question.of, None)
        return completed(board, below, slip.formulas)

    def quantity(self, world: World, slip: Slip) -> float:
        name = self.question.of
        if slip.formulas and name not in slip.formulas:
            return world.values[name]
        formula = slip.formulas.get(name, self.network.quantity(name).formula)
        return world.values[name] if formula is None else value_of(formula, world.values)

    def updated(self, gradient: float, world: World, formula: Expression | None) -> float:
        question = self.question
        old, rate = world.values[question.of], question.learning_rate
        if question.step is not None:
            after = question.step(question.of, gradient)
        elif rate is not None and self.plain:
            after = old - rate * gradient
        else:
            return float("nan")
        if formula is None:
            return after
        numbers = {"old": old, "gradient": gradient, "next": after}
        if rate is not None:
            numbers["rate"] = rate
        return value_of(formula, numbers)
