"""From primitives to formulas: indices in one form, and no question whose answer is known."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.compiler.lower import Lowered
from chalkgrad.core.graph import ArrayType, placeholder
from chalkgrad.core.index import Apply, Axis, Const, Read, Term, compare, inside, select
from chalkgrad.machine.host import available
from chalkgrad.nn import functional as F

native = pytest.mark.skipif(bool(available()), reason="no native code here")


def shown(padding: int) -> str:
    graph = cg.trace(lambda x: F.max_pool2d(x, 2, padding=padding), cg.zeros(1, 2, 8, 8))
    return re.sub(r"\s+", " ", str(graph.kernels()))


@native
def test_a_window_that_never_reaches_over_the_edge_has_no_edge() -> None:
    assert "max[m<2,n<2] x[0,i,2 · j + m,2 · k + n]" in shown(0)
    assert " if " not in shown(0)


@native
def test_a_window_over_both_edges_asks_for_both() -> None:
    assert "≥ 0" in shown(1)
    assert "< 8" in shown(1)


@native
def test_only_the_edge_that_can_be_crossed_is_asked_for() -> None:
    graph = cg.trace(lambda x: F.max_pool2d(x, 2, stride=2, padding=1), cg.zeros(1, 1, 3, 3))
    text = str(graph.kernels())  # 2·i + m − 1 goes from −1 to 2
    assert "≥ 0" in text
    assert "< 3" not in text


def value(term: Term, i: int, j: int) -> int:
    """The term at two axes, by its definition."""
    match term:
        case Const(number):
            return int(number)
        case Axis(id):
            return (i, j)[id]
        case Apply(name, parts):
            a = [value(part, i, j) for part in parts]
            plain = {
                "add": lambda: a[0] + a[1], "subtract": lambda: a[0] - a[1],
                "multiply": lambda: a[0] * a[1], "floor_divide": lambda: a[0] // a[1],
                "remainder": lambda: a[0] % a[1], "less": lambda: int(a[0] < a[1]),
                "greater_equal": lambda: int(a[0] >= a[1]),
                "logical_and": lambda: int(bool(a[0] and a[1])),
                "select": lambda: a[1] if a[0] else a[2],
            }  # fmt: skip
            return plain[name]()
    raise AssertionError(term)


whole = st.integers(-3, 9)
indices = st.builds(
    lambda a, b, c, by: (Axis(0) * a + Axis(1) * b + c) // by, whole, whole, whole,
    st.integers(1, 4),
)  # fmt: skip
conditions = st.one_of(
    st.builds(inside, indices, st.integers(1, 12)),
    st.builds(compare, st.sampled_from(["less", "greater_equal"]), indices, whole),
)
both = st.builds(lambda a, b: Apply("logical_and", (a, b)), conditions, conditions)


@given(st.one_of(conditions, both), st.integers(1, 4), st.integers(1, 4))
def test_a_selection_by_indices_keeps_its_value(condition: Term, rows: int, columns: int) -> None:
    low = Lowered([], {})
    low.extents.update({0: rows, 1: columns})
    term = select(condition, Axis(0) + 100, Axis(1) - 100)
    tidy = low.tidy(term)
    for i, j in np.ndindex(rows, columns):
        assert value(tidy, i, j) == value(term, i, j)


def test_data_decides_for_itself() -> None:
    """0 · x < 1 is not true of x = NaN."""
    low = Lowered([placeholder(ArrayType((4,), np.dtype(np.float32)))], {})
    low.extents.update({0: 4, 1: 1})
    datum = Read(0, (Axis(0),))
    term = select(compare("less", datum * 0, 1), Axis(0), 7)
    assert low.tidy(term) == term


@native
@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * 0.5).to(cg.int32), lambda x: (x * 0.5 + 1).to(cg.int32),
        lambda x: (x % 10.0) // 3.0, lambda x: (x * 0.5) // 2.0, lambda x: ((x // 0.5) + 1) // 2.0,
        lambda x: (x * float("nan")) // 2.0,
    ],
)  # fmt: skip
def test_data_are_no_index(function: Callable[[cg.Tensor], cg.Tensor]) -> None:
    x = cg.arange(-9.0, 28.0)
    found = cg.compile(function, executor="native")(x)
    np.testing.assert_array_equal(found.numpy(), function(x).numpy())


@native
@pytest.mark.parametrize("dtype", [cg.int32, cg.int64])
@pytest.mark.parametrize("divisor", [3, -3])
def test_a_whole_quotient_of_data(divisor: int, dtype: cg.dtype) -> None:
    def function(i: cg.Tensor) -> cg.Tensor:
        return cg.where(i > 5, (i % 10) // divisor, i)

    i = cg.arange(-20, 40, dtype=dtype)
    found = cg.compile(function, executor="native")(i)
    np.testing.assert_array_equal(found.numpy(), function(i).numpy())
