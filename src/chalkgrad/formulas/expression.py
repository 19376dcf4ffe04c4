"""Formulas of single numbers, as people write them.

    Expression ::= Number(value)                   a number
                 | Name(text)                      a quantity: w5, sum_h1, output_h1[2]
                 | Partial(of, by)                 a derivative as a symbol: ∂E/∂w5
                 | Call(function, Expression*)     a function by the name of its primitive's record
                 | Rest(count, value)              terms that are summed and not shown

Functions are the elementwise records (`add`, `multiply`, `sigmoid`, …), which say how they read and
what they compute, and of any number of arguments `sum`, `prod`, `max` and `min`. A formula of
whole arrays is one, too: its names are arrays and its functions may be any record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar


class Expression:
    """Part of a formula. Expressions add, subtract, multiply and divide into larger ones."""

    __slots__ = ()

    def __add__(self, other: Expression) -> Expression:
        return Call("add", (self, other))

    def __sub__(self, other: Expression) -> Expression:
        return Call("subtract", (self, other))

    def __mul__(self, other: Expression) -> Expression:
        return Call("multiply", (self, other))

    def __truediv__(self, other: Expression) -> Expression:
        return Call("divide", (self, other))

    def __neg__(self) -> Expression:
        return Call("negative", (self,))


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A number, and how a person wrote it ("0.60108", "1/2"), if one did."""

    value: float
    written: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A quantity. Two names are one where their texts are one."""

    text: str
    latex: str = field(default="", compare=False)  # "" : what `names.latex_of(text)` says


@dataclass(frozen=True, slots=True)
class Partial(Expression):
    """∂of/∂by, as a symbol."""

    of: Name
    by: Name


@dataclass(frozen=True, slots=True)
class Call(Expression):
    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Rest(Expression):
    """`count` further terms of a sum, which add up to `value`."""

    count: int
    value: float


ZERO, ONE = Number(0.0), Number(1.0)
T = TypeVar("T")
Transform = Callable[[Expression], "Expression | None"]


class Arithmetic(Protocol[T]):
    """Numbers of some kind (floats, intervals, high precision, symbols) and functions of them."""

    def number(self, number: Number) -> T: ...

    def apply(self, function: str, arguments: Sequence[T]) -> T: ...


def evaluate(
    expression: Expression, values: Callable[[Expression], T], arithmetic: Arithmetic[T]
) -> T:
    """The value of a formula. `values` gives those of its names and derivatives.

    No recursion, so that no depth of brackets overflows the stack.
    """
    done: list[T] = []
    work: list[tuple[Expression, bool]] = [(expression, False)]
    while work:
        part, ready = work.pop()
        if isinstance(part, Call):
            if ready:
                count = len(part.arguments)
                arguments = done[len(done) - count :]
                del done[len(done) - count :]
                done.append(arithmetic.apply(part.function, arguments))
            else:
                work.append((part, True))
                work += [(argument, False) for argument in reversed(part.arguments)]
        elif isinstance(part, Number):
            done.append(arithmetic.number(part))
        elif isinstance(part, Rest):
            done.append(arithmetic.number(Number(part.value)))
        else:
            done.append(values(part))
    return done[0]


def replaced(expression: Expression, change: Transform) -> Expression:
    """The formula with every part for which `change` gives something replaced, outermost first."""
    found = change(expression)
    if found is not None:
        return found
    if isinstance(expression, Call):
        arguments = tuple(replaced(argument, change) for argument in expression.arguments)
        same = all(new is old for new, old in zip(arguments, expression.arguments, strict=True))
        return expression if same else Call(expression.function, arguments)
    return expression


def parts(expression: Expression) -> Iterator[Expression]:
    """Every part of a formula, itself first."""
    work = [expression]
    while work:
        part = work.pop()
        yield part
        if isinstance(part, Call):
            work += reversed(part.arguments)


def names_in(expression: Expression) -> list[Name]:
    """The names in a formula, in order of appearance, each once."""
    return list(dict.fromkeys(part for part in parts(expression) if isinstance(part, Name)))


def substitution(
    expression: Expression, values: Mapping[str, float],
    partials: Mapping[tuple[str, str], float] | None = None,
) -> Expression:  # fmt: skip
    """The formula with numbers in place of names."""

    def number(part: Expression) -> Expression | None:
        if isinstance(part, Name):
            return Number(values[part.text])
        if isinstance(part, Partial) and partials is not None:
            return Number(partials[part.of.text, part.by.text])
        return None

    return replaced(expression, number)
