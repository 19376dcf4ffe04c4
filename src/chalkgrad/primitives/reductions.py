"""Primitives that fold axes: sum, mean, max, min, prod, cumsum, argmax, argmin, argsort."""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

import numpy as np

from chalkgrad.core.errors import DimensionError, ShapeError
from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import Apply, Axis, Const, Formula, Read, Reduce, Term, compare, select
from chalkgrad.core.primitive import Domain, Notation, Primitive, Rule, called
from chalkgrad.primitives import elementwise as e

INT64 = np.dtype(np.int64)


def folded(shape: Shape, axes: Shape, keepdims: bool) -> Shape:
    """The shape that is left when `axes` are reduced."""
    return tuple(1 if k in axes else n for k, n in enumerate(shape) if keepdims or k not in axes)


def _where(
    shape: Shape, axes: Shape, keepdims: bool
) -> tuple[tuple[Term, ...], list[tuple[int, int]]]:
    """How an input is read by a reduction, and its running indices."""
    rank = len(folded(shape, axes, keepdims))
    kept = iter([k for k in range(len(shape)) if keepdims or k not in axes])
    place = {k: i for i, k in enumerate(kept)}
    running = [(rank + i, shape[k]) for i, k in enumerate(axes)]
    ids = {k: rank + i for i, k in enumerate(axes)}
    return tuple(Axis(ids[k] if k in axes else place[k]) for k in range(len(shape))), running


def reduction(
    name: str, numpy: Callable[..., Any], vjp: Rule | None, notation: Notation, domain: Domain,
    *, kind: str | None = None, scale: bool = False, needs_elements: bool = False,
) -> Primitive:  # fmt: skip
    """The record of a fold over `axes`."""

    def type_rule(x: ArrayType, *, axes: Shape, keepdims: bool) -> ArrayType:
        if any(not 0 <= k < len(x.shape) for k in axes):
            raise DimensionError(f"{name} over dimensions {axes} of a shape {list(x.shape)}")
        if needs_elements and any(x.shape[k] == 0 for k in axes):
            raise ShapeError(f"{name} over dimensions {axes} of shape {list(x.shape)}: no elements")
        return ArrayType(folded(x.shape, axes, keepdims), x.dtype)

    def index(x: ArrayType, *, axes: Shape, keepdims: bool) -> Formula:
        where, running = _where(x.shape, axes, keepdims)
        body: Term = Read(0, where)
        if running:
            body = Reduce(kind or name, tuple(running), body)
        if scale:
            body = Apply("divide", (body, Const(product(x.shape[k] for k in axes))))
        return Formula(folded(x.shape, axes, keepdims), body)

    return Primitive(name, numpy, type_rule, [vjp], notation, index, domain)


def spread(g: Any, x: Any, axes: Shape, keepdims: bool) -> Any:
    """Repeat a reduced gradient along the axes that were folded."""
    shape = x.node.shape
    thin = folded(shape, axes, True)
    return g.reshaped(thin).broadcasted(shape) if axes else g


def _sample(**params: Any) -> Domain:
    return Domain(samples=lambda rng: ([rng.permutation(24).reshape(2, 3, 4) / 7.0 - 1.3], params))


_fold: Any = np.add.reduce  # NumPy's stub knows only keywords, which cost more than a small sum


def _sum(x: Array, axes: Shape, keepdims: bool) -> Any:
    return _fold(x, axes, x.dtype if x.dtype.kind != "f" else None, None, keepdims)


def _mean(x: Array, axes: Shape, keepdims: bool) -> Any:
    total = _fold(x, axes, None, None, keepdims)
    return total / e.number(x.size // max(total.size, 1), x.dtype)


sum = reduction(
    "sum", _sum, lambda g, out, x, axes, keepdims: spread(g, x, axes, keepdims),
    Notation("Σ {0}", r"\sum {0}", 2), _sample(axes=(0, 2), keepdims=False),
)  # fmt: skip
mean = reduction(
    "mean", _mean,
    lambda g, out, x, axes, keepdims: spread(
        g / max(product(x.node.shape[k] for k in axes), 1), x, axes, keepdims),
    called("mean"), _sample(axes=(1,), keepdims=True), kind="sum", scale=True,
)  # fmt: skip


def _extreme_vjp(g: Any, out: Any, x: Any, axes: Shape, keepdims: bool) -> Any:
    # Elements that tie for the extreme share its gradient equally.
    best = e.equal(x, spread(out, x, axes, keepdims))
    winners = e.cast(best, dtype=x.node.dtype)
    count = spread(sum(winners, axes=axes, keepdims=keepdims), x, axes, keepdims)
    return spread(g, x, axes, keepdims) * winners / count


max_ = reduction(
    "max", lambda x, axes, keepdims: np.maximum.reduce(x, axes, keepdims=keepdims), _extreme_vjp,
    called("max", r"\max"), _sample(axes=(2,), keepdims=False), needs_elements=True,
)  # fmt: skip
min_ = reduction(
    "min", lambda x, axes, keepdims: np.minimum.reduce(x, axes, keepdims=keepdims), _extreme_vjp,
    called("min", r"\min"), _sample(axes=(0, 1), keepdims=True), needs_elements=True,
)  # fmt: skip


def _prod_vjp(g: Any, out: Any, x: Any, axes: Shape, keepdims: bool) -> Any:
    """The product of the *other* elements: of those that are not 0, and of the zeros among them."""

    def fold(primitive: Primitive, of: Any) -> Any:
        return spread(primitive(of, axes=axes, keepdims=keepdims), x, axes, keepdims)

    zero, one = x.literal(0), x.literal(1)
    at_zero = e.equal(x, zero)
    nonzero, zeros = e.select(at_zero, one, x), e.select(at_zero, x, one)
    count = fold(sum, e.cast(at_zero, dtype=x.node.dtype))
    # A zero alone has no other zero; of two, each has the other, whose slope matters to a second
    # derivative: it is their sum without itself.
    other = fold(sum, e.select(at_zero, x, zero)) - x
    pair = e.select(e.equal(count, x.literal(2)), other, zero)
    other_zeros = e.select(at_zero, e.select(e.equal(count, one), one, pair), fold(prod, zeros))
    return spread(g, x, axes, keepdims) * (fold(prod, nonzero) / nonzero * other_zeros)


prod: Primitive = reduction(
    "prod", lambda x, axes, keepdims: np.prod(x, axes, x.dtype, keepdims=keepdims), _prod_vjp,
    Notation("Π {0}", r"\prod {0}", 2), _sample(axes=(0,), keepdims=False),
)  # fmt: skip


# argmax and argmin: the first index of the extreme along one axis.
def _argument(name: str, numpy: Callable[..., Any]) -> Primitive:
    def type_rule(x: ArrayType, *, axis: int) -> ArrayType:
        if x.shape[axis] == 0:
            raise ShapeError(f"{name} over dimension {axis} of shape {list(x.shape)}: no elements")
        return ArrayType(folded(x.shape, (axis,), False), INT64)

    def index(x: ArrayType, *, axis: int) -> Formula:
        where, running = _where(x.shape, (axis,), False)
        body = Reduce(name, tuple(running), Read(0, where))
        return Formula(folded(x.shape, (axis,), False), body)

    return Primitive(name, lambda x, axis: numpy(x, axis), type_rule, [None],
                     called(name), index, _sample(axis=1))  # fmt: skip


argmax = _argument("argmax", np.argmax)
argmin = _argument("argmin", np.argmin)


# cumsum: out[i] = Σ over k ≤ i. Its adjoint sums from the other end.
def _cumsum_index(x: ArrayType, *, axis: int, reverse: bool) -> Formula:
    k = len(x.shape)
    where = tuple(Axis(k) if i == axis else Axis(i) for i in range(k))
    counts = compare("less_equal", *((Axis(axis), Axis(k)) if reverse else (Axis(k), Axis(axis))))
    body = select(counts, Read(0, where), 0)
    return Formula(x.shape, Reduce("sum", ((k, x.shape[axis]),), body))


def _cumsum(x: Array, axis: int, reverse: bool) -> Array:
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis, x.dtype), axis)
    return np.cumsum(x, axis, x.dtype)


cumsum: Primitive = Primitive(
    "cumsum", _cumsum, lambda x, axis, reverse: x,
    [lambda g, out, x, axis, reverse: cumsum(g, axis=axis, reverse=not reverse)],
    called("cumsum"), _cumsum_index, _sample(axis=1, reverse=False),
)  # fmt: skip


# argsort: the stable order. out[k] is the element whose rank is k, where an element's rank counts
# the smaller ones, and the equal ones before it. NaN is larger than any number, and equal to NaN.
def _argsort(x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - backwards, axis)


def _argsort_index(x: ArrayType, *, axis: int, descending: bool) -> Formula:
    rank = len(x.shape)
    n = x.shape[axis]

    def at(id: int) -> Term:
        return Read(0, tuple(Axis(id) if i == axis else Axis(i) for i in range(rank)))

    element, other = rank, rank + 1
    word = "greater" if descending else "less"
    ahead, same = (compare(name, at(other), at(element)) for name in (word, "equal"))
    if x.dtype.kind == "f":
        missing = [compare("not_equal", at(id), at(id)) for id in (other, element)]
        ahead = compare("logical_or", ahead, compare(word, *missing))
        same = compare("logical_or", same, compare("logical_and", *missing))
    tie = compare("logical_and", same, compare("less", Axis(other), Axis(element)))
    before = select(compare("logical_or", ahead, tie), 1, 0)
    found = compare("equal", Reduce("sum", ((other, n),), before), Axis(axis))
    return Formula(x.shape, Reduce("sum", ((element, n),), select(found, Axis(element), 0)))


argsort = Primitive(
    "argsort", _argsort, lambda x, axis, descending: ArrayType(x.shape, INT64), [None],
    called("argsort"), _argsort_index, _sample(axis=1, descending=False),
)  # fmt: skip


# cumprod: out[i] = Π over k ≤ i. Towards x[k], the product of the others: out / x, and from the
# first zero on, the product that leaves this zero out.
def _cumprod_vjp(g: Any, out: Any, x: Any, axis: int) -> Any:
    one, at_zero = x.literal(1), e.equal(x, x.literal(0))
    zeros = cumsum(e.cast(at_zero, dtype=x.node.dtype), axis=axis, reverse=False)
    first = e.logical_and(at_zero, e.equal(zeros, one))
    without = cumsum(g * cumprod(e.select(first, one, x), axis=axis), axis=axis, reverse=True)
    others = cumsum(g * out, axis=axis, reverse=True) / e.select(at_zero, one, x)
    return e.select(first, without, others)


def _cumprod_index(x: ArrayType, *, axis: int) -> Formula:
    k = len(x.shape)
    where = tuple(Axis(k) if i == axis else Axis(i) for i in range(k))
    body = select(compare("less_equal", Axis(k), Axis(axis)), Read(0, where), 1)
    return Formula(x.shape, Reduce("prod", ((k, x.shape[axis]),), body))


cumprod = Primitive(
    "cumprod", lambda x, axis: np.cumprod(x, axis, x.dtype), lambda x, axis: x, [_cumprod_vjp],
    called("cumprod"), _cumprod_index, _sample(axis=1),
)  # fmt: skip
