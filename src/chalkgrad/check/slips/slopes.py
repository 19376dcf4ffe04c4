"""Derivatives of formulas, right, and with one rule broken in a way in which people break it.

derivative(ln(1 + x²), x)      1/(1 + x²) · 2x
broken(…)                      the same with (x²)′ = x, with (x²)′ = 2, with ln′ u = u, …
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chalkgrad.formulas import ONE, ZERO, Call, Expression, Name, Number, parts

TWO, HALF = Number(2.0), Number(0.5)
Slope = Callable[[Expression, Sequence[Expression]], Expression]  # of (the call, its operands)


def call(function: str, *arguments: Expression) -> Expression:
    return Call(function, arguments)


def times(a: Expression, b: Expression) -> Expression:
    if ZERO in (a, b):
        return ZERO
    return b if a == ONE else a if b == ONE else a * b


def plus(a: Expression, b: Expression) -> Expression:
    return b if a == ZERO else a if b == ZERO else a + b


def squared(a: Expression) -> Expression:
    return call("square", a)


def _lowered(out: Expression, xs: Sequence[Expression]) -> Expression:
    """a^(b − 1)"""
    b = xs[1]
    lower: Expression = Number(b.value - 1) if isinstance(b, Number) else b - ONE
    return call("power", xs[0], lower)


def _where_positive(x: Expression) -> Expression:
    return call("select", call("greater", x, ZERO), ONE, ZERO)


RULES: dict[str, tuple[Slope, ...]] = {
    "add": (lambda out, x: ONE, lambda out, x: ONE),
    "subtract": (lambda out, x: ONE, lambda out, x: Number(-1.0)),
    "multiply": (lambda out, x: x[1], lambda out, x: x[0]),
    "divide": (lambda out, x: ONE / x[1], lambda out, x: -(x[0] / squared(x[1]))),
    "negative": (lambda out, x: Number(-1.0),),
    "reciprocal": (lambda out, x: -(ONE / squared(x[0])),),
    "square": (lambda out, x: TWO * x[0],),
    "power": (lambda out, x: x[1] * _lowered(out, x), lambda out, x: out * call("log", x[0])),
    "exp": (lambda out, x: out,),
    "log": (lambda out, x: ONE / x[0],),
    "bounded_log": (lambda out, x: ONE / x[0],),
    "log1p": (lambda out, x: ONE / (ONE + x[0]),),
    "sqrt": (lambda out, x: ONE / (TWO * out),),
    "sin": (lambda out, x: call("cos", x[0]),),
    "cos": (lambda out, x: -call("sin", x[0]),),
    "tanh": (lambda out, x: ONE - squared(out),),
    "sigmoid": (lambda out, x: out * (ONE - out),),
    "relu": (lambda out, x: _where_positive(x[0]),),
    "absolute": (lambda out, x: call("sign", x[0]),),
    "cast": (lambda out, x: ONE,),
    "copy": (lambda out, x: ONE,),
}

# (function, operand) -> what people write instead, and how it reads.
BROKEN: dict[tuple[str, int], tuple[tuple[str, Slope], ...]] = {
    ("subtract", 1): (("takes d(a − b)/db as +1", lambda out, x: ONE),),
    ("negative", 0): (("loses the minus of −x", lambda out, x: ONE),),
    ("multiply", 0): (("takes d(a · b)/da as a in place of b", lambda out, x: x[0]),),
    ("multiply", 1): (("takes d(a · b)/db as b in place of a", lambda out, x: x[1]),),
    ("divide", 0): (("takes d(a / b)/da as b", lambda out, x: x[1]),),
    ("divide", 1): (
        ("takes d(a / b)/db as a / b²", lambda out, x: x[0] / squared(x[1])),
        ("takes d(a / b)/db as 1 / b", lambda out, x: ONE / x[1]),
        ("takes d(a / b)/db as −a / b", lambda out, x: -(x[0] / x[1])),
        ("takes d(a / b)/db as a", lambda out, x: x[0]),
    ),
    ("reciprocal", 0): (
        ("takes (1/x)′ as 1/x²", lambda out, x: ONE / squared(x[0])),
        ("takes (1/x)′ as −1/x", lambda out, x: -(ONE / x[0])),
        ("takes (1/x)′ as ln x", lambda out, x: call("log", x[0])),
    ),
    ("square", 0): (
        ("takes (x²)′ as x", lambda out, x: x[0]),
        ("takes (x²)′ as 2", lambda out, x: TWO),
        ("takes (x²)′ as x²", lambda out, x: squared(x[0])),
        ("takes (x²)′ as 2x²", lambda out, x: TWO * squared(x[0])),
    ),
    ("power", 0): (
        ("does not bring the exponent down", _lowered),
        ("does not lower the exponent", lambda out, x: x[1] * out),
        ("does not differentiate the power", lambda out, x: out),
    ),
    ("exp", 0): (
        ("takes (e^x)′ as x", lambda out, x: x[0]),
        ("takes (e^x)′ as 1", lambda out, x: ONE),
        ("takes (e^x)′ as x · e^(x − 1)", lambda out, x: x[0] * call("exp", x[0] - ONE)),
    ),
    ("log", 0): (
        ("takes (ln x)′ as x", lambda out, x: x[0]),
        ("takes (ln x)′ as ln x", lambda out, x: out),
        ("takes (ln x)′ as 1", lambda out, x: ONE),
        ("takes (ln x)′ as 1/x²", lambda out, x: ONE / squared(x[0])),
    ),
    ("sqrt", 0): (
        ("takes (√x)′ as 1/√x", lambda out, x: ONE / out),
        ("takes (√x)′ as ½ √x", lambda out, x: HALF * out),
    ),
    ("sin", 0): (
        ("takes sin′ as −cos", lambda out, x: -call("cos", x[0])),
        ("takes sin′ as sin", lambda out, x: out),
    ),
    ("cos", 0): (
        ("takes cos′ as sin", lambda out, x: call("sin", x[0])),
        ("takes cos′ as cos", lambda out, x: out),
    ),
    ("tanh", 0): (
        ("takes tanh′ as 1 − a in place of 1 − a²", lambda out, x: ONE - out),
        ("takes tanh′ as 1 + a²", lambda out, x: ONE + squared(out)),
        ("takes tanh′ as a² − 1", lambda out, x: squared(out) - ONE),
        ("takes tanh′ as 1 − z² of the sum", lambda out, x: ONE - squared(x[0])),
        ("takes tanh′ as tanh", lambda out, x: out),
        ("takes tanh′ as a²", lambda out, x: squared(out)),
    ),
    ("sigmoid", 0): (
        ("takes σ′ as 1 − a in place of a (1 − a)", lambda out, x: ONE - out),
        ("multiplies by σ in place of σ′", lambda out, x: out),
        ("takes σ′ as z (1 − z) of the sum", lambda out, x: x[0] * (ONE - x[0])),
        ("takes σ′ as a (1 + a)", lambda out, x: out * (ONE + out)),
        ("takes σ′ as a (a − 1)", lambda out, x: out * (out - ONE)),
        ("takes σ′ as a²", lambda out, x: squared(out)),
        ("multiplies by the sum in place of σ′", lambda out, x: x[0]),
    ),
    ("relu", 0): (
        ("multiplies by the sum in place of the derivative of ReLU", lambda out, x: x[0]),
        ("multiplies by the output in place of the derivative of ReLU", lambda out, x: out),
        ("takes the derivative of ReLU as 1 although the sum is negative", lambda out, x: ONE),
        ("takes the derivative of ReLU as 0 although the sum is positive", lambda out, x: ZERO),
    ),
    ("absolute", 0): (("takes |x|′ as 1", lambda out, x: ONE),),
}
BROKEN["bounded_log", 0] = BROKEN["log", 0]


@dataclass(frozen=True)
class Place:
    """An operand of a call in a formula, where its rule may be broken."""

    call: Call
    operand: int


class NoRule(Exception):
    """A function whose derivative is not known here."""


def derivative(
    formula: Expression, by: Name, place: Place | None = None, instead: Slope | None = None
) -> Expression:
    """The derivative of a formula towards a name; at `place`, by the rule `instead`."""
    if formula == by:
        return ONE
    if not isinstance(formula, Call) or by not in parts(formula):
        return ZERO
    total: Expression = ZERO
    for k, argument in enumerate(formula.arguments):
        inner = derivative(argument, by, place, instead)
        if inner == ZERO:
            continue
        here = place is not None and formula is place.call and k == place.operand
        slope = instead if here else _rule(formula.function, k, len(formula.arguments))
        assert slope is not None
        total = plus(total, times(slope(formula, formula.arguments), inner))
    return total


def _rule(function: str, operand: int, count: int) -> Slope:
    name = function.partition(":")[0]
    if name == "sum":
        return lambda out, x: ONE
    if name == "prod":
        return lambda out, x: Call("prod", tuple(x[:operand]) + tuple(x[operand + 1 :]))
    if name == "select" and operand > 0:
        return lambda out, x: call("select", x[0], *((ONE, ZERO) if operand == 1 else (ZERO, ONE)))
    rules = RULES.get(name)
    if rules is None or operand >= len(rules):
        raise NoRule(name)
    return rules[operand]


def broken(formula: Expression, by: Name) -> Iterator[tuple[str, Expression]]:
    """Every derivative of a formula with one rule broken: how that reads, and what it gives."""
    try:
        for part in parts(formula):
            if not isinstance(part, Call) or by not in parts(part):
                continue
            for operand, argument in enumerate(part.arguments):
                if by not in parts(argument):
                    continue
                for words, slope in BROKEN.get((part.function, operand), ()):
                    yield words, derivative(formula, by, Place(part, operand), slope)
    except NoRule:
        return


def signed_terms(formula: Expression) -> list[Expression]:
    """The terms of a sum, with their signs."""
    if isinstance(formula, Call):
        if formula.function in ("add", "sum"):
            return [term for argument in formula.arguments for term in signed_terms(argument)]
        if formula.function == "subtract":
            a, b = formula.arguments
            return [*signed_terms(a), *(-term for term in signed_terms(b))]
        if formula.function == "negative":
            return [-term for term in signed_terms(formula.arguments[0])]
    return [formula]
