"""Primitives that move elements and compute nothing: broadcast, reshape, transpose, slice, …"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.errors import DimensionError, DtypeError, ShapeError
from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import Axis, Const, Formula, Read, Term, axes, compare, inside, select
from chalkgrad.core.primitive import Domain, Notation, Primitive
from chalkgrad.primitives import reductions

_SMALL = 4096  # elements


def sampled(*shapes: Shape, **params: Any) -> Domain:
    """Arrays of these shapes with these parameters."""
    return Domain(samples=lambda rng: ([rng.normal(size=shape) for shape in shapes], params))


# broadcast: repeat along new leading axes and along axes of length 1, as NumPy does.
def _broadcast_type(x: ArrayType, *, shape: Shape) -> ArrayType:
    offset = len(shape) - len(x.shape)
    if offset < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[offset:], strict=False)):
        raise ShapeError(f"shape {list(x.shape)} cannot be broadcast to {list(shape)}")
    return ArrayType(shape, x.dtype)


def _broadcast(x: Array, shape: Shape) -> Array:
    # What is small is filled: NumPy computes with a view of zero strides at a third of the speed.
    if prod(shape) <= _SMALL:
        out = np.empty(shape, x.dtype)
        out[...] = x
        return out
    return np.broadcast_to(x, shape)


def _broadcast_index(x: ArrayType, *, shape: Shape) -> Formula:
    here = axes(len(shape))[len(shape) - len(x.shape) :]
    where = tuple(Const(0) if n == 1 else i for i, n in zip(here, x.shape, strict=True))
    return Formula(shape, Read(0, where))


def sum_to(g: Any, shape: Shape) -> Any:
    """The adjoint of broadcasting: sum over the axes that were repeated."""
    lead = len(g.node.shape) - len(shape)
    new = tuple(range(lead))
    thin = tuple(i for i, n in enumerate(shape, lead) if n != g.node.shape[i])
    if not lead:
        return reductions.sum(g, axes=thin, keepdims=True) if thin else g
    total = reductions.sum(g, axes=new + thin, keepdims=False)
    return total.reshaped(shape) if thin else total


broadcast = Primitive(
    "broadcast", _broadcast, _broadcast_type,
    [lambda g, out, x, shape: sum_to(g, x.node.shape)],
    Notation("{0}", "{0}"), _broadcast_index, sampled((3, 1), shape=(2, 3, 4)),
)  # fmt: skip


# reshape
def _reshape_type(x: ArrayType, *, shape: Shape) -> ArrayType:
    if prod(shape) != prod(x.shape):
        raise ShapeError(
            f"shape {list(shape)} has {prod(shape)} elements; the tensor of shape "
            f"{list(x.shape)} has {prod(x.shape)}"
        )
    return ArrayType(shape, x.dtype)


def _reshape_index(x: ArrayType, *, shape: Shape) -> Formula:
    flat: Term = Const(0)
    for i, n in enumerate(shape):
        flat = flat * n + Axis(i)
    where: list[Term] = []
    for k, n in enumerate(x.shape):
        after = prod(x.shape[k + 1 :])
        where.append((flat // max(after, 1)) % max(n, 1))
    return Formula(shape, Read(0, tuple(where)))


reshape: Primitive = Primitive(
    "reshape", lambda x, shape: x.reshape(shape), _reshape_type,
    [lambda g, out, x, shape: reshape(g, shape=x.node.shape)],
    Notation("{0}", "{0}"), _reshape_index, sampled((2, 6), shape=(3, 4)),
)  # fmt: skip


# transpose
def _transpose_type(x: ArrayType, *, axes: Shape) -> ArrayType:
    if sorted(axes) != list(range(len(x.shape))):
        raise DimensionError(f"axes {axes} do not name each of the {len(x.shape)} dimensions once")
    return ArrayType(tuple(x.shape[i] for i in axes), x.dtype)


def _transpose_index(x: ArrayType, *, axes: Shape) -> Formula:
    shape = tuple(x.shape[i] for i in axes)
    return Formula(shape, Read(0, tuple(Axis(axes.index(k)) for k in range(len(axes)))))


def inverse(permutation: Shape) -> Shape:
    return tuple(permutation.index(k) for k in range(len(permutation)))


transpose: Primitive = Primitive(
    "transpose", lambda x, axes: x.transpose(axes), _transpose_type,
    [lambda g, out, x, axes: transpose(g, axes=inverse(axes))],
    Notation("{0}ᵀ", r"{{{0}}}^{{\top}}", 4), _transpose_index, sampled((2, 3, 4), axes=(2, 0, 1)),
)  # fmt: skip


# slice: start:stop:step along each axis, step > 0. Its adjoint is pad.
def _slices(start: Shape, stop: Shape, step: Shape) -> tuple[slice, ...]:
    return tuple(map(slice, start, stop, step))


def _slice_type(x: ArrayType, *, start: Shape, stop: Shape, step: Shape) -> ArrayType:
    for a, b, s, n in zip(start, stop, step, x.shape, strict=True):
        if not (0 <= a <= b <= n and s > 0):
            raise DimensionError(f"slice {a}:{b}:{s} leaves an axis of length {n}")
    return ArrayType(
        tuple(len(range(a, b, s)) for a, b, s in zip(start, stop, step, strict=True)), x.dtype
    )


def _slice_index(x: ArrayType, *, start: Shape, stop: Shape, step: Shape) -> Formula:
    shape = _slice_type(x, start=start, stop=stop, step=step).shape
    where = tuple(Axis(k) * s + a for k, (a, s) in enumerate(zip(start, step, strict=True)))
    return Formula(shape, Read(0, where))


def _slice_vjp(g: Any, out: Any, x: Any, start: Shape, stop: Shape, step: Shape) -> Any:
    spans = [max(n - 1, 0) * s + min(n, 1) for n, s in zip(out.node.shape, step, strict=True)]
    high = tuple(n - a - w for n, a, w in zip(x.node.shape, start, spans, strict=True))
    return pad(g, low=start, high=high, between=tuple(s - 1 for s in step))


slice_ = Primitive(
    "slice", lambda x, start, stop, step: x[_slices(start, stop, step)], _slice_type, [_slice_vjp],
    Notation("{0}[…]", "{0}[\\ldots]"), _slice_index,
    sampled((5, 4), start=(1, 0), stop=(5, 3), step=(2, 1)),
)  # fmt: skip


# pad: zeros before, after and between the elements of each axis.
def _pad_type(x: ArrayType, *, low: Shape, high: Shape, between: Shape) -> ArrayType:
    sizes = zip(x.shape, low, high, between, strict=True)
    return ArrayType(tuple(a + n + max(n - 1, 0) * m + b for n, a, b, m in sizes), x.dtype)


def _pad(x: Array, low: Shape, high: Shape, between: Shape) -> Array:
    kind = _pad_type(ArrayType(x.shape, x.dtype), low=low, high=high, between=between)
    out = np.zeros(kind.shape, kind.dtype)
    spans = [max(n - 1, 0) * (m + 1) + min(n, 1) for n, m in zip(x.shape, between, strict=True)]
    stop = tuple(a + w for a, w in zip(low, spans, strict=True))
    out[_slices(low, stop, tuple(m + 1 for m in between))] = x
    return out


def _pad_index(x: ArrayType, *, low: Shape, high: Shape, between: Shape) -> Formula:
    kind = _pad_type(x, low=low, high=high, between=between)
    where: list[Term] = []
    present: Term = Const(1)
    for k, (a, m, n) in enumerate(zip(low, between, x.shape, strict=True)):
        offset = Axis(k) - a
        where.append(offset // (m + 1))
        hit = compare("equal", offset % (m + 1), 0)
        for condition in (inside(where[-1], n), hit):
            present = compare("logical_and", present, condition)
    return Formula(kind.shape, select(present, Read(0, tuple(where)), 0))


def _pad_vjp(g: Any, out: Any, x: Any, low: Shape, high: Shape, between: Shape) -> Any:
    sizes = zip(x.node.shape, low, between, strict=True)
    stop = tuple(a + max(n - 1, 0) * (m + 1) + min(n, 1) for n, a, m in sizes)
    return slice_(g, start=low, stop=stop, step=tuple(m + 1 for m in between))


pad = Primitive(
    "pad", _pad, _pad_type, [_pad_vjp], Notation("pad({0})", r"\operatorname{{pad}}({0})"),
    _pad_index, sampled((2, 3), low=(1, 0), high=(0, 2), between=(0, 1)),
)  # fmt: skip


# concatenate
def _concatenate_type(*parts: ArrayType, axis: int) -> ArrayType:
    first = parts[0]
    for part in parts[1:]:
        pairs = [*zip(part.shape, first.shape, strict=False)]
        agree = all(n == m for k, (n, m) in enumerate(pairs) if k != axis)
        if not agree or len(part.shape) != len(first.shape):
            raise ShapeError(
                f"cannot concatenate shapes {list(first.shape)} and {list(part.shape)} along "
                f"dimension {axis}: every other dimension must agree"
            )
    if len({part.dtype for part in parts}) > 1:
        raise DtypeError("concatenate got " + " and ".join(sorted({str(p.dtype) for p in parts})))
    total = sum(part.shape[axis] for part in parts)
    return ArrayType((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


def _concatenate_index(*parts: ArrayType, axis: int) -> Formula:
    kind = _concatenate_type(*parts, axis=axis)
    here = axes(len(kind.shape))
    body: Term = Const(0)
    stop = kind.shape[axis]
    for k, part in reversed([*enumerate(parts)]):
        start = stop - part.shape[axis]
        if start == stop:
            continue
        read = Read(k, (*here[:axis], here[axis] - start, *here[axis + 1 :]))
        last = stop == kind.shape[axis]
        body = read if last else select(compare("less", here[axis], stop), read, body)
        stop = start
    return Formula(kind.shape, body)


def _concatenate_rule(argnum: int) -> Any:
    def rule(g: Any, out: Any, *parts: Any, axis: int) -> Any:
        shape = parts[argnum].node.shape
        begin = sum(part.node.shape[axis] for part in parts[:argnum])
        start = tuple(begin if k == axis else 0 for k in range(len(shape)))
        stop = tuple(a + n for a, n in zip(start, shape, strict=True))
        return slice_(g, start=start, stop=stop, step=(1,) * len(shape))

    return rule


concatenate = Primitive(
    "concatenate", lambda *parts, axis: np.concatenate(parts, axis), _concatenate_type,
    _concatenate_rule, Notation("[{0}]", "[{0}]"), _concatenate_index,
    sampled((2, 3), (2, 1), (2, 2), axis=1), variadic=True,
)  # fmt: skip


# flip
def _flip_index(x: ArrayType, *, axes: Shape) -> Formula:
    where = tuple(Const(n - 1) - Axis(k) if k in axes else Axis(k) for k, n in enumerate(x.shape))
    return Formula(x.shape, Read(0, where))


flip: Primitive = Primitive(
    "flip", lambda x, axes: np.flip(x, axes).copy(), lambda x, axes: x,
    [lambda g, out, x, axes: flip(g, axes=axes)],
    Notation("flip({0})", r"\operatorname{{flip}}({0})"), _flip_index, sampled((3, 4), axes=(0,)),
)  # fmt: skip
