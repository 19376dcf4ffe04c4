"""Elementary functions on vectors, because LLVM calls the C library lane by lane.

Each is a range reduction, a polynomial, and a way back:

    exp x      = 4ʰ eʳ                    h = round(x / ln 4),  |r| ≤ ln 2;  2ʰ twice, so that
                                          neither a denormal nor the last finite result is missed
    expm1 x    = 2 (2ⁿ⁻¹ (eʳ − 1) + (2ⁿ⁻¹ − ½)),   n = round(x / ln 2)
    log x      = e ln 2 + log(1 + f)      x = 2ᵉ (1 + f),  1 + f in [√½, √2)
    log1p x    the same of 1 + x,         f = 2⁻ᵉ x + (2⁻ᵉ − 1), rounded once
    tanh x     = h / (h + 1)              h = ½ expm1 2|x|,  then the sign of x
    sigmoid x  = 1 / (1 + e⁻ˣ)            for x ≥ 0;  eˣ / (1 + eˣ) below
    sin, cos   = ± the one or the other of r = x − n π/2;  π/2 in pieces whose products are exact
    tan x      = sin r / cos r            for an even n;  −cos r / sin r  for an odd one
    arctan x   = π/2 − arctan 1/x         for x > 1
    arcsin x   = π/2 − 2 arcsin √(½ − ½x)         for x > ½
    x ** y     = exp(y log x)             the logarithm to twice float64's digits
    erf, erfc, erfinv                     as core.special fits them

The inverse hyperbolic functions are logarithms of 1 + x. What is rarely used in float32 (tan, sinh,
cosh, arcsinh, arccosh, arctanh, erfc, erfinv, power) is computed in float64 and rounded.

Error bounds over the whole range are 2 units in the last place in float32 and 4 in float64, and
without fused multiplication 1 more (tests/compiler/test_vectormath judges by more exact
arithmetic). Specials are NumPy's. A result depends on its own lane alone, so it is the same
whatever the number of lanes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import factorial, log, pi
from typing import NamedTuple

from chalkgrad.core import special
from chalkgrad.machine.text import Function, literal, vector_of

# Printed by tools/fit_vectormath.py, as far as the formatter is off.
# fmt: off
_FITS: dict[str, tuple[float, ...]] = {
    # (eʳ - 1 - r) / r², |r| < ln 2: relative error 3.1e-09
    "EXP_32": (
        2.503575e-05, 0.00020075646, 0.0013888322, 0.008332766, 0.04166667, 0.1666667, 0.5,
    ),
    # (eʳ - 1 - r) / r², |r| < ln 2: relative error 7.8e-19
    "EXP_64": (
        1.1064396843692052e-11, 1.6179597591603236e-10, 2.088386773917775e-09, 2.50513791886071e-08,
        2.7557274832162893e-07, 2.7557321339843905e-06, 2.4801587432294524e-05,
        0.00019841269838286144, 0.0013888888888703124, 0.008333333333335136, 0.041666666666667795,
        0.16666666666666663, 0.5,
    ),
    # the same, |r| < ½ ln 2: relative error 5.4e-10
    "EXPM1_32": (
        0.00019891279, 0.001393391, 0.0083333105, 0.041666463, 0.16666667, 0.5,
    ),
    # the same, |r| < ½ ln 2: relative error 1.3e-18
    "EXPM1_64": (
        2.1619257560007897e-09, 2.5105525761140995e-08, 2.755493258254711e-07,
        2.7557254656202336e-06, 2.480159015414669e-05, 0.0001984126987540889, 0.00138888888873885,
        0.008333333333325966, 0.0416666666666699, 0.1666666666666667, 0.5,
    ),
    # (log(1 + f) - f + ½f²) / f³: relative error 3.2e-09
    "LOG_32": (
        0.06971612, -0.11479734, 0.1168542, -0.12425687, 0.14249058, -0.16667803, 0.20000716,
        -0.24999997, 0.3333333,
    ),
    # (2 artanh(s) / s - 2) / s² in s²: relative error 4.6e-18
    "ATANH_64": (
        0.14616449685043406, 0.15331721600556042, 0.18182889125261723, 0.2222221113479508,
        0.28571428625975487, 0.39999999999899505, 0.666666666666667,
    ),
    # (2 artanh(s) / s - 2 - ⅔s²) / s⁴ in s²: relative error 5.5e-24
    "ATANH_REST_64": (
        0.10762291418628644, 0.10456341945425285, 0.11766812466114947, 0.13333296549572363,
        0.15384615760977463, 0.18181818179658246, 0.22222222222228424, 0.28571428571428564, 0.4,
    ),
    # (sin(r) / r - 1) / r² in r², |r| < π/4: relative error 1.4e-08
    "SIN_32": (
        -0.00019586377, 0.008332741, -0.16666664,
    ),
    # (sin(r) / r - 1) / r² in r², |r| < π/4: relative error 1.5e-17
    "SIN_64": (
        1.5917286157176492e-10, -2.5051120107084363e-08, 2.7557316046063308e-06,
        -0.00019841269836649343, 0.008333333333330877, -0.16666666666666666,
    ),
    # (cos(r) - 1 + ½r²) / r⁴ in r², |r| < π/4: relative error 1.1e-09
    "COS_32": (
        2.4546425e-05, -0.0013888296, 0.041666664,
    ),
    # (cos(r) - 1 + ½r²) / r⁴ in r², |r| < π/4: relative error 7.2e-19
    "COS_64": (
        -1.1382104964453636e-11, 2.0876138925294287e-09, -2.7557317236391144e-07,
        2.4801587298697357e-05, -0.0013888888888887352, 0.041666666666666664,
    ),
    # (arctan(x) / x - 1) / x² in x², |x| < 1: relative error 1.1e-08
    "ATAN_32": (
        -0.0023869972, 0.013507771, -0.03587154, 0.06250169, -0.0865688, 0.110337645, -0.14278568,
        0.1999974, -0.3333333,
    ),
    # (arctan(x) / x - 1) / x² in x², |x| < 1: relative error 2.0e-17
    "ATAN_64": (
        1.806195461861215e-05, -0.00019996189377901382, 0.0010496035084968515,
        -0.0034958859739163094, 0.008368931178450162, -0.015535152475414177, 0.023696731580048622,
        -0.031277189066996385, 0.03749486812535247, -0.04260356632601652, 0.04737749579527779,
        -0.052579733342841106, 0.05881506877793656, -0.06666564699289104, 0.07692298971033217,
        -0.09090908590891934, 0.11111111093490827, -0.14285714285384132, 0.1999999999999753,
        -0.3333333333333333,
    ),
    # (arcsin(x) / x - 1) / x² in x², |x| < ½: relative error 1.7e-08
    "ASIN_32": (
        0.038085025, 0.026554542, 0.04500138, 0.07498855, 0.16666673,
    ),
    # (arcsin(x) / x - 1) / x² in x², |x| < ½: relative error 5.6e-17
    "ASIN_64": (
        0.028169218060881414, -0.010749050339697808, 0.01603551434914882, 0.0078029494773533175,
        0.011875494382636922, 0.013929652902326633, 0.017355259955786323, 0.02237204763174451,
        0.03038194736709848, 0.044642857103423646, 0.07500000000020764, 0.1666666666666665,
    ),
}
# fmt: on


def _pieces(bits: Sequence[int]) -> tuple[float, ...]:
    """π/2 in pieces of so many bits, from Machin's formula in whole numbers."""
    scale = 1 << 200

    def arctan_of_inverse(n: int) -> int:
        total, power, k = 0, scale // n, 0
        while power:
            total += (-1) ** k * (power // (2 * k + 1))
            power //= n * n
            k += 1
        return total

    rest = 2 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
    found = []
    for size in bits:
        unit = 1 << max(rest.bit_length() - size, 0)
        part = rest // unit * unit
        found.append(part / scale)
        rest -= part
    return tuple(found)


class _Circle(NamedTuple):
    """How far a multiple of π can be taken off: the pieces of π/2, and up to which |x|.

    With fused multiplication, x − n · piece needs one rounding, and none if the piece is the first:
    the difference is a multiple of the last place of 1, and less than 2. Without it, n · piece has
    to be exact, so the pieces are short, and n may have only the bits that they leave.
    """

    pieces: tuple[float, ...]
    largest: float


class _Format(NamedTuple):
    """A floating-point format, and what the reductions need to know of it."""

    whole: str  # the integer of its width
    bits: int
    digits: int  # of the significand, without the hidden one
    bias: int
    suffix: str
    ln2: tuple[float, float]  # a high part with trailing zeros, and the rest
    fused: _Circle
    split: _Circle
    half_pi_rest: float  # what π/2 is more than its rounded value
    exp_range: tuple[float, float]  # below 0, above infinity
    flat: float  # from here tanh is 1, and e⁻²ˣ − 1 is −1


_FORMATS = {
    "float": _Format(
        "i32", 32, 23, 127, "f32", (0.693359375, log(2) - 0.693359375),
        _Circle(_pieces((24, 24, 24)), 1.25e5), _Circle(_pieces((11, 11, 11, 24)), 1.2e4),
        -4.371139e-08, (-104.0, 89.0), 9.02,
    ),
    "double": _Format(
        "i64", 64, 52, 1023, "f64", (0.6931471803691238, 1.9082149292705877e-10),
        _Circle(_pieces((53, 53, 53)), 1e9), _Circle(_pieces((28, 28, 28, 53)), 5e7),
        6.123233995736766e-17, (-746.0, 710.0), 22.0,
    ),
}  # fmt: skip


class _Lanes:
    """Writes arithmetic on values of one type."""

    def __init__(
        self, f: Function, kind: str, lanes: int, fma: bool, fitted: str | None = None
    ) -> None:
        self.f, self.kind, self.lanes, self.fma = f, kind, lanes, fma
        self.form = _FORMATS[kind]
        self.type, self.whole = vector_of(kind, lanes), vector_of(self.form.whole, lanes)
        self.flag = vector_of("i1", lanes)
        self.fitted = _FORMATS[fitted or kind].bits  # how exact polynomials are
        self.circle = self.form.fused if fma else self.form.split

    def n(self, value: float) -> str:
        return literal(value, self.kind, self.lanes)

    def i(self, value: int) -> str:
        return literal(value, self.form.whole, self.lanes)

    def add(self, a: str, b: str) -> str:
        return self.f.let(f"fadd {self.type} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        return self.f.let(f"fsub {self.type} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        return self.f.let(f"fmul {self.type} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        return self.f.let(f"fdiv {self.type} {a}, {b}")

    def neg(self, a: str) -> str:
        return self.f.let(f"fneg {self.type} {a}")

    def mad(self, a: str, b: str, c: str) -> str:
        """a · b + c, rounded once where the processor can."""
        if self.fma:
            return self.call("fma", a, b, c)
        return self.add(self.mul(a, b), c)

    def call(self, name: str, *values: str) -> str:
        shape = f"v{self.lanes}" if self.lanes > 1 else ""
        given = ", ".join(f"{self.type} {v}" for v in values)
        return self.f.let(f"call {self.type} @llvm.{name}.{shape}{self.form.suffix}({given})")

    def product(self, a: str, b: str) -> tuple[str, str]:
        """a · b, and exactly what its rounding lost."""
        high = self.mul(a, b)
        if self.fma:
            return high, self.call("fma", a, b, self.neg(high))
        # T. J. Dekker's halves, whose products are exact (Numer. Math. 18, 1971, 224-242).
        (a1, a2), (b1, b2) = self.halves(a), self.halves(b)
        lost = self.sub(self.mul(a1, b1), high)
        lost = self.add(self.add(lost, self.mul(a1, b2)), self.mul(a2, b1))
        return high, self.add(lost, self.mul(a2, b2))

    def halves(self, a: str) -> tuple[str, str]:
        """a as the sum of two numbers of half its digits."""
        scaled = self.mul(a, self.n(2.0 ** ((self.form.digits + 2) // 2) + 1))
        high = self.sub(scaled, self.sub(scaled, a))
        return high, self.sub(a, high)

    def total(self, a: str, b: str) -> tuple[str, str]:
        """a + b, and exactly what its rounding lost, where |a| ≥ |b|."""
        high = self.add(a, b)
        return high, self.sub(b, self.sub(high, a))

    def test(self, relation: str, a: str, b: str) -> str:
        return self.f.let(f"fcmp {relation} {self.type} {a}, {b}")

    def choose(self, test: str, a: str, b: str) -> str:
        return self.f.let(f"select {self.flag} {test}, {self.type} {a}, {self.type} {b}")

    def least(self, a: str, b: str) -> str:
        """min(a, b); a NaN in a stays."""
        return self.choose(self.test("ogt", a, b), b, a)

    def most(self, a: str, b: str) -> str:
        return self.choose(self.test("olt", a, b), b, a)

    def sized(self, a: str, sign: str) -> str:
        """The size of one number and the sign of another."""
        return self.call("copysign", a, sign)

    def bits(self, a: str) -> str:
        return self.f.let(f"bitcast {self.type} {a} to {self.whole}")

    def number(self, a: str) -> str:
        return self.f.let(f"bitcast {self.whole} {a} to {self.type}")

    def op(self, word: str, a: str, b: str) -> str:
        return self.f.let(f"{word} {self.whole} {a}, {b}")

    def fit(self, name: str) -> tuple[float, ...]:
        """The coefficients of a fit."""
        key = f"{name}_{self.fitted}"
        found: tuple[float, ...] = _FITS[key] if key in _FITS else getattr(special, key)
        return found

    def series(self, coefficients: Sequence[float], x: str) -> str:
        """A polynomial by Horner's rule, the highest power first."""
        total = self.n(coefficients[0])
        for c in coefficients[1:]:
            total = self.mad(total, x, self.n(c))
        return total

    def snapped(self, x: str, factor: float, offset: int = 0) -> tuple[str, str]:
        """The whole number n next to x · factor, and bits whose low ones are n + offset.

        Next to 1.5 · 2^digits, numbers are one apart: what is added there becomes whole.
        """
        magic = self.n(1.5 * 2.0**self.form.digits + offset)
        shifted = self.mad(x, self.n(factor), magic)
        return self.sub(shifted, magic), self.bits(shifted)

    def power_of_two(self, biased: str) -> str:
        """2ⁿ, of bits whose low ones are n + bias."""
        return self.number(self.op("shl", biased, self.i(self.form.digits)))

    def flipped(self, x: str, parity: str) -> str:
        """−x where the lowest bit is 1."""
        sign = self.op("shl", parity, self.i(self.form.bits - 1))
        return self.number(self.op("xor", self.bits(x), sign))


def _reduced(v: _Lanes, x: str, step: int, offset: int = 0) -> tuple[str, str, str]:
    """r = x − k · step · ln 2, what its rounding lost, and bits whose low ones are k + offset."""
    high, low = (step * part for part in v.form.ln2)
    k, bits = v.snapped(x, 1 / (step * log(2)), offset)
    most = v.mad(k, v.n(-high), x)
    r = v.mad(k, v.n(-low), most)
    return r, v.mad(k, v.n(-low), v.sub(most, r)), bits


def _within(v: _Lanes, x: str) -> str:
    low, high = v.form.exp_range
    return v.least(v.most(x, v.n(low)), v.n(high))


def _exp(v: _Lanes, x: str) -> str:
    r, _, bits = _reduced(v, _within(v, x), 2, v.form.bias)
    slope, scale = v.mad(v.series(v.fit("EXP"), r), r, v.n(1)), v.power_of_two(bits)
    return v.mul(v.mul(v.mad(slope, r, v.n(1)), scale), scale)


def _exp_parts(v: _Lanes, x: str, more: str | None = None) -> tuple[str, str]:
    """p and s with e^(x + more) = (1 + p) s², for x within the range; two roundings better."""
    r, lost, bits = _reduced(v, x, 2, v.form.bias)
    if more:
        r, lost = v.total(r, v.add(lost, more))
    p = v.mad(v.mul(r, r), v.series(v.fit("EXP"), r), v.mad(lost, r, lost))
    return v.add(r, p), v.power_of_two(bits)


def _half_expm1(v: _Lanes, x: str) -> str:
    """½ (eˣ − 1), whose exponent does not overflow before its double does."""
    r, lost, bits = _reduced(v, x, 1, v.form.bias - 1)
    scale = v.power_of_two(bits)
    p = v.mad(v.mul(r, r), v.series(v.fit("EXPM1"), r), lost)
    return v.mad(scale, v.add(r, p), v.sub(scale, v.n(0.5)))


def _expm1(v: _Lanes, x: str) -> str:
    inside = v.least(v.most(x, v.n(-2 * v.form.flat)), v.n(v.form.exp_range[1]))
    half = _half_expm1(v, inside)
    return v.choose(v.test("oeq", x, v.n(0)), x, v.add(half, half))


def _split(v: _Lanes, x: str) -> tuple[str, str]:
    """The bits of m in [√½, √2) and the integer e with x = 2ᵉ m, for a positive normal x."""
    half = v.bits(v.n(0.5**0.5))
    bits = v.op("sub", v.bits(x), half)
    e = v.op("ashr", bits, v.i(v.form.digits))
    kept = v.op("and", bits, v.i(2**v.form.digits - 1))
    return v.op("add", kept, half), e


def _log_of(v: _Lanes, e: str, f: str) -> str:
    """e ln 2 + log(1 + f), by log(1 + f) = f − ½f² + …

    In float32 a polynomial in f follows. In float64 it would be long: a division shortens it, by
    s = f / (2 + f), log(1 + f) = 2 artanh s = f − ½f² + s (½f² + R(s²)).
    """
    high, low = v.form.ln2
    square = v.mul(f, f)
    if v.kind == "float":
        cube = v.mul(square, f)
        rest = v.mad(cube, v.series(v.fit("LOG"), f), v.mul(e, v.n(low)))
        return v.mad(e, v.n(high), v.add(f, v.mad(square, v.n(-0.5), rest)))
    s = v.div(f, v.add(f, v.n(2)))
    z, half = v.mul(s, s), v.mul(square, v.n(0.5))
    rest = v.mad(s, v.mad(z, v.series(_FITS["ATANH_64"], z), half), v.mul(e, v.n(low)))
    return v.mad(e, v.n(high), v.sub(f, v.sub(half, rest)))


def _ends_of_log(v: _Lanes, x: str, value: str, zero: float) -> str:
    """The logarithm where it has no finite value; `zero` is where it is −∞."""
    top = v.choose(v.test("olt", x, v.n(float("inf"))), value, x)  # NaN too
    bottom = v.choose(v.test("oeq", x, v.n(zero)), v.n(float("-inf")), v.n(float("nan")))
    return v.choose(v.test("ugt", x, v.n(zero)), top, bottom)


def _as_number(v: _Lanes, whole: str) -> str:
    """A small integer as a number; not all processors convert i64, so by the addition's bits."""
    if v.kind == "float":
        return v.f.let(f"sitofp {v.whole} {whole} to {v.type}")
    magic = v.n(1.5 * 2.0**v.form.digits)
    return v.sub(v.number(v.op("add", whole, v.bits(magic))), magic)


def _log(v: _Lanes, x: str) -> str:
    e, m = _frexp(v, x)
    return _ends_of_log(v, x, _log_of(v, e, v.sub(m, v.n(1))), 0.0)


def _frexp(v: _Lanes, x: str) -> tuple[str, str]:
    """e and m in [√½, √2) with x = 2ᵉ m, for a positive x, denormal or not."""
    digits = v.form.digits
    tiny = v.test("olt", x, v.n(2.0 ** (1 - v.form.bias)))
    m, e = _split(v, v.choose(tiny, v.mul(x, v.n(2.0 ** (digits + 1))), x))
    shift = v.choose(tiny, v.n(digits + 1), v.n(0))
    return v.sub(_as_number(v, e), shift), v.number(m)


def _log1p(v: _Lanes, x: str) -> str:
    m, e = _split(v, v.add(x, v.n(1)))
    real = _as_number(v, e)
    down = v.power_of_two(v.op("sub", v.i(v.form.bias), e))
    # From 2^60 on, 2⁻ᵉ may be denormal, and the 1 is lost anyway.
    exact = v.mad(x, down, v.sub(down, v.n(1)))
    f = v.choose(v.test("ogt", real, v.n(60)), v.sub(v.number(m), v.n(1)), exact)
    found = _ends_of_log(v, x, _log_of(v, real, f), -1.0)
    return v.choose(v.test("oeq", x, v.n(0)), x, found)


def _tanh(v: _Lanes, x: str) -> str:
    """h / (h + 1), less what the sum's rounding makes of it: 1 / (h + 1) is 1 − tanh."""
    size = v.least(v.call("fabs", x), v.n(v.form.flat))
    half = _half_expm1(v, v.add(size, size))
    below, lost = v.total(v.n(1), half)
    value = v.div(half, below)
    value = v.mad(v.mad(value, value, v.neg(value)), lost, value)
    return v.sized(v.least(value, v.n(1)), x)


def _sigmoid(v: _Lanes, x: str) -> str:
    p, scale = _exp_parts(v, v.most(v.neg(v.call("fabs", x)), v.n(v.form.exp_range[0])))
    tail = v.mul(v.mul(v.add(p, v.n(1)), scale), scale)
    below, lost = v.total(v.n(1), tail)
    value = v.div(v.choose(v.test("olt", x, v.n(0)), tail, v.n(1)), below)
    return v.mad(v.neg(value), lost, value)  # near enough: it counts where the sum is next to 1


def _half_exp(v: _Lanes, size: str) -> str:
    """½ e^|x|, which is finite as far as the hyperbolic functions are."""
    p, scale = _exp_parts(v, v.least(size, v.n(v.form.exp_range[1] + 1)))
    return v.mul(v.mul(v.add(p, v.n(1)), scale), v.mul(scale, v.n(0.5)))


def _sinh(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    z = v.mul(size, size)
    series = v.mul(z, v.series([1 / factorial(2 * k + 1) for k in range(8, 0, -1)], z))
    grown = _half_exp(v, size)
    far = v.sub(grown, v.div(v.n(0.25), grown))
    near = v.mad(size, series, size)
    return v.sized(v.choose(v.test("olt", size, v.n(1)), near, far), x)


def _cosh(v: _Lanes, x: str) -> str:
    grown = _half_exp(v, v.call("fabs", x))
    return v.add(grown, v.div(v.n(0.25), grown))


def _taken_off(v: _Lanes, x: str, count: str, scale: int) -> str:
    """x − count · scale · π/2"""
    for piece in v.circle.pieces:
        x = v.mad(count, v.n(-scale * piece), x)
    return x


def _both(v: _Lanes, r: str) -> tuple[str, str]:
    """sin r and cos r, |r| ≤ π/4"""
    z = v.mul(r, r)
    sine = v.mad(v.mul(r, z), v.series(v.fit("SIN"), z), r)
    return sine, v.mad(v.mul(z, z), v.series(v.fit("COS"), z), v.mad(z, v.n(-0.5), v.n(1)))


def _reduced_angle(v: _Lanes, size: str, offset: int = 0) -> tuple[str, str, str]:
    """r = |x| − n π/2, bits whose low ones are n + offset, and whether that is odd."""
    n, bits = v.snapped(size, 2 / pi, offset)
    r = size
    for piece in v.circle.pieces:
        r = v.mad(n, v.n(-piece), r)
    odd = v.op("and", bits, v.i(1))
    return r, bits, v.f.let(f"icmp ne {v.whole} {odd}, {v.i(0)}")


def _wave(quarter: int) -> Callable[[_Lanes, str, str], str]:
    """sin(|x| + quarter · π/2), with the sign of x if that is odd."""

    def write(v: _Lanes, size: str, sign: str) -> str:
        r, bits, odd = _reduced_angle(v, size, quarter)
        sine, cosine = _both(v, r)
        value = v.flipped(v.choose(odd, cosine, sine), v.op("lshr", bits, v.i(1)))
        return value if quarter else v.number(v.op("xor", v.bits(value), sign))

    return write


def _tan(v: _Lanes, size: str, sign: str) -> str:
    r, _, odd = _reduced_angle(v, size)
    sine, cosine = _both(v, r)
    above, below = v.choose(odd, cosine, sine), v.choose(odd, v.neg(sine), cosine)
    return v.number(v.op("xor", v.bits(v.div(above, below)), sign))


def _periodic(near: Callable[[_Lanes, str, str], str], name: str) -> Callable[[_Lanes, str], str]:
    """Of |x| and the sign; where a lane is too large to be reduced here, all ask the C library."""

    def write(v: _Lanes, x: str) -> str:
        room = v.f.room(v.type)
        size = v.call("fabs", x)
        value = near(v, size, v.op("xor", v.bits(x), v.bits(size)))
        v.f.do(f"store {v.type} {value}, ptr {room}")
        far = v.test("oge", size, v.n(v.circle.largest))
        if v.lanes > 1:
            packed = v.f.let(f"bitcast {v.flag} {far} to i{v.lanes}")
            far = v.f.let(f"icmp ne i{v.lanes} {packed}, 0")
        with v.f.when(far):
            v.f.do(f"store {v.type} {_far_ones(v, name, x, size, value)}, ptr {room}")
        return v.f.let(f"load {v.type}, ptr {room}")

    return write


def _far_ones(v: _Lanes, name: str, x: str, size: str, near: str) -> str:
    """The lanes beyond the largest by the C library, the others as they are.

    A lane has its own test, so that it does not depend on its neighbours.
    """
    symbol = name + ("f" if v.kind == "float" else "")
    if v.lanes == 1:
        return v.f.let(f"call {v.kind} @{symbol}({v.kind} {x})")
    result = x
    for k in range(v.lanes):
        one = v.f.let(f"extractelement {v.type} {x}, i64 {k}")
        big = v.f.let(f"call {v.kind} @{symbol}({v.kind} {one})")
        result = v.f.let(f"insertelement {v.type} {result}, {v.kind} {big}, i64 {k}")
    return v.choose(v.test("oge", size, v.n(v.circle.largest)), result, near)


def _arctan(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    steep = v.test("ogt", size, v.n(1))
    t = v.choose(steep, v.div(v.n(1), size), size)
    z = v.mul(t, t)
    value = v.mad(v.mul(t, z), v.series(v.fit("ATAN"), z), t)
    high, low = v.n(pi / 2), v.n(v.form.half_pi_rest)
    return v.sized(v.choose(steep, v.sub(high, v.sub(value, low)), value), x)


def _arcs(v: _Lanes, size: str) -> tuple[str, str, str]:
    """Whether |x| > ½, and the arc sine of |x| or else of √(½ − ½|x|), as t and what follows it."""
    steep = v.test("ogt", size, v.n(0.5))
    z = v.choose(steep, v.mad(size, v.n(-0.5), v.n(0.5)), v.mul(size, size))
    t = v.choose(steep, v.call("sqrt", z), size)
    return steep, t, v.mul(v.mul(t, z), v.series(v.fit("ASIN"), z))


def _arcsin(v: _Lanes, x: str) -> str:
    steep, t, more = _arcs(v, v.call("fabs", x))
    near = v.add(t, more)
    twice = v.sub(v.mad(more, v.n(2), v.n(-v.form.half_pi_rest)), v.mul(v.n(-2), t))
    return v.sized(v.choose(steep, v.sub(v.n(pi / 2), twice), near), x)


def _arccos(v: _Lanes, x: str) -> str:
    steep, t, more = _arcs(v, v.call("fabs", x))
    arc, low = v.add(t, more), v.n(v.form.half_pi_rest)
    near = v.sub(v.n(pi / 2), v.sub(v.sized(arc, x), low))
    twice = v.add(arc, arc)
    behind = v.sub(v.n(pi), v.sub(twice, v.add(low, low)))
    far = v.choose(v.test("olt", x, v.n(0)), behind, twice)
    return v.choose(steep, far, near)


_HUGE = 2.0**60  # from here x² + 1 is x², and x + 1 is x


def _log_of_huge(v: _Lanes, x: str, more: str) -> str:
    """log(1 + more), or log 2x where x is huge."""
    huge = v.test("ogt", x, v.n(_HUGE))
    return v.add(_log1p(v, v.choose(huge, x, more)), v.choose(huge, v.n(log(2)), v.n(0)))


def _arcsinh(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    z = v.mul(size, size)
    root = v.add(v.call("sqrt", v.add(z, v.n(1))), v.n(1))
    return v.sized(_log_of_huge(v, size, v.add(size, v.div(z, root))), x)


def _arccosh(v: _Lanes, x: str) -> str:
    t = v.sub(x, v.n(1))
    root = v.call("sqrt", v.mul(t, v.add(t, v.n(2))))
    value = _log_of_huge(v, x, v.add(t, root))
    return v.choose(v.test("olt", x, v.n(1)), v.n(float("nan")), value)


def _arctanh(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    ratio = v.div(v.add(size, size), v.sub(v.n(1), size))
    return v.sized(v.mul(_log1p(v, ratio), v.n(0.5)), x)


def _exact_log(v: _Lanes, x: str) -> tuple[str, str]:
    """log x to some 115 bits, as a sum, for a positive finite x of float64.

    log m = 2s + s z (2/3 + z W(z)),  s = (m − 1) / (m + 1),  z = s²; what a rounding loses is kept
    wherever it would be more than 2⁻⁶⁵ of the result.
    """
    e, m = _frexp(v, x)
    f = v.sub(m, v.n(1))
    d = v.add(m, v.n(1))
    d_low = v.sub(m, v.sub(d, v.n(1)))
    s = v.div(f, d)
    back, lost = v.product(s, d)
    s_low = v.div(v.sub(v.sub(v.sub(f, back), lost), v.mul(s, d_low)), d)
    z, z_low = v.product(s, s)
    z_low = v.add(z_low, v.mul(v.add(s, s), s_low))
    third = 2 / 3
    rest = v.mad(
        z, v.series(_FITS["ATANH_REST_64"], z), v.n(third / 2**54)
    )  # 2/3 = third (1 + 2⁻⁵⁴)
    c, c_low = v.total(v.n(third), rest)
    q, q_low = v.product(z, c)
    q_low = v.add(q_low, v.add(v.mul(z, c_low), v.mul(z_low, c)))
    u, u_low = v.product(s, q)
    u_low = v.add(u_low, v.add(v.mul(s, q_low), v.mul(s_low, q)))
    h, h_low = v.total(v.add(s, s), u)
    h_low = v.add(h_low, v.add(u_low, v.add(s_low, s_low)))
    high, low = v.form.ln2
    total, total_low = v.total(v.mul(e, v.n(high)), h)
    return v.total(total, v.add(total_low, v.mad(e, v.n(low), h_low)))


def _exp_of_sum(v: _Lanes, x: str, more: str) -> str:
    """e^(x + more), next to rounded once: a whole number to a whole power is exact."""
    r, lost, bits = _reduced(v, x, 1)
    r, lost = v.total(r, v.add(lost, more))
    tail = v.mad(v.mul(r, r), v.series(v.fit("EXPM1"), r), v.mad(lost, r, lost))
    y, y_low = v.total(v.n(1), r)
    y = v.add(y, v.add(y_low, tail))
    # 2ᵏ in two steps: k − ⌊k/2⌋ and ⌊k/2⌋.
    k = v.op("sub", bits, v.bits(v.n(1.5 * 2.0**v.form.digits)))
    half, bias = v.op("ashr", k, v.i(1)), v.i(v.form.bias)
    y = v.mul(y, v.power_of_two(v.op("add", v.op("sub", k, half), bias)))
    return v.mul(y, v.power_of_two(v.op("add", half, bias)))


def _power(v: _Lanes, x: str, y: str) -> str:
    """|x| to the y, then the sign that a whole y gives to a negative x."""
    size = v.call("fabs", x)
    high, low = _exact_log(v, size) if v.fitted == 64 else (_log(v, size), v.n(0))
    high = _ends_of_log(v, size, high, 0.0)
    p, lost = v.product(y, high)
    small = v.test("olt", v.call("fabs", p), v.n(1000))  # else the rest may be ∞ − ∞
    rest = v.choose(small, v.mad(y, low, lost), v.n(0))
    value = _exp_of_sum(v, _within(v, p), rest)
    one = v.choose(v.test("ord", y, y), v.n(1), y)
    value = v.choose(v.test("oeq", size, v.n(1)), one, value)
    half = v.mul(y, v.n(0.5))
    whole = v.test("oeq", v.call("rint", y), y)
    odd = v.choose(v.test("une", v.call("rint", half), half), x, v.n(1))
    signed = v.choose(whole, v.sized(value, odd), value)
    broken = v.choose(whole, signed, v.n(float("nan")))
    finite = v.test("olt", size, v.n(float("inf")))
    negative = v.test("olt", v.choose(finite, x, v.n(0)), v.n(0))
    value = v.choose(negative, broken, signed)
    value = v.choose(v.test("oeq", x, v.n(1)), v.n(1), value)
    return v.choose(v.test("oeq", y, v.n(0)), v.n(1), value)


def _corrected(v: _Lanes, guide: str, coefficients: Sequence[float], t: str) -> str:
    return v.mad(v.series(coefficients, t), guide, guide)


def _erfc_far(v: _Lanes, x: str) -> str:
    """erfc x for x ≥ ½: e^(−x²) (1 + P(t)) / (x + f), what the first roundings lost put back in."""
    end = special.ERFC_END_32 if v.kind == "float" else special.ERFC_END_64
    x, fold = v.least(x, v.n(end)), v.n(special.ERFC_FOLD)
    below = v.add(x, fold)
    inverse = v.div(v.n(1), below)
    p = v.series(v.fit("ERFC"), v.mul(v.sub(x, fold), inverse))
    back, lost = v.product(inverse, below)
    lost = v.mad(inverse, v.sub(x, v.sub(below, fold)), lost)  # of inverse · (x + f)
    p = v.add(p, v.sub(v.sub(v.n(1), back), lost))
    out = v.mad(p, inverse, inverse)
    square, more = v.product(x, x)
    q, scale = _exp_parts(v, v.neg(square), v.neg(more))
    return v.mul(v.mul(v.mad(q, out, out), scale), scale)


def _erf(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    near = _corrected(v, x, v.fit("ERF"), v.mul(x, x))
    far = v.sub(v.n(1), _erfc_far(v, size))
    return v.sized(v.choose(v.test("oge", size, v.n(special.ERF_NEAR)), far, near), x)


def _erfc(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    near = v.sub(v.n(1), _corrected(v, x, v.fit("ERF"), v.mul(x, x)))
    tail = _erfc_far(v, size)
    far = v.choose(v.test("olt", x, v.n(0)), v.sub(v.n(2), tail), tail)
    return v.choose(v.test("oge", size, v.n(special.ERFC_NEAR)), far, near)


def _erfinv(v: _Lanes, y: str) -> str:
    size = v.call("fabs", y)
    near = _corrected(v, y, v.fit("ERFINV"), v.mul(y, y))
    s = v.call("sqrt", v.neg(_log(v, v.sub(v.n(1), size))))
    fold = v.n(special.ERFINV_FOLD)
    far = _corrected(v, s, v.fit("ERFINV_TAIL"), v.div(v.sub(s, fold), v.add(s, fold)))
    far = v.choose(v.test("oeq", size, v.n(1)), v.n(float("inf")), far)
    return v.sized(v.choose(v.test("uge", size, v.n(special.ERFINV_NEAR)), far, near), y)


def _widened(write: Callable[..., str]) -> Callable[..., str]:
    """In float64, by polynomials that suffice for the format; the result is rounded."""

    def written(v: _Lanes, *values: str) -> str:
        if v.kind == "double":
            return write(v, *values)
        wide = _Lanes(v.f, "double", v.lanes, v.fma, v.kind)
        longer = [v.f.let(f"fpext {v.type} {value} to {wide.type}") for value in values]
        return v.f.let(f"fptrunc {wide.type} {write(wide, *longer)} to {v.type}")

    return written


_WRITERS: dict[str, Callable[..., str]] = {
    "exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log1p, "tanh": _tanh,
    "sigmoid": _sigmoid, "erf": _erf, "erfc": _widened(_erfc), "erfinv": _widened(_erfinv),
    "sin": _periodic(_wave(0), "sin"), "cos": _periodic(_wave(1), "cos"),
    "tan": _widened(_periodic(_tan, "tan")), "sinh": _widened(_sinh), "cosh": _widened(_cosh),
    "arctan": _arctan, "arcsin": _arcsin, "arccos": _arccos, "arcsinh": _widened(_arcsinh),
    "arccosh": _widened(_arccosh), "arctanh": _widened(_arctanh), "power": _widened(_power),
}  # fmt: skip
_NAMES = ("%x", "%y")
FUNCTIONS: Mapping[str, int] = {name: 2 if name == "power" else 1 for name in _WRITERS}


def symbol(name: str, kind: str, lanes: int) -> str:
    """What a function is called in a program."""
    return f"cg.{name}.{kind}.{lanes}"


def define(name: str, kind: str, lanes: int, fma: bool = True) -> list[str]:
    """The text of a function on so many lanes (one: a plain number)."""
    wide, names = vector_of(kind, lanes), _NAMES[: FUNCTIONS[name]]
    f = Function(
        symbol(name, kind, lanes), [f"{wide} {x}" for x in names], result=wide,
        suffix="alwaysinline nounwind",
    )  # fmt: skip
    value = _WRITERS[name](_Lanes(f, kind, lanes, fma), *names)
    return [f.render(f"ret {wide} {value}")]


_CALL = re.compile(
    r"call (?:[a-z]+ )*(<\d+ x (?:float|double)>|float|double) @(llvm\.(\w+)\.(?:v\d+)?f\d+)\("
)
_LIBRARY = re.compile(r"call (float|double) @((?:sin|cos|tan)f?)\(")
_DECLARED = re.compile(r"^declare .*?@([\w.]+)\(", re.MULTILINE)
_ARITY = dict.fromkeys(
    ["fabs", "sqrt", "rint", "nearbyint", "round", "roundeven", "floor", "ceil", "trunc"], 1
) | dict.fromkeys(["copysign", "minnum", "maxnum", "minimum", "maximum"], 2) | {
    "fma": 3, "fmuladd": 3,
}  # fmt: skip


def declarations(text: str) -> list[str]:
    """What a module calls and does not declare: intrinsics of one floating-point type throughout,
    and the functions of the C library that are called here."""
    found = {}
    for kind, name, short in _CALL.findall(text):
        if short in _ARITY:
            operands = ", ".join([kind] * _ARITY[short])
            found[name] = f"declare {kind} @{name}({operands})"
    for kind, name in _LIBRARY.findall(text):
        found[name] = f"declare {kind} @{name}({kind}) nounwind memory(none)"
    known = set(_DECLARED.findall(text))
    return [line for name, line in found.items() if name not in known]
