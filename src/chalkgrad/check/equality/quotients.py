"""A normal form: quotients of polynomials with exact coefficients, over names and functions.

    Quotient ::= Polynomial / Polynomial
    Monomial ::= (atom, exponent)*         an atom is a name, or a function of quotients

Every exponential, sigmoid and tanh becomes one sigmoid, by σ = 1/(1 + e^−x), e^x = σ/(1 − σ),
tanh x = 2 σ(2x) − 1 and σ(−x) = 1 − σ(x); so 1 − tanh²(z) and 4 σ(2z)(1 − σ(2z)) are one.
Two formulas with equal quotients are equal wherever both are defined. The reverse does not hold:
atoms may depend on one another, as sin² + cos² = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

from chalkgrad.check.equality.precise import written
from chalkgrad.formulas import Number

Monomial = tuple[tuple[str, int], ...]  # sorted by atom
Polynomial = dict[Monomial, Fraction]
LARGEST, HIGHEST = 400, 24  # monomials of a polynomial, and exponents


class TooLarge(Exception):
    """A normal form that would not stay small."""


@dataclass(frozen=True, eq=False)
class Quotient:
    over: Polynomial
    under: Polynomial

    def equals(self, other: Quotient) -> bool:
        return _times(self.over, other.under) == _times(other.over, self.under)

    @property
    def text(self) -> str:
        """One text for one quotient (not conversely: common factors are not divided out)."""
        return f"({_text(self.over)})/({_text(self.under)})"

    @property
    def constant(self) -> Fraction | None:
        if set(self.over) <= {()} and set(self.under) == {()}:
            return self.over.get((), Fraction(0)) / self.under[()]
        return None


_LONG = 200  # characters
ONE: Polynomial = {(): Fraction(1)}


def atom(text: str) -> Quotient:
    """A factor as it stands. A long one is known by its digest: a text holds all that it is made
    of, twice a level in a tower of exponentials."""
    if len(text) > _LONG:
        text = sha256(text.encode()).hexdigest()
    return Quotient({((text, 1),): Fraction(1)}, ONE)


def constant(value: Fraction) -> Quotient:
    return Quotient({(): value} if value else {}, ONE)


class Quotients:
    """Arithmetic of quotients."""

    def number(self, number: Number) -> Quotient:
        return constant(written(number))

    def apply(self, function: str, arguments: Sequence[Quotient]) -> Quotient:
        name = function.partition(":")[0]
        if name in _FOLDS:
            start, fold = _FOLDS[name]
            total = constant(Fraction(start))
            for argument in arguments:
                total = fold(total, argument)
            return total
        rule = _RULES.get(name)
        made = rule(*arguments) if rule else None
        if made is not None:
            return made
        return atom(f"{name}({', '.join(argument.text for argument in arguments)})")


def _text(polynomial: Polynomial) -> str:
    return " + ".join(f"{c}*{m}" for m, c in sorted(polynomial.items()))


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    total = dict(a)
    for monomial, coefficient in b.items():
        value = total.get(monomial, Fraction(0)) + coefficient
        if value:
            total[monomial] = value
        else:
            del total[monomial]
    return _small(total)


def _small(polynomial: Polynomial) -> Polynomial:
    if len(polynomial) > LARGEST:
        raise TooLarge
    return polynomial


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    if len(a) * len(b) > 20 * LARGEST:
        raise TooLarge
    total: Polynomial = {}
    for first, one in a.items():
        for second, other in b.items():
            monomial = _joined(first, second)
            value = total.get(monomial, Fraction(0)) + one * other
            if value:
                total[monomial] = value
            else:
                total.pop(monomial, None)
    return _small(total)


def _joined(a: Monomial, b: Monomial) -> Monomial:
    if not a or not b:
        return a or b
    powers = dict(a)
    for text, exponent in b:
        powers[text] = powers.get(text, 0) + exponent
    if max(powers.values()) > HIGHEST:
        raise TooLarge
    return tuple(sorted(powers.items()))


def _add(a: Quotient, b: Quotient) -> Quotient:
    if a.under == b.under:
        return Quotient(_plus(a.over, b.over), a.under)
    over = _plus(_times(a.over, b.under), _times(b.over, a.under))
    return Quotient(over, _times(a.under, b.under))


def _multiply(a: Quotient, b: Quotient) -> Quotient:
    if a.over == b.under:
        return Quotient(b.over, a.under)
    if b.over == a.under:
        return Quotient(a.over, b.under)
    return Quotient(_times(a.over, b.over), _times(a.under, b.under))


def _negative(a: Quotient) -> Quotient:
    return Quotient({m: -c for m, c in a.over.items()}, a.under)


def _reciprocal(a: Quotient) -> Quotient:
    if not a.over:
        raise TooLarge  # 1/0: a question for points
    return Quotient(a.under, a.over)


def _subtract(a: Quotient, b: Quotient) -> Quotient:
    return _add(a, _negative(b))


def _divide(a: Quotient, b: Quotient) -> Quotient:
    return _multiply(a, _reciprocal(b))


def _power(a: Quotient, b: Quotient) -> Quotient | None:
    exponent = b.constant
    if exponent is None or exponent.denominator != 1 or abs(exponent) > HIGHEST:
        return None
    result = constant(Fraction(1))
    for _ in range(abs(int(exponent))):
        result = _multiply(result, a)
    return _reciprocal(result) if exponent < 0 else result


def _sigmoid(x: Quotient) -> Quotient:
    x = _lowest(x)
    if x.over and _leading(x.over) < 0:
        return _subtract(constant(Fraction(1)), atom(f"sigmoid({_negative(x).text})"))
    return atom(f"sigmoid({x.text})")


def _lowest(x: Quotient) -> Quotient:
    """With 1 under it where a number is."""
    if set(x.under) != {()}:
        return x
    return Quotient({m: c / x.under[()] for m, c in x.over.items()}, ONE)


def _leading(polynomial: Polynomial) -> Fraction:
    return polynomial[min(polynomial)]


def _exp(x: Quotient) -> Quotient:
    s = _sigmoid(x)
    return _divide(s, _subtract(constant(Fraction(1)), s))


def _tanh(x: Quotient) -> Quotient:
    two = constant(Fraction(2))
    return _subtract(_multiply(two, _sigmoid(_multiply(two, x))), constant(Fraction(1)))


def _atom_of_lowest(name: str) -> Callable[[Quotient], Quotient]:
    return lambda x: atom(f"{name}({_lowest(x).text})")


_FOLDS: dict[str, tuple[int, Callable[[Quotient, Quotient], Quotient]]] = {
    "sum": (0, _add), "prod": (1, _multiply),
}  # fmt: skip
_RULES: dict[str, Callable[..., Quotient | None]] = {
    "add": _add, "subtract": _subtract, "multiply": _multiply, "divide": _divide,
    "negative": _negative, "reciprocal": _reciprocal, "square": lambda x: _multiply(x, x),
    "power": _power, "sigmoid": _sigmoid, "exp": _exp, "tanh": _tanh,
    "cast": lambda x: x, "copy": lambda x: x,
    "log": _atom_of_lowest("log"), "sqrt": _atom_of_lowest("sqrt"), "relu": _atom_of_lowest("relu"),
}  # fmt: skip
