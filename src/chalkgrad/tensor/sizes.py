"""Reading sizes and whole numbers as people write them, checked once at the door."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

from chalkgrad.core.errors import ShapeError, TypeMismatch
from chalkgrad.core.graph import Shape
from chalkgrad.tensor.arguments import dimension


def whole(number: Any, what: str) -> int:
    """A whole number from an int, a NumPy integer or an integer tensor of one element."""
    try:
        return index(number)
    except TypeError:
        kind = type(number).__name__
        raise TypeMismatch(f"{what} must be an int, not {kind} {number!r:.40}") from None


def sizes(given: Sequence[Any], named: Any = None) -> Shape:
    """The numbers of `f(2, 3)`, `f((2, 3))` or `f(shape=(2, 3))`."""
    if named is not None:
        given = named if isinstance(named, (tuple, list)) else (named,)
    elif len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    elif not given:
        raise TypeMismatch("missing the sizes, as in reshape(2, 3) or reshape((2, 3))")
    return tuple([n if type(n) is int else whole(n, "a size") for n in given])


def inferred(shape: Shape, count: int) -> Shape:
    """A shape for `count` elements; one size may be -1 and follows from the others."""
    known = prod(shape)
    if -1 not in shape:
        if known == count and min(shape, default=0) >= 0:
            return shape
    elif shape.count(-1) > 1:
        raise ShapeError(f"only one dimension can be inferred, but {list(shape)} has several -1")
    elif known == 0 and count == 0:
        raise ShapeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    elif known < 0 and count % known == 0 and min(shape) == -1:
        return tuple([count // -known if n == -1 else n for n in shape])
    raise ShapeError(
        f"shape '{list(shape)}' is invalid for input of size {count}: the product of the sizes "
        "must be the number of elements"
    )


def places(dims: Any, rank: int) -> Shape:
    """One or several dimensions, counted from the front."""
    return tuple([dimension(dim, rank) for dim in sizes((dims,))])


def distinct(dims: Any, rank: int) -> Shape:
    """One or several dimensions, each named once."""
    found = places(dims, rank)
    if len(set(found)) < len(found):
        twice = next(dim for k, dim in enumerate(found) if dim in found[:k])
        raise ShapeError(f"dim {twice} appears multiple times in the list of dims {dims}")
    return found
