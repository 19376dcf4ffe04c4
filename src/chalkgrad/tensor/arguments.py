"""Reading the arguments that many methods share: dimensions and devices, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import Any

from chalkgrad.core.device import CPU
from chalkgrad.core.device import device as Device
from chalkgrad.core.errors import (
    ArgumentError,
    DimensionError,
    NotAvailable,
    ShapeError,
    TypeMismatch,
)
from chalkgrad.core.graph import Shape


def dimension(dim: Any, rank: int) -> int:
    """A dimension counted from the front; a tensor without dimensions is taken to have one."""
    size = rank or 1
    if type(dim) is not int:
        try:
            dim = int(index(dim))
        except TypeError:
            raise TypeMismatch(
                f"a dimension must be an int, not {type(dim).__name__} {dim!r:.40}"
            ) from None
    if not -size <= dim < size:
        raise DimensionError(
            "Dimension out of range (expected to be in range of "
            f"[{-size}, {size - 1}], but got {dim})"
        )
    return int(dim + size if dim < 0 else dim)


def dimensions(dim: int | Sequence[int] | None, rank: int) -> Shape:
    """The dimensions that a reduction folds, in order: all of them for None and for ()."""
    if dim is None:
        return tuple(range(rank))
    given = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = sorted([dimension(d, rank) for d in given])
    for first, second in pairwise(found):
        if first == second:
            raise ShapeError(
                f"dim {first} appears multiple times in the list of dims {list(given)}"
            )
    return tuple(found if rank else ()) or tuple(range(rank))


def check_device(device: Any) -> None:
    """chalkgrad computes on the CPU: any other device is refused."""
    if device is None or device is CPU:
        return
    place = device if isinstance(device, Device) else Device(device)
    place.require()


def check_options(
    *, layout: Any = None, device: Any = None, pin_memory: bool = False, out: Any = None
) -> None:
    """What PyTorch's creation functions take and chalkgrad has only one kind of."""
    if device is not None:
        check_device(device)
    if pin_memory:
        raise ArgumentError("pin_memory=True: there is no GPU to pin memory for; leave it out")
    if out is not None:
        raise NotAvailable("out=: assign the result instead")
    if layout is not None and "strided" not in str(layout):
        raise NotAvailable(f"layout {layout}: every tensor is dense (strided)")
