"""The slips of a formula: those that give its value, here and at other points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from chalkgrad.check.equality.functions import present_value
from chalkgrad.check.slips.chain import World, completed
from chalkgrad.check.slips.question import Mistake, Question
from chalkgrad.check.slips.replay import MOST, Hit, Replay, ranked
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import Expression

POINTS = 3
CLOSE = 1e-9  # relative


def formula_mistakes(question: Question, claimed: Expression) -> list[Mistake]:
    """The known slips that give a claimed formula, as a function.

    The question's own claims are left aside: a formula is judged by itself.
    """
    board = question.board
    alone = replace(question, values={}, partials={}, spreads={}, shown="")
    try:
        value = present_value(claimed, board, board.values)
    except (ArithmeticError, ValueError, KeyError):
        return []
    replay = Replay(alone, lambda number: close(number, value), every=True)
    hits = [*replay.singles()] or replay.pairs()
    points = [other_point(alone, seed) for seed in range(POINTS)]
    kept = [hit for hit in hits if holds(replay, hit, claimed, points)]
    return [replay.mistake(hit) for hit in ranked(kept, alone, ())[:MOST]]


def holds(replay: Replay, hit: Hit, claimed: Expression, points: list[Mapping[str, float]]) -> bool:
    """Does the slip give the formula's value at other points, too?"""
    both: Slip | None = hit.slips[0]
    for slip in hit.slips[1:]:
        both = both.joined(slip) if both is not None else None
    if both is None:
        return False
    board = replay.question.board
    for values in points:
        try:
            wanted = present_value(claimed, board, values)
        except (ArithmeticError, ValueError, KeyError):
            continue
        world = World(board, values)
        if not any(
            close(replay.ways.value(both, view, world), wanted) for view in replay.ways.views
        ):
            return False
    return True


def other_point(question: Question, seed: int) -> Mapping[str, float]:
    """The board's values at other inputs, targets and parameters."""
    random = Random(seed)
    given = {
        name: quantity.value * random.uniform(0.6, 1.4) + random.uniform(0.01, 0.1)
        for name, quantity in question.board.quantities.items()
        if quantity.formula is None
    }
    return completed(question.board, given)


def close(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(abs(a), abs(b), 1e-300)
