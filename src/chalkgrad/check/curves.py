"""Functions of one number, and what lies between two bounds of each.

A curve is known by its value, its slope and the places where it stops bending one way. Between two
of those it is convex or concave, so the distance to any straight line is greatest at an end or at
the one place where the slopes agree, which bisection finds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from chalkgrad.core import special

Function = Callable[[float], float]
_HALVINGS = 24
_MOST_BENDS = 8  # beyond that, a periodic function takes every value that it has


@dataclass(frozen=True)
class Curve:
    """One function: its value, its slope, where it bends over, and where it is defined."""

    value: Function
    slope: Function
    bends: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    pole: float | None = None
    period: float | None = None  # of the bends
    poles: float | None = None  # the first of the poles of a periodic function
    reach: tuple[float, float] | None = None  # a periodic function's least and greatest value


def quiet(compute: Callable[[], float]) -> float:
    """A value, or what stands for there being none."""
    try:
        found = compute()
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan
    return math.nan if isinstance(found, complex) else float(found)


def _at(of: Function, x: float) -> float:
    return quiet(lambda: of(x))


def enclosed(of: Curve, low: float, high: float) -> tuple[float, float, float, float, float]:
    """(α, ζ, δ, least, most): α·x + ζ ± δ holds the curve between the bounds, which it leaves
    neither below `least` nor above `most`. All but the last two are infinite where it has a pole
    there or no end.
    """
    nothing = (math.inf, math.inf, math.inf)
    if of.pole is not None and low <= of.pole <= high:
        return *nothing, *_beside(of, low, high)
    if of.poles is not None and _meets_pole(of, low, high):
        return *nothing, -math.inf, math.inf
    bends = _bends(of, low, high)
    if bends is None:
        least, most = of.reach or (-math.inf, math.inf)
        return *nothing, least, most
    ends = [low, *bends, high]
    least, most = _extremes(of, ends, 0.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        return *nothing, least, most
    values = [_at(of.value, low), _at(of.value, high)]
    alpha = _secant(of, low, high, values)
    if not all(map(math.isfinite, (*values, alpha))):
        return *nothing, least, most
    under, over = _extremes(of, ends, alpha)
    scale = max(abs(values[0]), abs(values[1]), abs(alpha * low), abs(alpha * high))
    return alpha, (under + over) / 2, (over - under) / 2 + 1e-15 * scale, least, most


def _beside(of: Curve, low: float, high: float) -> tuple[float, float]:
    """The bounds of a curve with a pole that is an end, or nothing where it lies between."""
    if low == high or low < (of.pole or 0.0) < high:
        return -math.inf, math.inf
    far, near = (high, low) if low == of.pole else (low, high)
    value = _at(of.value, far)
    toward = _at(of.value, near + (far - near) * 1e-9)
    return (value, math.inf) if toward > value else (-math.inf, value)


def _meets_pole(of: Curve, low: float, high: float) -> bool:
    """Is one of the poles of a periodic function between the bounds?"""
    assert of.poles is not None
    assert of.period is not None
    if not high - low < of.period:
        return True
    return of.poles + of.period * math.ceil((low - of.poles) / of.period) <= high


def _bends(of: Curve, low: float, high: float) -> list[float] | None:
    """Where it bends over between the bounds; None where that is too often."""
    if of.period is None:
        return [bend for bend in of.bends if low < bend < high]
    if not high - low < of.period * _MOST_BENDS:
        return None
    first = math.ceil((low - of.bends[0]) / of.period)
    places = (of.bends[0] + of.period * (first + k) for k in range(_MOST_BENDS + 1))
    return [place for place in places if low < place < high]


def _secant(of: Curve, low: float, high: float, values: list[float]) -> float:
    """The slope of the line through the ends, or in the middle where the ends are too near."""
    if high - low > 1e-7 * max(abs(low), abs(high)):
        return (values[1] - values[0]) / (high - low)
    return _at(of.slope, (low + high) / 2)


def _extremes(of: Curve, ends: list[float], alpha: float) -> tuple[float, float]:
    """The least and the greatest distance of the curve above α·x."""
    found = []
    for x in (*ends, *_stationary(of, ends, alpha)):
        value = _limit(of, x) if alpha == 0 else _at(of.value, x) - alpha * x
        if math.isnan(value):
            return -math.inf, math.inf
        found.append(value)
    return min(found), max(found)


def _limit(of: Curve, x: float) -> float:
    """The value at a bound, which may be infinite: a number of this size stands for it."""
    if math.isinf(x):
        x = math.copysign(1e300, x)
    value = _at(of.value, x)
    if math.isnan(value) and x == of.low:
        return -math.inf  # log at 0
    return value


def _stationary(of: Curve, ends: list[float], alpha: float) -> Iterator[float]:
    """Where the slope is α, at most once between two neighbouring bends."""
    for low, high in pairwise(ends):
        low, high = max(low, -1e300), min(high, 1e300)
        before = _steepness(of, low, high, alpha)
        after = _steepness(of, high, low, alpha)
        if not before * after < 0:
            continue
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            here = _at(of.slope, middle) - alpha
            low, high = (low, middle) if here * after > 0 else (middle, high)
        yield low
        yield high


def _steepness(of: Curve, x: float, other: float, alpha: float) -> float:
    """The slope at an end; just beside it where it has none there, as √x at 0."""
    slope = _at(of.slope, x)
    if math.isnan(slope):
        slope = _at(of.slope, x + (other - x) * 1e-9)
    return slope - alpha


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _sigmoid_slope(x: float) -> float:
    return _sigmoid(x) * _sigmoid(-x)


def _erfinv(y: float) -> float:
    return float(special.erfinv(np.array([y]))[0])


def _sech2(x: float) -> float:
    return math.cosh(x) ** -2 if abs(x) < 350 else 0.0


_PEAK = 2 / math.sqrt(math.pi)  # of erf's slope
_PI, _HALF = math.pi, math.pi / 2

CURVES: dict[str, Curve] = {
    "reciprocal": Curve(lambda x: 1 / x, lambda x: -1 / (x * x), (0.0,), pole=0.0),
    "square": Curve(lambda x: x * x, lambda x: 2 * x),
    "exp": Curve(math.exp, math.exp),
    "expm1": Curve(math.expm1, math.exp),
    "log": Curve(math.log, lambda x: 1 / x, low=0.0),
    "log1p": Curve(math.log1p, lambda x: 1 / (1 + x), low=-1.0),
    "bounded_log": Curve(lambda x: max(math.log(x), -100.0) if x > 0 else -100.0,
                         lambda x: 1 / x if x > math.exp(-100) else 0.0, (math.exp(-100),), 0.0),
    "sqrt": Curve(math.sqrt, lambda x: 0.5 / math.sqrt(x), low=0.0),
    "rsqrt": Curve(lambda x: 1 / math.sqrt(x), lambda x: -0.5 * x**-1.5, low=0.0, pole=0.0),
    "tanh": Curve(math.tanh, _sech2, (0.0,)),
    "sigmoid": Curve(_sigmoid, _sigmoid_slope, (0.0,)),
    "relu": Curve(lambda x: max(x, 0.0), lambda x: 1.0 if x > 0 else 0.0, (0.0,)),
    "absolute": Curve(abs, lambda x: math.copysign(1.0, x) if x else 0.0, (0.0,)),
    "sin": Curve(math.sin, math.cos, (0.0,), period=_PI, reach=(-1.0, 1.0)),
    "cos": Curve(math.cos, lambda x: -math.sin(x), (_HALF,), period=_PI, reach=(-1.0, 1.0)),
    "tan": Curve(math.tan, lambda x: 1 + math.tan(x) ** 2, (0.0,), period=_PI, poles=_HALF),
    "arcsin": Curve(math.asin, lambda x: 1 / math.sqrt(1 - x * x), (0.0,), -1.0, 1.0),
    "arccos": Curve(math.acos, lambda x: -1 / math.sqrt(1 - x * x), (0.0,), -1.0, 1.0),
    "arctan": Curve(math.atan, lambda x: 1 / (1 + x * x), (0.0,)),
    "sinh": Curve(math.sinh, math.cosh, (0.0,)),
    "cosh": Curve(math.cosh, math.sinh),
    "arcsinh": Curve(math.asinh, lambda x: 1 / math.sqrt(1 + x * x), (0.0,)),
    "arccosh": Curve(math.acosh, lambda x: 1 / math.sqrt(x * x - 1), low=1.0),
    "arctanh": Curve(math.atanh, lambda x: 1 / (1 - x * x), (0.0,), -1.0, 1.0),
    "erf": Curve(math.erf, lambda x: _PEAK * math.exp(-x * x), (0.0,)),
    "erfc": Curve(math.erfc, lambda x: -_PEAK * math.exp(-x * x), (0.0,)),
    "erfinv": Curve(_erfinv, lambda y: math.exp(_erfinv(y) ** 2) / _PEAK, (0.0,), -1.0, 1.0),
}  # fmt: skip

STEPS: dict[str, Function] = {  # they only ever rise
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
    "round": lambda x: float(round(x)),
    "trunc": lambda x: float(math.trunc(x)),
    "sign": lambda x: float((x > 0) - (x < 0)),
}
