"""What every tensor can do: hold a node, and meet another operand in one type and one shape.

The tensor's methods stand in a chain of classes, one file a subject, each using only those before
it, from Operand to Tensor. The functions of the public face are the same methods:
`chalkgrad.exp(x)` is `x.exp()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self, TypeVar

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ShapeError, TypeMismatch
from chalkgrad.core.graph import LITERAL, Array, Node, Params, Shape, equation
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import shaping

T = TypeVar("T", bound="Operand")

_LITERALS: dict[tuple[Any, ...], Node] = {}


def literal(value: float, kind: np.dtype[Any]) -> Node:
    """The node of a number that stands in a formula. It broadcasts silently and has no gradient."""
    key = (value, type(value), kind)
    node = _LITERALS.get(key)
    if node is None or (value == 0 and math.copysign(1, value) < 0):  # -0.0 is the same key as 0.0
        number = np.asarray(value).astype(kind)
        node = equation(None, (), LITERAL, number, (), kind, False)
        if len(_LITERALS) < 4096:
            _LITERALS.setdefault(key, node)
    return node


def common_shape(name: str, a: Shape, b: Shape) -> Shape:
    """The shape to which two shapes broadcast."""
    if a == b[len(b) - len(a) :]:
        return b
    if b == a[len(a) - len(b) :]:
        return a
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        rank = max(len(a), len(b))
        long_a, long_b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
        k = next(
            k
            for k in range(rank - 1, -1, -1)
            if long_a[k] != long_b[k] and 1 not in (long_a[k], long_b[k])
        )
        raise ShapeError(
            f"{name} of shapes {list(a)} and {list(b)}: dimension {k} is {long_a[k]} in one and "
            f"{long_b[k]} in the other. Two sizes must be equal, or one of them 1."
        ) from None


class Operand:
    """A handle on a node."""

    __slots__ = ("node", "origin", "views")
    node: Node
    origin: tuple[Any, Primitive | None, Params]  # set where this is a view; see tensor/views
    views: list[Any]

    def wrap(self, node: Node) -> Self:
        """A tensor for another node."""
        raise NotImplementedError

    def _become(self, node: Node) -> None:
        """Put this handle on another node."""
        raise NotImplementedError

    def assign(self, value: Any) -> Self:
        """Take over another tensor's numbers as a leaf."""
        raise NotImplementedError

    def mutate(self, change: Callable[[Array], Any]) -> None:
        """Change the memory itself."""
        raise NotImplementedError

    def write(self, value: Any, *, operation: str) -> Self:
        """The end of every in-place operation: become another tensor."""
        raise NotImplementedError

    def literal(self, value: float) -> Self:
        """A number in this tensor's type."""
        return self.wrap(literal(value, self.node.dtype))

    def reshaped(self, shape: Shape) -> Self:
        return (
            self if shape == self.node.shape else bind(shaping.reshape, (self,), {"shape": shape})
        )

    def broadcasted(self, shape: Shape) -> Self:
        return (
            self if shape == self.node.shape else bind(shaping.broadcast, (self,), {"shape": shape})
        )

    def transposed(self, axes: Shape) -> Self:
        return bind(shaping.transpose, (self,), {"axes": axes})

    def cast(self, kind: np.dtype[Any]) -> Self:
        return self if kind == self.node.dtype else bind(e.cast, (self,), {"dtype": kind})

    def __add__(self, other: Any) -> Self:
        return binary(e.add, self, other)

    def __radd__(self, other: Any) -> Self:
        return binary(e.add, self.operand(other), self)

    def __sub__(self, other: Any) -> Self:
        return binary(e.subtract, self, other)

    def __rsub__(self, other: Any) -> Self:
        return binary(e.subtract, self.operand(other), self)

    def __mul__(self, other: Any) -> Self:
        return binary(e.multiply, self, other)

    def __rmul__(self, other: Any) -> Self:
        return binary(e.multiply, self.operand(other), self)

    def __truediv__(self, other: Any) -> Self:
        return binary(e.divide, *floating(self, other))

    def __rtruediv__(self, other: Any) -> Self:
        return binary(e.divide, *floating(self.operand(other), self))

    def __pow__(self, other: Any) -> Self:
        return binary(e.power, self, other)

    def __rpow__(self, other: Any) -> Self:
        return binary(e.power, self.operand(other), self)

    def __neg__(self) -> Self:
        return bind(e.negative, (self,))

    def operand(self, other: Any) -> Self:
        """Another operand as a tensor: a Python number takes this tensor's type if it fits."""
        if isinstance(other, Operand):
            return other  # type: ignore[return-value]
        if type(other) is float and self.node.dtype.kind == "f":
            return self.wrap(literal(other, self.node.dtype))
        if isinstance(other, (bool, int, float, np.generic)):
            return self.wrap(literal(*_weak(other, self.node.dtype)))
        raise TypeMismatch(f"a tensor does not compute with {type(other).__name__} {other!r:.60}")


def _weak(number: Any, kind: np.dtype[Any]) -> tuple[float, np.dtype[Any]]:
    """A Python number and its type beside a tensor: it lifts the category, never the width."""
    number = number.item() if isinstance(number, np.generic) else number
    level = 0 if isinstance(number, bool) else 1 if isinstance(number, int) else 2
    if level <= dtypes.category(kind):
        return number, kind
    return number, dtypes.int64.numpy if level == 1 else dtypes.default.dtype


def binary(primitive: Primitive, a: T, b: Any) -> T:
    """Apply a primitive to two operands after bringing them to one type and one shape."""
    if not isinstance(b, Operand):
        b = a.operand(b)
    x, y = a.node, b.node
    if x.dtype == y.dtype and (
        x.shape == y.shape or (not y.shape and not y.tracked) or (not x.shape and not x.tracked)
    ):
        operands = (a, b)
    else:
        operands = same_shape(primitive.name, *same_type(a, b))
    out: T = bind(primitive, operands)
    return out


def same_type(a: T, b: T) -> tuple[T, T]:
    """Both operands in the type that PyTorch would compute in."""
    x, y = a.node.dtype, b.node.dtype
    if x == y:
        return a, b
    kind = dtypes.promote(x, y)
    # A tensor without dimensions decides only when its category is the higher one.
    if dtypes.category(x) == dtypes.category(y) and bool(a.node.shape) != bool(b.node.shape):
        kind = x if a.node.shape else y
    elif kind.kind == "f" and dtypes.category(x) != dtypes.category(y):
        kind = x if x.kind == "f" else y
    return a.cast(kind), b.cast(kind)


def same_shape(name: str, a: T, b: T) -> tuple[T, T]:
    """Both operands in one shape: broadcasting is a node that can be seen, except for literals."""
    shape = common_shape(name, a.node.shape, b.node.shape)
    return spread(a, shape), spread(b, shape)


def spread(x: T, shape: Shape) -> T:
    if x.node.shape == shape or (not x.node.shape and not x.node.tracked):
        return x
    return x.broadcasted(shape)


def floating(a: T, b: Any) -> tuple[T, T]:
    """Operands of a true division or of a function with real values: whole numbers become real."""
    b = a.operand(b)
    a, b = same_type(a, b)
    kind = a.node.dtype if a.node.dtype.kind == "f" else dtypes.default.dtype
    return a.cast(kind), b.cast(kind)


def real(x: T) -> T:
    """x in floating point."""
    return x if x.node.dtype.kind == "f" else x.cast(dtypes.default.dtype)
