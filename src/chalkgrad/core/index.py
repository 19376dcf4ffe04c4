"""Index notation: what one element of a primitive's output is.

    Formula ::= axes (the extents of the output), body: Term
    Term    ::= Const(number)                      a number
              | Axis(id)                           the value of a running index
              | Read(argnum, Term*)                an element of an input; its indices are terms too
              | Apply(function, Term*)             a scalar function, by name
              | Reduce(kind, (id, extent)*, Term)  over running indices of its own: sum, prod, max,
                                                   min, argmax or argmin

so a matrix product says `Formula((m, n), Reduce("sum", ((2, k),), a[i, l] * b[l, j]))`. An index
that is itself a `Read` makes gather and scatter part of the notation. The compiler reads a formula
as a loop nest, the explainer expands one output element with it, and `evaluate` runs it, slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Shape


class Term:
    """Part of a formula. Terms add, subtract, multiply and divide into larger terms."""

    __slots__ = ()

    def __add__(self, other: Term | float) -> Term:
        return Apply("add", (self, term(other)))

    def __sub__(self, other: Term | float) -> Term:
        return Apply("subtract", (self, term(other)))

    def __mul__(self, other: Term | float) -> Term:
        return Apply("multiply", (self, term(other)))

    def __floordiv__(self, other: int) -> Term:
        return Apply("floor_divide", (self, term(other)))

    def __mod__(self, other: int) -> Term:
        return Apply("remainder", (self, term(other)))


@dataclass(frozen=True, slots=True)
class Const(Term):
    value: float


@dataclass(frozen=True, slots=True)
class Axis(Term):
    id: int


@dataclass(frozen=True, slots=True)
class Read(Term):
    argnum: int
    indices: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Apply(Term):
    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Reduce(Term):
    kind: str
    axes: tuple[tuple[int, int], ...]  # (id, extent)
    body: Term


@dataclass(frozen=True, slots=True)
class Formula:
    axes: Shape
    body: Term


def term(value: Term | float) -> Term:
    return value if isinstance(value, Term) else Const(value)


def axes(count: int, start: int = 0) -> tuple[Axis, ...]:
    """`count` running indices, numbered from `start`."""
    return tuple(Axis(start + i) for i in range(count))


def compare(name: str, a: Term | float, b: Term | float) -> Term:
    return Apply(name, (term(a), term(b)))


def select(condition: Term, then: Term | float, otherwise: Term | float) -> Term:
    return Apply("select", (condition, term(then), term(otherwise)))


def inside(index: Term, extent: int) -> Term:
    """Is 0 ≤ index < extent?"""
    low, high = compare("greater_equal", index, 0), compare("less", index, extent)
    return Apply("logical_and", (low, high))


_REDUCERS: dict[str, Callable[..., Array]] = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "argmax": np.argmax,
    "argmin": np.argmin,
}


def evaluate(
    formula: Formula, inputs: Sequence[Array], functions: Callable[[str], Callable[..., Any]]
) -> Array:
    """Run a formula on arrays, every running index laid out as an axis of one large array.

    `functions` gives the NumPy meaning of a scalar function's name. A read out of range yields some
    element of the array: a formula that pads selects another value in its place.
    """

    def grid(extents: dict[int, int]) -> dict[int, Array]:
        count = len(extents)
        return {
            axis: np.arange(extent).reshape((1,) * k + (extent,) + (1,) * (count - k - 1))
            for k, (axis, extent) in enumerate(extents.items())
        }

    def run(node: Term, extents: dict[int, int]) -> Any:
        match node:
            case Const(value):
                return value
            case Axis(id):
                return grid(extents)[id]
            case Read(argnum, indices):
                source = inputs[argnum]
                where = [run(index, extents) for index in indices]
                if not source.size:  # only a selection's other branch reads nothing
                    return np.zeros(np.broadcast_shapes(*map(np.shape, where)), source.dtype)
                sizes = zip(where, source.shape, strict=True)
                return source[tuple([np.clip(i, 0, n - 1) for i, n in sizes])]
            case Apply(function, arguments):
                return functions(function)(*(run(a, extents) for a in arguments))
            case Reduce(kind, reduced, body):
                inner = run(body, extents | dict(reduced))
                outer, folded = tuple(extents.values()), tuple(extent for _, extent in reduced)
                flat = np.broadcast_to(inner, outer + folded).reshape(*outer, prod(folded))
                return _REDUCERS[kind](flat, axis=-1)
        raise TypeError(f"no such term: {node!r}")

    extents = dict(enumerate(formula.axes))
    return np.broadcast_to(run(formula.body, extents), formula.axes)
