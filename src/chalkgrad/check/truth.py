"""What is right: the pass on the board, the update, and what the lecture calls things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalkgrad.explain.board import Board
from chalkgrad.explain.steps import Update
from chalkgrad.formulas import float_value


@dataclass(frozen=True)
class Truth:
    """A problem with its solution, against which lines are judged.

    board            every quantity with its formula, every edge with its derivative
    learning_rate    of the update; None where the problem has none
    new              every parameter after one update
    updates          how the optimizer moves each; plain gradient descent where one is left out
    frozen           parameters that the update leaves alone
    after            the board after a number of updates; it may raise a ChalkgradError
    aliases          further spellings of quantities: {"target_o1": "target_1"}
    units            the quantity that a unit's δ belongs to: {"o1": "sum_o1"}; where it is left
                     out, the weighted sum whose name ends in the unit's
    order            the parameters as ∇ lists them; as on the board where left out
    delta_negative   is δ minus the gradient? None: as the lines themselves show
    activation       what f and f′ stand for, where the layers have one activation
    """

    board: Board
    learning_rate: float | None = None
    new: Mapping[str, float] = field(default_factory=dict)
    updates: Mapping[str, Update] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    after: Callable[[int], Board] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    delta_negative: bool | None = None
    activation: str = ""  # what the page's f is, where all units have one
    title: str = ""

    @property
    def wrt(self) -> tuple[str, ...]:
        """The parameters that ∇ lists; where there are none, whatever is given."""
        if self.order:
            return self.order
        given = [q.name.text for q in self.board.parameters]
        if not given:
            given = [name for name, q in self.board.quantities.items() if q.formula is None]
        return tuple(given)

    def is_plain(self, parameter: str) -> bool:
        """Is the update old − learning rate · gradient, without more to it?"""
        update = self.updates.get(parameter)
        return update is None or {name for name, _ in update.values} == {parameter, "η"}

    def step(self, parameter: str, gradient: float) -> float:
        """What the update makes of a parameter with another gradient, by its own equations."""
        update = self.updates[parameter]
        values = dict(update.values)
        partials = {(self.board.loss, parameter): gradient}
        for line in update.lines:
            values[line.name.text] = float_value(line.formula, values, partials)
        return values[update.lines[-1].name.text]

    def new_value(self, parameter: str) -> float | None:
        """A parameter after one update; None where there is no update."""
        if parameter in self.frozen:
            return self.board.quantities[parameter].value
        if parameter in self.new:
            return self.new[parameter]
        if parameter in self.updates:
            return self.updates[parameter].new
        if self.learning_rate is None:
            return None
        slope = self.board.gradient(self.board.loss, parameter)
        return self.board.quantities[parameter].value - self.learning_rate * slope
