"""Right workings of a board, written down as people write them: to some digits, line by line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from chalkgrad.explain.board import Board
from chalkgrad.formulas import Name, Number, Partial, float_value, names_in, substitution, text
from chalkgrad.formulas.labels import LOSS_TERM, PARAMETER

Cut = Callable[[float, int], float]


def rounded(value: float, decimals: int) -> float:
    return float(f"{value:.{decimals}f}")


def truncated(value: float, decimals: int) -> float:
    scale = 10**decimals
    return math.trunc(round(value * scale, 6)) / scale


@dataclass
class Writer:
    """Goes through the passes and writes a line for each number.

    decimals     that are shown
    cut          rounds or truncates
    carry        does the person go on with what they wrote (or with what their calculator holds)?
    filled       do lines show the numbers filled in?
    rate         of the update
    changed      a number planted in place of the right one, by the line's left side
    """

    board: Board
    decimals: int
    cut: Cut = rounded
    carry: bool = True
    filled: bool = False
    rate: float = 0.5
    changed: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    slopes: dict[tuple[str, str], float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def working(self) -> str:
        """Forward, backward, update."""
        for name, quantity in self.board.quantities.items():
            if quantity.formula is None:
                self.values[name] = quantity.value
        for name, quantity in self.board.quantities.items():
            if quantity.formula is not None:
                value = float_value(quantity.formula, self.values)
                filled = text(substitution(quantity.formula, self.values), 12)
                self.values[name] = self.written(name, value, filled)
        self.backward()
        for quantity in self.board.parameters:
            name = quantity.name.text
            old, slope = quantity.value, self.slopes[self.board.loss, name]
            filled = f"{old} - {self.rate} * {self.shown(slope)}"
            self.written(f"new {name}", old - self.rate * slope, filled)
        return "\n".join(self.lines)

    def backward(self) -> None:
        loss, useful = self.board.loss, self.board.leads_to(self.board.loss)
        self.slopes[loss, loss] = 1.0
        for name in reversed(self.board.quantities):
            if name not in useful or name == loss:
                continue
            terms = []
            for user in self.board.users[name]:
                if user not in useful:
                    continue
                formula = self.board.locals[user, name].formula
                value = float_value(formula, self.values)
                if names_in(formula) and user != loss:
                    filled = text(substitution(formula, self.values), 12)
                    value = self.written(f"d{user}/d{name}", value, filled)
                terms.append((self.slopes[loss, user], value))
            total = sum(a * b for a, b in terms)
            kind = self.board.quantities[name].kind
            if kind == LOSS_TERM:
                self.slopes[loss, name] = total
                continue
            filled = " + ".join(f"{self.shown(a)} * {self.shown(b)}" for a, b in terms)
            if kind == PARAMETER or self.board.quantities[name].formula is not None:
                total = self.written(f"d{loss}/d{name}", total, filled)
            self.slopes[loss, name] = total

    def written(self, left: str, value: float, filled: str) -> float:
        """Write a line; returns what the person goes on with."""
        value = self.changed.get(left, value)
        shown = self.cut(value, self.decimals)
        middle = f" = {filled}" if self.filled and self.carry else ""
        self.lines.append(f"{left}{middle} = {shown:.{self.decimals}f}")
        return shown if self.carry else value

    def shown(self, value: float) -> str:
        """A number in a product: a negative one in brackets."""
        number = f"{value:.12g}"
        return f"({number})" if value < 0 else number


__all__ = ["Name", "Number", "Partial", "Writer", "rounded", "truncated"]
