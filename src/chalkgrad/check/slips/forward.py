"""Slips of the forward pass: another formula for a quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.network import LOSSES, Network
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.slopes import call
from chalkgrad.formulas import (
    Call,
    Expression,
    Name,
    Number,
    names_in,
    parts,
    replaced,
    text,
)
from chalkgrad.formulas.labels import ACTIVATION, INPUT, PARAMETER, TARGET, WEIGHTED_SUM

MANY, SUMS = 40, 4
FUNCTIONS = ("sigmoid", "tanh", "relu")
Term = tuple[int, Expression]  # +1 or −1, and what is added or taken away


@dataclass
class Forward:
    """Every slip of one quantity's formula."""

    network: Network
    values: Mapping[str, float]
    updated: Mapping[str, float]

    def slips(self, name: str) -> Iterator[Slip]:
        """Slips of the formula of a quantity."""
        formula = self.network.quantity(name).formula
        if formula is None:
            return
        for kind, why, changed in self.changes(name, formula):
            yield Slip(kind, why, formulas={name: changed})

    def changes(self, name: str, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        if self.network.kind(name) in LOSSES:
            yield from self.of_loss(name, formula)
        if self.network.activation(name):
            yield from self.of_activation(name, formula)
        yield from self.of_terms(name, formula)
        yield from self.of_names(name, formula)

    # ------------------------------------------------------------------------------------ losses

    def of_loss(self, name: str, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        halves = self.network.has(name, "square", "power") and self.network.halves
        if halves:
            yield known.NO_HALF, "leaves out the ½", Number(2.0) * formula
            yield known.HALF_EXTRA, "halves twice", Number(0.5) * formula
        else:
            yield known.HALF_EXTRA, "has a ½ that this loss has not", Number(0.5) * formula
        yield from self.without_square(formula)
        yield from self.without_average(formula)
        yield known.SIGN, "has the wrong sign", -formula
        for base in (10, 2):
            other = replaced(formula, partial(_to_base, base=base))
            if other != formula:
                yield known.OTHER_LOGARITHM, f"takes the logarithm to base {base}", other

    def without_square(self, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        def bare(part: Expression) -> Expression | None:
            return part.arguments[0] if isinstance(part, Call) and _is_square(part) else None

        def absolute(part: Expression) -> Expression | None:
            inner = bare(part)
            return None if inner is None else call("absolute", inner)

        for change in (absolute, bare, lambda part: _negated(bare(part))):
            changed = replaced(formula, change)
            if changed != formula:
                yield known.NO_SQUARE, "does not square the difference", changed

    def without_average(self, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        if not self.network.counts:
            return
        averages = self.network.averages
        for count, what in self.network.counts.items():
            if averages:
                words = f"leaves out the 1/{count} of the mean over the {what}"
                yield known.MEAN_MISSING, words, Number(float(count)) * formula
            kind = known.MEAN_TWICE if averages else known.MEAN_FOR_SUM
            words = f"divides by {count} ({what}){' twice' if averages else '; the loss sums'}"
            yield kind, words, formula / Number(float(count))

    # ------------------------------------------------------------------------------- activations

    def of_activation(
        self, name: str, formula: Expression
    ) -> Iterator[tuple[str, str, Expression]]:
        assert isinstance(formula, Call)
        inner, function = formula.arguments[0], self.network.activation(name) or ""
        yield known.NO_ACTIVATION, f"is {text(inner)} itself, without the activation", inner
        for other in FUNCTIONS:
            if other != function:
                words = f"applies {other} in place of {function}"
                yield known.OTHER_FUNCTION, words, call(other, inner)
        if function == "sigmoid":
            words = f"has e^(+{text(inner)}) in place of e^(−{text(inner)})"
            yield known.SIGN, words, call(function, -inner)
        yield known.OTHER_FUNCTION, f"applies {function} twice", call(function, formula)
        one = Number(1.0)
        slope = one - call("square", formula) if function == "tanh" else formula * (one - formula)
        if function in FUNCTIONS[:2]:
            yield known.OTHER_FUNCTION, f"applies the derivative of {function}", slope
        for other in self.network.same_record(WEIGHTED_SUM, name)[:MANY]:
            if Name(other) != inner:
                words = f"applies {function} to {other} in place of {text(inner)}"
                yield known.OTHER_INPUT, words, call(function, Name(other))

    # -------------------------------------------------------------------------------------- sums

    def of_terms(self, name: str, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        """Slips in each sum of a formula, and in a formula that is a single product."""
        sums = [part for part in parts(formula) if len(list(islice(signed(part), 2))) > 1]
        inner = [s for s in sums if not any(s is t for o in sums if o is not s for t in parts(o))]
        for whole in inner[:SUMS] or [formula]:
            for kind, why, changed in self.in_sum(list(signed(whole))):
                yield kind, why, replaced(formula, {whole: changed}.get)

    def in_sum(self, terms: list[Term]) -> Iterator[tuple[str, str, Expression]]:
        """One term left out or with its sign turned; factors of products forgotten or exchanged."""
        for k, (sign, term) in enumerate(terms[:MANY]):
            if len(terms) > 1:
                others = terms[:k] + terms[k + 1 :]
                bias = isinstance(term, Name) and self.network.kind(term.text) == PARAMETER
                kind = known.NO_BIAS if bias else known.NO_TERM
                yield kind, f"leaves out {text(term)}", total(others)
            turned = [*terms[:k], (-sign, term), *terms[k + 1 :]]
            yield known.SIGN, f"has the sign of {text(term)} wrong", total(turned)
            yield from self.of_product(terms, k)
        yield from self.exchanged(terms)

    def of_product(self, terms: list[Term], k: int) -> Iterator[tuple[str, str, Expression]]:
        sign, term = terms[k]
        found = self.factors(term)
        if found is None:
            return
        source, weight = found
        for kind, words, new in (
            (known.NO_INPUT, f"leaves out the factor {source.text}", weight),
            (known.NO_WEIGHT, f"leaves out the weight {weight.text}", source),
            (known.LOCAL, f"adds {source.text} and {weight.text}", source + weight),
        ):  # fmt: skip
            yield kind, words, total([*terms[:k], (sign, new), *terms[k + 1 :]])
        bias = [
            t.text
            for _, t in terms
            if isinstance(t, Name) and self.network.kind(t.text) == PARAMETER
        ]
        for name in bias:
            changed = [(s, t * source if t == Name(name) else t) for s, t in terms]
            yield known.OTHER_INPUT, f"multiplies the bias {name} by {source.text}", total(changed)

    def factors(self, term: Expression) -> tuple[Name, Name] | None:
        """The input and the weight of a product."""
        if not (isinstance(term, Call) and term.function in ("multiply", "prod")):
            return None
        if len(term.arguments) != 2 or not all(isinstance(a, Name) for a in term.arguments):
            return None
        a, b = term.arguments
        assert isinstance(a, Name)
        assert isinstance(b, Name)
        if self.network.kind(b.text) == PARAMETER:
            return a, b
        return (b, a) if self.network.kind(a.text) == PARAMETER else None

    def exchanged(self, terms: list[Term]) -> Iterator[tuple[str, str, Expression]]:
        """Two inputs exchanged between their weights."""
        products = [(k, found) for k, (_, t) in enumerate(terms) if (found := self.factors(t))]
        for i, (k, (a, v)) in enumerate(products[:8]):
            for m, (b, w) in products[i + 1 : 8]:
                changed = list(terms)
                changed[k], changed[m] = (terms[k][0], b * v), (terms[m][0], a * w)
                yield known.SWAPPED, f"exchanges {a.text} and {b.text}", total(changed)

    # ------------------------------------------------------------------------------------- names

    def of_names(self, name: str, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        """Another quantity in place of one of those in the formula."""
        network, used = self.network, names_in(formula)
        yield from self.with_updates(formula, used)
        if network.kind(name) == WEIGHTED_SUM or name in network.rows:
            yield from self.transposed(name, formula)
        below: dict[Expression, Expression] = {
            part: source for part in used for source, _ in self.before(part)
        }
        if len(below) > 1:
            words = (
                "uses " + ", ".join(text(x) for x in below.values()) + ", without the activation"
            )
            yield known.NO_ACTIVATION, words, replaced(formula, below.get)
        for part in used[:MANY]:
            for kind, words, other in self.others(name, part):
                if other not in used or network.kind(part.text) == PARAMETER:
                    yield kind, words, _renamed(formula, part, other)

    def with_updates(
        self, formula: Expression, used: list[Name]
    ) -> Iterator[tuple[str, str, Expression]]:
        new: dict[Expression, Expression] = {
            part: Number(self.updated[part.text]) for part in used if part.text in self.updated
        }
        names = {Name(weight) for weight in self.network.weights}
        weights: dict[Expression, Expression] = {p: x for p, x in new.items() if p in names}
        alone: list[dict[Expression, Expression]] = [{part: x} for part, x in new.items()]
        together: list[dict[Expression, Expression]] = [new, weights]
        for some in together + alone:
            if some:
                words = ", ".join(f"{text(part)} ({text(x)})" for part, x in list(some.items())[:4])
                why = f"uses what is after the update: {words}"
                yield known.UPDATED, why, replaced(formula, some.get)

    def transposed(self, name: str, formula: Expression) -> Iterator[tuple[str, str, Expression]]:
        row = self.network.rows.get(name, {})
        mirrored: dict[Expression, Expression] = {
            Name(weight): Name(other)
            for source, weight in row.items()
            if (other := self.network.transposed(name, source))
        }
        if mirrored:
            some = ", ".join(f"{text(b)} for {text(a)}" for a, b in list(mirrored.items())[:4])
            changed = replaced(formula, mirrored.get)
            yield (
                known.NOT_TRANSPOSED,
                f"reads the weights along the other direction: {some}",
                changed,
            )

    def others(self, name: str, part: Name) -> Iterator[tuple[str, str, Name]]:
        """What people write in place of one name."""
        network, kind = self.network, self.network.kind(part.text)
        if kind == PARAMETER:
            mine = part.text in network.weights
            same = [
                q.name.text
                for q in network.board.parameters
                if (q.name.text in network.weights) == mine
            ]
            for other in same[:MANY]:
                if other != part.text:
                    yield known.OTHER_WEIGHT, f"uses {other} in place of {part.text}", Name(other)
            return
        for source, words in self.before(part):
            yield known.NO_ACTIVATION, words, source
        for wanted in (kind, INPUT) if kind == ACTIVATION else (kind,):
            if wanted in (ACTIVATION, INPUT, TARGET, WEIGHTED_SUM):
                for other in network.same_record(wanted, part.text)[:MANY]:
                    if other != name and not self.depends(other, name):
                        yield (
                            known.OTHER_INPUT,
                            f"uses {other} in place of {part.text}",
                            Name(other),
                        )

    def before(self, part: Name) -> Iterator[tuple[Name, str]]:
        """The sum below an activation."""
        if self.network.activation(part.text):
            formula = self.network.quantity(part.text).formula
            assert isinstance(formula, Call)
            inner = formula.arguments[0]
            assert isinstance(inner, Name)
            yield inner, f"uses {inner.text} in place of {part.text}, without the activation"

    def depends(self, name: str, on: str) -> bool:
        return on in self.network.board.leads_to(name)


def signed(formula: Expression, sign: int = 1) -> Iterator[Term]:
    """The terms of a formula and their signs."""
    if isinstance(formula, Call):
        if formula.function in ("add", "sum"):
            for argument in formula.arguments:
                yield from signed(argument, sign)
            return
        if formula.function == "subtract":
            yield from signed(formula.arguments[0], sign)
            yield from signed(formula.arguments[1], -sign)
            return
        if formula.function == "negative":
            yield from signed(formula.arguments[0], -sign)
            return
    yield sign, formula


def total(terms: list[Term]) -> Expression:
    return call("sum", *(term if sign > 0 else -term for sign, term in terms))


def _is_square(part: Expression) -> bool:
    return isinstance(part, Call) and (
        part.function == "square" or (part.function == "power" and part.arguments[1] == Number(2.0))
    )


def _to_base(part: Expression, base: int) -> Expression | None:
    if isinstance(part, Call) and part.function in ("log", "bounded_log"):
        return call("log", *part.arguments) / call("log", Number(float(base)))
    return None


def _negated(part: Expression | None) -> Expression | None:
    return None if part is None else -part


def _renamed(formula: Expression, old: Name, new: Expression) -> Expression:
    return replaced(formula, lambda part: new if part == old else None)
