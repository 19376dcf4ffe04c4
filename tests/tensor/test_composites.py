"""The tensor's methods without PyTorch: finite differences, traces against eager values, errors."""

from __future__ import annotations

import doctest
import importlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.executors import numpy as executor
from chalkgrad.tensor import creation, functions, random
from chalkgrad.transform.trace import trace

Call = Callable[..., Any]

# One table: what is called on x, y (both 3×4, between 0.3 and 1.7, no ties) and is smooth there.
SMOOTH: dict[str, Call] = {
    "exp2": lambda x, y: x.exp2(),
    "log10": lambda x, y: x.log10(),
    "hypot": lambda x, y: x.hypot(y),
    "sinc": lambda x, y: x.sinc(),
    "logit": lambda x, y: (x / 2).logit(),
    "xlogy": lambda x, y: x.xlogy(y),
    "logaddexp": lambda x, y: x.logaddexp(y),
    "lerp": lambda x, y: x.lerp(y, 0.3),
    "addcdiv": lambda x, y: x.addcdiv(x, y, value=2.0),
    "float_power": lambda x, y: x.float_power(y),
    "copysign": lambda x, y: x.copysign(-y),
    "erfc": lambda x, y: x.erfc(),
    "fmax": lambda x, y: x.fmax(y),
    "clamp": lambda x, y: x.clamp(0.5, 1.2),
    "clamp to tensors": lambda x, y: x.clamp(y * 0.5, y * 1.5),
    "where": lambda x, y: cg.where(x > y, x * x, y),
    "masked_fill": lambda x, y: x.masked_fill(x > y, 0.5),
    "remainder": lambda x, y: (3 * x).remainder(y + 1),
    "sum": lambda x, y: x.sum(1),
    "mean": lambda x, y: x.mean((0, 1)),
    "prod": lambda x, y: x.prod(1),
    "var": lambda x, y: x.var(0),
    "std": lambda x, y: x.std(1, correction=0, keepdim=True),
    "norm 2": lambda x, y: x.norm(dim=1),
    "norm 3": lambda x, y: x.norm(3),
    "norm ∞": lambda x, y: x.norm(float("inf"), dim=0),
    "max": lambda x, y: x.max(),
    "max along": lambda x, y: x.max(1).values,
    "amin": lambda x, y: x.amin(0),
    "median": lambda x, y: x.median(),
    "median along": lambda x, y: x.median(0).values,
    "sort": lambda x, y: x.sort(1, descending=True).values,
    "topk": lambda x, y: x.topk(2).values,
    "kthvalue": lambda x, y: x.kthvalue(2, 0).values,
    "cumsum": lambda x, y: x.cumsum(1),
    "cumprod": lambda x, y: x.cumprod(1),
    "softmax": lambda x, y: x.softmax(1),
    "log_softmax": lambda x, y: x.log_softmax(0),
    "logsumexp": lambda x, y: x.logsumexp((0, 1)),
    "matmul": lambda x, y: x @ y.t(),
    "vector": lambda x, y: x[0] @ y.t(),
    "bmm": lambda x, y: x.reshape(2, 2, 3).bmm(y.reshape(2, 3, 2)),
    "outer": lambda x, y: x[0].outer(y[1]),
    "tensordot": lambda x, y: x.tensordot(y, ([0, 1], [0, 1])),
    "einsum": lambda x, y: cg.einsum("ij,kj->ik", x, y),
    "einsum diagonal": lambda x, y: cg.einsum("ii->i", x[:, :3]),
    "addmm": lambda x, y: cg.zeros(3, 3, dtype=cg.float64).addmm(x, y.t(), alpha=2),
    "kron": lambda x, y: x.kron(y),
    "cross": lambda x, y: x.cross(y, dim=0),
    "tril": lambda x, y: x.tril(1),
    "diagonal": lambda x, y: x.diagonal(1),
    "diag_embed": lambda x, y: x.diag_embed(-1),
    "trace": lambda x, y: x.trace(),
}
X, Y = np.random.default_rng(7).permutation(np.linspace(0.3, 1.7, 24)).reshape(2, 3, 4)


def differences(call: Call, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The slope of Σ weights · call(x, y) along every element of x."""
    step, slopes = 1e-6, np.zeros_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append((call(cg.tensor(moved), cg.tensor(y)).numpy() * weights).sum())
        slopes[place] = (ends[0] - ends[1]) / (2 * step)
    return slopes


@pytest.mark.parametrize("name", SMOOTH)
def test_slopes_are_finite_differences(name: str) -> None:
    call = SMOOTH[name]
    flipped: Call = lambda b, a: call(a, b)  # noqa: E731
    x, y = cg.tensor(X, requires_grad=True), cg.tensor(Y, requires_grad=True)
    out = call(x, y)
    weights = np.random.default_rng(3).normal(size=out.shape)
    (out * cg.tensor(weights)).sum().backward()
    for leaf, values, other, way in ((x, X, Y, call), (y, Y, X, flipped)):
        expected = differences(way, values, other, weights)
        found = np.zeros_like(values) if leaf.grad is None else leaf.grad.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_trace_computes_what_eager_tensors_do(name: str) -> None:
    graph = trace(SMOOTH[name], cg.tensor(X), cg.tensor(Y))
    (found,) = executor.run(graph, X, Y)
    wanted = SMOOTH[name](cg.tensor(X), cg.tensor(Y)).numpy()
    assert found.shape == wanted.shape == graph.outputs[0].shape
    assert found.dtype == wanted.dtype == graph.outputs[0].dtype
    np.testing.assert_array_equal(found, wanted)


# Answers known by hand, of m = [[1, 2], [3, 4]] and v = [-1.5, 0.5, 2.5]: the call, what comes out.
KNOWN: list[tuple[str, Call, Any]] = [
    ("deg2rad", lambda m, v: (v * 120).deg2rad() / np.pi, [-1.0, 1 / 3, 5 / 3]),
    ("rad2deg", lambda m, v: (v * np.pi).rad2deg(), [-270.0, 90.0, 450.0]),
    ("round", lambda m, v: v.round(), [-2.0, 0.0, 2.0]),
    ("floor", lambda m, v: v.floor(), [-2.0, 0.0, 2.0]),
    ("ceil", lambda m, v: v.ceil(), [-1.0, 1.0, 3.0]),
    ("trunc", lambda m, v: v.trunc(), [-1.0, 0.0, 2.0]),
    ("frac", lambda m, v: v.frac(), [-0.5, 0.5, 0.5]),
    ("remainder", lambda m, v: v % 2, [0.5, 0.5, 0.5]),
    ("fmod", lambda m, v: v.fmod(2), [-1.5, 0.5, 0.5]),
    ("//", lambda m, v: v // 2, [-1.0, 0.0, 1.0]),
    ("div trunc", lambda m, v: v.div(2, rounding_mode="trunc"), [0.0, 0.0, 1.0]),
    ("sign", lambda m, v: v.sign(), [-1.0, 1.0, 1.0]),
    ("clamp", lambda m, v: v.clamp(-1, 1), [-1.0, 0.5, 1.0]),
    ("relu", lambda m, v: v.relu(), [0.0, 0.5, 2.5]),
    ("<=", lambda m, v: v <= 0.5, [True, True, False]),
    (">", lambda m, v: v > 0.5, [False, False, True]),
    ("lerp", lambda m, v: v.lerp(v + 4, 0.25), [-0.5, 1.5, 3.5]),
    ("int", lambda m, v: v.int(), [-1, 0, 2]),
    ("sum", lambda m, v: m.sum(0), [4.0, 6.0]),
    ("mean", lambda m, v: m.mean(1), [1.5, 3.5]),
    ("var", lambda m, v: m.var(0), [2.0, 2.0]),
    ("var, biased", lambda m, v: m.var(0, unbiased=False), [1.0, 1.0]),
    ("std_mean", lambda m, v: m.std_mean(0, correction=0)[1], [2.0, 3.0]),
    ("norm", lambda m, v: cg.tensor([3.0, 4.0]).norm(), 5.0),
    ("prod", lambda m, v: m.prod(), 24.0),
    ("max", lambda m, v: m.max(0).indices, [1, 1]),
    ("median", lambda m, v: m.median(), 2.0),
    ("cumsum", lambda m, v: v.cumsum(0), [-1.5, -1.0, 1.5]),
    ("cumprod", lambda m, v: m.cumprod(1), [[1.0, 2.0], [3.0, 12.0]]),
    ("argsort", lambda m, v: v.argsort(descending=True), [2, 1, 0]),
    ("topk", lambda m, v: m.topk(1).values, [[2.0], [4.0]]),
    ("unique", lambda m, v: cg.tensor([3, 1, 3]).unique(), [1, 3]),
    ("bincount", lambda m, v: cg.tensor([3, 1, 3]).bincount(), [0, 1, 0, 2]),
    ("@", lambda m, v: m @ m, [[7.0, 10.0], [15.0, 22.0]]),
    ("outer", lambda m, v: m[0].outer(m[1]), [[3.0, 4.0], [6.0, 8.0]]),
    ("einsum", lambda m, v: cg.einsum("ij->j", m), [4.0, 6.0]),
    ("kron", lambda m, v: cg.tensor([1.0, 2.0]).kron(m[0]), [1.0, 2.0, 2.0, 4.0]),
    ("cross", lambda m, v: cg.eye(3)[0].cross(cg.eye(3)[1]), [0.0, 0.0, 1.0]),
    ("tril", lambda m, v: m.tril(), [[1.0, 0.0], [3.0, 4.0]]),
    ("triu", lambda m, v: m.triu(1), [[0.0, 2.0], [0.0, 0.0]]),
    ("diagonal", lambda m, v: m.diagonal(1), [2.0]),
    ("diag", lambda m, v: m[0].diag(), [[1.0, 0.0], [0.0, 2.0]]),
    ("trace", lambda m, v: m.trace(), 5.0),
    ("addmm", lambda m, v: cg.ones(2, 2).addmm(m, m, beta=2), [[9.0, 12.0], [17.0, 24.0]]),
    ("arange", lambda m, v: cg.arange(0, 1, 0.3), [0.0, 0.3, 0.6, 0.9]),
    ("linspace", lambda m, v: cg.linspace(0, 1, 3), [0.0, 0.5, 1.0]),
    ("logspace", lambda m, v: cg.logspace(0, 2, 3), [1.0, 10.0, 100.0]),
    ("full", lambda m, v: cg.full((2,), True), [True, True]),
    ("eye", lambda m, v: cg.eye(1, 2), [[1.0, 0.0]]),
    ("meshgrid", lambda m, v: cg.meshgrid(m[0], indexing="ij")[0], [1.0, 2.0]),
    ("tril_indices", lambda m, v: cg.tril_indices(2, 2), [[0, 1, 1], [0, 0, 1]]),
]


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case[0])
def test_known_answers(case: tuple[str, Call, Any]) -> None:
    _, call, answer = case
    found = call(cg.tensor([[1.0, 2.0], [3.0, 4.0]]), cg.tensor([-1.5, 0.5, 2.5]))
    assert np.asarray(found.tolist()).dtype == np.asarray(answer).dtype
    np.testing.assert_allclose(np.asarray(found.tolist()), answer, rtol=1e-6)


QUESTIONS: dict[str, Call] = {
    "==": lambda x, y: x == y, "isclose": lambda x, y: x.isclose(y), "argmax": lambda x,
    y: x.argmax(1),
    "argmin of all": lambda x, y: x.argmin(), "any": lambda x, y: (x > y).any(1), "all": lambda x,
    y: (x > y).all(),
    "count": lambda x, y: (x > 1).count_nonzero(), "argsort": lambda x, y: x.argsort(0),
    "long": lambda x, y: (3 * x).long(),
    "round": lambda x, y: (3 * x).round(), "floor_divide": lambda x, y: (3 * x) // y,
    "sign": lambda x, y: (x - y).sign(),
    "isnan": lambda x, y: x.isnan(), "float": lambda x, y: x.float() + y.float(), "~": lambda x,
    y: ~(x > y) & (y > 1),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_trace_answers_what_eager_tensors_do(name: str) -> None:
    graph = trace(QUESTIONS[name], cg.tensor(X), cg.tensor(Y))
    (found,) = executor.run(graph, X, Y)
    wanted = QUESTIONS[name](cg.tensor(X), cg.tensor(Y)).numpy()
    assert found.dtype == wanted.dtype == graph.outputs[0].dtype
    np.testing.assert_array_equal(found, wanted)


def test_what_needs_numbers_refuses_a_trace() -> None:
    for call in (
        lambda x: x.allclose(x),
        lambda x: x.equal(x),
        lambda x: x.unique(),
        lambda x: x.histc(3),
    ):
        with pytest.raises(RuntimeError, match="needs the numbers of a tensor"):
            trace(call, cg.tensor(X))


def test_quantities_carry_their_names() -> None:
    graph = trace(lambda x: x.softmax(1), cg.tensor(X))
    assert {str(node.scope) for node in graph.nodes if node.primitive} == {"softmax"}


def test_random_numbers_in_a_trace_are_state() -> None:
    generator = cg.Generator().manual_seed(5)
    x = cg.zeros(3)

    def noisy(x: Any) -> Any:
        mask = cg.rand(3, generator=generator) < 0.5
        return mask.cast(x.node.dtype) + cg.randn(3, generator=generator)

    before = generator.get_state()
    graph = trace(noisy, x)
    assert cg.equal(generator.get_state(), before)  # tracing draws nothing
    assert len(graph.states) == 1
    state = before.numpy()
    for _ in range(3):  # three runs of the program are three eager calls
        found, state = executor.run(graph, x.numpy(), state)
        np.testing.assert_array_equal(found, noisy(x).numpy())
        np.testing.assert_array_equal(state, generator.get_state().numpy())


def test_softmax_does_not_overflow_and_keeps_its_slope() -> None:
    x = cg.tensor([1000.0, 1001.0, -1000.0], requires_grad=True)
    x.softmax(0)[0].backward()
    p = 1 / (1 + np.e)
    np.testing.assert_allclose(x.grad.numpy(), [p * (1 - p), -p * (1 - p), 0], rtol=1e-5)


def test_comparing_with_a_stranger() -> None:
    assert (cg.ones(2) == "a") is False
    assert (cg.ones(2) != None) is True  # noqa: E711
    with pytest.raises(TypeError, match="not supported between instances"):
        cg.ones(2) < "a"  # noqa: B015


MISTAKES: list[tuple[Call, type[Exception], str]] = [
    (lambda: cg.ones(2, dtype=cg.bool) - cg.ones(2, dtype=cg.bool), RuntimeError,
    "with two bool tensors is not supported"),
    (lambda: -cg.ones(2, dtype=cg.bool), RuntimeError, "Negation.*on a bool tensor"),
    (lambda: cg.ones(2, 3) + cg.ones(4), RuntimeError,
    "dimension 1 is 3 in one and 4 in the other"),
    (lambda: cg.tensor([1, 2]) // 0, RuntimeError, "ZeroDivisionError"),
    (lambda: cg.tensor([1, 2]) ** -1, RuntimeError, "negative integer powers"),
    (lambda: cg.tensor([1, 2]) & 3, NotImplementedError, "works on bool tensors"),
    (lambda: cg.ones(2).clamp(), RuntimeError, "At least one of 'min' or 'max'"),
    (lambda: cg.ones(2).maximum(1), TypeError, "must be Tensor, not int"),
    (lambda: cg.where(cg.tensor([1]), cg.ones(1), cg.ones(1)), RuntimeError,
    "boolean tensor, but got.*int64"),
    (lambda: cg.ones(2, 3) @ cg.ones(2, 3), RuntimeError,
    "the first has 3 columns, the second 2 rows"),
    (lambda: cg.ones(2) @ cg.ones(2).double(), RuntimeError, "float32 != float64"),
    (lambda: cg.einsum("ij,jk->ik", cg.ones(2, 3), cg.ones(2, 3)), RuntimeError, "'j' is 3 and 2"),
    (lambda: cg.einsum("ij,jk->iz", cg.ones(2, 3), cg.ones(3, 3)), RuntimeError,
    "'z' does not appear"),
    (lambda: cg.ones(2).sum(1), IndexError, r"range of \[-1, 0\], but got 1"),
    (lambda: cg.ones(2).softmax("a"), TypeError, "a dimension must be an int"),
    (lambda: cg.tensor([1]).mean(), RuntimeError, r"Got: torch\.int64"),
    (lambda: cg.zeros(0).max(), RuntimeError, "Expected reduction dim to be specified"),
    (lambda: cg.ones(3).topk(4), RuntimeError, "k=4 out of range for dimension 0 of size 3"),
    (lambda: cg.tensor([[1], [1, 2]]), ValueError,
    r"expected sequence of length 1 at dim 1 \(got 2\)"),
    (lambda: cg.tensor(["a"]), ValueError, "'a' is no number"),
    (lambda: cg.zeros(2, device="cuda"), NotImplementedError, "computes on the CPU"),
    (lambda: cg.zeros(2, dtype="int7"), TypeError, "no dtype 'int7'"),
    (lambda: cg.sum([1.0]), TypeError, r"argument 'input' \(position 1\) must be Tensor, not list"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_named(number: int) -> None:
    call, kind, text = MISTAKES[number]
    with pytest.raises(kind, match=text):
        call()


def test_lists_of_public_names_are_complete() -> None:
    for module in (creation, functions, random):
        public = {
            name for name, thing in vars(module).items()
            if callable(thing) and not name.startswith("_") and getattr(thing, "__module__",
            "").startswith("chalkgrad.tensor")
        }  # fmt: skip
        inside = {"function", "arithmetic", "chosen", "holding", "Tensor", "Operand",
        "check_device", "check_options", "Size", "common_shape",
                  "sizes", "same_type", "cat"}  # fmt: skip
        methods = {name for name in public if name.startswith("new_") or name.endswith("_")}
        assert public - inside - methods <= set(module.__all__), module.__name__
    everything = list(itertools.chain(creation.__all__, functions.__all__, random.__all__))
    assert len(everything) == len(set(everything))
    assert all(hasattr(cg, name) for name in everything)


@pytest.mark.parametrize(
    "name",
    [
        "arguments",
        "conversion",
        "creation",
        "elementwise",
        "functions",
        "linalg",
        "random",
        "reductions",
    ],
)
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(f"chalkgrad.tensor.{name}")
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert results.failed == 0
