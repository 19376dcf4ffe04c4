"""Losses for targets that are quantities: o is the output (input), t the target."""

from __future__ import annotations

import math

from chalkgrad.core.errors import ArgumentError
from chalkgrad.executors.replay import replayed
from chalkgrad.nn.functional.reduction import reduced, warn_of_sizes, weighted
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.tensor import Tensor


@named("mean squared error")
def mse_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """(o − t)², averaged over all elements.

    Both have one shape: with another one PyTorch broadcasts, and warns.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if input.node.shape != target.node.shape:
        warn_of_sizes(input, target)
    return _squared_error(input, target, weight, reduction)


@replayed
def _squared_error(o: Tensor, t: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    return weighted((o - t).square(), weight, reduction)


@named("half squared error")
def half_squared_error(input: Tensor, target: Tensor, reduction: str = "sum") -> Tensor:
    """½ (t − o)², added up over all elements: the error whose derivative is o − t.

    reduction="sum" is the lectures' E_total = Σ ½ (t − o)². "mean" divides that sum by the number
    of elements (records times outputs), "none" leaves the elements apart.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.half_squared_error(
    ...     torch.tensor([0.75, 0.77]), torch.tensor([0.01, 0.99])
    ... )
    tensor(0.2980)
    """
    if input.node.shape != target.node.shape:
        warn_of_sizes(input, target)
    return _half_squared_error(input, target, reduction)


@replayed
def _half_squared_error(o: Tensor, t: Tensor, reduction: str) -> Tensor:
    return reduced(0.5 * (t - o).square(), reduction)


@named("mean absolute error")
def l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """|o − t|, averaged over all elements.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """
    warn_of_sizes(input, target)
    return weighted((input - target).abs(), weight, reduction)


@named("smooth L1")
def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """With d = |o − t|: d² / (2β) where d < β, else d − β/2.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 3.0]))
    tensor(1.5000)
    """
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta: {beta}")
    warn_of_sizes(input, target)
    distance = (input - target).abs()
    if beta > 0:
        near = e.less(distance, distance.literal(beta))
        curve = distance.square() * (0.5 / beta)
        distance = e.select(near, curve, distance - 0.5 * beta)
    return reduced(distance, reduction)


@named("huber")
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """With d = |o − t|: ½ d² where d ≤ δ, else δ (d − δ/2).

    >>> import chalkgrad as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 3.0]))
    tensor(1.5000)
    """
    if delta <= 0:
        raise ArgumentError(f"huber_loss does not support non-positive values for delta: {delta}")
    warn_of_sizes(input, target)
    distance = (input - target).abs()
    near = e.less_equal(distance, distance.literal(delta))
    loss = e.select(near, 0.5 * distance.square(), delta * (distance - 0.5 * delta))
    if weight is None:
        return reduced(loss, reduction)
    return reduced(loss * weight, reduction)  # unlike mse_loss, its mean divides by the count


@named("Poisson negative log-likelihood")
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    *, eps: float = 1e-8, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """e^o − t·o where o is the logarithm of the rate, else o − t·ln(o + eps).

    `full` adds Stirling's t·ln t − t + ½ ln(2πt) for ln t!, where t > 1.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(1.)
    """
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


@named("Gaussian negative log-likelihood")
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """½ (ln v + (o − t)² / v), where v is the variance, at least eps; `full` adds ½ ln 2π.

    `var` has the input's shape, or one number for the last dimension. The bound stops no gradient.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.gaussian_nll_loss(torch.zeros(1), torch.ones(1), torch.ones(1))
    tensor(0.5000)
    """
    if not isinstance(var, Tensor):
        var = (input.detach() * 0 + 1) * float(var)
    if var.node.value is not None and (var.node.value < 0).any():
        raise ArgumentError("var has negative entry/entries: a variance is at least 0")
    var = _spread_variance(input, var)
    variance = var + (var.detach().clamp_min(eps) - var.detach())
    loss = 0.5 * (variance.log() + (input - target).square() / variance)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _spread_variance(input: Tensor, var: Tensor) -> Tensor:
    shape, wanted = var.node.shape, input.node.shape
    if shape == wanted:
        return var
    if shape == wanted[:-1]:
        return var.unsqueeze(-1)
    differing = [m for n, m in zip(wanted, shape, strict=False) if n != m]
    if len(shape) == len(wanted) and sum(differing) == 1:
        return var
    raise ArgumentError(
        f"var is of incorrect size: {list(shape)} beside an input of shape {list(wanted)}"
    )
