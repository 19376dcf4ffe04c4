"""When a run stops before its last epoch."""

from __future__ import annotations

import pytest

from chalkgrad.core.errors import ArgumentError
from chalkgrad.training import Stop, converged, no_improvement
from chalkgrad.training.stopping import named


def epochs_until(rule: Stop, values: list[float]) -> int | None:
    for epoch, value in enumerate(values, 1):
        if rule.should(value):
            return epoch
    return None


def test_converged_waits_for_patience_epochs_without_a_better_loss() -> None:
    falling = [1 / epoch for epoch in range(1, 6)]
    assert epochs_until(converged(patience=3), falling + [0.2] * 9) == 5 + 3
    assert epochs_until(converged(patience=3), [0.9**k for k in range(500)]) is None


def test_a_better_loss_by_less_than_the_tolerance_is_none() -> None:
    slow = [1 - 1e-5 * k for k in range(30)]
    assert epochs_until(converged(tolerance=1e-3, patience=4), slow) == 5
    assert epochs_until(converged(tolerance=1e-6, patience=4), slow) is None


def test_small_steps_add_up_against_the_best() -> None:
    # Each epoch gains 4e-5, three together more than the tolerance of 1e-4.
    slow = [1 - 4e-5 * k for k in range(200)]
    assert epochs_until(converged(tolerance=1e-4, patience=4), slow) is None


def test_the_tolerance_is_relative_also_below_zero() -> None:
    assert epochs_until(converged(tolerance=0.1, patience=2), [-1.0, -1.05, -1.06]) == 3
    assert epochs_until(converged(tolerance=0.1, patience=2), [-1.0, -1.2, -1.4]) is None


def test_no_improvement_and_its_words() -> None:
    rule = no_improvement(patience=2)
    assert [rule.should(v) for v in (1.0, 0.5, 0.6)] == ["", "", ""]
    assert rule.should(0.7) == "val_loss stopped improving: no better value in 2 epochs"
    assert "converged" in [*map(converged(patience=1).should, (1.0, 1.0))][1]


def test_nan_is_no_improvement() -> None:
    assert epochs_until(no_improvement(patience=2), [1.0, float("nan"), float("nan")]) == 3


def test_a_score_should_rise() -> None:
    rule = Stop("val_accuracy", 0.0, 2)
    rows = [{"val_accuracy": v} for v in (0.5, 0.6, 0.6, 0.55)]
    assert [bool(rule.should(rule.cost(row))) for row in rows] == [False, False, False, True]


def test_a_rule_by_name_or_example_begins_anew() -> None:
    used = converged(patience=1)
    used.should(1.0)
    fresh = named(used)
    assert fresh == converged(patience=1)
    assert fresh is not used
    assert named("converged") == converged()
    assert named("validation") == no_improvement()
    assert named(None) is None


def test_what_cannot_be_a_rule_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"no stop rule 'convergd'\. Did you mean converged\?"):
        named("convergd")
    with pytest.raises(ArgumentError, match="patience counts epochs from 1"):
        Stop(patience=0)
