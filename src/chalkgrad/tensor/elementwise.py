"""Methods that work on each element by itself.

Operands broadcast and are promoted as in PyTorch: whole numbers become the default floating type
where the function has real values.
"""

from __future__ import annotations

import math
from typing import Any, Self, TypeVar

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
from chalkgrad.primitives import piecewise, transcendental
from chalkgrad.tensor.comparison import Comparison
from chalkgrad.tensor.operand import (
    Operand,
    binary,
    common_shape,
    floating,
    real,
    same_type,
    spread,
)

T = TypeVar("T", bound="Elementwise")


class Elementwise(Comparison):
    """Arithmetic, the elementary functions, bounds and selection."""

    __slots__ = ()

    # Arithmetic.
    def add(input, other: Any, *, alpha: Any = 1) -> Self:
        """input + alpha · other

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0]).add(torch.tensor([1.0, 1.0]), alpha=10)
        tensor([11., 12.])
        """
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
        """input / other; with rounding_mode "floor" or "trunc", rounded in the operands' type.

        >>> import chalkgrad as torch
        >>> torch.tensor([7, -7]).div(2, rounding_mode="trunc")
        tensor([ 3, -3])
        """
        if rounding_mode is None:
            return input.__truediv__(other)
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
        return input.__truediv__(other)

    subtract, multiply, divide = sub, mul, div

    def floor_divide(input, other: Any) -> Self:
        """⌊input / other⌋"""
        return binary(piecewise.floor_divide, input, _divisor("floor_divide", input, other))

    def remainder(input, other: Any) -> Self:
        """input − other · ⌊input / other⌋: it has the sign of `other`.

        >>> import chalkgrad as torch
        >>> torch.tensor([-3, 3]).remainder(2)
        tensor([1, 1])
        """
        return binary(piecewise.remainder, input, _divisor("remainder", input, other))

    def fmod(input, other: Any) -> Self:
        """The remainder of the quotient cut off towards zero: it has the sign of `input`."""
        return binary(piecewise.fmod, input, _divisor("fmod", input, other))

    __floordiv__ = floor_divide
    __mod__ = remainder

    def __sub__(self, other: Any) -> Self:
        if self.node.dtype.kind == "b" or (
            isinstance(other, Operand) and other.node.dtype.kind == "b"
        ):
            _refuse_difference(self, other)
        return binary(e.subtract, self, other)

    def __rsub__(self, other: Any) -> Self:
        return self.operand(other) - self

    def __neg__(self) -> Self:
        if self.node.dtype.kind == "b":
            raise DtypeError(
                "Negation, the `-` operator, on a bool tensor is not supported. If you are "
                "trying to invert a mask, use the `~` or `logical_not()` operator instead."
            )
        return bind(e.negative, (self,))

    def __pow__(self, other: Any) -> Self:
        if self.node.dtype.kind != "f":
            _refuse_two_bools("pow", self, other)
            if isinstance(other, int) and other < 0:
                raise DtypeError(
                    "Integers to negative integer powers are not allowed. Use .float() first."
                )
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
        """input^exponent

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0, 3.0]).pow(2)
        tensor([1., 4., 9.])
        """
        return input.__pow__(exponent)

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
        """|x|, whose slope at 0 is taken to be 0.

        >>> import chalkgrad as torch
        >>> torch.tensor([-1.0, 2.0]).abs()
        tensor([1., 2.])
        """
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
            raise DtypeError(
                "addcdiv divides whole numbers: convert one of them with .float() first"
            )
        quotient: Self = _times(value, tensor1, tensor1) / tensor2
        return input + quotient

    def lerp(input, end: Any, weight: Any) -> Self:
        """input + weight · (end − input): the point between two tensors.

        >>> import chalkgrad as torch
        >>> torch.tensor([0.0, 10.0]).lerp(torch.tensor([1.0, 20.0]), 0.5)
        tensor([ 0.5000, 15.0000])
        """
        if end.node.dtype != input.node.dtype:
            raise DtypeError(
                f"expected dtype {input.node.dtype} for `end` but got dtype {end.node.dtype}"
            )
        _refuse_whole("lerp", input)
        step: Self = weight * (end - input)
        return input + step

    # Exponentials, roots and logarithms.
    def exp(input) -> Self:
        """eˣ

        >>> import chalkgrad as torch
        >>> torch.tensor([0.0, 1.0]).exp()
        tensor([1.0000, 2.7183])
        """
        return bind(e.exp, (real(input),))

    def exp2(input) -> Self:
        """2ˣ"""
        return 2 ** real(input)

    def expm1(input) -> Self:
        """eˣ − 1, exact for small x."""
        return bind(e.expm1, (real(input),))

    def log(input) -> Self:
        """ln x

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 10.0]).log()
        tensor([0.0000, 2.3026])
        """
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
        """√x

        >>> import chalkgrad as torch
        >>> torch.tensor([4.0, 2.0]).sqrt()
        tensor([2.0000, 1.4142])
        """
        return bind(e.sqrt, (real(input),))

    def rsqrt(input) -> Self:
        """1 / √x"""
        return bind(e.rsqrt, (real(input),))

    def xlogy(input, other: Any) -> Self:
        """input · ln other, and 0 where input is 0."""
        x, y = floating(input, other)
        with scope("xlogy"):
            beyond = (y <= 0).logical_or(y.eq(math.inf))  # 0 · ∞ is taken to be 0
            return x * y.masked_fill(x.eq(0).logical_and(beyond), 1).log()

    def logaddexp(input, other: Any) -> Self:
        """ln (eᵃ + eᵇ), without overflow."""
        _tensor("logaddexp", other, input)
        _refuse_whole("logaddexp", input)
        with scope("logaddexp"):
            high = input.maximum(other)
            gap = -(input - input.operand(other)).abs()
            same = input.eq(other)  # ∞ − ∞ has no value, and needs none: the answer is a + ln 2
            return high + gap.masked_fill(same, 0).exp().log1p()

    # Trigonometric and hyperbolic functions.
    def sin(input) -> Self:
        """sin x, x in radians."""
        return bind(transcendental.sin, (real(input),))

    def cos(input) -> Self:
        """cos x, x in radians."""
        return bind(transcendental.cos, (real(input),))

    def tan(input) -> Self:
        """tan x, x in radians."""
        return bind(transcendental.tan, (real(input),))

    def asin(input) -> Self:
        """The angle whose sine is x."""
        return bind(transcendental.arcsin, (real(input),))

    def acos(input) -> Self:
        """The angle whose cosine is x."""
        return bind(transcendental.arccos, (real(input),))

    def atan(input) -> Self:
        """The angle whose tangent is x."""
        return bind(transcendental.arctan, (real(input),))

    def atan2(input, other: Any) -> Self:
        """The angle of the point (other, input).

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0]).atan2(torch.tensor([-1.0]))
        tensor([2.3562])
        """
        return binary(transcendental.arctan2, *floating(input, _tensor("atan2", other, input)))

    def sinh(input) -> Self:
        """(eˣ − e⁻ˣ) / 2"""
        return bind(transcendental.sinh, (real(input),))

    def cosh(input) -> Self:
        """(eˣ + e⁻ˣ) / 2"""
        return bind(transcendental.cosh, (real(input),))

    def tanh(input) -> Self:
        """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)

        >>> import chalkgrad as torch
        >>> torch.tensor([-1.0, 0.0, 1.0]).tanh()
        tensor([-0.7616,  0.0000,  0.7616])
        """
        return bind(e.tanh, (real(input),))

    def asinh(input) -> Self:
        """The number whose sinh is x."""
        return bind(transcendental.arcsinh, (real(input),))

    def acosh(input) -> Self:
        """The number whose cosh is x."""
        return bind(transcendental.arccosh, (real(input),))

    def atanh(input) -> Self:
        """The number whose tanh is x."""
        return bind(transcendental.arctanh, (real(input),))

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def hypot(input, other: Any) -> Self:
        """√(input² + other²)"""
        x, y = same_type(input, _tensor("hypot", other, input))
        _refuse_whole("hypot", x)
        with scope("hypot"):
            return (x * x + y * y).sqrt()

    def sinc(input) -> Self:
        """sin(πx) / (πx), and 1 at 0."""
        x = real(input) * math.pi
        with scope("sinc"):
            at_zero = x.eq(0)
            return _chosen(at_zero, x.literal(1), x.sin() / x.masked_fill(at_zero, 1))

    def deg2rad(input) -> Self:
        """π x / 180"""
        return real(input) * (math.pi / 180)

    def rad2deg(input) -> Self:
        """180 x / π"""
        return real(input) * (180 / math.pi)

    # Functions of networks and of statistics.
    def sigmoid(input) -> Self:
        """1 / (1 + e⁻ˣ)

        >>> import chalkgrad as torch
        >>> torch.tensor([-1.0, 0.0, 1.0]).sigmoid()
        tensor([0.2689, 0.5000, 0.7311])
        """
        return bind(e.sigmoid, (real(input),))

    def logit(input, eps: float | None = None) -> Self:
        """ln (x / (1 − x)): the inverse of the sigmoid. `eps` keeps x within [eps, 1 − eps]."""
        x = real(input)
        with scope("logit"):
            x = x if eps is None else x.clamp(eps, 1 - eps)
            return (x / (1 - x)).log()

    def relu(input) -> Self:
        """max(x, 0), whose slope at 0 is taken to be 0.

        >>> import chalkgrad as torch
        >>> torch.tensor([-1.0, 0.0, 2.0]).relu()
        tensor([0., 0., 2.])
        """
        if input.node.dtype.kind == "b":
            raise DtypeError("Boolean inputs not supported for relu")
        return bind(e.relu, (input,))

    def erf(input) -> Self:
        """2/√π ∫₀ˣ e^(−t²) dt

        >>> import chalkgrad as torch
        >>> torch.tensor([0.0, 1.0]).erf()
        tensor([0.0000, 0.8427])
        """
        return bind(transcendental.erf, (real(input),))

    def erfc(input) -> Self:
        """1 − erf x"""
        return bind(transcendental.erfc, (real(input),))

    def erfinv(input) -> Self:
        """The number whose erf is x."""
        return bind(transcendental.erfinv, (real(input),))

    # Signs and rounding: their gradient is 0 everywhere.
    def sign(input) -> Self:
        """−1, 0 or 1."""
        return input if input.node.dtype.kind == "b" else bind(e.sign, (input,))

    sgn = sign

    def signbit(input) -> Self:
        """Is the sign bit set (so −0.0 counts as negative)?"""
        if input.node.dtype.kind != "f":
            return input < 0
        return (input < 0).logical_or(input.eq(0).logical_and(input.reciprocal() < 0))

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
        """The nearest number with so many decimals; halves go to the even neighbour.

        >>> import chalkgrad as torch
        >>> torch.tensor([0.5, 1.5, 2.345]).round(decimals=1)
        tensor([0.5000, 1.5000, 2.3000])
        """
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
        at_zero = _tensor("heaviside", values, input)
        if at_zero.node.dtype != input.node.dtype:
            raise DtypeError("heaviside is not yet implemented for tensors with different dtypes.")
        return _chosen(input.eq(0), at_zero, (input > 0).cast(input.node.dtype))

    def copysign(input, other: Any) -> Self:
        """|input| with the sign of `other`."""
        x, y = floating(input, other)
        magnitude = x.abs()
        return _chosen(y.signbit(), -magnitude, magnitude)

    # Bounds and selection.
    def maximum(input, other: Any) -> Self:
        """The larger of two elements; NaN where one of them is. Ties share the gradient.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 5.0]).maximum(torch.tensor([3.0, 2.0]))
        tensor([3., 5.])
        """
        return binary(piecewise.maximum, input, _tensor("maximum", other, input))

    def minimum(input, other: Any) -> Self:
        """The smaller of two elements; NaN where one of them is. Ties share the gradient."""
        return binary(piecewise.minimum, input, _tensor("minimum", other, input))

    def fmax(input, other: Any) -> Self:
        """The larger of two elements; a NaN loses against a number."""
        x, y = same_type(input, _tensor("fmax", other, input))
        return _chosen((x >= y).logical_or(y.isnan()), x, y)

    def fmin(input, other: Any) -> Self:
        """The smaller of two elements; a NaN loses against a number."""
        x, y = same_type(input, _tensor("fmin", other, input))
        return _chosen((x <= y).logical_or(y.isnan()), x, y)

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
                raise TypeMismatch(
                    "clamp() takes two numbers or two tensors as its bounds, not one of each"
                )
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
        out: Self = chosen(condition, self, other)
        return out

    def masked_fill(input, mask: Any, value: Any) -> Self:
        """`value` where the mask is True, elsewhere x.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0]).masked_fill(torch.tensor([True, False]), 0)
        tensor([0., 2.])
        """
        if mask.node.dtype.kind != "b":
            raise DtypeError(
                f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}"
            )
        if isinstance(value, Operand):
            if value.node.shape:
                raise DtypeError(
                    "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                    f"{len(value.node.shape)} dimension(s)."
                )
            value = value.cast(input.node.dtype)
        else:
            value = input.literal(value)
        filled: Self = _chosen(mask, value, input)
        return filled

    # Questions. A number that is not a number is the only one that differs from itself.
    def isnan(input) -> Self:
        """Is it NaN?

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, float("nan")]).isnan()
        tensor([False,  True])
        """
        return bind(e.not_equal, (input, input))

    def isinf(input) -> Self:
        """Is it ∞ or −∞?"""
        if input.node.dtype.kind != "f":
            return bind(e.not_equal, (input, input))
        return bind(e.absolute, (input,)).eq(math.inf)

    def isfinite(input) -> Self:
        """Is it neither NaN nor infinite?"""
        if input.node.dtype.kind != "f":
            return bind(e.equal, (input, input))
        return bind(e.absolute, (input,)) < math.inf

    def isposinf(input) -> Self:
        """Is it ∞?"""
        return input.eq(math.inf)

    def isneginf(input) -> Self:
        """Is it −∞?"""
        return input.eq(-math.inf)

    def isclose(
        input, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> Self:
        """|input − other| ≤ atol + rtol · |other|, element by element.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0]).isclose(torch.tensor([1.0, 2.1]))
        tensor([ True, False])
        """
        if other.node.dtype != input.node.dtype:
            raise DtypeError(f"{input.node.dtype} did not match {other.node.dtype}")
        close = input.eq(other)
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
        out = out.masked_fill(input.eq(math.inf), float(limits.max) if posinf is None else posinf)
        return out.masked_fill(input.eq(-math.inf), float(limits.min) if neginf is None else neginf)


def _refuse_bool(name: str, x: Any) -> None:
    if x.node.dtype.kind == "b":
        raise NotAvailable(
            f"{name} is not implemented for bool tensors; convert with .long() first"
        )


def _refuse_two_bools(name: str, a: Any, b: Any) -> None:
    if a.node.dtype.kind == "b" and a.operand(b).node.dtype.kind == "b":
        raise NotAvailable(
            f"{name} is not implemented for bool tensors; convert with .long() first"
        )


def _refuse_difference(a: Any, b: Any) -> None:
    if a.node.dtype == a.operand(b).node.dtype:
        raise DtypeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    raise DtypeError(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead."
    )


def _refuse_whole(name: str, x: Any) -> None:
    if x.node.dtype.kind != "f":
        raise NotAvailable(
            f"{name} is not implemented for {x.node.dtype}; convert with .float() first"
        )


def _tensor(name: str, other: Any, beside: T) -> T:
    if isinstance(other, Operand):
        return beside.operand(other)
    raise TypeMismatch(
        f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}"
    )


def _times(factor: Any, x: Any, beside: T) -> T:
    """factor · x, for the `alpha` and `value` of a sum."""
    y = beside.operand(x)
    if factor == 1:
        return y
    kinds = {y.node.dtype.kind, beside.node.dtype.kind}
    if "f" not in kinds and isinstance(factor, float):
        raise DtypeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    return y.logical_and(bool(factor)) if kinds == {"b"} else y * factor


def _logarithm(x: T, base: int) -> T:
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


def _truncated_quotient(a: T, b: Any) -> T:
    x, y = same_type(a, a.operand(b))
    if x.node.dtype.kind == "f":
        return bind(piecewise.trunc, (x / y,))
    return (x - x.fmod(y)).floor_divide(y)


def _rounded(primitive: Primitive, name: str, x: T) -> T:
    _refuse_bool(name, x)
    return bind(primitive, (x,)) if x.node.dtype.kind == "f" else bind(e.copy, (x,))


def _with_bounds(x: T, low: Any, high: Any) -> T:
    """x in the type in which its bounds are numbers too."""
    for bound in (low, high):
        if bound is not None:
            x = x.cast(same_type(x, x.operand(bound))[0].node.dtype)
    return x


def _between(x: T, low: Any, high: Any) -> T:
    for bound, beyond in ((low, e.less), (high, e.greater)):
        if bound is not None:
            value, bound = same_type(x, x.operand(bound))
            x = _chosen(binary(beyond, value, bound), bound, value)
    _refuse_bool("clamp", x)
    return x


def _numbers(x: Any, what: str) -> Any:
    if x.node.value is None:
        raise TraceError(
            f"{what} needs the numbers of a tensor, and a trace has none while it is built"
        )
    return x.node.value


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, elsewhere b (torch.where with three arguments)."""
    if condition.node.dtype.kind != "b":
        raise DtypeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype}"
        )
    return _chosen(condition, *_both(condition, a, b))


def _both(condition: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Two values of which one or both may be Python numbers."""
    like = a if isinstance(a, Operand) else b if isinstance(b, Operand) else condition
    return like.operand(a), like.operand(b)


def _chosen(condition: Any, a: T, b: Any) -> T:
    x, y = same_type(a, a.operand(b))
    pair = common_shape("where", x.node.shape, y.node.shape)
    shape = common_shape("where", pair, condition.node.shape)
    where: T = spread(condition, shape)
    return bind(e.select, (where, spread(x, shape), spread(y, shape)))
