"""Shaping against PyTorch: values, gradients, types, shapes, views and error classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from tests.parity.agreement import assert_agree, assert_both_raise, assert_same, normal, pair

pytestmark = pytest.mark.parity

# One tensor in; each expression is a program on x.
MATRIX = {
    "reshape": lambda t, x: x.reshape(3, 2),
    "reshape tuple": lambda t, x: t.reshape(x, (6,)),
    "reshape -1": lambda t, x: x.reshape([-1, 1, 2]),
    "reshape keyword": lambda t, x: x.reshape(shape=(3, 2)),
    "view": lambda t, x: x.view(3, -1),
    "view keyword": lambda t, x: x.view(size=(6, 1)),
    "view of a view": lambda t, x: x.view(6).view(3, 2).view(1, 2, 3),
    "view_as": lambda t, x: x.view_as(t.zeros(6, 1)),
    "reshape_as": lambda t, x: x.reshape_as(t.zeros(1, 6)),
    "reshape of a transpose": lambda t, x: x.t().reshape(-1),
    "flatten": lambda t, x: t.flatten(x),
    "flatten from 1": lambda t, x: x.flatten(1),
    "flatten keyword": lambda t, x: x.flatten(start_dim=0, end_dim=-1),
    "unflatten": lambda t, x: x.unflatten(1, (3, -1)),
    "unflatten keyword": lambda t, x: x.unflatten(dim=-1, sizes=(1, 3)),
    "ravel": lambda t, x: t.ravel(x),
    "squeeze": lambda t, x: x.reshape(1, 2, 1, 3).squeeze(),
    "squeeze dim": lambda t, x: x.reshape(1, 2, 1, 3).squeeze(2),
    "squeeze dims": lambda t, x: x.reshape(1, 2, 1, 3).squeeze((0, 1)),
    "squeeze nothing": lambda t, x: t.squeeze(x, 1),
    "unsqueeze": lambda t, x: [x.unsqueeze(k) for k in (-3, -1, 0, 1, 2)],
    "transpose": lambda t, x: t.transpose(x, 0, 1),
    "transpose negative": lambda t, x: x.transpose(-1, 0),
    "transpose keywords": lambda t, x: x.transpose(dim0=0, dim1=1),
    "swapaxes": lambda t, x: x.swapaxes(0, 1),
    "swapdims": lambda t, x: x.swapdims(1, 0),
    "t": lambda t, x: t.t(x),
    "T": lambda t, x: x.T,
    "mT": lambda t, x: x.mT,
    "permute": lambda t, x: x.permute(1, 0),
    "permute tuple": lambda t, x: t.permute(x, (-1, 0)),
    "permute keyword": lambda t, x: x.permute(dims=(1, 0)),
    "movedim": lambda t, x: t.movedim(x, 0, 1),
    "moveaxis": lambda t, x: x.moveaxis((0, 1), (1, 0)),
    "rot90": lambda t, x: [t.rot90(x, k, (0, 1)) for k in range(-2, 5)],
    "rot90 other way": lambda t, x: x.rot90(1, (1, 0)),
    "expand": lambda t, x: x.expand(4, 2, 3),
    "expand -1": lambda t, x: x[:, :1].expand(-1, 5),
    "expand_as": lambda t, x: x[:1].expand_as(x),
    "expand keyword": lambda t, x: x.expand(size=(1, 2, 3)),
    "broadcast_to": lambda t, x: t.broadcast_to(x, (2, 2, 3)),
    "repeat": lambda t, x: x.repeat(2, 3),
    "repeat more": lambda t, x: x.repeat((2, 1, 2)),
    "repeat nothing": lambda t, x: x.repeat(0, 1),
    "repeat rows": lambda t, x: x[:1].repeat(4, 1),
    "tile": lambda t, x: t.tile(x, (2,)),
    "tile more": lambda t, x: x.tile(2, 1, 2),
    "repeat_interleave": lambda t, x: x.repeat_interleave(2),
    "repeat_interleave dim": lambda t, x: t.repeat_interleave(x, 3, dim=1),
    "repeat_interleave counts": lambda t, x: x.repeat_interleave(t.tensor([2, 0]), 0),
    "split": lambda t, x: t.split(x, 2, 1),
    "split keywords": lambda t, x: [
        *x.split(split_size=1), *t.split(x, split_size_or_sections=[1, 2], dim=1)],
    "split sizes": lambda t, x: x.split([1, 0, 2], dim=-1),
    "chunk": lambda t, x: x.chunk(2, 1),
    "chunk too many": lambda t, x: t.chunk(x, 5),
    "tensor_split": lambda t, x: t.tensor_split(x, 2, 1),
    "tensor_split more": lambda t, x: x.tensor_split(4, dim=1),
    "tensor_split keywords": lambda t, x: [
        *x.tensor_split(sections=2), *x.tensor_split(indices=(1,), dim=1)],
    "tensor_split by tensor": lambda t, x: [
        *x.tensor_split(t.tensor(2)), *t.tensor_split(x, t.tensor([1, 2]), 1)],
    "tensor_split at": lambda t, x: x.tensor_split((1, 1, -1), 1),
    "tensor_split back": lambda t, x: x.tensor_split((2, 1, 9), 1),
    "unbind": lambda t, x: t.unbind(x),
    "unbind 1": lambda t, x: x.unbind(-1),
    "narrow": lambda t, x: t.narrow(x, 1, 1, 2),
    "narrow negative": lambda t, x: x.narrow(1, -2, 1),
    "narrow nothing": lambda t, x: x.narrow(0, 2, 0),
    "flip": lambda t, x: t.flip(x, (0,)),
    "flip both": lambda t, x: x.flip(0, 1),
    "flip keyword": lambda t, x: x.flip(dims=(-1,)),
    "flip none": lambda t, x: x.flip(()),
    "fliplr": lambda t, x: t.fliplr(x),
    "flipud": lambda t, x: x.flipud(),
    "roll": lambda t, x: t.roll(x, 1),
    "roll dim": lambda t, x: x.roll(-1, 1),
    "roll dims": lambda t, x: x.roll((1, 5), (0, 1)),
    "roll keywords": lambda t, x: x.roll(shifts=2, dims=1),
    "roll whole": lambda t, x: x.roll(3, 1),
    "unfold": lambda t, x: x.unfold(1, 2, 1),
    "unfold rows": lambda t, x: x.unfold(0, 2, 2),
    "contiguous": lambda t, x: x.t().contiguous().view(-1),
    "atleast": lambda t, x: [t.atleast_1d(x), t.atleast_2d(x), t.atleast_3d(x)],
    "cat": lambda t, x: t.cat([x, 2 * x]),
    "cat tuple": lambda t, x: t.cat((x, x, 3 * x), dim=1),
    "cat axis": lambda t, x: t.cat([x, x], axis=-1),
    "cat with nothing": lambda t, x: t.cat([t.zeros(0), x], 1),
    "concat": lambda t, x: t.concat([x, x], 1),
    "stack": lambda t, x: t.stack([x, x * x]),
    "stack last": lambda t, x: t.stack((x, x, x), dim=-1),
    "hstack": lambda t, x: t.hstack([x, x]),
    "vstack": lambda t, x: t.vstack((x, x)),
    "vstack rows": lambda t, x: t.vstack([x[0], x]),
    "dstack": lambda t, x: t.dstack([x, x]),
    "column_stack": lambda t, x: t.column_stack([x[:, 0], x, x[:, 1:]]),
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x, x[:1], x[:, :1]),
}  # fmt: skip


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int32, np.bool_])
def test_matrix(name: str, kind: type) -> None:
    assert_agree(MATRIX[name], (10 * normal(2, 3)).astype(kind))


SHAPELESS = {
    "reshape": lambda t, x: x.reshape(1, 1),
    "reshape ()": lambda t, x: x.reshape(()),
    "flatten": lambda t, x: x.flatten(),
    "ravel": lambda t, x: x.ravel(),
    "squeeze": lambda t, x: [x.squeeze(), x.squeeze(0), x.squeeze(-1)],
    "unsqueeze": lambda t, x: [x.unsqueeze(0), x.unsqueeze(-1)],
    "transpose": lambda t, x: [x.transpose(0, -1), x.t()],
    "permute": lambda t, x: x.permute(()),
    "expand": lambda t, x: [x.expand(3), x.expand(2, 2), x.expand(())],
    "repeat": lambda t, x: [x.repeat(3), x.repeat(2, 2), x.tile(2), x.tile(())],
    "repeat_interleave": lambda t, x: x.repeat_interleave(3),
    "flip": lambda t, x: x.flip(0),
    "roll": lambda t, x: x.roll(2),
    "movedim": lambda t, x: x.movedim(0, 0),
    "unfold": lambda t, x: x.unfold(0, 1, 1),
    "atleast": lambda t, x: [t.atleast_1d(x), t.atleast_2d(x), t.atleast_3d(x)],
    "stack": lambda t, x: t.stack([x, x]),
    "stacks": lambda t, x: [t.hstack([x, x]), t.vstack([x, x]), t.dstack([x, x])],
    "column_stack": lambda t, x: t.column_stack([x, x]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPELESS)
def test_without_dimensions(name: str) -> None:
    assert_agree(SHAPELESS[name], np.float64(1.5))


EMPTY = {
    "reshape": lambda t, x: x.reshape(3, 0),
    "reshape -1": lambda t, x: x.reshape(-1, 3),
    "flatten": lambda t, x: x.flatten(),
    "transpose": lambda t, x: x.t(),
    "cat": lambda t, x: t.cat([x, x]),
    "stack": lambda t, x: t.stack([x, x], 1),
    "expand": lambda t, x: x.expand(2, 0, 3),
    "repeat": lambda t, x: x.repeat(2, 2),
    "repeat_interleave": lambda t, x: x.repeat_interleave(2, 1),
    "flip": lambda t, x: x.flip(0, 1),
    "roll": lambda t, x: [x.roll(1, 0), x.roll(1, 1), x.roll(1)],
    "split": lambda t, x: x.split(2),
    "split 0": lambda t, x: x.split(0),
    "chunk": lambda t, x: x.chunk(3),
    "unbind": lambda t, x: [*x.unbind(), *x.unbind(1)],
    "rot90": lambda t, x: x.rot90(),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
def test_empty(name: str) -> None:
    assert_agree(EMPTY[name], np.zeros((0, 3)))


ERRORS = {
    "reshape count": lambda t, x: x.reshape(4),
    "reshape two -1": lambda t, x: x.reshape(-1, -1),
    "reshape indivisible": lambda t, x: x.reshape(-1, 4),
    "reshape nothing": lambda t, x: x.reshape(),
    "reshape text": lambda t, x: x.reshape("a"),
    "reshape float": lambda t, x: x.reshape(2.0, 3),
    "reshape -2": lambda t, x: x.reshape(-2, 3),
    "reshape ambiguous": lambda t, x: t.zeros(0).reshape(-1, 0),
    "view of a transpose": lambda t, x: x.t().view(6),
    "view shape keyword": lambda t, x: x.view(shape=(3, 2)),
    "reshape_as number": lambda t, x: x.reshape_as(3),
    "flatten backwards": lambda t, x: x.flatten(1, 0),
    "flatten dim": lambda t, x: x.flatten(2),
    "unflatten": lambda t, x: x.unflatten(1, (2, 2)),
    "squeeze dim": lambda t, x: x.squeeze(2),
    "squeeze twice": lambda t, x: x.squeeze((0, 0)),
    "unsqueeze": lambda t, x: x.unsqueeze(3),
    "unsqueeze low": lambda t, x: x.unsqueeze(-4),
    "transpose dim": lambda t, x: x.transpose(0, 2),
    "transpose float": lambda t, x: x.transpose(0.0, 1),
    "permute twice": lambda t, x: x.permute(0, 0),
    "permute few": lambda t, x: x.permute(0),
    "t": lambda t, x: t.zeros(2, 2, 2).t(),
    "mT": lambda t, x: x[0].mT,
    "movedim count": lambda t, x: x.movedim((0, 1), (0,)),
    "movedim twice": lambda t, x: x.movedim((0, 0), (0, 1)),
    "rot90": lambda t, x: x.rot90(1, (0, 0)),
    "rot90 vector": lambda t, x: x[0].rot90(),
    "expand": lambda t, x: x.expand(2, 2),
    "expand few": lambda t, x: x.expand(3),
    "expand new -1": lambda t, x: x.expand(-1, 2, 3),
    "repeat few": lambda t, x: x.repeat(2),
    "repeat negative": lambda t, x: x.repeat(-1, 2),
    "repeat_interleave negative": lambda t, x: x.repeat_interleave(-1),
    "repeat_interleave counts": lambda t, x: x.repeat_interleave(t.tensor([1, 2, 3]), 0),
    "cat nothing": lambda t, x: t.cat([]),
    "cat tensor": lambda t, x: t.cat(x),
    "cat number": lambda t, x: t.cat([x, 1]),
    "cat shapes": lambda t, x: t.cat([x, x.t()]),
    "cat ranks": lambda t, x: t.cat([x, x[0]]),
    "cat 0-d": lambda t, x: t.cat([x[0, 0]]),
    "cat dim": lambda t, x: t.cat([x, x], 2),
    "stack nothing": lambda t, x: t.stack([]),
    "stack shapes": lambda t, x: t.stack([x, x[0]]),
    "stack dim": lambda t, x: t.stack([x, x], 4),
    "split 0": lambda t, x: x.split(0),
    "split negative": lambda t, x: x.split(-1),
    "split sum": lambda t, x: x.split([1, 3]),
    "split 0-d": lambda t, x: x[0, 0].split(1),
    "chunk 0": lambda t, x: x.chunk(0),
    "tensor_split 0": lambda t, x: x.tensor_split(0),
    "unbind 0-d": lambda t, x: x[0, 0].unbind(),
    "narrow": lambda t, x: x.narrow(0, 1, 2),
    "narrow start": lambda t, x: x.narrow(0, 3, 0),
    "narrow length": lambda t, x: x.narrow(0, 0, -1),
    "flip dim": lambda t, x: x.flip(2),
    "flip twice": lambda t, x: x.flip(0, 0),
    "flip nothing": lambda t, x: x.flip(),
    "fliplr": lambda t, x: x[0].fliplr(),
    "flipud": lambda t, x: x[0, 0].flipud(),
    "roll": lambda t, x: x.roll((1, 2), 0),
    "roll flat": lambda t, x: x.roll((1, 2)),
    "unfold size": lambda t, x: x.unfold(1, 5, 1),
    "unfold step": lambda t, x: x.unfold(1, 2, 0),
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x, t.zeros(2)),
    "hstack shapes": lambda t, x: t.hstack([x, t.zeros(3, 3)]),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_error_class(name: str) -> None:
    assert_both_raise(ERRORS[name], normal(2, 3))


@pytest.mark.parametrize("first", [np.float64, np.float32, np.int64, np.int32, np.bool_])
@pytest.mark.parametrize("second", [np.float64, np.float32, np.int64, np.int32, np.bool_])
def test_cat_promotes(first: type, second: type) -> None:
    a, b = np.ones((2, 1), first), np.ones((2, 2), second)
    assert_agree(lambda t, x, y: t.cat([x, y], 1), a, b)
    assert_agree(lambda t, x, y: t.stack([x, y[:, :1]]), a, b)


# Which results share memory with the tensor? Changing it must show in the same ones.
VIEWS = {
    "view": lambda t, x: x.view(3, 2),
    "reshape": lambda t, x: x.reshape(6),
    "reshape of a transpose": lambda t, x: x.t().reshape(6),
    "transpose": lambda t, x: x.T,
    "expand": lambda t, x: x.expand(2, 2, 3),
    "unsqueeze": lambda t, x: x.unsqueeze(0),
    "squeeze": lambda t, x: x.squeeze(),
    "narrow": lambda t, x: x.narrow(1, 1, 1),
    "split": lambda t, x: x.split(1)[1],
    "unbind": lambda t, x: x.unbind(1)[2],
    "flip": lambda t, x: x.flip(0),
    "roll": lambda t, x: x.roll(0, 0),
    "rot90": lambda t, x: x.rot90(4),
    "repeat": lambda t, x: x.repeat(1, 1),
    "repeat one": lambda t, x: x[:1, :1].repeat(3, 1),
    "tile": lambda t, x: x.tile(1),
    "cat": lambda t, x: t.cat([x]),
    "contiguous": lambda t, x: x.contiguous(),
    "contiguous transpose": lambda t, x: x.t().contiguous(),
    "detach": lambda t, x: x.detach(),
    "clone": lambda t, x: x.clone(),
    "int": lambda t, x: x[1],
    "number": lambda t, x: x[1, 2],
    "vector's number": lambda t, x: x.view(6)[4],
    "slice": lambda t, x: x[:, ::2],
    "everything": lambda t, x: x[...],
    "None": lambda t, x: x[:, None],
    "select": lambda t, x: x.select(1, 2),
    "mask": lambda t, x: x[x == x],
    "array": lambda t, x: x[t.tensor([0, 1])],
    "int and array": lambda t, x: x[0, t.tensor([0, 1])],
    "index_select": lambda t, x: x.index_select(0, t.tensor([0, 1])),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_shared_alike(name: str) -> None:
    ours, theirs = pair(normal(2, 3))
    view, their_view = VIEWS[name](cg, ours), VIEWS[name](torch, theirs)
    ours.add_(1)
    theirs.add_(1)
    assert_same(view, their_view)
    if name != "expand":  # where PyTorch refuses: several elements are one number
        view.mul_(3)
        their_view.mul_(3)
    assert_same(view, their_view)
    assert_same(ours, theirs)


@pytest.mark.parametrize(
    "shape", [(2, 3), (3, 1, 2), (1, 4), (), (5,)], ids=lambda shape: str(shape)
)
def test_layout(shape: tuple[int, ...]) -> None:
    ours, theirs = pair(normal(*shape))
    assert ours.stride() == theirs.stride()
    assert ours.is_contiguous() == theirs.is_contiguous()
    order = tuple(reversed(range(len(shape))))
    assert ours.permute(order).stride() == theirs.permute(order).stride()
    assert ours.permute(order).is_contiguous() == theirs.permute(order).is_contiguous()


@st.composite
def reshapings(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    factors = draw(st.lists(st.sampled_from([1, 2, 3]), max_size=4))
    first = draw(st.permutations(factors))
    cut = draw(st.integers(0, len(factors)))
    second = (int(np.prod(first[:cut])), *first[cut:])
    return tuple(factors), tuple(draw(st.permutations(second)))


@settings(max_examples=60, deadline=None)
@given(reshapings(), st.data())
def test_any_reshape_and_permutation(
    shapes: tuple[tuple[int, ...], ...], data: st.DataObject
) -> None:
    before, after = shapes
    order = data.draw(st.permutations(range(len(before))))
    k = data.draw(st.integers(-1, len(after) - 1))
    wanted = tuple(-1 if i == k else n for i, n in enumerate(after))
    assert_agree(lambda t, x: x.permute(tuple(order)).reshape(wanted), normal(*before))
