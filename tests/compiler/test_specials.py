"""NaN, ±inf, ±0 and denormal numbers go through native code as through NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad.core.graph import Array, Node
from chalkgrad.executors import numpy as judge
from chalkgrad.machine import functions
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, linalg, reductions, shaping
from chalkgrad.primitives.elementwise import EVERYWHERE
from tests.compiler.programs import apply, check, inputs, run
from tests.primitives.table import arity

TYPES = ["float32", "float64"]
NAN, INF = np.nan, np.inf
# How far a function of one number may be from NumPy's, which are at most 4 units apart from exact.
CLOSE = {"float32": 6e-7, "float64": 1e-14}
# The larger of 0 and −0 is either: NumPy's own answer depends on the processor and the length.
NO_SIGN = {"relu", "maximum", "minimum"}
ELSEWHERE = {"cast", "clip", "select", "logical_and", "logical_or", "logical_xor", "logical_not"}
RECORDS = sorted(set(EVERYWHERE) - ELSEWHERE)


def specials(dtype: str) -> Array:
    """Numbers at which something ends: a range, a branch, a type."""
    kind = np.finfo(dtype)
    numbers = [
        0, 0.5, 1, 2, 3, np.pi, 10, 25, 88, 100, 104, 700, 745.2, 1e5, 1e9, 1e30, INF,
        kind.max, kind.tiny, kind.tiny / 4, kind.smallest_subnormal, kind.eps,
        1 - kind.epsneg, 1 + kind.eps, np.log(float(kind.max)),
    ]  # fmt: skip
    found = np.array(numbers, dtype)
    return np.concatenate([found, -found, np.array([NAN], dtype)])


def assert_same(found: Array, wanted: Array, name: str) -> None:
    """Element by element: specials equal with their sign, numbers close, denormal ones as well."""
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=name)
        return
    numbers = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~numbers], wanted[~numbers], err_msg=name)
    kind = np.finfo(wanted.dtype)
    # NumPy's 1 / (1 + e^−x) is 0 where e^−x overflows; the value itself is a denormal number.
    few = float(kind.tiny) if name == "sigmoid" else 4 * float(kind.smallest_subnormal)
    np.testing.assert_allclose(
        found[numbers], wanted[numbers], rtol=CLOSE[str(wanted.dtype)], atol=few, err_msg=name
    )
    if name not in NO_SIGN:
        zeros = (wanted == 0) & (found == 0)
        signs = np.signbit(found[zeros]), np.signbit(wanted[zeros])
        np.testing.assert_array_equal(*signs, err_msg=f"{name}: a sign of 0")


@pytest.mark.parametrize("dtype", TYPES)
def test_functions_of_one_and_of_two_numbers(dtype: str) -> None:
    x = specials(dtype)
    pairs = [grid.reshape(-1) for grid in np.meshgrid(x, x)]
    arrays = [x, *pairs]
    one, *two = arguments = inputs(*arrays)
    results = [
        apply(record, *(two if arity(record) == 2 else [one]))
        for record in (EVERYWHERE[name] for name in RECORDS)
    ]
    found = run(arguments, results, arrays)
    wanted = judge.interpret(arguments, results, arrays)
    for name, a, b in zip(RECORDS, found, wanted, strict=True):
        assert_same(a, np.asarray(b), name)


@pytest.mark.parametrize("dtype", TYPES)
def test_choices_bounds_and_casts(dtype: str) -> None:
    x = specials(dtype)
    wide = np.array([np.finfo(np.float64).max, -1e300, 1e-310, NAN, INF, -0.0])
    whole = np.array([0, -1, 2**53 + 1, -(2**63), 2**63 - 1, 2**31])
    clip = EVERYWHERE["clip"]
    a, b, c = arguments = inputs(x, wide, whole)
    negative = apply(e.less, a, apply(e.negative, a))
    check(arguments, [
        apply(clip, a, low=-1.0, high=0.5), apply(clip, a, low=None, high=0.5),
        apply(e.select, negative, a, apply(e.reciprocal, a)),
        apply(e.logical_not, a), apply(e.logical_and, a, apply(e.sign, a)),
        apply(e.cast, a, dtype=np.dtype(bool)),
        apply(e.cast, b, dtype=np.dtype(np.float32)),
        apply(e.cast, c, dtype=np.dtype(np.int32)), apply(e.cast, c, dtype=np.dtype(bool)),
        apply(e.cast, c, dtype=np.dtype(np.float32)), apply(e.cast, c, dtype=np.dtype(np.float64)),
    ], [x, wide, whole])  # fmt: skip


def test_a_number_outside_of_a_whole_type_does_not_trap() -> None:
    x = np.array([NAN, INF, -INF, 1e300, -1e300, 7.9])
    (a,) = inputs(x)
    (found,) = run([a], [apply(e.cast, a, dtype=np.dtype(np.int32))], [x])
    assert found[-1] == 7


# Folds. A row for each combination, long enough for every way in which a fold is written.
def _rows(dtype: str, n: int) -> Array:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(12, n)).astype(dtype)
    for row, values in enumerate(([NAN], [INF], [-INF], [INF, -INF], [NAN, INF], [NAN, NAN])):
        x[row, rng.choice(n, len(values), replace=False)] = values
    x[6], x[7], x[8, 1:] = -0.0, np.finfo(dtype).smallest_subnormal, 0
    x[9, ::2] = np.finfo(dtype).max
    return x


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [2, 5, 8, 37, 130])
def test_folds(dtype: str, n: int) -> None:
    x = _rows(dtype, n)
    (a,) = arguments = inputs(x)
    turned = apply(shaping.transpose, a, axes=(1, 0))
    results: list[Node] = []
    for source, axis in ((a, 1), (turned, 0), (a, 0)):
        for primitive in (reductions.sum, reductions.max_, reductions.min_, reductions.prod):
            results.append(apply(primitive, source, axes=(axis,), keepdims=False))
        results.append(apply(reductions.argmax, source, axis=axis))
        results.append(apply(reductions.argmin, source, axis=axis))
    found = check(arguments, results, [x])
    assert np.signbit(found[0][6])  # the sum of −0 and −0, as NumPy has it


@pytest.mark.parametrize("descending", [False, True])
def test_the_order_of_numbers_with_nan(descending: bool) -> None:
    x = np.array([[2, NAN, -1, INF, NAN, 2, -INF, 0, -0.0], [NAN] * 9, [1] * 8 + [NAN]])
    (a,) = inputs(x)
    check([a], [apply(reductions.argsort, a, axis=1, descending=descending)], [x])


@pytest.mark.parametrize("dtype", TYPES)
def test_sums_that_run_along(dtype: str) -> None:
    x = np.array([[1, INF, 2, -INF, 3], [1, NAN, 2, INF, 3], [0.5, 0, -0.0, 4, INF]], dtype)
    (a,) = inputs(x)
    check([a], [
        apply(reductions.cumsum, a, axis=1, reverse=False),
        apply(reductions.cumsum, a, axis=1, reverse=True),
        apply(reductions.cumprod, a, axis=1),
    ], [x])  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(3, 3, 3), (9, 17, 33), (65, 7, 18), (32, 64, 32)])
def test_products_keep_specials_in_their_row_and_column(
    dtype: str, shape: tuple[int, int, int]
) -> None:
    m, depth, n = shape
    rng = np.random.default_rng(depth)
    x, y = rng.normal(size=(m, depth)).astype(dtype), rng.normal(size=(depth, n)).astype(dtype)
    x[m - 1, depth - 1], x[0, 0], y[0, n - 1] = NAN, INF, -INF
    y[depth // 2, n // 2], x[m // 2, depth // 2] = 0, INF
    a, b = inputs(x, y)
    product = apply(linalg.matmul, a, b)
    check([a, b], [product, apply(e.relu, product)], [x, y])


def test_adding_at_places_and_padding_spread_no_nan() -> None:
    x, index = np.arange(60.0).reshape(20, 3), np.arange(20) % 4
    x[7], x[1, 2], x[2, 0] = NAN, INF, -INF
    a, i = inputs(x, index)
    check([a, i], [
        apply(indexing.add_at, a, i, axis=0, extent=6),
        apply(shaping.pad, a, low=(1, 2), high=(0, 1), between=(1, 0)),
        apply(indexing.take, a, i, axis=0),
    ], [x, index])  # fmt: skip


def test_whole_numbers_divide_and_overflow_without_a_trap() -> None:
    least = {"int32": -(2**31), "int64": -(2**63)}
    for dtype in ("int32", "int64"):
        x = np.array([7, -7, 0, least[dtype], least[dtype], -least[dtype] - 1], dtype)
        y = np.array([0, 2, 0, -1, 0, -1], dtype)
        a, b = inputs(x, y)
        words: list[Any] = ["floor_divide", "remainder", "fmod"]
        results = [apply(EVERYWHERE[word], a, b) for word in words]
        results += [apply(EVERYWHERE[word], a) for word in ("absolute", "negative", "square")]
        check([a, b], results, [x, y])


def test_every_function_of_index_notation_is_written_or_refused() -> None:
    known = set(functions.WRITERS) | set(functions.vectormath.FUNCTIONS) | set(functions._LIBM)
    assert set(EVERYWHERE) - known - functions.COMPARISONS - set(functions.LOGIC) == {
        "cast", "clip", "logical_not", "select",
    }  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
def test_a_division_by_one_number_for_all_is_a_division_by_each(dtype: str) -> None:
    # It is done by multiplying; of each divisor the first is a scalar, the second a vector.
    x = np.concatenate([specials(dtype), np.random.default_rng(0).normal(size=40).astype(dtype)])
    scalars = [np.array(number, dtype) for number in x]
    nodes = inputs(x, *scalars)
    results = [apply(e.divide, nodes[0], node) for node in nodes[1:]]
    found = run(nodes, results, [x, *scalars])
    with np.errstate(all="ignore"):
        for one, number in zip(found, scalars, strict=True):
            wanted = x / number
            # A quotient next to the largest number may round to infinity.
            near = np.abs(wanted) > np.finfo(dtype).max * (1 - 4 * np.finfo(dtype).eps)
            assert_same(one[~near], wanted[~near], f"division by {number}")
            assert np.array_equal(np.signbit(one[near]), np.signbit(wanted[near]))
