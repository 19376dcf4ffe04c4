"""Judges of a derivative: finite differences, and the primitive's NumPy line itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Node, leaf
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.primitives.elementwise import EVERYWHERE
from chalkgrad.tensor.operand import Operand
from chalkgrad.transform.grad import pullback

Function = Callable[..., Any]
_STEP = 5e-4


class Handle(Operand):
    """All of a tensor that a derivative rule needs."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def wrap(self, node: Node) -> Handle:
        return Handle(node)


def tensor(array: Array, *, tracked: bool = False) -> Handle:
    return Handle(leaf(np.asarray(array), tracked=tracked))


def reverse(
    function: Function, arrays: Sequence[Array], cotangent: Array, smooth: Sequence[int]
) -> list[Array]:
    """The gradients of Σ cotangent · function(arrays) by the reverse pass."""
    inputs = [tensor(a, tracked=k in smooth) for k, a in enumerate(arrays)]
    out = function(*inputs)
    if not out.node.tracked:
        return [np.zeros_like(a) for a in arrays]
    found = pullback([out], [tensor(cotangent)])
    return [
        found[t.node].node.value if t.node in found else np.zeros_like(a)  # type: ignore[misc]
        for t, a in zip(inputs, arrays, strict=True)
    ]


def central(
    function: Function, arrays: Sequence[Array], cotangent: Array, k: int, width: float = _STEP
) -> Array:
    """The same towards input k by central differences of fourth order."""

    def value(moved: Array) -> float:
        given = [tensor(moved if i == k else a) for i, a in enumerate(arrays)]
        return float(np.sum(function(*given).node.value * cotangent))

    out = np.zeros_like(arrays[k])
    for place in np.ndindex(*arrays[k].shape):
        step = np.zeros_like(arrays[k])
        step[place] = width
        near = value(arrays[k] + step) - value(arrays[k] - step)
        far = value(arrays[k] + 2 * step) - value(arrays[k] - 2 * step)
        out[place] = (8 * near - far) / (12 * width)
    return out


def assert_gradient(function: Function, arrays: Sequence[Array], smooth: Sequence[int]) -> None:
    """The reverse pass agrees with finite differences, to 1e-6 of the largest element."""
    out = function(*[tensor(a) for a in arrays]).node.value
    cotangent = np.random.default_rng(7).uniform(0.5, 1.5, out.shape)
    found = reverse(function, arrays, cotangent, smooth)
    for k in smooth:
        wanted = central(function, arrays, cotangent, k, _STEP / 2)
        # Two widths tell how far the differences themselves can be trusted.
        doubt = np.abs(wanted - central(function, arrays, cotangent, k))
        largest = float(np.max(np.abs(wanted), initial=0.0))
        assert found[k].shape == arrays[k].shape
        assert found[k].dtype == arrays[k].dtype
        assert np.all(np.abs(found[k] - wanted) <= 1e-6 * max(largest, 1e-3) + doubt)


def applied(primitive: Primitive, params: Any) -> Function:
    return lambda *operands: bind(primitive, operands, params)


def gradient_of(primitive: Primitive, params: Any, k: int) -> Function:
    """The primitive's derivative towards input k, as a function of its inputs and the cotangent."""

    def function(*operands: Handle) -> Handle:
        *inputs, cotangent = operands
        out = bind(primitive, inputs, params)
        return primitive.rule(k)(cotangent, out, *inputs, **params)

    return function


# What the names of index notation mean, said again without chalkgrad's own records.
def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x)))


def _bounded(x: Any) -> Any:
    return np.maximum(np.log(x), -100)


_MEANING: dict[str, Callable[..., Any]] = {
    "select": np.where,
    "divide": np.true_divide,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "bounded_log": _bounded,
    "sigmoid": _logistic,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "relu": lambda x: np.where(x > 0, x, 0),
    "round": np.round,
    "copy": lambda x: x,
    "clip": lambda x, low, high: np.clip(x, low, high),
}


def squares(key: int, counter: int) -> int:
    """Widynski's squares64, on Python's whole numbers."""
    word = 2**64
    swap = lambda v: (v >> 32 | v << 32) % word  # noqa: E731
    y = counter * key % word
    z = (y + key) % word
    x = swap((y * y + y) % word)
    x = swap((x * x + z) % word)
    x = swap((x * x + y) % word)
    t = (x * x + z) % word
    x = swap(t)
    return t ^ ((x * x + y) % word) >> 32


def _bits(key: Any, counter: Any) -> Any:
    return np.vectorize(lambda k, c: squares(int(k) % 2**64, int(c)) >> 1, otypes=[np.int64])(
        key, counter
    )


def _uniform(dtype: str) -> Callable[..., Any]:
    digits = 24 if dtype == "float32" else 53
    draw = lambda k, c: (squares(int(k) % 2**64, int(c)) >> (64 - digits)) / 2**digits  # noqa: E731
    return np.vectorize(draw, otypes=[dtype])


def meaning(name: str) -> Callable[..., Any]:
    """The NumPy meaning of a scalar function's name."""
    function, _, suffix = name.partition(":")
    if function == "cast":
        return lambda x: np.asarray(x).astype(suffix)
    if function == "uniform":
        return _uniform(suffix)
    if function == "bits":
        return _bits
    if function == "erfinv":
        return EVERYWHERE["erfinv"].numpy  # judged against mpmath in tests/core/test_special.py
    return _MEANING.get(function) or getattr(np, function)
