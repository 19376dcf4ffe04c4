"""Text that means harm: answered in bounded time with one clear message, and never run."""

from __future__ import annotations

from time import perf_counter

import pytest

from chalkgrad.check.marking import check
from chalkgrad.check.truth import Truth
from chalkgrad.check.verdicts import Judged
from tests.check.boards import LECTURE_001

TRUTH = Truth(LECTURE_001(), learning_rate=0.6)
SECONDS = 6.0  # a line has two; the machine may be busy, and sympy starts once


def judged(text: str) -> Judged:
    began = perf_counter()
    report = check(TRUTH, text)
    str(report), report.to_html(), report.to_json()
    assert perf_counter() - began < SECONDS
    (line,) = report.lines
    return line


@pytest.mark.parametrize(
    ("right", "verdict", "said"),
    [
        ("9^9^9^9", "wrong", "no number"),
        ("w5^9^9^9^9", "wrong", "expected 0.41"),
        ("1e308 * 1e308", "wrong", "no number"),
        ("1e400", "unreadable", "too large for a number"),
        ("9" * 400, "unreadable", "too large for a number"),
        ("(" * 900 + "1" + ")" * 900, "unreadable", "brackets in brackets"),
        ("(" * 5000, "unreadable", "at most 2,000 are read"),
        ("-" * 1500 + "1", "unreadable", "too long"),
        ("exp(" * 60 + "w1" + ")" * 60, "wrong", "no number"),
        ("sigmoid(" * 60 + "w1" + ")" * 60, "wrong", "expected 0.41"),
        ("+".join(["w1"] * 100_000), "unreadable", "at most 2,000 are read"),
        ("1/(0.1 - w1)", "wrong", "no number"),
        ("log(0 * w1)", "wrong", "no number"),
        ("0.0/0.0", "unreadable", "cannot be judged"),
        ("log(-1)", "unreadable", "cannot be judged"),
        ("0.41; __import__('os').system('true')", "correct", ""),
    ],
)
def test_one_line(right: str, verdict: str, said: str) -> None:
    line = judged(f"sum_h1 = {right}")
    assert line.verdict.value == verdict
    assert said in line.reason


@pytest.mark.parametrize(
    "right",
    [
        "(output_o1 - target_1)^17 * sin(w1)^9 * cos(w2)^9 * tanh(w3 * exp(w4))^7 * "
        "(w1 + w2 + w3 + w4 + w5 + w6)^20 / sqrt(w1^2 + w2^2)",
        "(E_1 + E_2) * " + " * ".join(f"(sin(w{k})^2 + cos(w{k})^2)" for k in range(1, 9)),
        "(E_1 + E_2) * (sqrt(w1^2 + 2 * w1 * w2 + w2^2) / abs(w1 + w2))^3",
    ],
)
def test_formulas_that_make_algebra_spin(right: str) -> None:
    assert judged(f"E_total = {right}").verdict.value in ("correct", "wrong")


@pytest.mark.parametrize("letter", ["\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\u2028", "\x85"])
def test_letters_that_hide_or_reorder(letter: str) -> None:
    line = judged(f"sum_h1 = {letter}0.41")
    assert line.verdict.value == "unreadable"
    assert f"column 10 has U+{ord(letter):04X}" in line.reason


def test_many_links() -> None:
    assert judged("sum_h1 " + "= 0.41 " * 250).verdict.value == "correct"
    assert judged("sum_h1 " + "= i1*w1+i2*w3+b1 " * 100).verdict.value == "correct"


def test_a_hundred_names_of_ones_own() -> None:
    report = check(TRUTH, "\n".join(f"t{k} = w1 + {k}" for k in range(102)))
    assert (report.score.correct, report.score.unreadable) == (100, 2)
    assert "at most 100 names" in report.lines[-1].reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("sum_h1 = 0.41", 10_000),
        ("sum_h1 = ((((", 10_000),
        ("t{k} = w1 + {k}", 10_000),
        ("dE_total/dw1 = 0.77{k}", 200),
        ("dE_total/dw{j} = (output_o1 - target_1) * output_h1 * {k}", 200),
        ("dE_total/dw5 = (output_o1 - target_1) * output_h1 * doutput_o1/dsum_o1 * {k}/{k}", 200),
        ("sum_q{k} = 3", 1000),
        ("a b c d e f g h i j k l m n o = 3 4 5 and then some more words here", 1000),
    ],
)
def test_many_lines(line: str, count: int) -> None:
    text = "\n".join(line.format(k=k + 2, j=k % 8 + 1) for k in range(count))
    began = perf_counter()
    report = check(TRUTH, text)
    assert perf_counter() - began < 120
    assert report.score.total in (0, count)
