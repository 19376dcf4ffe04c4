"""Index arithmetic against Python's own, on random indices."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.compiler.affine import bounds, linear, written
from chalkgrad.core.index import Apply, Axis, Const, Term

EXTENTS = {0: 3, 1: 4, 2: 1, 3: 6}


def value(term: Term, at: dict[int, int]) -> int:
    match term:
        case Const(number):
            return int(number)
        case Axis(id):
            return at[id]
        case Apply(function, arguments):
            a, b = (value(part, at) for part in arguments)
            return {
                "add": a + b, "subtract": a - b, "multiply": a * b,
                "floor_divide": a // b if b else 0, "remainder": a % b if b else 0,
            }[function]  # fmt: skip
    raise TypeError(term)


def grown(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    number = st.integers(-5, 9).map(Const)
    divisor = st.integers(1, 9).map(Const)
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: Apply("add", p)),
        st.tuples(inner, inner).map(lambda p: Apply("subtract", p)),
        st.tuples(inner, number).map(lambda p: Apply("multiply", p)),
        st.tuples(inner, divisor).map(lambda p: Apply("floor_divide", p)),
        st.tuples(inner, divisor).map(lambda p: Apply("remainder", p)),
    )


TERMS = st.recursive(
    st.one_of(st.sampled_from([Axis(k) for k in EXTENTS]), st.integers(-9, 20).map(Const)),
    grown, max_leaves=8,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(TERMS)
def test_an_index_taken_apart_is_the_same_and_within_its_bounds(term: Term) -> None:
    found = linear(term, EXTENTS)
    low, high = bounds(found, EXTENTS)
    again = written(found)
    for numbers in product(*(range(n) for n in EXTENTS.values())):
        at = dict(zip(EXTENTS, numbers, strict=True))
        wanted = value(term, at)
        assert value(again, at) == wanted
        assert low <= wanted <= high
