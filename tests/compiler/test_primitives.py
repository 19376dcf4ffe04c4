"""Every primitive by native code against its NumPy line, and its derivatives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chalkgrad.compiler.build import Signature, build
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import Array, Node, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.machine.host import Host, detect, narrowed
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, linalg, reductions, shaping
from tests.compiler.programs import apply, check, check_cases, inputs, run, with_gradients
from tests.primitives.table import (
    CASES,
    EMPTY_CASES,
    FLOAT32,
    RECORDS,
    SMOOTH,
    TRUTHS,
    WHOLE,
    Case,
)

SIZES = (1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65)
RNG = np.random.default_rng(3)


def _of(cases: list[Case], name: str) -> list[Case]:
    return [case for case in cases if case.primitive.name == name]


def hosts() -> list[Host]:
    """This machine with vectors of 16, 32 and 64 bytes; wider ones than it has, LLVM splits."""
    here = detect()
    return [narrowed(here, 16), narrowed(here, 32), replace(here, vector=64, registers=32)]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_primitive_gives_what_its_numpy_line_gives(name: str) -> None:
    cases = _of(CASES, name)
    check_cases(cases + [case.cast(FLOAT32) for case in cases] + _of(EMPTY_CASES, name))


@pytest.mark.parametrize("name", sorted({case.primitive.name for case in WHOLE + TRUTHS}))
def test_whole_numbers_and_truth_values(name: str) -> None:
    cases = _of(WHOLE, name) + _of(TRUTHS, name)
    if name == "power":
        with pytest.raises(NotCompilable, match="powers of whole numbers have no native code"):
            check_cases(cases)
    else:
        check_cases(cases)


@pytest.mark.parametrize("name", sorted({case.primitive.name for case in SMOOTH}))
def test_every_derivative_gives_what_numpy_gives(name: str) -> None:
    arguments: list[Node] = []
    results: list[Node] = []
    arrays: list[Array] = []
    labels: list[str] = []
    for case in _of(SMOOTH, name):
        for one in (case, case.cast(FLOAT32)):
            nodes = inputs(*one.arrays)
            found = with_gradients(nodes, lambda *x, c=one: bind(c.primitive, x, c.params))
            arguments += nodes
            results += found
            arrays += one.arrays
            labels += [f"{one}, result {k}" for k in range(len(found))]
    check(arguments, results, arrays, labels)


@pytest.mark.parametrize("host", hosts(), ids=lambda host: f"{host.vector} bytes")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_vector_width_and_length(host: Host, dtype: str) -> None:
    arguments: list[Node] = []
    results: list[Node] = []
    arrays: list[Array] = []
    for n in (*SIZES, 130):
        x, y = (RNG.normal(size=shape).astype(dtype) for shape in ((n,), (3, n)))
        a, b = inputs(x, y)
        row = apply(shaping.broadcast, a, shape=(3, n))
        turned = apply(shaping.transpose, b, axes=(1, 0))
        total = apply(reductions.sum, b, axes=(1,), keepdims=True)
        results += [
            apply(e.tanh, apply(e.multiply, b, row)),
            apply(e.exp, apply(e.negative, turned)),
            apply(reductions.sum, turned, axes=(1,), keepdims=False),
            apply(e.subtract, b, apply(shaping.broadcast, total, shape=(3, n))),
            apply(reductions.max_, b, axes=(1,), keepdims=False),
            apply(reductions.argmin, b, axis=1),
            apply(reductions.mean, apply(e.square, b), axes=(0, 1), keepdims=False),
            apply(shaping.flip, a, axes=(0,)),
            apply(e.greater, b, row),
        ]
        arguments += [a, b]
        arrays += [x, y]
    check(arguments, results, arrays, host=host)


MATRICES = [(1, 65, 33), (17, 1, 16), (8, 7, 64), (31, 33, 2), (63, 65, 15), (64, 32, 17),
            (2, 300, 31), (65, 64, 63), (7, 16, 8), (130, 5, 70)]  # fmt: skip


@pytest.mark.parametrize("host", hosts(), ids=lambda host: f"{host.vector} bytes")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matrix_products_of_every_layout(host: Host, dtype: str) -> None:
    arguments: list[Node] = []
    results: list[Node] = []
    arrays: list[Array] = []
    for k, (m, depth, n) in enumerate(MATRICES):
        left = (depth, m) if k % 2 else (m, depth)
        right = (n, depth) if k % 4 > 1 else (depth, n)
        x, y = (RNG.normal(size=shape).astype(dtype) for shape in (left, right))
        bias = RNG.normal(size=n).astype(dtype)
        nodes = inputs(x, y, bias)
        a = apply(shaping.transpose, nodes[0], axes=(1, 0)) if k % 2 else nodes[0]
        b = apply(shaping.transpose, nodes[1], axes=(1, 0)) if k % 4 > 1 else nodes[1]
        product = apply(linalg.matmul, a, b)
        row = apply(shaping.broadcast, nodes[2], shape=(m, n))
        half = apply(shaping.slice_, a, start=(0, depth // 2), stop=(m, depth), step=(1, 1))
        rest = apply(shaping.slice_, b, start=(depth // 2, 0), stop=(depth, n), step=(1, 1))
        results += [product, apply(e.relu, apply(e.add, product, row))]
        results += [apply(linalg.matmul, half, rest)]
        arguments += nodes
        arrays += [x, y, bias]
    check(arguments, results, arrays, host=host)


def test_strided_operands_and_steps() -> None:
    x, y = RNG.normal(size=(33, 18)), RNG.normal(size=(17, 9))
    a, b = inputs(x, y)
    every_other = apply(shaping.slice_, a, start=(0, 1), stop=(33, 18), step=(2, 2))
    flipped = apply(shaping.flip, apply(shaping.transpose, every_other, axes=(1, 0)), axes=(1,))
    spread = apply(shaping.pad, b, low=(1, 0), high=(0, 2), between=(1, 2))
    flat = apply(shaping.reshape, every_other, shape=(153,))
    folded = apply(shaping.reshape, apply(e.sqrt, apply(e.exp, flat)), shape=(9, 17))
    check([a, b], [
        apply(e.add, every_other, b), flipped, spread, folded,
        apply(reductions.sum, spread, axes=(0,), keepdims=False),
        apply(linalg.matmul, flipped, b),
        apply(shaping.concatenate, folded, flipped, axis=0),
    ], [x, y])  # fmt: skip
    check([a, b], [apply(e.add, every_other, b)], [np.asfortranarray(x), y[::1]])


def test_a_number_keeps_its_type_where_a_whole_operand_is_literal() -> None:
    # 1.0 / 3.0 is no division of whole numbers, and `or` and `and` are no sum modulo 2.
    x, yes = np.arange(3, dtype=np.float32), np.array([[True, False, True], [True, True, False]])
    a, c = inputs(x, yes)
    one, three = leaf(np.array(1, np.float32)), leaf(np.array(3, np.float32))
    third = apply(e.divide, one, three)
    first = apply(shaping.slice_, c, start=(0, 0), stop=(1, 3), step=(1, 1))
    chosen = apply(e.select, apply(shaping.reshape, first, shape=(3,)), one, three)
    check([a, c], [
        third, apply(e.exp, three), apply(e.multiply, a, third), chosen,
        apply(e.divide, chosen, leaf(np.array(2.5, np.float32))),
        apply(e.multiply, apply(e.sqrt, three), chosen),
        apply(e.add, c, c), apply(e.multiply, c, c),
        apply(reductions.sum, c, axes=(0,), keepdims=False),
        apply(reductions.prod, c, axes=(0,), keepdims=False),
        apply(reductions.cumsum, c, axis=0, reverse=False),
    ], [x, yes])  # fmt: skip


@pytest.mark.parametrize("index", [[5, -7, 39], [10**15, 0, 39], [5, 0, 40]])
def test_a_place_among_the_data_that_is_out_of_range_is_a_fault(index: list[int]) -> None:
    x, places = RNG.normal(size=(40, 3)), np.array(index)
    a, i = inputs(x, places)
    taken = apply(indexing.take, a, i, axis=0)
    padded = apply(shaping.pad, taken, low=(1, 0), high=(2, 1), between=(1, 0))
    for node in (taken, padded, apply(e.exp, apply(shaping.transpose, taken, axes=(1, 0)))):
        with pytest.raises(IndexError, match="an index among the data is out of range"):
            run([a, i], [node], [x, places])


def test_what_a_guard_rules_out_is_no_fault() -> None:
    x, places = RNG.normal(size=(4, 3)), np.array([6, 0, 3, 1, 5])
    a, i = inputs(x, places)
    padded = apply(shaping.pad, a, low=(2, 0), high=(1, 0), between=(0, 0))
    doubled = apply(shaping.concatenate, a, apply(e.negative, a), axis=0)
    check([a, i], [apply(indexing.take, y, i, axis=0) for y in (padded, doubled)], [x, places])


def _refused(node: Node, arguments: list[Node]) -> str:
    with pytest.raises(NotCompilable) as refusal:
        build(Signature(tuple(arguments), (), (node,), ()))
    return str(refusal.value)


def test_what_has_no_native_code_says_so() -> None:
    half, whole = inputs(np.zeros(3, np.float16), np.zeros(3, np.int64))
    long = inputs(np.zeros(1 << 13))[0]
    truth = inputs(np.zeros(3, bool))[0]
    said: dict[str, Any] = {
        "numbers of type float16 have no native code": (apply(e.exp, half), [half]),
        "powers of whole numbers": (apply(e.power, whole, whole), [whole]),
        "a true division of whole numbers": (apply(e.divide, whole, whole), [whole]),
        "exp of whole numbers has no native code": (apply(e.exp, whole), [whole]),
        "subtract of truth values has no native code": (apply(e.subtract, truth, truth), [truth]),
        "argsort of 8192 elements has no native code": (
            apply(reductions.argsort, long, axis=0, descending=False), [long]),
    }  # fmt: skip
    for text, (node, arguments) in said.items():
        assert text in _refused(node, arguments)


@pytest.mark.usefixtures("everything_shared")
def test_work_shared_among_threads_gives_the_same_bits() -> None:
    x, y = RNG.normal(size=(37, 50)), RNG.normal(size=(50, 41))
    a, b = inputs(x, y)
    product = apply(e.tanh, apply(linalg.matmul, a, b))
    results = [product, apply(reductions.sum, product, axes=(1,), keepdims=False),
               apply(shaping.transpose, product, axes=(1, 0))]  # fmt: skip
    alone = run([a, b], results, [x, y])
    for members in (2, 3, 5):
        for one, other in zip(alone, run([a, b], results, [x, y], None, members), strict=True):
            assert one.tobytes() == other.tobytes()
