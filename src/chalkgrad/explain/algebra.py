"""The algebra of the board: named rewrites of a derivative, each of which keeps its value.

constants    ½ · 2 · x = x                  numbers in a product are multiplied, signs come in front
sign         −(t − o) = o − t               a minus turns a difference round
cancel       x · y / x = y
definition   e^z / Σ e^z = p                where p is a quantity that is so defined
bounds       max(x, c) = x                  where x lies above c
multiply out (a/x + b/(1 − x)) · x · (1 − x) = a · (1 − x) + b · x
collect      a − a · b + a · b = a          equal terms are added, a common factor comes in front

A monomial is a coefficient and factors with whole exponents; a polynomial is a sum of them. What is
neither a number nor a sum, product or quotient is a factor as it stands, such as σ(z) or a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isclose, isfinite

from chalkgrad.explain.board import Rewrite
from chalkgrad.formulas import ONE, ZERO, Call, Expression, Name, Number, parts, replaced

_MOST = 64  # terms of a polynomial that are multiplied out
_LARGE = 10**15  # from where on a number is a float
_WRITTEN_AS_FRACTION = {2, 3, 4, 6, 7, 8, 9, 11, 12}
Coefficient = Fraction | float
Value = Callable[[Expression], float]


@dataclass
class Monomial:
    """coefficient · Π factor^exponent, the factors in the order in which they were met."""

    coefficient: Coefficient = Fraction(1)
    factors: dict[Expression, int] = field(default_factory=dict)

    def times(self, other: Monomial) -> Monomial:
        factors = dict(self.factors)
        for factor, exponent in other.factors.items():
            factors[factor] = factors.get(factor, 0) + exponent
        kept = {factor: exponent for factor, exponent in factors.items() if exponent}
        return Monomial(_exact(self.coefficient * other.coefficient), kept)

    def inverse(self) -> Monomial:
        return Monomial(
            _exact(1 / self.coefficient), {f: -exponent for f, exponent in self.factors.items()}
        )

    @property
    def key(self) -> frozenset[tuple[Expression, int]]:
        return frozenset(self.factors.items())


def _exact(number: Coefficient) -> Coefficient:
    """A fraction, as long as it is one that a person would write."""
    small = _size(number) < _LARGE
    if isinstance(number, Fraction):
        return number if small and number.denominator < 10**6 else float(number)
    fraction = Fraction(number).limit_denominator(1000) if small else None
    return fraction if fraction is not None and float(fraction) == number else number


def _size(number: Coefficient) -> Coefficient:
    return -number if number < 0 else number


def product(expression: Expression) -> Monomial:
    """A formula as one monomial: products and quotients are taken apart, sums are factors."""
    if isinstance(expression, Number):
        return Monomial(_exact(expression.value))
    if isinstance(expression, Call):
        function, arguments = expression.function, expression.arguments
        if function in ("multiply", "prod"):
            total = Monomial()
            for argument in arguments:
                total = total.times(product(argument))
            return total
        if function == "negative":
            return Monomial(Fraction(-1)).times(product(arguments[0]))
        if function in ("divide", "reciprocal"):
            below = product(arguments[-1])
            if below.coefficient:
                above = product(arguments[0]) if function == "divide" else Monomial()
                return above.times(below.inverse())
        if function == "square":
            inner = product(arguments[0])
            return inner.times(inner)
    return Monomial(Fraction(1), {expression: 1})


def written(monomial: Monomial) -> Expression:
    """A monomial as a formula: number, factors, and what they are divided by."""
    coefficient, turned = monomial.coefficient, dict(monomial.factors)
    if coefficient < 0:
        for factor, exponent in monomial.factors.items():
            swapped = _turned(factor)
            if swapped is not None and exponent == 1:
                coefficient = -coefficient
                turned = {swapped if f == factor else f: e for f, e in turned.items()}
                break
    above = [_power(f, e) for f, e in turned.items() if e > 0]
    below = [_power(f, -e) for f, e in turned.items() if e < 0]
    size = _size(coefficient)
    if size != 1:
        above.insert(0, _number(size))
    formula = _joined(above)
    if below:
        formula = formula / _joined(below)
    return -formula if coefficient < 0 else formula


def _joined(factors: list[Expression]) -> Expression:
    return ONE if not factors else factors[0] if len(factors) == 1 else Call("prod", tuple(factors))


def _number(number: Coefficient) -> Number:
    if isinstance(number, Fraction) and number.denominator in _WRITTEN_AS_FRACTION:
        return Number(float(number), f"{number.numerator}/{number.denominator}")
    return Number(float(number))


def _power(factor: Expression, exponent: int) -> Expression:
    if exponent == 1:
        return factor
    return Call("square", (factor,)) if exponent == 2 else Call("power", (factor, Number(exponent)))


def _turned(factor: Expression) -> Expression | None:
    """b − a for a − b, unless a is a number: 1 − x stays."""
    if isinstance(factor, Call) and factor.function == "subtract":
        a, b = factor.arguments
        return None if isinstance(a, Number) else b - a
    return None


# Sums.
Polynomial = list[Monomial]


def terms(expression: Expression) -> list[Expression]:
    """The terms of a sum, differences and signs taken apart."""
    if isinstance(expression, Call):
        arguments = expression.arguments
        if expression.function in ("add", "sum"):
            return [term for argument in arguments for term in terms(argument)]
        if expression.function == "subtract":
            return [*terms(arguments[0]), *(-term for term in terms(arguments[1]))]
        if expression.function == "negative":
            return [-term for term in terms(arguments[0])]
    return [expression]


def expanded(expression: Expression, kept: frozenset[Expression] = frozenset()) -> Polynomial:
    """A formula as a sum of monomials; sums among the factors are multiplied out, except `kept`
    ones. An empty list where that would be too long."""
    total: Polynomial = []
    for term in terms(expression):
        monomial = product(term)
        sums = [
            (factor, exponent) for factor, exponent in monomial.factors.items()
            if exponent > 0 and factor not in kept and len(terms(factor)) > 1
        ]  # fmt: skip
        rest = Monomial(
            monomial.coefficient,
            {f: e for f, e in monomial.factors.items() if f not in {s for s, _ in sums}},
        )
        partial = [rest]
        for factor, exponent in sums:
            for _ in range(exponent):
                inner = expanded(factor, kept)
                if not inner or len(partial) * len(inner) > _MOST:
                    return []
                partial = [a.times(b) for a in partial for b in inner]
        total += partial
    return _like(total) if len(total) <= _MOST else []


def _like(polynomial: Polynomial) -> Polynomial:
    """Equal terms added."""
    found: dict[frozenset[tuple[Expression, int]], Monomial] = {}
    for monomial in polynomial:
        if monomial.key in found:
            total = _exact(found[monomial.key].coefficient + monomial.coefficient)
            found[monomial.key] = Monomial(total, monomial.factors)
        else:
            found[monomial.key] = monomial
    return [m for m in found.values() if m.coefficient] or [Monomial(Fraction(0))]


def summed(polynomial: Polynomial) -> Expression:
    """A sum as a formula: a common factor in front, the positive terms first."""
    if len(polynomial) == 1:
        return written(polynomial[0])
    common = _common(polynomial)
    inner = [m.times(common.inverse()) for m in polynomial]
    inner.sort(key=lambda m: m.coefficient < 0)
    if all(m.coefficient < 0 for m in inner):
        return written(common.times(Monomial(Fraction(-1), {_side_by_side(_negated(inner)): 1})))
    return written(common.times(Monomial(Fraction(1), {_side_by_side(inner): 1})))


def _negated(polynomial: Polynomial) -> Polynomial:
    return [Monomial(-m.coefficient, m.factors) for m in polynomial]


def _side_by_side(polynomial: Polynomial) -> Expression:
    first, *others = polynomial
    if len(others) == 1 and others[0].coefficient < 0 < first.coefficient:
        return written(first) - written(_negated(others)[0])
    return Call("sum", tuple(written(m) for m in polynomial))


def _common(polynomial: Polynomial) -> Monomial:
    """The factors that every term has."""
    first, *others = polynomial
    shared = {
        factor: min(m.factors.get(factor, 0) for m in polynomial)
        for factor, exponent in first.factors.items()
        if exponent > 0 and all(m.factors.get(factor, 0) > 0 for m in others)
    }
    sizes = {_size(m.coefficient) for m in polynomial}
    number = sizes.pop() if len(sizes) == 1 else Fraction(1)
    return Monomial(number, shared)


def size(expression: Expression) -> int:
    """How long a formula is."""
    joins = ("sum", "prod", "add", "subtract", "multiply", "negative")
    return sum(not (isinstance(p, Call) and p.function in joins) for p in parts(expression))


def softmax_in(expression: Expression) -> list[Expression]:
    """The quotients e^x / (e^x + e^y + …) in the terms of a formula."""
    found: dict[Expression, None] = {}
    for monomial in distributed(expression):
        factors = monomial.factors
        above = [f for f, e in factors.items() if e == 1 and _is_exp(f)]
        below = [f for f, e in factors.items() if e == -1 and all(map(_is_exp, terms(f)))]
        found |= {a / b: None for a in above for b in below if a in terms(b)}
    return list(found)


def _is_exp(part: Expression) -> bool:
    return isinstance(part, Call) and part.function == "exp"


def exponent_of(quotient: Expression) -> Expression:
    """The x of e^x / Σ e^…"""
    assert isinstance(quotient, Call)
    power = quotient.arguments[0]
    assert isinstance(power, Call)
    return power.arguments[0]


# The rewrites, in the order in which they are tried.
def inside_bounds(expression: Expression, value: Value) -> Expression:
    """max(x, c) = x where x lies above the number c, and min(x, c) = x where it lies below."""

    def change(part: Expression) -> Expression | None:
        if not (isinstance(part, Call) and part.function in ("max", "min")):
            return None
        x, *bounds = part.arguments
        if len(bounds) != 1 or not isinstance(bounds[0], Number):
            return None
        inner, bound = value(x), bounds[0].value
        inside = inner >= bound if part.function == "max" else inner <= bound
        return inside_bounds(x, value) if inside else None

    return replaced(expression, change)


def by_definition(expression: Expression, definitions: Mapping[Expression, Name]) -> Expression:
    """a / b = q in every term, where q is defined as a / b."""

    def renamed(monomial: Monomial) -> Monomial:
        for formula, name in definitions.items():
            defined = product(formula)
            if not defined.factors:
                continue  # a softmax of one unit: e^x / e^x
            while all(_has(monomial, f, e) for f, e in defined.factors.items()):
                monomial = monomial.times(defined.inverse()).times(Monomial(Fraction(1), {name: 1}))
        return monomial

    before = distributed(expression)
    after = [renamed(monomial) for monomial in before]
    changed = any(a.key != b.key for a, b in zip(before, after, strict=True))
    return summed_plain(_like(after)) if changed else expression


def distributed(expression: Expression) -> Polynomial:
    """The terms of a formula, multiplied out, but for sums that something is divided by."""
    below = {factor for factor in _denominators(expression) if len(terms(factor)) > 1}
    return expanded(expression, frozenset(below))


def _has(monomial: Monomial, factor: Expression, exponent: int) -> bool:
    there = monomial.factors.get(factor, 0)
    return there * exponent > 0 and abs(there) >= abs(exponent)


def tidied(expression: Expression) -> Expression:
    """Constants multiplied, signs in front, equal factors cancelled, in every term."""
    pieces = [written(product(term)) for term in terms(expression)]
    pieces = [piece for piece in pieces if piece != ZERO] or [ZERO]
    if len(pieces) == 2:
        pieces.sort(key=_is_negative)
    if len(pieces) == 1:
        return pieces[0]
    first, *others = pieces
    if len(others) == 1 and not _is_negative(first) and _is_negative(others[0]):
        rest: Expression = others[0].arguments[0]  # type: ignore[attr-defined]
        return first - rest
    return Call("sum", tuple(pieces))


def _is_negative(part: Expression) -> bool:
    return isinstance(part, Call) and part.function == "negative"


def collected(expression: Expression) -> Expression:
    """Multiplied out as far as that cancels something, and collected."""
    first = distributed(expression)
    if not first:
        return expression
    again = expanded(summed_plain(first))
    return min((*(summed(p) for p in (first, again) if p), gathered(first)), key=size)


def gathered(polynomial: Polynomial) -> Expression:
    """A sum in which the terms that share a factor stand together: p · (s + t) − s."""
    uses: dict[Expression, int] = {}
    for monomial in polynomial:
        for factor, exponent in monomial.factors.items():
            uses[factor] = uses.get(factor, 0) + (exponent > 0)
    shared = max(uses, key=uses.__getitem__, default=ONE)
    if not 1 < uses.get(shared, 0) < len(polynomial):
        return summed(polynomial)
    group = [m for m in polynomial if m.factors.get(shared, 0) > 0]
    others = [m for m in polynomial if m.factors.get(shared, 0) <= 0]
    return summed([product(summed(group)), *others])


def summed_plain(polynomial: Polynomial) -> Expression:
    """The terms as they are, without a common factor in front."""
    ordered = sorted(polynomial, key=lambda m: m.coefficient < 0)
    return written(ordered[0]) if len(ordered) == 1 else _side_by_side(ordered)


def _denominators(expression: Expression) -> set[Expression]:
    found = set()
    for part in parts(expression):
        if isinstance(part, Call) and part.function in ("divide", "reciprocal"):
            found |= set(product(part.arguments[-1]).factors)
    return found


def simplified(
    raw: Expression, value: Value, definitions: Mapping[Expression, Name]
) -> tuple[Rewrite, ...]:
    """The steps from a derivative as the rules say it to the formula that people write.

    `value` computes a formula at the numbers of the pass: a step that would change it, because a
    factor there is 0 or infinite, is not taken.
    """
    if not isinstance(raw, Call):
        return ()  # a name or a number is as short as it gets
    steps: list[Rewrite] = []
    formula: Expression = raw
    number = value(raw)
    for rule, changed in _attempts(raw, value, definitions):
        after = changed(formula)
        if after == formula or not _same(value(after), number):
            continue
        if rule == "collect" and not is_shorter(after, formula):
            continue
        steps.append(Rewrite(rule, after))
        formula = after
    return tuple(steps)


def _attempts(
    raw: Expression, value: Value, definitions: Mapping[Expression, Name]
) -> Iterable[tuple[str, Callable[[Expression], Expression]]]:
    yield "bounds", lambda f: inside_bounds(f, value)
    yield "definition", lambda f: by_definition(f, definitions)
    yield "constants and signs", tidied
    yield "collect", collected


def is_shorter(after: Expression, before: Expression) -> bool:
    """Shorter, or as long and with a factor in front of what were several terms."""
    lengths = size(after), size(before)
    return lengths[0] < lengths[1] or (
        lengths[0] == lengths[1] and len(terms(after)) < len(terms(before))
    )


def _same(a: float, b: float) -> bool:
    return isfinite(a) and isfinite(b) and isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)
