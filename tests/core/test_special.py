"""erf, erfc and erfinv against mpmath, in units of the last place (ulp) of the exact result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from mpmath import mp, mpf  # type: ignore[import-untyped]

from chalkgrad.core.special import BLOCK, erf, erfc, erfinv
from tools import fit_special

Array = npt.NDArray[Any]
Function = Callable[[Array], Array]

DTYPES = (np.float32, np.float64)
FUNCTIONS = (erf, erfc, erfinv)
POINTS = 600

# What the docstrings promise.
WORST_ULP = {
    (erf, np.float32): 1.5,
    (erf, np.float64): 1.5,
    (erfc, np.float32): 4.2,
    (erfc, np.float64): 4.0,
    (erfinv, np.float32): 3.2,
    (erfinv, np.float64): 3.2,
}

with_each_dtype = pytest.mark.parametrize("dtype", DTYPES)
with_each_function = pytest.mark.parametrize("function", FUNCTIONS)


def exactly(function: Function, x: Array) -> list[mpf]:
    """The function by mpmath. The inverse of y near 1 needs the digits that 1 - y loses."""
    with mp.workdps(60):
        return [getattr(mp, function.__name__)(mpf(float(value))) for value in x]


def errors_in_ulp(function: Function, x: Array) -> Array:
    """|computed - exact| at each x, divided by the spacing of the dtype at the exact result."""
    computed = function(x)
    assert computed.dtype == x.dtype
    exact = exactly(function, x)
    rounded = np.array([float(value) for value in exact]).astype(x.dtype)
    with mp.workdps(60):
        misses = [abs(mpf(float(c)) - e) for c, e in zip(computed, exact, strict=True)]
        return np.array([float(m / mpf(float(np.spacing(abs(r)))))
                         for m, r in zip(misses, rounded, strict=True)])  # fmt: skip


def assert_accurate(function: Function, x: Array) -> None:
    errors = errors_in_ulp(function, x)
    worst = int(np.argmax(errors))
    bound = WORST_ULP[function, x.dtype.type]
    assert errors[worst] < bound, f"{function.__name__}({x[worst]!r}) is off by {errors[worst]} ulp"


def neighbours(points: list[float], dtype: type[np.floating[Any]]) -> Array:
    """Each point with the 20 floats below and above it, and their negatives."""
    centre = np.array(points, dtype)
    steps = np.arange(-20, 21, dtype=dtype)
    around = (centre[:, None] + steps * np.spacing(centre)[:, None]).ravel()
    return np.concatenate([around, -around])


def log_uniform(low: float, high: float, dtype: type[np.floating[Any]]) -> Array:
    exponents = np.random.default_rng(0).uniform(np.log10(low), np.log10(high), POINTS)
    return (10.0**exponents).astype(dtype)


@with_each_dtype
@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (erf, -1.0, 1.0), (erf, 1.0, 6.2), (erf, -6.2, -1.0),
        (erfc, -6.2, -0.5), (erfc, -0.5, 0.5), (erfc, 0.5, 3.0), (erfc, 3.0, 9.0),
        (erfinv, -0.7, 0.7), (erfinv, 0.7, 1.0), (erfinv, -1.0, -0.7),
    ],
)  # fmt: skip
def test_accurate_over_the_range(
    function: Function, low: float, high: float, dtype: type[np.floating[Any]]
) -> None:
    x = np.random.default_rng(1).uniform(low, high, POINTS).astype(dtype)
    assert_accurate(function, x[np.abs(x) != 1] if function is erfinv else x)


@with_each_dtype
@with_each_function
def test_relative_accuracy_of_tiny_arguments_down_to_denormals(
    function: Function, dtype: type[np.floating[Any]]
) -> None:
    x = log_uniform(float(np.finfo(dtype).smallest_subnormal), 0.1, dtype)
    assert_accurate(function, np.concatenate([x, -x]))


@pytest.mark.parametrize(("function", "low", "high"), [(erf, 0, 4), (erfc, -4, 9), (erfinv, 0, 1)])
def test_float32_on_a_million_points_against_float64(
    function: Function, low: float, high: float
) -> None:
    x = np.linspace(low, high, 1_000_001)[:-1].astype(np.float32)
    x = x[np.abs(x) < 1] if function is erfinv else x
    exact = function(x.astype(np.float64))  # to a billionth of float32's ulp
    ulp = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    assert (np.abs(function(x) - exact) / ulp).max() < WORST_ULP[function, np.float32]


@with_each_dtype
def test_tail_of_erfc_until_it_underflows(dtype: type[np.floating[Any]]) -> None:
    end = 10.0 if dtype is np.float32 else 27.0
    x = np.random.default_rng(2).uniform(5.0, end, 2 * POINTS).astype(dtype)
    assert_accurate(erfc, x)


@with_each_dtype
def test_erfc_fades_to_zero_through_the_denormals(dtype: type[np.floating[Any]]) -> None:
    first, last = (10.0, 10.2) if dtype is np.float32 else (27.0, 27.3)
    x = np.linspace(first, last, POINTS).astype(dtype)
    spacing = float(np.finfo(dtype).smallest_subnormal)
    misses = [abs(float((c - e) / spacing))
              for c, e in zip(map(float, erfc(x)), exactly(erfc, x), strict=True)]  # fmt: skip
    assert max(misses) <= 1.5
    assert erfc(x)[-1] == 0


@with_each_dtype
def test_inverse_of_the_last_numbers_below_one(dtype: type[np.floating[Any]]) -> None:
    bits = np.finfo(dtype).nmant
    below_one = 1 - log_uniform(2.0**-bits, 0.25, dtype)
    last = np.array([np.nextafter(dtype(1), dtype(0))])
    assert_accurate(erfinv, np.concatenate([below_one, -below_one, last]).astype(dtype))


@with_each_dtype
@pytest.mark.parametrize(
    ("function", "points"),
    [
        (erf, [fit_special.BOUNDARIES["ERF_NEAR"][0]]),
        (erfc, [fit_special.BOUNDARIES["ERFC_NEAR"][0], fit_special.ERFC_FOLD]),
        (erfinv, [fit_special.BOUNDARIES["ERFINV_NEAR"][0]]),
    ],
)
def test_accurate_where_one_formula_takes_over_from_another(
    function: Function, points: list[float], dtype: type[np.floating[Any]]
) -> None:
    assert_accurate(function, neighbours(points, dtype))


@with_each_dtype
def test_special_values(dtype: type[np.floating[Any]]) -> None:
    info = np.finfo(dtype)
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, info.max, -info.max], dtype)
    np.testing.assert_array_equal(erf(x), np.array([np.nan, 1, -1, 0, -0.0, 1, -1], dtype))
    np.testing.assert_array_equal(erfc(x), np.array([np.nan, 0, 2, 1, 1, 0, 2], dtype))
    np.testing.assert_array_equal(np.signbit(erf(x))[3:5], [False, True])
    y = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1 + info.eps, -2.0], dtype)
    nan, inf = np.nan, np.inf
    expected = np.array([nan, nan, nan, 0, -0.0, inf, -inf, nan, nan], dtype)
    np.testing.assert_array_equal(erfinv(y), expected)
    np.testing.assert_array_equal(np.signbit(erfinv(y))[3:5], [False, True])


@with_each_dtype
def test_symmetries_hold_exactly_and_ranges_are_kept(dtype: type[np.floating[Any]]) -> None:
    x = np.random.default_rng(3).normal(scale=3, size=3 * BLOCK).astype(dtype)
    np.testing.assert_array_equal(erf(-x), -erf(x))
    assert np.abs(erf(x)).max() == 1
    assert erfc(x).min() >= 0
    assert erfc(x).max() <= 2
    y = np.random.default_rng(4).uniform(-1, 1, 3 * BLOCK).astype(dtype)
    np.testing.assert_array_equal(erfinv(-y), -erfinv(y))


@with_each_dtype
@with_each_function
def test_no_floating_point_error_is_ever_raised(
    function: Function, dtype: type[np.floating[Any]]
) -> None:
    info = np.finfo(dtype)
    extremes = [np.nan, np.inf, info.max, info.tiny, info.smallest_subnormal, 1.0, 2.0, 27.0, 0.0]
    x = np.array(extremes, dtype)
    with np.errstate(all="raise"):
        function(np.concatenate([x, -x]))


@with_each_dtype
@with_each_function
@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_do_not_show(function: Function, size: int, dtype: type[np.floating[Any]]) -> None:
    x = np.random.default_rng(5).uniform(-1, 1, size).astype(dtype)
    samples = np.unique(np.linspace(0, max(size - 1, 0), 40).astype(int))[:size]
    alone = np.array([function(x[i : i + 1])[0] for i in samples], dtype)
    np.testing.assert_allclose(function(x)[samples], alone, rtol=4 * float(np.finfo(dtype).eps))
    assert function(x).shape == (size,)


@with_each_dtype
@with_each_function
def test_any_shape_and_layout(function: Function, dtype: type[np.floating[Any]]) -> None:
    x = np.linspace(-0.9, 0.9, 24).astype(dtype).reshape(2, 3, 4)
    whole = function(x)
    assert whole.shape == x.shape
    np.testing.assert_array_equal(function(x.T), whole.T)
    np.testing.assert_array_equal(function(x[:, ::-2, 1:]), whole[:, ::-2, 1:])
    scalar = function(np.array(0.25, dtype))
    assert isinstance(scalar, np.ndarray)
    assert scalar.shape == ()


@with_each_function
def test_the_argument_is_only_read(function: Function) -> None:
    x = np.linspace(-0.9, 0.9, 7)
    before = x.copy()
    x.flags.writeable = False
    assert not np.shares_memory(function(x), x)
    np.testing.assert_array_equal(x, before)


def test_the_constants_are_what_the_fitting_tool_prints() -> None:
    assert fit_special.main(["--check"]) == 0
