"""Methods that work on each element by itself.

Operands broadcast and are promoted as in PyTorch: whole numbers become the default floating type
where the function has real values.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import (
    DtypeError,
    NotAvailable,
    TraceError,
    TypeMismatch,
)
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.core.scope import scope
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.conversion import Conversion
from chalkgrad.tensor.operand import Operand, binary, common_shape, floating, real, same_type, spread

_NUMBERS = (bool, int, float, np.generic)


class Elementwise(Conversion):
    """Arithmetic, comparison, logic, selection and the elementary functions."""

    __slots__ = ()

    # Comparisons. What is neither a tensor nor a number is simply not equal, as in PyTorch.
    def __eq__(self, other: Any) -> Any:
        return _compared(e.equal, self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(e.not_equal, self, other)

    def __lt__(self, other: Any) -> Any:
        return _compared(e.less, self, other)

    def __le__(self, other: Any) -> Any:
        return _compared(e.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(e.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compared(e.greater_equal, self, other)

    __hash__ = object.__hash__

    def eq(input, other: Any) -> Self:
        """input = other, element by element, as bool."""
        return binary(e.equal, input, other)

    def ne(input, other: Any) -> Self:
        """input ≠ other, element by element, as bool."""
        return binary(e.not_equal, input, other)

    def lt(input, other: Any) -> Self:
        """input < other, element by element, as bool."""
        return binary(e.less, input, other)

    def le(input, other: Any) -> Self:
        """input ≤ other, element by element, as bool."""
        return binary(e.less_equal, input, other)

    def gt(input, other: Any) -> Self:
        """input > other, element by element, as bool."""
        return binary(e.greater, input, other)

    def ge(input, other: Any) -> Self:
        """input ≥ other, element by element, as bool."""
        return binary(e.greater_equal, input, other)

    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge

    # Logic.
    def logical_and(input, other: Any) -> Self:
        """Both not 0?"""
        return binary(e.logical_and, input, other)

    def logical_or(input, other: Any) -> Self:
        """Is one of them not 0?"""
        return binary(e.logical_or, input, other)

    def logical_xor(input, other: Any) -> Self:
        """Is exactly one of them not 0?"""
        return binary(e.logical_xor, input, other)

    def logical_not(input) -> Self:
        """Is the element 0?"""
        return bind(e.logical_not, (input,))

    def bitwise_and(input, other: Any) -> Self:
        """& of two bool tensors."""
        return _on_bools(e.logical_and, "&", input, other)

    def bitwise_or(input, other: Any) -> Self:
        """| of two bool tensors."""
        return _on_bools(e.logical_or, "|", input, other)

    def bitwise_xor(input, other: Any) -> Self:
        """^ of two bool tensors."""
        return _on_bools(e.logical_xor, "^", input, other)

    def bitwise_not(input) -> Self:
        """~ of a bool tensor; of whole numbers, −1 − x."""
        if input.node.dtype.kind == "b":
            return bind(e.logical_not, (input,))
        if input.node.dtype.kind == "i":
            return -1 - input
        raise TypeMismatch("~ (operator.invert) is only implemented on integer and Boolean-type tensors")

    __and__ = __rand__ = bitwise_and
    __or__ = __ror__ = bitwise_or
    __xor__ = __rxor__ = bitwise_xor
    __invert__ = bitwise_not

    # Arithmetic.
    def add(input, other: Any, *, alpha: Any = 1) -> Self:
        """input + alpha · other"""
        return binary(e.add, input, _times(alpha, other, input))

    def sub(input, other: Any, *, alpha: Any = 1) -> Self:
        """input − alpha · other"""
        return input - _times(alpha, other, input)

    def rsub(input, other: Any, *, alpha: Any = 1) -> Self:
        """other − alpha · input"""
        return input.operand(other) - _times(alpha, input, input)

    def mul(input, other: Any) -> Self:
        """input · other"""
        return binary(e.multiply, input, other)

    def div(input, other: Any, *, rounding_mode: str | None = None) -> Self:
        """input / other; with rounding_mode "floor" or "trunc" the quotient is rounded and keeps its type."""
        if rounding_mode is None:
            return input / other
        if rounding_mode == "floor":
            return input.floor_divide(other)
        if rounding_mode == "trunc":
            return _truncated_quotient(input, other)
        raise DtypeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"{rounding_mode!r}"
        )

    def true_divide(input, other: Any) -> Self:
        """input / other"""
        return input / other

    subtract, multiply, divide = sub, mul, div

    def floor_divide(input, other: Any) -> Self:
        """⌊input / other⌋"""
        return binary(piecewise.floor_divide, input, _divisor("floor_divide", input, other))

    def remainder(input, other: Any) -> Self:
        """input − other · ⌊input / other⌋: it has the sign of `other`."""
        return binary(piecewise.remainder, input, _divisor("remainder", input, other))

    def fmod(input, other: Any) -> Self:
        """The remainder of the quotient cut off towards zero: it has the sign of `input`."""
        return binary(piecewise.fmod, input, _divisor("fmod", input, other))

    __floordiv__ = floor_divide
    __mod__ = remainder

    def __sub__(self, other: Any) -> Self:
        if self.node.dtype.kind == "b" or (isinstance(other, Operand) and other.node.dtype.kind == "b"):
            _refuse_difference(self, other)
        return binary(e.subtract, self, other)

    def __rsub__(self, other: Any) -> Self:
        return self.operand(other) - self

    def __neg__(self) -> Self:
        if self.node.dtype.kind == "b":
            raise DtypeError(
                "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
                "invert a mask, use the `~` or `logical_not()` operator instead."
            )
        return bind(e.negative, (self,))

    def __pow__(self, other: Any) -> Self:
        if self.node.dtype.kind != "f":
            _refuse_two_bools("pow", self, other)
            if isinstance(other, int) and other < 0:
                raise DtypeError("Integers to negative integer powers are not allowed. Use .float() first.")
        return binary(e.power, self, other)

    def __rfloordiv__(self, other: Any) -> Self:
        return self.operand(other).floor_divide(self)

    def __rmod__(self, other: Any) -> Self:
        return self.operand(other).remainder(self)

    def __pos__(self) -> Self:
        return self.positive()

    def __abs__(self) -> Self:
        return self.abs()

    def pow(input, exponent: Any) -> Self:
        """input^exponent"""
        return input**exponent

    def float_power(input, exponent: Any) -> Self:
        """input^exponent, computed in float64."""
        kind = dtypes.float64.numpy
        return input.cast(kind) ** input.cast(kind).operand(exponent).cast(kind)

    def neg(input) -> Self:
        """−x"""
        return -input

    negative = neg

    def positive(input) -> Self:
        """x itself."""
        if input.node.dtype.kind == "b":
            raise DtypeError("The `+` operator, on a bool tensor is not supported.")
        return input

    def abs(input) -> Self:
        """|x|, whose slope at 0 is taken to be 0."""
        _refuse_bool("abs", input)
        return bind(e.absolute, (input,))

    absolute = abs

    def reciprocal(input) -> Self:
        """1 / x"""
        return bind(e.reciprocal, (real(input),))

    def square(input) -> Self:
        """x²"""
        return bind(e.square, (input,)) if input.node.dtype.kind != "b" else input.long().square()

    def addcmul(input, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Self:
        """input + value · tensor1 · tensor2"""
        _refuse_bool("addcmul", input)
        return input + _times(value, tensor1 * tensor2, input)

    def addcdiv(input, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Self:
        """input + value · tensor1 / tensor2"""
        if "f" not in (tensor1.node.dtype.kind, tensor2.node.dtype.kind):
            raise DtypeError("addcdiv divides whole numbers: convert one of them with .float() first")
        return input + _times(value, tensor1, tensor1) / tensor2

    def lerp(input, end: Any, weight: Any) -> Self:
        """input + weight · (end − input): the point between two tensors."""
        if end.node.dtype != input.node.dtype:
            raise DtypeError(f"expected dtype {input.node.dtype} for `end` but got dtype {end.node.dtype}")
        _refuse_whole("lerp", input)
        return input + weight * (end - input)

    # Exponentials, roots and logarithms.
    def exp(input) -> Self:
        """eˣ"""
        return bind(e.exp, (real(input),))

    def exp2(input) -> Self:
        """2ˣ"""
        return 2 ** real(input)

    def expm1(input) -> Self:
        """eˣ − 1, exact for small x."""
        return bind(e.expm1, (real(input),))

    def log(input) -> Self:
        """ln x"""
        return bind(e.log, (real(input),))

    def log2(input) -> Self:
        """ln x / ln 2"""
        return _logarithm(input, 2)

    def log10(input) -> Self:
        """ln x / ln 10"""
        return _logarithm(input, 10)

    def log1p(input) -> Self:
        """ln (1 + x), exact for small x."""
        return bind(e.log1p, (real(input),))

    def sqrt(input) -> Self:
        """√x"""
        return bind(e.sqrt, (real(input),))

    def rsqrt(input) -> Self:
        """1 / √x"""
        return bind(e.rsqrt, (real(input),))

    def xlogy(input, other: Any) -> Self:
        """input · ln other, and 0 where input is 0."""
        x, y = floating(input, other)
        with scope("xlogy"):
            beyond = (y <= 0).logical_or(y == math.inf)  # 0 · ∞ is taken to be 0
            return x * y.masked_fill((x == 0).logical_and(beyond), 1).log()

    def logaddexp(input, other: Any) -> Self:
        """ln (eᵃ + eᵇ), without overflow."""
        _tensor("logaddexp", other)
        _refuse_whole("logaddexp", input)
        with scope("logaddexp"):
            high = input.maximum(other)
            gap = -(input - other).abs()
            same = input == other  # ∞ − ∞ has no value, and needs none: the answer is a + ln 2
            return high + gap.masked_fill(same, 0).exp().log1p()

    # Trigonometric and hyperbolic functions.
    def sin(input) -> Self:
        """sin x, x in radians."""
        return bind(e.sin, (real(input),))

    def cos(input) -> Self:
        """cos x, x in radians."""
        return bind(e.cos, (real(input),))

    def tan(input) -> Self:
        """tan x, x in radians."""
        return bind(e.tan, (real(input),))

    def asin(input) -> Self:
        """The angle whose sine is x."""
        return bind(e.arcsin, (real(input),))

    def acos(input) -> Self:
        """The angle whose cosine is x."""
        return bind(e.arccos, (real(input),))

    def atan(input) -> Self:
        """The angle whose tangent is x."""
        return bind(e.arctan, (real(input),))

    def atan2(input, other: Any) -> Self:
        """The angle of the point (other, input)."""
        return binary(e.arctan2, *floating(input, _tensor("atan2", other)))

    def sinh(input) -> Self:
        """(eˣ − e⁻ˣ) / 2"""
        return bind(e.sinh, (real(input),))

    def cosh(input) -> Self:
        """(eˣ + e⁻ˣ) / 2"""
        return bind(e.cosh, (real(input),))

    def tanh(input) -> Self:
        """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)"""
        return bind(e.tanh, (real(input),))

    def asinh(input) -> Self:
        """The number whose sinh is x."""
        return bind(e.arcsinh, (real(input),))

    def acosh(input) -> Self:
        """The number whose cosh is x."""
        return bind(e.arccosh, (real(input),))

    def atanh(input) -> Self:
        """The number whose tanh is x."""
        return bind(e.arctanh, (real(input),))

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def hypot(input, other: Any) -> Self:
        """√(input² + other²)"""
        x, y = same_type(input, _tensor("hypot", other))
        _refuse_whole("hypot", x)
        with scope("hypot"):
            return (x * x + y * y).sqrt()

    def sinc(input) -> Self:
        """sin(πx) / (πx), and 1 at 0."""
        x = real(input) * math.pi
        with scope("sinc"):
            at_zero = x == 0
            return _chosen(at_zero, x.literal(1), x.sin() / x.masked_fill(at_zero, 1))

    def deg2rad(input) -> Self:
        """π x / 180"""
        return real(input) * (math.pi / 180)

    def rad2deg(input) -> Self:
        """180 x / π"""
        return real(input) * (180 / math.pi)

    # Functions of networks and of statistics.
    def sigmoid(input) -> Self:
        """1 / (1 + e⁻ˣ)"""
        return bind(e.sigmoid, (real(input),))

    def logit(input, eps: float | None = None) -> Self:
        """ln (x / (1 − x)): the inverse of the sigmoid. `eps` keeps x within [eps, 1 − eps]."""
        x = real(input)
        with scope("logit"):
            x = x if eps is None else x.clamp(eps, 1 - eps)
            return (x / (1 - x)).log()

    def relu(input) -> Self:
        """max(x, 0), whose slope at 0 is taken to be 0."""
        if input.node.dtype.kind == "b":
            raise DtypeError("Boolean inputs not supported for relu")
        return bind(e.relu, (input,))

    def erf(input) -> Self:
        """2/√π ∫₀ˣ e^(−t²) dt"""
        return bind(e.erf, (real(input),))

    def erfc(input) -> Self:
        """1 − erf x"""
        return bind(e.erfc, (real(input),))

    def erfinv(input) -> Self:
        """The number whose erf is x."""
        return bind(e.erfinv, (real(input),))

    # Signs and rounding: their gradient is 0 everywhere.
    def sign(input) -> Self:
        """−1, 0 or 1."""
        return input if input.node.dtype.kind == "b" else bind(e.sign, (input,))

    sgn = sign

    def signbit(input) -> Self:
        """Is the sign bit set (so −0.0 counts as negative)?"""
        if input.node.dtype.kind != "f":
            return input < 0
        return (input < 0).logical_or((input == 0).logical_and(input.reciprocal() < 0))

    def floor(input) -> Self:
        """The largest whole number ≤ x."""
        return _rounded(piecewise.floor, "floor", input)

    def ceil(input) -> Self:
        """The smallest whole number ≥ x."""
        return _rounded(piecewise.ceil, "ceil", input)

    def trunc(input) -> Self:
        """x without its fraction."""
        return _rounded(piecewise.trunc, "trunc", input)

    fix = trunc

    def round(input, *, decimals: int = 0) -> Self:
        """The nearest number with so many decimals; halves go to the even neighbour."""
        if decimals == 0:
            return _rounded(piecewise.round_, "round", input)
        _refuse_whole("round", input)
        if decimals < 0:
            return bind(piecewise.round_, (input / 10.0**-decimals,)) * 10.0**-decimals
        return bind(piecewise.round_, (input * 10.0**decimals,)) / 10.0**decimals

    def frac(input) -> Self:
        """x − trunc x"""
        _refuse_whole("frac", input)
        return input - bind(piecewise.trunc, (input,))

    def heaviside(input, values: Any) -> Self:
        """0 where x < 0, `values` where x = 0, 1 where x > 0."""
        if _tensor("heaviside", values).node.dtype != input.node.dtype:
            raise DtypeError("heaviside is not yet implemented for tensors with different dtypes.")
        return _chosen(input == 0, values, (input > 0).cast(input.node.dtype))

    def copysign(input, other: Any) -> Self:
        """|input| with the sign of `other`."""
        x, y = floating(input, other)
        magnitude = x.abs()
        return _chosen(y.signbit(), -magnitude, magnitude)

    # Bounds and selection.
    def maximum(input, other: Any) -> Self:
        """The larger of two elements; NaN where one of them is. Ties share the gradient."""
        return binary(piecewise.maximum, input, _tensor("maximum", other))

    def minimum(input, other: Any) -> Self:
        """The smaller of two elements; NaN where one of them is. Ties share the gradient."""
        return binary(piecewise.minimum, input, _tensor("minimum", other))

    def fmax(input, other: Any) -> Self:
        """The larger of two elements; a NaN loses against a number."""
        x, y = same_type(input, _tensor("fmax", other))
        return _chosen((x >= y).logical_or(y != y), x, y)

    def fmin(input, other: Any) -> Self:
        """The smaller of two elements; a NaN loses against a number."""
        x, y = same_type(input, _tensor("fmin", other))
        return _chosen((x <= y).logical_or(y != y), x, y)

    def clamp(input, min: Any = None, max: Any = None) -> Self:
        """x, but at least `min` and at most `max`. Within the bounds the gradient passes through.

        >>> import chalkgrad as torch
        >>> torch.tensor([-1.0, 0.5, 2.0]).clamp(0, 1)
        tensor([0.0000, 0.5000, 1.0000])
        """
        if min is None and max is None:
            raise DtypeError("torch.clamp: At least one of 'min' or 'max' must not be None")
        tensors = [isinstance(bound, Operand) for bound in (min, max) if bound is not None]
        if any(tensors):
            if not all(tensors):
                raise TypeMismatch("clamp() takes two numbers or two tensors as its bounds, not one of each")
            return _between(input, min, max)
        x = _with_bounds(input, min, max)
        return bind(piecewise.clip, (x,), {"low": min, "high": max})

    clip = clamp

    def clamp_min(input, min: Any) -> Self:
        """max(x, min)"""
        return input.clamp(min=min)

    def clamp_max(input, max: Any) -> Self:
        """min(x, max)"""
        return input.clamp(max=max)

    def where(self, condition: Any, other: Any) -> Self:
        """This tensor where the condition holds, elsewhere `other`."""
        return chosen(condition, self, other)

    def masked_fill(input, mask: Any, value: Any) -> Self:
        """`value` where the mask is True, elsewhere x."""
        if mask.node.dtype.kind != "b":
            raise DtypeError(f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}")
        if isinstance(value, Operand):
            if value.node.shape:
                raise DtypeError(
                    "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                    f"{len(value.node.shape)} dimension(s)."
                )
            value = value.cast(input.node.dtype)
        else:
            value = input.literal(value)
        return _chosen(mask, value, input)

    # Questions. A number that is not a number is the only one that differs from itself.
    def isnan(input) -> Self:
        """Is it NaN?"""
        return bind(e.not_equal, (input, input))

    def isinf(input) -> Self:
        """Is it ∞ or −∞?"""
        if input.node.dtype.kind != "f":
            return bind(e.not_equal, (input, input))
        return bind(e.absolute, (input,)) == math.inf

    def isfinite(input) -> Self:
        """Is it neither NaN nor infinite?"""
        if input.node.dtype.kind != "f":
            return bind(e.equal, (input, input))
        return bind(e.absolute, (input,)) < math.inf

    def isposinf(input) -> Self:
        """Is it ∞?"""
        return input == math.inf

    def isneginf(input) -> Self:
        """Is it −∞?"""
        return input == -math.inf

    def isclose(
        input, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> Self:
        """|input − other| ≤ atol + rtol · |other|, element by element."""
        if other.node.dtype != input.node.dtype:
            raise DtypeError(f"{input.node.dtype} did not match {other.node.dtype}")
        close = input == other
        if equal_nan:
            close = close.logical_or(input.isnan().logical_and(other.isnan()))
        if input.node.dtype.kind == "b":
            return close
        gap = (input - other).abs()
        within = gap <= atol + rtol * other.abs()
        return close.logical_or(within.logical_and(gap.isfinite()))

    def allclose(
        input, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> bool:
        """Are all elements close? True or False, so not inside a trace."""
        return bool(_numbers(input.isclose(other, rtol, atol, equal_nan), "allclose").all())

    def equal(input, other: Any) -> bool:
        """Same shape and equal elements? True or False, so not inside a trace."""
        same = input.node.shape == other.node.shape
        return same and bool(_numbers(input.eq(other), "equal").all())

    def nan_to_num(
        input, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
    ) -> Self:
        """NaN replaced (by 0), and the infinities (by the largest and the lowest number)."""
        if input.node.dtype.kind != "f":
            return input
        limits = np.finfo(input.node.dtype)
        out = input.masked_fill(input.isnan(), nan or 0.0)
        out = out.masked_fill(input == math.inf, float(limits.max) if posinf is None else posinf)
        return out.masked_fill(input == -math.inf, float(limits.min) if neginf is None else neginf)


def _compared(primitive: Primitive, a: Any, b: Any) -> Any:
    if isinstance(b, (Operand, *_NUMBERS)):
        return binary(primitive, a, b)
    return NotImplemented


def _on_bools(primitive: Primitive, symbol: str, a: Any, b: Any) -> Any:
    b = a.operand(b)
    for x in (a, b):
        if x.node.dtype.kind != "b":
            raise NotAvailable(f"{symbol} works on bool tensors; this one is {x.node.dtype}")
    return binary(primitive, a, b)


def _refuse_bool(name: str, x: Any) -> None:
    if x.node.dtype.kind == "b":
        raise NotAvailable(f"{name} is not implemented for bool tensors; convert with .long() first")


def _refuse_two_bools(name: str, a: Any, b: Any) -> None:
    if a.node.dtype.kind == "b" and a.operand(b).node.dtype.kind == "b":
        raise NotAvailable(f"{name} is not implemented for bool tensors; convert with .long() first")


def _refuse_difference(a: Any, b: Any) -> None:
    if a.node.dtype == a.operand(b).node.dtype:
        raise DtypeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    raise DtypeError(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert "
        "a mask, use the `~` or `logical_not()` operator instead."
    )


def _refuse_whole(name: str, x: Any) -> None:
    if x.node.dtype.kind != "f":
        raise NotAvailable(f"{name} is not implemented for {x.node.dtype}; convert with .float() first")


def _tensor(name: str, other: Any) -> Any:
    if isinstance(other, Operand):
        return other
    raise TypeMismatch(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")


def _times(factor: Any, x: Any, beside: Any) -> Any:
    """factor · x, for the `alpha` and `value` of a sum."""
    if factor == 1:
        return x
    logical = isinstance(x, Operand) and x.node.dtype.kind == beside.node.dtype.kind == "b"
    if logical and not isinstance(factor, float):
        return x.logical_and(bool(factor))
    whole = isinstance(x, int) or (isinstance(x, Operand) and x.node.dtype.kind != "f")
    if isinstance(factor, float) and whole and beside.node.dtype.kind != "f":
        raise DtypeError("For integral input tensors, argument alpha must not be a floating point number.")
    return x * factor


def _logarithm(x: Any, base: int) -> Any:
    with scope(f"log{base}"):
        return bind(e.log, (real(x),)) * (1 / math.log(base))


def _divisor(name: str, a: Any, b: Any) -> Any:
    """A divisor; a whole number must not be divided by 0."""
    _refuse_two_bools(name, a, b)
    if a.node.dtype.kind == "f" or isinstance(b, float):
        return b
    value = b.node.value if isinstance(b, Operand) else np.asarray(b)
    if value is not None and value.dtype.kind != "f" and not value.all() and 0 not in a.node.shape:
        raise DtypeError("ZeroDivisionError: a whole number is divided by 0")
    return b


def _truncated_quotient(a: Any, b: Any) -> Any:
    a, b = same_type(a, a.operand(b))
    if a.node.dtype.kind == "f":
        return bind(piecewise.trunc, (a / b,))
    return (a - a.fmod(b)).floor_divide(b)


def _rounded(primitive: Primitive, name: str, x: Any) -> Any:
    _refuse_bool(name, x)
    return bind(primitive, (x,)) if x.node.dtype.kind == "f" else bind(e.copy, (x,))


def _with_bounds(x: Any, low: Any, high: Any) -> Any:
    """x in the type in which its bounds are numbers too."""
    for bound in (low, high):
        if bound is not None:
            x = x.cast(same_type(x, x.operand(bound))[0].node.dtype)
    return x


def _between(x: Any, low: Any, high: Any) -> Any:
    for bound, beyond in ((low, e.less), (high, e.greater)):
        if bound is not None:
            value, bound = same_type(x, x.operand(bound))
            x = _chosen(binary(beyond, value, bound), bound, value)
    _refuse_bool("clamp", x)
    return x


def _numbers(x: Any, what: str) -> Any:
    if x.node.value is None:
        raise TraceError(f"{what} needs the numbers of a tensor, and a trace has none while it is built")
    return x.node.value


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, elsewhere b (torch.where with three arguments)."""
    if condition.node.dtype.kind != "b":
        raise DtypeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    return _chosen(condition, *_both(condition, a, b))


def _both(condition: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Two values of which one or both may be Python numbers."""
    like = a if isinstance(a, Operand) else b if isinstance(b, Operand) else condition
    return like.operand(a), like.operand(b)


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    a, b = same_type(a, b)
    shape = common_shape("where", common_shape("where", a.node.shape, b.node.shape), condition.node.shape)
    return bind(e.select, (spread(condition, shape), spread(a, shape), spread(b, shape)))
