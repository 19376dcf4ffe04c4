"""One table of primitives, many judges."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chalkgrad.core import index
from chalkgrad.core.errors import ChalkgradError
from chalkgrad.executors.numpy import _VIEWS
from chalkgrad.primitives.elementwise import EVERYWHERE
from tests.primitives import judges
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

table = pytest.mark.parametrize


def smooth_inputs(case: Case) -> list[int]:
    """The differentiable inputs; a number among arrays is a literal, which has no gradient."""
    literal = case.primitive.name in EVERYWHERE and any(a.shape for a in case.arrays)
    return [k for k in case.smooth if case.arrays[k].shape or not literal]


@table("case", SMOOTH, ids=str)
def test_the_derivative_is_that_of_finite_differences(case: Case) -> None:
    function = judges.applied(case.primitive, case.params)
    judges.assert_gradient(function, case.arrays, smooth_inputs(case))


@table("case", SMOOTH, ids=str)
def test_the_derivative_of_the_derivative_is_that_of_finite_differences(case: Case) -> None:
    cotangent = np.random.default_rng(3).uniform(0.5, 1.5, case.run().shape)
    arrays = [*case.arrays, cotangent]
    for k in smooth_inputs(case):
        function = judges.gradient_of(case.primitive, case.params, k)
        judges.assert_gradient(function, arrays, [*smooth_inputs(case), len(case.arrays)])


@table("case", [*CASES, *EMPTY_CASES, *WHOLE, *TRUTHS], ids=str)
def test_the_index_formula_says_what_the_numpy_line_computes(case: Case) -> None:
    formula = case.primitive.index(*case.types, **case.params)
    with np.errstate(all="ignore"):
        found = index.evaluate(formula, case.arrays, judges.meaning)
    wanted = case.run()
    assert found.shape == wanted.shape
    if wanted.dtype.kind == "f":
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)
    else:
        np.testing.assert_array_equal(found, wanted)


@table("case", [*CASES, *EMPTY_CASES, *WHOLE, *TRUTHS], ids=str)
def test_the_type_rule_says_what_the_numpy_line_returns(case: Case) -> None:
    for same in (case, case.cast(FLOAT32)):
        promised = same.primitive.type(*same.types, **same.params)
        out = same.run()
        assert (out.shape, out.dtype) == tuple(promised)


@table("case", EMPTY_CASES, ids=str)
def test_arrays_without_elements_have_gradients_of_their_shape(case: Case) -> None:
    function = judges.applied(case.primitive, case.params)
    out = case.run()
    gradients = judges.reverse(function, case.arrays, np.ones(out.shape), case.smooth)
    for k in case.smooth:
        assert gradients[k].shape == case.arrays[k].shape
        once = judges.gradient_of(case.primitive, case.params, k)
        smooth = [*case.smooth, len(case.arrays)]
        again = judges.reverse(
            once, [*case.arrays, np.ones(out.shape)], np.ones_like(case.arrays[k]), smooth
        )
        assert [a.shape for a in again] == [a.shape for a in (*case.arrays, out)]


@table("name", ["max", "min", "argmax", "argmin"])
def test_an_extreme_of_nothing_is_refused_with_its_name(name: str) -> None:
    params = {"axis": 0} if name.startswith("arg") else {"axes": (0,), "keepdims": False}
    with pytest.raises(ChalkgradError, match=rf"{name} over dimension.*no elements"):
        judges.applied(RECORDS[name], params)(judges.tensor(np.zeros((0, 3))))


@table("case", CASES, ids=str)
def test_a_primitive_reads_in_text_and_in_latex(case: Case) -> None:
    notation, count = case.primitive.notation, len(case.arrays)
    names = ["a, b"] if case.primitive.variadic else [f"x{k}" for k in range(count)]
    for template in (notation.text, notation.latex):
        shown = template.format(*names)
        assert shown.count("{") == shown.count("}")
        fields = {
            field for _, field, _, _ in string.Formatter().parse(template) if field is not None
        }
        assert fields <= {str(k) for k in range(len(names))}
        assert len(fields) == len(names)


@table("case", CASES, ids=str)
def test_only_the_executors_list_of_views_shares_memory_with_an_input(case: Case) -> None:
    out = case.run()
    shares = any(np.shares_memory(out, array) for array in case.arrays if array.size)
    assert not shares or case.primitive.name in _VIEWS


@table("case", CASES, ids=str)
def test_inputs_are_left_as_they_were(case: Case) -> None:
    before = [array.copy() for array in case.arrays]
    case.run()
    for array, was in zip(case.arrays, before, strict=True):
        np.testing.assert_array_equal(array, was)


@table("case", SMOOTH, ids=str)
def test_every_vjp_matters(case: Case) -> None:
    """Break each rule in turn; the finite differences must notice."""
    for k in smooth_inputs(case):
        function = judges.applied(replace(case.primitive, vjp=_broken(case, k)), case.params)
        if not np.any(judges.central(function, case.arrays, np.ones(case.run().shape), k)):
            continue  # floor, sign and their like have a gradient of 0 and 1.1 · 0 is as right
        with pytest.raises(AssertionError):
            judges.assert_gradient(function, case.arrays, smooth_inputs(case))


def _broken(case: Case, k: int) -> Any:
    def rule(argnum: int) -> Any:
        right = case.primitive.rule(argnum)
        if argnum != k:
            return right
        return lambda *operands, **params: right(*operands, **params) * 1.0001

    return rule
