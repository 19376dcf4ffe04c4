"""Every reduction against PyTorch: dimensions, types, ties, empty tensors, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity

KINDS = ("float64", "float32", "int64", "int32", "bool")
SHAPES = ((), (1,), (5,), (0,), (2, 3), (2, 0, 3), (2, 3, 4), (3, 1))
# What takes several dimensions at once, and what takes one.
MANY = [
    "sum",
    "mean",
    "var",
    "std",
    "amax",
    "amin",
    "any",
    "all",
    "nansum",
    "nanmean",
    "logsumexp",
    "norm",
]
ONE = ["prod", "max", "min", "argmax", "argmin", "median", "count_nonzero"]
ALONG = [
    "cumsum",
    "cumprod",
    "softmax",
    "log_softmax",
    "logsumexp",
    "sort",
    "argsort",
    "median",
    "max",
    "min",
]


def numbers(kind: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Different numbers where the type has enough of them, so that orders and places are unique."""
    rng = np.random.default_rng([seed, len(shape), *shape])
    count = int(np.prod(shape))
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    spread = (rng.permutation(count) - count // 2).reshape(shape)
    return spread.astype(kind) if kind.startswith("int") else (spread / 5 + 0.03).astype(kind)


def call(name: str, *rest: Any, **options: Any) -> Any:
    return lambda lib, x: getattr(lib, name)(x, *rest, **options)


def method(name: str, *rest: Any, **options: Any) -> Any:
    return lambda lib, x: getattr(x, name)(*rest, **options)


def distinct(name: str, kind: str, shape: tuple[int, ...]) -> bool:
    """Bools tie; which of several equal elements PyTorch names is its own affair."""
    places = name in (
        "argsort",
        "sort",
        "median",
        "topk",
        "kthvalue",
        "argmax",
        "argmin",
        "max",
        "min",
    )
    return not (kind == "bool" and places)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MANY + ONE)
def test_of_all_elements(name: str, kind: str) -> None:
    for shape in SHAPES:
        if distinct(name, kind, shape) and name != "logsumexp":
            same(call(name), numbers(kind, shape))
            same(method(name), numbers(kind, shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MANY + ONE)
def test_along_one_dimension(name: str, kind: str) -> None:
    for shape in SHAPES:
        if not distinct(name, kind, shape):
            continue
        for dim in (0, -1, 1, 3):
            for keepdim in (False, True):
                options = {} if name == "count_nonzero" else {"keepdim": keepdim}
                same(call(name, dim=dim, **options), numbers(kind, shape))
            same(
                method(name, dim=dim),
                numbers(kind, shape),
            )


@pytest.mark.parametrize("name", MANY)
def test_along_several_dimensions(name: str) -> None:
    for dims in ((0, 1), (0, -1), (2,), (1, 2, 0), (), (0, 0), (0, 5), [1, 2]):
        for keepdim in (False, True):
            if dims == () and name in ("var", "std", "logsumexp"):
                continue  # PyTorch's gradient is infinite there, and its logsumexp stumbles
            same(call(name, dim=dims, keepdim=keepdim), numbers("float64", (2, 3, 4)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALONG)
def test_running_and_ordering(name: str, kind: str) -> None:
    for shape in SHAPES:
        if name.endswith("softmax") and 0 in shape and not kind.startswith("float"):
            continue  # PyTorch lets whole numbers pass where there are none
        for dim in (0, -1, 1):
            if distinct(name, kind, shape):
                same(call(name, dim), numbers(kind, shape))
                same(method(name, dim=dim), numbers(kind, shape))
    if distinct(name, kind, ()) and name in ("sort", "argsort"):
        same(call(name, descending=True), numbers(kind, (3, 4)))
        same(call(name, 0, True), numbers(kind, (3, 4)))
        same(call(name), numbers(kind, (3, 4)))


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "cumsum", "cumprod", "softmax", "log_softmax", "nansum"]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("into", ["float32", "float64", "int64", "int32"])
def test_into_a_given_type(name: str, kind: str, into: str) -> None:
    if name in ("softmax", "log_softmax") and into.startswith("int"):
        return
    narrower = (
        kind == "float64" and into == "float32"
    )  # then PyTorch's backward pass computes in float64
    same(lambda lib, x: getattr(lib, name)(x, dim=-1, dtype=getattr(lib, into)),
    numbers(kind, (2, 3)),
         grad=into.startswith("float"), close=1e5 if narrower else 1.0)  # fmt: skip


SPREAD = [
    {"unbiased": False}, {"unbiased": True}, {"correction": 0}, {"correction": 2},
    {"dim": 1, "correction": 0},
    {"dim": (0, 2), "unbiased": False}, {"dim": 0, "keepdim": True, "correction": 1},
    {"dim": None, "correction": 1},
]  # fmt: skip


@pytest.mark.parametrize("options", SPREAD, ids=str)
@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_spread(name: str, options: dict[str, Any]) -> None:
    for shape in ((2, 3, 4), (1, 1, 1), (2, 0, 3)):
        same(call(name, **options), numbers("float64", shape))


def test_spread_by_position_and_where_nothing_varies() -> None:
    same(lambda lib, x: x.var(False), numbers("float64", (2, 3)))
    same(lambda lib, x: x.std(1, False, True), numbers("float64", (2, 3)))
    same(lambda lib, x: x.std(), np.ones((2, 3)))
    same(lambda lib, x: x.std(1), np.array([[1.0, 1.0], [1.0, 2.0]]))
    same(lambda lib, x: x.var(), np.array(3.0))


@pytest.mark.parametrize(
    "p", ["fro", None, 0, 1, 2, 3, 2.5, 0.5, float("inf"), -float("inf"), -1, "nuc"]
)
def test_norms(p: Any) -> None:
    x = numbers("float64", (2, 3))
    if p == "nuc":
        with pytest.raises(NotImplementedError, match="singular"):
            cg.norm(cg.tensor(x), "nuc")
        return
    same(call("norm", p), x)
    same(method("norm", p), x)
    for dim in (0, (0, 1), -1):
        same(call("norm", p=p, dim=dim), x)
        same(call("norm", p, dim, True), x)
    if p in (2, 3, "fro", 1):
        same(call("norm", p, dim=1), np.array([[0.0, 0.0], [0.0, 2.0]]))
    same(call("norm", p), x.astype("float32"))


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "median"])
def test_ties(name: str) -> None:
    x = np.array([[2.0, 5.0, 5.0], [1.0, 1.0, 1.0]])
    same(call(name), x)
    if name in ("amax", "amin"):
        same(call(name, dim=1), x)
    else:
        same(lambda lib, a: getattr(lib, name)(a, 1).values, x, grad=name != "median")


def test_pairs_of_tensors() -> None:
    x, y = numbers("float64", (2, 3)), numbers("float64", (3,), 1)
    for name in ("max", "min"):
        same(lambda lib, a, b, name=name: getattr(lib, name)(a, b), x, y)
        same(lambda lib, a, b, name=name: getattr(lib, name)(a, other=b), x, y)
        same(lambda lib, a, b, name=name: getattr(a, name)(b), x, y)


def test_pairs_have_names() -> None:
    for name, rest in (
        ("max", (0,)),
        ("min", (0,)),
        ("median", (0,)),
        ("sort", ()),
        ("topk", (1,)),
        ("kthvalue", (1,)),
    ):
        wanted = getattr(torch, name)(torch.tensor([3.0, 1.0, 2.0]), *rest)
        found = getattr(cg, name)(cg.tensor([3.0, 1.0, 2.0]), *rest)
        assert repr(found) == repr(wanted)
        assert found.values.tolist() == wanted.values.tolist()
        assert found.indices.tolist() == wanted.indices.tolist()
    extremes = cg.aminmax(cg.tensor([3.0, 1.0]))
    assert (extremes.min.item(), extremes.max.item()) == (1.0, 3.0)


@pytest.mark.parametrize("kind", ["float64", "float32", "int64"])
def test_largest_few(kind: str) -> None:
    for shape in ((5,), (2, 5), (3, 4, 2), ()):
        x = numbers(kind, shape)
        for k in (0, 1, 2, 9):
            for dim in (-1, 0):
                same(call("topk", k, dim), x)
                same(call("topk", k, dim=dim, largest=False), x)
                same(call("kthvalue", k, dim), x)
                same(call("kthvalue", k, dim, True), x)


def test_not_a_number() -> None:
    x = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]])
    for name in ("sum", "mean", "max", "min", "amax", "amin", "prod", "argmax", "argmin", "nansum",
    "nanmean", "any",
                 "all", "median", "count_nonzero", "logsumexp"):  # fmt: skip
        if name != "logsumexp":
            same(call(name), x, grad=False)
        same(call(name, dim=1), x, grad=False)
    same(call("sort", 1), x, grad=False)
    same(call("sort", 1, True), x, grad=False)
    same(call("argsort", 1), x, grad=False)


def test_infinities_in_softmax() -> None:
    for row in (
        [0.0, -np.inf, 1.0],
        [-np.inf, -np.inf],
        [np.inf, 1.0],
        [1000.0, -1000.0],
        [800.0, 801.0],
    ):
        for name in ("softmax", "log_softmax", "logsumexp"):
            same(call(name, 0), np.array(row), grad=False)
    same(call("softmax", 0), np.array([0.0, -np.inf, 1.0]))
    same(call("logsumexp", 0), np.array([0.0, -np.inf, 1.0]))


@pytest.mark.parametrize(
    "row", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, 0.0], [0.0, 2.0, 0.0, 4.0], [0.0]]
)
def test_products_with_zeros(row: list[float]) -> None:
    x = np.array(row)
    same(call("prod"), x)
    same(call("prod", dim=0), x)
    same(call("cumprod", 0), x)


def test_different_elements() -> None:
    x = np.array([[3, 1], [2, 3], [3, 1]])
    for kind in KINDS:
        same(call("unique"), x.astype(kind), grad=False)
    same(call("unique", return_inverse=True), x)
    same(call("unique", return_counts=True), x)
    same(call("unique", True, True, True), x)
    same(call("unique", dim=0), x)
    same(call("unique", return_inverse=True, return_counts=True, dim=0), x)
    same(call("unique"), np.zeros((0,)), grad=False)


def test_counts_by_value() -> None:
    same(call("bincount"), np.array([1, 3, 1, 0]))
    same(call("bincount", minlength=7), np.array([1, 3, 1, 0]))
    same(
        lambda lib, x, w: lib.bincount(x, w),
        np.array([1, 3, 1]),
        np.array([0.5, 2.0, 1.0]),
        grad=False,
    )
    same(call("bincount"), np.array([], np.int64))
    same(call("bincount"), np.array([-1, 2]))
    same(call("bincount"), np.array([1.0, 2.0]), grad=False)
    same(call("bincount"), np.array([[1, 2]]))
    x = numbers("float64", (30,))
    same(call("histc", 5), x, grad=False)
    same(call("histc", bins=4, min=-1, max=2), x, grad=False)


def test_errors_say_what_is_wrong() -> None:
    x = cg.zeros(2, 3)
    with pytest.raises(
        IndexError,
        match=r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)",
    ):
        x.sum(2)
    with pytest.raises(RuntimeError, match=r"mean\(\): could not infer output dtype.*torch\.int64"):
        cg.tensor([1, 2]).mean()
    with pytest.raises(RuntimeError, match="appears multiple times"):
        x.sum((0, 0))
    with pytest.raises(IndexError, match="to have non-zero size"):
        cg.zeros(0, 2).amax(0)


@st.composite
def reductions(draw: st.DrawFn) -> tuple[str, tuple[int, ...], tuple[int, ...], bool]:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
    dims = draw(
        st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=3).map(tuple)
    )
    return (
        draw(st.sampled_from(["sum", "mean", "amax", "var", "logsumexp", "std", "norm"])),
        shape,
        dims,
        draw(st.booleans()),
    )


@settings(max_examples=80, deadline=None)
@given(reductions())
def test_any_shape_and_dimensions(case: tuple[str, tuple[int, ...], tuple[int, ...], bool]) -> None:
    name, shape, dims, keepdim = case
    same(call(name, dim=dims, keepdim=keepdim), numbers("float64", shape))


@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "mean",
        "max",
        "argmax",
        "var",
        "std",
        "any",
        "prod",
        "softmax",
        "cumsum",
        "sort",
        "logsumexp",
    ],
)
def test_numpy_names_of_parameters(name: str) -> None:
    x = numbers("float64", (2, 3))
    same(call(name, axis=1), x)
    same(method(name, axis=0), x)
    if name not in ("softmax", "cumsum", "sort"):
        same(call(name, axis=1, keepdims=True), x)
    same(call(name, axes=1), x)
