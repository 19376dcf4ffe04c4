"""Records and targets as a model and its loss take them: cast and shaped, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad import nn
from chalkgrad.core.errors import ArgumentError, DimensionError, ShapeError, TypeMismatch
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training.steps import evaluating

_CLASS_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)


@dataclass(frozen=True, eq=False)
class Records:
    """Records x (N, …) and targets y (N, …), ready for a model."""

    x: Array
    y: Array
    labels: bool  # is y class numbers?

    @classmethod
    def of(cls, model: Any, loss: Any, x: Any, y: Any, what: str = "") -> Records:
        """What was given, cast; refused where it does not fit together."""
        records = numbers(x, model, f"{what}x")
        targets, labels = _targets(y, loss, records.dtype, f"{what}y", model)
        if len(records) != len(targets):
            raise ShapeError(
                f"{what}x has {len(records)} records and {what}y has {len(targets)} targets"
            )
        if not len(records):
            raise ShapeError(f"{what}x has no records")
        output = _rehearse(model, records[:2])
        targets = _shaped(targets, output, labels)
        if labels:
            _check_labels(targets, output, loss, f"{what}y")
        with evaluating(model), recording(False):  # numbers that the loss refuses are refused now
            first = slice(0, 32)
            loss(model(_tensor(records[first])), _tensor(targets[first]))
        return cls(records, targets, labels)

    def split(self, share: float, order: Array) -> tuple[Records, Records]:
        """Hold out the first of an order; of each class, where there are classes."""
        if not 0 < share < 1:
            raise ArgumentError(
                f"validation={share:g}: a share of the records lies between 0 and 1"
            )
        held = np.zeros(len(self.x), bool)
        if self.labels and self.y.ndim == 1:
            for label in np.unique(self.y):
                own = order[self.y[order] == label]
                held[own[: round(len(own) * share)]] = True
        else:
            held[order[: round(len(order) * share)]] = True
        if not held.any() or held.all():
            raise ArgumentError(
                f"validation={share:g} of {len(held)} records leaves {held.sum()} to validate on "
                f"and {(~held).sum()} to train on"
            )
        parts = (~held, held)
        train, test = (Records(self.x[part], self.y[part], self.labels) for part in parts)
        return train, test


def numbers(x: Any, model: Any, what: str = "x") -> Array:
    """Records in the type of the model's parameters, whole numbers where it looks them up."""
    kinds = [p.node.dtype for p in model.parameters()] or [np.dtype(np.float32)]
    first = next(iter(layer for layer in model.modules() if not list(layer.children())), None)
    whole = isinstance(first, nn.Embedding)
    return _array(x, what).astype(np.int64 if whole else kinds[0], copy=False)


def probabilities(outputs: Array, loss: Any) -> Array:
    """The probabilities that a loss sees in a model's outputs; other outputs as they are."""
    if isinstance(loss, nn.CrossEntropyLoss) and outputs.ndim > 1:
        shifted = np.exp(outputs - outputs.max(1, keepdims=True))
        return np.asarray(shifted / shifted.sum(1, keepdims=True))
    if isinstance(loss, nn.NLLLoss):
        return np.asarray(np.exp(outputs))
    if isinstance(loss, nn.BCEWithLogitsLoss):
        return np.asarray(0.5 + 0.5 * np.tanh(outputs / 2))
    return outputs


def _array(values: Any, what: str) -> Array:
    array = values.detach().array_for(what) if isinstance(values, Tensor) else np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeMismatch(
            f"{what} is of type {array.dtype}; fit takes numbers. Text becomes numbers in "
            "chalkgrad.data.tables, or with `chalkgrad train`."
        )
    if not array.ndim:
        raise ShapeError(f"{what} is one number; it must hold records: shape (N, …)")
    return array


def _targets(y: Any, loss: Any, kind: np.dtype[Any], what: str, model: Any) -> tuple[Array, bool]:
    targets = _array(y, what)
    if isinstance(loss, _CLASS_LOSSES):
        whole = targets.dtype.kind in "iub"
        if not whole and targets.ndim == 1:
            wrong = np.flatnonzero(targets != np.floor(targets))
            if len(wrong):
                raise ArgumentError(
                    f"{what} holds {targets[wrong[0]]:g} at record {wrong[0]}; "
                    f"{type(loss).__name__} takes class numbers 0, 1, 2, …"
                )
            whole = True
        if whole:
            return targets.astype(np.int64), True
    floats = [p.node.dtype for p in model.parameters()]
    return targets.astype(floats[0] if floats else kind, copy=False), False


def _rehearse(model: Any, x: Array) -> tuple[int, ...]:
    """The shape of the outputs for two records."""
    with evaluating(model), recording(False):
        output = model(_tensor(x))
    if not isinstance(output, Tensor):
        raise TypeMismatch(f"the model returns a {type(output).__name__}; fit needs one tensor")
    return tuple(output.node.shape)


def _shaped(targets: Array, output: tuple[int, ...], labels: bool) -> Array:
    """(N,) for outputs (N, 1), and the other way round; class numbers (N, 1) as (N,)."""
    if labels:
        column = targets.ndim == 2 and targets.shape[1] == 1 and len(output) == 2
        return targets[:, 0] if column else targets
    if targets.ndim + 1 == len(output) and output[-1] == 1:
        return targets[..., None]
    if targets.ndim == len(output) + 1 and targets.shape[-1] == 1:
        return targets[..., 0]
    return targets


def _check_labels(targets: Array, output: tuple[int, ...], loss: Any, what: str) -> None:
    count = output[1] if len(output) > 1 else 1
    wrong = (targets < 0) | (targets >= count)
    wrong &= targets != getattr(loss, "ignore_index", -100)
    if wrong.any():
        record = int(np.argwhere(wrong)[0][0])
        raise DimensionError(
            f"Target {targets[wrong][0]} is out of bounds: {what} holds it at record {record}, and "
            f"the model has {count} outputs, one for each of the classes 0 to {count - 1}"
        )


def _tensor(array: Array) -> Tensor:
    return Tensor.__new__(Tensor).wrap(leaf(array))
