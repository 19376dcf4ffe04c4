"""Activations: functions of single elements, and softmax. At a kink, the slope is PyTorch's.

Each is written in tensors from its definition. Where one branch of a definition overflows, it is
given 0 in place of the elements that the other branch takes: an infinite slope times no gradient
is NaN.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from chalkgrad.core.errors import ArgumentError, ShapeError
from chalkgrad.nn.functional.regions import level_outside, named
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.operand import real
from chalkgrad.tensor.tensor import Tensor

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _given(input: Tensor, out: Tensor, inplace: bool, name: str) -> Tensor:
    return input.write(out, operation=name) if inplace else out


def _only(condition: Any, x: Tensor) -> Any:
    """x where the condition holds, else 0."""
    return e.select(condition, x, x.literal(0))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), whose slope at 0 is taken to be 0.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    out = input.relu()
    return input.write(out, operation="relu_") if inplace else out


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ)"""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)"""
    return input.tanh()


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x, kept between min_val and max_val; the slope is 0 at both and beyond.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.hardtanh(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError(f"min_val cannot be greater than max_val: {min_val} and {max_val}")
    low, high = input.literal(min_val), input.literal(max_val)
    below = e.select(e.greater_equal(input, high), high, input)
    out = e.select(e.less_equal(input, low), low, below)
    return _given(input, out, inplace, "hardtanh_")


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)"""
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x for x > 0, else negative_slope · x.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    out = e.select(e.greater(input, input.literal(0)), input, input * float(negative_slope))
    return _given(input, out, inplace, "leaky_relu_")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x for x > 0, else a · x with a learned slope a: one for all, or one a channel (dimension "
    "1)."""
    count, shape = weight.numel(), input.node.shape
    channels = shape[1] if len(shape) > 1 else 1
    if count not in (1, channels):
        raise ShapeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} "
            f"and channel size = {channels}."
        )
    form = (count, *(1,) * (len(shape) - 2)) if len(shape) > 1 else (1,) * len(shape)
    slope: Any = weight.reshaped(form).broadcasted(shape)
    return e.select(e.greater(input, input.literal(0)), input, slope * input)  # type: ignore[no-any-return]


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x for x > 0, else α (eˣ − 1).

    >>> import chalkgrad as torch
    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _given(input, _elu(input, alpha, 1.0), inplace, "elu_")


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x for x > 0, else α (e^(x/α) − 1): elu with a slope that has no jump at 0."""
    if alpha == 0:
        raise ArgumentError("alpha cannot be 0 for CELU")
    return _given(input, _elu(input, alpha, 1 / alpha), inplace, "celu_")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 · elu(x, 1.6733): the two constants keep mean 0 and variance 1 (Klambauer et al. "
    "2017)."""
    return _given(input, _elu(input, _SELU_ALPHA, 1.0) * _SELU_SCALE, inplace, "selu_")


def _elu(x: Tensor, alpha: float, rate: float) -> Tensor:
    positive = e.greater(x, x.literal(0))
    below = _only(e.logical_not(positive), x)
    curve = e.expm1(below if rate == 1 else below * rate)
    return e.select(positive, x, curve if alpha == 1 else curve * float(alpha))  # type: ignore[no-any-return]


@named("gelu")
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x · Φ(x), where Φ is the normal distribution function: ½ x (1 + erf(x / √2)).

    With approximate="tanh": ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    """
    if approximate == "none":
        return 0.5 * input * (1.0 + (input * (1 / math.sqrt(2.0))).erf())
    if approximate == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * (input * input * input))
        return 0.5 * input * (1.0 + inner.tanh())
    raise ShapeError(f"approximate argument must be either none or tanh, not {approximate!r}.")


@named("silu")
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · σ(x)"""
    return _given(input, input * input.sigmoid(), inplace, "silu_")


@named("mish")
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(ln(1 + eˣ))"""
    return _given(input, input * softplus(input).tanh(), inplace, "mish_")


@named("log-sigmoid")
def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(x), written min(x, 0) − ln(1 + e^−|x|) so that nothing overflows."""
    nearest = piecewise.minimum(input, input.literal(0))
    return nearest - e.log1p((-input.abs()).exp())  # type: ignore[no-any-return]


@named("softplus")
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(β x)) / β; x itself where β x > threshold.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.softplus(torch.tensor([0.0, 100.0]))
    tensor([  0.6931, 100.0000])
    """
    scaled = input if beta == 1 else input * float(beta)
    straight = e.greater(scaled, scaled.literal(threshold))
    curve = e.log1p(_only(e.logical_not(straight), scaled).exp())
    return e.select(straight, input, curve if beta == 1 else curve / float(beta))  # type: ignore[no-any-return]


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)"""
    return input / (1.0 + input.abs())


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6"""
    return _given(input, relu6(input + 3.0) / 6.0, inplace, "hardsigmoid_")


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · min(max(x + 3, 0), 6) / 6"""
    return _given(input, input * relu6(input + 3.0) / 6.0, inplace, "hardswish_")


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > λ, else 0."""
    near = e.less_equal(input.abs(), input.literal(lambd))
    return e.select(near, input.literal(0), input)  # type: ignore[no-any-return]


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by λ towards 0, and 0 where |x| ≤ λ."""
    if lambd < 0:
        raise ShapeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    near = e.less_equal(input.abs(), input.literal(lambd))
    return e.select(near, input.literal(0), input - input.sign() * float(lambd))  # type: ignore[no-any-return]


def tanhshrink(input: Tensor) -> Tensor:
    """x − tanh(x)"""
    return input - input.tanh()


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    low = e.less_equal(input, input.literal(threshold))
    out = e.select(low, input.literal(value), input)
    return _given(input, out, inplace, "threshold_")


@named("glu")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a · σ(b), where a and b are the two halves of x along `dim`."""
    if not input.node.shape:
        raise ShapeError("glu does not support 0-dimensional tensors")
    size = input.size(dim)
    if size % 2:
        raise ShapeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    first, second = input.chunk(2, dim)
    return first * second.sigmoid()


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """eˣ / Σ eˣ along a dimension: positive numbers that add up to 1.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return input.softmax(_chosen("softmax", input, dim), dtype=dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The softmax of −x."""
    return (-input).softmax(_chosen("softmin", input, dim), dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """x − ln Σ eˣ along a dimension: the logarithm of the softmax, without underflow."""
    return input.log_softmax(_chosen("log_softmax", input, dim), dtype=dtype)


def _chosen(name: str, input: Tensor, dim: int | None) -> int:
    """PyTorch's choice where no dimension is given, with its warning."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=level_outside(),
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def normalize(
    input: Tensor, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12
) -> Tensor:
    """x / max(‖x‖ₚ, eps) along a dimension.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    size = real(input).norm(p, dim, keepdim=True)
    return input / size.clamp_min(eps)
