"""Formulas in double precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalkgrad.formulas.expression import Expression, Name, Number, Partial, evaluate
from chalkgrad.formulas.records import meaning

Partials = Mapping[tuple[str, str], float]


class Floats:
    """Double precision, by the records' own NumPy lines."""

    def number(self, number: Number) -> float:
        return number.value

    def apply(self, function: str, arguments: Sequence[float]) -> float:
        return float(meaning(function)(*arguments))


def float_value(
    expression: Expression, values: Mapping[str, float], partials: Partials | None = None
) -> float:
    """The value of a formula; `values` and `partials` have every name and derivative in it."""

    def known(part: Expression) -> float:
        if isinstance(part, Partial):
            return (partials or {})[part.of.text, part.by.text]
        assert isinstance(part, Name)
        return values[part.text]

    return evaluate(expression, known, Floats())
