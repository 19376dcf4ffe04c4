"""Keyed random numbers: a counter-based generator, so that every executor draws the same bits.

The generator is Squares (Widynski 2020, arXiv:2004.06278): number i of stream `key` is five rounds
of squaring and half-swapping of i · key. `state` is the pair (key, counter) as int64; whoever draws
n numbers moves the counter on by n.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import Apply, Axis, Const, Formula, Read, Term
from chalkgrad.core.primitive import Domain, Primitive, called

_HALF = np.uint64(32)
_BLOCK = 8192  # the numbers worked on at a time: five arrays of them fit the processor's cache


def squares(key: Array | np.uint64, counter: Array) -> Array:
    """64 random bits for each counter (uint64, arithmetic modulo 2⁶⁴)."""
    x = counter * key
    y, z, spare = x.copy(), x + key, np.empty_like(x)
    for addend in (y, z, y):
        _square_and_add(x, addend)
        _swap_halves(x, spare)
    _square_and_add(x, z)
    t = x.copy()
    _swap_halves(x, spare)
    _square_and_add(x, y)
    x >>= _HALF
    t ^= x
    return t


def _square_and_add(x: Array, addend: Array) -> None:
    x *= x
    x += addend


def _swap_halves(x: Array, spare: Array) -> None:
    np.right_shift(x, _HALF, out=spare)
    x <<= _HALF
    x |= spare


def stream_key(seed: int) -> int:
    """An odd key of irregular bits for a seed, by SplitMix64 (Steele, Lea and Flood 2014)."""
    z = (seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return int(np.array((z ^ (z >> 31)) | 1, np.uint64).astype(np.int64))


def _draw(state: Array, shape: Shape, digits: int, dtype: np.dtype[Any]) -> Array:
    """The uppermost binary digits of each random number, as numbers of a type."""
    key, first = state.astype(np.uint64)
    numbers, shift = np.empty(prod(shape), dtype), np.uint64(64 - digits)
    counter = first + np.arange(min(_BLOCK, len(numbers)), dtype=np.uint64)
    for start in range(0, len(numbers), _BLOCK):
        part = numbers[start : start + _BLOCK]
        bits = squares(key, counter[: len(part)])
        bits >>= shift
        part[:] = bits.view(np.int64)  # never negative after the shift, and faster to convert
        counter += np.uint64(_BLOCK)
    return numbers.reshape(shape)


def _bits(state: Array, shape: Shape) -> Array:
    # 63 bits, so that the number is an int64 that is not negative.
    return _draw(state, shape, 63, np.dtype(np.int64))


def _uniform(state: Array, shape: Shape, dtype: np.dtype[Any]) -> Array:
    digits = 24 if dtype == np.float32 else 53  # every value is a multiple of 2^-digits below 1
    numbers = _draw(state, shape, digits, dtype)
    numbers *= dtype.type(2.0**-digits)
    return numbers


def _number(shape: Shape) -> Term:
    flat: Term = Const(0)
    for i, n in enumerate(shape):
        flat = flat * n + Axis(i)
    return Read(0, (Const(1),)) + flat


def _key() -> Term:
    return Read(0, (Const(0),))


def _state(rng: np.random.Generator) -> Array:
    return np.array([stream_key(int(rng.integers(1000))), 17])


def _uniform_index(state: ArrayType, *, shape: Shape, dtype: np.dtype[Any]) -> Formula:
    return Formula(shape, Apply(f"uniform:{dtype}", (_key(), _number(shape))))


random_bits = Primitive(
    "random_bits", _bits, lambda state, *, shape: ArrayType(shape, np.dtype(np.int64)), [None],
    called("bits"), lambda state, *, shape: Formula(shape, Apply("bits", (_key(), _number(shape)))),
    Domain(samples=lambda rng: ([_state(rng)], {"shape": (3, 4)})),
)  # fmt: skip
uniform = Primitive(
    "uniform", _uniform, lambda state, *, shape, dtype: ArrayType(shape, dtype), [None],
    called("uniform"), _uniform_index,
    Domain(samples=lambda rng: ([_state(rng)], {"shape": (3, 4), "dtype": np.dtype(np.float64)})),
)  # fmt: skip
