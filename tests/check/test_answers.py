"""A person's lines, read."""

from __future__ import annotations

import pytest

from chalkgrad.check.answers import Claim, Item, Unjudged, read
from chalkgrad.check.called import Called
from chalkgrad.check.truth import Truth
from chalkgrad.core.errors import DataError
from chalkgrad.formulas import text as written
from tests.check.boards import LECTURE_001, LECTURE_002, LECTURE_004, network

TRUTH = Truth(LECTURE_001(), learning_rate=0.6, aliases={"target_o1": "target_1"})


def items(text: str, truth: Truth = TRUTH, negative: bool = False) -> list[Item]:
    return read(text, Called(truth, negative))


def one(text: str, truth: Truth = TRUTH, negative: bool = False) -> Claim:
    (found,) = items(text, truth, negative)
    assert isinstance(found, Claim), found
    return found


def not_judged(text: str, truth: Truth = TRUTH) -> Unjudged:
    (found,) = items(text, truth)
    assert isinstance(found, Unjudged), found
    return found


def about(text: str, truth: Truth = TRUTH, negative: bool = False) -> tuple[str, ...]:
    subject = one(text, truth, negative).subject
    return tuple(part for part in (subject.kind, subject.name, subject.by) if part)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum_h1 = 0.41", ("quantity", "sum_h1")),
        ("sum_{h1} = 0.41", ("quantity", "sum_h1")),
        ("target_o1 = 0.05", ("quantity", "target_1")),
        ("w_5 = 0.5", ("quantity", "w5")),
        ("w₅ = 0.5", ("quantity", "w5")),
        ("dE_total/dw5 = 0.08", ("derivative", "E_total", "w5")),
        ("∂E_total/∂w_5 = 0.08", ("derivative", "E_total", "w5")),
        ("d E_total / d w5 = 0.08", ("derivative", "E_total", "w5")),
        (r"\frac{\partial E_{total}}{\partial w_5} = 0.08", ("derivative", "E_total", "w5")),
        ("dE/dw5 = 0.08", ("derivative", "E_total", "w5")),
        ("grad w5 = 0.08", ("derivative", "E_total", "w5")),
        ("new w5 = 0.45", ("new", "w5")),
        ("new_w5 = 0.45", ("new", "w5")),
        ("new_w_{5} = 0.45", ("new", "w5")),
        (r"new\_w_5 = 0.45", ("new", "w5")),
        ("w5' = 0.45", ("new", "w5")),
        ("w5_new = 0.45", ("new", "w5")),
        ("w5 := 0.45", ("new", "w5")),
        ("w5 = w5 - eta * dE/dw5", ("new", "w5")),
        ("delta_o1 = 0.13", ("derivative", "E_total", "sum_o1")),
        ("δ_o1 = 0.13", ("derivative", "E_total", "sum_o1")),
        (r"\delta_{o1} = 0.13", ("derivative", "E_total", "sum_o1")),
        ("delta_w5 = 0.08", ("derivative", "E_total", "w5")),
        ("Putting them together, dE/dw5 = 0.08", ("derivative", "E_total", "w5")),
        ("So the new w5 = 0.45", ("new", "w5")),
        ("1) sum_h1 = 0.41", ("quantity", "sum_h1")),
        ("- sum_h1 = 0.41", ("quantity", "sum_h1")),
        ("Forward: sum_h1 = 0.41", ("quantity", "sum_h1")),
        ("$$sum_{h1} = 0.41$$", ("quantity", "sum_h1")),
        (r"sum_{h1} &= 0.41 \\", ("quantity", "sum_h1")),
        (r"sum_{h1} \approx 0.41", ("quantity", "sum_h1")),
        ("sum_h1 ≈ 0.41", ("quantity", "sum_h1")),
        ("sigmoid'(sum_o1) = 0.19", ("formula",)),
        ("0.5 * (1 - 0.98)^2 = 0.0002", ("formula",)),
    ],
)
def test_what_a_claim_is_about(text: str, expected: tuple[str, ...]) -> None:
    assert about(text) == expected


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("sum_h1 = 0.1*0.1 + 0.25 = 0.41", ["0.1 · 0.1 + 0.25", "0.41"]),
        ("sum_h1 = 0,41", ["0.41"]),
        ("sum_h1 = max(0,41)", ["max(0, 41)"]),
        ("sum_h1 = 0.41.", ["0.41"]),
        ("sum_h1 = 0.41 which is right", ["0.41"]),
        ("sum_h1 = 0.41 (the sum)", ["0.41"]),
        ("sum_h1 = 0.41  # 0.1 * 0.1 = 0.01", ["0.41"]),
        ("doutput_o1/dsum_o1 = output_o1(1 - output_o1)", ["output_o1 · (1 − output_o1)"]),
        ("dE/dw5 = [output_o1](output_h1)", ["output_o1 · output_h1"]),
        ("w5' = new w1 + 1", ["new w1 + 1"]),
        (r"new\_w_5 = w_5, \text{ where } n \text{ is the rate}", ["w5"]),
    ],
)
def test_the_links_of_a_chain(text: str, links: list[str]) -> None:
    assert [written(link.formula) for link in one(text).links] == links


@pytest.mark.parametrize(
    "text",
    [
        "Forward pass, hidden layer",
        "Let us see",
        "where n = learning rate",
        "We know that force = mass times acceleration",
        "",
        "=",
        "==========",
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert items(text) == []


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("sum_h1 = 0.41 * (2", 17, "column 17: the ( of this column is never closed"),
        ("sum_h1 = = 0.41", 10, "nothing stands between two equals signs"),
        (r"$$ sum\_h1 &= 0.41 ) $$", 20, "column 20: nothing is open"),
        ("sum_h1 = 1e999", 10, "1e999 is too large for a number"),
        ("sum_h1 = 0.41\u202e", 14, "column 14 has U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("sum_h1 = 0.41\x07", 14, "column 14 has U+0007 (a control character)"),
        ("sum\u200b_h1 = 0.41", 4, "column 4 has U+200B (ZERO WIDTH SPACE)"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, column: int, message: str) -> None:
    found = not_judged(text)
    assert found.verdict == "unreadable"
    assert message in found.message
    assert found.column == column


def test_an_unknown_name_offers_those_like_it() -> None:
    found = not_judged("sum_o1 = output_h1 * w5 + outptu_h2 * w6 + b2")
    assert (found.verdict, found.column) == ("unknown", 27)
    assert "outptu_h2. Did you mean output_h2" in found.message
    assert not_judged("foo = 3").verdict == "unknown"
    assert "Did you mean sum_h" in not_judged("sum_h = 0.41").message


def test_a_misspelling_is_no_name_of_the_persons_own() -> None:
    assert not_judged("output_h3 = 1/(1 + e^-sum_h1)").verdict == "unknown"
    assert about("error = output_o1 - target_1") == ("own", "error")
    first, second = items("error = output_o1 - target_1\ndE/dsum_o1 = error * output_o1")
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)


def test_nothing_claimed_is_blank() -> None:
    for text in ("w5 =", "w5 = ?", "w5 = ___", "w5 = …"):
        assert not_judged(text).verdict == "blank", text


def test_several_claims_and_lines_that_go_on() -> None:
    found = items("new w5 = 0.45187; new w6 = 0.55073\n  = 0.55073\n≈ 0.6")
    assert [(item.line, item.text) for item in found] == [
        (1, "new w5 = 0.45187"), (1, "new w6 = 0.55073"), (2, "= 0.55073"), (3, "≈ 0.6"),
    ]  # fmt: skip
    assert isinstance(found[2], Claim)
    assert found[2].goes_on
    assert found[2].subject.name == "w6"


def test_after_some_steps() -> None:
    claim = one("after 10,000 steps: E_total = 0.001")
    assert (claim.after, claim.subject.name) == (10_000, "E_total")
    assert one("After one update, sum_h1 = 0.41").after == 1


def test_the_gradient_as_a_vector() -> None:
    truth = Truth(LECTURE_004())
    for text in ("∇J = (3, 6, 9)", "grad J = [3, 6, 9]", "∇J = 3, 6, 9", "∇J = (3,6,9)"):
        claims = [item for item in items(text, truth) if isinstance(item, Claim)]
        found = [(claim.subject.by, written(claim.links[0].formula)) for claim in claims]
        assert found == [("x", "3"), ("y", "6"), ("z", "9")]
    assert (
        "∇J has 3 entries (x, y, z), and here stand 2" in not_judged("∇J = (3, 6)", truth).message
    )


def test_delta_may_be_the_negative_gradient() -> None:
    truth = Truth(LECTURE_002(), learning_rate=0.1)
    assert one("delta_o = 0.05", truth, negative=True).subject.negated
    assert not one("delta_o = 0.05", truth).subject.negated
    links = one("new w3 = w3 + eta * delta_w3", truth, negative=True).links
    assert written(links[0].formula) == "w3 + 0.1 · (−∂Loss/∂w3)"


def test_a_units_delta_follows_the_worksheets_names() -> None:
    board = network(
        {"u": 0.5}, [_layer()], {"x": 1.0}, {"1": 0.2}, names={"weighted_sum": "Z{unit}"}
    )
    assert about("delta_1 = 0.1", Truth(board)) == ("derivative", "L", "Z1")
    named = Truth(board, units={"out": "Z1"})
    assert about("delta_out = 0.1", named) == ("derivative", "L", "Z1")


def _layer():  # type: ignore[no-untyped-def]
    from tests.check.boards import Layer

    return Layer(["1"], [["u"]])


def test_only_the_learning_rate_has_its_names() -> None:
    for name in ("eta", "η", "lr", "learning_rate"):
        assert written(one(f"new w5 = w5 - {name}").links[0].formula) == "w5 − 0.6"
    assert not_judged("new w5 = w5 - n * w6").verdict == "unknown"
    assert not_judged("dJ/dx = eta", Truth(LECTURE_004())).verdict == "unknown"


def test_a_quantity_that_is_no_parameter_has_no_new_value() -> None:
    assert "sum_h1 is no parameter" in not_judged("new sum_h1 = 0.4").message


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(DataError, match="10,001 lines; at most 10,000"):
        items("w5 = 0.5\n" * 10_001)
    with pytest.raises(DataError, match="at most 1,048,576 are read"):
        items("x" * (1 << 20) + "y")
    assert len(items("w5 = 0.5\n" * 10_000)) == 10_000
