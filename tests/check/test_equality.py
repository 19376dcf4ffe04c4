"""Are two formulas one function? Rewritten formulas are; changed ones are not; nothing hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal

import mpmath
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalkgrad.check.equality import proofs as proving
from chalkgrad.check.equality import same_function
from chalkgrad.check.equality.functions import present_value
from chalkgrad.check.equality.precise import FUNCTIONS, Precise
from chalkgrad.check.equality.proofs import PROVER, Prover
from chalkgrad.explain.board import Board
from chalkgrad.formulas import ONE, Call, Expression, Name, Number, Partial
from tests.check.boards import LECTURE_001, LECTURE_004, Layer, network

w, x, y = Name("w"), Name("x"), Name("y")  # independent, on no board
TWO = Number(2.0)


def call(function: str, *arguments: Expression) -> Expression:
    return Call(function, arguments)


def square(a: Expression) -> Expression:
    return call("square", a)


@pytest.fixture(scope="module")
def board() -> Board:
    return LECTURE_001()


@pytest.fixture(scope="module")
def tanh_board() -> Board:
    layers = [Layer(["h"], [["v"]], ["c"], "tanh"), Layer(["o"], [["u"]], None, "identity")]
    return network({"v": 0.4, "c": 0.1, "u": 0.7}, layers, {"i": 0.3}, {"o": 1.0})


# ----------------------------------------------------------------------------- names are expanded


def test_tanh_derivative_over_its_sum_and_over_its_output(tanh_board: Board) -> None:
    z, a = Name("z_h"), Name("a_h")
    for claimed in (ONE - square(call("tanh", z)), ONE - a * a, (ONE - a) * (ONE + a)):
        verdict = same_function(claimed, Partial(a, z), tanh_board)
        assert verdict.same
        assert verdict.method == "exact"
    assert same_function(ONE - a, Partial(a, z), tanh_board).same is False


def test_a_chain_is_its_product(board: Board) -> None:
    out, target, h = Name("output_o1"), Name("target_1"), Name("output_h1")
    truth = Partial(Name("E_total"), Name("w5"))
    assert same_function((out - target) * (out * (ONE - out)) * h, truth, board).same
    chain = (
        Partial(Name("E_total"), out) * Partial(out, Name("sum_o1"))
        * Partial(Name("sum_o1"), Name("w5"))
    )  # fmt: skip
    assert same_function(chain, truth, board).same


def test_the_sum_over_paths(board: Board) -> None:
    total, first, second = (
        Partial(Name(of), Name("w1")) for of in ("E_total", "E_1", "E_2")
    )  # fmt: skip
    assert same_function(first + second, total, board).same
    assert same_function(first, total, board).same is False


def test_a_sigmoid_written_out(board: Board) -> None:
    z = Name("sum_h1")
    written = ONE / (ONE + call("exp", -z))
    assert same_function(written, Name("output_h1"), board).method == "exact"
    assert same_function(ONE / (ONE + call("exp", z)), Name("output_h1"), board).same is False


def test_the_loss_in_one_line(board: Board) -> None:
    half = Number(0.5)
    terms = [half * square(Name(f"target_{k}") - Name(f"output_o{k}")) for k in (1, 2)]
    assert same_function(terms[0] + terms[1], Name("E_total"), board).same


# ---------------------------------------------------------------------------------------- ratios


def test_the_missing_factor(board: Board) -> None:
    third = same_function(y, Number(3.0) * y, LECTURE_004())
    assert (third.same, third.constant) == (False, True)
    assert third.ratio == pytest.approx(1 / 3, rel=1e-15)
    out, target = Name("output_o1"), Name("target_1")
    sign = same_function(target - out, out - target, board)
    assert (sign.ratio, sign.constant) == (-1.0, True)


def test_a_ratio_that_is_no_constant_is_that_of_the_present_point(board: Board) -> None:
    out = Name("output_o1")
    told = same_function(out, out * (ONE - out), board)
    assert told.constant is False
    assert told.ratio == pytest.approx(1 / (1 - board.values["output_o1"]), rel=1e-12)
    other = same_function(out, out * (ONE - out), board, {"output_o1": 0.9})
    assert other.ratio == pytest.approx(10.0)


# --------------------------------------------------------------------------- how it is decided


def test_sympy_proves_what_the_normal_form_cannot(board: Board) -> None:
    waves = square(call("sin", x)) + square(call("cos", x))
    assert PROVER.proves_zero(waves - ONE, seconds=20)
    assert not PROVER.proves_zero(waves - TWO, seconds=20)
    assert same_function(waves, ONE, board).same
    assert same_function(call("exp", x) * call("exp", w), call("exp", x + w), board).same


def test_points_where_there_is_no_proof(board: Board) -> None:
    """|x| = relu(x) + relu(−x)."""
    kinks = call("relu", x) + call("relu", -x)
    verdict = same_function(call("absolute", x), kinks, board)
    assert verdict.same
    assert verdict.method in ("exact", "at 24 random points to 50 digits")


def test_kinks_have_two_sides(board: Board) -> None:
    assert same_function(call("relu", x), x, board).same is False
    assert same_function(call("absolute", x), x, board).same is False
    assert same_function(call("max", x, y), x, board).same is False
    assert same_function(call("max", x, y), call("max", y, x), board).same


def test_logarithms_are_judged_where_they_are_real(board: Board) -> None:
    apart = call("log", x) + call("log", y)
    assert same_function(apart, call("log", x * y), board).same
    assert same_function(call("log", x + y), apart, board).same is False


def test_a_difference_in_the_twentieth_digit_is_seen(board: Board) -> None:
    nearly = x * (ONE + Number(1e-20))
    assert same_function(nearly, x, board).same is False


def test_a_rounded_double_stands_for_its_fraction(board: Board) -> None:
    assert same_function(Number(1 / 3), ONE / Number(3.0), board).same
    assert same_function(Number(0.3333), ONE / Number(3.0), board).same is False


def test_the_same_question_has_the_same_answer(board: Board) -> None:
    claimed, truth = call("sin", x + y), call("sin", x) + call("sin", y)
    assert same_function(claimed, truth, board) == same_function(claimed, truth, board)


def test_saturated_values_are_no_evidence() -> None:
    """σ′(z) at z = 75 has lost all digits of a(1 − a); other points decide."""
    board = network({"v": 50.0}, [Layer(["o"], [["v"]])], {"i": 1.5}, {"o": 1.0})
    z, a = Name("z_o"), Name("a_o")
    grown = call("exp", -z)
    assert same_function(grown / square(ONE + grown), Partial(a, z), board).same
    assert same_function(grown / (ONE + grown), Partial(a, z), board).same is False


# -------------------------------------------------------------------------------- hostile input


def tower(levels: int) -> Expression:
    formula: Expression = Number(9.0)
    for _ in range(levels):
        formula = call("power", Number(9.0), formula)
    return formula


@pytest.mark.parametrize(
    "formula",
    [
        tower(3), tower(12), call("exp", tower(2)), ONE / (x - x), call("sqrt", -square(x) - ONE),
        call("log", -square(x)), call("sin", call("exp", call("exp", Number(9.0)))),
    ],
)  # fmt: skip
def test_what_has_no_value_is_not_judged_right(board: Board, formula: Expression) -> None:
    began = time.perf_counter()
    assert not same_function(formula, x, board).same
    assert not same_function(formula, formula + ONE, board).same
    assert time.perf_counter() - began < 6


def test_overflow_cannot_be_judged(board: Board) -> None:
    verdict = same_function(tower(3), x, board)
    assert verdict.same is None
    assert "overflows" in verdict.method


def test_an_unknown_function_cannot_be_judged(board: Board) -> None:
    verdict = same_function(call("floor", x), call("floor", x) + ONE - ONE, board)
    assert verdict.same is None or verdict.method == "exact"


def test_large_products_end(board: Board) -> None:
    factor: Expression = x + y + w + ONE
    formula = factor
    for _ in range(60):
        formula = formula * factor
    began = time.perf_counter()
    assert same_function(formula, formula * ONE, board).same
    assert same_function(formula, formula + x, board).same is False
    assert time.perf_counter() - began < 6


# ------------------------------------------------------------------------------------- properties

NAMES = [w, x, y]
LEAVES = st.sampled_from([*NAMES, ONE, TWO, Number(0.3)])


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    two = st.builds(
        lambda f, a, b: call(f, a, b),
        st.sampled_from(["add", "subtract", "multiply"]), inner, inner,
    )  # fmt: skip
    one = st.builds(call, st.sampled_from(["sigmoid", "tanh", "negative", "square", "sin"]), inner)
    return two | one


FORMULAS = st.recursive(LEAVES, grown, max_leaves=8)
REWRITES: list[Callable[[Expression], Expression]] = [
    lambda f: f + y - y,
    lambda f: Number(0.5) * f + Number(0.5) * f,
    lambda f: call("negative", -f),
    lambda f: (f * (ONE + square(x))) / (ONE + x * x),
    lambda f: f * (call("sigmoid", w) + call("sigmoid", -w)),
    lambda f: f + call("tanh", x) - (TWO * call("sigmoid", TWO * x) - ONE),
]
CALM = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
BOARD = LECTURE_004()


@CALM
@given(FORMULAS, st.sampled_from(REWRITES))
def test_rewritten_formulas_are_equal(
    formula: Expression, rewrite: Callable[[Expression], Expression]
) -> None:
    assert same_function(rewrite(formula), formula, BOARD).same


@CALM
@given(FORMULAS, st.sampled_from([0.001, -1.0, 1e-9]), st.sampled_from(NAMES))
def test_changed_formulas_are_not(formula: Expression, size: float, name: Name) -> None:
    assert same_function(formula + Number(size) * name, formula, BOARD).same is False
    changed = formula * (ONE + Number(size) * square(name))
    zero = all(
        abs(present_value(formula, BOARD, {"w": a, "x": b, "y": c, "z": 1.0, "u": c, "v": b}))
        < 1e-9
        for a, b, c in [(0.3, 0.7, -1.1), (-0.9, 1.3, 0.2), (1.7, -0.4, 0.6)]
    )
    if not zero:
        assert same_function(changed, formula, BOARD).same is False


# ------------------------------------------------------------------------------------- the parts


OF_TWO = (
    "add", "subtract", "multiply", "divide", "power", "sum", "prod", "max", "min", "maximum",
    "minimum",
)  # fmt: skip


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"cast", "copy", "clip"}))
def test_functions_to_fifty_digits(function: str) -> None:
    """Against mpmath."""
    mpmath.mp.dps = 70
    judge: dict[str, Callable[..., object]] = {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b, "negative": lambda a: -a, "reciprocal": lambda a: 1 / a,
        "square": lambda a: a * a, "power": mpmath.power, "exp": mpmath.exp, "expm1": mpmath.expm1,
        "log": mpmath.log, "log1p": mpmath.log1p, "sqrt": mpmath.sqrt,
        "rsqrt": lambda a: 1 / mpmath.sqrt(a), "sin": mpmath.sin, "cos": mpmath.cos,
        "tan": mpmath.tan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
        "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)), "erf": mpmath.erf,
        "relu": lambda a: max(a, 0), "absolute": abs, "sign": mpmath.sign, "max": max, "min": min,
        "maximum": max, "minimum": min, "bounded_log": mpmath.log, "sum": lambda a, b: a + b,
        "prod": lambda a, b: a * b,
    }  # fmt: skip
    if function not in judge:
        return  # comparisons and logic, which the kinks' tests go through
    for first, second in (("0.37", "1.9"), ("2.6", "0.4"), ("1.234567", "3")):
        texts = (first, second) if function in OF_TWO else (first,)
        mine = Precise().apply(function, [Decimal(text) for text in texts])
        right = judge[function](*(mpmath.mpf(text) for text in texts))
        assert abs(mpmath.mpf(str(mine)) - right) <= mpmath.mpf(10) ** -55 * (1 + abs(right))


def test_a_proof_that_takes_too_long_is_given_up() -> None:
    prover = Prover()
    hard: Expression = x
    for k in range(12):
        hard = call("sin", call("sqrt", ONE + square(hard + Number(float(k)) * y)))
    try:
        began = time.perf_counter()
        assert prover.started()
        began = time.perf_counter()
        assert prover.proves_zero(hard - hard * (ONE + square(y)), seconds=0.2) is False
        assert time.perf_counter() - began < 3
        assert prover.proves_zero(x - x, seconds=5)  # a new process
    finally:
        prover.stop()
    assert prover.process is None


def test_without_sympy_the_points_decide(
    board: Board, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The other end ends at once where its import fails; after two tries it is left alone."""
    broken = Prover()
    monkeypatch.setattr(proving, "PROGRAM", "no such program")
    assert broken.proves_zero(x - x) is False
    assert broken.proves_zero(x - x) is False
    began = time.perf_counter()
    assert broken.proves_zero(x - x) is False
    assert time.perf_counter() - began < 0.1


def test_the_other_end_stops_with_this_one() -> None:
    """No process is left behind."""
    program = (
        "from chalkgrad.check.equality.proofs import PROVER\n"
        "assert PROVER.started()\n"
        "print(PROVER.process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    probe = (
        f"import os\ntry:\n    os.kill({int(done.stdout)}, 0)\nexcept OSError:\n    print('gone')"
    )
    seen = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "gone"
