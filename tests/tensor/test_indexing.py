"""Indexing by itself: against NumPy and finite differences, in traces, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.core.errors import DimensionError, TraceError
from chalkgrad.executors import numpy as executor

Program = Callable[..., Any]
RNG = np.random.default_rng(3)


@st.composite
def numpy_indices(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Indices that NumPy reads as PyTorch does: no int beside an array."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    arrays = draw(st.booleans())
    items: list[Any] = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        bound = st.none() | st.integers(-n - 1, n + 1)
        choices = [st.builds(slice, bound, bound, st.none() | st.integers(1, 3))]
        if arrays:
            flat = st.lists(st.integers(-n, n - 1), min_size=2, max_size=2)
            choices += [flat.map(np.array), flat.map(lambda k: np.array(k)[:, None])]
            choices += [st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)]
        else:
            choices += [st.integers(-n, n - 1)]
        items.append(draw(st.one_of(choices)))
        if draw(st.integers(0, 4)) == 0:
            items.append(None)
    return shape, tuple(items)


@settings(max_examples=150, deadline=None)
@given(numpy_indices())
def test_numpy_agrees(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, items = case
    array = RNG.normal(size=shape)
    try:
        wanted = array[items]
    except IndexError:  # masks with different counts
        with pytest.raises(IndexError):
            cg.tensor(array)[items]
        return
    np.testing.assert_array_equal(cg.tensor(array)[items].numpy(), wanted)
    x = cg.tensor(array, requires_grad=True)
    out = x[items]
    np.testing.assert_array_equal(out.detach().numpy(), wanted)
    cotangent = RNG.normal(size=wanted.shape)
    if out.numel():
        out.backward(cg.tensor(cotangent))
        gradient = np.zeros(shape)
        np.add.at(gradient, items, cotangent)
        np.testing.assert_allclose(x.grad.numpy(), gradient, atol=1e-12)


ALONG = np.array([[0, 2, 1], [2, 2, 0]])
DIFFERENTIABLE: dict[str, Program] = {
    "take": lambda x, y: x[cg.tensor([1, 1, 0]), cg.tensor([2, 0, 2])] * y[0],
    "around": lambda x, y: x[None].expand(2, 2, 3)[cg.tensor([1, 0]), :, cg.tensor([2, 0])],
    "gather": lambda x, y: x.gather(1, cg.tensor(ALONG)) * y,
    "gather part": lambda x, y: x.gather(1, cg.tensor(ALONG[:1])) * y[:1],
    "take_along_dim": lambda x, y: x.take_along_dim(cg.tensor([[0, 0]]), 1),
    "index_select": lambda x, y: x.index_select(0, cg.tensor([1, 1])) * y,
    "flat take": lambda x, y: x.take(cg.tensor([-1, 0, 5])) * y[1],
    "masked_select": lambda x, y: x.masked_select(cg.tensor([True, False, True])),
    "scatter": lambda x, y: x.scatter(1, cg.tensor(ALONG), y) * x,
    "scatter from a larger": lambda x, y: x.scatter(1, cg.tensor([[1], [2]]), y),
    "scatter number": lambda x, y: x.scatter(0, cg.tensor([[1, 1]]), 4.0) * y,
    "scatter_add": lambda x, y: x.scatter_add(1, cg.tensor(ALONG), y) * x,
    "scatter_add from a larger": lambda x, y: x.scatter_add(0, cg.tensor([[1, 1]]), y),
    "index_add": lambda x, y: x.index_add(0, cg.tensor([1, 1]), y, alpha=-2) * x,
    "index_copy twice": lambda x, y: x.index_copy(0, cg.tensor([1, 1]), y) * x,
    "index_fill": lambda x, y: x.index_fill(1, cg.tensor([0]), 2.0) * y,
    "index_fill tensor": lambda x, y: x.index_fill(1, cg.tensor([0]), y[0, 0]),
    "index_put": lambda x, y: x.index_put((cg.tensor([1, 0]), cg.tensor([2, 2])), y[0, :2]),
    "index_put added": lambda x, y: x.index_put((cg.tensor([1, 1]),), y, accumulate=True) * x,
    "masked_scatter": lambda x, y: x.masked_scatter(cg.tensor([False, True, True]), y) * x,
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_finite_differences(name: str) -> None:
    program, step = DIFFERENTIABLE[name], 1e-4
    arrays = [RNG.normal(size=(2, 3)) for _ in range(2)]
    tensors = [cg.tensor(a, requires_grad=True) for a in arrays]
    out = program(*tensors)
    cotangent = RNG.normal(size=out.shape)
    out.backward(cg.tensor(cotangent))

    def value(moved: list[np.ndarray[Any, Any]]) -> float:
        return float((program(*map(cg.tensor, moved)).numpy() * cotangent).sum())

    for k, tensor in enumerate(tensors):
        found = np.zeros((2, 3)) if tensor.grad is None else tensor.grad.numpy()
        for place in np.ndindex(2, 3):
            up, down = [a.copy() for a in arrays], [a.copy() for a in arrays]
            up[k][place] += step
            down[k][place] -= step
            slope = (value(up) - value(down)) / (2 * step)
            assert found[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_the_last_of_equal_places_stays() -> None:
    x, source = cg.zeros(3), cg.tensor([1.0, 2.0, 3.0, 4.0])
    index = cg.tensor([2, 0, 2, 0])
    assert x.scatter(0, index, source).tolist() == [4, 0, 3]
    assert x.index_copy(0, index, source).tolist() == [4, 0, 3]
    infinite = cg.tensor([np.inf, 2.0, np.nan, 4.0])
    assert x.scatter(0, cg.tensor([2, 0, 1, 1]), infinite).tolist() == [2, 4, np.inf]


def run(program: Program, *tensors: Any) -> list[np.ndarray[Any, Any]]:
    """The results of a traced program."""
    return list(executor.run(cg.trace(program, *tensors), *(t.numpy() for t in tensors)))


TRACED: dict[str, Program] = {
    "tensor": lambda x, i: x[i],
    "tensor of the second": lambda x, i: x[:, i],
    "two": lambda x, i: x[i, i + 1],
    "tensor and list": lambda x, i: x[i, [0, 2]],
    "around": lambda x, i: x[None, i].permute(2, 0, 1)[i, :, i],
    "number": lambda x, i: x[i[0]],
    "number second": lambda x, i: x[:, i[1]],
    "basic": lambda x, i: x[1, None, ::2],
    "select": lambda x, i: x.index_select(0, i),
    "flat": lambda x, i: x.take(i),
    "gather": lambda x, i: x.gather(0, i[:, None]),
    "scatter": lambda x, i: x.scatter(1, i[:, None] * 1, 3.0),
    "scatter source": lambda x, i: x.scatter(0, i[None] * 0, x),
    "index_put": lambda x, i: x.index_put((i, i), x[0, :2]),
    "index_add": lambda x, i: x.index_add(0, i, x),
    "masked_scatter": lambda x, i: x.masked_scatter(x > 2, x * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", TRACED)
def test_traced_indices_have_no_numbers(name: str) -> None:
    x, i = cg.arange(6.0).reshape(2, 3), cg.tensor([1, 0])
    (found,) = run(lambda x, i: TRACED[name](x, i) * 1, x, i)
    np.testing.assert_array_equal(found, TRACED[name](x, i).numpy())


def test_a_traced_index_counts_from_the_end() -> None:
    x, i = cg.arange(6.0).reshape(2, 3), cg.tensor([-1, 0])
    (found,) = run(lambda x, i: x[i, i], x, i)
    assert found.tolist() == [5, 0]


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.masked_select(x > 0),
        lambda x: x.repeat_interleave(x.long()),
        lambda x: cg.bucketize(x, x),
    ],
)
def test_a_trace_refuses_what_needs_numbers(program: Program) -> None:
    with pytest.raises(TraceError, match="needs the numbers"):
        cg.trace(program, cg.ones(3))


def test_a_trace_refuses_assignment() -> None:
    def program(x: Any) -> Any:
        x[0] = 1
        return x

    with pytest.raises(TraceError, match=r"torch\.where"):
        cg.trace(program, cg.ones(3))


def test_in_place_changes_in_a_trace_reach_the_views() -> None:
    def program(x: Any) -> Any:
        y = x * 2
        row, flat = y[0], y.view(-1)
        y.t()[1].add_(10)
        return row, flat, y

    x = cg.arange(6.0).reshape(2, 3)
    for found, wanted in zip(run(program, x), program(x), strict=True):
        np.testing.assert_array_equal(found, wanted.numpy())


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (5, "index 5 is out of bounds for dimension 0 with size 3"),
        ((0, -5), "index -5 is out of bounds for dimension 1 with size 4"),
        ((0, 0, 0), "too many indices for tensor of dimension 2"),
        ([0, 7], "index 7 is out of bounds for dimension 0 with size 3"),
        ((slice(None), [0, 7]), "index 7 is out of bounds for dimension 1 with size 4"),
        ([True], r"mask \[1\] at index 0 does not match .* \[3, 4\]"),
        ([[0, 1], [1, 0]], r"x\[tuple\(…\)\]"),
        (1.5, "got float"),
        ("a", "got str"),
        (([0, 1], [0, 1, 2]), r"could not be broadcast together with shapes \[2\], \[3\]"),
        ([[0, 1], [2]], "only ints or bools"),
        (([[0, 1], [2]],), "not a table of ints"),
    ],
)
def test_message(index: Any, message: str) -> None:
    with pytest.raises(DimensionError, match=message):
        cg.zeros(3, 4)[index]
    with pytest.raises(DimensionError, match=message):
        cg.zeros(3, 4, requires_grad=True)[index]


def test_numpy_numbers_are_indices() -> None:
    x = cg.arange(4)
    assert x[np.int32(2)].item() == x[np.array(2)].item() == 2
    assert x[np.bool_(True)].shape == (1, 4)


def test_searching_rows() -> None:
    rows = np.sort(RNG.normal(size=(2, 3, 5)), axis=-1)
    sought = RNG.normal(size=(2, 3, 4))
    found = cg.searchsorted(cg.tensor(rows), cg.tensor(sought), right=True).numpy()
    for k in np.ndindex(2, 3):
        assert found[k].tolist() == np.searchsorted(rows[k], sought[k], "right").tolist()
