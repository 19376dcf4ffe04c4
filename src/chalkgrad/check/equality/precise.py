"""High precision: sixty digits and bounded exponents, so that 9^9^9^9 overflows at once.

Python's own decimal numbers: exp, log, roots and powers are correctly rounded there, in C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from functools import cache
from typing import Any

from chalkgrad.formulas import Number

DIGITS = 60  # of which fifty are trusted
LARGEST_ANGLE = Decimal(10**6)
CONTEXT = Context(
    prec=DIGITS,
    Emax=10**5,
    Emin=-(10**5),
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)
TINY = Decimal(10) ** -(DIGITS + 5)  # where a series ends
Undefined = (InvalidOperation, DivisionByZero)


class Unjudged(Exception):
    """A formula that cannot be computed: a function that is not known here."""


class Precise:
    """Decimal arithmetic that remembers the largest number on the way: errors are a part of it."""

    def __init__(self) -> None:
        self.scale = ZERO

    def number(self, number: Number) -> Decimal:
        return self.seen(exact(number))

    def apply(self, function: str, arguments: Sequence[Any]) -> Any:
        compute = FUNCTIONS.get(function.partition(":")[0])
        if compute is None:
            raise Unjudged(f"{function} is not computed to many digits")
        result = compute(*arguments)
        return self.seen(result) if isinstance(result, Decimal) else result

    def seen(self, value: Decimal) -> Decimal:
        size = value.copy_abs()
        if size > self.scale:
            self.scale = size
        return value


def exact(number: Number) -> Decimal:
    """A number as it was written: 0.1 is a tenth, and 1/3 is no float."""
    if isinstance(number.value, bool):
        return Decimal(int(number.value))
    fraction = written(number)
    return CONTEXT.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))


def written(number: Number) -> Fraction:
    """The number that a person wrote, or the shortest decimal that is this float."""
    if number.written is not None:
        try:
            fraction = Fraction(number.written)
            if abs(fraction - Fraction(number.value)) <= abs(fraction) * Fraction(1, 10**12):
                return fraction
        except (ValueError, ZeroDivisionError):
            pass  # a name, as π
    return Fraction(repr(float(number.value)))


def _total(*terms: Decimal) -> Decimal:
    total = ZERO
    for term in terms:
        total = CONTEXT.add(total, term)
    return total


def _product(*factors: Decimal) -> Decimal:
    product = ONE
    for factor in factors:
        product = CONTEXT.multiply(product, factor)
    return product


def _sigmoid(x: Decimal) -> Decimal:
    if x < 0:  # e^−x may overflow where sigmoid is merely small
        grown = _exp(x)
        return CONTEXT.divide(grown, CONTEXT.add(ONE, grown))
    return CONTEXT.divide(ONE, CONTEXT.add(ONE, _exp(CONTEXT.minus(x))))


def _exp(x: Decimal) -> Decimal:
    return CONTEXT.exp(x)


def _tanh(x: Decimal) -> Decimal:
    return CONTEXT.subtract(CONTEXT.multiply(TWO, _sigmoid(CONTEXT.multiply(TWO, x))), ONE)


def _log(x: Decimal) -> Decimal:
    if x <= 0:
        raise InvalidOperation
    return CONTEXT.ln(x)


def _half(first: Decimal, sign: Decimal, second: Decimal) -> Decimal:
    return CONTEXT.divide(CONTEXT.add(first, CONTEXT.multiply(sign, second)), TWO)


def _hyperbolic(sign: int) -> Callable[[Decimal], Decimal]:
    return lambda x: _half(_exp(x), Decimal(sign), _exp(CONTEXT.minus(x)))


@cache
def pi() -> Decimal:
    """π by Machin's formula: 16 arctan 1/5 − 4 arctan 1/239."""
    return CONTEXT.subtract(
        CONTEXT.multiply(Decimal(16), _arctan_of_inverse(5)),
        CONTEXT.multiply(Decimal(4), _arctan_of_inverse(239)),
    )


def _arctan_of_inverse(n: int) -> Decimal:
    power, total, k = CONTEXT.divide(ONE, Decimal(n)), ZERO, 0
    while power > TINY:
        term = CONTEXT.divide(power, Decimal(2 * k + 1))
        total = CONTEXT.add(total, term.copy_negate() if k % 2 else term)
        power, k = CONTEXT.divide(power, Decimal(n * n)), k + 1
    return total


def _sin(x: Decimal) -> Decimal:
    return _wave(x, 1)


def _cos(x: Decimal) -> Decimal:
    return _wave(x, 0)


def _wave(x: Decimal, first: int) -> Decimal:
    """The series of sin (first = 1) or cos (first = 0), of an angle brought into one turn."""
    if x.copy_abs() > LARGEST_ANGLE:
        raise InvalidOperation
    x = CONTEXT.remainder_near(x, CONTEXT.multiply(TWO, pi()))
    square, term, total, k = CONTEXT.multiply(x, x), x if first else ONE, ZERO, first
    while term.copy_abs() > TINY:
        total = CONTEXT.add(total, term)
        k += 2
        term = CONTEXT.divide(CONTEXT.multiply(term.copy_negate(), square), Decimal(k * (k - 1)))
    return total


def _erf(x: Decimal) -> Decimal:
    """2/√π Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), where its terms do not cancel beyond ten digits."""
    if x.copy_abs() > 3:
        raise InvalidOperation
    square, term, total, n = CONTEXT.multiply(x, x), x, ZERO, 0
    while term.copy_abs() > TINY:
        total = CONTEXT.add(total, CONTEXT.divide(term, Decimal(2 * n + 1)))
        n += 1
        term = CONTEXT.divide(CONTEXT.multiply(term.copy_negate(), square), Decimal(n))
    return CONTEXT.divide(CONTEXT.multiply(TWO, total), CONTEXT.sqrt(pi()))


def _clip(x: Decimal, low: Decimal | None, high: Decimal | None = None) -> Decimal:
    x = x if low is None else max(x, low)
    return x if high is None else min(x, high)


def _identity(x: Decimal) -> Decimal:
    return x


def _sign(x: Decimal) -> Decimal:
    return Decimal((x > 0) - (x < 0))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": CONTEXT.add, "subtract": CONTEXT.subtract, "multiply": CONTEXT.multiply,
    "divide": CONTEXT.divide, "negative": CONTEXT.minus, "sum": _total, "prod": _product,
    "reciprocal": lambda x: CONTEXT.divide(ONE, x), "square": lambda x: CONTEXT.multiply(x, x),
    "power": CONTEXT.power, "exp": _exp, "expm1": lambda x: CONTEXT.subtract(_exp(x), ONE),
    "log": _log, "log1p": lambda x: _log(CONTEXT.add(ONE, x)), "sqrt": CONTEXT.sqrt,
    "bounded_log": lambda x: max(_log(x), Decimal(-100)),
    "rsqrt": lambda x: CONTEXT.divide(ONE, CONTEXT.sqrt(x)),
    "sin": _sin, "cos": _cos, "tan": lambda x: CONTEXT.divide(_sin(x), _cos(x)),
    "sinh": _hyperbolic(-1), "cosh": _hyperbolic(1), "tanh": _tanh, "sigmoid": _sigmoid,
    "erf": _erf, "relu": lambda x: max(x, ZERO), "absolute": lambda x: x.copy_abs(), "sign": _sign,
    "max": max, "min": min, "maximum": max, "minimum": min, "clip": _clip,
    "cast": _identity, "copy": _identity,
    "select": lambda c, a, b: a if c else b,
    "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b,
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
    "logical_and": lambda a, b: bool(a) and bool(b), "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b), "logical_not": lambda a: not a,
}  # fmt: skip
