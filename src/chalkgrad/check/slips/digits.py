"""Slips of the pen: what becomes of a right number's digits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, InvalidOperation
from itertools import pairwise

from chalkgrad.check.slips import catalogue as known

Found = tuple[str, str, float]  # kind, why, what it gives


def decimals_of(text: str) -> int | None:
    """How many decimals a number is shown to: 4 of "0.0802", 6 of "8.02e-4"; None if it is none."""
    try:
        number = Decimal(text.replace("−", "-").replace(",", ".").strip())
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else None


def digit_slips(expected: float, text: str) -> Iterator[Found]:
    """Numbers that a slip of the pen makes of the right one, as it would be shown."""
    decimals = decimals_of(text)
    if decimals is None or not abs(expected) < 1e15:
        return
    for power in (1, -1, 2, -2, 3, -3):
        words = f"has the decimal point {abs(power)} place{'s' if abs(power) > 1 else ''} off"
        yield known.POINT_SHIFTED, words, float(Decimal(repr(expected)).scaleb(power))
    seen = set()
    for mode in (ROUND_HALF_EVEN, ROUND_DOWN):
        right = rounded(expected, decimals, mode)
        longer = rounded(expected, decimals + 1, mode)
        for kind, why, other in (*swapped(right), *dropped(longer), *miscopied(right, text)):
            if (kind, other) not in seen:
                seen.add((kind, other))
                yield kind, why, float(other)


def rounded(value: float, decimals: int, mode: str) -> str:
    number = Decimal(repr(value)).quantize(Decimal(1).scaleb(-max(decimals, 0)), rounding=mode)
    return f"{number:f}"


def swapped(right: str) -> Iterator[tuple[str, str, str]]:
    """Two neighbouring digits exchanged."""
    places = [k for k, letter in enumerate(right) if letter.isdigit()]
    for i, j in pairwise(places):
        if right[i] != right[j]:
            other = right[:i] + right[j] + right[i + 1 : j] + right[i] + right[j + 1 :]
            why = f"has {right[j]} and {right[i]} exchanged: {right}"
            yield known.DIGITS_SWAPPED, why, other


def dropped(longer: str) -> Iterator[tuple[str, str, str]]:
    """A digit left out; those behind it move up."""
    point = longer.find(".")
    for k, letter in enumerate(longer):
        if k > point >= 0 and letter.isdigit():
            why = f"lacks a digit: the {letter} of {longer}"
            yield known.DIGIT_DROPPED, why, longer[:k] + longer[k + 1 :]


def miscopied(right: str, text: str) -> Iterator[tuple[str, str, str]]:
    """One digit of several is another one."""
    mine = text.replace("−", "-").replace(",", ".").strip()
    if len(mine) != len(right) or sum(letter.isdigit() for letter in right.lstrip("-0.")) < 4:
        return
    places = [k for k, (a, b) in enumerate(zip(mine, right, strict=True)) if a != b]
    if len(places) == 1 and mine[places[0]].isdigit() and right[places[0]].isdigit():
        k = places[0]
        last = k == len(right) - 1
        if not (last and abs(int(mine[k]) - int(right[k])) <= 1):
            yield known.DIGIT_MISCOPIED, f"has a {mine[k]} where {right} has a {right[k]}", mine
