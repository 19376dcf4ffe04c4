"""Fit the polynomials of ``chalkgrad.machine.vectormath`` and print them as Python source.

Each is interpolated at Chebyshev nodes with 90 digits, which comes within a small factor of the
best polynomial of that degree, and only then rounded to its format. Nothing here is random::

    python -m tools.fit_vectormath            # print the block of constants
    python -m tools.fit_vectormath --check    # fail unless vectormath.py holds that block
    python -m tools.fit_vectormath --write    # put the block into vectormath.py
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from mpmath import mp  # type: ignore[import-untyped]

from tools import printed

SOURCE = Path(__file__).parents[1] / "src/chalkgrad/machine/vectormath.py"
BEGIN = "# Printed by tools/fit_vectormath.py, as far as the formatter is off.\n# fmt: off\n"
END = "# fmt: on\n"
WORKING_DIGITS = 90
NUDGE = 1e-20  # in place of 0, where a quotient is 0/0; a third of the digits cancels there
SAMPLES = 300
ROOM = 1.003  # intervals are a little wider than exact arithmetic needs: reductions round

Number: TypeAlias = Any  # mpmath ships no types
Function: TypeAlias = Callable[[Number], Number]


@dataclass(frozen=True)
class Target:
    """What to fit, where, and of which degree in float32 and float64 (None: not needed).

    ``share`` is the factor that turns an error of the polynomial into a relative one of the result.
    """

    name: str
    meaning: str
    function: Function
    low: Number
    high: Number
    degrees: tuple[int | None, int | None]
    share: Function


def remainder(function: Function) -> Function:
    """``(f(x)/x - 1) / x²`` at ``x² = z``, of an odd function."""
    return lambda z: (function(mp.sqrt(z)) / mp.sqrt(z) - 1) / z


def part(function: Function) -> Function:
    """What share of an odd function its remainder has."""
    return lambda z: z * mp.sqrt(z) / function(mp.sqrt(z))


def exponential(r: Number) -> Number:
    r = r or NUDGE
    return (mp.expm1(r) - r) / r**2


def logarithm(f: Number) -> Number:
    f = f or NUDGE
    return (mp.log1p(f) - f + f * f / 2) / f**3


def arc(z: Number) -> Number:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def cosine(z: Number) -> Number:
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def targets() -> list[Target]:
    """All fits."""
    tiny, ln2 = mp.mpf(NUDGE), mp.log(2) * ROOM
    quarter, root = (mp.pi / 4 * ROOM) ** 2, mp.sqrt(2)
    least = (3 - 2 * root) ** 2
    return [
        Target("EXP", "(eʳ - 1 - r) / r², |r| < ln 2", exponential, -ln2, ln2, (6, 12),
               lambda r: r * r / mp.exp(r)),
        Target("EXPM1", "the same, |r| < ½ ln 2", exponential, -ln2 / 2, ln2 / 2, (5, 10),
               lambda r: r * r / mp.expm1(r)),
        Target("LOG", "(log(1 + f) - f + ½f²) / f³", logarithm, 1 / root - 1, root - 1, (8, None),
               lambda f: f**3 / mp.log1p(f)),
        Target("ATANH", "(2 artanh(s) / s - 2) / s² in s²", arc, tiny, least, (None, 6),
               lambda z: z / 2),
        Target("ATANH_REST", "(2 artanh(s) / s - 2 - ⅔s²) / s⁴ in s²",
               lambda z: (arc(z) - mp.mpf(2) / 3) / z, tiny, least, (None, 8),
               lambda z: z * z / 2),
        Target("SIN", "(sin(r) / r - 1) / r² in r², |r| < π/4", remainder(mp.sin), tiny, quarter,
               (2, 5), part(mp.sin)),
        Target("COS", "(cos(r) - 1 + ½r²) / r⁴ in r², |r| < π/4", cosine, tiny, quarter,
               (2, 5), lambda z: z * z / mp.cos(mp.sqrt(z))),
        Target("ATAN", "(arctan(x) / x - 1) / x² in x², |x| < 1", remainder(mp.atan), tiny, 1,
               (8, 19), part(mp.atan)),
        Target("ASIN", "(arcsin(x) / x - 1) / x² in x², |x| < ½", remainder(mp.asin), tiny,
               mp.mpf(1) / 4, (4, 11), part(mp.asin)),
    ]  # fmt: skip


def fit(target: Target, degree: int) -> tuple[list[Number], float]:
    """Coefficients, highest power first, and the largest relative error of the result."""
    low, high = mp.mpf(target.low), mp.mpf(target.high)
    coefficients = mp.chebyfit(target.function, [low, high], degree + 1)
    errors = [
        abs((mp.polyval(coefficients, t) - target.function(t)) * target.share(t))
        for t in mp.linspace(low, high, SAMPLES)
    ]
    return coefficients, float(max(errors))


def source_of(target: Target, bits: int, degree: int) -> str:
    """One entry of the table, with its meaning and its error above it."""
    coefficients, error = fit(target, degree)
    dtype = np.float32 if bits == 32 else np.float64
    rounded = [str(dtype(mp.nstr(c, 25))) for c in coefficients]
    body = textwrap.fill(", ".join(rounded) + ",", 92)
    comment = f"    # {target.meaning}: relative error {error:.1e}"
    return f'{comment}\n    "{target.name}_{bits}": (\n{textwrap.indent(body, " " * 8)}\n    ),\n'


def block() -> str:
    """Everything that stands between the two marker lines."""
    text = "_FITS: dict[str, tuple[float, ...]] = {\n"
    with mp.workdps(WORKING_DIGITS):
        for target in targets():
            for bits, degree in zip((32, 64), target.degrees, strict=True):
                text += source_of(target, bits, degree) if degree else ""
    return text + "}\n"


def main(arguments: list[str]) -> int:
    """Print, check or write the block; returns the exit status."""
    return printed.main(arguments, SOURCE, BEGIN, END, block)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
