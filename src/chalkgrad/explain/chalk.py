"""What is written down: the names of quantities, their formulas over names, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalkgrad.core.graph import LITERAL, Node
from chalkgrad.explain import algebra
from chalkgrad.explain.board import Quantity
from chalkgrad.explain.elements import At, Elements
from chalkgrad.explain.fold import folded, tidy, unshifted
from chalkgrad.formulas import (
    Call,
    Expression,
    Name,
    Number,
    evaluate,
    float_value,
    latex,
    parts,
    replaced,
    text,
)
from chalkgrad.formulas.floats import Floats
from chalkgrad.formulas.labels import VALUE, Label
from chalkgrad.formulas.spelling import is_name


class Chalk:
    """Writes elements of labelled nodes down, each with a name and a formula."""

    def __init__(self, elements: Elements, labels: Mapping[Node, Label], most: int | None) -> None:
        self.elements, self.labels, self.most = elements, labels, most
        self.quantities: dict[At, Quantity] = {}
        self.values: dict[str, float] = {}
        self.softmax: dict[Expression, Name] = {}
        self.rows: dict[At, Mapping[Expression, Name]] = {}
        self.way: set[At] = set()  # what the derivation is about: of many terms, those are shown

    # Names.
    def name(self, at: At) -> Name:
        """The name of a quantity, which is then on the board, if only with its value."""
        if at not in self.quantities:
            label = self.labels[at.node]
            latex = "" if label.latex is None else str(label.latex[at.index])
            name = Name(label.name(at.index), latex)
            record = at.index[0] + 1 if label.records and at.index else None
            self.values[name.text] = at.number
            self.quantities[at] = Quantity(name, label.kind, at.number, None, label.layer, record)
        return self.quantities[at].name

    def write(self, at: At) -> Quantity:
        """A quantity with its formula."""
        self.name(at)
        known = self.quantities[at]
        if known.formula is None and at.node.primitive is not None:
            short = folded(self.formula(at), value_of, self.most, self._is_on_the_way)
            known = self.quantities[at] = replace(known, formula=self._named(short))
        return known

    def written(self) -> dict[str, Quantity]:
        """All quantities, in an order in which they can be computed."""
        order = sorted(
            self.quantities.items(),
            key=lambda pair: (pair[0].node.primitive is not None, pair[0].node.seq, pair[0].index),
        )
        return {quantity.name.text: quantity for _, quantity in order} | self._softmaxes()

    def _is_on_the_way(self, term: Expression) -> bool:
        return any(isinstance(part, At) and part in self.way for part in parts(term))

    # Formulas.
    def formula(self, at: At) -> Expression:
        """The formula of a quantity over elements: what is between is written out."""
        return unshifted(tidy(self._opened(self.elements.formula(at))), value_of, _constant)

    def in_names(self, expression: Expression) -> Expression:
        """A formula of elements over the names of quantities."""
        return self._named(unshifted(tidy(self._opened(expression)), value_of, _constant))

    def _opened(self, expression: Expression) -> Expression:
        """The formula over quantities and leaves."""

        def inside(part: Expression) -> Expression | None:
            if not isinstance(part, At):
                return None
            known = part.node in self.labels or part.node.primitive is None
            return part if known else self._opened(self.elements.formula(part))

        return replaced(expression, inside)

    def _named(self, expression: Expression) -> Expression:
        """Names in place of elements; data without a name is its number."""

        def name(part: Expression) -> Expression | None:
            if not isinstance(part, At):
                return None
            return self.name(part) if part.node in self.labels else literal(part)

        return tidy(replaced(expression, name))

    def value(self, expression: Expression) -> float:
        """The value of a formula over names, at the numbers of the pass."""
        return float_value(expression, self.values)

    # Quotients that have a name.
    def definitions(self, of: At, raw: Expression) -> Mapping[Expression, Name]:
        """Those of a quantity and its neighbours, as in a softmax; or the softmax of quantities."""
        if not isinstance(raw, Call):
            return {}
        row = At(of.node, of.index[:-1])
        if row not in self.rows:
            self.rows[row] = self._quotients(of)
        if self.rows[row]:
            return self.rows[row]
        found = {}
        for quotient in algebra.softmax_in(raw):
            name = _softmax_name(algebra.exponent_of(quotient))
            found[quotient] = self.softmax.setdefault(quotient, name)
            self.values[name.text] = self.value(quotient)
        return found

    def _quotients(self, of: At) -> dict[Expression, Name]:
        """A row of quantities that are quotients, by their formulas."""
        own = None if of.node.primitive is None else self.formula(of)  # no names: it may be long
        if not (isinstance(own, Call) and own.function == "divide" and of.index):
            return {}
        row = [At(of.node, (*of.index[:-1], k)) for k in range(of.node.shape[-1])]
        return {self._named(self.formula(at)): self.name(at) for at in row}

    def _softmaxes(self) -> dict[str, Quantity]:
        found = {}
        for quotient, name in self.softmax.items():
            assert isinstance(quotient, Call)
            formula = folded(quotient, self.value, self.most, quotient.arguments[0].__eq__)
            found[name.text] = Quantity(name, VALUE, self.values[name.text], formula)
        return found


def literal(at: At) -> Number:
    """A number that stands in a formula, or data without a name."""
    half = at.number == 0.5 and at.node.params is LITERAL
    return Number(at.number, "½" if half else None)


def value_of(expression: Expression) -> float:
    """The value of a formula over elements."""
    return evaluate(expression, _number_of, Floats())


def _number_of(part: Expression) -> float:
    assert isinstance(part, At)
    return part.number


def _constant(part: Expression) -> float | None:
    """A number in the data that is no quantity."""
    given = isinstance(part, At) and part.node.primitive is None and not part.node.tracked
    return part.number if given else None  # type: ignore[attr-defined]


def _softmax_name(exponent: Expression) -> Name:
    """The softmax of a quantity, which the graph of a cross-entropy does not name."""
    words, shown = text(exponent), latex(exponent)
    plain = is_name(f"softmax_{words}")
    return Name(
        f"softmax_{words}" if plain else f"softmax({words})",
        rf"\operatorname{{softmax}}\left({shown}\right)",
    )
