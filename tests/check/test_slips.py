"""Each known slip, made by hand in closed form on the first lecture's network, is recognised."""

from __future__ import annotations

import math
from typing import Any

import pytest

from chalkgrad.check.slips import (
    Mistake,
    Question,
    explain_ratio,
    formula_mistakes,
    mistakes,
)
from chalkgrad.check.slips.catalogue import ORDER
from chalkgrad.check.slips.slopes import RULES, derivative
from chalkgrad.explain.board import Board
from chalkgrad.formulas import ONE, Call, Expression, Name, Number, float_value
from tests.check.boards import (
    HALF,
    LECTURE_001,
    LECTURE_002,
    LECTURE_004,
    Builder,
    Layer,
    network,
    random_network,
    sigmoid,
)

RATE = 0.6
w = {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.5, 6: 0.6, 7: 0.7, 8: 0.8}
b1, b2, i1, i2, t1, t2 = 0.25, 0.35, 0.1, 0.5, 0.05, 0.95
zh1, zh2 = i1 * w[1] + i2 * w[3] + b1, i1 * w[2] + i2 * w[4] + b1
h1, h2 = sigmoid(zh1), sigmoid(zh2)
zo1, zo2 = h1 * w[5] + h2 * w[6] + b2, h1 * w[7] + h2 * w[8] + b2
o1, o2 = sigmoid(zo1), sigmoid(zo2)
e1, e2 = o1 - t1, o2 - t2  # errors
so1, so2, sh1, sh2 = o1 * (1 - o1), o2 * (1 - o2), h1 * (1 - h1), h2 * (1 - h2)
d1, d2 = e1 * so1, e2 * so2  # δ of the outputs
back1, back2 = d1 * w[5] + d2 * w[7], d1 * w[6] + d2 * w[8]  # ∂E/∂h
g = {
    1: back1 * sh1 * i1, 2: back2 * sh2 * i1, 3: back1 * sh1 * i2, 4: back2 * sh2 * i2,
    5: d1 * h1, 6: d1 * h2, 7: d2 * h1, 8: d2 * h2,
}  # fmt: skip
gb1, gb2 = back1 * sh1 + back2 * sh2, d1 + d2
new = {k: w[k] - RATE * g[k] for k in w}


def slope_at(x: float) -> float:
    return sigmoid(x) * (1 - sigmoid(x))


def tail(x: float) -> float:
    """Of the hidden unit h1 and its first input."""
    return x * sh1 * i1


E, W1, W5, B1, B2 = "E_total", "w1", "w5", "b1", "b2"
DERIVATIVES = [
    # kind, of, by, the wrong number
    ("updated weight used", E, W1, tail(d1 * new[5] + d2 * new[7])),
    ("updated weight used", E, W1, tail(d1 * new[5] + d2 * w[7])),
    ("path forgotten", E, W1, tail(d1 * w[5])),
    ("path forgotten", E, W1, tail(d2 * w[7])),
    ("path forgotten", E, B1, d1 * w[5] * sh1 + d1 * w[6] * sh2),
    ("sign", E, W5, -d1 * h1),
    ("sign", E, W1, tail(-d1 * w[5] + d2 * w[7])),
    ("activation derivative forgotten", E, W5, e1 * h1),
    ("activation derivative forgotten", E, W1, back1 * i1),
    ("activation derivative forgotten", E, W1, tail(e1 * w[5] + e2 * w[7])),
    ("activation derivative forgotten", E, W1, (e1 * w[5] + e2 * w[7]) * i1),
    ("derivative taken at the activation", E, W5, e1 * slope_at(o1) * h1),
    ("derivative taken at the activation", E, W1, back1 * slope_at(h1) * i1),
    ("derivative taken at the error", E, W5, e1 * e1 * (1 - e1) * h1),
    ("derivative taken at the error", E, W1, back1 * back1 * (1 - back1) * i1),
    ("activation derivative added", E, W5, d1 * so1 * h1),
    ("factor 2 too many", E, W5, 2 * d1 * h1),
    ("factor 2 missing", E, W5, d1 * h1 / 2),
    ("input forgotten", E, W5, d1),
    ("input forgotten", E, W1, back1 * sh1),
    ("bias gradient not summed", E, B2, d1),
    ("bias gradient not summed", E, B2, d2),
    ("bias gradient not summed", E, B1, back2 * sh2),
    ("weights not transposed", E, W1, tail(d1 * w[5] + d2 * w[6])),
    ("another weight", E, W1, tail(d1 * w[8] + d2 * w[7])),
    ("another weight", E, W1, tail(d1 * w[1] + d2 * w[7])),
    ("derivative at another sum", E, W1, back1 * slope_at(zh2) * i1),
    ("derivative at another sum", E, W1, back1 * slope_at(zo1) * i1),
    ("another function", E, W5, e1 * (1 - o1 * o1) * h1),
    ("local derivative", E, W5, e1 * (1 - o1) * h1),
    ("another input", E, W5, d1 * h2),
    ("another input", E, W5, d1 * zh1),
    ("another input", E, B2, d1 * h1 + d2 * h1),
    ("weight forgotten", E, W1, tail(d1 + d2)),
    ("dot for elementwise", E, W1, (back1 * sh1 + back2 * sh2) * i1),
    ("activation in place of its gradient", E, W1, tail(o1 * w[5] + d2 * w[7])),
    ("error not subtracted", E, W5, o1 * so1 * h1),
    ("error not subtracted", E, W5, 0.5 * e1 * e1 * so1 * h1),
    ("factor forgotten", E, W5, so1 * h1),
    ("only the last factor", E, W5, h1),
    ("local derivative", "output_o1", "sum_o1", o1 * o1),
    ("another function", "output_o1", "sum_o1", 1 - o1 * o1),
]  # fmt: skip
QUANTITIES = [
    ("bias forgotten", "sum_h1", i1 * w[1] + i2 * w[3]),
    ("term forgotten", "sum_h1", i1 * w[1] + b1),
    ("inputs swapped", "sum_h1", i2 * w[1] + i1 * w[3] + b1),
    ("weights not transposed", "sum_h1", i1 * w[1] + i2 * w[2] + b1),
    ("another weight", "sum_o1", h1 * w[5] + h2 * w[8] + b2),
    ("another weight", "sum_o1", h1 * w[5] + h2 * w[6] + b1),
    ("updated weight used", "sum_o1", h1 * new[5] + h2 * new[6] + b2),
    ("activation forgotten", "sum_o1", zh1 * w[5] + h2 * w[6] + b2),
    ("activation forgotten", "output_h1", zh1),
    ("input forgotten", "sum_h1", w[1] + i2 * w[3] + b1),
    ("another function", "output_h1", math.tanh(zh1)),
    ("sign", "output_h1", sigmoid(-zh1)),
    ("½ forgotten", "E_1", e1 * e1),
    ("square forgotten", "E_1", 0.5 * e1),
    ("square forgotten", "E_1", -0.5 * e1),
    ("term forgotten", "E_total", 0.5 * e1 * e1),
    ("mean for sum", "E_total", 0.25 * (e1 * e1 + e2 * e2)),
]
UPDATES = [
    ("added in place of subtracted", W5, w[5] + RATE * g[5]),
    ("learning rate forgotten", W5, w[5] - g[5]),
    ("gradient of another parameter", W5, w[5] - RATE * g[6]),
    ("old weight forgotten", W5, -RATE * g[5]),
    ("another old weight", W5, w[6] - RATE * g[5]),
]


@pytest.fixture(scope="module")
def board() -> Board:
    return LECTURE_001()


def to_digits(value: float, count: int = 6) -> str:
    """So many digits that count."""
    decimals = count - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}"


def asked(board: Board, wrong: float, digits: int = 6, **facts: Any) -> list[Mistake]:
    shown = to_digits(wrong, digits)
    unit = 10.0 ** -len(shown.partition(".")[2])
    facts = {"learning_rate": RATE, "updated": new_values(), "shown": shown} | facts
    question = Question(board, **facts)
    return mistakes(question, lambda value: abs(value - float(shown)) <= unit / 2)


def new_values() -> dict[str, float]:
    return {f"w{k}": value for k, value in new.items()} | {
        "b1": b1 - RATE * gb1, "b2": b2 - RATE * gb2,
    }  # fmt: skip


def first_two(found: list[Mistake]) -> list[str]:
    return [mistake.name for mistake in found[:2]]


@pytest.mark.parametrize(("kind", "of", "by", "wrong"), DERIVATIVES)
def test_slip_of_a_derivative(board: Board, kind: str, of: str, by: str, wrong: float) -> None:
    found = asked(board, wrong, of=of, by=by, expected=board.gradient(of, by))
    assert kind in first_two(found)


@pytest.mark.parametrize(("kind", "of", "wrong"), QUANTITIES)
def test_slip_of_a_quantity(board: Board, kind: str, of: str, wrong: float) -> None:
    found = asked(board, wrong, of=of, expected=board.values[of], values=board.values)
    assert kind in first_two(found)


@pytest.mark.parametrize(("kind", "of", "wrong"), UPDATES)
def test_slip_of_an_update(board: Board, kind: str, of: str, wrong: float) -> None:
    found = asked(board, wrong, of=of, new=True, expected=new_values()[of])
    assert kind in first_two(found)


def test_the_update_of_another_rule_is_not_taken_for_gradient_descent(board: Board) -> None:
    """Without `step`, parameters that moved otherwise than by rate · gradient say nothing."""
    moved = {name: value - RATE for name, value in new_values().items()}
    facts = {"of": W5, "new": True, "expected": moved["w5"], "updated": moved}
    assert asked(board, w[5] + RATE * g[5], **facts) == []

    def step(parameter: str, gradient: float) -> float:
        return board.values[parameter] - RATE * math.copysign(1.0, gradient)

    signed = asked(board, w[5] + RATE, step=step, **facts)
    assert "added in place of subtracted" in first_two(signed)


def test_why_names_the_persons_quantities_and_the_right_line_is_told(board: Board) -> None:
    wrong = tail(d1 * new[5] + d2 * w[7])
    (first, *_) = asked(board, wrong, of=E, by=W1, expected=g[1])
    assert first.why == f"uses w5 after its update ({new[5]:.5f}) in place of 0.5"
    assert first.value == pytest.approx(wrong, rel=1e-12)
    assert first.right.startswith("∂E_total/∂w1 = ∂E_total/∂sum_h1 · i1 = 0.00110")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("digits swapped", "0.082003"),  # 0.080203
        ("decimal point shifted", "0.80203"),
        ("decimal point shifted", "0.0080203"),
        ("digit dropped", "0.08023"),
        ("digit miscopied", "0.080703"),
        ("rounded wrongly", "0.080201"),
    ],
)
def test_slip_of_the_pen(board: Board, kind: str, shown: str) -> None:
    assert f"{g[5]:.6f}" == "0.080203"
    unit = 10.0 ** -len(shown.partition(".")[2])
    question = Question(board, E, W5, expected=g[5], shown=shown)
    found = mistakes(question, lambda value: abs(value - float(shown)) <= unit / 2)
    assert kind in first_two(found)


def test_rounding_on_the_way(board: Board) -> None:
    rounded = round(e1, 2) * round(so1, 2) * round(h1, 2)
    found = asked(board, rounded, of=E, by=W5, expected=g[5], values={"output_h1": round(h1, 2)})
    assert found[0].name == "rounded early"
    assert "2 decimals" in found[0].why


def test_two_slips_at_once(board: Board) -> None:
    """The derivative of the output unit forgotten, and the sign wrong."""
    found = asked(board, -e1 * h1, digits=8, of=E, by=W5, expected=g[5])
    assert set(found[0].kinds) == {"sign", "activation derivative forgotten"}
    assert found[0].name == "sign and activation derivative forgotten"


def test_few_digits_allow_no_pairs(board: Board) -> None:
    """Of thousands of pairs some fit any two digits: here the sign and e(1 − e)."""
    assert asked(board, 0.013, digits=2, of=E, by=W1, expected=g[1]) == []


def test_slips_go_on_from_the_persons_own_numbers(board: Board) -> None:
    """With a wrong δ on an earlier line, the forgotten input is still seen."""
    wrong_delta = 0.2
    found = asked(
        board, wrong_delta, of=E, by=W5, expected=wrong_delta * h1,
        partials={(E, "sum_o1"): wrong_delta},
    )  # fmt: skip
    assert "input forgotten" in first_two(found)


def test_a_claimed_part_of_a_sum_is_used(board: Board) -> None:
    """∂E_1/∂w1 and ∂E_2/∂w1 claimed, and only one of them taken."""
    parts = {("E_1", "w1"): 0.0016, ("E_2", "w1"): -0.0005}
    found = asked(board, 0.0016, of=E, by=W1, expected=0.0011, partials=parts)
    assert "path forgotten" in first_two(found)
    assert "E_2" in next(m.why for m in found if m.name == "path forgotten")


def test_a_number_from_before_rounding_is_recognised(board: Board) -> None:
    """The person shows δ as 0.13 and goes on with 0.133423…; ∂E/∂w6 forgets its input."""
    exact = d1
    facts: dict[str, Any] = {"of": E, "by": "w6", "expected": 0.13 * h2}
    facts["partials"] = {(E, "sum_o1"): 0.13}
    near = asked(board, exact * 2 * h2, digits=4, spreads={(E, "sum_o1"): 0.005}, **facts)
    assert "factor 2 too many" in first_two(near)


def test_neighbouring_lines_decide(board: Board) -> None:
    question = Question(board, E, W5, expected=g[5], shown=f"{-g[5]:.6f}", learning_rate=RATE)

    def accepts(value: float) -> bool:
        return abs(value + g[5]) < 5e-7

    alone = [mistake.name for mistake in mistakes(question, accepts)]
    told = [mistake.name for mistake in mistakes(question, accepts, seen=[alone[-1]])]
    assert told[0] == alone[-1]


# ---------------------------------------------------------------- other losses, other networks


def test_two_records_and_a_mean() -> None:
    layers = [Layer(["o"], [["v"]], ["c"])]
    xs, ts, v, c = [0.3, 0.8], [1.0, 0.0], 0.7, -0.2
    board = network({"v": v, "c": c}, layers, {"x": xs}, {"o": ts})
    outs = [sigmoid(v * x + c) for x in xs]
    deltas = [(o - t) * o * (1 - o) for o, t in zip(outs, ts, strict=True)]
    right = deltas[0] * xs[0] + deltas[1] * xs[1]
    assert board.gradient("L", "v") == pytest.approx(right)
    facts = {"of": "L", "by": "v", "expected": right, "updated": {}, "learning_rate": None}
    assert "records not summed" in first_two(asked(board, deltas[1] * xs[1], **facts))
    assert "mean for sum" in first_two(asked(board, right / 2, **facts))
    assert "input forgotten" in first_two(asked(board, sum(deltas), **facts))
    facts |= {"by": "c", "expected": sum(deltas)}
    assert "records not summed" in first_two(asked(board, deltas[0], **facts))


def test_cross_entropy() -> None:
    board = network(
        {"v": 0.7, "c": -0.2}, [Layer(["o"], [["v"]], ["c"])], {"x": 0.3}, {"o": 1.0},
        loss="binary_cross_entropy",
    )  # fmt: skip
    out = sigmoid(0.7 * 0.3 - 0.2)
    right = (out - 1) * 0.3
    facts = {"of": "L", "by": "v", "expected": right, "updated": {}, "learning_rate": None}
    extra = (out - 1) * out * (1 - out) * 0.3
    assert "activation derivative added" in first_two(asked(board, extra, **facts))
    bare = -1 / out * 0.3
    assert "activation derivative forgotten" in first_two(asked(board, bare, **facts))
    loss = {"of": "L", "expected": -math.log(out), "values": board.values, "updated": {}}
    ten = asked(board, -math.log10(out), **loss)
    assert "logarithm to another base" in first_two(ten)


def test_a_shared_weight_whose_last_use_alone_is_counted() -> None:
    layers = [Layer(["h"], [["v"]]), Layer(["o"], [["v"]])]
    board = network({"v": 0.8}, layers, {"x": 0.5}, {"o": 0.1})
    h = sigmoid(0.4)
    o = sigmoid(0.8 * h)
    delta = (o - 0.1) * o * (1 - o)
    right = delta * h + delta * 0.8 * h * (1 - h) * 0.5
    facts = {"of": "L", "by": "v", "expected": right, "updated": {}, "learning_rate": None}
    assert "assigned in place of added" in first_two(asked(board, delta * h, **facts))


def test_local_rules_of_a_formula() -> None:
    """d(a − b)/db taken as +1; (e^x)′ taken as x; (x²)′ taken as x."""
    build = Builder()
    a, b = build.given("a", "parameter", 0.3), build.given("b", "parameter", 1.7)
    difference = a - b
    build.quantity("u", "value", difference, {"a": ONE, "b": Number(-1.0)})
    u = Name("u")
    power = Call("exp", (u,))
    build.quantity("J", "loss", power, {"u": power})
    board = build.board("J")
    value = math.exp(0.3 - 1.7)
    facts = {"of": "J", "by": "b", "expected": -value, "updated": {}, "learning_rate": None}
    assert "sign" in first_two(asked(board, value, **facts))
    local = asked(board, 0.3 - 1.7, **facts | {"by": "a", "expected": value})
    assert local[0].name == "local derivative"
    assert "(e^x)′ as x" in local[0].why


def test_the_same_slips_on_random_networks() -> None:
    """No name and no size is built in: the forgotten σ′ is seen in networks of any shape."""
    for seed in range(12):
        sizes = (2, 3, 2) if seed % 2 else (3, 2, 2, 1)
        board = random_network(seed, sizes)
        by, weight = "w1_11", board.quantities["w1_11"]
        assert weight.kind == "parameter"
        summed, unit = "z_h1", "a_h1"
        right = board.gradient("L", by)
        wrong = right / board.locals[unit, summed].value
        facts = {"of": "L", "by": by, "expected": right, "updated": {}, "learning_rate": None}
        assert "activation derivative forgotten" in first_two(asked(board, wrong, **facts)), seed


# ------------------------------------------------------------------------ nothing that fits


def test_no_label_is_invented(board: Board) -> None:
    assert asked(board, 0.0123456, of=E, by=W1, expected=g[1]) == []


def test_a_factor_that_explains_the_ratio(board: Board) -> None:
    shown = to_digits(g[5] / h1)
    told = explain_ratio(Question(board, E, W5, expected=g[5], shown=shown))
    assert told.expected == g[5]
    assert told.ratio == pytest.approx(1 / h1, rel=1e-5)
    assert told.factor == f"∂sum_o1/∂w5 = {h1:.5f} is missing"


def test_no_factor_explains_an_arbitrary_ratio(board: Board) -> None:
    told = explain_ratio(Question(board, E, W5, expected=g[5], shown=to_digits(g[5] * 1.2345)))
    assert told.factor == ""
    assert told.ratio == pytest.approx(1.2345, rel=1e-5)


def test_the_missing_factor_of_a_formula() -> None:
    """∂J/∂z = y for 3 y: at y = 3 the number alone could not tell which 3 is missing."""
    board = LECTURE_004()
    told = explain_ratio(Question(board, "J", "z", expected=9.0), Name("y"))
    assert told.factor == "∂J/∂v = 3 is missing"
    (first, *_) = formula_mistakes(Question(board, "J", "z", expected=9.0), Name("y"))
    assert first.why == "leaves out the factor ∂J/∂v = 3"


def test_slips_of_formulas(board: Board) -> None:
    out, wanted, h = Name("output_o1"), Name("target_1"), Name("output_h1")
    question = Question(board, E, W5, expected=g[5])

    def kinds(claimed: Expression) -> list[str]:
        return first_two(formula_mistakes(question, claimed))

    slope = out * (ONE - out)
    assert "sign" in kinds((wanted - out) * slope * h)
    assert "activation derivative forgotten" in kinds((out - wanted) * h)
    assert "factor 2 missing" in kinds(HALF * (out - wanted) * slope * h)
    assert kinds((out - wanted) * slope * h * h) == []


# --------------------------------------------------------------------------------- the parts


@pytest.mark.parametrize("function", sorted(set(RULES) - {"cast", "copy"}))
def test_unbroken_rules_are_right(function: str) -> None:
    """Against a finite difference."""
    x, y = Name("x"), Name("y")
    values = {"x": 0.62, "y": 1.3}
    formula = Call(function, (x, y) if len(RULES[function]) == 2 else (x,))
    step = 1e-6
    for by in (x, y)[: len(RULES[function])]:
        above, below = (
            float_value(formula, values | {by.text: values[by.text] + h}) for h in (step, -step)
        )
        slope = float_value(derivative(formula, by), values)
        assert slope == pytest.approx((above - below) / (2 * step), rel=1e-7)


def test_every_kind_is_ranked_once() -> None:
    assert len(set(ORDER)) == len(ORDER)


def test_a_weight_that_stands_twice_in_one_sum() -> None:
    """Lecture 002's w2 has three places in two sums; one of them counted."""
    board = LECTURE_002()
    right = board.gradient("Loss", "w2")
    h2, o = board.values["a_h2"], board.values["a_o"]
    delta = (o - 1) * o * (1 - o) * 0.4 * h2 * (1 - h2)
    assert right == pytest.approx(delta)  # h1's place is multiplied by the input 0, and one of h2's
    board = LECTURE_002(second_input=0.5)
    h1, h2, o = (board.values[name] for name in ("a_h1", "a_h2", "a_o"))
    out = (o - 1) * o * (1 - o)
    first, second = out * 0.2 * h1 * (1 - h1), out * 0.4 * h2 * (1 - h2)
    right = first * 0.5 + second * (1.0 + 0.5)
    assert board.gradient("Loss", "w2") == pytest.approx(right)
    facts = {"of": "Loss", "by": "w2", "expected": right, "updated": {}, "learning_rate": None}
    found = asked(board, second * 0.5, **facts)
    assert "assigned in place of added" in first_two(found)
