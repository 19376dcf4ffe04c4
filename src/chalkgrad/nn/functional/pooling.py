"""Pooling: the largest element, or the mean, of every window."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.errors import ShapeError
from chalkgrad.core.graph import Shape
from chalkgrad.core.primitive import bind
from chalkgrad.nn.functional.convolution import Sizes, batched, expanded, unbatched
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import convolution as c
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.joining import cat
from chalkgrad.tensor.tensor import Tensor

Wanted = int | None | tuple[int | None, ...]


def _windows(
    size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool
) -> Shape:
    """How many windows there are along each axis; in ceil mode the last one may reach past the "
    "end."""
    counts = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        if 2 * p > d * (k - 1) + 1:
            raise ShapeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} "
                f"and dilation={d}"
            )
        room = n + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:  # a window that starts in the padding at the end
            count -= 1
        counts.append(count)
    if any(count <= 0 for count in counts):
        raise ShapeError(
            f"pooling an input of size {list(size)} with kernel {list(kernel)}: Output size is "
            "too small"
        )
    return tuple(counts)


def _geometry(
    name: str, axes: int, input: Tensor, kernel_size: Sizes, stride: Any, padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> dict[str, Any]:  # fmt: skip
    kernel = expanded(kernel_size, axes, "kernel_size")
    steps = kernel if stride is None or stride == () else expanded(stride, axes, "stride")
    if 0 in steps:
        raise ShapeError(f"{name}: stride should not be zero")
    sides, gaps = expanded(padding, axes, "padding"), expanded(dilation, axes, "dilation")
    out = _windows(input.node.shape[2:], kernel, steps, sides, gaps, ceil_mode)
    return {"out": out, "kernel": kernel, "stride": steps, "padding": sides, "dilation": gaps}


# The largest element.
def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window along the last axis; with return_indices, also its place.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.max_pool1d(torch.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[3., 2.]]])
    """
    return _max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of rows and columns; its place counts through the whole
    image.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@named("max pooling")
def _max_pool(
    name: str, axes: int, input: Tensor, kernel_size: Sizes, stride: Any, padding: Sizes,
    dilation: Sizes, ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x, alone = batched(input, axes, name)
    windows = _geometry(name, axes, x, kernel_size, stride, padding, dilation, ceil_mode)
    best: Tensor = unbatched(bind(c.max_pool, (x,), windows), alone)
    if not return_indices:
        return best
    return best, unbatched(bind(c.pool_argmax, (x,), {**windows, "dtype": c.INT64}), alone)


# The mean.
def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window along the last axis.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.avg_pool1d(torch.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[2., 1.]]])
    """
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of rows and columns.

    The padding counts as elements that are 0, or with count_include_pad=False not at all;
    `divisor_override` divides the windows' sums by another number.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.avg_pool2d(torch.ones(1, 1, 2, 2), 2)
    tensor([[[[1.]]]])
    """
    return _avg_pool(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


@named("average pooling")
def _avg_pool(
    name: str, axes: int, input: Tensor, kernel_size: Sizes, stride: Any, padding: Sizes,
    ceil_mode: bool, count_include_pad: bool, divisor: int | None,
) -> Tensor:  # fmt: skip
    x, alone = batched(input, axes, name)
    windows = _geometry(name, axes, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise ShapeError("divisor must be not zero")
    total: Tensor = bind(c.window_sum, (x,), windows)
    if divisor is not None:
        return unbatched(total / float(divisor), alone)
    counts = _counts(x.node.shape[2:], windows, count_include_pad)
    if len(set(counts.flat)) == 1:
        return unbatched(total / float(counts.flat[0]), alone)
    return unbatched(total / holding(counts.astype(x.node.dtype)), alone)


def _counts(size: Shape, windows: dict[str, Any], count_include_pad: bool) -> np.ndarray[Any, Any]:
    """How many elements each window has."""
    counts = np.ones((), np.int64)
    parts = zip(
        size, *(windows[key] for key in ("out", "kernel", "stride", "padding")), strict=True
    )
    for n, out, k, s, p in parts:
        start = np.arange(out) * s - p
        stop = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = np.multiply.outer(counts, stop - start)
    return counts


# Adaptive pooling: as many windows as asked for. Window i of o goes from ⌊i·n/o⌋ to ⌈(i+1)·n/o⌉.
def _edges(n: int, count: int) -> list[tuple[int, int]]:
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _wanted(output_size: Wanted, size: Shape) -> Shape:
    axes = len(size)
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    given = tuple(given) * axes if len(given) == 1 else given
    if len(given) != axes:
        raise ShapeError(f"output_size is a number or {axes} of them, not {tuple(given)}")
    return tuple(n if m is None else int(m) for n, m in zip(size, given, strict=True))


def adaptive_avg_pool1d(input: Tensor, output_size: Wanted) -> Tensor:
    """The means of `output_size` windows that cover the last axis.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 1)
    tensor([[[1.5000]]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Wanted) -> Tensor:
    """The means of windows that cover rows and columns; None keeps an axis as it is.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.ones(1, 3, 5, 7), 2).shape
    torch.Size([1, 3, 2, 2])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


@named("average pooling")
def _adaptive_avg(name: str, axes: int, input: Tensor, output_size: Wanted) -> Tensor:
    x, alone = batched(input, axes, name)
    size = x.node.shape[2:]
    wanted = _wanted(output_size, size)
    if all(m and n % m == 0 for n, m in zip(size, wanted, strict=True)):
        kernel = tuple(n // m for n, m in zip(size, wanted, strict=True))
        total: Tensor = bind(c.window_sum, (x,), _side_by_side(wanted, kernel))
        return unbatched(total / float(prod(kernel)), alone)
    for axis, count in enumerate(wanted, start=2):  # a window's mean is the mean of its rows' means
        parts = [
            x.narrow(axis, a, b - a).mean(axis, keepdim=True)
            for a, b in _edges(x.node.shape[axis], count)
        ]
        x = cat(parts, axis) if parts else x.narrow(axis, 0, 0)
    return unbatched(x, alone)


def _side_by_side(out: Shape, kernel: Shape) -> dict[str, Any]:
    none, ones = (0,) * len(out), (1,) * len(out)
    return {"out": out, "kernel": kernel, "stride": kernel, "padding": none, "dilation": ones}


def adaptive_max_pool1d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` windows that cover the last axis.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[[1.0, 3.0, 2.0]]]), 2)
    tensor([[[3., 3.]]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover rows and columns; None keeps an axis as it is.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(9.0).reshape(1, 1, 3, 3), 1)
    tensor([[[[8.]]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@named("max pooling")
def _adaptive_max(
    name: str, axes: int, input: Tensor, output_size: Wanted, return_indices: bool
) -> Any:
    x, alone = batched(input, axes, name)
    size = x.node.shape[2:]
    wanted = _wanted(output_size, size)
    edges = [_edges(n, m) for n, m in zip(size, wanted, strict=True)]
    pooled = [_window_max(x, window) for window in product(*edges)]
    shape = (*x.node.shape[:2], *wanted)
    best = unbatched(cat([value for value, _ in pooled], 2).reshaped(shape), alone)
    if not return_indices:
        return best
    return best, unbatched(cat([place for _, place in pooled], 2).reshaped(shape), alone)


def _window_max(x: Tensor, window: tuple[tuple[int, int], ...]) -> tuple[Tensor, Tensor]:
    """The largest element of one window, and its place in the whole input: both (N, C, 1)."""
    part = x
    for axis, (a, b) in enumerate(window, start=2):
        part = part.narrow(axis, a, b - a)
    kernel = part.node.shape[2:]
    geometry = _side_by_side((1,) * len(kernel), kernel)
    lead = (*x.node.shape[:2], 1)
    best: Tensor = bind(c.max_pool, (part,), geometry)
    inner: Tensor = bind(c.pool_argmax, (part,), {**geometry, "dtype": c.INT64})
    spans = np.indices(kernel).reshape(len(kernel), -1)
    starts = np.array([a for a, _ in window])[:, None]
    places = np.ravel_multi_index(tuple(spans + starts), x.node.shape[2:])
    return best.reshaped(lead), holding(places)[inner.reshaped(lead)]
