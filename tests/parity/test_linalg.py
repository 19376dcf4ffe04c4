"""Matrix products, einsum and the parts of matrices against PyTorch."""

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

KINDS = ("float64", "float32", "int64")


def numbers(*shape: int, kind: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, len(shape), *shape])
    return (
        rng.integers(-3, 4, shape).astype(kind)
        if kind.startswith("int")
        else rng.normal(size=shape).astype(kind)
    )


RANKS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)),
    ((7, 1, 2, 3), (5, 3, 4)), ((2, 3, 2, 3), (2, 1, 3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
    ((0,), (0,)),
    ((0, 2, 3), (3, 4)), ((2, 3), (3, 0)), ((1,), (1,)), ((), (3,)), ((3,), ()), ((2, 3), (2, 3)),
    ((3,), (4,)), ((2, 3, 4), (3, 4, 5)), ((2, 3, 4), (3,)),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shapes", RANKS, ids=str)
def test_matmul(shapes: tuple[tuple[int, ...], tuple[int, ...]], kind: str) -> None:
    x, y = numbers(*shapes[0], kind=kind), numbers(*shapes[1], kind=kind, seed=1)
    same(lambda lib, a, b: a @ b, x, y)
    same(lambda lib, a, b: lib.matmul(a, b), x, y)
    same(lambda lib, a, b: lib.matmul(input=a, other=b), x, y)
    if () in shapes:
        return  # PyTorch's error classes differ from one to the next
    for name in ("mm", "bmm", "mv", "dot", "vdot", "inner", "outer", "ger"):
        same(lambda lib, a, b, name=name: getattr(lib, name)(a, b), x, y)
        same(lambda lib, a, b, name=name: getattr(a, name)(b), x, y)


def test_types_of_a_product_must_agree() -> None:
    same(lambda lib, a, b: a @ b, numbers(2, 3), numbers(3, 2, kind="float32"))
    same(lambda lib, a, b: a @ b, numbers(2, 3), numbers(3, 2, kind="int64"))
    same(lambda lib, a: a @ 2, numbers(2, 3))
    same(lambda lib, a: 2 @ a, numbers(2, 3))
    with pytest.raises(RuntimeError, match="the first has 3 columns, the second 2 rows"):
        cg.ones(2, 3) @ cg.ones(2, 3)


EQUATIONS: list[tuple[str, tuple[tuple[int, ...], ...]]] = [
    ("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("i,i->", ((3,), (3,))),
    ("i,j", ((3,), (2,))),
    ("ij->ji", ((2, 3),)), ("ij->", ((2, 3),)), ("ij->i", ((2, 3),)), ("ji", ((2, 3),)),
    ("ii", ((3, 3),)),
    ("ii->i", ((3, 3),)), ("iij->j", ((3, 3, 2),)), ("iii->i", ((2, 2, 2),)),
    ("bij,bjk->bik", ((5, 2, 3), (5, 3, 4))),
    ("...ij,...jk->...ik", ((5, 2, 3), (5, 3, 4))),
    ("...ij,...jk->...ik", ((7, 1, 2, 3), (5, 3, 4))),
    ("...i,i", ((2, 3), (3,))), ("i...->...", ((3, 2, 4),)), ("...", ((2, 3),)),
    ("...ij->...ji", ((2, 3),)),
    ("b n h w, n d -> b d h w", ((2, 3, 2, 2), (3, 4))),
    ("ij,ik,il->jkl", ((2, 3), (2, 4), (2, 2))),
    ("i,ij,j->", ((2,), (2, 3), (3,))), ("ij,kj->ik", ((1, 3), (2, 1))),
    ("ij,ij->ij", ((2, 3), (2, 1))),
    ("bhqd,bhkd->bhqk", ((2, 2, 3, 4), (2, 2, 5, 4))), ("aB,Bc->ac", ((2, 3), (3, 2))),
    ("ij,jk->", ((0, 3), (3, 2))),
    ("->", ((),)), (",->", ((), ())), ("i,->i", ((3,), ())), ("ii,ij->ij", ((3, 3), (3, 2))),
    ("ij,jk->ij", ((2, 3), (3, 4))), ("i,j->ij", ((1,), (1,))),
    ("...a,...a->...", ((4, 2, 3), (3,))),
    # refused
    ("ij,jk->ik", ((2, 3), (4, 4))), ("ij->ik", ((2, 3),)), ("ij->ii", ((2, 2),)),
    ("ij", ((2, 3, 4),)),
    ("ij,jk->ik", ((2, 3),)), ("i1->i", ((2, 3),)), ("ijk->ijk", ((2, 3),)), ("ii->i", ((2, 3),)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda c: f"{c[0]} of {c[1]}")
def test_einsum(case: tuple[str, tuple[tuple[int, ...], ...]]) -> None:
    equation, shapes = case
    arrays = [numbers(*shape, seed=k) for k, shape in enumerate(shapes)]
    same(lambda lib, *operands: lib.einsum(equation, *operands), *arrays)
    same(lambda lib, *operands: lib.einsum(equation, list(operands)), *arrays)


@pytest.mark.parametrize(
    "dims", [0, 1, 2, 3, ([1], [0]), ([1, 2], [0, 1]), ([-1, 1], [1, 0]), ([0], [1]), ([0, 1], [0])]
)
def test_tensordot(dims: Any) -> None:
    for shapes in (((2, 3, 4), (3, 4, 5)), ((2, 3, 3), (3, 2, 3)), ((3, 3), (3, 3))):
        x, y = numbers(*shapes[0]), numbers(*shapes[1], seed=1)
        same(lambda lib, a, b: lib.tensordot(a, b, dims=dims), x, y)


ADDED: list[tuple[str, tuple[tuple[int, ...], ...]]] = [
    ("addmm", ((2, 4), (2, 3), (3, 4))), ("addmm", ((4,), (2, 3), (3, 4))),
    ("addmm", ((), (2, 3), (3, 4))),
    ("addmm", ((3, 4), (2, 3), (3, 4))), ("addmv", ((2,), (2, 3), (3,))),
    ("addr", ((2, 3), (2,), (3,))),
    ("baddbmm", ((5, 2, 4), (5, 2, 3), (5, 3, 4))), ("baddbmm", ((4,), (5, 2, 3), (5, 3, 4))),
    ("addbmm", ((2, 4), (5, 2, 3), (5, 3, 4))),
]  # fmt: skip


@pytest.mark.parametrize("case", ADDED, ids=str)
def test_sums_with_products(case: tuple[str, tuple[tuple[int, ...], ...]]) -> None:
    name, shapes = case
    arrays = [numbers(*shape, seed=k) for k, shape in enumerate(shapes)]
    for options in ({}, {"beta": 0.5}, {"alpha": 2.0, "beta": 3}, {"beta": 0}):
        same(lambda lib, *operands, o=options: getattr(lib, name)(*operands, **o), *arrays)
        same(lambda lib, first, *operands, o=options: getattr(first, name)(*operands, **o), *arrays)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "shape", [(3, 3), (2, 4), (4, 2), (5, 3, 2), (0, 3), (1, 1), (2, 2, 3, 3), (3,), ()]
)
def test_parts_of_matrices(shape: tuple[int, ...], kind: str) -> None:
    x = numbers(*shape, kind=kind)
    same(lambda lib, a: lib.trace(a), x)
    for k in (-2, -1, 0, 1, 2):
        for name in ("tril", "triu", "diag", "diagonal"):
            if name in ("diagonal", "diag") and not -4 < k < 4:
                continue
            same(lambda lib, a, name=name, k=k: getattr(lib, name)(a, k), x)
            same(lambda lib, a, name=name, k=k: getattr(a, name)(k), x)
        same(lambda lib, a, k=k: lib.diag_embed(a, k), x)
    same(lambda lib, a: lib.diagonal(a, 1, -2, -1), x)
    same(lambda lib, a: lib.diagonal(a, dim1=0, dim2=-1), x)


def test_bools_have_parts_too() -> None:
    x = np.array([[True, True], [True, False]])
    for name in ("tril", "triu", "diag"):
        same(lambda lib, a, name=name: getattr(lib, name)(a), x)


def test_kron_and_cross() -> None:
    for shapes in (((2, 3), (4, 2)), ((3,), (2, 2)), ((2, 1, 2), (2, 2)), ((), (3,))):
        same(lambda lib, a, b: lib.kron(a, b), numbers(*shapes[0]), numbers(*shapes[1], seed=1))
    same(lambda lib, a, b: lib.cross(a, b, dim=-1), numbers(4, 3), numbers(4, 3, seed=1))
    same(lambda lib, a, b: lib.cross(a, b, dim=0), numbers(3, 4), numbers(3, 1, seed=1))
    same(lambda lib, a, b: lib.cross(a, b, dim=1), numbers(3, 4), numbers(3, 4, seed=1))


def test_second_derivatives_of_products() -> None:
    x, w = numbers(2, 3), numbers(3, 2, seed=1)
    for call in (
        lambda lib, a, b: (a @ b).square().sum(),
        lambda lib, a, b: lib.einsum("ij,jk->", a * a, b).square(),
    ):
        results = []
        for lib in (torch, cg):
            a = lib.tensor(x, requires_grad=True)
            b = lib.tensor(w, requires_grad=True)
            (first,) = lib.autograd.grad(call(lib, a, b), [a], create_graph=True)
            second = lib.autograd.grad(first.square().sum(), [a, b])
            results.append([gradient.numpy() for gradient in second])
        for wanted, found in zip(*results, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-10)


@st.composite
def products(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    n, k, m = (draw(st.integers(0, 4)) for _ in range(3))
    batch = draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))

    def thin(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(
            s if draw(st.booleans()) else 1 for s in shape[draw(st.integers(0, len(shape))) :]
        )

    return (*thin(batch), n, k), (*thin(batch), k, m)


@settings(max_examples=60, deadline=None)
@given(products())
def test_any_batches(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    same(lambda lib, a, b: a @ b, numbers(*shapes[0]), numbers(*shapes[1], seed=1))
