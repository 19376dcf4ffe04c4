"""Matrix products and convolutions of random shapes: edges of tiles, layouts, strides, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad.core.graph import Array, Node
from chalkgrad.primitives import convolution as c
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import linalg, shaping
from tests.compiler.programs import apply, check, inputs, run
from tests.compiler.test_primitives import hosts

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63,
         64, 65, 96, 97, 127, 130, 255, 257, 400, 600)  # fmt: skip
MOST = 10**7  # multiplications
TURNS = [(k % 2 > 0, k // 2 > 0) for k in range(4)]  # which operands are stored transposed
Program = tuple[list[Node], list[Node], list[Array]]


def product(seed: int, left: bool, right: bool) -> Program:
    """A product, with a batch now and then, and what follows it tile by tile."""
    rng = np.random.default_rng(seed)
    dtype = rng.choice(["float32", "float64"])
    m, depth, n = MOST, MOST, MOST
    while m * depth * n > MOST:
        m, depth, n = (int(size) for size in rng.choice(SIZES, 3))
    batch = () if rng.random() < 0.6 else (int(rng.integers(1, 4)),)
    x = rng.normal(size=(*batch, *((depth, m) if left else (m, depth)))).astype(dtype)
    y = rng.normal(size=(*batch, *((n, depth) if right else (depth, n)))).astype(dtype)
    bias = rng.normal(size=n).astype(dtype)
    nodes = inputs(x, y, bias)
    rank = len(batch)
    turn = (*range(rank), rank + 1, rank)
    a = apply(shaping.transpose, nodes[0], axes=turn) if left else nodes[0]
    b = apply(shaping.transpose, nodes[1], axes=turn) if right else nodes[1]
    out = apply(linalg.matmul, a, b)
    row = apply(shaping.broadcast, nodes[2], shape=out.shape)
    results = [apply(e.relu, apply(e.add, out, row))]
    if rng.random() < 0.5:
        results += [out, apply(shaping.transpose, apply(e.negative, out), axes=turn)]
    return nodes, results, [x, y, bias]


def convolution(seed: int) -> Program:
    """A convolution and its two adjoints."""
    rng = np.random.default_rng(seed)
    rank = int(rng.choice([1, 2, 2, 3]))
    longest = {1: 40, 2: 18, 3: 8}[rank]

    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high, rank))

    kernel, size = some(1, 3 if rank == 3 else 5), some(8, longest + 1)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    shared = {"stride": some(1, 4), "padding": some(0, 3), "dilation": some(1, 3), "groups": groups}
    dtype = rng.choice(["float32", "float64"])
    into, out = int(rng.choice([1, 2, 3, 5, 8])), int(rng.choice([1, 2, 4, 7, 9, 16, 17]))
    x = rng.normal(size=(int(rng.integers(1, 6)), into * groups, *size)).astype(dtype)
    w = rng.normal(size=(out * groups, into, *kernel)).astype(dtype)
    a, b = inputs(x, w)
    forward = apply(c.convolution, a, b, **shared)
    g = rng.normal(size=forward.shape).astype(dtype)
    (gradient,) = inputs(g)
    return [a, b, gradient], [
        forward, apply(e.relu, forward),
        apply(c.convolution_input, gradient, b, size=size, **shared),
        apply(c.convolution_weight, a, gradient, kernel=kernel, **shared),
    ], [x, w, g]  # fmt: skip


@pytest.mark.parametrize("host", hosts(), ids=lambda host: f"{host.vector} bytes")
@pytest.mark.parametrize("turns", TURNS)
def test_products(host: Any, turns: tuple[bool, bool]) -> None:
    for seed in range(5):
        nodes, results, arrays = product(100 * host.vector + 10 * TURNS.index(turns) + seed, *turns)
        check(nodes, results, arrays, host=host)


@pytest.mark.parametrize("host", hosts(), ids=lambda host: f"{host.vector} bytes")
def test_convolutions(host: Any) -> None:
    for seed in range(7):
        check(*convolution(1000 * host.vector + seed), host=host)


@pytest.mark.stress
@pytest.mark.parametrize("host", hosts(), ids=lambda host: f"{host.vector} bytes")
@pytest.mark.parametrize("seed", range(150))
def test_many_shapes(host: Any, seed: int) -> None:
    check(*product(host.vector + 1000 * seed, *TURNS[seed % 4]), host=host)
    check(*convolution(host.vector + 1000 * seed), host=host)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("everything_shared")
def test_shared_among_threads(seed: int) -> None:
    for nodes, results, arrays in (product(seed, *TURNS[seed % 4]), convolution(seed)):
        alone = check(nodes, results, arrays)
        for one, other in zip(alone, run(nodes, results, arrays, None, 3), strict=True):
            np.testing.assert_array_equal(one, other)
