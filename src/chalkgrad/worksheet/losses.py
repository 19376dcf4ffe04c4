"""The losses that a worksheet may name, and what "sum" and "mean" over records mean of each.

    loss of a record                     half_squared_error       Σ ½ (target − output)²
                                         squared_error            Σ (output − target)²
                                         mean_squared_error       the mean of (output − target)²
                                         binary_cross_entropy     the mean of −(t·log o + …)
                                         cross_entropy            −Σ target·log(output)
    over_records = "sum", "mean"         the sum, or the mean, of the losses of the records

The means over outputs are PyTorch's, as is the default: mean for the last three, else sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chalkgrad.core.scope import scope
from chalkgrad.nn import functional as F
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.worksheet.parts import Loss


class Rule(NamedTuple):
    """One kind of loss."""

    over_records: str  # the default
    scope: str
    terms: Callable[
        [Tensor, Tensor], Tensor
    ]  # of output and target; a term for each record at least
    averaged: bool  # is the loss of a record the mean over its outputs?


def _squared(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).square()


def _cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    return -(target * output.log())


RULES = {
    "half_squared_error": Rule(
        "sum", "half squared error",
        lambda o, t: F.half_squared_error(o, t, reduction="none"), False,
    ),
    "squared_error": Rule("sum", "squared error", _squared, False),
    "mean_squared_error": Rule(
        "mean", "mean squared error", lambda o, t: F.mse_loss(o, t, reduction="none"), True
    ),
    "binary_cross_entropy": Rule(
        "mean", "binary cross-entropy",
        lambda o, t: F.binary_cross_entropy(o, t, reduction="none"), True,
    ),
    "cross_entropy": Rule("mean", "cross-entropy", _cross_entropy, False),
}  # fmt: skip


def loss_of(loss: Loss, output: Tensor, target: Tensor, *, logits: bool) -> tuple[Tensor, Tensor]:
    """The loss, and its terms: one for each record and output, or of logits for each record."""
    rule = RULES[loss.kind]
    if loss.kind == "cross_entropy" and logits:
        terms = F.cross_entropy(output, target, reduction="none")
    elif rule.terms in (_squared, _cross_entropy):
        with scope(rule.scope):
            terms = rule.terms(output, target)
    else:
        terms = rule.terms(output, target)
    records, outputs = output.node.shape
    with scope(rule.scope):
        return _reduced(terms, loss, rule, records, outputs), terms


def _reduced(terms: Tensor, loss: Loss, rule: Rule, records: int, outputs: int) -> Tensor:
    mean = loss.over_records == "mean"
    if mean and rule.averaged and records * outputs > 1:
        return terms.mean()
    count = (records if mean else 1) * (outputs if rule.averaged else 1)
    return terms.sum() / count if count > 1 else terms.sum()
