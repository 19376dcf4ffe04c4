"""Random graphs over arrays of many shapes: what moves elements, folds them and multiplies them.

Every value stays between about -1 and 1. What has a kink (a maximum, a comparison) is applied to
inputs alone, whose elements are distinct, so that rounding cannot decide for another side.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, leaf
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, linalg, piecewise, reductions, shaping, transcendental

SIZES = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33)
LARGEST = 3000  # elements

Rng = np.random.Generator


def _shape(rng: Rng) -> tuple[int, ...]:
    while True:
        shape = tuple(int(n) for n in rng.choice(SIZES, rng.integers(1, 4)))
        if prod(shape) <= LARGEST:
            return shape


def arrays(rng: Rng, dtype: Any) -> list[Array]:
    """Inputs with distinct elements, none of them 0."""
    found = []
    for _ in range(rng.integers(1, 4)):
        shape = _shape(rng)
        count = prod(shape)
        numbers = (rng.permutation(count) + 0.5) / count * 2 - 1 + 0.1 / count
        found.append(numbers.reshape(shape).astype(dtype))
    return found


# Each takes the generator, a value, and another one; None where it does not fit.
def _together(rng: Rng, x: Any, y: Any) -> Any:
    try:
        shape = np.broadcast_shapes(x.node.shape, y.node.shape)
    except ValueError:
        return None
    if prod(shape) > LARGEST:
        return None
    x, y = x.broadcasted(shape), y.broadcasted(shape)
    kind = rng.integers(4)
    if kind == 0:
        return (x - y) / 2
    return (x + y) / 2 if kind == 1 else x * y if kind == 2 else x / (y * y + 1)


def _transposed(rng: Rng, x: Any, y: Any) -> Any:
    return x.transposed(tuple(int(k) for k in rng.permutation(len(x.node.shape))))


def _sliced(rng: Rng, x: Any, y: Any) -> Any:
    start = tuple(int(rng.integers(n)) for n in x.node.shape)
    stop = tuple(int(rng.integers(a + 1, n + 1)) for a, n in zip(start, x.node.shape, strict=True))
    step = tuple(int(rng.integers(1, 4)) for _ in start)
    return shaping.slice_(x, start=start, stop=stop, step=step)


def _padded(rng: Rng, x: Any, y: Any) -> Any:
    low, high, between = (tuple(int(n) for n in rng.integers(0, 3, len(x.node.shape)))
                          for _ in range(3))  # fmt: skip
    out = shaping.pad(x, low=low, high=high, between=between)
    return out if prod(out.node.shape) <= LARGEST else None


def _reshaped(rng: Rng, x: Any, y: Any) -> Any:
    count, shape = prod(x.node.shape), []
    while count > 1 and len(shape) < 2:
        divisors = [d for d in range(1, count + 1) if count % d == 0]
        shape.append(int(rng.choice(divisors)))
        count //= shape[-1]
    return x.reshaped((*shape, count))


def _joined(rng: Rng, x: Any, y: Any) -> Any:
    if 2 * prod(x.node.shape) > LARGEST or not x.node.shape:
        return None
    axis = int(rng.integers(len(x.node.shape)))
    other = y if y.node.shape == x.node.shape else e.tanh(x)
    return shaping.concatenate(x, other, axis=axis)


def _flipped(rng: Rng, x: Any, y: Any) -> Any:
    return shaping.flip(x, axes=tuple(k for k in range(len(x.node.shape)) if rng.random() < 0.5))


def _taken(rng: Rng, x: Any, y: Any) -> Any:
    if not x.node.shape:
        return None
    axis = int(rng.integers(len(x.node.shape)))
    n = x.node.shape[axis]
    return indexing.take(x, x.wrap(leaf(rng.integers(0, n, rng.integers(1, n + 3)))), axis=axis)


def _folded(rng: Rng, x: Any, y: Any) -> Any:
    axes = tuple(k for k in range(len(x.node.shape)) if rng.random() < 0.5)
    primitive = reductions.mean if rng.random() < 0.5 else reductions.sum
    return e.tanh(primitive(x, axes=axes, keepdims=bool(rng.integers(2))))


def _summed(rng: Rng, x: Any, y: Any) -> Any:
    if not x.node.shape or max(x.node.shape) > 40:
        return None
    axis = int(rng.integers(len(x.node.shape)))
    total = reductions.cumsum(x, axis=axis, reverse=bool(rng.integers(2)))
    return transcendental.sin(total / x.node.shape[axis])


def _gram(rng: Rng, x: Any, y: Any) -> Any:
    rank = len(x.node.shape)
    if rank < 2 or prod(x.node.shape[:-1]) * x.node.shape[-2] > LARGEST:
        return None
    turned = x.transposed((*range(rank - 2), rank - 1, rank - 2))
    return linalg.matmul(x, turned) / x.node.shape[-1]


def _chain(rng: Rng, x: Any, y: Any) -> Any:
    two = len(x.node.shape) == len(y.node.shape) == 2
    if not two or x.node.shape[1] != y.node.shape[0]:
        return None
    return linalg.matmul(x, y) / x.node.shape[1]


OPERATIONS: list[Callable[[Rng, Any, Any], Any]] = [
    lambda rng, x, y: e.tanh(x),
    lambda rng, x, y: transcendental.sin(x),
    lambda rng, x, y: e.sigmoid(x),
    lambda rng, x, y: e.exp(e.tanh(x)) / 3,
    lambda rng, x, y: transcendental.erf(x),
    _together, _together, _transposed, _sliced, _padded, _reshaped, _joined, _flipped, _taken,
    _folded, _summed, _gram, _chain,
]  # fmt: skip


def kinks(rng: Rng, x: Any) -> list[Any]:
    """Choices among the elements of an input."""
    axis = (int(rng.integers(len(x.node.shape))),)
    best = reductions.max_(x, axes=axis, keepdims=True).broadcasted(x.node.shape)
    above = e.cast(e.greater(x, x.literal(0.25)), dtype=x.node.dtype)
    place = e.cast(reductions.argmin(x, axis=axis[0]), dtype=x.node.dtype) / 40
    return [best * x, above * x, e.relu(x), piecewise.clip(x, low=-0.5, high=0.3), place]


def graph(seed: int, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """A random function of the inputs: three of its values."""
    rng = np.random.default_rng(seed)
    values = [*inputs, *kinks(rng, inputs[0])]
    for _ in range(rng.integers(5, 25)):
        x, y = (values[-1 - min(int(rng.geometric(0.3)), len(values)) + 1] for _ in range(2))
        made = OPERATIONS[rng.integers(len(OPERATIONS))](rng, x, y)
        if made is not None:
            values.append(made)
    return tuple(values[-3:])


def after(rng: Rng, state: Any, gradient: Any, others: list[Any]) -> Any:
    """What a step makes of a state: in place, by a copy, or nothing."""
    rank = len(state.node.shape)
    match rng.integers(6):
        case 0:
            return e.tanh(gradient)
        case 1:
            return state - 0.25 * e.tanh(gradient)
        case 2:  # its elements go to other places
            return shaping.flip(state, axes=(0,)) * 0.75
        case 3:  # each element needs all the others
            mean = reductions.mean(state, axes=tuple(range(rank)), keepdims=True)
            return state * mean.broadcasted(state.node.shape)
        case 4:  # another state must not be written before this one has read it
            same = [x for x in others if x.node.shape == state.node.shape]
            return (same[0] + state) / 2 if same else e.tanh(state)
    return state
