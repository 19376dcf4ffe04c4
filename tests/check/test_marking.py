"""Lines judged: correct, follows, wrong, and why."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.check.marking import check
from chalkgrad.check.report import Report
from chalkgrad.check.truth import Truth
from chalkgrad.check.verdicts import Judged, Status, Verdict
from chalkgrad.explain.board import Board
from chalkgrad.explain.steps import Line, Update
from chalkgrad.formulas import Name, Number, Partial
from tests.check.boards import LECTURE_001, LECTURE_002, LECTURE_004, network, random_network
from tests.check.workings import Writer, rounded, truncated

LECTURES = Path(__file__).parents[2] / "examples/lectures"
FROZEN = frozenset({"b1", "b2"})
TRUTH = Truth(LECTURE_001(), learning_rate=0.6, frozen=FROZEN)


def verdicts(text: str, truth: Truth = TRUTH) -> list[str]:
    return [line.verdict.value for line in check(truth, text).lines]


def last(text: str, truth: Truth = TRUTH) -> Judged:
    return check(truth, text).lines[-1]


# The lecture.


def test_every_line_of_the_first_lecture_is_right() -> None:
    report = check(TRUTH, (LECTURES / "lecture_001.answers").read_text())
    assert report.score.total == report.score.correct > 60
    assert report.exit_code == 0
    assert report.notes == ("Decimals are cut off here, not rounded; they are judged so.",)


PAGE = r"""
$$sum_{h1} = i_1 * w_1 + i_2 * w_3 + b_1$$
$$sum_{h1} = 0.1 * 0.1 + 0.5 * 0.3 + 0.25 = 0.41$$
$$output_{h1} = \frac{1}{1 + e^{-sum_{h1}}}$$
$$output_{h1} = \frac{1}{1 + e^{-0.41}} = 0.60108$$
Now,  $output_{h1}$  and  $output_{h2}$  will be considered as inputs to the next layer.
$$E_1 = \frac{1}{2}(target_1 - output_{o1})^2$$
$$E_1 = \frac{1}{2}(0.05 - 0.73492)^2 = 0.23456$$
Therefore,
$$E_{total} = E_1 + E_2 = 0.24908$$
$$\begin{aligned} \frac{\partial E_{total}}{\partial output_{o1}} &= 2 * \frac{1}{2} * (target_1 - output_{o1}) * -1 \\ &= output_{o1} - target_1 \end{aligned}$$
$$\frac{\partial output_{o1}}{\partial sum_{o1}} = output_{o1}(1 - output_{o1})$$
$$\frac{\partial E_{total}}{\partial w_5} = [output_{o1} - target_1] * [output_{o1}(1 - output_{o1})] * [output_{h1}]$$
$$\frac{\partial E_{total}}{\partial w_5} = 0.68492 * 0.19480 * 0.60108$$
$$\frac{\partial E_{total}}{\partial w_5} = 0.08020$$
$$new\_w_5 = 0.5 - 0.6 * 0.08020$$
$$new\_w_5 = 0.45187$$
$$\frac{\partial E_{total}}{\partial w_7} = -0.17044 * 0.17184 * 0.60108$$
$$new\_w_7 = 0.7 - 0.6 * -0.01760$$
$$\frac{\partial E_1}{\partial w_1} = 0.68492 * 0.19480 * 0.5 * 0.23978 * 0.1 = 0.00159$$
$$\frac{\partial E_{total}}{\partial w_1} = 0.00159 + (-0.00049) = 0.00110.$$
"""  # noqa: E501


def test_the_lectures_own_typesetting_is_read() -> None:
    report = check(TRUTH, PAGE)
    assert report.score.total == report.score.correct == 18


# Digits.


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.sampled_from([(2, 2, 1), (2, 2, 2), (2, 3, 2), (3, 2, 2, 1)]),
    activation=st.sampled_from(["sigmoid", "tanh", "relu"]),
    decimals=st.integers(2, 6),
    cut=st.sampled_from([rounded, truncated]),
    carry=st.booleans(),
    filled=st.booleans(),
)
def test_a_right_working_has_no_wrong_line(  # type: ignore[no-untyped-def]
    seed, sizes, activation, decimals, cut, carry, filled
) -> None:
    board = random_network(seed, sizes, activation)
    working = Writer(board, decimals, cut, carry, filled).working()
    report = check(Truth(board, learning_rate=0.5), working)
    assert [line.text for line in report.lines if line.verdict is not Verdict.CORRECT] == []


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    decimals=st.integers(3, 6),
    cut=st.sampled_from([rounded, truncated]),
    carry=st.booleans(),
    filled=st.booleans(),
)
def test_a_wrong_value_costs_once(seed, decimals, cut, carry, filled) -> None:  # type: ignore[no-untyped-def]
    draw = random.Random(seed)
    board = random_network(seed, (2, 2, 2), "sigmoid")
    options = {"decimals": decimals, "cut": cut, "carry": carry, "filled": filled}
    right = Writer(board, **options)
    lines = right.working().split("\n")
    at = draw.randrange(len(lines))
    left = lines[at].split(" = ")[0]
    true = float(lines[at].split(" = ")[-1])
    off = max(abs(true) * draw.uniform(0.2, 0.6), 20 * 10.0**-decimals)
    wrong = Writer(board, **options, changed={left: true + draw.choice([-1, 1]) * off})
    report = check(Truth(board, learning_rate=0.5), wrong.working())
    found = [k for k, line in enumerate(report.lines) if line.verdict is Verdict.WRONG]
    assert found == [at]
    assert report.score.correct + report.score.follows == len(lines) - 1


def test_a_last_digit_is_judged_by_the_persons_own_habit() -> None:
    # 0.6010878…: right for somebody who truncates, and not for one who rounds
    cut = "output_h1 = 0.60108; sum_o2 = 1.26306; E_2 = 0.01452; output_o1 = 0.73492"
    assert verdicts(cut) == ["correct"] * 4
    mixed = "output_h1 = 0.60108; sum_o2 = 1.26307; E_2 = 0.01453; output_o1 = 0.73493"
    assert verdicts(mixed) == ["wrong", "correct", "correct", "correct"]
    assert verdicts("output_h1 = 0.60110; sum_o1 = 1.01977") == ["wrong", "correct"]


def test_no_tolerance_hides_behind_few_digits() -> None:
    assert verdicts("dE_total/dw5 = 0.08") == ["correct"]
    assert verdicts("dE_total/dw5 = 0.07") == ["wrong"]
    assert verdicts("dE_total/dw5 = 0") == ["wrong"]
    assert verdicts("dE_total/dw1 = 0.0") == ["correct"]  # 0.0011 to two decimals
    assert verdicts("dE_total/dw1 = 0.0; dE_total/dw5 = 0.0802; E_1 = 0.2346") == [
        "wrong", "correct", "correct",
    ]  # fmt: skip
    # 0.68 · 0.19 · 0.60 is 0.0775, and before they were rounded it is 0.0802
    for number in ("0.0775", "0.0780", "0.0802"):
        assert verdicts(f"dE_total/dw5 = 0.68 * 0.19 * 0.60 = {number}") == ["correct"]
    for number in ("0.0770", "0.0830", "0.09"):
        assert verdicts(f"dE_total/dw5 = 0.68 * 0.19 * 0.60 = {number}") == ["wrong"]


# Links.


def statuses(text: str, truth: Truth = TRUTH) -> list[str]:
    return [link.status.value for link in last(text, truth).links]


def test_every_link_is_judged() -> None:
    assert statuses("output_h1 = 1/(1 + e^-0.41) = 0.60109") == ["correct", "correct"]
    assert statuses("output_h1 = 1/(1 + e^-0.41) = 0.61") == ["correct", "wrong"]
    # the second number follows from the wrong product before it; the claim is wrong
    line = last("dE_total/dw5 = 0.68493 * 0.60109 = 0.4117")
    assert [link.status for link in line.links] == [Status.WRONG, Status.AFTER]
    assert line.verdict is Verdict.WRONG
    assert line.claimed == pytest.approx(0.68493 * 0.60109)
    # a right number after a wrong product is no right line, but later lines may use it
    report = check(TRUTH, "dE_total/dw5 = 0.68493 * 0.60109 = 0.08020\nnew w5 = 0.45188")
    assert [line.verdict.value for line in report.lines] == ["wrong", "correct"]


def test_numbers_against_numbers() -> None:
    assert verdicts("0.5 * (1 - 0.98)^2 = 0.0002") == ["correct"]
    line = last("0.5 * (1 - 0.98)^2 = 0.0004")
    assert line.verdict is Verdict.WRONG
    assert "the left side is 0.000200, this is 0.0004" in line.reason


def test_a_line_that_goes_on_with_the_one_before() -> None:
    assert verdicts("output_h1 = 1/(1 + e^-0.41)\n= 0.60109\n≈ 0.7") == [
        "correct", "correct", "wrong",
    ]  # fmt: skip


def test_what_cannot_be_judged_is_not_called_wrong() -> None:
    line = last("sum_h1 = 1/0.00")
    assert line.verdict is Verdict.UNREADABLE
    assert "cannot be judged" in line.reason
    assert last("sum_h1 = 9^9^9^9").verdict is Verdict.WRONG  # too large, whatever it is


# Formulas.


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("sum_h1 = i1 * w1 + i2 * w3 + b1", "correct"),
        ("sum_h1 = 0.1 * w1 + 0.5 * w3 + b1", "correct"),  # the inputs' numbers filled in
        ("sum_h1 = i1 * w1 + i2 * w2 + b1", "wrong"),
        (
            "dE_total/dw5 = (output_o1 - target_1) * output_o1 * (1 - output_o1) * output_h1",
            "correct",
        ),
        ("dE_total/dw5 = dE_1/doutput_o1 * doutput_o1/dsum_o1 * dsum_o1/dw5", "correct"),
        ("dE_total/dw1 = dE_1/dw1 + dE_2/dw1", "correct"),
        ("dE_total/dw1 = dE_1/dw1", "wrong"),
        ("doutput_o1/dsum_o1 = sigmoid'(sum_o1)", "correct"),
        ("doutput_o1/dsum_o1 = sigmoid'(output_o1)", "wrong"),
        ("new w5 = w5 - 0.6 * dE_total/dw5", "correct"),
        ("new w5 = w5 + eta * dE_total/dw5", "wrong"),
        ("E_total = 1/2 * (target_1 - output_o1)^2 + E_2", "correct"),
        ("dE_total/dw5 = 0.68493 * doutput_o1/dsum_o1 * output_h1", "correct"),  # half numbers
        ("dE_total/dw5 = 0.68493 * output_h1", "wrong"),
    ],
)
def test_formulas_as_functions(text: str, verdict: str) -> None:
    assert verdicts(text) == [verdict]


def test_a_formula_that_only_has_the_right_value_is_wrong() -> None:
    truth = Truth(LECTURE_004(3.0, 2.0, 2.0))
    line = last("dJ/dy = 3*y", truth)  # y = z = 2
    assert line.verdict is Verdict.WRONG
    assert "another function" in line.reason


def test_a_missing_factor_is_named() -> None:
    line = last("dJ/dz = y", Truth(LECTURE_004()))
    assert line.verdict is Verdict.WRONG
    assert (line.claimed, line.expected) == (3.0, 9.0)
    assert any("∂J/∂v = 3" in mistake.why for mistake in line.mistakes)


def test_later_formulas_follow_from_a_wrong_one() -> None:
    text = "dE_1/doutput_o1 = target_1 - output_o1\ndE_1/dw5 = (target_1 - output_o1) * output_o1 * (1 - output_o1) * output_h1"  # noqa: E501
    assert verdicts(text) == ["wrong", "follows"]


def test_a_formula_put_right_later_counts() -> None:
    text = "dJ/dz = y\ndJ/dz = 3 * y\ndJ/dz = 9"
    assert verdicts(text, Truth(LECTURE_004())) == ["wrong", "correct", "correct"]


# Carried forward.

WRONG_START = "output_h1 = 0.7\nsum_o1 = 1.06923\noutput_o1 = 0.74445"


def test_what_follows_says_from_where() -> None:
    report = check(TRUTH, WRONG_START)
    assert [line.verdict.value for line in report.lines] == ["wrong", "follows", "follows"]
    line = report.lines[2]
    assert line.expected == pytest.approx(TRUTH.board.values["output_o1"])
    assert line.expected_from_yours == pytest.approx(0.74445, abs=1e-5)
    assert "line 2 (sum_o1 = 1.06923)" in line.reason


def test_the_right_value_after_a_wrong_one_is_right() -> None:
    assert verdicts("output_h1 = 0.7\nsum_o1 = 1.01977") == ["wrong", "correct"]


def test_neither_right_nor_from_yours_is_wrong() -> None:
    line = last("output_h1 = 0.7\nsum_o1 = 1.2")
    assert line.verdict is Verdict.WRONG
    assert line.expected_from_yours == pytest.approx(1.06923, abs=1e-5)
    assert "from your earlier lines" in line.reason


@pytest.mark.parametrize(
    "text",
    [
        "dE_total/doutput_o1 = 0\ndE_total/dw5 = 0",
        "doutput_o1/dsum_o1 = 1\ndE_total/dw5 = 0.41170",
        "output_o1 = 1\nE_1 = 0.45125",
        "output_o1 = 0.9999\ndoutput_o1/dsum_o1 = 0.0001",
        "sum_o1 = 100\ndoutput_o1/dsum_o1 = 0",
    ],
)
def test_nothing_follows_from_what_makes_it_trivial(text: str) -> None:
    report = check(TRUTH, text)
    assert [line.verdict.value for line in report.lines] == ["wrong", "wrong"]
    line = report.lines[1]
    assert line.mistakes[0].name == "nothing to follow from"
    assert "line 1" in line.reason
    assert "trivial" in line.reason


def test_an_honest_zero_is_no_trick() -> None:
    """0.00 that follows from 0.004 at two decimals."""
    text = "sum_h1 = 0.9\noutput_h1 = 0.71\ndoutput_h1/dsum_h1 = 0.21\ndE_total/dsum_h1 = 0.01\ndE_total/dw1 = 0.00"  # noqa: E501
    assert "wrong" not in verdicts(text)[1:]


# After updates.


def stepped(board: Board) -> Truth:
    """The lecture's network and its second pass, from closed forms."""

    def after(steps: int) -> Board:
        values = {name: q.value for name, q in board.quantities.items() if q.formula is None}
        now = board
        for _ in range(steps):
            for name in ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8"):
                values[name] -= 0.6 * now.gradient("E_total", name)
            now = rebuilt(values)
        return now

    return Truth(board, learning_rate=0.6, frozen=FROZEN, after=after)


def rebuilt(values: dict[str, float]) -> Board:
    from tests.check.boards import Layer

    names = ("w1", "w2", "w3", "w4", "b1", "w5", "w6", "w7", "w8", "b2")
    return network(
        {name: values[name] for name in names},
        [Layer(["h1", "h2"], [["w1", "w3"], ["w2", "w4"]], ["b1", "b1"]),
         Layer(["o1", "o2"], [["w5", "w6"], ["w7", "w8"]], ["b2", "b2"])],
        {"i1": 0.1, "i2": 0.5}, {"o1": 0.05, "o2": 0.95},
        names={"weighted_sum": "sum_{unit}", "activation": "output_{unit}", "loss": "E_total",
               "loss_term": "E_{n}", "target": "target_{n}"},
    )  # fmt: skip


def test_quantities_after_updates() -> None:
    truth = stepped(LECTURE_001())
    assert truth.after is not None
    loss = {n: truth.after(n).values["E_total"] for n in (1, 2, 50)}
    text = "\n".join(f"after {n} steps: E_total = {value:.5f}" for n, value in loss.items())
    assert verdicts(text, truth) == ["correct"] * 3
    assert verdicts("after 1 step: E_total = 0.24909", truth) == ["wrong"]


def test_the_pass_after_one_update_follows_from_the_persons_weights() -> None:
    truth = stepped(LECTURE_001())
    h = LECTURE_001().values
    wrong = 0.3 * h["output_h1"] + 0.55073 * h["output_h2"] + 0.35
    text = f"new w5 = 0.3\nafter 1 step: sum_o1 = {wrong:.3f}"
    report = check(truth, text)
    assert [line.verdict.value for line in report.lines] == ["wrong", "follows"]


def test_steps_that_cannot_be_made_are_said() -> None:
    assert "no update" in last("after 2 steps: E_total = 0.1").reason
    line = last("after 999999999 steps: E_total = 0.1", stepped(LECTURE_001()))
    assert line.verdict is Verdict.UNREADABLE
    assert "at most 100,000 steps" in line.reason


def test_another_optimizers_rule() -> None:
    """A step of 0.1 in the direction of the sign: w − 0.1·g/|g| by a line of its own for |g|."""
    board = LECTURE_004()
    name, slope = Name("z"), Partial(Name("J"), Name("z"))
    size = Name("s′")
    lines = (
        Line(size, slope * slope, 81.0),
        Line(Name("new z"), name - Number(0.1) * slope / Name("s′"), 2.0 - 0.1 * 9 / 81),
    )
    update = Update(name, 2.0, 9.0, 2.0 - 0.1 * 9 / 81, lines, (("z", 2.0),))
    truth = Truth(board, updates={"z": update}, new={"z": update.new})
    assert verdicts(f"new z = {2 - 0.9 / 81:.4f}", truth) == ["correct"]
    assert verdicts("new z = z - 0.1 / (dJ/dz)", truth) == ["correct"]
    assert verdicts(f"dJ/dz = 3\nnew z = {2 - 0.1 / 3:.4f}", truth) == ["wrong", "follows"]


# δ.


def test_the_sign_of_delta_is_declared_or_recognised() -> None:
    slope = LECTURE_002().gradient("Loss", "z_o")
    text = f"delta_o = {-slope:.5f}\nnew w3 = w3 + eta * delta_w3\ndelta_w3 = delta_o * a_h1"
    for declared in (True, None):
        truth = Truth(LECTURE_002(), learning_rate=0.1, delta_negative=declared)
        report = check(truth, text)
        assert report.score.correct == 3, declared
        assert "δ is minus the gradient" in report.notes[0]
    assert verdicts(text, Truth(LECTURE_002(), learning_rate=0.1, delta_negative=False)) == [
        "wrong", "wrong", "correct",
    ]  # fmt: skip


# The person's own names.


def test_the_persons_own_names() -> None:
    text = (
        "err = output_o1 - target_1 = 0.68493\ndE_total/dw5 = err * doutput_o1/dsum_o1 * output_h1"
    )
    assert verdicts(text) == ["correct", "correct"]
    assert verdicts("err = output_o1 - target_1 = 0.8") == ["wrong"]
    text = "err = output_o1 - target_1 = 0.5\nerr * output_h1 = 0.30054"
    assert verdicts(text) == ["wrong", "follows"]  # the product of what they have


# Several records.


def test_records_by_their_number() -> None:
    from tests.check.boards import Layer

    board = network(
        {"u": 0.4, "c": 0.1}, [Layer(["o"], [["u"]], ["c"])], {"x": [1.0, 2.0]}, {"o": [0.0, 1.0]}
    )
    truth = Truth(board, learning_rate=0.1)
    values, slope = board.values, board.gradient("L", "u")
    text = f"z_o[1] = 0.5; a_o[2] = {values['a_o[2]']:.4f}; dL/du = {slope:.5f}"
    assert verdicts(text, truth) == ["correct"] * 3
    assert verdicts("z_o = 0.5", truth) == ["unknown"]


# The score.


def test_the_score_and_the_exit_code() -> None:
    report: Report = check(TRUTH, "sum_h1 = 0.41; sum_h2 = 1; foo = 1; w5 =\nsum_h1 = (")
    score = report.score
    assert (score.correct, score.wrong, score.unreadable, score.unknown, score.blank) == (1,) * 5
    assert score.total == 5
    assert report.exit_code == 1
    assert check(TRUTH, "sum_h1 = 0.41").exit_code == 0
    assert check(TRUTH, "nothing at all").exit_code == 1
