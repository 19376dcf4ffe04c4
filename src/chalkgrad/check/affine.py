"""Numbers that are known to a few digits: affine arithmetic.

    Affine ::= center + Σ slopeᵢ·εᵢ + error·ε        every ε somewhere in [−1, 1]

Each εᵢ belongs to one number that somebody rounded, and stays with it through the computation: so
`a·(1 − a)` is as narrow as one `a` makes it, and a line that follows from rounded lines is judged
by what those roundings can do, never by a tolerance (de Figueiredo and Stolfi, Affine arithmetic,
2004). Beside it stand plain bounds, which are narrower where a function bends sharply, and the
`point`: what comes out of the displayed digits themselves.

A result that may be anything (a division by what may be 0, an overflow) has infinite bounds; it
raises nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from chalkgrad.check.curves import CURVES, STEPS, Curve, enclosed, quiet
from chalkgrad.formulas import Number
from chalkgrad.formulas.records import meaning

_symbols = count()
_ULP = 1e-15  # of each result, relative: a few roundings of a double
_LARGEST = 1.7e308


@dataclass(frozen=True, slots=True)
class Affine:
    """One number that is known within bounds."""

    point: float
    center: float
    slopes: Mapping[int, float] = field(default_factory=dict)
    error: float = 0.0
    low: float = -math.inf
    high: float = math.inf

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    @property
    def is_finite(self) -> bool:
        """Is anything known? (A result that may be infinite cannot be judged.)"""
        return self.high - self.low < math.inf

    @property
    def radius(self) -> float:
        return (self.high - self.low) / 2 if self.is_finite else math.inf

    def overlaps(self, low: float, high: float) -> bool:
        """Can the number be between these two, ends included?"""
        return self.low <= high and low <= self.high

    def holds(self, value: float) -> bool:
        """Can it be this number?"""
        return self.low <= value <= self.high


def exact(value: float) -> Affine:
    """A number that is not rounded."""
    return Affine(value, value, {}, 0.0, value, value)


def between(low: float, high: float, point: float) -> Affine:
    """A number of its own between two bounds; `point` is what was displayed.

    >>> a = between(0.595, 0.605, 0.60)
    >>> slope = multiply(a, subtract(exact(1.0), a))  # the same a twice
    >>> round(slope.point, 4), round(slope.low, 4), round(slope.high, 4)
    (0.24, 0.239, 0.241)
    """
    if not low < high:
        return exact(point)
    center, radius = (low + high) / 2, (high - low) / 2
    if not math.isfinite(radius):
        return Affine(point, 0.0, {}, math.inf, low, high)
    slack = _ULP * (abs(center) + radius)
    return Affine(point, center, {next(_symbols): radius}, slack, low, high)


def anything(point: float = math.nan) -> Affine:
    """A number of which nothing is known."""
    return Affine(point, 0.0, {}, math.inf)


def _made(
    point: float, center: float, slopes: dict[int, float], error: float,
    low: float = -math.inf, high: float = math.inf,
) -> Affine:  # fmt: skip
    """A result, with its bounds made as narrow as both forms allow, and rounded outward."""
    reach = sum(map(abs, slopes.values())) + error
    error += _ULP * (abs(center) + reach)
    reach += _ULP * (abs(center) + reach)
    if math.isnan(low) or math.isnan(high):
        low, high = -math.inf, math.inf
    low, high = min(low, _LARGEST), max(high, -_LARGEST)  # what overflows is larger than any number
    low, high = low - _ULP * abs(low), high + _ULP * abs(high)
    if math.isfinite(center) and math.isfinite(reach):
        low, high = max(low, center - reach), min(high, center + reach)
    elif high - low < math.inf:
        center, slopes, error = (low + high) / 2, {}, (high - low) / 2
    else:
        center, slopes, error = 0.0, {}, math.inf
    return Affine(point, center, slopes, error, low, high)


# Arithmetic. All of it is exact up to rounding, except for the product.


def _combined(a: Affine, b: Affine, by_a: float, by_b: float) -> tuple[dict[int, float], float]:
    """The slopes and the error of by_a·a + by_b·b."""
    slopes = {symbol: by_a * slope for symbol, slope in a.slopes.items()}
    for symbol, slope in b.slopes.items():
        slopes[symbol] = slopes.get(symbol, 0.0) + by_b * slope
    # 0 · ∞ is a number of which nothing is known
    error = sum(abs(by) * x.error if x.error else 0.0 for by, x in ((by_a, a), (by_b, b)))
    return slopes, error


def add(a: Affine, b: Affine) -> Affine:
    slopes, error = _combined(a, b, 1.0, 1.0)
    return _made(a.point + b.point, a.center + b.center, slopes, error, a.low + b.low,
                 a.high + b.high)  # fmt: skip


def negative(x: Affine) -> Affine:
    slopes = {symbol: -slope for symbol, slope in x.slopes.items()}
    return Affine(-x.point, -x.center, slopes, x.error, -x.high, -x.low)


def subtract(a: Affine, b: Affine) -> Affine:
    return add(a, negative(b))


def multiply(a: Affine, b: Affine) -> Affine:
    if a is b:
        return curve(CURVES["square"], a)
    slopes, error = _combined(a, b, b.center, a.center)
    reach_a = sum(map(abs, a.slopes.values())) + a.error
    reach_b = sum(map(abs, b.slopes.values())) + b.error
    if reach_a and reach_b:
        error += reach_a * reach_b
    ends = [x * y if x and y else 0.0 for x in (a.low, a.high) for y in (b.low, b.high)]
    return _made(quiet(lambda: a.point * b.point), a.center * b.center, slopes, error,
                 min(ends), max(ends))  # fmt: skip


def divide(a: Affine, b: Affine) -> Affine:
    found = multiply(a, curve(CURVES["reciprocal"], b))
    point = quiet(lambda: a.point / b.point)
    if a.is_exact and b.is_exact and math.isfinite(point):
        return exact(point)
    return Affine(point, found.center, found.slopes, found.error, found.low, found.high)


def power(a: Affine, b: Affine) -> Affine:
    """aᵇ: of an exact exponent a curve; else e^(b·log a), for which a must be positive."""
    point = quiet(lambda: a.point**b.point)
    if b.is_exact:
        n = b.low
        if n == 0:
            return exact(1.0)
        bends = (0.0,) if n == math.floor(n) else ()
        whole = n == math.floor(n)
        found = curve(
            Curve(
                lambda x: x**n,
                lambda x: n * x ** (n - 1),
                bends,
                -math.inf if whole else 0.0,
                pole=0.0 if n < 0 else None,
            ),
            a,
        )
    else:
        found = curve(CURVES["exp"], multiply(b, curve(CURVES["log"], a)))
    return Affine(point, found.center, found.slopes, found.error, found.low, found.high)


def curve(of: Curve, x: Affine) -> Affine:
    """A smooth function: the line α·x + ζ that is nearest to it between the bounds, ± δ."""
    point = quiet(lambda: of.value(x.point))
    low, high = max(x.low, of.low), min(x.high, of.high)
    if not low <= high:
        return anything(point)  # outside of where the function is defined
    if x.is_exact:
        return _single(quiet(lambda: of.value(low)))
    alpha, zeta, delta, least, most = enclosed(of, low, high)
    if not (math.isfinite(alpha) and math.isfinite(delta)) or not math.isfinite(x.error):
        return _made(point, 0.0, {}, math.inf, least, most)
    slopes = {symbol: alpha * slope for symbol, slope in x.slopes.items()}
    error = abs(alpha) * x.error + delta
    return _made(point, alpha * x.center + zeta, slopes, error, least, most)


def _single(value: float) -> Affine:
    """What comes out of an exact number: exact, too large, or nothing."""
    if math.isfinite(value):
        return exact(value)
    if math.isnan(value):
        return anything(value)
    return _made(value, 0.0, {}, math.inf, min(value, _LARGEST), max(value, -_LARGEST))


# Choices, bounds and steps.


def hull(*numbers: Affine, point: float) -> Affine:
    """Any of these numbers."""
    low, high = min(x.low for x in numbers), max(x.high for x in numbers)
    if all(x is numbers[0] for x in numbers):
        x = numbers[0]
        return Affine(point, x.center, x.slopes, x.error, x.low, x.high)
    return between(low, high, point) if low < high else exact(low)


def maximum(a: Affine, b: Affine) -> Affine:
    point = a.point if b.point < a.point else b.point
    if a.low >= b.high:
        return a
    if b.low >= a.high:
        return b
    apart = curve(CURVES["absolute"], subtract(a, b))
    half = multiply(exact(0.5), add(add(a, b), apart))
    low, high = max(a.low, b.low), max(a.high, b.high)
    return _made(point, half.center, dict(half.slopes), half.error, low, high)


def minimum(a: Affine, b: Affine) -> Affine:
    return negative(maximum(negative(a), negative(b)))


def clip(x: Affine, low: Affine, high: Affine | None = None) -> Affine:
    """Between two bounds; a bound that is not a number is none."""
    x = x if math.isnan(low.point) else maximum(x, low)
    return x if high is None or math.isnan(high.point) else minimum(x, high)


def step(of: Callable[[float], float], x: Affine) -> Affine:
    """A function that only ever rises, in steps."""
    point = quiet(lambda: of(x.point))
    if not x.is_finite:
        return anything(point)
    low, high = of(x.low), of(x.high)
    return exact(low) if low == high else between(low, high, point)


def _truth(yes: bool, no: bool, point: bool) -> Affine:
    """1 where it must be so, 0 where it cannot be, else either."""
    if yes or no:
        return exact(1.0 if yes else 0.0)
    return between(0.0, 1.0, float(point))


def less(a: Affine, b: Affine) -> Affine:
    d = subtract(a, b)
    return _truth(a.high < b.low or d.high < 0, a.low >= b.high, a.point < b.point)


def greater(a: Affine, b: Affine) -> Affine:
    return less(b, a)


def less_equal(a: Affine, b: Affine) -> Affine:
    return logical_not(less(b, a))


def greater_equal(a: Affine, b: Affine) -> Affine:
    return logical_not(less(a, b))


def equal(a: Affine, b: Affine) -> Affine:
    same = a is b or (a.is_exact and b.is_exact and a.low == b.low)
    return _truth(same, a.low > b.high or b.low > a.high, a.point == b.point)


def logical_not(x: Affine) -> Affine:
    return subtract(exact(1.0), x)


def logical_and(a: Affine, b: Affine) -> Affine:
    return minimum(a, b)


def logical_or(a: Affine, b: Affine) -> Affine:
    return maximum(a, b)


def logical_xor(a: Affine, b: Affine) -> Affine:
    return logical_not(equal(a, b))


def select(condition: Affine, a: Affine, b: Affine) -> Affine:
    if condition.low > 0:
        return a
    if condition.high <= 0:
        return b
    return hull(a, b, point=a.point if condition.point else b.point)


def floor_divide(a: Affine, b: Affine) -> Affine:
    return step(_floor, divide(a, b))


def remainder(a: Affine, b: Affine) -> Affine:
    """a − b·⌊a/b⌋: straight where the quotient's floor is one number."""
    times = floor_divide(a, b)
    if times.is_exact:
        return subtract(a, multiply(b, times))
    point = quiet(lambda: a.point % b.point)
    return _made(point, 0.0, {}, math.inf, min(b.low, 0.0), max(b.high, 0.0))


def fmod(a: Affine, b: Affine) -> Affine:
    """a − b·trunc(a/b)"""
    times = step(_trunc, divide(a, b))
    if times.is_exact:
        return subtract(a, multiply(b, times))
    reach = max(abs(b.low), abs(b.high))
    return _made(quiet(lambda: math.fmod(a.point, b.point)), 0.0, {}, math.inf, -reach, reach)


def arctan2(y: Affine, x: Affine) -> Affine:
    """The angle of a point: a quotient's arctangent to the right of 0, else anywhere."""
    point = quiet(lambda: math.atan2(y.point, x.point))
    if x.low > 0:
        found = curve(CURVES["arctan"], divide(y, x))
        return Affine(point, found.center, found.slopes, found.error, found.low, found.high)
    if x.is_exact and y.is_exact:
        return exact(point)
    return between(-math.pi, math.pi, point)


def _bound(value: float | None) -> float:
    """A number; a bound that is not there (of `clip`) is none."""
    return math.nan if value is None else float(value)


def _floor(x: float) -> float:
    return float(math.floor(x))


def _trunc(x: float) -> float:
    return float(math.trunc(x))


def _fold(of: Callable[[Affine, Affine], Affine], start: float) -> Callable[..., Affine]:
    def folded(*terms: Affine) -> Affine:
        if not terms:
            return exact(start)
        total = terms[0]
        for term in terms[1:]:
            total = of(total, term)
        return total

    return folded


def _same(x: Affine, *_: Affine) -> Affine:
    return x


OPERATIONS: dict[str, Callable[..., Affine]] = {
    "add": add, "subtract": subtract, "multiply": multiply, "divide": divide,
    "negative": negative, "power": power, "maximum": maximum, "minimum": minimum, "clip": clip,
    "less": less, "greater": greater, "less_equal": less_equal, "greater_equal": greater_equal,
    "equal": equal, "not_equal": lambda a, b: logical_not(equal(a, b)),
    "logical_not": logical_not, "logical_and": logical_and, "logical_or": logical_or,
    "logical_xor": logical_xor, "select": select, "floor_divide": floor_divide,
    "remainder": remainder, "fmod": fmod, "arctan2": arctan2, "cast": _same, "copy": _same,
    "sum": _fold(add, 0.0), "prod": _fold(multiply, 1.0),
    "max": _fold(maximum, -math.inf), "min": _fold(minimum, math.inf),
}  # fmt: skip


class Affines:
    """The arithmetic of numbers that are known within bounds, for `formulas.evaluate`.

    `read` says what a number that a person wrote stands for; without it, numbers are exact.
    """

    def __init__(self, read: Callable[[Number], Affine] | None = None) -> None:
        self.read = read

    def number(self, number: Number) -> Affine:
        if self.read is not None and number.written is not None:
            return self.read(number)
        return exact(_bound(number.value))

    def apply(self, function: str, arguments: Sequence[Affine]) -> Affine:
        name = function.partition(":")[0]
        if name in OPERATIONS:
            return OPERATIONS[name](*arguments)
        if name in CURVES:
            return curve(CURVES[name], arguments[0])
        if name in STEPS:
            return step(STEPS[name], arguments[0])
        if all(argument.is_exact for argument in arguments):
            return exact(quiet(lambda: float(meaning(function)(*(a.low for a in arguments)))))
        return anything()
