"""Random functions against PyTorch: shapes, types, ranges and errors. (The numbers are our own.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity


def outline(x: Any) -> tuple[Any, ...]:
    return tuple(x.shape), str(x.dtype), x.requires_grad, x.is_leaf


SIZED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((3,), {}), ((2, 3), {}), (((2, 3),), {}), (([2],), {}), ((0,), {}), ((), {"size": (2, 2)}),
    ((-1,), {}),
    ((2,), {"requires_grad": True}), ((2.5,), {}), ((2,), {"device": "cpu"}),
]  # fmt: skip


@pytest.mark.parametrize("case", SIZED, ids=str)
@pytest.mark.parametrize("name", ["rand", "randn"])
def test_of_a_shape(name: str, case: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    args, options = case
    same(lambda lib: outline(getattr(lib, name)(*args, **options)))
    for kind in ("float32", "float64", "int64", "bool"):
        same(lambda lib, kind=kind: outline(getattr(lib, name)(2, dtype=getattr(lib, kind))))
    same(lambda lib, x: outline(getattr(lib, name + "_like")(x)), np.ones((2, 3)), grad=False)
    same(lambda lib, x: outline(getattr(lib, name + "_like")(x)), np.ones(2, np.int64), grad=False)
    same(
        lambda lib, x: outline(getattr(lib, name + "_like")(x, dtype=lib.float32)),
        np.ones((2, 3)),
        grad=False,
    )


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("randint", (5, (3,)), {}), ("randint", (2, 5, (3, 2)), {}), ("randint", (5,), {"size": (3,)}),
    ("randint", (0, 5), {"size": (3,)}), ("randint", (), {"low": 1, "high": 4, "size": (2,)}),
    ("randint", (5, 5, (2,)), {}),
    ("randint", (-3, 0, (2,)), {}), ("randint", (0, (2,)), {}), ("randint", (5,), {}),
    ("randperm", (5,), {}), ("randperm", (0,), {}),
    ("randperm", (1,), {}), ("randperm", (-1,), {}), ("normal", (0.0, 1.0, (3,)), {}),
    ("normal", (0.0, -1.0, (3,)), {}),
    ("normal", (2, 3, (2, 2)), {}), ("normal", (0.0, 1.0), {"size": (2,)}),
]  # fmt: skip


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_calls(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    name, args, options = case
    same(lambda lib: outline(getattr(lib, name)(*args, **options)))
    if name == "randint":
        same(lambda lib: outline(lib.randint(*args, dtype=lib.float32, **options)))
    same(lambda lib: sorted(lib.randperm(9).tolist()))
    same(lambda lib: outline(lib.randperm(4, dtype=lib.int32)))


def test_with_tensors() -> None:
    x, y = np.full((2, 3), 0.5), np.full((3,), 2.0)
    same(lambda lib, a, b: outline(lib.normal(a, b)), x, y, grad=False)
    same(lambda lib, a: outline(lib.normal(a, 2.0)), x, grad=False)
    same(lambda lib, a: outline(lib.normal(1.0, a)), x, grad=False)
    same(lambda lib, a: outline(lib.normal(a)), x, grad=False)
    same(lambda lib, a: outline(lib.bernoulli(a)), x, grad=False)
    same(lambda lib, a: outline(a.bernoulli(0.3)), x, grad=False)
    same(lambda lib, a: outline(lib.bernoulli(a)), x + 1, grad=False)
    same(lambda lib, a: outline(lib.bernoulli(a)), np.ones(2, np.int64))
    same(lambda lib, a: outline(lib.randint_like(a, 5)), x, grad=False)
    same(lambda lib, a: outline(lib.randint_like(a, 2, 5)), np.ones(2, np.int64))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial(count: int, replacement: bool) -> None:
    for weights in (
        [0.5, 0.2, 0.3],
        [[1.0, 2.0, 3.0]] * 2,
        [0.0, 0.0, 0.0],
        [-1.0, 1.0, 1.0],
        [np.nan, 1.0, 1.0],
        [[[1.0]]],
    ):
        same(
            lambda lib, w: outline(lib.multinomial(w, count, replacement)),
            np.array(weights),
            grad=False,
        )
    same(lambda lib, w: outline(lib.multinomial(w, count)), np.array([1, 2]))


IN_PLACE: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("uniform_", (), {}), ("uniform_", (-1, 2), {}), ("uniform_", (2, 1), {}),
    ("uniform_", (), {"from": 1, "to": 3}),
    ("normal_", (), {}), ("normal_", (1, 2), {}), ("normal_", (), {"mean": 1, "std": -1}),
    ("exponential_", (), {}),
    ("exponential_", (2.0,), {}), ("exponential_", (-1.0,), {}), ("bernoulli_", (), {}),
    ("bernoulli_", (0.2,), {}),
    ("bernoulli_", (1.5,), {}), ("random_", (), {}), ("random_", (5,), {}),
    ("random_", (2, 5), {}), ("random_", (5, 2), {}),
]  # fmt: skip


@pytest.mark.parametrize("case", IN_PLACE, ids=str)
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "bool"])
def test_in_place(case: tuple[str, tuple[Any, ...], dict[str, Any]], kind: str) -> None:
    name, args, options = case
    if name == "random_" and args and kind == "bool":
        return  # PyTorch warns about bounds beyond the type
    same(
        lambda lib, x: outline(getattr(x, name)(*args, **options)),
        np.ones((2, 3)).astype(kind),
        grad=False,
    )
    same(lambda lib, x: outline(getattr(x, name)(*args, **options)), np.ones((2, 3)), grad=True)


def test_generators() -> None:
    for lib in (torch, cg):
        generator = lib.Generator()
        assert generator.manual_seed(5) is generator
        assert generator.initial_seed() == 5
        first = lib.rand(3, generator=generator)
        state = generator.get_state()
        second = lib.rand(3, generator=generator)
        generator.set_state(state)
        assert lib.equal(lib.rand(3, generator=generator), second)
        assert not lib.equal(first, second)
        assert isinstance(lib.manual_seed(3), lib.Generator)
        assert lib.initial_seed() == 3
        kept = lib.get_rng_state()
        drawn = lib.randn(2)
        lib.set_rng_state(kept)
        assert lib.equal(drawn, lib.randn(2))
        assert isinstance(generator.seed(), int)
        assert str(generator.device) == "cpu"
    same(lambda lib: lib.Generator().initial_seed())
    same(lambda lib: lib.manual_seed(2**64))
    same(lambda lib: lib.Generator().manual_seed("a"))
