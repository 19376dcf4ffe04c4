"""Making tensors: values, dtypes, shapes, errors, as PyTorch makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity

KINDS = ("float64", "float32", "int64", "int32", "bool")
DATA: list[Any] = [
    1, 2.5, True, [1, 2], [1, 2.5], [True, False], [True, 2], [True, 2.5], [[1, 2], [3, 4]], [],
    [[]], [[], []], (1, 2),
    [(1, 2), [3, 4]], ((1.0,), (2.0,)), range(4), [range(2), range(2)], float("nan"),
    [float("inf"), -1],
    np.float64(2.5), np.int64(3), np.float32(1.5), np.bool_(True), [np.float64(1.5), 2],
    [np.int64(1), 2], 2**40,
    np.array([1.0, 2.0]), np.array([1, 2]), np.array([1, 2], np.int32), np.array([True]),
    np.array(2.5),
    np.array([[1.0, 2.0]], np.float32)[:, ::-1].copy(), [np.array([1, 2]), np.array([3, 4])],
    # refused
    [[1, 2], [3]], [1, [2]], [[1], 2], "a", ["a"], None, [None], {"a": 1}, [[1, 2], [3, "a"]],
]  # fmt: skip


def test_numbers_that_are_too_large() -> None:
    same(lambda lib: lib.tensor(2**63))
    same(lambda lib: lib.tensor([2**70]))
    same(lambda lib: lib.tensor([2**40], dtype=lib.int32))


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="no complex tensors"):
        cg.tensor(1j)


@pytest.mark.parametrize("data", DATA, ids=lambda d: f"{type(d).__name__} {d}")
def test_from_data(data: Any) -> None:
    same(lambda lib: lib.tensor(data))
    same(lambda lib: lib.as_tensor(data))
    for kind in KINDS:
        unlike = isinstance(data, np.float32 | np.bool_)  # which PyTorch refuses to convert
        if "nan" not in str(data) and "inf" not in str(data) and not unlike:
            same(lambda lib, kind=kind: lib.tensor(data, dtype=getattr(lib, kind)))


def test_from_tensors() -> None:
    same(lambda lib, x: lib.tensor([x[0], x[1]]), np.array([1.5, 2.5], np.float32), grad=False)
    same(lambda lib, x: lib.tensor([x.sum().item(), 2]), np.array([1, 2]), grad=False)
    same(lambda lib, x: lib.as_tensor(x), np.array([1.0, 2.0]))
    same(lambda lib, x: lib.as_tensor(x, dtype=lib.int64), np.array([1.0, 2.5]), grad=False)
    same(lambda lib, x: lib.asarray(x, copy=True), np.array([1.0, 2.0]), grad=False)


def test_from_data_that_needs_a_gradient() -> None:
    same(lambda lib: lib.tensor([1.0, 2.0], requires_grad=True).requires_grad)
    same(lambda lib: lib.tensor([1, 2], requires_grad=True))
    same(lambda lib: lib.zeros(2, requires_grad=True).is_leaf)
    same(lambda lib: lib.arange(3, requires_grad=True))


def test_a_ragged_list_is_named() -> None:
    with pytest.raises(ValueError, match=r"expected sequence of length 2 at dim 1 \(got 1\)"):
        cg.tensor([[1, 2], [3]])


def test_memory_is_copied_or_shared_as_asked() -> None:
    array = np.array([1.0, 2.0])
    copied, shared, taken, exchanged = (
        f(array) for f in (cg.tensor, cg.from_numpy, cg.as_tensor, cg.from_dlpack)
    )
    array[0] = 5
    assert [t[0].item() for t in (copied, shared, taken, exchanged)] == [1.0, 5.0, 5.0, 5.0]
    assert cg.from_dlpack(torch.ones(2, dtype=torch.float64)).tolist() == [1.0, 1.0]
    assert torch.from_dlpack(cg.ones(2)).tolist() == [1.0, 1.0]


def test_arrays_of_other_types_are_refused() -> None:
    for lib_call in ("from_numpy", "tensor", "as_tensor"):
        same(lambda lib, f=lib_call: getattr(lib, f)(np.array(["a"])))
    same(lambda lib: lib.from_numpy([1.0]))
    with pytest.raises(TypeError, match="float16"):
        cg.tensor(np.array([1.0], np.float16))


SIZED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}), ((3,), {}), ((2, 3), {}), (((2, 3),), {}), (([2, 3],), {}), ((0,), {}), ((2, 0), {}),
    ((-1,), {}),
    ((2.5,), {}), (((),), {}), ((), {"size": (2, 2)}), ((2, "a"), {}), ((np.int64(2),), {}),
    ((2,), {"device": "cpu"}),
    ((2,), {"requires_grad": True}),
]  # fmt: skip


@pytest.mark.parametrize("case", SIZED, ids=str)
@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_of_a_shape(name: str, case: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    args, options = case
    if not args and not options:
        return  # PyTorch wants a size
    same(lambda lib: getattr(lib, name)(*args, **options))
    for kind in KINDS:
        same(lambda lib, kind=kind: getattr(lib, name)(2, 3, dtype=getattr(lib, kind)))
    same(lambda lib: lib.empty(2, 3).shape == (2, 3))


@pytest.mark.parametrize("value", [0, 7, 2.5, True, float("inf"), -1])
def test_full(value: Any) -> None:
    same(lambda lib: lib.full((2, 3), value))
    same(lambda lib: lib.full((), value))
    same(lambda lib: lib.full((2,), value, dtype=lib.float64))
    same(lambda lib, x: lib.full_like(x, 3), np.array([1.5, 2.5]), grad=False)
    same(lambda lib, x: lib.full_like(x, 3.5), np.array([1, 2]), grad=False)
    same(lambda lib, x: lib.full_like(x, 3.5, dtype=lib.float32), np.array([1, 2]), grad=False)


@pytest.mark.parametrize("kind", KINDS)
def test_like_another(kind: str) -> None:
    x = np.ones((2, 3)).astype(kind)
    for name in ("zeros_like", "ones_like"):
        same(lambda lib, a, name=name: getattr(lib, name)(a), x, grad=False)
        same(lambda lib, a, name=name: getattr(lib, name)(a, dtype=lib.float64), x, grad=False)
        same(lambda lib, a, name=name: getattr(lib, name)(input=a), x, grad=False)
    same(lambda lib, a: lib.empty_like(a).shape == (2, 3), x, grad=False)
    for name in ("new_zeros", "new_ones"):
        same(lambda lib, a, name=name: getattr(a, name)(2, 2), x, grad=False)
        same(lambda lib, a, name=name: getattr(a, name)((3,), dtype=lib.int64), x, grad=False)
    same(lambda lib, a: a.new_full((2,), 3), x, grad=False)
    same(lambda lib, a: a.new_tensor([1, 2]), x, grad=False)
    same(lambda lib, a: a.new_empty((2,)).shape == (2,), x, grad=False)
    same(lambda lib: lib.zeros_like(2.0))


RANGES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("arange", (5,), {}), ("arange", (2, 7), {}), ("arange", (0, 10, 3), {}),
    ("arange", (5.0,), {}),
    ("arange", (0, 1, 0.1), {}), ("arange", (10, 0, -2), {}), ("arange", (0,), {}),
    ("arange", (3, 3), {}),
    ("arange", (1, 2.5), {}), ("arange", (0, 1, 0), {}), ("arange", (5, 0), {}),
    ("arange", (-3,), {}),
    ("arange", (), {"start": 1, "end": 6, "step": 2}), ("arange", (), {"end": 4}),
    ("arange", (0, 1, 1 / 3), {}),
    ("linspace", (0, 1, 5), {}), ("linspace", (1, -1, 4), {}), ("linspace", (0, 1, 1), {}),
    ("linspace", (0, 1, 0), {}),
    ("linspace", (), {"start": 0, "end": 3, "steps": 7}), ("linspace", (0, 1, -1), {}),
    ("linspace", (0, 10, 4), {}),
    ("logspace", (0, 2, 5), {}), ("logspace", (-1, 1, 3), {"base": 2}),
    ("logspace", (0, 3, 4, 2.0), {}),
    ("eye", (3,), {}), ("eye", (2, 4), {}), ("eye", (0,), {}), ("eye", (-1,), {}),
    ("eye", (3, 1), {}),
    ("tril_indices", (3, 4), {}), ("triu_indices", (3, 3, 1), {}),
    ("tril_indices", (4, 2), {"offset": -1}),
    ("scalar_tensor", (2,), {}), ("scalar_tensor", (2.5,), {}),
]  # fmt: skip


@pytest.mark.parametrize("case", RANGES, ids=str)
def test_ranges(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    name, args, options = case
    same(lambda lib: getattr(lib, name)(*args, **options))
    for kind in ("float64", "int64", "float32", "int32"):
        if not (kind.startswith("int") and "space" in name) and not (args[2:] and 0 < args[2] < 1):
            same(
                lambda lib, kind=kind: getattr(lib, name)(
                    *args, dtype=getattr(lib, kind), **options
                )
            )


def test_grids() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    for indexing in ("ij", "xy", "no"):
        same(lambda lib, a, b, i=indexing: lib.meshgrid(a, b, indexing=i), x, y)
        same(lambda lib, a, b, i=indexing: lib.meshgrid([a, b], indexing=i), x, y)
    same(lambda lib, a, b, c: lib.meshgrid(a, b, c, indexing="xy"), x, y, np.array(7.0))
    same(lambda lib, a: lib.meshgrid(a, indexing="ij"), np.ones((2, 2)))


@pytest.fixture
def double() -> Iterator[None]:
    for lib in (torch, cg):
        lib.set_default_dtype(lib.float64)
    yield
    for lib in (torch, cg):
        lib.set_default_dtype(lib.float32)


@pytest.mark.usefixtures("double")
def test_the_default_type() -> None:
    same(lambda lib: str(lib.get_default_dtype()))
    for call in (lambda lib: lib.tensor(1.5), lambda lib: lib.zeros(2),
    lambda lib: lib.tensor([1, 2]) / 2,
                 lambda lib: lib.tensor([1, 2]).exp(), lambda lib: lib.arange(2.0),
                 lambda lib: lib.tensor([1]) + 0.5,
                 lambda lib: lib.full((2,), 1.5), lambda lib: lib.linspace(0, 1, 3),
                 lambda lib: lib.tensor([])):  # fmt: skip
        same(call)


@pytest.mark.parametrize("kind", [float, int, bool])
def test_python_types_name_dtypes(kind: type) -> None:
    same(lambda lib: lib.zeros(2, dtype=kind))
    same(lambda lib: lib.tensor([1, 2], dtype=kind))


def test_the_default_type_is_real() -> None:
    same(lambda lib: lib.set_default_dtype(lib.int64))


def test_other_devices_are_refused() -> None:
    for call in (lambda: cg.zeros(2, device="cuda"), lambda: cg.tensor([1.0], device="cuda:0"),
                 lambda: cg.ones(2).to("cuda"), lambda: cg.arange(3, device="mps")):  # fmt: skip
        with pytest.raises(NotImplementedError, match="computes on the CPU"):
            call()


def test_questions() -> None:
    assert cg.is_tensor(cg.ones(1))
    assert not cg.is_tensor([1.0])
    same(lambda lib, x: lib.numel(x), np.ones((2, 3)))
    same(lambda lib, x: lib.is_floating_point(x), np.ones((2, 3), np.int64))
