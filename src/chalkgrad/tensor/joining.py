"""Several tensors put together: cat, stack and their relatives, and broadcasting as a group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, TypeVar

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError, ShapeError, TypeMismatch
from chalkgrad.core.graph import Shape
from chalkgrad.core.primitive import bind
from chalkgrad.primitives import shaping
from chalkgrad.tensor.arguments import dimension
from chalkgrad.tensor.operand import Operand, common_shape

T = TypeVar("T", bound=Operand)


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join tensors along an existing dimension.

    Every other dimension must agree. The result has the type in which all of them meet; a tensor of
    shape (0,) joins anything and adds nothing.

    >>> import chalkgrad as torch
    >>> torch.cat([torch.ones(1, 2), torch.zeros(2, 2)])
    tensor([[1., 1.],
            [0., 0.],
            [0., 0.]])
    """
    parts = together("cat", tensors)
    for k, part in enumerate(parts):
        if not part.node.shape:
            raise ShapeError(
                f"zero-dimensional tensor (at position {k}) cannot be concatenated; use stack"
            )
    filled = [part for part in parts if part.node.shape != (0,)] or parts
    place = dimension(dim if axis is None else axis, len(filled[0].node.shape))
    return bind(shaping.concatenate, filled, {"axis": place})


concat = concatenate = cat


def together(name: str, tensors: Sequence[Any]) -> list[Any]:
    """A list of tensors, in the one type in which they meet."""
    if isinstance(tensors, Operand):
        raise TypeMismatch(f"{name}(): argument 'tensors' must be tuple of Tensors, not Tensor")
    parts = list(tensors)
    if not parts:
        raise ArgumentError(f"{name}(): expected a non-empty list of Tensors")
    for k, part in enumerate(parts):
        if not isinstance(part, Operand):
            raise TypeMismatch(
                f"{name}(): expected Tensor as element {k}, but got {type(part).__name__}"
            )
    kind = parts[0].node.dtype
    if all(part.node.dtype == kind for part in parts):
        return parts
    kind = reduce(dtypes.promote, [part.node.dtype for part in parts])
    return [part.cast(kind) for part in parts]


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors of one shape along a new dimension.

    >>> import chalkgrad as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    if not len(tensors):
        raise ShapeError("stack expects a non-empty TensorList")
    parts = together("stack", tensors)
    shape = parts[0].node.shape
    for k, part in enumerate(parts):
        if part.node.shape != shape:
            raise ShapeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(part.node.shape)} at entry {k}"
            )
    place = dimension(dim, len(shape) + 1)
    layer = (*shape[:place], 1, *shape[place:])
    return bind(shaping.concatenate, [part.reshaped(layer) for part in parts], {"axis": place})


def hstack(tensors: Sequence[Any]) -> Any:
    """Join side by side: along dimension 1, or 0 for tensors of one dimension."""
    parts = [raised(part, 1) for part in together("hstack", tensors)]
    return cat(parts, 0 if len(parts[0].node.shape) == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Join on top of each other: along dimension 0, tensors of one dimension as rows."""
    return cat([raised(part, 2) for part in together("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Any]) -> Any:
    """Join in depth: along dimension 2."""
    return cat([raised(part, 3) for part in together("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Join side by side, tensors of one dimension as columns."""
    parts = together("column_stack", tensors)
    columns = [
        p.reshaped((p.node.shape[0] if p.node.shape else 1, 1)) if len(p.node.shape) < 2 else p
        for p in parts
    ]
    return cat(columns, 1)


def raised(x: T, rank: int) -> T:
    """x with at least `rank` dimensions: new ones in front, but for a third one at the end."""
    shape: Shape = x.node.shape
    if len(shape) >= rank:
        return x
    if rank == 3:
        return x.reshaped({0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}[len(shape)])
    return x.reshaped((1,) * (rank - len(shape)) + shape)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors, each expanded to the shape in which all of them meet.

    >>> import chalkgrad as torch
    >>> a, b = torch.broadcast_tensors(torch.zeros(3, 1), torch.zeros(4))
    >>> a.shape, b.shape
    (torch.Size([3, 4]), torch.Size([3, 4]))
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape: Shape = ()
    for tensor in given:
        shape = common_shape("broadcast_tensors", shape, tensor.node.shape)
    return tuple([tensor.broadcasted(shape) for tensor in given])
