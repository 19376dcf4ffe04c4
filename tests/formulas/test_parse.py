"""A person's formulas: what they mean, what is refused and in which words."""

from __future__ import annotations

import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import DataError, FormulaError
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, float_value, parts, text
from chalkgrad.formulas.parse import SLOPES, parse
from chalkgrad.formulas.spelling import canonical, is_name

X, Y, E, W5 = Name("x"), Name("y"), Name("E"), Name("w5")
VALUES = {"x": 0.7, "y": -1.3, "z": 2.1, "w5": 0.5, "ŷ": 0.25, "output_h1[2]": 0.6, "w5'": 0.4}


def value(formula: str, **names: float) -> float:
    return float_value(parse(formula), {**VALUES, **names})


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("2 * 3 + 1", 7),
        ("10 - 4 - 3", 10 - 4 - 3),
        ("24 / 4 / 2", 24 / 4 / 2),
        ("24 / 4 * 2", 24 / 4 * 2),
        ("-3^2", -9),
        ("(-3)^2", 9),
        ("−x²", -(0.7**2)),
        ("2 ^ 3 ^ 2", 2**9),
        ("2 ** -1", 0.5),
        ("2^-x", 2**-0.7),
        ("x^-2", 0.7**-2),
        ("2 * -3", -6),
        ("2 - -3", 5),
        ("+x", 0.7),
        ("1e-3 + .5 + 2.", 0.001 + 0.5 + 2),
        ("3.2e−9", 3.2e-9),
        ("1/2", 0.5),
        ("½ (x - y)^2", 0.5 * (0.7 + 1.3) ** 2),
        ("1/2 (x - y)^2", 0.5 * (0.7 + 1.3) ** 2),
        ("2(x+1)", 2 * 1.7),
        ("3y", 3 * -1.3),
        ("3(x + y)", 3 * (0.7 - 1.3)),
        ("2x^2", 2 * 0.7**2),
        ("2e^x", 2 * math.exp(0.7)),
        ("[x + y] * z", (0.7 - 1.3) * 2.1),
        ("x·y + x×y + x⋅y", 3 * 0.7 * -1.3),
        ("x ÷ z", 0.7 / 2.1),
        ("x³", 0.7**3),
        ("x⁻²", 0.7**-2),
        ("e^x", math.exp(0.7)),
        ("e", math.e),
        ("e^-x^2", math.exp(-(0.7**2))),
        ("1/(1 + e^-0.41)", sigmoid(0.41)),
        ("exp(x)·log(z)·ln(z)", math.exp(0.7) * math.log(2.1) ** 2),
        ("sqrt(z) + √(z)", 2 * math.sqrt(2.1)),
        ("sin(x) + cos(x) + tan(x)", math.sin(0.7) + math.cos(0.7) + math.tan(0.7)),
        ("1 − tanh²(x)", 1 - math.tanh(0.7) ** 2),
        ("1 − tanh^2(x)", 1 - math.tanh(0.7) ** 2),
        ("σ(x) + sigmoid[x]", 2 * sigmoid(0.7)),
        ("relu(x) + relu(y)", 0.7),
        ("abs(y) + |y - 1|", 1.3 + 2.3),
        ("|y|·|x|", 1.3 * 0.7),
        ("||y| - 2|", 0.7),
        ("max(x, y, z) - min(x, y, z)", 2.1 + 1.3),
        ("sum(x, y, z)", 0.7 - 1.3 + 2.1),
        ("softplus(x)", math.log(1 + math.exp(0.7))),
        ("leaky_relu(y)", -0.013),
        ("1 if x > 0 else 0", 1),
        ("(x if y >= 0 else 0.01*y) + 1", 1 - 0.013),
        (r"\frac{x}{z}", 0.7 / 2.1),
        (r"\frac{1}{2}(x - y)^2", 0.5 * 2.0**2),
        (r"\frac{\frac{x}{2}}{z + 1}", 0.35 / 3.1),
        (r"\sigma\left(x\right) \cdot \left(1 - \sigma(x)\right)", sigmoid(0.7) * sigmoid(-0.7)),
        (r"x \times y^{2}", 0.7 * 1.3**2),
        (r"\operatorname{relu}(x) \, + \, 1", 1.7),
        ("output_h1[2] * ŷ", 0.6 * 0.25),
        ("w5' - w5", 0.4 - 0.5),
    ],
)
def test_what_a_formula_is_worth(formula: str, expected: float) -> None:
    assert value(formula) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "spelling",
    [
        "dE/dw5", "∂E/∂w5", "d E / d w5", "dE / dw5", r"\frac{\partial E}{\partial w5}",
        r"\frac{dE}{dw5}", r"\frac{ d E }{ d w5 }", r"\partial E / \partial w5",
    ],
)  # fmt: skip
def test_spellings_of_a_derivative(spelling: str) -> None:
    assert parse(spelling) == Partial(E, W5)
    assert parse(f"2 * {spelling} * x") == Number(2.0) * Partial(E, W5) * X


def test_derivatives_keep_their_authors_spelling() -> None:
    assert parse(r"\frac{\partial E_{total}}{\partial w_5}") == Partial(
        Name("E_{total}"), Name("w_5")
    )
    assert parse("grad w5") == Partial(Name(""), W5)
    assert parse("∂E[1]/∂sum_o1[1]") == Partial(Name("E[1]"), Name("sum_o1[1]"))
    assert parse(text(parse("grad w5"))) == parse("grad w5")


@pytest.mark.parametrize(
    ("formula", "known", "is_division"),
    [
        ("d/dw", {"d", "dw"}, True),
        ("dE/dw", {"dE", "dw"}, True),
        ("dE/dw", {"dE", "dw", "E", "w"}, True),
        ("dE/dw", {"E", "w"}, False),
        ("dE/dw", {"E", "w", "dw"}, False),
        ("dE/dw", {"dw"}, True),
        ("dE/dw_5", {"dw5"}, True),  # one name in two spellings
        ("dE/dw", set(), False),
        ("delta_o1/delta_h1", set(), True),
        ("dsum_o1[2]/dw5", {"sum_o1", "w5"}, False),
    ],
)
def test_division_or_derivative(formula: str, known: set[str], is_division: bool) -> None:
    read = parse(formula, known)
    assert (isinstance(read, Call) and read.function == "divide") is is_division
    assert isinstance(read, Partial) is not is_division


def test_known_names_come_before_constants_and_words() -> None:
    assert parse("e^x", {"e"}) == Call("power", (Name("e"), X))
    assert parse("if + else", {"if", "else"}) == Name("if") + Name("else")
    assert parse("sum + 1", {"sum"}) == Name("sum") + Number(1.0)


@pytest.mark.parametrize("word", ["exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid",
                                  "relu", "abs", "softplus", "leaky_relu", "σ", "ln"])  # fmt: skip
@pytest.mark.parametrize("x", [0.3, 1.7])
def test_a_prime_is_the_derivative(word: str, x: float) -> None:
    step = 1e-5
    finite = (value(f"{word}(x)", x=x + step) - value(f"{word}(x)", x=x - step)) / (2 * step)
    assert value(f"{word}'(x)", x=x) == pytest.approx(finite, rel=1e-8)
    assert value(f"{word}′(x)", x=x) == value(f"{word}'(x)", x=x)


def test_slopes_below_a_kink() -> None:
    assert value("relu'(y)") == 0
    assert value("leaky_relu'(y)") == 0.01
    assert value("abs'(y)") == -1


@pytest.mark.parametrize("activation", sorted(SLOPES))
def test_a_letter_for_the_activation(activation: str) -> None:
    spelled = {"absolute": "abs"}.get(activation, activation)
    if spelled == "identity":
        assert parse("f(x)", activation="identity") == X
        assert parse("f'(x)", activation="identity") == Number(1.0)
        return
    assert parse("f'(x) + g(x)", activation=activation) == parse(f"{spelled}'(x) + {spelled}(x)")


def test_numbers_keep_their_digits() -> None:
    written = [part.written for part in parts(parse("0.6 * 1e-3")) if isinstance(part, Number)]
    assert written == ["0.6", "1e-3"]
    negative = parse("-0.50")
    assert negative == Number(-0.5)
    assert isinstance(negative, Number)
    assert negative.written == "-0.50"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("w5", "w_5"), ("w5", "w_{5}"), ("w5", "w₅"), ("w_5[2]", "w5[2]"), ("w_5'", "w5'"),
        ("δ_o1", "delta_o1"), (r"\delta_{o1}", "delta_o1"), ("η", "eta"), (r"\eta", "eta"),
        (r"\hat{y}", "ŷ"), ("y\u0302", "ŷ"), ("λ", "lambda"), ("Δ", "Delta"),
        (r"\mathit{sum}_{h1}", "sum_h1"), (r"E_{\mathit{total}}", "E_total"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(first: str, second: str) -> None:
    assert canonical(first) == canonical(second)
    assert is_name(first)
    assert is_name(second)


def test_different_names_stay_different() -> None:
    names = ["w1_21", "w12_1", "w121", "w5", "w5[1]", "w5'", "W5", "w_a5", "w", "delta", "Delta"]
    assert len({canonical(name) for name in names}) == len(names)


@pytest.mark.parametrize("text", ["", "5", "2nd", "a b", "a+b", "x²", "_a", "a[b]", "a.b", "a\n"])
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("", "the formula is empty"),
        ("   ", "the formula is empty"),
        ("2 + * 3", "column 5 of “2 + * 3”: expected a number, a name or a bracket, found *"),
        ("x +", "column 4 of “x +”: expected a number, a name or a bracket, found the end"),
        ("x y", "column 3 of “x y”: y follows without an operator; write * to multiply"),
        ("(x)(y)", "column 4 of “(x)(y)”: ( follows without an operator"),
        ("2 3", "column 3 of “2 3”: 3 follows a number"),
        ("x (y)", "x is not a function here; write * to multiply"),
        ("sigmod(x)", "sigmod is not a function here; write * to multiply. Did you mean sigmoid"),
        ("f'(x)", "f is not a function here"),
        ("sin x", "column 1 of “sin x”: sin is a function: write sin(…)"),
        ("exp(x, y)", "column 1 of “exp(x, y)”: exp takes one number, not 2"),
        ("max'(x)", "max has no derivative here"),
        ("(x]", "column 3 of “(x]”: ] closes the ( of column 1"),
        ("x)", "column 2 of “x)”: nothing is open that ) could close"),
        ("2*(x", "column 3 of “2*(x”: the ( of this column is never closed"),
        ("|x", "column 1 of “|x”: the | of this column is never closed"),
        ("(|x)", ") closes the | of column 2"),
        ("1 if x", "a choice is written (a if x > 0 else b), found the end of the formula"),
        ("x ²²)", "nothing is open"),
        ("2 ² 3", "column 5 of “2 ² 3”: 3 follows without an operator"),
        ("1,5", "column 2 of “1,5”: a comma has no place here; 0.5 is written with a point"),
        ("x = y", "column 3 of “x = y”: = has no meaning in a formula"),
        ("x > 0", "column 3 of “x > 0”: a choice is written (a if x > 0 else b), found >"),
        ("1e999", "1e999 is too large for a number"),
        (r"\frac 1 2", "expected { after \\frac"),
        ("x\u202ey", "U+202E (RIGHT-TO-LEFT OVERRIDE) cannot stand in a formula"),
        ("x\x00", "U+0000 (a control character) cannot stand in a formula"),
        ("x\u200by", "U+200B (ZERO WIDTH SPACE) cannot stand in a formula"),
        ("x\n+ y", "U+000A (a control character) cannot stand in a formula"),
        ("x" * 2001, "the formula has 2001 characters; at most 2000 characters"),
        ("(" * 101 + "x" + ")" * 101, "too many brackets: at most 2000 characters, 500 symbols"),
        ("1+" * 400 + "1", "the formula is too long: at most 2000 characters, 500 symbols"),
        ("1+" * 150 + "1", "more than 120 operations inside each other"),
    ],
)  # fmt: skip
def test_refusals(formula: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(formula)
    assert message in str(caught.value)
    assert isinstance(caught.value, DataError)
    assert len(str(caught.value)) < 300


def test_an_error_has_its_column_and_quotes_little() -> None:
    with pytest.raises(FormulaError, match="column 1004 of") as caught:
        parse("x" * 1000 + " + * y")
    assert caught.value.column == 1004
    quoted = str(caught.value).partition("“")[2].partition("”")[0]
    assert len(quoted.strip("…")) <= 60


def test_huge_exponents_are_only_numbers() -> None:
    start = time.perf_counter()
    parse("9^9^9^9^9^9")
    parse("(" * 100 + "9" + ")" * 100 + "^9" * 100)
    assert time.perf_counter() - start < 1


NUMBERS = st.floats(0, 1e6).filter(lambda x: x == 0 or x > 1e-4) | st.integers(0, 9).map(float)
LEAVES = st.sampled_from([Name(name) for name in VALUES]) | NUMBERS.map(
    lambda x: Number(x, repr(x))
)
BINARY = st.sampled_from(["add", "subtract", "multiply", "divide", "power"])
UNARY = st.sampled_from(["negative", "square", "exp", "log", "sqrt", "sin", "tanh", "sigmoid",
                         "relu", "absolute", "reciprocal"])  # fmt: skip


def grown(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(children, min_size=2, max_size=4).map(tuple)
    return (
        st.builds(lambda f, a, b: Call(f, (a, b)), BINARY, children, children)
        | st.builds(lambda f, a: Call(f, (a,)), UNARY, children)
        | st.builds(Call, st.sampled_from(["max", "min", "sum", "prod"]), several)
        | st.builds(
            lambda a, b, c, d: Call("select", (Call("greater", (a, b)), c, d)),
            children, children, children, children,
        )
    )  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.recursive(LEAVES, grown, max_leaves=8))
def test_what_is_written_reads_as_it_was(expression: Expression) -> None:
    written = text(expression)
    read = parse(written, VALUES)
    before, after = float_value(expression, VALUES), float_value(read, VALUES)
    assert after == pytest.approx(before, rel=1e-9, abs=1e-12, nan_ok=True), written


PIECES = ["x", "dE/dw", "d", "(", ")", "[", "]", "{", "}", "|", "^", "**", "+", "-", "*", "/", "2",
          "1e5", "e", "sigmoid", "σ'(", "max(", ",", "if", "else", ">", r"\frac", "{", "½", "²",
          "_", " ", "'", "[2]", r"\sigma", r"\left", "grad w", "√", "0.5", "e^"]  # fmt: skip


@settings(max_examples=600, deadline=1000)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200))
def test_garbage_is_refused_in_words(formula: str) -> None:
    column = 1
    try:
        assert isinstance(parse(formula), Expression)
    except FormulaError as error:
        column = error.column
    assert 1 <= column <= len(formula) + 1


def test_long_garbage_is_fast() -> None:
    shuffle = random.Random(0)
    for _ in range(20):
        formula = "".join(shuffle.choice(PIECES) for _ in range(700))[:2000]
        start = time.perf_counter()
        with pytest.raises(FormulaError):
            parse(formula)
        assert time.perf_counter() - start < 1


@pytest.mark.parametrize("piece", ["d", "d ", "_", "a_{", "x[", r"\frac{d", r"\mathit{", "1e", "'"])
def test_no_pattern_backtracks_for_long(piece: str) -> None:
    start = time.perf_counter()
    with pytest.raises(FormulaError):
        parse((piece * 2000)[:1990] + "!")
    assert time.perf_counter() - start < 1
