"""Fit the polynomials of ``chalkgrad.core.special`` and print them as Python source.

Each function is first divided by an elementary one that it follows, and a long interval is folded
into a short one by ``t = (x - fold) / (x + fold)``.  What is left is near 1, and a polynomial
carries the difference: it is interpolated at Chebyshev nodes with 50 digits, which comes within a
small factor of the best polynomial of that degree, and only then rounded to its dtype.

Nothing here is random, so every run prints the same text::

    python -m tools.fit_special            # print the block of constants
    python -m tools.fit_special --check    # fail unless special.py holds that block
    python -m tools.fit_special --write    # put the block into special.py
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

SOURCE = Path(__file__).parents[1] / "src/chalkgrad/core/special.py"
BEGIN = "# Printed by tools/fit_special.py, as far as the formatter is off.\n# fmt: off\n"
END = "# fmt: on\n"
WORKING_DIGITS = 50
ERROR_SAMPLES = 500

BOUNDARIES = {
    "ERF_NEAR": (1.0, "erf(x) has a polynomial of its own up to here, then is 1 - erfc(x)"),
    "ERFC_NEAR": (0.5, "erfc(x) is 1 - erf(x) up to here; beyond, that would cancel"),
    "ERFC_FOLD": (1.5, "of t = (x - f) / (x + f): [0.5, 28] becomes [-0.5, 0.9]"),
    "ERFC_END_32": (10.25, "erfc(x) rounds to 0 in float32 from here"),
    "ERFC_END_64": (28.0, "and in float64"),
    "ERFINV_NEAR": (0.7, "erfinv(y) follows y up to here, then sqrt(-log(1 - y))"),
    "ERFINV_FOLD": (2.0, "of t = (s - f) / (s + f): [1.09, 6.1] becomes [-0.3, 0.5]"),
}
ERFC_FOLD = BOUNDARIES["ERFC_FOLD"][0]
ERFINV_FOLD = BOUNDARIES["ERFINV_FOLD"][0]

Number: TypeAlias = Any  # mpmath ships no types


@dataclass(frozen=True)
class Target:
    """A ratio near 1, the interval to cover, and the degree that float32 or float64 needs.

    ``fold`` says that ``function`` is sampled on [low, high] but fitted in the folded variable.
    """

    name: str
    meaning: str
    function: Callable[[Number], Number]
    low: float
    high: float
    degree: int
    dtype: type[np.floating[Any]]
    fold: float | None = None


def erf_ratio(square: Number) -> Number:
    """``erf(x)/x`` at ``x² = square``."""
    x = mp.sqrt(square)
    return mp.erf(x) / x


def erfc_ratio(x: Number) -> Number:
    """``erfc(x) exp(x²) (x + fold)``, which stays between 0.5 and 1.3 on the whole half-line."""
    return mp.erfc(x) * mp.exp(x * x) * (x + ERFC_FOLD)


def erfinv_ratio(square: Number) -> Number:
    """``erfinv(y)/y`` at ``y² = square``."""
    y = mp.sqrt(square)
    return mp.erfinv(y) / y


def erfinv_tail_ratio(s: Number) -> Number:
    """``erfinv(y)/s`` at ``s = sqrt(-log(1 - y))``, the leading behaviour of erfinv near 1."""
    return mp.erfinv(1 - mp.exp(-s * s)) / s


def targets(dtype: type[np.floating[Any]]) -> list[Target]:
    """What one dtype needs; the upper ends are where erfc rounds to 0, and the last y below 1."""
    double = dtype is np.float64
    bits = 64 if double else 32
    erfc_end = BOUNDARIES[f"ERFC_END_{bits}"][0]
    return [
        Target(f"ERF_{bits}", "erf(x)/x - 1 in x²", erf_ratio,
               0.0, 1.0, 12 if double else 6, dtype),
        Target(f"ERFC_{bits}", "erfc(x) exp(x²) (x + ERFC_FOLD) - 1 in t", erfc_ratio,
               0.5, erfc_end, 25 if double else 10, dtype, ERFC_FOLD),
        Target(f"ERFINV_{bits}", "erfinv(y)/y - 1 in y²", erfinv_ratio,
               0.0, 0.49, 19 if double else 8, dtype),
        Target(f"ERFINV_TAIL_{bits}", "erfinv(y)/s - 1 in t, where s = sqrt(-log(1 - y))",
               erfinv_tail_ratio, 1.09, 6.1 if double else 4.1, 22 if double else 9, dtype,
               ERFINV_FOLD),
    ]  # fmt: skip


def in_fitted_variable(target: Target) -> tuple[Callable[[Number], Number], Number, Number]:
    """The function to fit and its interval, folded if the target asks for it."""
    low, high = mp.mpf(target.low), mp.mpf(target.high)
    if target.fold is None:
        tiny = mp.mpf(10) ** -(WORKING_DIGITS // 2)  # the ratios are 0/0 at 0 itself
        return target.function, max(low, tiny), high
    fold = mp.mpf(target.fold)

    def folded(t: Number) -> Number:
        return target.function(fold * (1 + t) / (1 - t))

    return folded, (low - fold) / (low + fold), (high - fold) / (high + fold)


def fit(target: Target) -> tuple[list[Number], float]:
    """Coefficients of ``function - 1``, highest power first, and the largest relative error."""
    function, low, high = in_fitted_variable(target)
    coefficients = mp.chebyfit(lambda t: function(t) - 1, [low, high], target.degree + 1)
    errors = [
        abs((1 + mp.polyval(coefficients, t)) / function(t) - 1)
        for t in mp.linspace(low, high, ERROR_SAMPLES)
    ]
    return coefficients, float(max(errors))


def source_of(target: Target) -> str:
    """One constant as Python source, with its meaning and its fitting error above it."""
    coefficients, error = fit(target)
    rounded = [str(target.dtype(mp.nstr(c, 25))) for c in coefficients]
    body = textwrap.fill(", ".join(rounded) + ",", 96)
    comment = f"# {target.meaning}: relative error {error:.1e}"
    return f"{comment}\n{target.name} = (\n{textwrap.indent(body, '    ')}\n)\n"


def block() -> str:
    """Everything that stands between the two marker lines in ``special.py``."""
    with mp.workdps(WORKING_DIGITS):
        lines = [f"{name} = {value}  # {why}\n" for name, (value, why) in BOUNDARIES.items()]
        lines += [source_of(t) for dtype in (np.float32, np.float64) for t in targets(dtype)]
    return "".join(lines)


def main(arguments: list[str]) -> int:
    """Print, check or write the block; returns the exit status."""
    return printed.main(arguments, SOURCE, BEGIN, END, block)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
