"""Every named rewrite keeps the formula: at many random points, and as a function, by sympy.

Sympy gets expressions that are built from our trees, node by node; it reads no text.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.explain import Derivation
from chalkgrad.explain.algebra import simplified
from chalkgrad.explain.board import Local
from chalkgrad.formulas import Call, Expression, Name, Number, evaluate, names_in, parts, text

table = pytest.mark.parametrize


# Arithmetics. What a function means is said here once more, independently.
class Symbols:
    """Formulas as sympy expressions."""

    def number(self, number: Number) -> Any:
        short = Fraction(number.value).limit_denominator(1000)
        exact = short if float(short) == number.value else Fraction(number.value)
        return sympy.Rational(exact.numerator, exact.denominator)

    def apply(self, function: str, arguments: Sequence[Any]) -> Any:
        meaning: dict[str, Callable[..., Any]] = {
            **RATIONAL, "exp": sympy.exp, "log": sympy.log, "tanh": sympy.tanh, "sqrt": sympy.sqrt,
            "max": sympy.Max, "min": sympy.Min, "greater": lambda a, b: a > b,
            "select": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
            "bounded_log": sympy.log,  # no argument here is below e^-100
        }  # fmt: skip
        return meaning[function](*arguments)


class Precise:
    """Formulas with 60 digits."""

    def number(self, number: Number) -> Any:
        return mpmath.mpf(number.value)

    def apply(self, function: str, arguments: Sequence[Any]) -> Any:
        meaning: dict[str, Callable[..., Any]] = {
            **RATIONAL, "exp": mpmath.exp, "log": mpmath.log, "tanh": mpmath.tanh,
            "sqrt": mpmath.sqrt, "max": max, "min": min, "greater": lambda a, b: a > b,
            "select": lambda c, a, b: a if c else b, "bounded_log": mpmath.log,
        }  # fmt: skip
        return meaning[function](*arguments)


RATIONAL: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "negative": lambda a: -a, "reciprocal": lambda a: 1 / a,
    "square": lambda a: a * a, "power": lambda a, b: a**b, "sum": lambda *a: sum(a),
    "prod": lambda *a: math.prod(a),
}  # fmt: skip


def valued(formula: Expression, values: dict[str, Any]) -> Any:
    """60 digits of a formula; NaN where it has no value."""
    try:
        with mpmath.workdps(60):
            return evaluate(formula, lambda part: values[_text(part)], Precise())
    except (ZeroDivisionError, OverflowError, ValueError):
        return mpmath.nan


def symbolic(formula: Expression, symbols: dict[str, Any]) -> Any:
    return evaluate(formula, lambda part: symbols[_text(part)], Symbols())


def _text(part: Expression) -> str:
    assert isinstance(part, Name)
    return part.text


# The derivations that lecturers simplify.
def sheet(activation: str, loss: str, units: int, records: int = 1, weight: float = 0.3) -> str:
    """A layer of units that read one input."""
    names = [f"o{k + 1}" for k in range(units)]
    lists = [[round(0.1 + 0.2 * k + 0.05 * n, 3) for n in range(records)] for k in range(units)]
    lines = [
        "[parameters]", *(f"w{k + 1} = {weight * (k + 1)}" for k in range(units)),
        "[[layer]]", f"units = {names}", f"weights = {[[f'w{k + 1}'] for k in range(units)]}",
        f'activation = "{activation}"', "[data]",
        f"inputs = {{ x = {[1.0 + 0.5 * n for n in range(records)]} }}",
        "targets = {" + ", ".join(f"{n} = {t}" for n, t in zip(names, lists, strict=True)) + "}",
        "[loss]", f'kind = "{loss}"',
    ]  # fmt: skip
    return "\n".join(lines).replace("'", '"')


SHEETS = [
    ("sigmoid", "half_squared_error", 1, 1), ("sigmoid", "squared_error", 1, 2),
    ("sigmoid", "mean_squared_error", 2, 1), ("sigmoid", "binary_cross_entropy", 1, 1),
    ("sigmoid", "binary_cross_entropy", 2, 2), ("tanh", "half_squared_error", 1, 1),
    ("softmax", "cross_entropy", 3, 2), ("identity", "cross_entropy", 3, 1),
    ("identity", "cross_entropy", 2, 3), ("softmax", "half_squared_error", 3, 1),
    ("softmax", "half_squared_error", 1, 1), ("identity", "cross_entropy", 1, 1),
    ("softplus", "half_squared_error", 1, 1), ("leaky_relu", "squared_error", 2, 1),
    ("relu", "mean_squared_error", 2, 2),
]  # fmt: skip

HAND = [
    (SHEETS[0], "L", "a_o1", "a_o1 − target_o1"),  # ½ (t − o)²: o − t
    (SHEETS[1], "L_o1[1]", "a_o1[1]", "2 · (a_o1[1] − target_o1[1])"),
    (SHEETS[2], "L", "L_o1", "1/2"),  # a mean
    (SHEETS[4], "L", "L_o2[1]", "1/4"),
    (SHEETS[3], "L", "a_o1", "(1 − target_o1) / (1 − a_o1) − target_o1 / a_o1"),
    (SHEETS[0], "a_o1", "z_o1", "a_o1 · (1 − a_o1)"),
    (SHEETS[5], "a_o1", "z_o1", "1 − a_o1²"),
    (SHEETS[9], "a_o1", "z_o1", "a_o1 · (1 − a_o1)"),  # the Jacobian of softmax
    (SHEETS[9], "a_o2", "z_o1", "−a_o2 · a_o1"),
    (SHEETS[9], "a_o3", "z_o2", "−a_o3 · a_o2"),
    (SHEETS[6], "L_o2[1]", "a_o2[1]", "−target_o2[1] / a_o2[1]"),
    (
        SHEETS[7], "L", "a_o2",
        "softmax_a_o2 · (target_o1 + target_o2 + target_o3) − target_o2",
    ),
    (SHEETS[11], "L", "a_o1", "0"),  # the softmax of one unit is 1
    (SHEETS[10], "a_o1", "z_o1", "1 − a_o1"),
]  # fmt: skip


def explained(arguments: tuple[str, str, int, int]) -> Derivation:
    return cg.explain(sheet(*arguments))


@table(
    ("arguments", "of", "by", "expected"), HAND, ids=[f"{s[0]} {of} {by}" for s, of, by, _ in HAND]
)
def test_what_a_lecturer_writes(
    arguments: tuple[str, str, int, int], of: str, by: str, expected: str
) -> None:
    local = explained(arguments).board.locals[of, by]
    assert text(local.formula) == expected
    assert not local.steps or local.steps[-1].formula == local.formula


def test_cross_entropy_of_classes_is_softmax_minus_one_and_softmax() -> None:
    logits = cg.tensor([[0.2, -0.4, 0.9]], requires_grad=True)
    logits.name = "z"
    loss = cg.nn.functional.cross_entropy(logits, cg.tensor([2]))
    locals = cg.explain(loss, logits).board.locals
    shown = [text(local.formula) for local in locals.values()]
    assert shown == ["softmax(z[0,0])", "softmax(z[0,1])", "softmax(z[0,2]) − 1"]


# Sigmoid under binary cross-entropy: the product of both derivatives.
def test_a_product_is_multiplied_out_and_cancelled() -> None:
    board = explained(SHEETS[3]).board
    chain = [board.locals["L", "a_o1"], board.locals["a_o1", "z_o1"]]
    raw = Call("prod", tuple(local.formula for local in chain))
    steps = simplified(raw, lambda f: float(valued(f, board.values)), {})
    assert text(steps[-1].formula) == "a_o1 − target_o1"
    assert steps[-1].rule == "collect"
    symbols = {name.text: sympy.Symbol(name.text, positive=True) for name in names_in(raw)}
    for step in steps:
        assert sympy.simplify(symbolic(raw, symbols) - symbolic(step.formula, symbols)) == 0
    page = " ".join(explained(SHEETS[3]).to_text().split())
    assert "= x · (a_o1 − target_o1) (multiplied out and cancelled)" in page.replace(" step 9", "")


# Every step of every derivative in these derivations.
def _definitions(derivation: Derivation, local: Local) -> dict[str, Expression]:
    """What the names stand for that a step has brought in: p for e^z / Σ e^z."""
    given = {name.text for name in names_in(local.raw)}
    found: dict[str, Expression] = {}
    for step in local.steps:
        for name in names_in(step.formula):
            formula = derivation.board.quantities[name.text].formula
            if name.text not in given and formula is not None:
                found[name.text] = formula
    own, of = derivation.board.quantities[local.of.text].formula, local.of.text
    by_definition = any(step.rule == "definition" for step in local.steps)
    return found | {of: own} if by_definition and own is not None and of in given else found


def _stages(local: Local) -> list[tuple[str, Expression, Expression]]:
    formulas = [local.raw, *(step.formula for step in local.steps)]
    return [
        (step.rule, before, after)
        for step, before, after in zip(local.steps, formulas, formulas[1:], strict=False)
    ]


@table("arguments", SHEETS, ids=[f"{a}-{loss}-{u}x{r}" for a, loss, u, r in SHEETS])
def test_every_rewrite_holds_at_many_points(arguments: tuple[str, str, int, int]) -> None:
    derivation, chance = explained(arguments), random.Random(0)
    for local in derivation.board.locals.values():
        defined = _definitions(derivation, local)
        free = {n.text for f in (local.raw, *defined.values()) for n in names_in(f)} - set(defined)
        for _ in range(40 if local.steps else 0):
            values = {name: mpmath.mpf(chance.uniform(0.05, 0.95)) for name in sorted(free)}
            values |= {name: valued(formula, values) for name, formula in defined.items()}
            for rule, before, after in _stages(local):
                a, b = valued(before, values), valued(after, values)
                assert abs(a - b) <= 1e-14 * max(1, abs(a)), (rule, text(before), text(after))


@table("arguments", SHEETS, ids=[f"{a}-{loss}-{u}x{r}" for a, loss, u, r in SHEETS])
def test_every_rewrite_is_an_identity(arguments: tuple[str, str, int, int]) -> None:
    derivation = explained(arguments)
    seen = set()
    for local in derivation.board.locals.values():
        defined = _definitions(derivation, local)
        for rule, before, after in _stages(local):
            shape = tuple(type(p).__name__ + getattr(p, "function", "") for p in parts(before))
            if (rule, shape) in seen:
                continue  # the same step at another unit
            seen.add((rule, shape))
            assert _is_identity(before, after, defined), (rule, text(before), text(after))


def _is_identity(before: Expression, after: Expression, defined: dict[str, Expression]) -> bool:
    """Do they agree as functions, above the bounds that a loss puts on a logarithm?"""
    free = {n.text for f in (before, after, *defined.values()) for n in names_in(f)}
    above = sympy.Rational(1, 10**12)
    symbols = {n: above + sympy.Symbol(n, positive=True) for n in free}
    symbols |= {n: symbolic(formula, symbols) for n, formula in defined.items()}
    difference = symbolic(before, symbols) - symbolic(after, symbols)
    below = {m: m.args[1] for m in difference.atoms(sympy.Max)}  # max(1e-12, 1 − a): a < 1
    difference = difference.xreplace(below | {m: _larger(m) for m in below})
    return bool(sympy.simplify(difference) == 0)


def _larger(maximum: Any) -> Any:
    """The argument of a maximum that is no number."""
    (found,) = [a for a in maximum.args if not a.is_number]
    return found


def test_all_the_rules_are_met() -> None:
    rules = {s.rule for a in SHEETS for x in explained(a).board.locals.values() for s in x.steps}
    assert rules == {"bounds", "definition", "constants and signs", "collect"}


# Bounds are left out only where the number lies inside of them.
@table(("x", "expected"), [(0.5, "x"), (0.1, "x"), (0.05, "max(x, 0.1)")])
def test_a_bound_is_dropped_where_it_does_not_bind(x: float, expected: str) -> None:
    bounded = Call("max", (Name("x"), Number(0.1)))
    steps = simplified(bounded, lambda f: float(valued(f, {"x": x})), {})
    assert text(steps[-1].formula if steps else bounded) == expected


# Random formulas.
A, B, C = Name("a"), Name("b"), Name("c")
LEAVES = st.sampled_from([A, B, C]) | st.sampled_from(
    [Number(v) for v in (0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 0.25)]
)


def _larger_ones(inner: st.SearchStrategy[Expression], *, rational: bool) -> Any:
    pairs, lists = st.tuples(inner, inner), st.lists(inner, min_size=1, max_size=4).map(tuple)
    two = st.sampled_from(["add", "subtract", "multiply", "divide"])
    one = st.sampled_from(["negative", "square", "reciprocal"] + ["exp", "tanh"] * (not rational))
    joined = st.sampled_from(["sum", "prod"])
    return (
        st.builds(Call, two, pairs)
        | st.builds(Call, one, st.tuples(inner))
        | st.builds(Call, joined, lists)
    )


FORMULAS = st.recursive(LEAVES, lambda x: _larger_ones(x, rational=False), max_leaves=25)
RATIONALS = st.recursive(LEAVES, lambda x: _larger_ones(x, rational=True), max_leaves=8)
POINTS = st.fixed_dictionaries(
    {n: st.sampled_from([0.0, 1.0, 0.5, -2.0, 1e-9, 1e9]) | st.floats(-2, 2) for n in "abc"}
)


def _scale(formula: Expression, values: dict[str, Any]) -> Any:
    """The largest number that comes up in it: rounding is measured by that."""
    sizes = [abs(valued(part, values)) for part in parts(formula)]
    return max((s for s in sizes if mpmath.isfinite(s)), default=1)


@settings(max_examples=400, deadline=None)
@given(FORMULAS, POINTS)
def test_random_formulas_keep_their_value_and_their_function(
    formula: Expression, here: dict[str, float]
) -> None:
    start = time.process_time()
    steps = simplified(formula, lambda f: _double(f, here), {})
    assert time.process_time() - start < 2
    elsewhere = [
        {name: mpmath.mpf(chance.uniform(0.3, 2)) for name in "abc"}
        for chance in map(random.Random, range(4))
    ]
    for step in steps:
        assert math.isclose(_double(formula, here), _double(step.formula, here), rel_tol=1e-9)
        for values in elsewhere:
            a, b = valued(formula, values), valued(step.formula, values)
            room = 1e-12 * max(_scale(formula, values), _scale(step.formula, values))
            # A factor that the formula divides by and that is 0 there may have been cancelled.
            assert not mpmath.isfinite(a) or abs(a - b) <= room, (text(formula), text(step.formula))


def _double(formula: Expression, values: dict[str, float]) -> float:
    return float(valued(formula, {name: mpmath.mpf(v) for name, v in values.items()}))


@settings(max_examples=60, deadline=None)
@given(RATIONALS)
def test_random_rational_formulas_are_the_same_functions(formula: Expression) -> None:
    here = {"a": 0.7, "b": 1.3, "c": -0.4}
    symbols = {name: sympy.Symbol(name) for name in "abc"}
    for step in simplified(formula, lambda f: _double(f, here), {}):
        difference = symbolic(formula, symbols) - symbolic(step.formula, symbols)
        assert sympy.cancel(sympy.together(difference)) == 0, (text(formula), text(step.formula))


# Degenerate ones.
ZERO_SUM = Call("sum", (A, Number(0.0), -A))
DEGENERATE: list[tuple[Expression, dict[str, float], str]] = [
    (Call("prod", (Number(0.0), A)), {"a": 2.0}, "0"),
    (A / A, {"a": 2.0}, "1"),
    (A / A, {"a": 0.0}, "a / a"),  # 0 / 0 is not 1
    (ZERO_SUM, {"a": 2.0}, "0"),
    (A - A * B + A * B, {"a": 2.0, "b": 3.0}, "a"),
    (Number(2.0) / Number(0.0), {}, "2 / 0"),
    (Call("negative", (-A,)), {"a": 1.0}, "a"),
    (A * (B - A) * Number(-1.0), {"a": 2.0, "b": 5.0}, "a · (a − b)"),
    (Call("exp", (A,)) / Call("exp", (A,)), {"a": 1.0}, "1"),
    (A * Number(1e300) * Number(1e300), {"a": 1e-200}, "a · 1.00e300 · 1.00e300"),
    (A * Number(math.inf), {"a": 1.0}, "a · inf"),
    (Number(0.5) * Number(2.0) * A, {"a": 3.0}, "a"),
]


@table(("formula", "values", "expected"), DEGENERATE, ids=[text(f) for f, _, _ in DEGENERATE])
def test_degenerate_formulas(formula: Expression, values: dict[str, float], expected: str) -> None:
    steps = simplified(formula, lambda f: _double(f, values), {})
    final = steps[-1].formula if steps else formula
    assert text(final) == expected


def _nested(levels: int) -> Expression:
    formula: Expression = A + B
    for _ in range(levels):
        formula = Call("square", (formula,))
    return formula


@table(
    "formula",
    [
        Call("prod", tuple(Name(f"p{k}") + Name(f"q{k}") for k in range(40))),  # 2^40 terms
        _nested(40),  # (a + b)^(2^40)
        Call("sum", tuple(Name(f"p{k}") * Name(f"q{k}") for k in range(300))),
        Call("prod", tuple(Name(f"p{k}") - Name(f"p{k}") for k in range(40))),
    ],
    ids=["a product of sums", "powers of powers", "a long sum", "zeros"],
)
def test_nothing_explodes(formula: Expression) -> None:
    values = {name.text: 0.5 for name in names_in(formula)}
    start = time.process_time()
    steps = simplified(formula, lambda f: _double(f, values), {})
    assert time.process_time() - start < 2
    assert all(sum(1 for _ in parts(s.formula)) < 2000 for s in steps)
