"""Distances between vectors, and losses that compare them."""

from __future__ import annotations

from chalkgrad.core.errors import ArgumentError, ShapeError
from chalkgrad.nn.functional.reduction import reduced
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.operand import common_shape
from chalkgrad.tensor.tensor import Tensor


@named("cosine similarity")
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """a·b / (max(‖a‖, eps) · max(‖b‖, eps)) along a dimension.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.cosine_similarity(
    ...     torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    ... )
    tensor([0.7071])
    """
    shape = common_shape("cosine_similarity", x1.node.shape, x2.node.shape)
    a, b = x1.broadcasted(shape), x2.broadcasted(shape)
    lengths = [x.norm(2, dim).clamp_min(eps) for x in (a, b)]
    return (a * b).sum(dim) / (lengths[0] * lengths[1])


@named("distance")
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖a − b + eps‖ₚ along the last dimension.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def _hinge(x: Tensor) -> Tensor:
    """max(x, 0), whose slope at 0 is taken to be 1 here, as PyTorch does."""
    return x.clamp_min(0)


@named("hinge embedding")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """x where y is 1, max(0, margin − x) where y is −1.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.hinge_embedding_loss(torch.tensor([0.2, 0.2]), torch.tensor([1, -1]))
    tensor(0.5000)
    """
    apart = _hinge(margin - input).masked_fill(target == 1, 0)
    return reduced(input.masked_fill(target == -1, 0) + apart, reduction)


@named("cosine embedding")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 − cos(a, b) where y is 1, max(0, cos(a, b) − margin) where y is −1.

    >>> import chalkgrad as torch
    >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> torch.nn.functional.cosine_embedding_loss(a, b, torch.tensor([1]))
    tensor(1.)
    """
    if target.dim() not in (0, 1) or input1.dim() != target.dim() + 1:
        raise ShapeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found "
            f"inputs with sizes {list(input1.node.shape)} and {list(input2.node.shape)}."
        )
    squares = [
        x.square().sum(-1) + 1e-12 for x in (input1, input2)
    ]  # PyTorch's bound, not its own eps
    cosine = (input1 * input2).sum(-1) / (squares[0] * squares[1]).sqrt()
    alike = (1.0 - cosine).masked_fill(target != 1, 0)
    return reduced(alike + _hinge(cosine - margin).masked_fill(target != -1, 0), reduction)


@named("margin ranking")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(0, −y·(a − b) + margin): y is 1 where a should be the larger one, −1 where b should.

    >>> import chalkgrad as torch
    >>> a, b = torch.tensor([1.0]), torch.tensor([3.0])
    >>> torch.nn.functional.margin_ranking_loss(a, b, torch.tensor([1.0]))
    tensor(2.)
    """
    return reduced(_hinge(-target * (input1 - input2) + margin), reduction)


@named("triplet margin")
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, d(anchor, positive) − d(anchor, negative) + margin).

    `swap` also considers d(positive, negative), and takes the smaller one.

    >>> import chalkgrad as torch
    >>> a, p, n = torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2)
    >>> torch.nn.functional.triplet_margin_loss(a, p, n)
    tensor(1.)
    """
    if margin <= 0:
        raise ArgumentError(f"margin must be greater than 0, got {margin}")
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = piecewise.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(_hinge(near - far + margin), reduction)
