"""Methods that change a tensor: each is its functional twin, whose result `write` puts in place.

Outside of the graph the memory changes, so every view of it follows. In the graph the tensor moves
on to the new node, and what was computed from the old one keeps its numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from chalkgrad.core.errors import GradientError, ShapeError, TypeMismatch
from chalkgrad.core.graph import is_leaf, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.core.scope import current
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.indexing import Indexing
from chalkgrad.tensor.operand import Operand, literal


def in_place(name: str) -> Callable[..., Any]:
    """The in-place method of a functional one."""

    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        return self.write(getattr(self, name)(*arguments, **options), operation=f"{name}_")

    method.__name__ = f"{name}_"
    method.__qualname__ = f"InPlace.{name}_"
    method.__doc__ = f"`{name}`, in place."
    return method


def reshaping(name: str) -> Callable[..., Any]:
    """The in-place method of one that changes the shape and keeps the memory."""

    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        return self._turn(getattr(self, name)(*arguments, **options), f"{name}_")

    method.__name__ = f"{name}_"
    method.__qualname__ = f"InPlace.{name}_"
    method.__doc__ = f"`{name}`, in place: the shape changes and the memory stays."
    return method


class InPlace(Indexing):
    """The in-place methods."""

    __slots__ = ()

    # Arithmetic.
    add_ = in_place("add")
    sub_ = subtract_ = in_place("sub")
    mul_ = multiply_ = in_place("mul")
    div_ = divide_ = in_place("div")
    true_divide_ = in_place("true_divide")
    floor_divide_ = in_place("floor_divide")
    remainder_ = in_place("remainder")
    fmod_ = in_place("fmod")
    pow_ = in_place("pow")
    neg_ = negative_ = in_place("neg")
    abs_ = absolute_ = in_place("abs")
    square_ = in_place("square")
    reciprocal_ = in_place("reciprocal")
    addcmul_ = in_place("addcmul")
    addcdiv_ = in_place("addcdiv")
    lerp_ = in_place("lerp")
    addmm_ = in_place("addmm")
    addmv_ = in_place("addmv")
    baddbmm_ = in_place("baddbmm")
    cumsum_ = in_place("cumsum")
    cumprod_ = in_place("cumprod")

    # Elementary functions.
    exp_ = in_place("exp")
    exp2_ = in_place("exp2")
    expm1_ = in_place("expm1")
    log_ = in_place("log")
    log2_ = in_place("log2")
    log10_ = in_place("log10")
    log1p_ = in_place("log1p")
    sqrt_ = in_place("sqrt")
    rsqrt_ = in_place("rsqrt")
    sin_ = in_place("sin")
    cos_ = in_place("cos")
    tan_ = in_place("tan")
    asin_ = in_place("asin")
    acos_ = in_place("acos")
    atan_ = in_place("atan")
    atan2_ = in_place("atan2")
    sinh_ = in_place("sinh")
    cosh_ = in_place("cosh")
    tanh_ = in_place("tanh")
    asinh_ = in_place("asinh")
    acosh_ = in_place("acosh")
    atanh_ = in_place("atanh")
    sigmoid_ = in_place("sigmoid")
    logit_ = in_place("logit")
    relu_ = in_place("relu")
    erf_ = in_place("erf")
    erfc_ = in_place("erfc")
    erfinv_ = in_place("erfinv")
    hypot_ = in_place("hypot")
    xlogy_ = in_place("xlogy")

    # Rounding and bounds.
    round_ = in_place("round")
    floor_ = in_place("floor")
    ceil_ = in_place("ceil")
    trunc_ = fix_ = in_place("trunc")
    frac_ = in_place("frac")
    sign_ = sgn_ = in_place("sign")
    clamp_ = clip_ = in_place("clamp")
    clamp_min_ = in_place("clamp_min")
    clamp_max_ = in_place("clamp_max")
    nan_to_num_ = in_place("nan_to_num")
    tril_ = in_place("tril")
    triu_ = in_place("triu")

    # Comparison and logic: the answers 0 and 1 in the tensor's own type.
    eq_ = in_place("eq")
    ne_ = not_equal_ = in_place("ne")
    lt_ = less_ = in_place("lt")
    le_ = less_equal_ = in_place("le")
    gt_ = greater_ = in_place("gt")
    ge_ = greater_equal_ = in_place("ge")
    logical_and_ = in_place("logical_and")
    logical_or_ = in_place("logical_or")
    logical_xor_ = in_place("logical_xor")
    logical_not_ = in_place("logical_not")

    # Placing.
    masked_fill_ = in_place("masked_fill")
    masked_scatter_ = in_place("masked_scatter")
    index_fill_ = in_place("index_fill")
    index_add_ = in_place("index_add")
    index_copy_ = in_place("index_copy")
    index_put_ = in_place("index_put")
    scatter_ = in_place("scatter")
    scatter_add_ = in_place("scatter_add")

    # Another shape of the same memory.
    t_ = reshaping("t")
    transpose_ = reshaping("transpose")
    swapaxes_ = reshaping("swapaxes")
    swapdims_ = reshaping("swapdims")
    squeeze_ = reshaping("squeeze")
    unsqueeze_ = reshaping("unsqueeze")

    def __ifloordiv__(self, other: Any) -> Self:  # type: ignore[misc]
        return self.write(self // other, operation="//=")

    def __imod__(self, other: Any) -> Self:  # type: ignore[misc]
        return self.write(self % other, operation="%=")

    def __iand__(self, other: Any) -> Self:  # type: ignore[misc]
        return self.write(self & other, operation="&=")

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc]
        return self.write(self | other, operation="|=")

    def __ixor__(self, other: Any) -> Self:  # type: ignore[misc]
        return self.write(self ^ other, operation="^=")

    def zero_(self) -> Self:
        """Set every element to 0.

        >>> import chalkgrad as torch
        >>> torch.ones(2).zero_()
        tensor([0., 0.])
        """
        return self.fill_(0)

    def fill_(self, value: Any) -> Self:
        """Set every element to one value, a number or a tensor without dimensions."""
        if not isinstance(value, Operand):
            if self._outside(None):
                self.mutate(lambda array: array.fill(value))
                return self
            return self._replaced(self.literal(value), "fill_")
        if value.node.shape:
            raise ShapeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{len(value.node.shape)} dimensions."
            )
        return self.copy_(value)

    def copy_(self, other: Any, non_blocking: bool = False) -> Self:
        """Take over another tensor's elements, broadcast and converted to this type."""
        if isinstance(other, (bool, int, float)):
            other = self.literal(other)
        elif not isinstance(other, Operand):
            raise TypeMismatch(
                f"copy_(): argument 'other' must be Tensor, not {type(other).__name__}"
            )
        if other.node.shape != self.node.shape:
            other = other.expand(self.node.shape)
        if self._outside(other):
            self.mutate(lambda array: np.copyto(array, other.node.value, casting="unsafe"))
            return self
        return self._replaced(other.cast(self.node.dtype), "copy_")

    def fill_diagonal_(self, fill_value: float, wrap: bool = False) -> Self:
        """Set the elements whose indices are equal; `wrap` starts anew below a tall matrix."""
        shape = self.node.shape
        if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
            raise ShapeError(
                "fill_diagonal_ needs a matrix, or equal sizes along all of its dimensions; this "
                f"tensor has shape {list(shape)}"
            )
        mask = np.zeros(shape, bool)
        np.fill_diagonal(mask, True, wrap)
        where = self.wrap(leaf(mask))
        filled = bind(e.select, (where, self.literal(fill_value), self))
        return self.write(filled, operation="fill_diagonal_")

    def _outside(self, other: Operand | None) -> bool:
        """Is neither this tensor nor the other one part of a graph or a trace?"""
        mode = current()
        flows = other is not None and other.node.tracked and mode.recording
        return not (mode.abstract or self.node.tracked or flows)

    def _replaced(self, value: Any, operation: str) -> Self:
        """Become a value from which no gradient flows to what was here before."""
        always = self.wrap(literal(True, e.BOOL))
        return self.write(bind(e.select, (always, value, self)), operation=operation)

    def _turn(self, value: Self, operation: str) -> Self:
        """Become another shape of this tensor."""
        node = self.node
        if node.tracked and is_leaf(node):
            if current().recording:
                raise GradientError(
                    "a leaf Variable that requires grad is being used in an in-place operation "
                    f"({operation} on {node.name or f'a tensor of shape {list(node.shape)}'})"
                )
            return self.assign(value)
        self._become(value.node)
        return self
