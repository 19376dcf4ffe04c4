"""A number as it stands on paper, and what it can stand for.

    0.60108    rounded: 0.601075 … 0.601085        truncated: 0.60108 … 0.60109
    154        the same at its last digit
    3          the number three; where others are shown to four decimals, 3.0000
    0.0, 0.00  at as many decimals as the others have: a 0 says little

Who rounds and who truncates is read from the whole text; the two are never joined into one wider
interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from re import compile

from chalkgrad.formulas import Call, Expression, Number

_DECIMAL = compile(r"([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")
_EDGE = 1e-12  # relative: 0.335 has no exact double
_FINEST = 1e-9  # relative, of a number that is exact


class Style(Enum):
    """What a person does with the digits that are left out."""

    ROUNDED = "rounded"
    TRUNCATED = "truncated"


@dataclass(frozen=True)
class Shown:
    """A number that somebody wrote down."""

    value: float
    decimals: int  # after the point; of 1.6e-3 four
    digits: int  # that count: none in 0.00
    has_point: bool
    text: str

    @property
    def unit(self) -> float:
        """One of the last digit."""
        return float(f"1e{-self.decimals}")

    def interval(self, style: Style, usual: int | None) -> tuple[float, float]:
        """What the number can stand for, among numbers that mostly have `usual` decimals."""
        places = self.decimals
        if self._says_little:
            if usual is None and not self.has_point:
                return _around(self.value, 0.0, 0.0)
            places = max(self.decimals, usual or 0, 2)
        unit = float(f"1e{-places}")
        if style is Style.ROUNDED or not self.digits:
            half = unit / 2 if style is Style.ROUNDED else unit * (1 - _EDGE)
            return _around(self.value, half, half)
        almost = unit * (1 - _EDGE) - 2 * _EDGE * abs(self.value)  # the next digit is not reached
        if self.value < 0:
            return _around(self.value, almost, 0.0)
        return _around(self.value, 0.0, almost)

    @property
    def _says_little(self) -> bool:
        """Is it a 0, or a single digit without a point, which is rarely a rounded number?"""
        return not self.digits or (not self.has_point and self.digits < 2 and self.decimals == 0)


def _around(value: float, below: float, above: float) -> tuple[float, float]:
    slack = _EDGE * abs(value) if below or above else _FINEST * abs(value)
    return value - below - slack, value + above + slack


def shown(expression: Expression) -> Shown | None:
    """The number that a formula is, if it is no more than one: `-0.0176`, `1.6·10^-3`.

    >>> number = shown(Number(0.601, "0.601"))
    >>> [round(end, 6) for end in number.interval(Style.ROUNDED, None)]
    [0.6005, 0.6015]
    """
    if isinstance(expression, Number) and expression.written is not None:
        return _read(expression.value, expression.written)
    if isinstance(expression, Call) and expression.function == "negative":
        inner = shown(expression.arguments[0])
        if inner is not None:
            return Shown(
                -inner.value, inner.decimals, inner.digits, inner.has_point, f"-{inner.text}"
            )
    if isinstance(expression, Call) and expression.function == "multiply":
        return _scaled(*expression.arguments)
    return None


def _scaled(number: Expression, scale: Expression) -> Shown | None:
    """A number times a power of ten."""
    if not (isinstance(scale, Call) and scale.function == "power"):
        return None
    base, exponent = scale.arguments
    inner = shown(number)
    if inner is None or base != Number(10.0) or not isinstance(exponent, Number):
        return None
    n = exponent.value
    if n != int(n) or abs(n) > 300:
        return None
    value = (
        float(f"{inner.value!r}e{int(n)}") if "e" not in repr(inner.value) else inner.value * 10**n
    )
    return Shown(value, inner.decimals - int(n), inner.digits, True, f"{inner.text}e{int(n)}")


def _read(value: float, text: str) -> Shown | None:
    found = _DECIMAL.fullmatch(text.replace("−", "-"))
    if found is None:
        return None
    _, whole, part, exponent = found.groups()
    power = int(exponent) if exponent else 0
    if abs(power) > 320:
        return None
    count = len((whole + part).lstrip("0"))
    return Shown(value, len(part) - power, count, bool(part) or exponent is not None, text)


def usual_decimals(numbers: Iterable[Shown]) -> int | None:
    """How many decimals a person mostly writes; of two counts that are as frequent, the larger."""
    counts = Counter(number.decimals for number in numbers if number.has_point)
    if not counts:
        return None
    return max(counts, key=lambda decimals: (counts[decimals], decimals))
