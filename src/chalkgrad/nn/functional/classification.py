"""Losses for targets that are classes or probabilities: p is the output, y the target."""

from __future__ import annotations

import warnings

import numpy as np

from chalkgrad.core.errors import ArgumentError, DimensionError, DtypeError, ShapeError
from chalkgrad.core.graph import Array
from chalkgrad.core.primitive import bind
from chalkgrad.executors.replay import replayed
from chalkgrad.nn.functional.activations import logsigmoid
from chalkgrad.nn.functional.reduction import check_sizes, reduced
from chalkgrad.nn.functional.regions import level_outside, named
from chalkgrad.primitives import indexing, piecewise
from chalkgrad.tensor.tensor import Tensor

_BCE_SIZES = (
    "Using a target size ({target}) that is different to the input size ({input}) is deprecated. "
    "Please ensure they have the same size."
)
_LOGIT_SIZES = "Target size ({target}) must be the same as input size ({input})."


@named("binary cross-entropy")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """−(y·log p + (1 − y)·log(1 − p)), averaged; p is a probability, as a sigmoid gives it.

    The logarithms are bounded below by −100, so that a wrong p of exactly 0 or 1 costs 100 and not
    ∞. RuntimeError for a p outside of [0, 1]; ValueError for two shapes.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    p, y = input, target
    if p.node.shape != y.node.shape:
        check_sizes(p, y, _BCE_SIZES)
    if p.node.dtype is not y.node.dtype:
        _check_types(p, y)
    if y.node.seq != _last_target.seq:
        _check_between(y, "target", "")
        _last_target.seq = y.node.seq
    out = _two_class(p, y, weight, reduction)
    # A p outside of [0, 1] has no logarithm: it makes the loss NaN, and little else does.
    value = out.node.value
    if value is not None and (value.ndim or value != value):
        _check_between(p, "input", _WANTS_SIGMOID)
    return out


@replayed
def _two_class(p: Tensor, y: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    log_p = bind(piecewise.bounded_log, (p,))
    log_rest = bind(piecewise.bounded_log, (1.0 - p,))
    loss = -(y * log_p + (1.0 - y) * log_rest)
    return reduced(loss if weight is None else loss * weight, reduction)


class _Target:
    """The target that was checked last: in a training loop it comes again and again."""

    seq = -1


_last_target = _Target()
_WANTS_SIGMOID = " Put a sigmoid before BCELoss, or use BCEWithLogitsLoss, which contains one."


def _check_types(p: Tensor, y: Tensor) -> None:
    if p.node.dtype != y.node.dtype:
        raise DtypeError(
            f"Found dtype {y.dtype} but expected {p.dtype}: the target of a binary cross-entropy "
            f"has the input's type; target.{'float' if p.node.dtype == 'float32' else 'double'}() "
            "converts it."
        )


def _check_between(x: Tensor, word: str, fix: str) -> None:
    numbers = x.node.value
    if numbers is None:
        return
    inside = (numbers >= 0) & (numbers <= 1)
    if not inside.all():
        raise ShapeError(
            f"all elements of {word} should be between 0 and 1; one is "
            f"{numbers[~inside].flat[0]:.6g}.{fix}"
        )


@named("binary cross-entropy")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Binary cross-entropy of p = σ(x), written (1 − y)·x − w·ln σ(x), which no x makes overflow.

    w = 1 + (pos_weight − 1)·y counts the positive examples of a class more, or less.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([0.0, 1000.0])
    >>> torch.nn.functional.binary_cross_entropy_with_logits(x, torch.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    check_sizes(input, target, _LOGIT_SIZES)
    return _two_class_of_logits(input, target, weight, pos_weight, reduction)


@replayed
def _two_class_of_logits(
    x: Tensor, y: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str
) -> Tensor:
    log_p = logsigmoid(x)
    if pos_weight is not None:
        log_p = log_p * ((pos_weight - 1.0) * y + 1.0)
    loss = (1.0 - y) * x - log_p
    return reduced(loss if weight is None else loss * weight, reduction)


@named("cross-entropy")
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """−log softmax(x)[y] of the right class y, averaged over the records.

    `input` holds one score a class: (C,), (N, C) or (N, C, d₁, …). `target` is either the number of
    the right class, int64 of the input's shape without C, or a probability for every class, of the
    input's own shape: then the loss is −Σ y·log softmax(x) over the classes.

    A softmax is part of this loss: do not put another one before it.

    `weight` has one number a class. Records whose class is `ignore_index` do not count.
    `label_smoothing` ε mixes the target with ε/C for every class. IndexError for a class out of
    range.

    >>> import chalkgrad as torch
    >>> scores = torch.tensor([[2.0, 0.0, 0.0]])
    >>> torch.nn.functional.cross_entropy(scores, torch.tensor([0]))
    tensor(0.2395)
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise ShapeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    axis = _class_axis(input)
    _check_class_weight(weight, input.node.shape[axis])
    if input.node.shape == target.node.shape:
        return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    _check_targets(input, target)
    log_p = input.log_softmax(axis)
    loss = _likelihood(log_p, target, weight, ignore_index, reduction)
    if label_smoothing:
        even = _even_loss(log_p, target, weight, ignore_index, reduction)
        share = label_smoothing / input.node.shape[axis]
        loss = loss * (1.0 - label_smoothing) + even * share
    return loss


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """−log p[y] of the right class y, averaged; `input` holds log-probabilities, as log_softmax
    gives them.

    Shapes, `weight` and `ignore_index` are those of `cross_entropy`.

    >>> import chalkgrad as torch
    >>> log_p = torch.tensor([[-0.5, -1.0]])
    >>> torch.nn.functional.nll_loss(log_p, torch.tensor([1]))
    tensor(1.)
    """
    if not input.node.shape:
        raise ArgumentError("Expected 1 or more dimensions (got 0)")
    _check_class_weight(weight, input.node.shape[_class_axis(input)])
    _check_targets(input, target)
    return _likelihood(input, target, weight, ignore_index, reduction)


def _class_axis(input: Tensor) -> int:
    if not input.node.shape:
        raise DimensionError(
            "cross_entropy takes one score a class: (C,) or (N, C), not a single number"
        )
    return 0 if len(input.node.shape) == 1 else 1


def _check_class_weight(weight: Tensor | None, classes: int) -> None:
    if weight is not None and weight.node.shape != (classes,):
        raise ShapeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {list(weight.node.shape)}"
        )


def _check_targets(input: Tensor, target: Tensor) -> None:
    """Are the targets class numbers, one for each record?"""
    shape, given = input.node.shape, target.node.shape
    wanted = shape[:0] if len(shape) == 1 else (shape[0], *shape[2:])
    if given != wanted and not (len(shape) == 1 and given == (1,)):
        if len(shape) == 2 and len(given) > 1:
            raise ShapeError(
                "0D or 1D target tensor expected, multi-target not supported: the input of shape "
                f"{list(shape)} takes {shape[0]} class numbers, the target has shape {list(given)}."
                f"{' target.squeeze(1) fits.' if given == (shape[0], 1) else ''}"
            )
        if len(shape) > 1 and (not given or shape[0] != given[0]):
            size = given[0] if given else 0
            raise ArgumentError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size ({size})."
            )
        raise ShapeError(f"Expected target size {list(wanted)}, got {list(given)}")
    if target.node.dtype != np.int64:
        raise DtypeError(
            f"expected target dtype to be Long (torch.int64), but got {target.dtype}: class "
            "numbers are whole; target.long() converts them."
        )


def _all_count(target: Tensor, classes: int, ignore_index: int) -> bool:
    """Is every target a class that counts? False also where that is not known yet, in a trace."""
    numbers = target.node.value
    if numbers is None:
        return False
    # Read as unsigned, a negative number is larger than any class: one comparison for both ends.
    within = not numbers.size or numbers.view(np.uint64).max() < classes
    if within and not 0 <= ignore_index < classes:
        return True
    wrong = ((numbers < 0) | (numbers >= classes)) & (numbers != ignore_index)
    if wrong.any():
        raise _no_such_class(numbers, wrong, classes)
    return ignore_index not in numbers


def _no_such_class(numbers: Array, wrong: Array, classes: int) -> DimensionError:
    place = tuple(int(k) for k in np.argwhere(wrong)[0])
    where = f" at position {place[0] if len(place) == 1 else place}" if place else ""
    return DimensionError(
        f"Target {numbers[wrong].flat[0]} is out of bounds. It stands{where} of the target; the "
        f"input has {classes} columns, for the classes 0–{classes - 1}."
    )


def _likelihood(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """−w[y]·log p[y] of each record's class, reduced; the mean divides by the sum of all w[y]."""
    axis, shape = _class_axis(log_p), log_p.node.shape
    every = _all_count(target, shape[axis], ignore_index)
    y = target.reshaped((*shape[:axis], 1, *shape[axis + 1 :]))
    ignored = None if every else y == ignore_index
    place = y if ignored is None else y.masked_fill(ignored, 0)
    loss: Tensor = -bind(indexing.take_along, (log_p, place), {"axis": axis})
    if weight is None and ignored is None:
        return reduced(loss, reduction, target.node.shape)
    counts = _counts(place, ignored, weight, loss)
    loss = loss * counts
    if ignored is not None:  # if every record is ignored the mean is 0 / 0, and no gradient passes
        loss = loss.masked_fill(ignored, 0)
    if reduction == "mean":
        return loss.sum() / counts.sum()
    return reduced(loss, reduction, target.node.shape)


def _counts(place: Tensor, ignored: Tensor | None, weight: Tensor | None, like: Tensor) -> Tensor:
    """How much each record counts: its class's weight, or 1; 0 where it is to be ignored."""
    if weight is None:
        counts = like.detach() * 0.0 + 1.0
    else:
        counts = bind(indexing.take, (weight, place), {"axis": 0})
    return counts if ignored is None else counts.masked_fill(ignored, 0)


def _even_loss(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """−Σ w·log p over all classes: the part of a smoothed target that prefers none of them."""
    ignored = target == ignore_index
    weighted = log_p if weight is None else log_p * _along_classes(weight, log_p)
    total: Tensor = weighted.sum(_class_axis(log_p))
    loss = -total.reshaped(target.node.shape).masked_fill(ignored, 0)
    if reduction == "mean":
        counts = _counts(target.masked_fill(ignored, 0), ignored, weight, loss)
        return loss.sum() / counts.sum()
    return reduced(loss, reduction)


def _along_classes(weight: Tensor, log_p: Tensor) -> Tensor:
    axis = _class_axis(log_p)
    return weight.reshaped((weight.node.shape[0], *(1,) * (len(log_p.node.shape) - axis - 1)))


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str,
    label_smoothing: float,
) -> Tensor:  # fmt: skip
    """−Σ y·log p over the classes, averaged over the records."""
    if target.node.dtype.kind != "f":
        raise DtypeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype}. "
            "Give probabilities as floats, or one class number a record."
        )
    if ignore_index >= 0:
        raise ShapeError("ignore_index is not supported for floating point target")
    axis = _class_axis(input)
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / input.node.shape[axis]
    log_p = input.log_softmax(axis)
    loss = target * log_p
    if weight is not None:
        loss = loss * _along_classes(weight, log_p)
    return reduced(-loss.sum(axis), reduction)


@named("Kullback-Leibler divergence")
def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """y·(ln y − x), where x holds log-probabilities and y probabilities (or their logarithms).

    reduction="batchmean" divides the sum by the number of records, as the definition does; "mean"
    divides it by the number of elements.

    >>> import chalkgrad as torch
    >>> x, y = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[1.0, 0.0]])
    >>> torch.nn.functional.kl_div(x, y, reduction="batchmean")
    tensor(0.6931)
    """
    loss = target.exp() * (target - input) if log_target else target.xlogy(target) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.node.shape[0] if input.node.shape else loss.sum()
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=level_outside(),
        )
    return reduced(loss, reduction)


@named("soft margin")
def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """ln(1 + e^(−y·x)), averaged; y is 1 or −1.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.soft_margin_loss(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    return reduced((-target * input).exp().log1p(), reduction)


@named("multi-label soft margin")
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """−(y·ln σ(x) + (1 − y)·ln σ(−x)), averaged over the classes (the last dimension), then
    reduced.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 2), torch.ones(1, 2))
    tensor(0.6931)
    """
    loss = -(target * logsigmoid(input) + (1.0 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss.sum(-1) / input.node.shape[-1], reduction)
