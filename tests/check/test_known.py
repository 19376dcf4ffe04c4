"""What follows from a person's own numbers, against the network computed again by hand."""

from __future__ import annotations

import pytest

from chalkgrad.check.affine import between, exact
from chalkgrad.check.known import Own, World, new_key, quantity_key, slope_key
from chalkgrad.check.truth import Truth
from tests.check.boards import LECTURE_001, random_network, sigmoid

RATE = 0.6


def world() -> World:
    truth = Truth(LECTURE_001(), learning_rate=RATE)
    return World(truth, truth.board)


def claimed(value: float, *, right: bool = False) -> Own:
    return Own(exact(value), right, "a claim", 1)


def test_without_claims_it_is_the_truth() -> None:
    board = random_network(3, (2, 3, 2), "tanh")
    view = World(Truth(board, learning_rate=RATE), board).everything
    gradients = board.gradients(board.loss)
    for name, value in board.values.items():
        assert view.quantity(name).number.point == pytest.approx(value, rel=1e-12)
        slope = view.slope(board.loss, name)
        assert slope.number.point == pytest.approx(gradients.get(name, 0.0), rel=1e-12)
        assert not slope.used
    for quantity in board.parameters:
        name = quantity.name.text
        expected = quantity.value - RATE * gradients[name]
        assert view.new(name).number.point == pytest.approx(expected, rel=1e-12)


def test_a_claimed_quantity_is_gone_on_with() -> None:
    w = world()
    w.learn(quantity_key("output_h1"), claimed(0.7))
    sum_o1 = 0.7 * 0.5 + w.board.values["output_h2"] * 0.6 + 0.35
    out = sigmoid(sum_o1)
    found = w.everything.quantity("output_o1")
    assert found.number.point == pytest.approx(out, rel=1e-12)
    assert found.used == {quantity_key("output_h1")}
    slope = w.everything.slope("E_total", "w5").number.point
    assert slope == pytest.approx((out - 0.05) * out * (1 - out) * 0.7, rel=1e-12)
    # the view of right lines does not go on with it
    true = w.board.values["output_o1"]
    assert w.right_only.quantity("output_o1").number.point == pytest.approx(true, rel=1e-12)


def test_a_claimed_derivative_is_gone_on_with() -> None:
    w = world()
    w.learn(slope_key("E_total", "sum_o1"), claimed(0.2))
    assert w.everything.slope("E_total", "w6").number.point == pytest.approx(
        0.2 * w.board.values["output_h2"], rel=1e-12
    )
    w.learn(slope_key("sum_o1", "w6"), claimed(0.5))
    assert w.everything.slope("E_total", "w6").number.point == pytest.approx(0.2 * 0.5)
    # both paths to the hidden layer: only the first goes through what was claimed
    b = w.board
    other = b.gradient("E_total", "sum_o2") * 0.7
    h1 = b.values["output_h1"]
    expected = (0.2 * 0.5 + other) * h1 * (1 - h1) * 0.1
    assert w.everything.slope("E_total", "w1").number.point == pytest.approx(expected, rel=1e-12)


def test_derivatives_of_the_parts_of_the_loss_are_added_up() -> None:
    w = world()
    assert w.everything.slope_upward("E_total", "w1") is None
    w.learn(slope_key("E_1", "w1"), claimed(0.002))
    found = w.everything.slope_upward("E_total", "w1")
    assert found is not None
    expected = 0.002 + w.board.gradient("E_2", "w1")
    assert found.number.point == pytest.approx(expected, rel=1e-12)
    assert found.used == {slope_key("E_1", "w1")}


def test_a_claim_is_recomputed_without_itself() -> None:
    w = world()
    w.learn(slope_key("E_total", "w5"), claimed(1.0))
    w.learn(slope_key("sum_o1", "w5"), claimed(0.9))
    assert w.everything.slope("E_total", "w5").number.point == 1.0
    again = w.everything.slope_computed("E_total", "w5").number.point
    assert again == pytest.approx(w.board.gradient("E_total", "sum_o1") * 0.9, rel=1e-12)
    itself = w.everything.slope_computed("sum_o1", "w5").number.point
    assert itself == pytest.approx(w.board.values["output_h1"], rel=1e-12)


def test_the_update_and_the_pass_after_it() -> None:
    w = world()
    w.learn(slope_key("E_total", "w5"), claimed(0.1))
    assert w.everything.new("w5").number.point == pytest.approx(0.5 - RATE * 0.1)
    after = World(w.truth, w.board, before=w)
    assert after.everything.quantity("w5").number.point == pytest.approx(0.44)
    w.learn(new_key("w5"), claimed(0.4))
    assert after.everything.quantity("w5").number.point == 0.4  # what comes after has to be told
    true = 0.5 - RATE * w.board.gradient("E_total", "w5")
    assert after.right_only.quantity("w5").number.point == pytest.approx(true, rel=1e-12)


def test_frozen_parameters_stay() -> None:
    truth = Truth(LECTURE_001(), learning_rate=RATE, frozen=frozenset({"b1"}))
    assert World(truth, truth.board).everything.new("b1").number.point == 0.25
    assert truth.new_value("b1") == 0.25


def test_digits_are_carried_through_the_network() -> None:
    """Two decimals of one activation: as wide as the two ends make it."""
    w = world()
    w.learn(quantity_key("output_h1"), Own(between(0.595, 0.605, 0.6), True, "", 1))

    def loss(h1: float) -> float:
        h2 = w.board.values["output_h2"]
        o1, o2 = sigmoid(h1 * 0.5 + h2 * 0.6 + 0.35), sigmoid(h1 * 0.7 + h2 * 0.8 + 0.35)
        return 0.5 * (0.05 - o1) ** 2 + 0.5 * (0.95 - o2) ** 2

    found = w.right_only.quantity("E_total").number
    ends = sorted((loss(0.595), loss(0.605)))
    assert found.low <= ends[0]
    assert found.high >= ends[1]
    assert found.high - found.low < 1.05 * (ends[1] - ends[0])
    assert found.point == pytest.approx(loss(0.6), rel=1e-12)
