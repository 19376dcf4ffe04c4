"""Affine arithmetic holds every value, and is nearly as narrow as what it holds."""

from __future__ import annotations

import math
import random

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.check.affine import Affine, Affines, anything, between, exact
from chalkgrad.check.curves import CURVES, STEPS
from chalkgrad.formulas import Call, Expression, Name, Number, evaluate
from chalkgrad.formulas.records import FOLDS, meaning, records
from chalkgrad.primitives.elementwise import EVERYWHERE

# Each function in 50 digits, from mpmath.
HIGH = {
    "reciprocal": lambda x: 1 / x, "square": lambda x: x * x, "exp": mpmath.exp,
    "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p, "bounded_log": mpmath.log,
    "sqrt": mpmath.sqrt, "rsqrt": lambda x: 1 / mpmath.sqrt(x), "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "relu": lambda x: max(x, mpmath.mpf(0)),
    "absolute": abs, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan,
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "sinh": mpmath.sinh,
    "cosh": mpmath.cosh, "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh, "erf": mpmath.erf, "erfc": mpmath.erfc, "erfinv": mpmath.erfinv,
}  # fmt: skip
DOMAINS = {
    "log": (0.01, 9), "bounded_log": (0.01, 9), "sqrt": (0, 9), "rsqrt": (0.01, 9),
    "log1p": (-0.9, 5), "tan": (-1.5, 1.5), "arcsin": (-0.99, 0.99), "arccos": (-0.99, 0.99),
    "arctanh": (-0.99, 0.99), "erfinv": (-0.99, 0.99), "arccosh": (1.001, 9),
    "reciprocal": (0.05, 9),
}  # fmt: skip


def apply(function: str, *numbers: Affine) -> Affine:
    return Affines().apply(function, numbers)


def test_no_elementwise_function_is_left_out() -> None:
    records()
    known = {*CURVES, *STEPS, *Affines.__init__.__globals__["OPERATIONS"]}
    assert set(EVERYWHERE) | set(FOLDS) <= known


@pytest.mark.parametrize("function", HIGH)
@pytest.mark.parametrize("width", [1e-5, 1e-2, 0.5, 4.0])
def test_a_curve_is_enclosed(function: str, width: float) -> None:
    draw = random.Random(function + str(width))
    low, high = DOMAINS.get(function, (-6, 6))
    for _ in range(40):
        start = draw.uniform(low, high)
        end = min(high, start + width * draw.random())
        found = apply(function, between(start, end, start))
        samples = [min(end, start + (end - start) * k / 20) for k in range(21)]
        with mpmath.workdps(50):
            values = [HIGH[function](mpmath.mpf(x)) for x in samples]
            assert found.low <= min(values)
            assert max(values) <= found.high
            for x, value in zip(samples, values, strict=True):  # and the slanted form holds, too
                noise = (x - (start + end) / 2) / ((end - start) / 2) if end > start else 0
                line = found.center + sum(slope * noise for slope in found.slopes.values())
                assert abs(line - value) <= found.error + 1e-12 * abs(value) + 1e-15
            spread = float(max(values) - min(values))
        assert found.high - found.low <= 1.2 * spread + 1e-12 * abs(found.center) + 1e-14


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 1), st.floats(0, 1), st.data())
def test_arithmetic_holds_every_value(
    a: float, b: float, wide_a: float, wide_b: float, data: st.DataObject
) -> None:
    x, y = between(a, a + wide_a, a), between(b, b + wide_b, b)
    at_a = a + wide_a * data.draw(st.floats(0, 1))
    at_b = b + wide_b * data.draw(st.floats(0, 1))
    assert apply("add", x, y).holds(at_a + at_b)
    assert apply("subtract", x, y).holds(at_a - at_b)
    assert apply("multiply", x, y).holds(at_a * at_b)
    assert apply("maximum", x, y).holds(max(at_a, at_b))
    assert apply("minimum", x, y).holds(min(at_a, at_b))
    if at_b:
        assert apply("divide", x, y).holds(at_a / at_b)
    assert apply("less", x, y).holds(float(at_a < at_b))
    assert apply("greater_equal", x, y).holds(float(at_a >= at_b))
    chosen = apply("select", apply("less", x, y), x, y)
    assert chosen.holds(at_a if at_a < at_b else at_b)


NAMES = ("a", "b", "c")
leaves = st.one_of(
    st.sampled_from(NAMES).map(Name), st.integers(1, 9).map(lambda n: Number(float(n)))
)


def _grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    smooth = st.sampled_from(["sigmoid", "tanh", "sin", "negative", "relu", "square", "arctan"])
    two = st.sampled_from(["add", "subtract", "multiply", "maximum", "minimum"])
    return st.one_of(
        st.tuples(smooth, inner).map(lambda p: Call(p[0], (p[1],))),
        st.tuples(two, inner, inner).map(lambda p: Call(p[0], (p[1], p[2]))),
        st.lists(inner, min_size=1, max_size=3).map(lambda p: Call("sum", tuple(p))),
    )


@given(st.recursive(leaves, _grown, max_leaves=12), st.integers(0, 2**32), st.floats(1e-6, 0.3))
def test_a_formula_holds_what_its_names_can_make(
    formula: Expression, seed: int, width: float
) -> None:
    draw = random.Random(seed)
    places = {name: draw.uniform(-1, 1) for name in NAMES}
    numbers = {name: between(x, x + width, x) for name, x in places.items()}
    found = evaluate(formula, lambda part: numbers[part.text], Affines())
    for _ in range(20):
        at = {name: x + width * draw.random() for name, x in places.items()}
        value = evaluate(formula, lambda part: at[part.text], _Floats())  # noqa: B023
        slack = 1e-9 * max(1.0, abs(value))
        assert found.low - slack <= value <= found.high + slack


class _Floats:
    def number(self, number: Number) -> float:
        return number.value

    def apply(self, function: str, arguments: list[float]) -> float:
        return float(meaning(function)(*arguments))


def test_a_network_is_nearly_as_narrow_as_its_values() -> None:
    """Two decimals of every weight of 2-2-1: at most a quarter wider than the corners show."""
    draw = random.Random(7)
    for _ in range(30):
        base = [draw.uniform(-1, 1) for _ in range(6)]

        def output(w: list[float]) -> float:
            h1 = 1 / (1 + math.exp(-(0.3 * w[0] + 0.7 * w[1])))
            h2 = 1 / (1 + math.exp(-(0.3 * w[2] + 0.7 * w[3])))
            out = 1 / (1 + math.exp(-(h1 * w[4] + h2 * w[5])))
            return (out - 0.1) * out * (1 - out) * h1

        numbers = [between(x - 0.005, x + 0.005, x) for x in base]
        h1, h2 = (
            apply(
                "sigmoid",
                apply("sum", apply("multiply", exact(0.3), a), apply("multiply", exact(0.7), b)),
            )
            for a, b in (numbers[0:2], numbers[2:4])
        )
        net = apply("add", apply("multiply", h1, numbers[4]), apply("multiply", h2, numbers[5]))
        out = apply("sigmoid", net)
        slope = apply("multiply", out, apply("subtract", exact(1.0), out))
        error = apply("subtract", out, exact(0.1))
        found = apply("prod", error, slope, h1)
        corners = [
            output([x + (0.005 if k >> j & 1 else -0.005) for j, x in enumerate(base)])
            for k in range(64)
        ]
        assert found.low <= min(corners)
        assert max(corners) <= found.high
        assert found.high - found.low <= 1.25 * (max(corners) - min(corners))


def test_the_same_number_twice_is_one_number() -> None:
    a = between(0.595, 0.605, 0.6)
    apart = apply("multiply", a, apply("subtract", exact(1.0), between(0.595, 0.605, 0.6)))
    together = apply("multiply", a, apply("subtract", exact(1.0), a))
    assert together.radius < 0.3 * apart.radius
    assert apply("subtract", a, a).radius < 1e-14


def test_what_cannot_be_known_is_said_and_raises_nothing() -> None:
    zero = between(-0.1, 0.1, 0.0)
    assert not apply("divide", exact(1.0), zero).is_finite
    assert not apply("log", zero).is_finite
    assert not apply("divide", exact(1.0), exact(0.0)).is_finite
    assert not apply("log", exact(-1.0)).is_finite
    assert not apply("arcsin", exact(2.0)).is_finite
    tower = exact(9.0)
    for _ in range(3):
        tower = apply("power", exact(9.0), tower)
    assert not tower.is_finite
    assert not tower.holds(0.41)
    assert apply("sigmoid", anything()).low >= 0
    assert apply("sigmoid", anything()).high < 1.0000001
    assert apply("sin", anything()).high <= 1.0000001
    assert not apply("tan", anything()).is_finite
    # 1/(1 + e^1000) is next to nothing, whatever overflows on the way
    tiny = apply("reciprocal", apply("add", exact(1.0), apply("exp", exact(1000.0))))
    assert tiny.low > -1e-300
    assert tiny.high < 1e-200


def test_the_point_is_what_the_digits_give() -> None:
    found = apply("multiply", between(0.675, 0.685, 0.68), between(0.185, 0.195, 0.19))
    assert found.point == pytest.approx(0.68 * 0.19, rel=1e-15)


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("floor", (between(1.2, 1.8, 1.5),), (1, 1)),
        ("round", (between(1.4, 1.6, 1.5),), (1, 2)),
        ("sign", (between(-1, 1, 0),), (-1, 1)),
        ("remainder", (between(7.1, 7.2, 7.1), exact(3.0)), (1.1, 1.2)),
        ("clip", (between(-1, 5, 0), exact(0.0), exact(math.nan)), (0, 5)),
        ("clip", (between(-1, 5, 0), exact(math.nan), exact(2.0)), (-1, 2)),
        ("power", (between(-2, 3, 0), exact(2.0)), (0, 9)),
        ("power", (between(2, 3, 2), exact(-1.0)), (1 / 3, 1 / 2)),
        ("power", (between(4, 9, 4), exact(0.5)), (2, 3)),
        ("arctan2", (between(1, 2, 1), exact(1.0)), (math.pi / 4, math.atan(2))),
        ("max", (between(1, 2, 1), exact(1.5), exact(0.0)), (1.5, 2)),
        ("equal", (exact(1.0), exact(1.0)), (1, 1)),
        ("logical_and", (exact(1.0), exact(0.0)), (0, 0)),
        ("logical_or", (exact(1.0), exact(0.0)), (1, 1)),
    ],
)
def test_choices_and_steps(
    function: str, arguments: tuple[Affine, ...], expected: tuple[float, float]
) -> None:
    found = apply(function, *arguments)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
