"""What a number on paper can stand for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.check.shown import Shown, Style, shown, usual_decimals
from chalkgrad.formulas.parse import parse

ROUNDED, TRUNCATED = Style.ROUNDED, Style.TRUNCATED


def read(text: str) -> Shown:
    found = shown(parse(text))
    assert found is not None
    return found


@given(st.floats(-100, 100), st.integers(0, 6))
def test_a_rounded_number_holds_what_it_was_rounded_from(value: float, decimals: int) -> None:
    number = read(f"{value:.{decimals}f}")
    if not number.digits or not decimals or abs(value) < 1e-6:
        return  # a 0 and a whole number are judged by the other lines
    low, high = number.interval(ROUNDED, None)
    assert low <= value <= high
    assert high - low == pytest.approx(10.0**-decimals, rel=1e-3)


@given(st.floats(-100, 100), st.integers(1, 6))
def test_a_truncated_number_holds_what_it_was_cut_from(value: float, decimals: int) -> None:
    cut = math.trunc(value * 10**decimals) / 10**decimals
    number = read(f"{cut:.{decimals}f}")
    if not number.digits or abs(value * 10**decimals - round(value * 10**decimals)) < 1e-4:
        return
    low, high = number.interval(TRUNCATED, None)
    assert low <= value <= high
    assert high - low == pytest.approx(10.0**-decimals, rel=1e-3)


def test_the_two_are_never_joined() -> None:
    low, high = read("0.60108").interval(TRUNCATED, None)
    assert low == pytest.approx(0.60108, abs=1e-9)
    assert high < 0.60109
    assert read("0.60108").interval(ROUNDED, None) == pytest.approx((0.601075, 0.601085))
    assert read("-0.0176").interval(TRUNCATED, None) == pytest.approx((-0.0177, -0.0176), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "usual", "half"),
    [
        ("3", None, 3e-9),  # the number three
        ("3", 4, 0.5e-4),  # 3.0000
        ("0", 4, 0.5e-4),
        ("0", 1, 0.5e-2),  # a 0 says little, so it has to be right to two decimals at least
        ("0.0", 4, 0.5e-4),
        ("0.00", 2, 0.5e-2),
        ("154", None, 0.5),
        ("0.1", 5, 0.05),
        ("1.6e-3", None, 0.5e-4),
        ("1.6 * 10^-3", None, 0.5e-4),
        ("-1.6 * 10^-3", None, 0.5e-4),
    ],
)
def test_how_far_from_what_is_shown(text: str, usual: int | None, half: float) -> None:
    low, high = read(text).interval(ROUNDED, usual)
    assert (high - low) / 2 == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("text", ["1/2", "w5", "2 * 3", "10^3", "2 * 10^x"])
def test_what_is_no_single_number(text: str) -> None:
    assert shown(parse(text)) is None


def test_the_decimals_that_a_person_mostly_shows() -> None:
    assert usual_decimals([read(text) for text in ("0.41", "0.60108", "1.01977", "3")]) == 5
    assert usual_decimals([read("3"), read("30")]) is None
    assert usual_decimals([read("0.4"), read("0.61")]) == 2
