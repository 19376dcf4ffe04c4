"""Normalizations: (x − mean) / √(variance + eps), over one set of elements or another."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from chalkgrad.core.errors import ArgumentError, ShapeError
from chalkgrad.core.scope import recording
from chalkgrad.nn.functional.regions import named
from chalkgrad.tensor.tensor import Tensor

_ALONE = (
    "Expected more than 1 value per channel when training, got input size {}: one value has no "
    "variance. Use a larger batch, or eval()."
)


def _spread(input: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """The mean over some axes, the distances from it, and the variance, which divides by n."""
    mean = input.mean(axes, keepdim=True)
    centered = input - mean
    return mean, centered, centered.square().mean(axes, keepdim=True)


def _standardized(input: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """(x − mean) / √(variance + eps) over some axes."""
    _, centered, variance = _spread(input, axes)
    return centered / (variance + eps).sqrt()


def _per_channel(x: Tensor, rank: int) -> Tensor:
    return x.reshaped((x.node.shape[0], *(1,) * (rank - 2)))


def _scaled(out: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


@named("batch norm")
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """γ · (x − mean) / √(variance + eps) + β for each channel (dimension 1).

    While training, the mean and variance are the batch's own, and the running ones move towards
    them: running ← (1 − momentum) · running + momentum · batch, with the variance that divides by
    n − 1. Otherwise the running ones are used. ValueError for a single value a channel while
    training.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([[1.0], [3.0]])
    >>> torch.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    rank = len(input.node.shape)
    axes = (0, *range(2, rank))
    if training:
        _check_batch(input, axes)
        mean, centered, variance = _spread(input, axes)
        if running_mean is not None and running_var is not None:
            count = input.numel() // mean.numel()
            _follow(running_mean, mean.detach(), momentum)
            _follow(running_var, variance.detach() * (count / (count - 1)), momentum)
        out = centered / (variance + eps).sqrt()
    else:
        if running_mean is None or running_var is None:
            raise ShapeError(
                "Expected running_mean and running_var to be defined when training=False"
            )
        mean, variance = _per_channel(running_mean, rank), _per_channel(running_var, rank)
        out = (input - mean) / (variance + eps).sqrt()
    gamma = None if weight is None else _per_channel(weight, rank)
    return _scaled(out, gamma, None if bias is None else _per_channel(bias, rank))


def _check_batch(input: Tensor, axes: tuple[int, ...]) -> None:
    if prod(input.node.shape[k] for k in axes) == 1:
        raise ArgumentError(_ALONE.format(input.shape))


def _follow(running: Tensor, batch: Tensor, momentum: float) -> None:
    """running ← (1 − momentum) · running + momentum · batch"""
    with recording(False):
        new = running * (1.0 - momentum) + batch.reshaped(running.node.shape) * momentum
        running.assign(new.cast(running.node.dtype))


@named("layer norm")
def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """γ · (x − mean) / √(variance + eps) + β over the last dimensions, those of `normalized_shape`.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    axes = _last_axes(input, normalized_shape)
    return _scaled(_standardized(input, axes, eps), weight, bias)


def _last_axes(input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    wanted, shape = tuple(normalized_shape), input.node.shape
    if not wanted or shape[len(shape) - len(wanted) :] != wanted or len(wanted) > len(shape):
        raise ShapeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape "
            f"[*, {', '.join(map(str, wanted))}], but got input of size {list(shape)}"
        )
    return tuple(range(len(shape) - len(wanted), len(shape)))


@named("group norm")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """γ · (x − mean) / √(variance + eps) + β over each record's groups of channels.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0, 0.0, 4.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = input.node.shape
    if len(shape) < 2:
        raise ShapeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    if prod((shape[0] * shape[1] // num_groups, *shape[2:])) == 1:
        raise ArgumentError(_ALONE.format(input.shape))
    if shape[1] % num_groups:
        raise ShapeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    groups = input.reshaped((shape[0], num_groups, prod(shape[1:]) // num_groups))
    out = _standardized(groups, (2,), eps).reshaped(shape)
    gamma = None if weight is None else _per_channel(weight, len(shape))
    return _scaled(out, gamma, None if bias is None else _per_channel(bias, len(shape)))


@named("instance norm")
def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """γ · (x − mean) / √(variance + eps) + β over each record's channels by themselves.

    The running mean and variance, where they are given, move towards the mean of those of the
    records; without `use_input_stats` they are used. ValueError for a single value a channel.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0], [0.0, 4.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    shape = input.node.shape
    axes, count = tuple(range(2, len(shape))), prod(shape[2:])
    if count == 1:
        raise ArgumentError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.shape}: one value has no variance"
        )
    mean, centered, variance = _spread(input, axes)
    if running_mean is not None and running_var is not None:
        _follow(running_mean, mean.detach().mean(0), momentum)
        _follow(running_var, variance.detach().mean(0) * (count / (count - 1)), momentum)
    out = centered / (variance + eps).sqrt()
    gamma = None if weight is None else _per_channel(weight, len(shape))
    return _scaled(out, gamma, None if bias is None else _per_channel(bias, len(shape)))


@named("RMS norm")
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """γ · x / √(mean of x² + eps) over the last dimensions; eps is the type's own unless it is
    given.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([[3.0, 3.0]]), (2,))
    tensor([[1., 1.]])
    """
    axes = _last_axes(input, normalized_shape)
    least = float(np.finfo(input.node.dtype).eps) if eps is None else eps
    size = (input.square().mean(axes, keepdim=True) + least).sqrt()
    return _scaled(input / size, weight, None)
