"""Initial weights. Every function fills its tensor in place, outside of the graph, and returns it.

fan_in and fan_out are the numbers of inputs and outputs that one output and one input is joined to:
for a weight of shape (out, in, *kernel), in · Π kernel and out · Π kernel.
"""

from __future__ import annotations

import math
import warnings
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.graph import Array
from chalkgrad.core.scope import recording
from chalkgrad.primitives import random as keyed
from chalkgrad.tensor import random
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.random import Generator, default_generator
from chalkgrad.tensor.tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_",
    "xavier_uniform_", "zeros_",
]  # fmt: skip

_FLOAT64 = np.dtype(np.float64)
_LINEAR = {"linear", "sigmoid", *(f"conv{'_transpose' * t}{d}d" for t in (0, 1) for d in (1, 2, 3))}


def _fill(tensor: Tensor, value: Tensor | Array, name: str) -> Tensor:
    numbers = value if isinstance(value, Tensor) else holding(value)
    with recording(False):
        return tensor.write(numbers.cast(tensor.node.dtype), operation=name)


def _source(generator: Generator | None) -> Generator:
    return default_generator if generator is None else generator


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much larger the weights before an activation are chosen, to make up for what it takes
    away.

    1 for linear layers and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leaky_relu,
    3/4 for selu.

    >>> calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ArgumentError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        raise ArgumentError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Numbers in [a, b), all equally likely."""
    with recording(False):
        return random.uniform_(tensor, a, b, generator=generator)  # type: ignore[no-any-return]


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Numbers of the normal distribution with this mean and standard deviation."""
    with recording(False):
        return random.normal_(tensor, mean, std, generator=generator)  # type: ignore[no-any-return]


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Numbers of the normal distribution, given that they lie in [a, b].

    By the inverse of the distribution function Φ: mean + std · Φ⁻¹(u) for u uniform in [Φ(a'),
    Φ(b')].
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    low, high = (math.erf((edge - mean) / std / math.sqrt(2.0)) for edge in (a, b))
    with recording(False):
        share = _source(generator).uniform(tensor.node.shape, _FLOAT64)
        drawn = (low + (high - low) * share).erfinv() * (std * math.sqrt(2.0)) + mean
        return _fill(tensor, drawn.clamp(a, b), "trunc_normal_")


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere."""
    return _fill(tensor, np.full(tensor.node.shape, val), "constant_")


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The unit matrix: a linear layer that passes on its input."""
    if tensor.dim() != 2:
        raise ArgumentError("Only tensors with 2 dimensions are supported")
    return _fill(tensor, np.eye(tensor.node.shape[0], tensor.node.shape[1]), "eye_")


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that passes on its input: 1 in the middle of the kernel from channel k to "
    "channel k."""
    shape = tensor.node.shape
    if len(shape) not in (3, 4, 5):
        raise ArgumentError("Only tensors with 3, 4, or 5 dimensions are supported")
    if shape[0] % groups:
        raise ArgumentError(f"dim 0 must be divisible by groups: {shape[0]} and {groups}")
    per, middle = shape[0] // groups, tuple(n // 2 for n in shape[2:])
    values = np.zeros(shape)
    for group in range(groups):
        for channel in range(min(per, shape[1])):
            values[(group * per + channel, channel, *middle)] = 1
    return _fill(tensor, values, "dirac_")


def fans(tensor: Tensor) -> tuple[int, int]:
    """fan_in and fan_out of a weight."""
    shape = tensor.node.shape
    if len(shape) < 2:
        raise ArgumentError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: this "
            f"one has shape {list(shape)}"
        )
    return shape[1] * prod(shape[2:]), shape[0] * prod(shape[2:])


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform within ±gain · √(6 / (fan_in + fan_out)) (X. Glorot and Y. Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain · √(2 / (fan_in + fan_out)) (X. Glorot and Y. Bengio "
    "2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator)


def _he_deviation(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ArgumentError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _empty(tensor: Tensor) -> bool:
    if 0 in tensor.node.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Uniform within ±gain · √(3 / fan) (K. He and others 2015).

    PyTorch's layers start so with a = √5, which makes the bound 1 / √fan_in.

    >>> import chalkgrad as torch
    >>> weight = torch.nn.init.kaiming_uniform_(torch.empty(10, 4), a=5**0.5)
    >>> bool((weight.abs() <= 0.5).all())
    True
    """
    if _empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _he_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal with standard deviation gain / √fan (K. He and others 2015)."""
    if _empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _he_deviation(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix whose rows or columns are orthonormal, times gain (A. Saxe and others 2014).

    The Q of a random matrix's QR decomposition, with the signs that make it uniform (F. Mezzadri
    2007).
    """
    shape = tensor.node.shape
    if len(shape) < 2:
        raise ArgumentError("Only tensors with 2 or more dimensions are supported")
    if not prod(shape):
        return tensor
    rows, columns = shape[0], prod(shape[1:])
    with recording(False):
        drawn = (
            _source(generator).normal((rows, columns), tensor.node.dtype).array_for("orthogonal_")
        )
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q = q * np.sign(np.diag(r))
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(shape), "orthogonal_")


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Normal numbers, of which a share `sparsity` in each column is 0 (J. Martens 2010)."""
    if tensor.dim() != 2:
        raise ArgumentError("Only tensors with 2 dimensions are supported")
    zeros = math.ceil(sparsity * tensor.node.shape[0])
    source = _source(generator)
    with recording(False):
        rank = source.draw(keyed.random_bits, tensor.node.shape).argsort(0).argsort(0)
        drawn: Any = source.normal(tensor.node.shape, tensor.node.dtype) * std
        return _fill(tensor, drawn.masked_fill(rank < zeros, 0), "sparse_")
