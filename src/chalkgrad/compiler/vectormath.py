"""Elementary functions on vectors, because LLVM calls the C library lane by lane.

Each is a range reduction, a polynomial, and a way back:

    exp x      = 2ⁿ eʳ                    n = round(x / ln 2),  |r| ≤ ½ ln 2, Taylor's series
    expm1 x    = 2ⁿ (eʳ − 1) + (2ⁿ − 1)
    log x      = e ln 2 + log m           x = 2ᵉ m,  m in [√½, √2);  log m = f − s (f − R(s²)),
                                          f = m − 1,  s = f / (2 + f),  R(z) = Σ 2 zᵏ / (2k + 1)
    log1p x    = log u + c / u            u = 1 + x rounded, c what the rounding lost
    tanh x     = t / (t + 2)              t = expm1 2|x|, then the sign of x
    sigmoid x  = 1 / (1 + e⁻ˣ)
    sin, cos   = ± one of both, of r      r = x − n π/2, π/2 in pieces: their products are exact
    erf, erfc, erfinv                     as core.special fits them

Error bounds, measured against 200-bit arithmetic over the whole range: 2 units in the last place in
float32 and 4 in float64 (tests/compiler/test_vectormath); erfc, 4 and 5. Specials are NumPy's. A
result depends on its own lane alone, so it is the same whatever the number of lanes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import factorial, log, pi
from typing import NamedTuple

from chalkgrad.compiler.text import Function, literal, vector_of
from chalkgrad.core import special


class _Format(NamedTuple):
    """A floating-point format, and what the reductions need to know of it."""

    whole: str  # the integer of its width
    digits: int  # of the significand, without the hidden one
    bias: int
    suffix: str
    exp_terms: int
    log_terms: int
    sin_terms: int
    ln2: tuple[float, float]  # a high part with trailing zeros, and the rest
    half_pi: tuple[float, ...]
    largest: float  # |x| from which sine and cosine ask the C library
    exp_range: tuple[float, float]  # below 0, above infinity
    grows: float  # from here eˣ − 1 is eˣ
    flat: float  # from here tanh is 1


def _pieces(value_bits: Sequence[int]) -> tuple[float, ...]:
    """π/2 in pieces of so many bits."""
    # π/2 to 190 bits, from Machin's formula in whole numbers.
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
    for bits in value_bits:
        unit = 1 << max(rest.bit_length() - bits, 0)
        part = rest // unit * unit
        found.append(part / scale)
        rest -= part
    return tuple(found)


_FORMATS = {
    "float": _Format(
        "i32", 23, 127, "f32", 8, 5, 5, (0.693359375, log(2) - 0.693359375),
        _pieces((11, 11, 11, 24)), 8000.0, (-104.0, 89.0), 20.0, 10.0,
    ),
    "double": _Format(
        "i64", 52, 1023, "f64", 14, 12, 9, (0.6931471803691238, 1.9082149292705877e-10),
        _pieces((28, 28, 28, 53)), 1e8, (-746.0, 710.0), 45.0, 22.0,
    ),
}  # fmt: skip


class _Lanes:
    """Writes arithmetic on values of one type."""

    def __init__(self, f: Function, kind: str, lanes: int, fma: bool) -> None:
        self.f, self.kind, self.lanes, self.fma = f, kind, lanes, fma
        self.form = _FORMATS[kind]
        self.type, self.whole = vector_of(kind, lanes), vector_of(self.form.whole, lanes)
        self.flag = vector_of("i1", lanes)

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

    def test(self, relation: str, a: str, b: str) -> str:
        return self.f.let(f"fcmp {relation} {self.type} {a}, {b}")

    def choose(self, test: str, a: str, b: str) -> str:
        return self.f.let(f"select {self.flag} {test}, {self.type} {a}, {self.type} {b}")

    def least(self, a: str, b: str) -> str:
        """min(a, b); a NaN in a stays."""
        return self.choose(self.test("ogt", a, b), b, a)

    def most(self, a: str, b: str) -> str:
        return self.choose(self.test("olt", a, b), b, a)

    def bits(self, a: str) -> str:
        return self.f.let(f"bitcast {self.type} {a} to {self.whole}")

    def number(self, a: str) -> str:
        return self.f.let(f"bitcast {self.whole} {a} to {self.type}")

    def int(self, word: str, a: str, b: str) -> str:
        return self.f.let(f"{word} {self.whole} {a}, {b}")

    def series(self, coefficients: Sequence[float], x: str) -> str:
        """A polynomial by Horner's rule, the highest power first."""
        total = self.n(coefficients[0])
        for c in coefficients[1:]:
            total = self.mad(total, x, self.n(c))
        return total

    def rounded(self, x: str) -> tuple[str, str]:
        """The nearest whole number, as a number and as an integer (any integer, of a NaN)."""
        magic = 1.5 * 2.0**self.form.digits
        shifted = self.add(x, self.n(magic))
        whole = self.int("sub", self.bits(shifted), self.bits(self.n(magic)))
        return self.sub(shifted, self.n(magic)), whole

    def power_of_two(self, n: str) -> str:
        """2ⁿ for a normal exponent."""
        moved = self.int("add", n, self.i(self.form.bias))
        return self.number(self.int("shl", moved, self.i(self.form.digits)))


def _reduced(v: _Lanes, x: str, exact: bool = False) -> tuple[str, str]:
    """n, and eʳ − 1; `exact`: with what the rounding of r lost, where it does not vanish in a 1."""
    high, low = v.form.ln2
    real, n = v.rounded(v.mul(x, v.n(1 / log(2))))
    most = v.mad(real, v.n(-high), x)
    r = v.mad(real, v.n(-low), most)
    terms = [1 / factorial(k) for k in range(v.form.exp_terms - 1, 1, -1)]
    square = v.mul(r, r)
    if not exact:
        return n, v.mad(square, v.series(terms, r), r)
    lost = v.mad(real, v.n(-low), v.sub(most, r))
    return n, v.add(r, v.mad(square, v.series(terms, r), lost))


def _grown(v: _Lanes, n: str, p: str) -> str:
    """2ⁿ (1 + p), in two steps, so that neither end is missed."""
    half = v.int("ashr", n, v.i(1))
    one = v.mad(p, v.power_of_two(half), v.power_of_two(half))
    return v.mul(one, v.power_of_two(v.int("sub", n, half)))


def _within(v: _Lanes, x: str) -> str:
    low, high = v.form.exp_range
    return v.least(v.most(x, v.n(low)), v.n(high))


def _exp(v: _Lanes, x: str) -> str:
    return _grown(v, *_reduced(v, _within(v, x)))


def _expm1(v: _Lanes, x: str) -> str:
    n, p = _reduced(v, _within(v, x), exact=True)
    scale = v.power_of_two(n)
    exact = v.mad(scale, p, v.sub(scale, v.n(1)))
    large = v.choose(v.test("ogt", x, v.n(v.form.grows)), _grown(v, n, p), exact)
    low = v.test("olt", x, v.n(-v.form.grows))
    return v.choose(v.test("oeq", x, v.n(0)), x, v.choose(low, v.n(-1), large))


def _split(v: _Lanes, x: str) -> tuple[str, str]:
    """e and f with x = 2ᵉ (1 + f), 1 + f in [√½, √2), for a positive normal x."""
    half = v.bits(v.n(0.5**0.5))
    bits = v.int("sub", v.bits(x), half)
    e = v.int("ashr", bits, v.i(v.form.digits))
    kept = v.int("and", bits, v.i(2**v.form.digits - 1))
    m = v.number(v.int("add", kept, half))
    real = v.f.let(f"sitofp {v.whole} {e} to {v.type}")
    return real, v.sub(m, v.n(1))


def _log_of(v: _Lanes, e: str, f: str, lost: str | None = None) -> str:
    """e ln 2 + log(1 + f) + lost."""
    high, low = v.form.ln2
    s = v.div(f, v.add(f, v.n(2)))
    z = v.mul(s, s)
    terms = [2 / (2 * k + 1) for k in range(v.form.log_terms, 0, -1)]
    r = v.mul(z, v.series(terms, z))
    half = v.mul(v.mul(v.n(0.5), f), f)
    small = v.mad(e, v.n(low), lost) if lost else v.mul(e, v.n(low))
    rest = v.mad(s, v.add(half, r), small)
    return v.mad(e, v.n(high), v.sub(f, v.sub(half, rest)))


def _ends_of_log(v: _Lanes, x: str, value: str, zero: float) -> str:
    """The logarithm where it has no finite value; `zero` is where it is −∞."""
    top = v.choose(v.test("oeq", x, v.n(float("inf"))), x, value)
    bottom = v.choose(v.test("oeq", x, v.n(zero)), v.n(float("-inf")), top)
    outside = v.test("ult", x, v.n(zero))  # NaN too
    return v.choose(outside, v.n(float("nan")), bottom)


def _log(v: _Lanes, x: str) -> str:
    digits = v.form.digits
    tiny = v.test("olt", x, v.n(2.0 ** (2 - v.form.bias)))
    scaled = v.choose(tiny, v.mul(x, v.n(2.0 ** (digits + 2))), x)
    e, f = _split(v, scaled)
    e = v.sub(e, v.choose(tiny, v.n(digits + 2), v.n(0)))
    return _ends_of_log(v, x, _log_of(v, e, f), 0.0)


def _log1p(v: _Lanes, x: str) -> str:
    u = v.add(x, v.n(1))
    e, f = _split(v, u)
    near = v.test("oeq", e, v.n(0))
    lost = v.choose(
        v.test("ogt", e, v.n(0)), v.sub(v.n(1), v.sub(u, x)), v.sub(x, v.sub(u, v.n(1)))
    )
    share = v.choose(near, v.n(0), v.div(lost, u))
    value = _log_of(v, e, v.choose(near, x, f), share)
    found = _ends_of_log(v, x, value, -1.0)
    return v.choose(v.test("oeq", x, v.n(0)), x, found)


def _tanh(v: _Lanes, x: str) -> str:
    size = v.least(v.call("fabs", x), v.n(v.form.flat))
    n, p = _reduced(v, v.add(size, size), exact=True)
    scale = v.power_of_two(n)
    t = v.mad(scale, p, v.sub(scale, v.n(1)))
    return v.call("copysign", v.div(t, v.add(t, v.n(2))), x)


def _sigmoid(v: _Lanes, x: str) -> str:
    return v.div(v.n(1), v.add(_exp(v, v.neg(x)), v.n(1)))


def _turned(v: _Lanes, x: str, quarter: int) -> str:
    """sin(x + quarter · π/2)"""
    real, n = v.rounded(v.mul(x, v.n(2 / pi)))
    r = x
    for part in v.form.half_pi:
        r = v.mad(real, v.n(-part), r)
    z = v.mul(r, r)
    count = v.form.sin_terms
    odd = [(-1) ** k / factorial(2 * k + 1) for k in range(count, 0, -1)]
    even = [(-1) ** k / factorial(2 * k) for k in range(count + 1, 1, -1)]
    sine = v.mad(v.mul(r, z), v.series(odd, z), r)
    cosine = v.mad(v.mul(z, z), v.series(even, z), v.mad(z, v.n(-0.5), v.n(1)))
    where = v.int("add", n, v.i(quarter))
    swap = v.f.let(f"icmp ne {v.whole} {v.int('and', where, v.i(1))}, {v.i(0)}")
    value = v.choose(swap, cosine, sine)
    top = 31 if v.kind == "float" else 63
    sign = v.int("shl", v.int("lshr", where, v.i(1)), v.i(top))
    return v.number(v.int("xor", v.bits(value), sign))


def _periodic(quarter: int, name: str) -> Callable[[_Lanes, str], str]:
    """Sine or cosine; where a lane is too large to be reduced here, all ask the C library."""

    def write(v: _Lanes, x: str) -> str:
        room = v.f.room(v.type)
        v.f.do(f"store {v.type} {_turned(v, x, quarter)}, ptr {room}")
        far = v.test("uge", v.call("fabs", x), v.n(v.form.largest))
        if v.lanes > 1:
            packed = v.f.let(f"bitcast {v.flag} {far} to i{v.lanes}")
            far = v.f.let(f"icmp ne i{v.lanes} {packed}, 0")
        with v.f.when(far):
            v.f.do(f"store {v.type} {_one_by_one(v, name, x)}, ptr {room}")
        value = v.f.let(f"load {v.type}, ptr {room}")
        return value if quarter else v.choose(v.test("oeq", x, v.n(0)), x, value)

    return write


def _one_by_one(v: _Lanes, name: str, x: str) -> str:
    symbol = name + ("f" if v.kind == "float" else "")
    if v.lanes == 1:
        return v.f.let(f"call {v.kind} @{symbol}({v.kind} {x})")
    result = x
    for k in range(v.lanes):
        one = v.f.let(f"extractelement {v.type} {x}, i64 {k}")
        big = v.f.let(f"call {v.kind} @{symbol}({v.kind} {one})")
        result = v.f.let(f"insertelement {v.type} {result}, {v.kind} {big}, i64 {k}")
    return result


# The error function: core.special explains and fits it.
def _fit(v: _Lanes, name: str) -> tuple[float, ...]:
    found: tuple[float, ...] = getattr(special, f"{name}_{32 if v.kind == 'float' else 64}")
    return found


def _corrected(v: _Lanes, guide: str, coefficients: Sequence[float], t: str) -> str:
    return v.mad(v.series(coefficients, t), guide, guide)


def _erfc_far(v: _Lanes, x: str) -> str:
    """erfc x for x ≥ ½: e^(−x²), its square's rounding multiplied back in, times a polynomial."""
    end = special.ERFC_END_32 if v.kind == "float" else special.ERFC_END_64
    x = v.least(x, v.n(end))
    square = v.mul(x, x)
    if v.fma:
        lost = v.call("fma", x, x, v.neg(square))
    else:
        scaled = v.mul(x, v.n(2.0 ** ((v.form.digits + 2) // 2) + 1))
        high = v.sub(scaled, v.sub(scaled, x))
        rest = v.sub(x, high)
        both = v.mul(v.mul(v.n(2), high), rest)
        lost = v.add(v.add(v.sub(v.mul(high, high), square), both), v.mul(rest, rest))
    inverse = v.div(v.n(1), v.add(x, v.n(special.ERFC_FOLD)))
    t = v.mul(v.sub(x, v.n(special.ERFC_FOLD)), inverse)
    out = _corrected(v, inverse, _fit(v, "ERFC"), t)
    out = v.mad(v.neg(out), lost, out)
    n, p = _reduced(v, v.neg(square))
    half = v.int("ashr", n, v.i(1))
    grown = v.mul(v.mad(p, out, out), v.power_of_two(half))
    return v.mul(grown, v.power_of_two(v.int("sub", n, half)))


def _erf(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    near = _corrected(v, x, _fit(v, "ERF"), v.mul(x, x))
    far = v.call("copysign", v.sub(v.n(1), _erfc_far(v, size)), x)
    return v.choose(v.test("oge", size, v.n(special.ERF_NEAR)), far, near)


def _erfc(v: _Lanes, x: str) -> str:
    size = v.call("fabs", x)
    near = v.sub(v.n(1), _corrected(v, x, _fit(v, "ERF"), v.mul(x, x)))
    tail = _erfc_far(v, size)
    far = v.choose(v.test("olt", x, v.n(0)), v.sub(v.n(2), tail), tail)
    return v.choose(v.test("oge", size, v.n(special.ERFC_NEAR)), far, near)


def _erfinv(v: _Lanes, y: str) -> str:
    size = v.call("fabs", y)
    near = _corrected(v, y, _fit(v, "ERFINV"), v.mul(y, y))
    s = v.call("sqrt", v.neg(_log(v, v.sub(v.n(1), size))))
    t = v.div(v.sub(s, v.n(special.ERFINV_FOLD)), v.add(s, v.n(special.ERFINV_FOLD)))
    far = _corrected(v, s, _fit(v, "ERFINV_TAIL"), t)
    far = v.choose(v.test("oeq", size, v.n(1)), v.n(float("inf")), far)
    chosen = v.choose(v.test("uge", size, v.n(special.ERFINV_NEAR)), far, near)
    return v.call("copysign", chosen, y)


_WRITERS: dict[str, Callable[[_Lanes, str], str]] = {
    "exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log1p, "tanh": _tanh,
    "sigmoid": _sigmoid, "erf": _erf, "erfc": _erfc, "erfinv": _erfinv,
    "sin": _periodic(0, "sin"), "cos": _periodic(1, "cos"),
}  # fmt: skip
FUNCTIONS: Mapping[str, int] = dict.fromkeys(_WRITERS, 1)


def symbol(name: str, kind: str, lanes: int) -> str:
    """What a function is called in a program."""
    return f"cg.{name}.{kind}.{lanes}"


def define(name: str, kind: str, lanes: int, fma: bool = True) -> list[str]:
    """The text of a function on so many lanes (one: a plain number)."""
    wide = vector_of(kind, lanes)
    f = Function(
        symbol(name, kind, lanes), [f"{wide} %x"], result=wide, suffix="alwaysinline nounwind"
    )
    value = _WRITERS[name](_Lanes(f, kind, lanes, fma), "%x")
    return [f.render(f"ret {wide} {value}")]


_CALL = re.compile(r"call (<\d+ x \w+>|\w+) @(llvm\.(\w+)\.(?:v\d+)?[fi]\d+)\(")
_LIBRARY = re.compile(r"call (float|double) @(sinf?|cosf?)\(")
_ARITY = {"fma": 3, "copysign": 2}  # of the intrinsics that take more than one operand


def declarations(text: str) -> list[str]:
    """The declarations of the intrinsics that a module calls, those of one type throughout."""
    found = {}
    for kind, name, short in _CALL.findall(text):
        operands = ", ".join([kind] * _ARITY.get(short, 1))
        found[name] = f"declare {kind} @{name}({operands})"
    for kind, name in _LIBRARY.findall(text):
        found[name] = f"declare {kind} @{name}({kind}) nounwind memory(none)"
    return list(found.values())
