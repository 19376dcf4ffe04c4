"""Losses as modules: `criterion(output, target)`. Their equations stand in `nn.functional`.

`reduction` is "mean" (over all elements, or over the records where each has one class), "sum" or
"none".
"""

from __future__ import annotations

from chalkgrad.core.errors import ArgumentError
from chalkgrad.nn.functional import classification, margins, regression
from chalkgrad.nn.module import Module
from chalkgrad.tensor.tensor import Tensor


class _Loss(Module):
    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with one weight a class or element, which is a buffer: it moves with `to()`."""

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)


# Targets that are quantities.
class MSELoss(_Loss):
    """Mean squared error: (o − t)², averaged over all elements.

    A target of another shape is broadcast, with a warning.

    >>> import chalkgrad as torch
    >>> torch.nn.MSELoss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return regression.mse_loss(input, target, reduction=self.reduction)


class HalfSquaredError(Module):
    """The lectures' loss E = Σ ½ (t − o)², whose derivative is o − t.

    reduction="sum" adds up all records and outputs; "mean" divides that sum by their number, which
    is half of MSELoss; "none" leaves the elements apart. A batch of several records in "sum" gives
    gradients that grow with the batch.

    >>> import chalkgrad as torch
    >>> output, target = torch.tensor([0.75136507, 0.772928465]), torch.tensor([0.01, 0.99])
    >>> torch.nn.HalfSquaredError()(output, target)
    tensor(0.2984)
    """

    def __init__(self, reduction: str = "sum") -> None:
        super().__init__()
        if reduction not in ("sum", "mean", "none"):
            raise ArgumentError(
                f"{reduction} is not a valid value for reduction: sum, mean or none"
            )
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return regression.half_squared_error(input, target, self.reduction)


class L1Loss(_Loss):
    """Mean absolute error: |o − t|, averaged over all elements.

    >>> import chalkgrad as torch
    >>> torch.nn.L1Loss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return regression.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """With d = |o − t|: d² / (2β) where d < β, else d − β/2.

    >>> import chalkgrad as torch
    >>> torch.nn.SmoothL1Loss()(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 3.0]))
    tensor(1.5000)
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return regression.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """With d = |o − t|: ½ d² where d ≤ δ, else δ (d − δ/2).

    >>> import chalkgrad as torch
    >>> torch.nn.HuberLoss(delta=2.0)(torch.tensor([0.0]), torch.tensor([3.0]))
    tensor(4.)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return regression.huber_loss(input, target, self.reduction, self.delta)


class PoissonNLLLoss(_Loss):
    """e^o − t·o, for counts t and the logarithm o of their rate; see
    nn.functional.poisson_nll_loss.

    >>> import chalkgrad as torch
    >>> torch.nn.PoissonNLLLoss()(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return regression.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """½ (ln v + (o − t)² / v), for a mean o and a variance v that are both learned.

    >>> import chalkgrad as torch
    >>> torch.nn.GaussianNLLLoss()(torch.zeros(1), torch.ones(1), torch.ones(1))
    tensor(0.5000)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return regression.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


# Targets that are classes or probabilities.
class BCELoss(_WeightedLoss):
    """Binary cross-entropy −(y·log p + (1 − y)·log(1 − p)), averaged; p comes from a sigmoid.

    RuntimeError for a p outside of [0, 1], ValueError for two shapes.

    >>> import chalkgrad as torch
    >>> torch.nn.BCELoss()(torch.tensor([0.5762]), torch.tensor([1.0]))
    tensor(0.5513)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.binary_cross_entropy(
            input, target, self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(_WeightedLoss):
    """Binary cross-entropy of σ(x), in a form that does not overflow: the last layer needs no
    sigmoid.

    >>> import chalkgrad as torch
    >>> torch.nn.BCEWithLogitsLoss()(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class CrossEntropyLoss(_WeightedLoss):
    """−log softmax(x)[y] of the right class y, averaged; the last layer needs no softmax.

    Input (N, C) scores, target (N) class numbers in int64, or (N, C) probabilities. Options as in
    nn.functional.cross_entropy. IndexError for a class that is not there.

    >>> import chalkgrad as torch
    >>> torch.nn.CrossEntropyLoss()(torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([0]))
    tensor(0.2395)
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_WeightedLoss):
    """−log p[y] of the right class y, averaged; the last layer is a LogSoftmax.

    >>> import chalkgrad as torch
    >>> torch.nn.NLLLoss()(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """y·(ln y − x), where x holds log-probabilities; reduction="batchmean" is the definition's.

    >>> import chalkgrad as torch
    >>> x, y = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[1.0, 0.0]])
    >>> torch.nn.KLDivLoss(reduction="batchmean")(x, y)
    tensor(0.6931)
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class SoftMarginLoss(_Loss):
    """ln(1 + e^(−y·x)), averaged; y is 1 or −1.

    >>> import chalkgrad as torch
    >>> torch.nn.SoftMarginLoss()(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Binary cross-entropy of every label's σ(x), averaged over the labels, then over the records.

    >>> import chalkgrad as torch
    >>> torch.nn.MultiLabelSoftMarginLoss()(torch.zeros(1, 2), torch.ones(1, 2))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return classification.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )


# Vectors compared with one another.
class HingeEmbeddingLoss(_Loss):
    """x where y is 1, max(0, margin − x) where y is −1.

    >>> import chalkgrad as torch
    >>> torch.nn.HingeEmbeddingLoss()(torch.tensor([0.2, 0.2]), torch.tensor([1, -1]))
    tensor(0.5000)
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return margins.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """1 − cos(a, b) where y is 1, max(0, cos(a, b) − margin) where y is −1.

    >>> import chalkgrad as torch
    >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> torch.nn.CosineEmbeddingLoss()(a, b, torch.tensor([1]))
    tensor(1.)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margins.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_Loss):
    """max(0, −y·(a − b) + margin): y says which of the two should be larger.

    >>> import chalkgrad as torch
    >>> a, b = torch.tensor([1.0]), torch.tensor([3.0])
    >>> torch.nn.MarginRankingLoss()(a, b, torch.tensor([1.0]))
    tensor(2.)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margins.margin_ranking_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """max(0, d(anchor, positive) − d(anchor, negative) + margin).

    >>> import chalkgrad as torch
    >>> a, p, n = torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2)
    >>> torch.nn.TripletMarginLoss()(a, p, n)
    tensor(1.)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
        *, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ArgumentError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return margins.triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            reduction=self.reduction,
        )
