"""How good predictions are. Every metric takes NumPy arrays (or tensors), predictions first.

`outputs` of a classifier are scores or probabilities (N, classes), or one column or a vector for
two classes; `targets` are class numbers (N,), or 0 and 1 in the outputs' shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, ShapeError, nearest
from chalkgrad.core.graph import Array


def classes(outputs: Any, *, threshold: float = 0.5) -> Array:
    """Each record's class: that of the largest score, or 1 where one probability ≥ threshold."""
    scores = np.asarray(outputs)
    if scores.ndim > 1 and scores.shape[1] > 1:
        return np.asarray(scores.argmax(1))
    return np.asarray(scores.reshape(len(scores)) >= threshold, np.int64)


def _labels(outputs: Any, targets: Any, threshold: float = 0.5) -> tuple[Array, Array]:
    predicted = np.asarray(outputs)
    if predicted.dtype.kind == "f":
        predicted = classes(predicted, threshold=threshold)
    truth = np.asarray(targets)
    if truth.ndim > 1 and truth.shape[1] > 1 and truth.shape == np.shape(outputs):
        truth = truth.argmax(1)  # one-hot
    truth = truth.reshape(len(truth), -1)[:, 0] if truth.size == len(truth) else truth
    if predicted.shape != truth.shape:
        raise ShapeError(
            f"predictions of shape {list(np.shape(outputs))} for targets of shape "
            f"{list(np.shape(targets))}"
        )
    return predicted.astype(np.int64), truth.astype(np.int64)


def accuracy(outputs: Any, targets: Any) -> float:
    """The share of records whose class is right.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    predicted, truth = _labels(outputs, targets)
    return float(np.mean(predicted == truth)) if truth.size else float("nan")


def top_k(outputs: Any, targets: Any, k: int = 5) -> float:
    """The share of records whose class is among the k largest scores."""
    scores, truth = np.asarray(outputs), np.asarray(targets).astype(np.int64)
    if scores.ndim != 2 or not 1 <= k <= scores.shape[1]:
        raise ArgumentError(f"top_k with k={k} for scores of shape {list(scores.shape)}")
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == truth[:, None]).any(1)))


def confusion(outputs: Any, targets: Any, count: int | None = None) -> Array:
    """The confusion matrix: entry [i, j] counts records of class i that were taken for class j."""
    predicted, truth = _labels(outputs, targets)
    count = count or int(max(predicted.max(initial=0), truth.max(initial=0))) + 1
    return np.bincount(truth * count + predicted, minlength=count * count).reshape(count, count)


def precision_recall_f1(
    outputs: Any, targets: Any, average: str = "macro"
) -> tuple[float, float, float]:
    """Precision TP/(TP+FP), recall TP/(TP+FN), and F1, their harmonic mean.

    average: 'macro' (the mean over classes), 'weighted' (by class frequency), or 'binary' (class
    1). A ratio 0/0 counts as 0.
    """
    table = confusion(outputs, targets).astype(float)
    right, called, true = np.diag(table), table.sum(0), table.sum(1)
    precision = np.divide(right, called, out=np.zeros_like(right), where=called > 0)
    recall = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    weights = _weights(average, called, true)
    return float(precision @ weights), float(recall @ weights), float(f1 @ weights)


def _weights(average: str, called: Array, true: Array) -> Array:
    """How much each class counts."""
    if average == "binary":
        if len(true) > 2:
            raise ArgumentError(
                f"average='binary' for {len(true)} classes: use 'macro' or 'weighted'"
            )
        return np.array([0.0, 1.0])[: len(true)]
    counts = {"macro": ((called + true) > 0).astype(float), "weighted": true}
    if average not in counts:
        raise ArgumentError(f"no average {average!r}. There are macro, weighted, binary.")
    return np.asarray(counts[average] / max(counts[average].sum(), 1))


def f1(outputs: Any, targets: Any) -> float:
    """The F1 score: of class 1 for two classes, otherwise the mean over classes."""
    binary = len(confusion(outputs, targets)) <= 2
    return precision_recall_f1(outputs, targets, "binary" if binary else "macro")[2]


def _same(outputs: Any, targets: Any) -> tuple[Array, Array]:
    predicted, truth = np.asarray(outputs, np.float64), np.asarray(targets, np.float64)
    if predicted.size != truth.size:
        raise ShapeError(
            f"predictions of shape {list(predicted.shape)} for targets of shape {list(truth.shape)}"
        )
    return predicted.reshape(truth.shape), truth


def mse(outputs: Any, targets: Any) -> float:
    """The mean squared error, mean((prediction − target)²)."""
    predicted, truth = _same(outputs, targets)
    return float(np.mean((predicted - truth) ** 2))


def mae(outputs: Any, targets: Any) -> float:
    """The mean absolute error, mean(|prediction − target|)."""
    predicted, truth = _same(outputs, targets)
    return float(np.mean(np.abs(predicted - truth)))


def r2(outputs: Any, targets: Any) -> float:
    """R² = 1 − Σ(target − prediction)² / Σ(target − mean)²; NaN for constant targets."""
    predicted, truth = _same(outputs, targets)
    total = float(np.sum((truth - truth.mean(0)) ** 2))
    return 1 - float(np.sum((truth - predicted) ** 2)) / total if total else float("nan")


def log_loss(outputs: Any, targets: Any) -> float:
    """−mean(log p(true class)), for probabilities; p is kept above 1e-15."""
    p, truth = np.asarray(outputs, np.float64), np.asarray(targets)
    if p.ndim == 1 or p.shape[1] == 1:
        p = np.stack([1 - p.reshape(-1), p.reshape(-1)], 1)
    p = np.clip(p[np.arange(len(p)), truth.reshape(-1).astype(np.int64)], 1e-15, 1)
    return float(-np.mean(np.log(p)))


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": accuracy, "top_k": top_k, "f1": f1, "mse": mse, "mae": mae, "r2": r2, "log_loss":
    log_loss,
}  # fmt: skip
_FALLING = {"loss", "mse", "mae", "log_loss"}


def named(metric: str | Callable[..., float]) -> tuple[str, Callable[..., float]]:
    """A metric by its name, or a function with its own name."""
    if callable(metric):
        return getattr(metric, "__name__", "metric"), metric
    if metric not in METRICS:
        raise ArgumentError(
            f"no metric {metric!r}.{nearest(metric, METRICS)} There are {', '.join(METRICS)}."
        )
    return metric, METRICS[metric]


def falls(key: str) -> bool:
    """Should this number of a history fall, as errors do, or rise, as scores do?"""
    name = key.removeprefix("val_")
    return name in _FALLING or name.endswith(("loss", "error"))
