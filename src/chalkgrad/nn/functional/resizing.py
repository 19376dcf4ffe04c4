"""Signals and images of another size: `interpolate`."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, NotAvailable, ShapeError, TypeMismatch
from chalkgrad.core.graph import Array, Shape
from chalkgrad.core.primitive import bind
from chalkgrad.nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import indexing
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.sizes import whole
from chalkgrad.tensor.tensor import Tensor

_RANKS = {
    "nearest": (3, 4),
    "nearest-exact": (3, 4),
    "area": (3, 4),
    "linear": (3,),
    "bilinear": (4,),
}


@named("interpolate")
def interpolate(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """(N, C, W) or (N, C, H, W) in another size, or that many times as large.

    mode: "nearest" repeats or leaves out elements, "linear" and "bilinear" (the latter for images)
    go straight from one element to the next, "area" takes means. `align_corners` puts the outermost
    elements of both over each other, instead of the outermost edges.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    _check(input, mode, align_corners, antialias)
    extents = input.node.shape[2:]
    wanted, factors = _wanted(extents, size, scale_factor)
    if recompute_scale_factor and factors is None:
        raise ArgumentError("recompute_scale_factor is not meaningful with an explicit size.")
    if mode != "area" and (min(wanted) < 1 or min(extents) < 1):
        raise ShapeError(
            "Input and output sizes should be greater than 0, but got input "
            f"{list(extents)} output {list(wanted)}"
        )
    if mode == "area":
        pool: Any = adaptive_avg_pool1d if len(extents) == 1 else adaptive_avg_pool2d
        return pool(input, wanted)  # type: ignore[no-any-return]
    if factors is None or recompute_scale_factor:
        factors = (None,) * len(wanted)
    kind = input.node.dtype.type
    for axis in reversed(range(len(extents))):
        old, new, factor = extents[axis], wanted[axis], factors[axis]
        pace = kind(old / new if factor is None else 1 / factor)
        if mode in ("linear", "bilinear"):
            places = _between(old, new, pace, bool(align_corners))
            input = _blended(input, places, axis + 2)
        else:
            shift = 0.5 if mode == "nearest-exact" else 0.0
            steps = np.arange(new).astype(np.float32) + np.float32(shift)
            nearest = np.floor(steps * np.float32(pace))
            input = _taken(input, np.minimum(nearest.astype(np.int64), old - 1), axis + 2)
    return input


def _check(input: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    rank = len(input.node.shape)
    if mode not in _RANKS or rank not in _RANKS[mode]:
        known = ", ".join(f"{name} (of {' or '.join(map(str, r))}D)" for name, r in _RANKS.items())
        raise NotAvailable(f"Got {rank}D input for mode {mode!r}: the modes are {known}")
    if align_corners is not None and mode not in ("linear", "bilinear"):
        raise ArgumentError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear"
        )
    if antialias:
        raise NotAvailable("interpolate(antialias=True) is not part of chalkgrad: leave it out")
    if input.node.dtype.kind != "f":
        raise NotAvailable(f"interpolate is not implemented for {input.dtype}: use float()")


def _wanted(
    extents: Shape, size: Any, scale_factor: Any
) -> tuple[Shape, tuple[float | None, ...] | None]:
    """The new sizes, and the factors if these were given."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError("either size or scale_factor should be defined, and not both")
    given = scale_factor if size is None else size
    several = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(extents)
    if len(several) != len(extents):
        raise ArgumentError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(extents)} and {list(several)}"
        )
    if size is not None:
        return tuple(
            whole(n, "expected size to be one of int or tuple of int; it") for n in several
        ), None
    if any(isinstance(factor, str) for factor in several):
        raise TypeMismatch(f"scale_factor must be a number, not {scale_factor!r}")
    return tuple(floor(n * f) for n, f in zip(extents, several, strict=True)), several


def _between(old: int, new: int, pace: Any, align: bool) -> tuple[Array, Array, Array]:
    """For each new element the old ones before and after it, and its way from one to the other."""
    steps = np.arange(new).astype(pace.dtype)
    if align:
        place = steps * pace.dtype.type((old - 1) / (new - 1) if new > 1 else 0)
    else:
        place = np.maximum(pace * (steps + pace.dtype.type(0.5)) - pace.dtype.type(0.5), 0)
    low = np.minimum(place.astype(np.int64), old - 1)
    return low, np.minimum(low + 1, old - 1), np.clip(place - low, 0, 1).astype(pace.dtype)


def _blended(x: Tensor, places: tuple[Array, Array, Array], axis: int) -> Tensor:
    low, high, share = places
    column = (-1, *(1,) * (len(x.node.shape) - axis - 1))
    after = share.reshape(column)
    out: Tensor = _taken(x, low, axis) * holding(1 - after) + _taken(x, high, axis) * holding(after)
    return out


def _taken(x: Tensor, places: Array, axis: int) -> Tensor:
    return bind(indexing.take, (x, holding(places)), {"axis": axis})
