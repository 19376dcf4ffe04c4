"""Formulas in LaTeX's tree, in Typst and in Python."""

from __future__ import annotations

import re
from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.core.errors import ArgumentError
from chalkgrad.explain.render.breaking import Piece, broken
from chalkgrad.explain.render.formulas import lines, tree
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, float_value, latex
from chalkgrad.formulas.python import CALLS, INFIX, Identifiers, helpers, python
from chalkgrad.formulas.records import notation, records
from chalkgrad.formulas.typeset import Words, escaped, read, width, write
from chalkgrad.formulas.typst import typst

OPERANDS = (Name("sum_h1[2]") - Name("w5"), Name("x[1]"), Name("layers.0.weight[1,0]"), Name("z"))


def applied(name: str) -> list[Call]:
    count = len(set(re.findall(r"\{(\d)\}", notation(name).text)))
    return [Call(name, OPERANDS[:count]), Call(name, OPERANDS[1:][:count])]


def bare(text: str) -> str:
    """Without what may differ: spaces, braces around one thing, brackets that grow."""
    return re.sub(r"\\left|\\right|[\s{}]", "", text)


@pytest.mark.parametrize("name", sorted(records()))
def test_every_notation_is_read_and_written_again(name: str) -> None:
    for formula in applied(name):
        source = latex(formula)
        assert bare(write(read(source))) == bare(source)
        assert write(read(write(read(source)))) == write(read(source))
        assert width(read(source)) > 0


def test_every_notation_compiles_in_typst() -> None:
    compiler = pytest.importorskip("typst")
    formulas = [formula for name in sorted(records()) for formula in applied(name)]
    formulas.append(Call("sum", (Partial(Name("E_1"), Name("δ_o1")), Name("alpha_1"), Name("ŷ"))))
    text = "\n".join(f"$ {typst(formula)} $\n" for formula in formulas)
    assert compiler.compile(text.encode(), format="pdf").startswith(b"%PDF")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (Name("sum_h1"), 'italic("sum")_(h 1)'),
        (Name("E_total"), 'E_(italic("total"))'),
        (Name("alpha_1[2]"), r"alpha_(1)^(\( 2 \))"),
        (Partial(Name("E"), Name("w5")), "frac(partial E, partial w_(5))"),
        (Call("maximum", (Name("a"), Name("b"))), r"max \( a \, b \)"),
        (Call("absolute", (Call("maximum", (Name("a"), Name("b"))),)), r"abs(max \( a \, b \))"),
        (Call("square", (Name("a[2]"),)), r'class("normal", a^(\( 2 \)))^(2)'),
        (Number(3.2e-9), r"3.20 dot.op 10^(- 9)"),
    ],
)  # fmt: skip
def test_typst_spells_it(formula: Expression, expected: str) -> None:
    assert typst(formula) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (r"\input{x}", r"the command \\input"),
        (r"\text{a\input}", r"the command \\input"),
        (r"\frac{a}", "nothing where something must stand"),
        (r"\left(a", r"a \\left without its \\right"),
        ("{a", "no closing brace"),
        ("a}", "'}' that closes nothing"),
        ("50%", "a bare '%'"),
        ("$x$", r"a bare '\$'"),
        ("x_", "nothing where something must stand"),
    ],
)
def test_what_is_not_in_the_vocabulary_is_refused(source: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read(source)


def test_a_second_superscript_stands_on_the_whole() -> None:
    assert write(read("x_1^{(2)}^2")) == "{x_{1}^{(2)}}^{2}"


@given(st.text())
def test_words_come_back_as_they_were(text: str) -> None:
    assert read(rf"\text{{{escaped(text)}}}") == (Words(r"\text", text),)


@given(st.text(max_size=12))
def test_no_name_is_a_command(text: str) -> None:
    write(tree(Name(text) * Number(2.0), 5))


# ------------------------------------------------------------------------------------ line breaks


@given(
    st.lists(st.tuples(st.floats(0.1, 9), st.one_of(st.none(), st.integers(0, 25)))),
    st.floats(1, 40),
)
def test_breaking_loses_nothing_and_fills_no_line_twice(
    sizes: list[tuple[float, int | None]], room: float
) -> None:
    pieces = [Piece(k, wide, rank) for k, (wide, rank) in enumerate(sizes)]
    found = broken(pieces, room, 1.0)
    assert [piece for _, line in found for piece in line] == pieces
    for _, line in found[1:]:
        assert line[0].rank is not None  # a line begins only where one may
    for indent, line in found:
        breakable = [piece for piece in line[1:] if piece.rank is not None]
        assert not breakable or indent + sum(piece.width for piece in line) <= room + 1e-9


def test_sums_are_broken_before_products_and_brackets_last() -> None:
    product = Name("a") * Name("b")
    formula = Call("sum", (product, Name("cc") * (Name("d") + Name("e"))))
    for room, expected in (
        (12.0, [r"a \cdot b + \mathit{cc} \cdot (d + e)"]),
        (7.0, [r"a \cdot b", r"+\mathit{cc} \cdot (d + e)"]),
        (6.0, [r"a \cdot b", r"+\mathit{cc}", r"\cdot (d + e)"]),
    ):
        assert [write(line) for _, line in lines(tree(formula, 5), room)] == expected


def test_brackets_that_are_parted_are_set_by_size() -> None:
    inner = Call("sum", tuple(Name(f"output_h{k}") for k in range(1, 5)))
    shown = [write(line) for _, line in lines(tree(inner * Name("w"), 5), 9.0)]
    assert shown[0].startswith(r"\bigl(")
    assert sum(line.count(r"\bigl(") for line in shown) == 1
    assert sum(line.count(r"\bigr)") for line in shown) == 1
    assert not any(r"\left" in line for line in shown)


# ----------------------------------------------------------------------------------------- Python

FUNCTIONS = [
    *sorted((set(CALLS) | set(INFIX)) - {"max", "min"}),
    "negative", "reciprocal", "rsqrt", "square", "logical_not", "select",
]  # fmt: skip


def value_in_python(formula: Expression, values: dict[str, float]) -> float:
    space: dict[str, object] = dict(values)
    exec("\n".join(["import math", *helpers([formula])]), space)
    exec(f"found = {python(formula)}", space)
    found = space["found"]
    assert isinstance(found, (int, float))
    return float(found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_python_computes_what_the_record_computes(name: str) -> None:
    generator = np.random.default_rng(7)
    count = len(set(re.findall(r"\{(\d)\}", notation(name).text)))
    if name == "clip":
        count = 3
    domain = records()[name].domain
    low, high = (domain.low, domain.high) if domain.samples is None else (0.5, 2.0)
    if name == "power":
        low = 0.25
    for _ in range(20):
        values = dict(zip("abc", generator.uniform(low, high, 3).tolist(), strict=True))
        if name == "clip":
            values |= {"b": 0.2, "c": 0.9}
        names: tuple[Expression, ...] = tuple(Name(letter) for letter in "abc"[:count])
        if name == "select" or name.startswith("logical"):
            signs = tuple(Call("greater", (part, Number(0.0))) for part in names)
            names = (signs[0], *names[1:]) if name == "select" else signs
        formula = Call(name, names)
        assert isclose(
            value_in_python(formula, values), float_value(formula, values), rel_tol=1e-12
        )


@pytest.mark.parametrize("inner", ["add", "subtract", "multiply", "divide", "power", "less"])
@pytest.mark.parametrize("outer", ["add", "subtract", "multiply", "divide", "power", "less"])
def test_brackets_of_two_functions(outer: str, inner: str) -> None:
    values = {"a": 1.7, "b": 0.6, "c": 2.9}
    a, b, c = (Name(letter) for letter in "abc")
    for formula in (Call(outer, (a, Call(inner, (b, c)))), Call(outer, (Call(inner, (a, b)), c))):
        expected = float_value(formula, values)
        assert isclose(value_in_python(formula, values), expected, rel_tol=1e-12)


def nested(depth: int) -> st.SearchStrategy[Expression]:
    leaves = st.sampled_from([Name("a"), Name("b"), Number(-1.5), Number(2.0)])

    def grow(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        one = st.sampled_from(["negative", "reciprocal", "square"])
        two = st.sampled_from(["add", "subtract", "multiply", "divide", "maximum", "less"])
        many = st.sampled_from(["sum", "prod", "max"])
        return st.one_of(
            st.builds(lambda f, x: Call(f, (x,)), one, children),
            st.builds(lambda f, x, y: Call(f, (x, y)), two, children, children),
            st.builds(
                lambda f, x: Call(f, tuple(x)), many, st.lists(children, min_size=1, max_size=3)
            ),
        )

    return st.recursive(leaves, grow, max_leaves=depth)


@given(nested(12), st.floats(0.3, 3), st.floats(-3, -0.3))
def test_brackets_keep_the_meaning(formula: Expression, a: float, b: float) -> None:
    values = {"a": a, "b": b}
    expected = float_value(formula, values)
    if not np.isfinite(expected) or abs(expected) > 1e12:
        return
    try:
        found = value_in_python(formula, values)
    except ZeroDivisionError:  # NumPy's is infinite on the way
        return
    assert isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)


@given(st.lists(st.text(max_size=6), unique=True))
def test_two_names_are_never_one_identifier(texts: list[str]) -> None:
    known = Identifiers(texts)
    found = [known[text] for text in texts]
    assert len(set(found)) == len(found)
    assert all(name.isidentifier() and name.isascii() for name in found)


def test_a_function_of_arrays_has_no_python() -> None:
    with pytest.raises(ArgumentError, match="matmul cannot be written in plain Python"):
        python(Call("matmul", (Name("a"), Name("b"))))
