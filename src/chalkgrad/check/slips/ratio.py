"""What can be said of a number that no slip explains: the right one, and what is between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite

from chalkgrad.check.equality.functions import present_value
from chalkgrad.check.slips.chain import World
from chalkgrad.check.slips.digits import decimals_of
from chalkgrad.check.slips.question import Question, Ratio, claimed_number
from chalkgrad.check.slips.symbolic import CLOSE, close, other_point
from chalkgrad.check.slips.views import Views
from chalkgrad.formulas import Expression, Name, Partial, shown


def explain_ratio(question: Question, claimed: Expression | None = None) -> Ratio:
    """The expected number, claimed / expected, and the factor of the chain that explains it.

    Of a claimed formula the factor has to explain it at other points, too.
    """
    if claimed is not None:
        return _of_formula(replace(question, values={}, partials={}), claimed)
    number = claimed_number(question)
    if number is None or not question.expected:
        return Ratio(question.expected, None)
    ratio = number / question.expected
    unit = 10.0 ** -(decimals_of(question.shown) or 0)
    slack = max(0.55 * unit / abs(question.expected), CLOSE * abs(ratio))
    for words, factor in _factors(question, {}):
        if abs(factor - ratio) <= slack:
            return Ratio(question.expected, ratio, words)
    return Ratio(question.expected, ratio)


def _of_formula(question: Question, claimed: Expression) -> Ratio:
    board, explained, here = question.board, None, None
    for values in (board.values, *(other_point(question, seed) for seed in range(3))):
        try:
            ratio = present_value(claimed, board, values) / _truth(question, values)
        except (ArithmeticError, ValueError, KeyError):
            continue
        here = ratio if here is None else here
        factors = _factors(question, values)
        fitting = [words for words, factor in factors if close(factor, ratio)]
        explained = fitting if explained is None else [w for w in explained if w in fitting]
    return Ratio(question.expected, here, _with_number(question, explained[0]) if explained else "")


def _truth(question: Question, values: Mapping[str, float]) -> float:
    asked: Expression = Name(question.of)
    if question.by is not None:
        asked = Partial(Name(question.of), Name(question.by))
    return present_value(asked, question.board, values)


def _factors(question: Question, values: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Ratios that one factor of the chain would explain, and how they read."""
    for view in Views(question).views:
        if view.chain is None:
            continue
        world = World(question.board, values) if values else view.worlds[0]
        for of, by in view.chain.edges:
            number = world.slope(view.chain, (of, by))
            if number in (0.0, 1.0) or not isfinite(number):
                continue
            name = f"∂{of}/∂{by}" if values else f"∂{of}/∂{by} = {shown(number)}"
            yield f"{name} is missing", 1 / number
            yield f"{name} is there twice", number
            yield f"{name} is missing and the sign is wrong", -1 / number


def _with_number(question: Question, words: str) -> str:
    """The factor's words with its value at the present point."""
    symbol, _, rest = words.partition(" ")
    of, by = (part.lstrip("∂") for part in symbol.split("/"))
    return f"{symbol} = {shown(question.board.gradient(of, by))} {rest}"
