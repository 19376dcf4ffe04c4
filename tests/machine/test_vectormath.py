"""Elementary functions against mpmath: errors in units of the last place, specials, and lanes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from chalkgrad.core.graph import Array
from chalkgrad.machine import jit, vectormath
from chalkgrad.machine.host import detect, narrowed
from chalkgrad.machine.text import Function, vector_of
from tools import fit_vectormath

KINDS = {"float": np.float32, "double": np.float64}
EXACT: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p,
    "tanh": mpmath.tanh, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "erf": mpmath.erf,
    "erfc": mpmath.erfc, "erfinv": mpmath.erfinv, "sin": mpmath.sin, "cos": mpmath.cos,
    "tan": mpmath.tan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "arctan": mpmath.atan,
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh, "arctanh": mpmath.atanh, "power": mpmath.power,
}  # fmt: skip
# Where the result is neither 0 nor infinite, in float32 and in float64.
RANGES: dict[str, tuple[float, float]] = {
    "exp": (-103, 88.7), "expm1": (-20, 88.7), "log": (1e-45, 3e38), "log1p": (-0.999, 1e30),
    "tanh": (-12, 12), "sigmoid": (-103, 40), "erf": (-5, 5), "erfc": (-5, 10), "erfinv": (-1, 1),
    "sin": (-1e5, 1e5), "cos": (-1e5, 1e5), "tan": (-1e5, 1e5), "sinh": (-89, 89),
    "cosh": (-89, 89), "arctan": (-1e30, 1e30), "arcsin": (-1, 1), "arccos": (-1, 1),
    "arcsinh": (-1e30, 1e30), "arccosh": (1, 1e30), "arctanh": (-1, 1),
}  # fmt: skip
WIDER = {  # of float64
    "exp": (-744, 709.7), "expm1": (-50, 709.7), "log": (5e-324, 1e308), "sigmoid": (-744, 60),
    "erfc": (-6, 27), "sinh": (-710, 710), "cosh": (-710, 710), "tanh": (-25, 25),
    "sin": (-1e9, 1e9), "cos": (-1e9, 1e9), "tan": (-1e9, 1e9), "arcsinh": (-1e300, 1e300),
    "arccosh": (1, 1e300), "log1p": (-1, 1e300),
}  # fmt: skip
BOUNDS = {"float": 2.0, "double": 4.0}
ALONE = [name for name, count in vectormath.FUNCTIONS.items() if count == 1]


@cache
def compiled(name: str, kind: str, lanes: int, fma: bool = True) -> Callable[..., Array]:
    """The function over whole arrays, so many lanes at a time."""
    wide, size = vector_of(kind, lanes), np.dtype(KINDS[kind]).itemsize
    f = Function("run", ["ptr %x", "ptr %z", "ptr %y", "i64 %n"], prefix="define")
    with f.loop("0", "%n", lanes) as i:
        values = []
        for source in ("%x", "%z")[: vectormath.FUNCTIONS[name]]:
            place = f.let(f"getelementptr {kind}, ptr {source}, i64 {i}")
            values.append(f.let(f"load {wide}, ptr {place}, align {size}"))
        given = ", ".join(f"{wide} {value}" for value in values)
        result = f.let(f"call {wide} @{vectormath.symbol(name, kind, lanes)}({given})")
        target = f.let(f"getelementptr {kind}, ptr %y, i64 {i}")
        f.do(f"store {wide} {result}, ptr {target}, align {size}")
    body = "\n".join([*vectormath.define(name, kind, lanes, fma), f.render()])
    host = detect() if fma else narrowed(detect(), 16)
    text = "\n".join([*vectormath.declarations(body), body])
    code = jit.load(jit.compile_text(text, host), ["run"])
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)

    def run(*arguments: Array) -> Array:
        count = len(arguments[0])
        whole = -(-count // lanes) * lanes
        given = [np.resize(x, whole) for x in arguments]
        out = np.empty_like(given[0])
        call(code.address("run"))(
            given[0].ctypes.data, given[-1].ctypes.data, out.ctypes.data, whole
        )
        return out[:count]

    return run


def sampled(name: str, kind: str, count: int) -> Array:
    """Numbers all over the range, dense near 0 and ±1, near multiples of π/4, of every size."""
    rng = np.random.default_rng(len(name))
    low, high = RANGES[name]
    if kind == "double":
        low, high = WIDER.get(name, (low, high))
    near = rng.normal(size=count)
    sizes = rng.choice([-1, 1], count) * 10.0 ** rng.uniform(-30, 30, count)
    one = rng.choice([-1, 1], count) * (1 + near * 10.0 ** rng.uniform(-12, 0, count))
    quarters = rng.integers(-(10**5), 10**5, count) * (np.pi / 4)
    logs = rng.integers(-150, 150, count) * (np.log(2) / 2)
    ends = np.clip(high, -1e30, 1e30) * rng.uniform(size=count)
    even = np.clip(low, -1e30, 1e30) * (1 - rng.uniform(size=count)) + ends
    x = np.concatenate([even, near, near * 0.1, sizes, one, quarters, logs])
    return x[(x >= low) & (x <= high)].astype(KINDS[kind])


def pairs(kind: str, count: int) -> tuple[Array, Array]:
    """Bases and exponents whose power is within the format, denormal ones included."""
    rng = np.random.default_rng(4)
    top = 745 if kind == "double" else 104
    x = np.concatenate([10.0 ** rng.uniform(-30, 30, count), rng.uniform(0.5, 2, count),
                        1 + rng.normal(size=count) * 1e-4]).astype(KINDS[kind])  # fmt: skip
    y = rng.uniform(-1, 1, x.size) * top / np.abs(np.log(x.astype(float)))
    y = np.where(rng.random(x.size) < 0.3, np.rint(y), y).astype(KINDS[kind])
    return x, y


def ulps(found: Array, exact: Callable[..., Any], *arguments: Array) -> float:
    """The largest error in units of the last place of the exact result."""
    info, worst = np.finfo(found.dtype), 0.0
    rows = zip(*[x.tolist() for x in arguments], strict=True)
    with mpmath.workprec(200):
        for got, values in zip(found.tolist(), rows, strict=True):
            true = exact(*[mpmath.mpf(value) for value in values])
            if isinstance(true, mpmath.mpc) or not mpmath.isfinite(true) or abs(true) > info.max:
                continue
            assert np.isfinite(got), (values, got)
            exponent = max(int(mpmath.frexp(true)[1]) - 1, info.minexp) if true else info.minexp
            unit = mpmath.ldexp(1, exponent - info.nmant)
            worst = max(worst, float(abs(mpmath.mpf(got) - true) / unit))
    return worst


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", vectormath.FUNCTIONS)
def test_errors_stay_within_the_stated_bounds(name: str, kind: str) -> None:
    x = pairs(kind, 200) if name == "power" else (sampled(name, kind, 120),)
    assert ulps(compiled(name, kind, 8)(*x), EXACT[name], *x) <= BOUNDS[kind]
    assert ulps(compiled(name, kind, 4, fma=False)(*x), EXACT[name], *x) <= BOUNDS[kind] + 1


# What NumPy computes in float64 judges float32 on many more numbers.
JUDGES: dict[str, Callable[[Array], Array]] = {
    name: getattr(np, name) for name in ALONE if hasattr(np, name)
} | {"sigmoid": lambda x: np.exp(-np.logaddexp(0, -x))}


@pytest.mark.parametrize("name", JUDGES)
def test_float32_on_random_bits(name: str) -> None:
    rng = np.random.default_rng(1)
    bits = rng.integers(-(2**31), 2**31, 100_000).astype(np.int32).view(np.float32)
    x = np.concatenate([bits, sampled(name, "float", 20_000)])
    with np.errstate(all="ignore"):
        true = JUDGES[name](x.astype(np.float64))
        wanted = true.astype(np.float32)
    found = compiled(name, "float", 8)(x)
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~finite], wanted[~finite])
    unit = np.spacing(np.abs(wanted[finite])).astype(float)
    assert np.max(np.abs(found[finite] - true[finite]) / unit) <= BOUNDS["float"] + 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", vectormath.FUNCTIONS)
def test_a_lane_does_not_depend_on_the_others(name: str, kind: str) -> None:
    x = pairs(kind, 50) if name == "power" else (sampled(name, kind, 50),)
    alone = compiled(name, kind, 1)(*x)
    for lanes in (3, 4, 8, 10, 16):
        np.testing.assert_array_equal(compiled(name, kind, lanes)(*x), alone)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_large_angle_does_not_change_its_neighbours(name: str, kind: str) -> None:
    x = np.random.default_rng(2).normal(size=4000).astype(KINDS[kind])
    alone = compiled(name, kind, 8)(x)
    x[::8] = 1e20
    np.testing.assert_array_equal(compiled(name, kind, 8)(x)[1::8], alone[1::8])


WANTED: dict[str, list[float]] = {  # at nan, inf, -inf, 0, -0
    "exp": [np.nan, np.inf, 0, 1, 1], "expm1": [np.nan, np.inf, -1, 0, -0.0],
    "log": [np.nan, np.inf, np.nan, -np.inf, -np.inf], "log1p": [np.nan, np.inf, np.nan, 0, -0.0],
    "tanh": [np.nan, 1, -1, 0, -0.0], "sigmoid": [np.nan, 1, 0, 0.5, 0.5],
    "erf": [np.nan, 1, -1, 0, -0.0], "erfc": [np.nan, 0, 2, 1, 1],
    "erfinv": [np.nan, np.nan, np.nan, 0, -0.0], "sin": [np.nan, np.nan, np.nan, 0, -0.0],
    "cos": [np.nan, np.nan, np.nan, 1, 1], "tan": [np.nan, np.nan, np.nan, 0, -0.0],
    "sinh": [np.nan, np.inf, -np.inf, 0, -0.0], "cosh": [np.nan, np.inf, np.inf, 1, 1],
    "arctan": [np.nan, np.pi / 2, -np.pi / 2, 0, -0.0],
    "arcsin": [np.nan, np.nan, np.nan, 0, -0.0],
    "arccos": [np.nan, np.nan, np.nan, np.pi / 2, np.pi / 2],
    "arcsinh": [np.nan, np.inf, -np.inf, 0, -0.0],
    "arccosh": [np.nan, np.inf, np.nan, np.nan, np.nan],
    "arctanh": [np.nan, np.nan, np.nan, 0, -0.0],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALONE)
def test_specials(name: str, kind: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], KINDS[kind])
    found = compiled(name, kind, 5)(x)
    wanted = np.array(WANTED[name], KINDS[kind])
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found[3:]), np.signbit(wanted[3:]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_of_the_range(kind: str) -> None:
    exp, log = compiled("exp", kind, 4), compiled("log", kind, 4)
    info = np.finfo(KINDS[kind])
    top = np.log(np.array(info.max, np.longdouble)).astype(KINDS[kind])
    assert np.isfinite(exp(np.array([np.nextafter(top, 0)], KINDS[kind]))[0])
    assert exp(np.array([top * 1.01], KINDS[kind]))[0] == np.inf
    tiny = np.array([info.smallest_subnormal, info.tiny / 4, info.tiny], KINDS[kind])
    np.testing.assert_allclose(log(tiny), np.log(tiny.astype(np.longdouble)), rtol=2 * info.eps)
    np.testing.assert_allclose(exp(log(tiny[2:])), tiny[2:], rtol=1000 * info.eps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles(name: str, kind: str) -> None:
    x = np.array([1e5, -3e6, 1e9, 2.0**40, -1e22, 1e30], KINDS[kind])
    assert ulps(compiled(name, kind, 8)(x), EXACT[name], x) <= BOUNDS[kind]


@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_powers_of_specials_are_numpys(kind: str, fma: bool) -> None:
    largest = np.finfo(KINDS[kind]).max
    some = [0, 1, 2, 2.5, 3, 0.5, 1e30, largest, np.inf]
    both = np.array([*some, *[-x for x in some], np.nan], KINDS[kind])
    x, y = (a.ravel() for a in np.meshgrid(both, both))
    with np.errstate(all="ignore"):
        wanted = np.power(x, y)
    found = compiled("power", kind, 8, fma)(x, y)
    np.testing.assert_allclose(found, wanted, rtol=4 * np.finfo(KINDS[kind]).eps)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted) & ~np.isnan(wanted)
                                  | np.signbit(found) & np.isnan(wanted))  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_small_whole_powers_are_exact(kind: str) -> None:
    x, y = (a.ravel().astype(KINDS[kind]) for a in np.meshgrid(np.arange(-12, 13), np.arange(6)))
    np.testing.assert_array_equal(compiled("power", kind, 8)(x, y), x**y)


@pytest.mark.parametrize("kind", KINDS)
def test_bounded_functions_keep_their_bounds(kind: str) -> None:
    x = np.concatenate([sampled("tanh", kind, 20_000), np.linspace(6, 30, 50_000)])
    x = x.astype(KINDS[kind])
    for name in ("sin", "cos", "tanh", "erf", "sigmoid"):
        assert np.max(np.abs(compiled(name, kind, 8)(x))) <= 1


def test_declarations_name_each_intrinsic_once() -> None:
    text = """declare float @sinf(float)
      %1 = call <7 x float> @llvm.fma.v7f32(<7 x float> %a, <7 x float> %b, <7 x float> %c)
      %2 = tail call nnan double @llvm.copysign.f64(double %a, double %b)
      %3 = call double @llvm.copysign.f64(double %a, double %b)
      %4 = call float @sinf(float %d)
      %5 = call float @cosf(float %d)
      %6 = call i32 @llvm.abs.i32(i32 %e, i1 true)"""
    assert vectormath.declarations(text) == [
        "declare <7 x float> @llvm.fma.v7f32(<7 x float>, <7 x float>, <7 x float>)",
        "declare double @llvm.copysign.f64(double, double)",
        "declare float @cosf(float) nounwind memory(none)",
    ]


def test_the_polynomials_are_those_that_are_fitted() -> None:
    assert fit_vectormath.main(["--check"]) == 0
