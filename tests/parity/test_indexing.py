"""Indexing, gathering and scattering against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from tests.parity.agreement import assert_agree, assert_both_raise, assert_same, normal, pair

pytestmark = pytest.mark.parity

READS = {
    "int": lambda t, x: x[1],
    "negative": lambda t, x: x[-1],
    "ints": lambda t, x: x[0, 2],
    "NumPy int": lambda t, x: x[np.int64(1)],
    "0-d tensor": lambda t, x: x[t.tensor(1)],
    "slice": lambda t, x: x[:1],
    "slice with step": lambda t, x: x[:, ::2],
    "slice past the end": lambda t, x: x[1:10, -9:2],
    "slice of nothing": lambda t, x: x[1:1],
    "slice backwards": lambda t, x: x[:, 2:1],
    "slice by tensor": lambda t, x: x[t.tensor(1) :],
    "everything": lambda t, x: [x[...], x[()], x[:], x[:, :]],
    "None": lambda t, x: [x[None], x[:, None], x[..., None], x[None, 0, None]],
    "ellipsis": lambda t, x: [x[..., 0], x[0, ...], x[0, ..., 1], x[0, 1, ...]],
    "True": lambda t, x: [x[True], x[False], x[None, True], x[t.tensor(True)], x[True, 0]],
    "list": lambda t, x: x[[0, 1, 0]],
    "list of bools": lambda t, x: x[[True, False]],
    "empty list": lambda t, x: x[[]],
    "lists": lambda t, x: x[[0, 1], [1, 2]],
    "range": lambda t, x: x[range(2)],
    "array": lambda t, x: x[np.array([1, 0])],
    "tensor": lambda t, x: x[t.tensor([1, 1])],
    "int32 tensor": lambda t, x: x[t.tensor([1, 1], dtype=t.int32)],
    "negative tensor": lambda t, x: x[t.tensor([-1, 0]), t.tensor([-3, 2])],
    "matrix of indices": lambda t, x: x[t.tensor([[1, 0], [0, 0], [1, 1]])],
    "broadcast": lambda t, x: x[t.tensor([[0], [1]]), t.tensor([0, 2])],
    "slice and tensor": lambda t, x: x[:, t.tensor([0, 2, 2])],
    "tensor and slice": lambda t, x: x[t.tensor([1, 0, 1]), :2],
    "int and tensor": lambda t, x: x[0, t.tensor([2, 0])],
    "None and tensor": lambda t, x: [x[:, None, t.tensor([0, 2])], x[t.tensor([0]), None]],
    "tensors around None": lambda t, x: x[t.tensor([0, 1]), None, t.tensor([0, 2])],
    "mask": lambda t, x: x[x > 0],
    "row mask": lambda t, x: x[t.tensor([False, True])],
    "column mask": lambda t, x: x[:, t.tensor([True, False, True])],
    "mask and int": lambda t, x: x[t.tensor([True, False]), 1],
    "mask and tensor": lambda t, x: x[t.tensor([True, True]), t.tensor([2, 0])],
    "no True": lambda t, x: x[x > 100],
    "empty tensor": lambda t, x: x[t.tensor([], dtype=t.int64)],
    "0-d": lambda t, x: [x[0, 0][...], x[0, 0][None], x[0, 0][()], x[0, 0][True]],
    "chain": lambda t, x: x[1][2],
    "unpacked": lambda t, x: [*x],
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.bool_])
def test_read(name: str, kind: type) -> None:
    if kind is np.bool_ and "mask" in name:
        return
    assert_agree(READS[name], normal(2, 3).astype(kind))


def test_several_index_tensors_at_their_places() -> None:
    i, j = [[0], [1]], [0, 2, 1]
    tensors = lambda t: (t.tensor(i), t.tensor(j))  # noqa: E731
    cube = normal(2, 3, 4, 5)
    assert_agree(lambda t, x: x[tensors(t)], cube)
    assert_agree(lambda t, x: x[(slice(None), *tensors(t))], cube)
    assert_agree(lambda t, x: x[(..., *tensors(t))], cube)
    assert_agree(lambda t, x: x[tensors(t)[0], :, tensors(t)[1]], cube)
    assert_agree(lambda t, x: x[:, tensors(t)[0], :, tensors(t)[1]], cube)
    assert_agree(lambda t, x: x[0, :, tensors(t)[1]], cube)
    assert_agree(lambda t, x: x[:, tensors(t)[0], 1, tensors(t)[1]], cube)
    assert_agree(lambda t, x: x[tensors(t)[0], None, ..., tensors(t)[1]], cube)


def index_items(extent: int) -> st.SearchStrategy[Any]:
    """What may stand for one dimension, with tensors as (list, type)."""
    ints = st.integers(-extent, extent - 1)
    bound = st.none() | st.integers(-extent - 2, extent + 2)
    slices = st.builds(slice, bound, bound, st.none() | st.integers(1, 3))
    arrays = st.sampled_from([(), (1,), (2,), (3,), (1, 2), (2, 1), (2, 2), (0,)]).flatmap(
        lambda shape: st.lists(
            ints, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))
        ).map(lambda flat: np.array(flat, np.int64).reshape(shape))
    )
    masks = st.lists(st.booleans(), min_size=extent, max_size=extent).map(np.array)
    return ints | slices | arrays | masks


@st.composite
def indices(draw: st.DrawFn) -> tuple[tuple[int, ...], list[Any]]:
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    read = draw(st.integers(0, len(shape)))
    items = [draw(index_items(n)) for n in shape[:read]]
    if draw(st.booleans()):
        at = draw(st.integers(0, read))
        items = [*(draw(index_items(n)) for n in shape[:at]), ...]
        items += [draw(index_items(n)) for n in shape[len(shape) - (read - at) :]]
    for extra in draw(st.lists(st.sampled_from([None, None, True]), max_size=2)):
        items.insert(draw(st.integers(0, len(items))), extra)
    return shape, items


def in_library(library: Any, items: list[Any]) -> Any:
    return tuple(library.tensor(k) if isinstance(k, np.ndarray) else k for k in items)


@settings(max_examples=150, deadline=None)
@given(indices())
def test_any_read(case: tuple[tuple[int, ...], list[Any]]) -> None:
    shape, items = case
    try:
        torch.zeros(shape)[in_library(torch, items)]
    except IndexError:
        assert_both_raise(lambda t, x: x[in_library(t, items)], np.zeros(shape))
        return
    assert_agree(lambda t, x: x[in_library(t, items)], normal(*shape))


@settings(max_examples=150, deadline=None)
@given(indices(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_any_assignment(case: tuple[tuple[int, ...], list[Any]], drop: int, random: Any) -> None:
    shape, items = case
    ours, theirs = pair(normal(*shape))
    try:
        target = tuple(theirs[in_library(torch, items)].shape)
    except IndexError:
        assume(False)
    thin = tuple(1 if random.random() < 0.3 else n for n in target)[min(drop, len(target)) :]
    value = pair(normal(*thin, seed=1)) if random.random() < 0.7 else (2.5, 2.5)
    places = [k for k in items if isinstance(k, np.ndarray) and k.dtype == np.int64]
    if places and not isinstance(value[0], float):  # of several values for one place any may stay
        flat = torch.arange(theirs.numel()).reshape(shape)[in_library(torch, items)]
        assume(flat.unique().numel() == flat.numel())
    ours[in_library(cg, items)] = value[0]
    theirs[in_library(torch, items)] = value[1]
    assert_same(ours, theirs)


READ_ERRORS = {
    "int": lambda t, x: x[5],
    "negative": lambda t, x: x[-3],
    "too many": lambda t, x: x[0, 0, 0],
    "0-d": lambda t, x: x[0, 0][0],
    "step -1": lambda t, x: x[::-1],
    "step 0": lambda t, x: x[::0],
    "float": lambda t, x: x[1.0],
    "slice of floats": lambda t, x: x[0.0:1],
    "float tensor": lambda t, x: x[t.tensor([0.0, 1.0])],
    "tensor": lambda t, x: x[t.tensor([0, 5])],
    "negative tensor": lambda t, x: x[t.tensor([0, -3])],
    "mask": lambda t, x: x[t.tensor([True, False, True])],
    "large mask": lambda t, x: x[t.ones(2, 3, 1, dtype=t.bool)],
    "broadcast": lambda t, x: x[t.tensor([0, 1]), t.tensor([0, 1, 2])],
}  # fmt: skip


@pytest.mark.parametrize("name", READ_ERRORS)
def test_read_error(name: str) -> None:
    assert_both_raise(READ_ERRORS[name], normal(2, 3))


def assigned(x: Any, key: Any, value: Any) -> Any:
    x = x.clone()
    x[key] = value
    return x


WRITES = {
    "int": lambda t, x: assigned(x, 0, 5),
    "number": lambda t, x: assigned(x, (1, 2), -1.5),
    "row": lambda t, x: assigned(x, 1, t.tensor([1, 2, 3])),
    "column": lambda t, x: assigned(x, (slice(None), 1), t.tensor([7, 8])),
    "leading 1": lambda t, x: assigned(x, slice(0, 1), t.ones(1, 1, 3)),
    "one element": lambda t, x: assigned(x, (0, 0), t.tensor([4.0])),
    "truncated": lambda t, x: assigned(x, 0, 1.7),
    "truncated tensor": lambda t, x: assigned(x, 0, t.tensor(1.7)),
    "mask": lambda t, x: assigned(x, x > 0, 0),
    "mask value": lambda t, x: assigned(x, x > 0, t.tensor(2)),
    "mask values": lambda t, x: assigned(x, t.tensor([True, False]), x[1:]),
    "tensor": lambda t, x: assigned(x, t.tensor([1, 0]), x[:, :1]),
    "tensors": lambda t, x: assigned(x, (t.tensor([0, 1]), t.tensor([2, 0])), 9),
    "int and tensor": lambda t, x: assigned(x, (0, t.tensor([2, 0])), x[1, :2]),
    "everything": lambda t, x: assigned(assigned(x, ..., 1), (), 2),
    "None": lambda t, x: assigned(x, None, 3),
    "own view": lambda t, x: assigned(x, slice(0, 1), x[1:]),
    "nothing": lambda t, x: assigned(x, x > 1000, x[0, :0]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int32])
def test_write(name: str, kind: type) -> None:
    ours, theirs = pair((10 * normal(2, 3)).astype(kind))
    assert_same(WRITES[name](cg, ours), WRITES[name](torch, theirs))


WRITE_ERRORS = {
    "shape": lambda t, x: assigned(x, 0, t.zeros(2)),
    "large": lambda t, x: assigned(x, slice(0, 1), t.zeros(2, 3)),
    "mask values": lambda t, x: assigned(x, x == x, t.zeros(5)),
    "tensor values": lambda t, x: assigned(x, t.tensor([0, 1]), t.zeros(3, 3)),
    "tensor type": lambda t, x: assigned(x, t.tensor([0, 1]), t.tensor([1, 2, 3])),
    "mask type": lambda t, x: assigned(x, x == x, t.tensor([1, 2, 3, 4, 5, 6])),
    "text": lambda t, x: assigned(x, 0, "a"),
    "list": lambda t, x: assigned(x, 0, [1.0, 2.0, 3.0]),
    "array": lambda t, x: assigned(x, 0, np.zeros(3)),
    "int": lambda t, x: assigned(x, 5, 0),
    "tensor": lambda t, x: assigned(x, [5], 0),
    "step": lambda t, x: assigned(x, slice(None, None, -1), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITE_ERRORS)
def test_write_error(name: str) -> None:
    assert_both_raise(WRITE_ERRORS[name], normal(2, 3))


def test_a_leaf_with_a_gradient_refuses_assignment() -> None:
    for t in (cg, torch):
        w = t.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
            w[0] = 1
        with t.no_grad():
            w[0] = 5
        assert w.tolist() == [5, 1]
        assert w.requires_grad
        (w * w).sum().backward()
        assert w.grad.tolist() == [10, 2]


def test_assignment_in_the_graph_names_the_functional_forms() -> None:
    w = cg.ones(2, requires_grad=True)
    hidden, plain = w * 2, cg.zeros(2)
    with pytest.raises(RuntimeError, match=r"torch\.where.*scatter.*index_put"):
        hidden[0] = 1
    with pytest.raises(RuntimeError, match=r"torch\.where.*scatter.*index_put"):
        plain[0] = w[0]


ALONG = [[0, 2, 1, 1], [2, 2, 0, 1]]
TENSORS = {
    "gather": lambda t, x: x.gather(1, t.tensor(ALONG)),
    "gather 0": lambda t, x: t.gather(x, 0, t.tensor([[0, 1], [1, 1], [0, 0]])),
    "gather int32": lambda t, x: x.gather(-1, t.tensor([[2]], dtype=t.int32)),
    "gather keywords": lambda t, x: x.gather(dim=1, index=t.tensor([[1], [0]])),
    "gather nothing": lambda t, x: x.gather(1, t.zeros(2, 0, dtype=t.int64)),
    "take_along_dim": lambda t, x: t.take_along_dim(x, t.tensor([[0], [2]]), 1),
    "take_along_dim broadcast": lambda t, x: x.take_along_dim(t.tensor([[0, 2]]), dim=1),
    "take_along_dim flat": lambda t, x: x.take_along_dim(t.tensor([5, 0])),
    "index_select": lambda t, x: t.index_select(x, 0, t.tensor([1, 0, 1])),
    "index_select 1": lambda t, x: x.index_select(-1, t.tensor([2, 2])),
    "index_select number": lambda t, x: x.index_select(0, t.tensor(1)),
    "index_select nothing": lambda t, x: x.index_select(1, t.tensor([], dtype=t.int32)),
    "index_select keywords": lambda t, x: x.index_select(dim=0, index=t.tensor([1])),
    "select": lambda t, x: [t.select(x, 0, 1), x.select(-1, -2), x.select(dim=1, index=0)],
    "take": lambda t, x: t.take(x, t.tensor([[0, 5], [-1, -6]])),
    "masked_select": lambda t, x: t.masked_select(x, t.tensor([True, False, True])),
    "masked_select all": lambda t, x: x.masked_select(x == x),
    "scatter number": lambda t, x: x.scatter(1, t.tensor([[0], [2]]), 7.0),
    "scatter value": lambda t, x: x.scatter(1, t.tensor([[0, 0], [2, 1]]), value=1),
    "scatter part": lambda t, x: t.scatter(x, 0, t.tensor([[1]]), -3.0),
    "scatter nothing": lambda t, x: x.scatter(1, t.zeros(0, 0, dtype=t.int64), 1.0),
    "index_fill": lambda t, x: t.index_fill(x, 1, t.tensor([0, 2]), 5.0),
    "index_fill negative": lambda t, x: x.index_fill(0, t.tensor([-1]), -1),
    "index_fill number": lambda t, x: x.index_fill(0, t.tensor(1), t.tensor(2.0)),
    "nonzero": lambda t, x: [x.nonzero(), t.nonzero(x > 0), t.argwhere(x < 0)],
    "nonzero tuple": lambda t, x: t.nonzero(x > 0, as_tuple=True),
    "nonzero 0-d": lambda t, x: [x[0, 0].nonzero(), *x[0, 0].nonzero(as_tuple=True)],
}  # fmt: skip


@pytest.mark.parametrize("name", TENSORS)
def test_one_tensor(name: str) -> None:
    assert_agree(TENSORS[name], normal(2, 3))


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int32, np.bool_])
def test_gather_and_take_keep_the_type(kind: type) -> None:
    array = (10 * normal(2, 3)).astype(kind)
    for name in ("gather", "index_select", "select", "take", "take_along_dim", "masked_select all"):
        assert_agree(TENSORS[name], array)


SOURCES = {
    "scatter": lambda t, x, y: x.scatter(1, t.tensor([[1, 2, 0], [2, 0, 1]]), y),
    "scatter part": lambda t, x, y: t.scatter(x, 1, t.tensor([[1], [2]]), y[:, :1]),
    "scatter keywords": lambda t, x, y: x.scatter(dim=0, index=t.tensor([[1, 0, 1]]), src=y[:1]),
    "scatter_add": lambda t, x, y: t.scatter_add(x, 1, t.tensor([[1, 1, 0], [2, 2, 2]]), y),
    "scatter_add rows": lambda t, x, y: x.scatter_add(0, t.tensor([[0, 0], [0, 1]]), y[:, :2]),
    # PyTorch has no gradient for an index smaller than its source.
    "scatter from a larger": lambda t, x, y: x.scatter(1, t.tensor([[1], [2]]), y.detach()),
    "scatter_add larger": lambda t, x, y: x.scatter_add(1, t.tensor([[1, 1]]), y.detach()),
    "index_add": lambda t, x, y: t.index_add(x, 0, t.tensor([1, 1]), y),
    "index_add 1": lambda t, x, y: x.index_add(1, t.tensor([1, 0, 1]), y, alpha=2),
    "index_copy": lambda t, x, y: t.index_copy(x, 0, t.tensor([1, 0]), y),
    "index_copy 1": lambda t, x, y: x.index_copy(-1, t.tensor([2, 1]), y[:, :2]),
    "index_put": lambda t, x, y: x.index_put((t.tensor([1, 0]), t.tensor([2, 2])), y[0, :2]),
    "index_put rows": lambda t, x, y: t.index_put(x, (t.tensor([1, 0]),), y),
    "index_put one": lambda t, x, y: x.index_put((t.tensor([1]),), y[0, 0]),
    "index_put mask": lambda t, x, y: x.index_put((t.tensor([True, False]),), y[0]),
    "index_put more": lambda t, x, y: x.index_put(
        (t.tensor([1, 1]), t.tensor([2, 2])), y[0, :2], accumulate=True),
    "masked_scatter": lambda t, x, y: x.masked_scatter(t.tensor([True, False, True]), y),
    "masked_scatter none": lambda t, x, y: t.masked_scatter(x, x != x, y),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_source(name: str, kind: type) -> None:
    arrays = [(10 * normal(2, 3, seed=k)).astype(kind) for k in range(2)]
    assert_agree(SOURCES[name], *arrays)


SCALARS = {
    "gather": lambda t, x: [x.gather(0, t.tensor(0)), x.gather(0, t.tensor([0, 0]))],
    "index_select": lambda t, x: x.index_select(0, t.tensor([0])),
    "scatter": lambda t, x: x.scatter(0, t.tensor(0), 3.0),
    "scatter_add": lambda t, x: x.scatter_add(0, t.tensor([0]), x[None]),
    "index_add": lambda t, x: x.index_add(0, t.tensor(0), x),
    "index_copy": lambda t, x: x.index_copy(0, t.tensor(0), x * 2),
    "index_fill": lambda t, x: x.index_fill(0, t.tensor(0), 3.0),
    "take": lambda t, x: x.take(t.tensor(0)),
    "masked_select": lambda t, x: x.masked_select(x == x),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_without_dimensions(name: str) -> None:
    assert_agree(SCALARS[name], np.float64(1.5))


ERRORS = {
    "gather range": lambda t, x: x.gather(1, t.tensor([[0, 5]])),
    "gather negative": lambda t, x: x.gather(1, t.tensor([[-1]])),
    "gather rank": lambda t, x: x.gather(1, t.tensor([0])),
    "gather type": lambda t, x: x.gather(1, t.tensor([[0.0]])),
    "gather size": lambda t, x: x.gather(1, t.tensor([[0], [0], [0]])),
    "gather dim": lambda t, x: x.gather(2, t.tensor([[0]])),
    "gather list": lambda t, x: x.gather(1, [[0]]),
    "take_along_dim rank": lambda t, x: x.take_along_dim(t.tensor([0]), 1),
    "scatter range": lambda t, x: x.scatter(1, t.tensor([[0, 5]]), 1.0),
    "scatter size": lambda t, x: x.scatter(1, t.tensor([[0], [1], [2]]), 1.0),
    "scatter src": lambda t, x: x.scatter(1, t.tensor([[0, 1]]), x[:1, :1]),
    "scatter type": lambda t, x: x.scatter(1, t.tensor([[0, 1]]), t.tensor([[1, 2]])),
    "scatter_add number": lambda t, x: x.scatter_add(1, t.tensor([[0]]), 2.0),
    "scatter_add type": lambda t, x: x.scatter_add(1, t.tensor([[0]]), t.tensor([[1]])),
    "index_select range": lambda t, x: x.index_select(0, t.tensor([0, 5])),
    "index_select negative": lambda t, x: x.index_select(0, t.tensor([-1])),
    "index_select matrix": lambda t, x: x.index_select(0, t.tensor([[0]])),
    "index_select type": lambda t, x: x.index_select(0, t.tensor([0.0])),
    "index_add count": lambda t, x: x.index_add(0, t.tensor([0, 0]), x[:1]),
    "index_add range": lambda t, x: x.index_add(0, t.tensor([5, 0]), x),
    "index_copy rank": lambda t, x: x.index_copy(0, t.tensor([1]), x[0]),
    "index_copy type": lambda t, x: x.index_copy(0, t.tensor([1]), t.tensor([[1, 2, 3]])),
    "index_copy range": lambda t, x: x.index_copy(0, t.tensor([5]), x[:1]),
    "index_fill range": lambda t, x: x.index_fill(0, t.tensor([5]), 5.0),
    "index_fill vector": lambda t, x: x.index_fill(0, t.tensor([1]), t.tensor([5.0])),
    "index_put type": lambda t, x: x.index_put((t.tensor([1]),), t.tensor([1])),
    "index_put shape": lambda t, x: x.index_put((t.tensor([1]),), x),
    "masked_select type": lambda t, x: x.masked_select(t.tensor([1, 0, 1])),
    "masked_select shape": lambda t, x: x.masked_select(t.tensor([True, False])),
    "masked_scatter few": lambda t, x: x.masked_scatter(x == x, x[0]),
    "take range": lambda t, x: x.take(t.tensor([6])),
    "take type": lambda t, x: x.take(t.tensor([1.0])),
    "select range": lambda t, x: x.select(0, 5),
    "select 0-d": lambda t, x: x[0, 0].select(0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_error_class(name: str) -> None:
    assert_both_raise(ERRORS[name], normal(2, 3))


SORTED = [1.0, 2.0, 2.0, 4.0]
SEARCHES = {
    "searchsorted": lambda t, x: t.searchsorted(t.tensor(SORTED, dtype=t.float64), x),
    "searchsorted right": lambda t, x: t.searchsorted(t.tensor(SORTED).double(), x, right=True),
    "searchsorted side": lambda t, x: t.searchsorted(t.tensor(SORTED).double(), x, side="right"),
    "searchsorted int32": lambda t, x: t.searchsorted(t.tensor(SORTED).double(), x, out_int32=True),
    "searchsorted number": lambda t, x: t.searchsorted(t.tensor(SORTED), 2),
    "searchsorted rows": lambda t, x: t.searchsorted(t.sort(x, 1).values, x),
    "sorter": lambda t, x: t.searchsorted(x, x, sorter=t.argsort(x, 1)),
    "bucketize": lambda t, x: t.bucketize(x, t.tensor(SORTED).double()),
    "bucketize right": lambda t, x: t.bucketize(x, t.tensor(SORTED).double(), right=True),
    "bucketize number": lambda t, x: t.bucketize(3.0, t.tensor(SORTED), out_int32=True),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_search(name: str) -> None:
    array = np.array([[0.0, 1.0, 1.5], [2.0, 4.0, 9.0]])
    assert_agree(SEARCHES[name], array)


SEARCH_ERRORS = {
    "boundaries": lambda t, x: t.bucketize(x, x),
    "list": lambda t, x: t.bucketize(x, [1.0]),
    "sequence": lambda t, x: t.searchsorted([1.0], x),
    "input": lambda t, x: t.searchsorted(x[0], [1.0]),
    "side": lambda t, x: t.searchsorted(x[0], x, side="up"),
    "opposite": lambda t, x: t.searchsorted(x[0], x, side="left", right=True),
    "number": lambda t, x: t.searchsorted(x, 2.0),
    "0-d": lambda t, x: t.searchsorted(x[0, 0], x),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCH_ERRORS)
def test_search_error(name: str) -> None:
    assert_both_raise(SEARCH_ERRORS[name], np.array([[0.0, 1.0, 1.5], [2.0, 4.0, 9.0]]))
