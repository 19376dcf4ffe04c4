"""How the losses of the single elements become one number, and what losses ask of a target."""

from __future__ import annotations

import warnings

from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.graph import Shape
from chalkgrad.nn.functional.regions import level_outside
from chalkgrad.tensor.tensor import Tensor


def reduced(loss: Tensor, reduction: str, shape: Shape | None = None) -> Tensor:
    """The mean or the sum of all elements, or (for "none") the elements themselves, in `shape`."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss if shape is None else loss.reshaped(shape)
    raise ArgumentError(f"{reduction} is not a valid value for reduction: it is mean, sum or none")


def weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """As `reduced`, each element counting as much as its weight says."""
    if weight is None:
        return reduced(loss, reduction)
    if weight.node.shape != loss.node.shape:
        raise ArgumentError(
            f"Weights and input must have the same size: {list(weight.node.shape)} and "
            f"{list(loss.node.shape)}"
        )
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)


def warn_of_sizes(input: Tensor, target: Tensor) -> None:
    """PyTorch's warning where a loss broadcasts, which is nearly always a mistake."""
    if target.node.shape == input.node.shape:
        return
    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). "
        "This will likely lead to incorrect results due to broadcasting. Please ensure they have "
        f"the same size.{_fix(input, target)}",
        stacklevel=level_outside(),
    )


def _fix(input: Tensor, target: Tensor) -> str:
    if input.numel() != target.numel():
        return ""
    return f" Here target.reshape({', '.join(map(str, input.node.shape))}) does that."


def check_sizes(input: Tensor, target: Tensor, message: str) -> None:
    """Refuse a target of another shape than the input."""
    if target.node.shape != input.node.shape:
        raise ArgumentError(
            message.format(target=target.shape, input=input.shape) + _fix(input, target)
        )
