"""Formulas made short enough to read: sums of many terms, and shifts that cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isclose
from typing import TypeVar

from chalkgrad.formulas import ONE, Call, Expression, Number, Rest, parts, replaced

Key = TypeVar("Key")
Value = Callable[[Expression], float]


def flat(expression: Expression) -> list[Expression]:
    """The terms of nested sums, in order."""
    if isinstance(expression, Call) and expression.function in ("add", "sum"):
        return [term for argument in expression.arguments for term in flat(argument)]
    return [expression]


def folded(
    expression: Expression, value: Value, most: int | None,
    first: Callable[[Expression], bool] = lambda term: False,
) -> Expression:  # fmt: skip
    """The formula with `most` terms of every long sum, and the rest counted and added up.

    The terms that are shown are the largest, but for those that come `first`.
    """
    if most is None or not isinstance(expression, Call):
        return expression
    terms = flat(expression)
    if len(terms) <= most + 1:
        return Call(
            expression.function,
            tuple(folded(a, value, most, first) for a in expression.arguments),
        )
    sizes = [value(term) for term in terms]
    ordered = sorted(range(len(terms)), key=lambda k: (not first(terms[k]), -abs(sizes[k])))
    kept = set(ordered[:most])
    shown = [folded(term, value, most, first) for k, term in enumerate(terms) if k in kept]
    left = [size for k, size in enumerate(sizes) if k not in kept]
    return Call("sum", (*shown, Rest(len(left), sum(left))))


def unshifted(
    expression: Expression, value: Value, constant: Callable[[Expression], float | None]
) -> Expression:
    """Without the number that a softmax takes out of every exponent, where it cancels."""

    def shift(part: Expression) -> float | None:
        """The c of x − c."""
        subtracts = isinstance(part, Call) and part.function == "subtract"
        return constant(part.arguments[1]) if subtracts else None  # type: ignore[attr-defined]

    exponents = [
        part.arguments[0]
        for part in parts(expression)
        if isinstance(part, Call) and part.function == "exp"
    ]
    for number in dict.fromkeys(map(shift, exponents)):
        if number is None:
            continue

        def drop(part: Expression, number: float = number) -> Expression | None:
            return part.arguments[0] if shift(part) == number else None  # type: ignore[attr-defined]

        without = replaced(expression, drop)
        if isclose(value(without), value(expression), rel_tol=1e-6):
            expression = without
    return expression


def tidy(expression: Expression) -> Expression:
    """Without what computes nothing: x / 1, 1 · x, a number's type."""

    def change(part: Expression) -> Expression | None:
        if not isinstance(part, Call):
            return None
        arguments = tuple(tidy(argument) for argument in part.arguments)
        if part.function.partition(":")[0] in ("cast", "copy"):
            return arguments[0]
        if part.function == "divide" and arguments[1] == ONE:
            return arguments[0]
        if part.function == "select" and isinstance(arguments[0], Number):
            return arguments[1] if arguments[0].value else arguments[2]
        if part.function == "prod":
            arguments = tuple(a for a in arguments if a != ONE) or (ONE,)
            if len(arguments) == 1:
                return arguments[0]
        return Call(part.function, arguments)

    return replaced(expression, change)


def chosen(
    edges: Mapping[Key, Expression], share: Callable[[Key, Expression], float], most: int | None
) -> tuple[Mapping[Key, Expression], Iterable[Key], Rest | None]:
    """The edges that are written down, those that are followed, and what is left out.

    All of them; or where they are many, the largest by their share of the gradient, of which the
    first is followed: so a derivation stays a page or two long, whatever the network.
    """
    if most is None or len(edges) <= most:
        return edges, edges, None
    shares = {out: share(out, derivative) for out, derivative in edges.items()}
    kept = sorted(shares, key=lambda out: -abs(shares[out]))[:most]
    left = [value for out, value in shares.items() if out not in kept]
    return {out: edges[out] for out in kept}, kept[:1], Rest(len(left), float(sum(left)))
