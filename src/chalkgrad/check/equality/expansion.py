"""The meaning of a formula over the quantities of a board, in any arithmetic.

A computed quantity is its formula, a derivative is the sum over the paths between its ends; what is
left is independent: inputs, targets, parameters and names that the board does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chalkgrad.explain.board import Board
from chalkgrad.formulas import ONE, ZERO, Expression, Name, Partial, evaluate, parts
from chalkgrad.formulas.expression import Arithmetic, names_in

T = TypeVar("T")


@dataclass
class Expansion(Generic[T]):
    """Values of formulas. What is found is kept: a board is walked once."""

    board: Board
    arithmetic: Arithmetic[T]
    independent: Callable[[str], T]
    through: bool = True  # through the formulas of computed quantities, or only of derivatives?
    found: dict[str, T] = field(default_factory=dict)
    derived: dict[str, dict[str, T]] = field(default_factory=dict)

    def value(self, formula: Expression) -> T:
        """The value of a formula."""
        wanted = [name.text for name in names_in(formula)]
        for of in {part.of.text for part in parts(formula) if isinstance(part, Partial)}:
            if of not in self.derived:
                self.derived[of] = self.derivatives(of)
        self.find(wanted)
        return evaluate(formula, self.known, self.arithmetic)

    def known(self, part: Expression) -> T:
        """The value of a name or of a derivative."""
        if isinstance(part, Partial):
            zero = self.arithmetic.number(ZERO)
            return self.derived[part.of.text].get(part.by.text, zero)
        assert isinstance(part, Name)
        return self.found[part.text]

    def find(self, wanted: list[str]) -> None:
        """Compute quantities and what they depend on, in an order in which that can be done."""
        work = [(name, False) for name in wanted]
        while work:
            name, ready = work.pop()
            if name in self.found:
                continue
            quantity = self.board.quantities.get(name)
            formula = quantity.formula if quantity else None
            if formula is None or not self.through:
                self.found[name] = self.independent(name)
            elif ready:
                self.found[name] = evaluate(formula, self.known, self.arithmetic)
            else:
                work.append((name, True))
                work += [(needed.text, False) for needed in names_in(formula)]

    def derivatives(self, of: str) -> dict[str, T]:
        """∂of/∂q for every quantity q, by the recursion of back-propagation."""
        apply, board = self.arithmetic.apply, self.board
        gradients = {of: self.arithmetic.number(ONE)}
        useful = board.leads_to(of) if of in board.quantities else {of}
        for name in reversed(board.quantities):
            if name not in useful or name == of:
                continue
            terms = [
                apply("multiply", (gradients[user], self.value(board.locals[user, name].formula)))
                for user in board.users[name]
                if user in useful
            ]
            gradients[name] = apply("sum", terms)
        return gradients
