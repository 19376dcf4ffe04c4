"""Places in sorted numbers: searchsorted and bucketize.

They need the numbers of their tensors, so a traced program has neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.errors import ShapeError, TypeMismatch
from chalkgrad.core.graph import Array, leaf
from chalkgrad.tensor.operand import Operand
from chalkgrad.tensor.subscripts import numbers


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each number has to be inserted so that the sequence stays sorted.

    Each row of the sequence (its last dimension) answers for the same row of `input`. A number that
    is there already goes before its equals, with `right=True` after them.

    >>> import chalkgrad as torch
    >>> torch.searchsorted(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([3.0, 6.0]))
    tensor([1, 3])
    """
    if not isinstance(sorted_sequence, Operand) or not isinstance(input, (Operand, int, float)):
        kinds = f"{type(sorted_sequence).__name__} and {type(input).__name__}"
        raise TypeMismatch(
            f"searchsorted(): got {kinds}; the sequence and the input must be Tensors"
        )
    if side not in (None, "left", "right"):
        raise ShapeError(f"searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise ShapeError(
            "searchsorted(): side and right can't be set to opposites: side=left, right"
        )
    rows = numbers(sorted_sequence, "searchsorted")
    if sorter is not None:
        rows = np.take_along_axis(rows, numbers(sorter, "searchsorted"), -1)
    sought = numbers(input, "searchsorted") if isinstance(input, Operand) else np.asarray(input)
    found = _found(rows, sought, "right" if right or side == "right" else "left")
    return sorted_sequence.wrap(leaf(found.astype(np.int32 if out_int32 else np.int64)))


def _found(rows: Array, sought: Array, side: Any) -> Array:
    if rows.ndim == 1:
        return np.asarray(np.searchsorted(rows, sought, side))
    if rows.ndim == 0 or rows.shape[:-1] != sought.shape[:-1]:
        raise ShapeError(
            "searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions "
            "of boundaries tensor and input value tensor must match, but we got boundaries "
            f"tensor {list(rows.shape)} and input value tensor {list(sought.shape)}"
        )
    found = np.empty(sought.shape, np.int64)
    for k in np.ndindex(rows.shape[:-1]):
        found[k] = np.searchsorted(rows[k], sought[k], side)
    return found


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval, between sorted boundaries, that holds each element.

    >>> import chalkgrad as torch
    >>> torch.bucketize(torch.tensor([0.5, 2.0]), torch.tensor([1.0, 2.0]))
    tensor([0, 1])
    """
    if isinstance(boundaries, Operand) and len(boundaries.node.shape) != 1:
        shape = list(boundaries.node.shape)
        raise ShapeError(f"bucketize(): boundaries tensor must be 1 dimension, but is {shape}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
