"""Convolution and pooling over any number of spatial axes.

The input x is (N, C, *size), the weight w is (O, C/groups, *kernel). A convolution is linear in its
input and in its weight, so its two derivatives are linear too, and each is a primitive here: three
records, each the derivative of the others.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.errors import DtypeError, ShapeError
from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import (
    Apply,
    Axis,
    Const,
    Formula,
    Read,
    Reduce,
    Term,
    axes,
    compare,
    inside,
    select,
)
from chalkgrad.core.primitive import Domain, Notation, Primitive
from chalkgrad.primitives.indexing import take_along
from chalkgrad.primitives.shaping import slice_

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def output_size(
    size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape
) -> Shape:
    """How many windows fit along each axis."""
    parts = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in parts)


def _spans(kernel: Shape, stride: Shape, dilation: Shape, out: Shape) -> list[int]:
    """How far `out` windows reach along each axis."""
    parts = zip(kernel, stride, dilation, out, strict=True)
    return [(o - 1) * s + d * (k - 1) + 1 for k, s, d, o in parts]


def _windows(
    x: Array, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, out: Shape,
    fill: Any = 0,
) -> Array:  # fmt: skip
    """A view (N, C, *kernel, *out) of every window of the padded input."""
    spans = _spans(kernel, stride, dilation, out)
    size = tuple(max(w, n + p) for w, n, p in zip(spans, x.shape[2:], padding, strict=True))
    if any(padding) or size != x.shape[2:]:
        padded = np.full((*x.shape[:2], *size), fill, x.dtype)
        places = zip(padding, x.shape[2:], strict=True)
        inner: list[Any] = [slice(p, p + n) for p, n in places]
        padded[(..., *inner)] = x
    else:
        padded = np.ascontiguousarray(x)
    steps = padded.strides[2:]
    strides = (
        *padded.strides[:2],
        *(t * d for t, d in zip(steps, dilation, strict=True)),
        *(t * s for t, s in zip(steps, stride, strict=True)),
    )
    return np.lib.stride_tricks.as_strided(padded, (*x.shape[:2], *kernel, *out), strides)


def _spread_windows(
    columns: Array, size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape
) -> Array:
    """The adjoint of `_windows`: add (N, C, *kernel, *out) back to where each window was."""
    out = columns.shape[2 + len(kernel) :]
    spans = _spans(kernel, stride, dilation, out)
    room = tuple(max(w, n + p) for w, n, p in zip(spans, size, padding, strict=True))
    total = np.zeros((*columns.shape[:2], *room), columns.dtype)
    for place in np.ndindex(*kernel):
        parts = zip(place, stride, dilation, out, strict=True)
        target: list[Any] = [slice(k * d, k * d + (o - 1) * s + 1, s) for k, s, d, o in parts]
        total[(..., *target)] += columns[_at(place)]
    inner: list[Any] = [slice(p, p + n) for p, n in zip(padding, size, strict=True)]
    return total[(..., *inner)]


def _at(place: Shape) -> Any:
    """One place of the kernel, in every window."""
    return (slice(None), slice(None), *place)


# The three convolutions. Their parameters: stride, padding, dilation (an int an axis) and groups.
def _columns(x: Array, kernel: Shape, out: Shape, geometry: dict[str, Any], groups: int) -> Array:
    """The windows as matrices: (N, groups, C/groups · kernel, positions)."""
    windows = _windows(x, kernel, out=out, **geometry)
    return windows.reshape(x.shape[0], groups, (x.shape[1] // groups) * prod(kernel), prod(out))


def _convolve(x: Array, w: Array, groups: int, **geometry: Any) -> Any:
    out = output_size(x.shape[2:], w.shape[2:], **geometry)
    columns = _columns(x, w.shape[2:], out, geometry, groups)
    rows = w.reshape(groups, w.shape[0] // groups, -1 if w.size else prod(w.shape[1:]))
    return np.matmul(rows, columns).reshape(x.shape[0], w.shape[0], *out)


def _input_gradient(g: Array, w: Array, size: Shape, groups: int, **geometry: Any) -> Array:
    kernel, out = w.shape[2:], g.shape[2:]
    rows = w.reshape(groups, w.shape[0] // groups, prod(w.shape[1:])).swapaxes(1, 2)
    columns = np.matmul(rows, g.reshape(g.shape[0], groups, w.shape[0] // groups, prod(out)))
    columns = columns.reshape(g.shape[0], groups * w.shape[1], *kernel, *out)
    return _spread_windows(columns, size, kernel, **geometry)


def _weight_gradient(x: Array, g: Array, kernel: Shape, groups: int, **geometry: Any) -> Any:
    out = g.shape[2:]
    columns = _columns(x, kernel, out, geometry, groups)
    rows = g.reshape(g.shape[0], groups, g.shape[1] // groups, prod(out))
    total = np.matmul(rows, columns.swapaxes(2, 3)).sum(0)
    return total.reshape(g.shape[1], x.shape[1] // groups, *kernel)


def _convolve_type(x: ArrayType, w: ArrayType, *, groups: int, **geometry: Any) -> ArrayType:
    if x.dtype != w.dtype:
        raise DtypeError(f"convolution of {x.dtype} input with {w.dtype} weight")
    if len(x.shape) != len(w.shape):
        raise ShapeError(
            f"convolution of an input of shape {list(x.shape)} with a weight of shape "
            f"{list(w.shape)}: both need {len(w.shape)} dimensions (batch, channels, then space)"
        )
    if x.shape[1] != w.shape[1] * groups:
        raise ShapeError(
            f"convolution got {x.shape[1]} channels, input of shape {list(x.shape)}; its weight of "
            f"shape {list(w.shape)} with groups={groups} takes {w.shape[1] * groups}"
        )
    out = output_size(x.shape[2:], w.shape[2:], **geometry)
    if any(n <= 0 for n in out):
        raise ShapeError(
            f"the kernel {list(w.shape[2:])} does not fit into the padded input: its size is "
            f"{list(x.shape[2:])}, padding {list(geometry['padding'])}, "
            f"dilation {list(geometry['dilation'])}"
        )
    return ArrayType((x.shape[0], w.shape[0], *out), x.dtype)


def _input_place(p: Term, k: Term, s: int, pad: int, d: int) -> Term:
    return p * s + k * d - pad


def _guarded(argnum: int, lead: tuple[Term, ...], where: list[Term], size: Shape) -> Term:
    """The element there, or 0 outside of the array."""
    read: Term = Read(argnum, (*lead, *where))
    for index, n in zip(where, size, strict=True):
        read = select(inside(index, n), read, 0)
    return read


def _running(start: int, *extents: int) -> tuple[tuple[Axis, ...], tuple[tuple[int, int], ...]]:
    ids = axes(len(extents), start)
    return ids, tuple((i.id, n) for i, n in zip(ids, extents, strict=True))


def _places(
    positions: Any, offsets: Any, stride: Shape, padding: Shape, dilation: Shape
) -> list[Term]:
    parts = zip(positions, offsets, stride, padding, dilation, strict=True)
    return [_input_place(p, k, s, pad, d) for p, k, s, pad, d in parts]


def _convolve_index(x: ArrayType, w: ArrayType, *, groups: int, **geometry: Any) -> Formula:
    shape = _convolve_type(x, w, groups=groups, **geometry).shape
    n, o, *place = axes(len(shape))
    (c, *k), extents = _running(len(shape), *w.shape[1:])
    channel = o // (w.shape[0] // groups) * w.shape[1] + c
    source = _guarded(0, (n, channel), _places(place, k, **geometry), x.shape[2:])
    return Formula(shape, Reduce("sum", extents, source * Read(1, (o, c, *k))))


def _input_gradient_index(
    g: ArrayType, w: ArrayType, *, size: Shape, groups: int,
    stride: Shape, padding: Shape, dilation: Shape,
) -> Formula:  # fmt: skip
    per = w.shape[0] // groups
    shape = (g.shape[0], groups * w.shape[1], *size)
    n, c, *place = axes(len(shape))
    (o, *k), extents = _running(len(shape), per, *w.shape[2:])
    out_channel = c // w.shape[1] * per + o
    parts = zip(place, k, stride, padding, dilation, strict=True)
    offsets = [(q + pad - j * d, s) for q, j, s, pad, d in parts]
    read = _guarded(0, (n, out_channel), [offset // s for offset, s in offsets], g.shape[2:])
    for offset, s in offsets:
        read = select(compare("equal", offset % s, 0), read, 0)
    return Formula(shape, Reduce("sum", extents, read * Read(1, (out_channel, c % w.shape[1], *k))))


def _weight_gradient_index(
    x: ArrayType, g: ArrayType, *, kernel: Shape, groups: int, **geometry: Any
) -> Formula:
    per, width = g.shape[1] // groups, x.shape[1] // groups
    shape = (g.shape[1], width, *kernel)
    o, c, *k = axes(len(shape))
    (n, *place), extents = _running(len(shape), g.shape[0], *g.shape[2:])
    source = _guarded(0, (n, o // per * width + c), _places(place, k, **geometry), x.shape[2:])
    return Formula(shape, Reduce("sum", extents, source * Read(1, (n, o, *place))))


_GEOMETRY: dict[str, Any] = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}


def _sampled(*shapes: Shape, **params: Any) -> Domain:
    params = {**_GEOMETRY, **params}
    return Domain(samples=lambda rng: ([rng.normal(size=s) for s in shapes], params))


def _cut(x: Any, shape: Shape) -> Any:
    """The first windows: a dilated kernel may fit once more than the output given has room for."""
    if x.node.shape == shape:
        return x
    return slice_(x, start=(0,) * len(shape), stop=shape, step=(1,) * len(shape))


convolution = Primitive(
    "convolution", _convolve, _convolve_type,
    [
        lambda g, out, x, w, **p: convolution_input(g, w, size=x.node.shape[2:], **p),
        lambda g, out, x, w, **p: convolution_weight(x, g, kernel=w.node.shape[2:], **p),
    ],
    Notation("{0} ∗ {1}", r"{0} \ast {1}", 2), _convolve_index,
    _sampled((2, 4, 6, 7), (6, 2, 3, 2)),
)  # fmt: skip
convolution_input: Primitive = Primitive(
    "convolution_input", _input_gradient,
    lambda g, w, *, size, groups, **_: ArrayType(
        (g.shape[0], groups * w.shape[1], *size), g.dtype),
    [
        lambda g, out, x, w, size, **p: _cut(convolution(g, w, **p), x.node.shape),
        lambda g, out, x, w, size, **p: convolution_weight(g, x, kernel=w.node.shape[2:], **p),
    ],
    Notation("{0} ∗ᵀ {1}", r"{0} \ast^{{\top}} {1}", 2), _input_gradient_index,
    _sampled((2, 6, 3, 5), (6, 2, 3, 2), size=(6, 7)),
)  # fmt: skip
convolution_weight: Primitive = Primitive(
    "convolution_weight", _weight_gradient,
    lambda x, g, *, kernel, groups, **_: ArrayType(
        (g.shape[1], x.shape[1] // groups, *kernel), x.dtype),
    [
        lambda g, out, x, y, kernel, **p: convolution_input(y, g, size=x.node.shape[2:], **p),
        lambda g, out, x, y, kernel, **p: _cut(convolution(x, g, **p), y.node.shape),
    ],
    Notation("{0} ⋆ {1}", r"{0} \star {1}", 2), _weight_gradient_index,
    _sampled((2, 4, 6, 7), (2, 6, 3, 5), kernel=(3, 2)),
)  # fmt: skip


# Pooling. `out` is the number of windows along each axis; windows may reach past the input's end.
def _pool_type(x: ArrayType, *, out: Shape, **_: Any) -> ArrayType:
    return ArrayType((*x.shape[:2], *out), x.dtype)


def _window_sum(x: Array, out: Shape, kernel: Shape, **geometry: Any) -> Any:
    folded = tuple(range(2, 2 + len(kernel)))
    return _windows(x, kernel, out=out, **geometry).sum(folded, dtype=x.dtype)


def _window_spread(g: Array, size: Shape, kernel: Shape, **geometry: Any) -> Array:
    shape = (*g.shape[:2], *kernel, *g.shape[2:])
    middle = g.reshape(*g.shape[:2], *(1,) * len(kernel), *g.shape[2:])
    return _spread_windows(np.broadcast_to(middle, shape), size, kernel, **geometry)


def _window_sum_index(x: ArrayType, *, out: Shape, kernel: Shape, **geometry: Any) -> Formula:
    n, c, *place = axes(2 + len(out))
    k, extents = _running(2 + len(out), *kernel)
    body = _guarded(0, (n, c), _places(place, k, **geometry), x.shape[2:])
    return Formula((*x.shape[:2], *out), Reduce("sum", extents, body))


def _window_spread_index(
    g: ArrayType, *, size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape
) -> Formula:
    n, c, *place = axes(2 + len(size))
    k, extents = _running(2 + len(size), *kernel)
    parts = zip(place, k, stride, padding, dilation, strict=True)
    offsets = [(q + pad - j * d, s) for q, j, s, pad, d in parts]
    body = _guarded(0, (n, c), [offset // s for offset, s in offsets], g.shape[2:])
    for offset, s in offsets:
        body = select(compare("equal", offset % s, 0), body, 0)
    return Formula((*g.shape[:2], *size), Reduce("sum", extents, body))


_POOL: dict[str, Any] = {"kernel": (2, 3), "stride": (2, 2), "padding": (1, 0), "dilation": (1, 1)}


def _pooled(shape: Shape, **params: Any) -> Domain:
    count, params = prod(shape), {**_POOL, **params}
    return Domain(samples=lambda rng: ([rng.permutation(count).reshape(shape) / 9 - 2], params))


window_sum = Primitive(
    "window_sum", _window_sum, _pool_type,
    [lambda g, out_, x, out, **p: window_spread(g, size=x.node.shape[2:], **p)],
    Notation("window Σ {0}", r"\sum_{{\text{{window}}}} {0}", 2), _window_sum_index,
    _pooled((2, 3, 5, 7), out=(3, 3)),
)  # fmt: skip
window_spread: Primitive = Primitive(
    "window_spread", _window_spread,
    lambda g, *, size, **_: ArrayType((*g.shape[:2], *size), g.dtype),
    [lambda g, out_, x, size, **p: window_sum(g, out=x.node.shape[2:], **p)],
    Notation("spread({0})", r"\operatorname{{spread}}({0})"), _window_spread_index,
    _pooled((2, 3, 3, 3), size=(5, 7)),
)  # fmt: skip


def lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _max_pool(x: Array, out: Shape, kernel: Shape, **geometry: Any) -> Array:
    windows = _windows(x, kernel, out=out, fill=lowest(x.dtype), **geometry)
    best = windows[_at((0,) * len(kernel))]
    for place in list(np.ndindex(*kernel))[1:]:
        best = np.maximum(best, windows[_at(place)])
    return np.ascontiguousarray(best)


def _pool_argmax(
    x: Array, out: Shape, kernel: Shape, dtype: np.dtype[Any], **geometry: Any
) -> Array:
    rank = len(kernel)
    windows = _windows(x, kernel, out=out, fill=lowest(x.dtype), **geometry)
    flat = windows.reshape(*x.shape[:2], prod(kernel), *out)
    spans = _spans(kernel, geometry["stride"], geometry["dilation"], out)
    if any(geometry["padding"]) or any(w > n for w, n in zip(spans, x.shape[2:], strict=True)):
        # The least number may be the best, and it is what lies around the input, too.
        inner = _windows(np.ones((1, 1, *x.shape[2:]), bool), kernel, out=out, **geometry)
        best = (flat == flat.max(2, keepdims=True)) | (flat != flat)
        flat = best & inner.reshape(1, 1, prod(kernel), *out)
    flat = flat.argmax(2)
    offsets = np.unravel_index(flat, kernel)
    index = np.zeros(flat.shape, dtype)
    for a, (k, n) in enumerate(zip(offsets, x.shape[2:], strict=True)):
        p = np.arange(out[a]).reshape((-1,) + (1,) * (rank - a - 1))
        s, pad, d = geometry["stride"][a], geometry["padding"][a], geometry["dilation"][a]
        index = index * n + (p * s + k * d - pad).astype(dtype)
    return index


def _max_pool_parts(
    x: ArrayType, out: Shape, kernel: Shape, geometry: dict[str, Any]
) -> tuple[tuple[tuple[int, int], ...], list[Term], Term, Term]:
    """The running indices of a window; where an element is, its value, and its flat place."""
    n, c, *place = axes(2 + len(out))
    k, extents = _running(2 + len(out), *kernel)
    where = _places(place, k, **geometry)
    value: Term = Read(0, (n, c, *where))
    flat: Term = Const(0)
    for index, size in zip(where, x.shape[2:], strict=True):
        value = select(inside(index, size), value, lowest(x.dtype))
        flat = flat * size + index
    return extents, where, value, flat


def _max_pool_index(x: ArrayType, *, out: Shape, kernel: Shape, **geometry: Any) -> Formula:
    extents, _, value, _ = _max_pool_parts(x, out, kernel, geometry)
    return Formula((*x.shape[:2], *out), Reduce("max", extents, value))


def _pool_argmax_index(
    x: ArrayType, *, out: Shape, kernel: Shape, dtype: np.dtype[Any], **geometry: Any
) -> Formula:
    # The first place of the window, inside of the input, whose element is the maximum or NaN.
    extents, where, value, flat = _max_pool_parts(x, out, kernel, geometry)
    best = Reduce("max", extents, value)
    rename = {i: i + len(extents) for i, _ in extents}
    again = tuple((rename[i], n) for i, n in extents)
    again_value = renamed(value, rename)
    hit: Term = compare("equal", again_value, best)
    if x.dtype.kind == "f":
        hit = Apply("logical_or", (hit, compare("not_equal", again_value, again_value)))
    for index, size in zip(where, x.shape[2:], strict=True):
        hit = Apply("logical_and", (hit, inside(renamed(index, rename), size)))
    place = Apply(f"cast:{dtype}", (renamed(flat, rename),))
    return Formula(
        (*x.shape[:2], *out), Reduce("min", again, select(hit, place, np.iinfo(dtype).max))
    )


# The gradient of pooling adds each number of g at its place. An element asks the windows that can
# reach it: where they don't overlap, that is one.
def _pool_scatter(g: Array, places: Array, size: Shape, **_: Any) -> Array:
    lead = g.shape[:2]
    out = np.zeros((*lead, *size), g.dtype)
    if g.size:
        images = np.arange(prod(lead)).reshape(*lead, *(1,) * len(size)) * prod(size)
        np.add.at(out.reshape(-1), (places + images).reshape(-1), g.reshape(-1))
    return out


def _pool_scatter_index(
    g: ArrayType, places: ArrayType, *, size: Shape, kernel: Shape, stride: Shape, padding: Shape,
    dilation: Shape,
) -> Formula:  # fmt: skip
    n, c, *place = axes(2 + len(size))
    before = [d * (k - 1) // s for k, s, d in zip(kernel, stride, dilation, strict=True)]
    t, extents = _running(2 + len(size), *[b + 1 for b in before])
    parts = zip(place, t, before, stride, padding, strict=True)
    where = [(q + pad) // s + (step - b) for q, step, b, s, pad in parts]
    flat: Term = Const(0)
    for q, extent in zip(place, size, strict=True):
        flat = flat * extent + q
    here = Apply(f"cast:{places.dtype}", (flat,))
    body = select(compare("equal", Read(1, (n, c, *where)), here), Read(0, (n, c, *where)), 0)
    for index, extent in zip(where, g.shape[2:], strict=True):
        body = select(inside(index, extent), body, 0)
    return Formula((*g.shape[:2], *size), Reduce("sum", extents, body))


def renamed(node: Term, ids: dict[int, int]) -> Term:
    """The same term with other running indices."""
    match node:
        case Axis(id):
            return Axis(ids.get(id, id))
        case Read(argnum, where):
            return Read(argnum, tuple(renamed(i, ids) for i in where))
    if hasattr(node, "arguments"):
        return type(node)(node.function, tuple(renamed(a, ids) for a in node.arguments))  # type: ignore[attr-defined,call-arg]
    return node


def _max_pool_vjp(g: Any, out_: Any, x: Any, **p: Any) -> Any:
    size = x.node.shape[2:]
    places = pool_argmax(x, **p, dtype=INT32 if prod(size) <= np.iinfo(INT32).max else INT64)
    return pool_scatter(g, places, size=size, **{k: v for k, v in p.items() if k != "out"})


def _pool_scatter_vjp(g: Any, out_: Any, x: Any, places: Any, size: Shape, **_: Any) -> Any:
    flat = (*x.node.shape[:2], prod(x.node.shape[2:]))
    images = g.reshaped((*flat[:2], prod(size)))
    return take_along(images, places.reshaped(flat), axis=2).reshaped(x.node.shape)


def _sample_pool_scatter(rng: np.random.Generator) -> tuple[list[Array], dict[str, Any]]:
    x, geometry = rng.permutation(210).reshape(2, 3, 5, 7), _POOL
    places = _pool_argmax(x, (3, 3), dtype=INT32, **geometry)
    return [rng.normal(size=places.shape), places], {"size": (5, 7), **geometry}


max_pool = Primitive(
    "max_pool", _max_pool, _pool_type, [_max_pool_vjp],
    Notation("window max {0}", r"\max_{{\text{{window}}}} {0}", 2), _max_pool_index,
    _pooled((2, 3, 5, 7), out=(3, 3)),
)  # fmt: skip
pool_argmax = Primitive(
    "pool_argmax", _pool_argmax,
    lambda x, *, out, dtype, **_: ArrayType((*x.shape[:2], *out), dtype), [None],
    Notation("window argmax {0}", r"\operatorname{{argmax}}_{{\text{{window}}}} {0}", 2),
    _pool_argmax_index, _pooled((2, 3, 5, 7), out=(3, 3), dtype=INT64),
)  # fmt: skip
pool_scatter: Primitive = Primitive(
    "pool_scatter", _pool_scatter,
    lambda g, places, *, size, **_: ArrayType((*g.shape[:2], *size), g.dtype),
    [_pool_scatter_vjp, None],
    Notation("add({0} at {1})", r"\operatorname{{add}}({0}, {1})"), _pool_scatter_index,
    Domain(samples=_sample_pool_scatter),
)  # fmt: skip
