"""Functions of one element each: arithmetic, comparison, selection, exponentials and roots.

Operands have one shape, or are literals (no dimensions, no gradient). In a rule, `g` is the
gradient of the loss towards the output `out`; the rule returns the gradient towards one input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from chalkgrad.core.errors import DtypeError, ShapeError
from chalkgrad.core.graph import Array, ArrayType
from chalkgrad.core.index import Apply, Const, Formula, Read, axes
from chalkgrad.core.primitive import Domain, Notation, Primitive, Rule, called

BOOL = np.dtype(bool)
ANY, POSITIVE, AWAY = Domain(), Domain(0.2, 3.0), Domain(0.3, 1.9)  # AWAY: from 0
EVERYWHERE: dict[str, Primitive] = {}  # every elementwise record by name


def same_type(name: str, operands: Sequence[ArrayType], result: np.dtype[Any] | None) -> ArrayType:
    shapes = {o.shape for o in operands if o.shape}
    if len(shapes) > 1:
        raise ShapeError(f"{name} got shapes {' and '.join(str(list(s)) for s in sorted(shapes))}")
    values = operands[1:] if name == "select" else operands
    if len({o.dtype for o in values}) > 1:
        raise DtypeError(f"{name} got types {' and '.join(str(o.dtype) for o in values)}")
    return ArrayType(shapes.pop() if shapes else (), result or values[0].dtype)


def elementwise(
    name: str, numpy: Callable[..., Any], *vjp: Rule | None, reads: Notation | None = None,
    domain: Domain = ANY, result: np.dtype[Any] | None = None,
) -> Primitive:  # fmt: skip
    """The record of a function of single elements; its name is also its name in index notation."""

    def type_rule(*operands: ArrayType, **params: Any) -> ArrayType:
        return same_type(name, operands, params.get("dtype", result))

    def index(*operands: ArrayType, **params: Any) -> Formula:
        out = type_rule(*operands, **params)
        here = axes(len(out.shape))
        inputs = [Read(k, here if o.shape else ()) for k, o in enumerate(operands)]
        bounds = [Const(v) for key, v in params.items() if key != "dtype"]
        suffix = f":{params['dtype']}" if "dtype" in params else ""
        return Formula(out.shape, Apply(name + suffix, (*inputs, *bounds)))

    record = Primitive(name, numpy, type_rule, vjp, reads or called(name), index, domain)
    EVERYWHERE[name] = record
    return record


def infix(text: str, latex: str, binds: int) -> Notation:
    return Notation(f"{{0}} {text} {{1}}", f"{{0}} {latex} {{1}}", binds)


def comparison(name: str, text: str, latex: str) -> Primitive:
    reads = infix(text, latex, 0)
    return elementwise(name, getattr(np, name), None, None, reads=reads, result=BOOL)


def zero(like: Any) -> Any:
    """0 in the type of a handle."""
    return like.literal(0)


# fmt: off
# Arithmetic.
add = elementwise("add", np.add, lambda g, out, a, b: g, lambda g, out, a, b: g,
                  reads=infix("+", "+", 1))
subtract = elementwise("subtract", np.subtract, lambda g, out, a, b: g, lambda g, out, a, b: -g,
                       reads=infix("−", "-", 1))
multiply = elementwise("multiply", np.multiply, lambda g, out, a, b: g * b,
                       lambda g, out, a, b: g * a, reads=infix("·", r"\cdot", 2))
divide = elementwise("divide", np.true_divide, lambda g, out, a, b: g / b,
                     lambda g, out, a, b: -g * out / b, domain=AWAY,
                     reads=Notation("{0} / {1}", r"\frac{{{0}}}{{{1}}}", 2))
negative = elementwise("negative", np.negative, lambda g, out, x: -g,
                       reads=Notation("−{0}", "-{0}", 3))
reciprocal = elementwise("reciprocal", np.reciprocal, lambda g, out, x: -g * out * out,
                         reads=Notation("1 / {0}", r"\frac{{1}}{{{0}}}", 2), domain=AWAY)
square = elementwise("square", np.square, lambda g, out, x: g * 2 * x,
                     reads=Notation("{0}²", "{{{0}}}^2", 4))

# Comparison, logic and selection.
equal = comparison("equal", "=", "=")
not_equal = comparison("not_equal", "≠", r"\ne")
less = comparison("less", "<", "<")
less_equal = comparison("less_equal", "≤", r"\le")
greater = comparison("greater", ">", ">")
greater_equal = comparison("greater_equal", "≥", r"\ge")
logical_and = comparison("logical_and", "and", r"\wedge")
logical_or = comparison("logical_or", "or", r"\vee")
logical_xor = comparison("logical_xor", "xor", r"\oplus")
logical_not = elementwise("logical_not", np.logical_not, None, result=BOOL,
                          reads=Notation("not {0}", r"\neg {0}", 3))
select: Primitive = elementwise(
    "select", np.where, None, lambda g, out, c, a, b: select(c, g, zero(g)),
    lambda g, out, c, a, b: select(c, zero(g), g),
    reads=Notation("({1} if {0} else {2})", r"({1} \text{{ if }} {0} \text{{ else }} {2})"))

# Exponentials and roots.
exp = elementwise("exp", np.exp, lambda g, out, x: g * out,
                  reads=Notation("e^({0})", "e^{{{0}}}", 4))
expm1 = elementwise("expm1", np.expm1, lambda g, out, x: g * (out + 1))
log = elementwise("log", np.log, lambda g, out, x: g / x, reads=called("log", r"\log"),
                  domain=POSITIVE)
log1p = elementwise("log1p", np.log1p, lambda g, out, x: g / (x + 1), domain=Domain(-0.5, 3.0))
sqrt = elementwise("sqrt", np.sqrt, lambda g, out, x: g / (2 * out), domain=POSITIVE,
                   reads=Notation("√({0})", r"\sqrt{{{0}}}"))
rsqrt = elementwise("rsqrt", lambda x: np.reciprocal(np.sqrt(x)),
                    lambda g, out, x: -0.5 * g * out * out * out, domain=POSITIVE,
                    reads=Notation("1 / √({0})", r"\frac{{1}}{{\sqrt{{{0}}}}}", 2))


def _power_base(g: Any, out: Any, a: Any, b: Any) -> Any:
    n = b.node  # an exponent that stands in the formula itself spares the question whether it is 0
    if n.value is None or n.shape or n.tracked or n.owner is not None:
        return g * select(equal(b, zero(b)), zero(a), b * a ** (b - 1))
    number = n.value.item()
    return zero(g) * g if number == 0 else g * b * (a if number == 2 else a ** (number - 1))


power = elementwise("power", np.power, _power_base, lambda g, out, a, b: g * select(
                        logical_and(equal(a, zero(a)), greater_equal(b, zero(b))),
                        zero(a), out * log(a)),
                    reads=Notation("{0}^{1}", "{{{0}}}^{{{1}}}", 4), domain=AWAY)



@cache
def number(value: float, kind: np.dtype[Any]) -> Array:
    """A number as an array without dimensions: three times as fast in NumPy as a scalar."""
    return np.array(value, kind)


def _sigmoid(x: Array) -> Array:
    return np.reciprocal(np.add(np.exp(np.negative(x)), number(1, x.dtype)))


tanh = elementwise("tanh", np.tanh, lambda g, out, x: g * (1 - out * out),
                   reads=called("tanh", r"\tanh"))
sigmoid = elementwise("sigmoid", _sigmoid, lambda g, out, x: g * out * (1 - out),
                      reads=called("σ", r"\sigma"))

# Kinks, where the gradient is PyTorch's: 0. (There are more in piecewise.)
relu = elementwise("relu", lambda x: np.maximum(x, number(0, x.dtype)),
                   lambda g, out, x: select(greater(out, zero(out)), g, zero(g)))
# The sign of NaN is 0, as PyTorch has it.
sign = elementwise("sign", lambda x: np.subtract(x > 0, x < 0, dtype=x.dtype),
                   lambda g, out, x: zero(g) * g)
absolute = elementwise("absolute", np.absolute, lambda g, out, x: g * sign(x),
                       reads=Notation("|{0}|", r"\left|{0}\right|"))
cast: Primitive = elementwise("cast", lambda x, dtype: x.astype(dtype),
                              lambda g, out, x, dtype: cast(g, dtype=x.node.dtype))
copy = elementwise("copy", lambda x: x.copy(), lambda g, out, x: g, reads=Notation("{0}", "{0}"))
# fmt: on
