"""The compiler shows its work: kernels as text and as data, timed, and as it is documented."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.compiler import show
from chalkgrad.compiler.show import kernels
from chalkgrad.compiler.spelling import Speller
from chalkgrad.core.graph import Graph
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term
from tools.kernels import HOST, PAGE, page

nn = cg.nn


def step_of(model: Any, optimizer: Any, loss: Callable[..., cg.Tensor]) -> Callable[..., Any]:
    def step(x: cg.Tensor, y: cg.Tensor) -> cg.Tensor:
        value = loss(model(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value

    return step


def mlp(*widths: int, batch: int) -> Graph:
    """A training step of a classifier with Adam."""
    cg.manual_seed(0)
    layers: list[Any] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    step = step_of(model, cg.optim.Adam(model.parameters()), nn.CrossEntropyLoss())
    return cg.trace(step, cg.zeros(batch, widths[0]), cg.zeros(batch, dtype=cg.int64))


def test_the_page_shows_the_program_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "make pages writes it again"


# Kernels.
def test_a_plain_function_reads_as_equations_loops_and_reasons() -> None:
    weight, bias = cg.ones(6, 8, requires_grad=True), cg.zeros(6, requires_grad=True)

    def layer(x: cg.Tensor) -> cg.Tensor:
        return cg.relu(x @ weight.T + bias)

    (row,) = kernels(cg.trace(layer, cg.zeros(16, 8)), HOST).rows()
    assert row["loops"][0] == "for i in 0..16, j in 0..6:"
    product, result = row["loops"][1:]
    assert re.fullmatch(r"  let %\d = Σ\[k<8\] x\[i,k\] · %1\[j,k\]", product)
    assert re.fullmatch(r"  %\d\[i,j\] = max\(%\d \+ %2\[j\], 0\)", result)
    assert row["how"] == "16 × 6 elements, each a sum of 8 products; in tiles of 8 × 6"
    assert row["flops"] == 2 * 16 * 6 * 8
    assert "relu %7 joins matmul %4: it reads it at the same point" in row["reasons"]


def test_equations_are_called_as_the_graph_calls_them() -> None:
    graph = mlp(8, 6, 3, batch=16)
    shown = kernels(graph, HOST)
    listed = dict(re.findall(r"^(\S+): \S+ = (\w+)\(", str(graph), re.MULTILINE))
    found = [re.fullmatch(r"(\S+) = (\w+)\(.*\)", e) for row in shown.rows()
             for e in row["equations"] if " <- " not in e]  # fmt: skip
    assert len(found) > 60
    for equation in found:
        assert equation is not None
        assert listed[equation[1]] == equation[2]


def test_every_equation_that_is_not_another_one_is_in_some_kernel() -> None:
    """Of this step, what is missing are copies, and what every parameter computes alike."""
    graph = mlp(8, 6, 3, batch=16)
    shown = kernels(graph, HOST)
    listed = dict(re.findall(r"^(%\d+): \S+ = (\w+)\(", str(graph), re.MULTILINE))
    covered = {e.split(" = ")[0] for row in shown.rows() for e in row["equations"]}
    missing = {listed[name] for name in set(listed) - covered}
    same = {"copy", "cast", "add", "subtract", "power", "sqrt", "divide"}
    assert missing <= same
    assert {"matmul", "exp", "log", "relu", "select"} <= set(listed.values()) - missing


def test_states_are_written_in_place_under_their_names() -> None:
    text = str(kernels(mlp(8, 6, 3, batch=16), HOST))
    assert "in place: 13 of 13 changing states" in text
    assert "layout: 0.weight lies with its axes exchanged" in text
    assert "0.weight.exp_avg′, 0.weight.exp_avg_sq′, 0.weight′   [∂ 0, Adam]" in text
    assert re.search(r"^ +0\.weight′\[j,i\] = 0\.weight\[j,i\] − %", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 100


def test_who_runs_a_kernel_and_where_threads_meet() -> None:
    shown = kernels(mlp(256, 512, 10, batch=64), HOST)
    first, *others = shown.rows()
    assert first["how"].endswith("shared among threads")
    assert not first["threads_meet_before"]
    assert any(row["threads_meet_before"] for row in others)
    assert any(row["how"].endswith("the first thread alone") for row in others)
    assert "(threads meet)\n" in str(shown)
    alone = str(kernels(mlp(8, 6, 3, batch=16), HOST))
    assert "none shared among threads" in alone
    assert "threads meet" not in alone


def test_convolutions() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.MaxPool2d(2), nn.Flatten())
    step = step_of(model, cg.optim.SGD(model.parameters(), lr=0.1), nn.MSELoss())
    shown = kernels(cg.trace(step, cg.zeros(5, 2, 8, 8), cg.zeros(5, 64)), HOST)
    text = str(shown)
    assert "5 images of 8 × 8, 2 → 4 channels, 3 × 3 window" in text
    assert "x[i,k,m" not in text  # the running indices of the sum come after those of the loop
    assert "Σ[n<2,p<3,q<3] ((x[i,n,k + p − 1,m + q − 1] if" in text
    first = shown.rows()[0]
    assert first["flops"] == 2 * 5 * 4 * 64 * (2 * 9)


def test_the_gradient_of_pooling_asks_the_windows() -> None:
    def step(x: cg.Tensor) -> cg.Tensor:
        x.requires_grad_()
        (gradient,) = cg.autograd.grad(nn.functional.max_pool2d(x, 2).sum(), x)
        return gradient

    shown = re.sub(r"\s+", " ", str(kernels(cg.trace(step, cg.zeros(5, 2, 8, 8)), HOST)))
    assert "[i,j,k // 2,m // 2] == int32(8 · k + m) else 0" in shown
    assert " += " not in shown


def test_scatters() -> None:
    table = nn.Embedding(40, 3)
    step = step_of(table, cg.optim.SGD(table.parameters(), lr=0.1), nn.MSELoss())
    rows = cg.zeros(50, dtype=cg.int64)
    text = str(kernels(cg.trace(step, rows, cg.zeros(50, 3)), HOST))
    assert "50 × 3 additions, one by one and in order" in text
    assert " += " in text


def test_rows_and_memory_are_data() -> None:
    shown = kernels(mlp(8, 6, 3, batch=16), HOST)
    data = json.loads(json.dumps({"kernels": shown.rows(), "memory": shown.memory()}))
    assert len(data["kernels"]) == len(shown)
    assert data["memory"]["in_place"] == data["memory"]["changed"] == 13


def test_an_array_that_stands_in_the_program_is_named() -> None:
    mask = cg.tensor([1.0, 0.0, 1.0])
    fixed = cg.full((3,), 0.25)
    text = str(kernels(cg.trace(lambda x: x * (mask * 1) + fixed * 2, cg.zeros(3)), HOST))
    assert re.search(r"^constant: \S+: float32\[3\] = 0.5 throughout$", text, re.MULTILINE)
    assert re.search(r"^constant: \S+: float32\[3\]$", text, re.MULTILINE)


# Without native code.
def test_what_has_no_native_code_says_why() -> None:
    class Double(cg.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: cg.Tensor) -> cg.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: object, g: cg.Tensor) -> cg.Tensor:
            return g * 2

    graph = cg.trace(Double.apply, cg.zeros(3, requires_grad=True))
    with pytest.raises(cg.ChalkgradError, match="a person's own function"):
        graph.kernels()


def test_a_machine_without_native_code_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "available", lambda: "llvmlite is not installed")
    with pytest.raises(cg.ChalkgradError, match="no native code here: llvmlite is not installed"):
        cg.trace(cg.exp, cg.zeros(3)).kernels()


# Time.
def test_time_is_measured_for_each_kernel_and_changes_nothing() -> None:
    graph = mlp(64, 32, 10, batch=32)
    before = [np.array(state.before.value) for state in graph.states]
    shown = graph.kernels()
    times = shown.time({"x": np.ones((32, 64), np.float32)}, steps=200)
    assert len(times.spent) == len(shown)
    assert min(times.spent) >= 0
    assert sum(times.spent) == pytest.approx(times.step, rel=1e-6)
    first = times.rows()[0]
    assert first["gflops"] == pytest.approx(2 * 32 * 64 * 32 / first["microseconds"] / 1e3)
    assert sum(row["share"] for row in times.rows()) == pytest.approx(1, rel=1e-6)
    assert [row["gflops"] is None for row in times.rows()] == [k.flops == 0 for k in shown.shown()]
    for state, value in zip(graph.states, before, strict=True):
        np.testing.assert_array_equal(state.before.value, value)
    lines = str(times).splitlines()
    assert "the mean of 200 steps by 1 thread" in lines[0]
    assert max(map(len, lines)) <= 100


def test_the_cache_is_said_to_have_had_it() -> None:
    shown = mlp(7, 5, 3, batch=4).kernels()
    first, second = shown.compile(), shown.compile()
    assert (first.cached, second.cached) == (False, True)
    assert first.code == second.code > 1000
    assert "compiled in" in str(first)
    assert "taken from the cache" in str(second)


# Formulas. The judge: Python reads what is written, and computes the same.
_ONE = ["negative", "square", "relu"]
_TWO = ["add", "subtract", "multiply", "divide", "maximum"]
_TESTS = ["less", "greater_equal", "equal", "not_equal"]
_PYTHON = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "less": np.less, "greater_equal": np.greater_equal, "equal": np.equal,
    "not_equal": np.not_equal, "negative": np.negative, "square": np.square,
    "maximum": np.maximum, "relu": lambda x: max(x, 0.0),
    "logical_and": np.logical_and, "logical_or": np.logical_or,
}  # fmt: skip
_VALUES = {0: 0.75, 1: 2.5, 2: -1.25}


def number(draw: random.Random, depth: int) -> Term:
    """A random formula whose value is a number."""
    if depth == 0 or draw.random() < 0.1:
        return draw.choice([Const(2.0), Const(-3.0), Const(0.5), *(Read(b, ()) for b in _VALUES)])
    count = draw.choice([1, 2, 2, 2, 3])
    parts = [number(draw, depth - 1) for _ in range(min(count, 2))]
    if count == 3:
        return Apply("select", (truth(draw, depth - 1), *parts))
    return Apply(draw.choice(_ONE if count == 1 else _TWO), tuple(parts))


def truth(draw: random.Random, depth: int) -> Term:
    """A random formula whose value is a truth."""
    if depth > 0 and draw.random() < 0.4:
        both = truth(draw, depth - 1), truth(draw, depth - 1)
        return Apply(draw.choice(["logical_and", "logical_or"]), both)
    return Apply(draw.choice(_TESTS), (number(draw, depth), number(draw, depth)))


def value(term: Term) -> Any:
    """The value of a term of numbers."""
    match term:
        case Const(number):
            return np.float64(number)
        case Read(buffer, _):
            return np.float64(_VALUES[buffer])
        case Apply("select", (test, then, other)):
            return value(then) if value(test) else value(other)
        case Apply(function, arguments):
            parts = [np.float64(value(a)) for a in arguments]
            return _PYTHON[function](*parts)
    raise AssertionError(term)


def read(text: str, names: dict[str, Any]) -> Any:
    """The value of a formula, as Python reads it."""
    for sign, word in (("−", "-"), ("·", "*"), ("²", "**2"), ("≠", "!="), ("≥", ">="), ("≤", "<="),
                       ("^", "**"), ("mod", "%")):  # fmt: skip
        text = text.replace(sign, word)
    known = {"max": max, **names}
    exec(f"result = {text}", known)
    return known["result"]


@pytest.mark.parametrize("seed", range(300))
def test_brackets_stand_where_they_are_needed(seed: int) -> None:
    term = number(random.Random(seed), 4)
    text = Speller(lambda b: "abc"[b], {}, (), set()).write(term)
    names = {name: np.float64(_VALUES[b]) for b, name in enumerate("abc")}
    with np.errstate(all="ignore"):
        found, wanted = read(_exact(text), names), value(term)
    np.testing.assert_allclose(np.float64(found), np.float64(wanted), rtol=1e-12, err_msg=text)


def _exact(text: str) -> str:
    """Its numbers as NumPy's, for which a division by 0 is no error."""
    return re.sub(r"(?<![\w.])(\d+(\.\d+)?)(?![\w.]*[A-Za-z.])", r"a.__class__(\1)", text)


i, j, k = Axis(0), Axis(1), Axis(2)
EXTENTS = {0: 6, 1: 5, 2: 4, 3: 1}


@given(
    st.recursive(
        st.sampled_from([i, j, Const(1), Const(3)]),
        lambda inner: st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: a - b, inner, inner),
            st.builds(lambda a, n: a * n, inner, st.integers(2, 4)),
            st.builds(lambda a, n: a // n, inner, st.integers(2, 4)),
            st.builds(lambda a, n: a % n, inner, st.integers(2, 4)),
        ),
        max_leaves=6,
    )
)
def test_indices_are_written_as_what_they_are(term: Term) -> None:
    speller = Speller(str, EXTENTS, (0, 1), set())
    text = speller.write(term)
    for a in range(6):
        for b in range(5):
            assert read(text, {"i": a, "j": b}) == _index(term, a, b), text


def _index(term: Term, a: int, b: int) -> int:
    match term:
        case Const(number):
            return int(number)
        case Axis(id):
            return (a, b)[id]
        case Apply(function, (x, y)):
            one, other = _index(x, a, b), _index(y, a, b)
            signs: dict[str, Callable[[int, int], int]] = {
                "add": int.__add__, "subtract": int.__sub__, "multiply": int.__mul__,
                "floor_divide": int.__floordiv__, "remainder": int.__mod__,
            }  # fmt: skip
            return signs[function](one, other)
    raise AssertionError(term)


def speller() -> Speller:
    return Speller(lambda b: "abcd"[b], EXTENTS, (0, 1, 3), {3})


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Read(0, (i * 4 + j - 1, Const(0))), "a[4 · i + j − 1,0]"),
        (Read(3, (i,)), "d"),  # in registers
        (Axis(3), "0"),  # an axis of one step
        (Reduce("sum", ((2, 4),), Read(0, (i, k)) * Read(1, (k,))), "Σ[k<4] a[i,k] · b[k]"),
        (Reduce("max", ((2, 4),), Read(0, (k,))) - Read(1, (i,)), "max[k<4] a[k] − b[i]"),
        (Reduce("sum", ((2, 4),), Read(0, (k,)) + 1) * 2.0, "(Σ[k<4] (a[k] + 1)) · 2"),
        (Apply("cast:float32", (Const(1e-8),)), "1e−08"),
        (Apply("cast:float64", (Read(0, (i,)),)), "float64(a[i])"),
        (Apply("select", (Const(True), Read(0, ()), Const(None))), "a if True else none"),  # type: ignore[arg-type]
        (Apply("sigmoid", (Apply("relu", (Read(0, ()),)),)), "sigmoid(max(a, 0))"),
        (Read(0, (Apply("clamp", (i - 1, Const(0), Const(5))),)), "a[i − 1]"),
        (Read(0, (Apply("index", (Read(1, (i,)), Const(0), Const(5))),)), "a[b[i]]"),
    ],
)  # fmt: skip
def test_notation(term: Term, text: str) -> None:
    assert speller().write(term) == text


def test_what_several_places_share_gets_a_name_where_it_is_first_used() -> None:
    found = speller()
    shared = Apply("exp", (Read(0, (i,)) + 1,))
    terms = [shared * 2, Apply("log", (shared,))]
    found.share(terms)
    lines = [[*found.parts(term), found.write(term)] for term in terms]
    assert lines == [["let t₁ = exp(a[i] + 1)", "t₁ · 2"], ["log(t₁)"]]


def test_what_depends_on_an_inner_index_is_written_in_its_place() -> None:
    found = speller()
    part = Apply("exp", (Read(0, (k,)) + 1,))
    term = Reduce("sum", ((2, 4),), part * part)
    found.share([term])
    assert [*found.parts(term)] == []
    assert found.write(term) == "Σ[k<4] exp(a[k] + 1) · exp(a[k] + 1)"
