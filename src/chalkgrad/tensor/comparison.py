"""Comparison and logic, element by element: the results are bools."""

from __future__ import annotations

from typing import Any, Self, TypeVar

import numpy as np

from chalkgrad.core.errors import NotAvailable, TypeMismatch
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.conversion import Conversion
from chalkgrad.tensor.operand import Operand, binary

T = TypeVar("T", bound="Comparison")
_NUMBERS = (bool, int, float, np.generic)


class Comparison(Conversion):
    """Comparison and logic."""

    __slots__ = ()

    # Comparisons. What is neither a tensor nor a number is simply not equal, as in PyTorch.
    def __eq__(self, other: Any) -> Any:
        return _compared(e.equal, self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(e.not_equal, self, other)

    def __lt__(self, other: Any) -> Self:
        return _compared(e.less, self, other)

    def __le__(self, other: Any) -> Self:
        return _compared(e.less_equal, self, other)

    def __gt__(self, other: Any) -> Self:
        return _compared(e.greater, self, other)

    def __ge__(self, other: Any) -> Self:
        return _compared(e.greater_equal, self, other)

    __hash__ = object.__hash__

    def eq(input, other: Any) -> Self:
        """input = other, element by element, as bool.

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2]).eq(2)
        tensor([False,  True])
        """
        return binary(e.equal, input, other)

    def ne(input, other: Any) -> Self:
        """input ≠ other, element by element, as bool."""
        return binary(e.not_equal, input, other)

    def lt(input, other: Any) -> Self:
        """input < other, element by element, as bool."""
        return binary(e.less, input, other)

    def le(input, other: Any) -> Self:
        """input ≤ other, element by element, as bool."""
        return binary(e.less_equal, input, other)

    def gt(input, other: Any) -> Self:
        """input > other, element by element, as bool."""
        return binary(e.greater, input, other)

    def ge(input, other: Any) -> Self:
        """input ≥ other, element by element, as bool."""
        return binary(e.greater_equal, input, other)

    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge

    # Logic.
    def logical_and(input, other: Any) -> Self:
        """Both not 0?

        >>> import chalkgrad as torch
        >>> torch.tensor([True, False]).logical_and(torch.tensor([1, 1]))
        tensor([ True, False])
        """
        return binary(e.logical_and, input, other)

    def logical_or(input, other: Any) -> Self:
        """Is one of them not 0?"""
        return binary(e.logical_or, input, other)

    def logical_xor(input, other: Any) -> Self:
        """Is exactly one of them not 0?"""
        return binary(e.logical_xor, input, other)

    def logical_not(input) -> Self:
        """Is the element 0?"""
        return bind(e.logical_not, (input,))

    def bitwise_and(input, other: Any) -> Self:
        """& of two bool tensors."""
        return _on_bools(e.logical_and, "&", input, other)

    def bitwise_or(input, other: Any) -> Self:
        """| of two bool tensors."""
        return _on_bools(e.logical_or, "|", input, other)

    def bitwise_xor(input, other: Any) -> Self:
        """^ of two bool tensors."""
        return _on_bools(e.logical_xor, "^", input, other)

    def bitwise_not(input) -> Self:
        """~ of a bool tensor; of whole numbers, −1 − x."""
        if input.node.dtype.kind == "b":
            return bind(e.logical_not, (input,))
        if input.node.dtype.kind == "i":
            return binary(e.subtract, input.literal(-1), input)
        raise TypeMismatch(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )

    __and__ = __rand__ = bitwise_and
    __or__ = __ror__ = bitwise_or
    __xor__ = __rxor__ = bitwise_xor
    __invert__ = bitwise_not


def _compared(primitive: Primitive, a: T, b: Any) -> T:
    if isinstance(b, (Operand, *_NUMBERS)):
        return binary(primitive, a, b)
    return NotImplemented  # type: ignore[no-any-return]


def _on_bools(primitive: Primitive, symbol: str, a: T, b: Any) -> T:
    b = a.operand(b)
    for x in (a, b):
        if x.node.dtype.kind != "b":
            raise NotAvailable(f"{symbol} works on bool tensors; this one is {x.node.dtype}")
    return binary(primitive, a, b)
