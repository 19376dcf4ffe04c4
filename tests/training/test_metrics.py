"""Metrics against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as judge

import chalkgrad as cg
from chalkgrad import metrics
from chalkgrad.core.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(7)
SCORES = RNG.normal(size=(200, 5))
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
TRUTH = RNG.integers(0, 5, 200)
PREDICTED = SCORES.argmax(1)


def test_accuracy() -> None:
    assert metrics.accuracy(SCORES, TRUTH) == judge.accuracy_score(TRUTH, PREDICTED)


@pytest.mark.parametrize("shape", [(200,), (200, 1)])
def test_accuracy_of_one_probability(shape: tuple[int, ...]) -> None:
    shares = RNG.uniform(size=200)
    truth = RNG.integers(0, 2, 200)
    wanted = judge.accuracy_score(truth, shares >= 0.5)
    assert metrics.accuracy(shares.reshape(shape), truth.reshape(shape).astype(float)) == wanted


def test_accuracy_takes_tensors_and_one_hot_targets() -> None:
    one_hot = cg.tensor(np.eye(5)[TRUTH])
    assert metrics.accuracy(cg.tensor(SCORES), one_hot) == metrics.accuracy(SCORES, TRUTH)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k(k: int) -> None:
    wanted = judge.top_k_accuracy_score(TRUTH, SCORES, k=k, labels=range(5))
    assert metrics.top_k(SCORES, TRUTH, k) == pytest.approx(wanted, abs=1e-15)


def test_confusion() -> None:
    assert (metrics.confusion(SCORES, TRUTH) == judge.confusion_matrix(TRUTH, PREDICTED)).all()
    # A class that never occurs still has its row and column.
    assert metrics.confusion(np.array([0, 1]), np.array([0, 1]), count=3).shape == (3, 3)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_precision_recall_f1(average: str) -> None:
    wanted = judge.precision_recall_fscore_support(TRUTH, PREDICTED, average=average)[:3]
    assert metrics.precision_recall_f1(SCORES, TRUTH, average) == pytest.approx(wanted, abs=1e-14)


def test_precision_recall_f1_of_class_1() -> None:
    shares, truth = RNG.uniform(size=100), RNG.integers(0, 2, 100)
    wanted = judge.precision_recall_fscore_support(truth, shares >= 0.5, average="binary")[:3]
    found = metrics.precision_recall_f1(shares, truth, "binary")
    assert found == pytest.approx(wanted, abs=1e-15)
    assert metrics.f1(shares, truth) == found[2]


def test_a_class_that_is_never_right_counts_as_zero() -> None:
    truth, predicted = np.array([0, 0, 1, 2]), np.array([0, 0, 0, 1])
    wanted = judge.precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    assert metrics.precision_recall_f1(predicted, truth) == pytest.approx(wanted[:3], abs=1e-15)


def test_amounts() -> None:
    predicted, truth = RNG.normal(size=50), RNG.normal(size=50)
    column = predicted[:, None]
    assert metrics.mse(column, truth) == pytest.approx(judge.mean_squared_error(truth, predicted))
    assert metrics.mae(column, truth) == pytest.approx(judge.mean_absolute_error(truth, predicted))
    assert metrics.r2(column, truth) == pytest.approx(judge.r2_score(truth, predicted))
    assert np.isnan(metrics.r2([1.0, 2.0], [3.0, 3.0]))


def test_log_loss() -> None:
    wanted = judge.log_loss(TRUTH, SHARES)
    assert metrics.log_loss(SHARES, TRUTH) == pytest.approx(wanted, rel=1e-12)
    one = RNG.uniform(0.01, 0.99, 50)
    truth = RNG.integers(0, 2, 50)
    assert metrics.log_loss(one, truth) == pytest.approx(judge.log_loss(truth, one), rel=1e-12)


def test_float32_sums_are_exact_enough() -> None:
    truth = np.full(1_000_000, 1000.1, np.float32)
    assert metrics.mae(truth + np.float32(0.5), truth) == pytest.approx(0.5, rel=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"shape \[200, 5\] for targets of shape \[3\]"):
        metrics.accuracy(SCORES, [0, 1, 2])
    with pytest.raises(ArgumentError, match="top_k with k=6"):
        metrics.top_k(SCORES, TRUTH, 6)
    with pytest.raises(ArgumentError, match="average='binary' for 5 classes"):
        metrics.precision_recall_f1(SCORES, TRUTH, "binary")
    with pytest.raises(
        ArgumentError, match=r"no average 'micro'\. There are macro, weighted, binary"
    ):
        metrics.precision_recall_f1(SCORES, TRUTH, "micro")
    with pytest.raises(ArgumentError, match=r"no metric 'acuracy'\. Did you mean accuracy\?"):
        metrics.named("acuracy")
    with pytest.raises(ShapeError, match="predictions of shape"):
        metrics.mse([1.0, 2.0], [1.0])


def test_which_numbers_should_fall() -> None:
    assert all(map(metrics.falls, ["loss", "val_loss", "val_mse", "my_error", "log_loss"]))
    assert not any(map(metrics.falls, ["accuracy", "val_r2", "f1"]))
