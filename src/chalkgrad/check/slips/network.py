"""What a person sees in a board: layers, records, weight matrices, errors.

Read from the board's structure alone: the kinds of the ends of an edge and the form of its
derivative. Names are only taken apart where they carry a record: sum_h1[2] is sum_h1 of record 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from chalkgrad.check.slips.question import Pair
from chalkgrad.explain.board import Board, Quantity
from chalkgrad.formulas import ONE, Call, Expression, Name, Number, names_in, parts
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    WEIGHTED_SUM,
)

LOSSES = (LOSS_TERM, LOSS)
SLOPED = ("sigmoid", "tanh", "relu")  # activations that a person knows the derivative of by heart


@dataclass
class Network:
    """Questions about the parts of a board."""

    board: Board
    rows: dict[str, dict[str, str]] = field(init=False)  # unit -> what it sums up -> the weight

    def __post_init__(self) -> None:
        self.rows = {}
        for (of, by), local in self.board.locals.items():
            factor = local.formula
            if self.kind(by) == PARAMETER and self.is_quantity(factor):
                assert isinstance(factor, Name)
                self.rows.setdefault(of, {})[factor.text] = by

    def is_quantity(self, formula: Expression) -> bool:
        """Is it the name of something that is no parameter?"""
        return isinstance(formula, Name) and self.kind(formula.text) not in (PARAMETER, "")

    def kind(self, name: str) -> str:
        quantity = self.board.quantities.get(name)
        return quantity.kind if quantity else ""

    def quantity(self, name: str) -> Quantity:
        return self.board.quantities[name]

    def record(self, name: str) -> int | None:
        return self.quantity(name).record

    def stem(self, name: str) -> str:
        """Without the record."""
        return name if self.record(name) is None else name.partition("[")[0]

    # Edges.
    def is_activation(self, pair: Pair) -> bool:
        """From a unit's output to its own sum?"""
        of, by = pair
        return pair in self.board.locals and self.activation(of) is not None and (
            self.kind(by) in (WEIGHTED_SUM, ACTIVATION)
        )  # fmt: skip

    def activation(self, name: str) -> str | None:
        """The function of a unit, if it is one of a single sum."""
        formula = self.quantity(name).formula
        if self.kind(name) == ACTIVATION and isinstance(formula, Call):
            function = formula.function.partition(":")[0]
            one = len(formula.arguments) == 1 and isinstance(formula.arguments[0], Name)
            return function if one and function not in ("sum", "prod") else None
        return None

    def is_error(self, pair: Pair) -> bool:
        """From a loss to an output?"""
        return self.kind(pair[0]) in LOSSES and self.kind(pair[1]) not in (
            *LOSSES,
            PARAMETER,
            TARGET,
        )

    def weight_of(self, pair: Pair) -> str | None:
        """The weight on an edge from a unit's sum to what it sums up."""
        local = self.board.locals.get(pair)
        if local is None or self.kind(pair[1]) == PARAMETER:
            return None
        factor = local.formula
        if isinstance(factor, Name) and self.kind(factor.text) == PARAMETER:
            return factor.text
        return None

    def input_of(self, pair: Pair) -> str | None:
        """What the weight at the end of an edge is multiplied by."""
        local = self.board.locals.get(pair)
        if local is None or self.kind(pair[1]) != PARAMETER or not self.is_quantity(local.formula):
            return None
        assert isinstance(local.formula, Name)
        return local.formula.text

    def is_bias(self, pair: Pair) -> bool:
        local = self.board.locals.get(pair)
        return local is not None and self.kind(pair[1]) == PARAMETER and local.formula == ONE

    # Parts of the network.
    @cached_property
    def weights(self) -> list[str]:
        """Every weight, in the order of the units."""
        return list(dict.fromkeys(weight for row in self.rows.values() for weight in row.values()))

    def siblings(self, name: str) -> list[str]:
        """The units of the same layer and record, in order, itself included."""
        mine = self.quantity(name)
        found = [
            other.name.text for other in self.board.quantities.values()
            if other.kind == mine.kind and other.record == mine.record
            and other.layer == mine.layer and other.layer is not None
        ]  # fmt: skip
        return found or [name]

    def transposed(self, unit: str, source: str) -> str | None:
        """The weight at the mirrored place of the layer's matrix."""
        units = [name for name in self.siblings(unit) if name in self.rows]
        sources = list(self.rows.get(unit, {}))
        if unit not in units or source not in sources:
            return None
        row, column = units.index(unit), sources.index(source)
        if column >= len(units) or row >= len(sources) or row == column:
            return None
        other = self.rows[units[column]]
        return other.get(sources[row])

    def same_record(self, kind: str, like: str) -> list[str]:
        """Quantities of a kind in the record of another, itself left out."""
        record = self.record(like)
        return [
            q.name.text for q in self.board.quantities.values()
            if q.kind == kind and q.record == record and q.name.text != like
        ]  # fmt: skip

    def target_of(self, pair: Pair) -> str | None:
        """The target that a loss compares an output with."""
        formula = self.quantity(pair[0]).formula
        output = pair[1]
        if formula is None:
            return None
        found = [name.text for name in names_in(formula) if self.kind(name.text) == TARGET]
        if len(found) == 1:
            return found[0]
        for part in parts(
            formula
        ):  # a loss without terms of its own: what stands beside the output
            here = [name.text for name in names_in(part)]
            targets = [name for name in here if self.kind(name) == TARGET]
            if len(targets) == 1 and output in here and len(set(here)) == 2:
                return targets[0]
        return None

    def has(self, name: str, *functions: str) -> bool:
        """Does the formula of a quantity call one of these functions?"""
        formula = self.quantity(name).formula
        return formula is not None and any(
            isinstance(part, Call) and part.function in functions for part in parts(formula)
        )

    @cached_property
    def counts(self) -> dict[int, str]:
        """What a mean may be taken over: how many, and of what."""
        records = {q.record for q in self.board.quantities.values() if q.record is not None}
        terms = [q for q in self.board.quantities.values() if q.kind == LOSS_TERM]
        outputs = self._outputs()
        found: dict[int, str] = {}
        for count, words in (
            (len(records), "records"), (outputs, "outputs"), (len(terms), "terms of the loss"),
            (len(records) * outputs, "records and outputs"),
        ):  # fmt: skip
            if count > 1:
                found.setdefault(count, words)
        return found

    def _outputs(self) -> int:
        """How many units the loss compares in one record."""
        compared = {self.stem(by) for of, by in self.board.locals if self.is_error((of, by))}
        return len(compared)

    @cached_property
    def averages(self) -> bool:
        """Does the loss divide by a count?"""
        for quantity in self.board.quantities.values():
            if quantity.kind not in LOSSES or quantity.formula is None:
                continue
            for part in parts(quantity.formula):
                if not (isinstance(part, Call) and part.function in ("divide", "multiply", "prod")):
                    continue
                if any(self._is_count(n, part.function) for n in part.arguments):
                    return True
        return False

    def _is_count(self, number: Expression, function: str) -> bool:
        if not isinstance(number, Number) or not number.value:
            return False
        count = number.value if function == "divide" else 1 / number.value
        return any(abs(count - n) < 1e-9 for n in self.counts if n != 2 or not self._halves)

    @cached_property
    def _halves(self) -> bool:
        """Is there a ½ in front of a square?"""
        for quantity in self.board.quantities.values():
            formula = quantity.formula
            if quantity.kind not in LOSSES or formula is None:
                continue
            for part in parts(formula):
                if not (isinstance(part, Call) and part.function in ("multiply", "prod", "divide")):
                    continue
                squares = any(
                    isinstance(a, Call) and a.function in ("square", "power")
                    for a in part.arguments
                )
                if squares and any(_is_half(a, part.function) for a in part.arguments):
                    return True
        return False

    @property
    def halves(self) -> bool:
        return self._halves

    def given_with(self, name: str) -> list[str]:
        """Everything that a layer reads beside `name`: the other inputs or activations."""
        for row in self.rows.values():
            if name in row:
                return [other for other in row if other != name]
        return []

    def all_sources(self, record: int | None) -> Iterable[str]:
        """Inputs and activations of a record."""
        for quantity in self.board.quantities.values():
            if quantity.kind in (INPUT, ACTIVATION, WEIGHTED_SUM) and quantity.record == record:
                yield quantity.name.text


def _is_half(part: Expression, function: str) -> bool:
    if isinstance(part, Number):
        return part.value == (2.0 if function == "divide" else 0.5)
    if isinstance(part, Call) and part.function == "divide":
        a, b = part.arguments
        return isinstance(a, Number) and isinstance(b, Number) and a.value == 1 and b.value == 2
    return (
        isinstance(part, Call)
        and part.function == "reciprocal"
        and part.arguments[0] == Number(2.0)
    )
