"""Elements put elsewhere: padding, one-hot codes, pixel shuffling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chalkgrad.core.errors import DtypeError, NotAvailable, ShapeError, TraceError
from chalkgrad.core.graph import Shape
from chalkgrad.core.primitive import bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, shaping
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.tensor import Tensor

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """More elements before and after: `pad` is (before, after) of the last axis, then of the one
    before …

    mode: "constant" puts `value` there (a negative number of elements cuts some off), "reflect"
    mirrors the input without repeating its edge, "replicate" repeats the edge, "circular" goes
    round.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    rank, sides = len(input.node.shape), tuple(int(n) for n in pad)
    if len(sides) % 2:
        raise ShapeError("Padding length must be divisible by 2: (before, after) for each axis")
    if len(sides) > 2 * rank:
        raise ShapeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(sides)} and input of dimension {rank}"
        )
    low = (0,) * (rank - len(sides) // 2) + sides[::2][::-1]
    high = (0,) * (rank - len(sides) // 2) + sides[1::2][::-1]
    if mode == "constant":
        return _constant(input, low, high, 0 if value is None else value)
    if mode not in _MODES:
        raise NotAvailable(
            f"Unrecognised padding mode {mode}: constant, reflect, replicate or circular"
        )
    if value is not None and value != 0:
        raise ShapeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if not len(sides) // 2 + 1 <= rank <= len(sides) // 2 + 2:
        raise NotAvailable(
            f"Padding size {len(sides)} is not supported for {rank}D input tensor: there is one "
            "axis of channels, perhaps one of records, and every other one is padded"
        )
    return _copied(input, low, high, mode)


def _constant(x: Tensor, low: Shape, high: Shape, value: float) -> Tensor:
    for axis, (a, b) in enumerate(zip(low, high, strict=True)):
        n = x.node.shape[axis]
        if n + a + b < 0:
            raise ShapeError(
                f"narrow(): length must be non-negative: padding by {a} and {b} takes more than "
                f"the {n} "
                f"elements of dimension {axis}"
            )
        if a < 0 or b < 0:
            x = x.narrow(axis, max(-a, 0), n + min(a, 0) + min(b, 0))
    low, high = tuple(max(a, 0) for a in low), tuple(max(b, 0) for b in high)
    if not any(low) and not any(high):
        return x.clone()
    none = (0,) * len(low)
    out: Tensor = bind(shaping.pad, (x,), {"low": low, "high": high, "between": none})
    if value == 0:
        return out
    inside = np.pad(np.ones(x.node.shape, bool), list(zip(low, high, strict=True)))
    return e.select(holding(inside), out, out.literal(value))  # type: ignore[no-any-return]


def _copied(x: Tensor, low: Shape, high: Shape, mode: str) -> Tensor:
    for axis, (a, b) in enumerate(zip(low, high, strict=True)):
        if not a and not b:
            continue
        n = x.node.shape[axis]
        most = {"reflect": n - 1, "circular": n}.get(mode, max(a, b))
        if max(a, b) > most or n + a + b < 0:
            raise ShapeError(
                "Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({a}, {b}) at dimension {axis} of input {list(x.node.shape)}"
            )
        longer, cut = (max(a, 0), max(b, 0)), (max(-a, 0), max(-b, 0))
        places = np.arange(n)
        if mode == "circular":  # goes round what is left
            places = places[cut[0] : n - cut[1]]
        places = np.pad(places, longer, mode=_MODES[mode])  # type: ignore[call-overload]
        if mode != "circular":
            places = places[cut[0] : len(places) - cut[1]]
        x = bind(indexing.take, (x, holding(places)), {"axis": axis})
    return x


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place of each class number, 0 elsewhere, as int64: (…) becomes (…, num_classes).

    Without num_classes there are as many as the largest number says. RuntimeError for a number out
    of range.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.node.dtype != np.int64:
        raise DtypeError(
            "one_hot is only applicable to index tensor of type LongTensor: use long()"
        )
    numbers = tensor.node.value
    if num_classes == -1:
        if numbers is None:
            raise TraceError(
                "one_hot in a traced program needs num_classes: the numbers are not known yet"
            )
        if not numbers.size:
            raise ShapeError("Can not infer total number of classes from empty tensor.")
        num_classes = int(numbers.max()) + 1
    if numbers is not None and numbers.size:
        if numbers.min() < 0:
            raise ShapeError(f"Class values must be non-negative; one is {numbers.min()}.")
        if numbers.max() >= num_classes:
            raise ShapeError(
                f"Class values must be smaller than num_classes: {numbers.max()} and {num_classes}."
            )
    classes = holding(np.arange(num_classes))
    return (tensor.unsqueeze(-1) == classes).long()  # type: ignore[no-any-return]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(…, C·r², H, W) to (…, C, H·r, W·r): r² channels become r × r pixels.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.pixel_shuffle(torch.ones(1, 8, 2, 3), 2).shape
    torch.Size([1, 2, 4, 6])
    """
    r, shape = upscale_factor, input.node.shape
    if len(shape) < 3 or r <= 0 or shape[-3] % (r * r):
        raise ShapeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input of shape {list(shape)} has no multiple of {r * r} "
            "channels"
        )
    lead, (channels, height, width) = shape[:-3], shape[-3:]
    parts = input.reshaped((*lead, channels // (r * r), r, r, height, width))
    k = len(lead)
    turned = parts.transposed((*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return turned.reshaped((*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(…, C, H·r, W·r) to (…, C·r², H, W): what undoes pixel_shuffle.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.pixel_unshuffle(torch.ones(1, 2, 4, 6), 2).shape
    torch.Size([1, 8, 2, 3])
    """
    r, shape = downscale_factor, input.node.shape
    if len(shape) < 3 or r <= 0 or shape[-2] % r or shape[-1] % r:
        raise ShapeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor={r}, "
            f"but got input of shape {list(shape)}"
        )
    lead, (channels, height, width) = shape[:-3], shape[-3:]
    parts = input.reshaped((*lead, channels, height // r, r, width // r, r))
    k = len(lead)
    turned = parts.transposed((*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return turned.reshaped((*lead, channels * r * r, height // r, width // r))
