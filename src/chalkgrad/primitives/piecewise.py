"""Functions of one element each that are put together from pieces: bounds, choices and steps.

Their gradient at a kink is PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.graph import Array
from chalkgrad.core.primitive import Notation, Primitive, called
from chalkgrad.primitives.elementwise import (
    AWAY,
    POSITIVE,
    elementwise,
    equal,
    greater,
    greater_equal,
    infix,
    less,
    less_equal,
    logical_and,
    number,
    select,
    zero,
)


def share(wins: Primitive, a: Any, b: Any) -> Any:
    """1 where a wins against b, ½ where they tie, else 0."""
    return select(wins(a, b), a.literal(1), select(equal(a, b), a.literal(0.5), zero(a)))


def _clip(x: Array, low: float | None, high: float | None) -> Array:
    if low is not None:
        x = np.maximum(x, number(low, x.dtype))
    return x if high is None else np.minimum(x, number(high, x.dtype))


def _within(x: Any, low: float | None, high: float | None) -> Any:
    above = greater_equal(x, x.literal(-np.inf if low is None else low))
    return logical_and(above, less_equal(x, x.literal(np.inf if high is None else high)))


# fmt: off
minimum = elementwise("minimum", np.minimum, lambda g, out, a, b: g * share(less, a, b),
                      lambda g, out, a, b: g * share(less, b, a),
                      reads=Notation("min({0}, {1})", r"\min({0}, {1})"))
maximum = elementwise("maximum", np.maximum, lambda g, out, a, b: g * share(greater, a, b),
                      lambda g, out, a, b: g * share(greater, b, a),
                      reads=Notation("max({0}, {1})", r"\max({0}, {1})"))
clip = elementwise("clip", _clip,
                   lambda g, out, x, low, high: select(_within(x, low, high), g, zero(g)))

# PyTorch's binary cross-entropy bounds log from below by -100, and its slope by 1e12, so that a
# probability of exactly 0 gives a large loss and not an infinite one.
bounded_log = elementwise("bounded_log", lambda x: np.maximum(np.log(x), number(-100, x.dtype)),
                          lambda g, out, x: g / clip(x, low=1e-12, high=None),
                          reads=called("log", r"\log"), domain=POSITIVE)

# Steps: flat between, so that no gradient passes.
floor = elementwise("floor", np.floor, lambda g, out, x: zero(g) * g,
                    reads=Notation("⌊{0}⌋", r"\lfloor {0} \rfloor"))
ceil = elementwise("ceil", np.ceil, lambda g, out, x: zero(g) * g,
                   reads=Notation("⌈{0}⌉", r"\lceil {0} \rceil"))
round_ = elementwise("round", np.rint, lambda g, out, x: zero(g) * g)
trunc = elementwise("trunc", np.trunc, lambda g, out, x: zero(g) * g)

# What is left by a division, and the division. remainder has the divisor's sign, fmod the other's.
remainder = elementwise("remainder", np.remainder, lambda g, out, a, b: g,
                        lambda g, out, a, b: -g * floor(a / b), domain=AWAY,
                        reads=infix("mod", r"\bmod", 2))
fmod = elementwise("fmod", np.fmod, lambda g, out, a, b: g, lambda g, out, a, b: -g * trunc(a / b),
                   reads=infix("fmod", r"\operatorname{{fmod}}", 2), domain=AWAY)
floor_divide = elementwise("floor_divide", np.floor_divide, lambda g, out, a, b: zero(g) * g,
                           lambda g, out, a, b: zero(g) * g, domain=AWAY,
                           reads=infix("//", r"\div", 2))
# fmt: on
