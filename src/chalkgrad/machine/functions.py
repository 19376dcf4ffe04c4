"""What the scalar functions of index notation are in LLVM's language, on one lane or many.

Each writer gets an `Operands`: the values, all of one kind and number of lanes, and where to write.
NumPy's conventions hold: NaN goes through max and min, `remainder` has the divisor's sign, a whole
number divided by 0 is 0, and nothing traps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from chalkgrad.core.errors import NotCompilable
from chalkgrad.machine import vectormath
from chalkgrad.machine.text import FLOATS, Function, literal, vector_of

BITS = {"i1": 1, "i32": 32, "i64": 64, "float": 32, "double": 64}
OF_DTYPE = {
    "bool": "i1", "int32": "i32", "int64": "i64", "float32": "float", "float64": "double",
}  # fmt: skip
_INT_COMPARE = {"equal": "eq", "not_equal": "ne", "less": "slt", "less_equal": "sle",
                "greater": "sgt", "greater_equal": "sge"}  # fmt: skip
_FLOAT_COMPARE = {"equal": "oeq", "not_equal": "une", "less": "olt", "less_equal": "ole",
                  "greater": "ogt", "greater_equal": "oge"}  # fmt: skip
COMPARISONS = frozenset(_INT_COMPARE)
LOGIC = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
_OF_TRUTHS = {"add", "multiply", "maximum", "minimum", "copy"}  # other than comparisons and LOGIC
_LIBM = {"arctan2": "atan2", "fmod": "fmod"}


@dataclass
class Library:
    """What a program calls beside its own functions: to be defined once a program."""

    fma: bool = True
    vector: set[tuple[str, str, int]] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)

    def text(self) -> list[str]:
        """The definitions and declarations."""
        lines = sorted(self.declared)
        for name, kind, lanes in sorted(self.vector):
            lines += vectormath.define(name, kind, lanes, self.fma)
        return lines


class Operands(NamedTuple):
    """Values of one kind, where to write, and what may be called."""

    f: Function
    level: int
    kind: str
    lanes: int
    values: tuple[str, ...]
    library: Library

    @property
    def type(self) -> str:
        return vector_of(self.kind, self.lanes)

    @property
    def floating(self) -> bool:
        return self.kind in FLOATS

    def let(self, expression: str) -> str:
        return self.f.let(expression, self.level)

    def op(self, name: str, *values: str) -> str:
        return self.let(f"{name} {self.type} {', '.join(values)}")

    def number(self, value: float) -> str:
        return literal(value, self.kind, self.lanes)

    def test(self, relation: str, a: str, b: str) -> str:
        """A comparison, by NumPy's name."""
        if self.floating:
            return self.op(f"fcmp {_FLOAT_COMPARE[relation]}", a, b)
        unsigned = self.kind == "i1"
        word = _INT_COMPARE[relation]
        return self.op(f"icmp {word.replace('s', 'u', 1) if unsigned else word}", a, b)

    def choose(self, condition: str, a: str, b: str) -> str:
        test = vector_of("i1", self.lanes)
        return self.let(f"select {test} {condition}, {self.type} {a}, {self.type} {b}")

    def intrinsic(self, name: str, *values: str) -> str:
        """A call of an LLVM intrinsic that has one type throughout."""
        suffix = {"float": "f32", "double": "f64"}.get(self.kind, self.kind)
        symbol = f"llvm.{name}.{f'v{self.lanes}' if self.lanes > 1 else ''}{suffix}"
        return self.call(symbol, *values)

    def call(self, symbol: str, *values: str) -> str:
        return self.let(
            f"call {self.type} @{symbol}({', '.join(f'{self.type} {v}' for v in values)})"
        )

    def vector_math(self, name: str, *values: str) -> str:
        self.library.vector.add((name, self.kind, self.lanes))
        return self.call(vectormath.symbol(name, self.kind, self.lanes), *values)

    def libm(self, name: str, *values: str) -> str:
        """A call of the C library, lane by lane."""
        symbol = _LIBM[name] + ("f" if self.kind == "float" else "")
        kinds = ", ".join([self.kind] * len(values))
        self.library.declared.add(f"declare {self.kind} @{symbol}({kinds}) nounwind memory(none)")
        if self.lanes == 1:
            return self.call(symbol, *values)
        result = "poison"
        for lane in range(self.lanes):
            parts = [self.let(f"extractelement {self.type} {v}, i64 {lane}") for v in values]
            given = ", ".join(f"{self.kind} {part}" for part in parts)
            one = self.let(f"call {self.kind} @{symbol}({given})")
            result = self.let(f"insertelement {self.type} {result}, {self.kind} {one}, i64 {lane}")
        return result


Writer = Callable[[Operands], str]


def _arithmetic(floating: str, whole: str, truths: str = "") -> Writer:
    """Of truth values, a sum is "or" and a product is "and", as NumPy has it."""
    return lambda o: o.op(
        floating if o.floating else truths if o.kind == "i1" else whole, *o.values
    )


def _negative(o: Operands) -> str:
    return o.op("fneg", *o.values) if o.floating else o.op("sub", o.number(0), *o.values)


def _square(o: Operands) -> str:
    return o.op("fmul" if o.floating else "mul", o.values[0], o.values[0])


def _absolute(o: Operands) -> str:
    if o.floating:
        return o.intrinsic("fabs", *o.values)
    return o.choose(o.test("less", o.values[0], o.number(0)), _negative(o), o.values[0])


def _sqrt(o: Operands) -> str:
    return o.intrinsic("sqrt", *o.values)


def _reciprocal(o: Operands) -> str:
    return o.op("fdiv", o.number(1), *o.values)


def reciprocal(o: Operands) -> tuple[str, str]:
    """Two factors that together divide by a number. The second one is 1 where the reciprocal has
    all its digits. It has not near the ends of the range, so there the number is brought to the
    middle first. Zeros, infinities and NaN give what a division gives."""
    (x,), (edge, far) = o.values, (100, 60) if o.kind == "float" else (900, 600)
    size = o.intrinsic("fabs", x)
    low, high = (o.number(2.0**power) for power in (-far, far))
    factor = o.choose(o.test("greater", size, o.number(2.0**edge)), low, o.number(1))
    factor = o.choose(o.test("less", size, o.number(2.0**-edge)), high, factor)
    return o.op("fdiv", o.number(1), o.op("fmul", x, factor)), factor


def _rsqrt(o: Operands) -> str:
    return o.op("fdiv", o.number(1), _sqrt(o))


def _relu(o: Operands) -> str:
    return o.choose(o.test("less", o.values[0], o.number(0)), o.number(0), o.values[0])


def _sign(o: Operands) -> str:
    x, zero = o.values[0], o.number(0)
    low = o.choose(o.test("less", x, zero), o.number(-1), zero)
    return o.choose(o.test("greater", x, zero), o.number(1), low)


def extreme(relation: str) -> Writer:
    """maximum or minimum; a NaN in either place is the result."""

    def write(o: Operands) -> str:
        a, b = o.values
        best = o.choose(o.test(relation, a, b), a, b)
        return o.choose(o.op("fcmp uno", a, a), a, best) if o.floating else best

    return write


def _rounding(name: str) -> Writer:
    return lambda o: o.intrinsic(name, *o.values) if o.floating else o.values[0]


def _bounded_log(o: Operands) -> str:
    logarithm = o.vector_math("log", *o.values)
    low = o.test("less", logarithm, o.number(-100))
    return o.choose(low, o.number(-100), logarithm)


def _remainder(o: Operands) -> str:
    if not o.floating:
        return _whole_division(o)[1]
    left, apart = _left_over(o)
    b, zero = o.values[1], o.number(0)
    moved = o.choose(apart, o.op("fadd", left, b), left)
    return o.choose(o.test("equal", left, zero), o.intrinsic("copysign", zero, b), moved)


def _left_over(o: Operands) -> tuple[str, str]:
    """fmod(a, b), and whether it has to move on by b because the signs differ."""
    a, b = o.values
    left, zero = o.libm("fmod", a, b), o.number(0)
    test = vector_of("i1", o.lanes)
    differ = o.let(f"xor {test} {o.test('less', b, zero)}, {o.test('less', left, zero)}")
    return left, o.let(f"and {test} {differ}, {o.test('not_equal', left, zero)}")


def _floor_divide(o: Operands) -> str:
    if not o.floating:
        return _whole_division(o)[0]
    a, b = o.values
    zero = o.number(0)
    left, apart = _left_over(o)
    exact = o.op("fdiv", o.op("fsub", a, left), b)
    exact = o.choose(apart, o.op("fsub", exact, o.number(1)), exact)
    down = o.intrinsic("floor", exact)
    far = o.test("greater", o.op("fsub", exact, down), o.number(0.5))
    near = o.choose(far, o.op("fadd", down, o.number(1)), down)
    quotient = o.op("fdiv", a, b)
    near = o.choose(o.test("equal", exact, zero), o.intrinsic("copysign", zero, quotient), near)
    return o.choose(o.test("equal", b, zero), quotient, near)


def _whole_division(o: Operands) -> tuple[str, str]:
    """⌊a / b⌋ and the remainder; by 0 both are 0, and by −1 nothing overflows."""
    a, b = o.values
    zero = o.number(0)
    void, minus = o.test("equal", b, zero), o.test("equal", b, o.number(-1))
    test = vector_of("i1", o.lanes)
    safe = o.choose(o.let(f"or {test} {void}, {minus}"), o.number(1), b)
    quotient, rest = o.op("sdiv", a, safe), o.op("srem", a, safe)
    apart = o.let(f"xor {test} {o.test('less', rest, zero)}, {o.test('less', safe, zero)}")
    some = o.let(f"and {test} {apart}, {o.test('not_equal', rest, zero)}")
    down = o.choose(some, o.op("sub", quotient, o.number(1)), quotient)
    up = o.choose(some, o.op("add", rest, safe), rest)
    down = o.choose(minus, o.op("sub", zero, a), down)
    return o.choose(void, zero, down), o.choose(void, zero, up)


def _fmod(o: Operands) -> str:
    if o.floating:
        return o.libm("fmod", *o.values)
    a, b = o.values
    outside = o.let(
        f"or {vector_of('i1', o.lanes)} {o.test('equal', b, o.number(0))}, "
        f"{o.test('equal', b, o.number(-1))}"
    )
    rest = o.op("srem", a, o.choose(outside, o.number(1), b))
    return o.choose(outside, o.number(0), rest)


def _power(o: Operands) -> str:
    if not o.floating:
        raise NotCompilable("powers of whole numbers have no native code")
    return o.vector_math("power", *o.values)


def _divide(o: Operands) -> str:
    if not o.floating:
        raise NotCompilable("a true division of whole numbers has no native code")
    return o.op("fdiv", *o.values)


def _swap_halves(o: Operands, x: str) -> str:
    high = o.op("lshr", x, o.number(32))
    return o.op("or", high, o.op("shl", x, o.number(32)))


def squares(o: Operands) -> str:
    """64 bits of Squares (Widynski 2020) for a key and a counter: primitives/random says more."""
    key, counter = o.values
    x = o.op("mul", counter, key)
    y, z = x, o.op("add", x, key)
    for addend in (y, z, y):
        x = _swap_halves(o, o.op("add", o.op("mul", x, x), addend))
    t = o.op("add", o.op("mul", x, x), z)
    x = _swap_halves(o, t)
    last = o.op("lshr", o.op("add", o.op("mul", x, x), y), o.number(32))
    return o.op("xor", t, last)


WRITERS: dict[str, Writer] = {
    "add": _arithmetic("fadd", "add", "or"), "subtract": _arithmetic("fsub", "sub"),
    "multiply": _arithmetic("fmul", "mul", "and"), "divide": _divide, "negative": _negative,
    "reciprocal": _reciprocal, "square": _square, "sqrt": _sqrt, "rsqrt": _rsqrt,
    "absolute": _absolute, "relu": _relu, "sign": _sign, "copy": lambda o: o.values[0],
    "maximum": extreme("greater"), "minimum": extreme("less"),
    "floor": _rounding("floor"), "ceil": _rounding("ceil"), "round": _rounding("rint"),
    "trunc": _rounding("trunc"), "bounded_log": _bounded_log, "remainder": _remainder,
    "fmod": _fmod, "floor_divide": _floor_divide, "power": _power,
}  # fmt: skip


def write(name: str, operands: Operands) -> str:
    """The value of a function of one kind of operands, of the same kind."""
    if operands.kind == "i1" and name not in _OF_TRUTHS:
        raise NotCompilable(f"{name} of truth values has no native code")
    if name in WRITERS:
        return WRITERS[name](operands)
    if not operands.floating:
        raise NotCompilable(f"{name} of whole numbers has no native code")
    if name in vectormath.FUNCTIONS:
        return operands.vector_math(name, *operands.values)
    if name in _LIBM:
        return operands.libm(name, *operands.values)
    raise NotCompilable(f"{name} has no native code")
