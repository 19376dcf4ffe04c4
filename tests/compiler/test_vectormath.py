"""Elementary functions against mpmath: errors in units of the last place, specials, and lanes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from chalkgrad.compiler import jit, vectormath
from chalkgrad.compiler.host import detect, narrowed
from chalkgrad.compiler.text import Function, vector_of
from chalkgrad.core.graph import Array

KINDS = {"float": np.float32, "double": np.float64}
EXACT: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p,
    "tanh": mpmath.tanh, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "erf": mpmath.erf,
    "erfc": mpmath.erfc, "erfinv": mpmath.erfinv, "sin": mpmath.sin, "cos": mpmath.cos,
}  # fmt: skip
# Where the result is neither 0 nor infinite, in float32 and in float64.
RANGES: dict[str, tuple[float, float]] = {
    "exp": (-103, 88.7), "expm1": (-20, 88.7), "log": (1e-45, 3e38), "log1p": (-0.999, 1e30),
    "tanh": (-12, 12), "sigmoid": (-87, 40), "erf": (-5, 5), "erfc": (-5, 9), "erfinv": (-1, 1),
    "sin": (-7000, 7000), "cos": (-7000, 7000),
}  # fmt: skip
BOUNDS = {"float": 2.0, "double": 4.0}
LOOSER = {("erfc", "float"): 4.0, ("erfc", "double"): 5.0, ("erfinv", "float"): 3.2,
          ("erfinv", "double"): 3.2}  # fmt: skip


@cache
def compiled(name: str, kind: str, lanes: int, fma: bool = True) -> Callable[[Array], Array]:
    """The function over whole arrays, so many lanes at a time."""
    wide, size = vector_of(kind, lanes), np.dtype(KINDS[kind]).itemsize
    f = Function("run", ["ptr %x", "ptr %y", "i64 %n"], prefix="define")
    with f.loop("0", "%n", lanes) as i:
        source = f.let(f"getelementptr {kind}, ptr %x, i64 {i}")
        value = f.let(f"load {wide}, ptr {source}, align {size}")
        symbol = vectormath.symbol(name, kind, lanes)
        result = f.let(f"call {wide} @{symbol}({wide} {value})")
        target = f.let(f"getelementptr {kind}, ptr %y, i64 {i}")
        f.do(f"store {wide} {result}, ptr {target}, align {size}")
    body = "\n".join([*vectormath.define(name, kind, lanes, fma), f.render()])
    host = detect() if fma else narrowed(detect(), 16)
    text = "\n".join([*vectormath.declarations(body), body])
    code = jit.load(jit.compile_text(text, host), ["run"])
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)

    def run(x: Array) -> Array:
        whole = -(-len(x) // lanes) * lanes
        given = np.resize(x, whole)
        out = np.empty_like(given)
        call(code.address("run"))(given.ctypes.data, out.ctypes.data, whole)
        return out[: len(x)]

    return run


def sampled(name: str, kind: str, count: int) -> Array:
    """Numbers all over the range, dense near 0, and of every size."""
    rng = np.random.default_rng(len(name))
    low, high = RANGES[name]
    if kind == "double":
        low, high = {"exp": (-744, 709.7), "log": (5e-324, 1e308)}.get(name, (low, high))
    near = rng.normal(size=count)
    sizes = rng.choice([-1, 1], count) * 10.0 ** rng.uniform(-30, 30, count)
    even = low + (high - low) * rng.uniform(size=count)
    x = np.concatenate([even, near, near * 0.1, sizes])
    return x[(x >= low) & (x <= high)].astype(KINDS[kind])


def ulps(found: Array, x: Array, exact: Callable[[Any], Any]) -> float:
    """The largest error in units of the last place of the exact result."""
    info, worst = np.finfo(found.dtype), 0.0
    with mpmath.workprec(200):
        for got, value in zip(found.tolist(), x.tolist(), strict=True):
            true = exact(mpmath.mpf(value))
            if isinstance(true, mpmath.mpc) or not mpmath.isfinite(true) or abs(true) > info.max:
                continue
            assert np.isfinite(got), (value, got)
            exponent = max(int(mpmath.frexp(true)[1]) - 1, info.minexp) if true else info.minexp
            unit = mpmath.ldexp(1, exponent - info.nmant)
            worst = max(worst, float(abs(mpmath.mpf(got) - true) / unit))
    return worst


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", vectormath.FUNCTIONS)
def test_errors_stay_within_the_stated_bounds(name: str, kind: str) -> None:
    x = sampled(name, kind, 400)
    bound = LOOSER.get((name, kind), BOUNDS[kind])
    assert ulps(compiled(name, kind, 8)(x), x, EXACT[name]) <= bound
    assert ulps(compiled(name, kind, 4, fma=False)(x), x, EXACT[name]) <= bound + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", vectormath.FUNCTIONS)
def test_a_lane_does_not_depend_on_the_others(name: str, kind: str) -> None:
    x = sampled(name, kind, 50)
    alone = compiled(name, kind, 1)(x)
    for lanes in (3, 10, 16):
        np.testing.assert_array_equal(compiled(name, kind, lanes)(x), alone)


WANTED: dict[str, list[float]] = {  # at nan, inf, -inf, 0, -0
    "exp": [np.nan, np.inf, 0, 1, 1], "expm1": [np.nan, np.inf, -1, 0, -0.0],
    "log": [np.nan, np.inf, np.nan, -np.inf, -np.inf], "log1p": [np.nan, np.inf, np.nan, 0, -0.0],
    "tanh": [np.nan, 1, -1, 0, -0.0], "sigmoid": [np.nan, 1, 0, 0.5, 0.5],
    "erf": [np.nan, 1, -1, 0, -0.0], "erfc": [np.nan, 0, 2, 1, 1],
    "erfinv": [np.nan, np.nan, np.nan, 0, -0.0], "sin": [np.nan, np.nan, np.nan, 0, -0.0],
    "cos": [np.nan, np.nan, np.nan, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", vectormath.FUNCTIONS)
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
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_large_angles(name: str, kind: str) -> None:
    x = np.array([1e5, -3e6, 1e9, 2.0**40, -1e22, 1e30], KINDS[kind])
    assert ulps(compiled(name, kind, 8)(x), x, EXACT[name]) <= BOUNDS[kind]
