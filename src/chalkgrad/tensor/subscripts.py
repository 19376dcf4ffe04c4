"""Reading what stands in the brackets of `x[…]`, by PyTorch's rules.

    Subscript ::= basic: (int | start:stop:step | None)*     one entry a dimension, read or new
                  arrays: {dimension: index}                 by the dimension that `basic` leaves

so that `x[…]` is first a basic index (a view), and then integer indices of what is left. That is
also PyTorch's order; NumPy instead counts an int beside an array among the arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.core.errors import ArgumentError, ChalkgradError, DimensionError, TraceError
from chalkgrad.core.graph import Array, Shape
from chalkgrad.core.scope import current
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.operand import Operand

INT64 = np.dtype(np.int64)


class Subscript(NamedTuple):
    """A basic index, and the integer indices of what it leaves (arrays, or tensors in a trace)."""

    basic: list[Any]
    arrays: dict[int, Any]


def numbers(x: Any, what: str) -> Array:
    """The numbers of a tensor, which must be known."""
    value: Array | None = x.node.value
    if value is None or current().abstract:
        raise TraceError(
            f"{what} needs the numbers of a tensor, because the shape of the result depends on "
            "them, and a traced program has none while it is being built. Use "
            "where(mask, x, other) to choose elements under a fixed shape."
        )
    return value


def parse(index: Any, shape: Shape) -> Subscript:
    """Read an index of a tensor of this shape."""
    items = [_read(item) for item in _listed(index)]
    rest = len(shape) - sum(_consumed(item) for item in items)
    if rest < 0:
        raise _too_many(shape)
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)
    found = Subscript([], {})
    made, dim = 0, 0  # dimensions of the result so far, and of the tensor
    for item in items:
        if item is Ellipsis:
            found.basic.extend(_whole(shape[dim : dim + rest]))
            made, dim, rest = made + rest, dim + rest, 0
        elif item is None:
            found.basic.append(None)
            made += 1
        elif isinstance(item, slice):
            found.basic.append(slice(*_bounds(item, shape[dim])))
            made, dim = made + 1, dim + 1
        elif isinstance(item, int):
            found.basic.append(within(item, shape[dim], dim))
            dim += 1
        else:
            indices = _indices(item, shape, dim)
            read = _consumed(item)
            found.basic.extend(_whole(shape[dim : dim + read]) or [None])
            found.arrays.update({made + k: each for k, each in enumerate(indices)})
            made, dim = made + len(indices), dim + read
    return found


def within(k: int, extent: int, dim: int) -> int:
    """An index counted from the front."""
    if -extent <= k < extent:
        return k + extent if k < 0 else k
    raise DimensionError(f"index {k} is out of bounds for dimension {dim} with size {extent}")


def in_range(
    index: Any,
    extent: int,
    dim: int = 0,
    wraps: bool = True,
    error: type[ChalkgradError] = DimensionError,
) -> Any:
    """Integer indices as int64 counted from the front; tensors of a trace are not checked."""
    if isinstance(index, Operand):
        index = index.cast(INT64)
        negative = e.less(index, index.literal(0))
        return e.select(negative, index + extent, index) if wraps else index
    index = index.astype(INT64, copy=False)
    # Seen without their sign, negative numbers are the largest: one comparison finds both faults.
    if not index.size or index.view(np.uint64).max() < extent:
        return index
    wrong = index[(index < (-extent if wraps else 0)) | (index >= extent)]
    if wrong.size:
        raise error(f"index {wrong[0]} is out of bounds for dimension {dim} with size {extent}")
    return np.where(index < 0, index + extent, index)


def _listed(index: Any) -> list[Any]:
    if isinstance(index, tuple):
        return list(index)
    if isinstance(index, list) and not all(isinstance(k, (int, np.generic)) for k in index):
        raise DimensionError(
            "a list as an index holds only ints or bools: it chooses along one dimension. "
            "For one index a dimension use a tuple, x[tuple(…)]; for a table of indices, a tensor."
        )
    return [index]


def _read(item: Any) -> Any:
    """An item as int, slice, None, …, an array or (in a trace) a tensor."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(item)
    if isinstance(item, (int, np.integer)):
        return int(item)
    if isinstance(item, Operand):
        return _read_tensor(item)
    if isinstance(item, (list, tuple, range)):
        try:
            item = np.asarray(item, None if len(item) else INT64)
        except ValueError as error:
            raise DimensionError(
                f"the index {item!r:.60} is not a table of ints: {error}"
            ) from None
    if isinstance(item, np.ndarray) and item.dtype.kind in "biu":
        return item if item.ndim or item.dtype.kind == "b" else int(item)
    kind = item.dtype if isinstance(item, np.ndarray) else type(item).__name__
    raise DimensionError(
        "only integers, slices (`:`), ellipsis (`...`), None and integer or bool tensors are valid "
        f"indices (got {kind})"
    )


def _read_tensor(item: Any) -> Any:
    kind = item.node.dtype.kind
    if kind == "f":
        raise DimensionError(
            f"tensors used as indices must be integer or bool tensors, not {item.node.dtype}"
        )
    if kind == "b":
        return numbers(item, "a mask as an index")
    if item.node.value is None or current().abstract:
        return item
    value = item.node.value
    return value if value.ndim else int(value)


def _consumed(item: Any) -> int:
    """How many dimensions of the tensor an item reads."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1


def _whole(extents: Shape) -> list[Any]:
    return [slice(0, n, 1) for n in extents]


def _bounds(item: slice, extent: int) -> tuple[int, int, int]:
    start, stop, step = item.indices(extent)
    if step < 0:
        raise ArgumentError("step must be greater than zero; reverse a tensor with flip(dim)")
    return start, max(start, stop), step


def _indices(item: Any, shape: Shape, dim: int) -> Sequence[Any]:
    """The integer indices, one a dimension, that an array or a mask stands for."""
    if isinstance(item, np.ndarray) and item.dtype.kind == "b":
        if item.ndim == 0:
            return [np.zeros(int(item), INT64)]
        if item.shape != shape[dim : dim + item.ndim]:
            raise DimensionError(
                f"The shape of the mask {list(item.shape)} at index {dim} does not match the shape "
                f"of the indexed tensor {list(shape)} at index {dim}"
            )
        return item.nonzero()
    return [in_range(item, shape[dim], dim)]


def _too_many(shape: Shape) -> DimensionError:
    if not shape:
        return DimensionError(
            "invalid index of a 0-dim tensor. "
            "Use `tensor.item()` to convert a 0-dim tensor to a number"
        )
    return DimensionError(f"too many indices for tensor of dimension {len(shape)}")


def joined(arrays: Sequence[Any], extents: Shape) -> Any:
    """One index into several dimensions that are folded into one."""
    shapes = [a.shape if isinstance(a, np.ndarray) else a.node.shape for a in arrays]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        words = ", ".join(str(list(shape)) for shape in shapes)
        raise DimensionError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {words}"
        ) from None
    flat = arrays[0]
    for index, extent in zip(arrays[1:], extents[1:], strict=True):
        flat = flat * extent + index
    return flat
