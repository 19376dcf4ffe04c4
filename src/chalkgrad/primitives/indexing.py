"""Primitives whose indices are data: take and take_along, and their adjoints, which add at places.

Indices are int64, non-negative and in range: whoever binds these has checked that.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import Axis, Formula, Read, Reduce, axes, compare, select
from chalkgrad.core.primitive import Domain, Notation, Primitive


# take: whole slices, chosen by an index of any shape, along one axis (index_select, embedding).
def _take_type(x: ArrayType, index: ArrayType, *, axis: int) -> ArrayType:
    return ArrayType((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]), x.dtype)


def _take_index(x: ArrayType, index: ArrayType, *, axis: int) -> Formula:
    shape = _take_type(x, index, axis=axis).shape
    here = axes(len(shape))
    chosen = Read(1, here[axis : axis + len(index.shape)])
    return Formula(shape, Read(0, (*here[:axis], chosen, *here[axis + len(index.shape) :])))


def _sample_take(rng: np.random.Generator) -> tuple[list[Array], dict[str, Any]]:
    return [rng.normal(size=(2, 5, 3)), rng.integers(0, 5, (4, 2))], {"axis": 1}


take = Primitive(
    "take", lambda x, index, axis: np.take(x, index, axis), _take_type,
    [lambda g, out, x, index, axis: add_at(g, index, axis=axis, extent=x.node.shape[axis]), None],
    Notation("{0}[{1}]", "{0}[{1}]"), _take_index, Domain(samples=_sample_take),
)  # fmt: skip


# add_at: out[…, r, …] = Σ of the slices of x whose index is r.
def _add_at_type(x: ArrayType, index: ArrayType, *, axis: int, extent: int) -> ArrayType:
    return ArrayType((*x.shape[:axis], extent, *x.shape[axis + len(index.shape) :]), x.dtype)


def _add_at(x: Array, index: Array, axis: int, extent: int) -> Array:
    after = axis + index.ndim
    rows = np.moveaxis(x.reshape(*x.shape[:axis], index.size, *x.shape[after:]), axis, 0)
    tail = rows.shape[1:]
    out = np.zeros((extent, prod(tail)), x.dtype)
    flat = index.reshape(-1)
    rows = rows.reshape(index.size, -1) if rows.size else rows.reshape(index.size, prod(tail))
    if out.size and rows.size:
        # Equal indices side by side, so that one reduceat adds them; np.add.at is slower by far.
        order = np.argsort(flat, kind="stable")
        first = np.flatnonzero(np.diff(flat[order], prepend=-1))
        out[flat[order[first]]] = np.add.reduceat(rows[order], first, axis=0)
    return np.moveaxis(out.reshape(extent, *tail), 0, axis)


def _add_at_index(x: ArrayType, index: ArrayType, *, axis: int, extent: int) -> Formula:
    shape = _add_at_type(x, index, axis=axis, extent=extent).shape
    here = axes(len(shape))
    running = axes(len(index.shape), len(shape))
    hit = compare("equal", Read(1, running), here[axis])
    body = select(hit, Read(0, (*here[:axis], *running, *here[axis + 1 :])), 0)
    extents = tuple((i.id, n) for i, n in zip(running, index.shape, strict=True))
    return Formula(shape, Reduce("sum", extents, body) if extents else body)


def _sample_add_at(rng: np.random.Generator) -> tuple[list[Array], dict[str, Any]]:
    return [rng.normal(size=(2, 4, 2, 3)), rng.integers(0, 5, (4, 2))], {"axis": 1, "extent": 5}


add_at: Primitive = Primitive(
    "add_at", _add_at, _add_at_type,
    [lambda g, out, x, index, axis, extent: take(g, index, axis=axis), None],
    Notation("add({0} at {1})", r"\operatorname{{add}}({0}, {1})"), _add_at_index,
    Domain(samples=_sample_add_at),
)  # fmt: skip


# take_along: one element for each element of the index (torch.gather).
def _along_index(x: ArrayType, index: ArrayType, *, axis: int) -> Formula:
    here = axes(len(index.shape))
    return Formula(index.shape, Read(0, (*here[:axis], Read(1, here), *here[axis + 1 :])))


def _cut(x: Array, shape: Shape, axis: int) -> Array:
    """torch.gather reads only the part of x that the index spans on the other axes."""
    return x[tuple(slice(None) if k == axis else slice(n) for k, n in enumerate(shape))]


def _sample_along(rng: np.random.Generator) -> tuple[list[Array], dict[str, Any]]:
    return [rng.normal(size=(3, 4)), rng.integers(0, 4, (3, 6))], {"axis": 1}


take_along = Primitive(
    "take_along",
    lambda x, index, axis: np.take_along_axis(_cut(x, index.shape, axis), index, axis),
    lambda x, index, axis: ArrayType(index.shape, x.dtype),
    [lambda g, out, x, index, axis: add_along(g, index, axis=axis, shape=x.node.shape), None],
    Notation("{0}[{1}]", "{0}[{1}]"), _along_index, Domain(samples=_sample_along),
)  # fmt: skip


# add_along: out[…, r, …] = Σ of the elements of x whose index is r (torch.scatter_add into zeros).
def _add_along(x: Array, index: Array, axis: int, shape: Shape) -> Array:
    out = np.zeros(shape, x.dtype)
    where: list[Array] = list(np.indices(index.shape, sparse=True))
    where[axis] = index
    if x.size:  # on flat arrays np.add.at is ten times faster than with an index per axis
        flat = np.broadcast_to(np.ravel_multi_index(tuple(where), shape), index.shape)
        np.add.at(out.reshape(-1), flat.reshape(-1), x.reshape(-1))
    return out


def _add_along_index(x: ArrayType, index: ArrayType, *, axis: int, shape: Shape) -> Formula:
    here = axes(len(shape))
    k = Axis(len(shape))
    place = (*here[:axis], k, *here[axis + 1 :])
    body = select(compare("equal", Read(1, place), here[axis]), Read(0, place), 0)
    for i, n in enumerate(index.shape):  # the index may span less than the output
        if i != axis and n < shape[i]:
            body = select(compare("less", here[i], n), body, 0)
    return Formula(shape, Reduce("sum", ((k.id, index.shape[axis]),), body))


def _sample_add_along(rng: np.random.Generator) -> tuple[list[Array], dict[str, Any]]:
    return [rng.normal(size=(3, 6)), rng.integers(0, 4, (3, 6))], {"axis": 1, "shape": (3, 4)}


add_along: Primitive = Primitive(
    "add_along", _add_along, lambda x, index, axis, shape: ArrayType(shape, x.dtype),
    [lambda g, out, x, index, axis, shape: take_along(g, index, axis=axis), None],
    Notation("add({0} along {1})", r"\operatorname{{add}}({0}, {1})"), _add_along_index,
    Domain(samples=_sample_add_along),
)  # fmt: skip
