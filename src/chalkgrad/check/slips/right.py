"""The right line, as text."""

from __future__ import annotations

from collections.abc import Mapping

from chalkgrad.check.slips.digits import decimals_of
from chalkgrad.check.slips.question import Question
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, Rest, shown, text

MOST = 6  # terms of a sum that are written out


def right_line(question: Question, values: Mapping[str, float]) -> str:
    """`symbol = formula = value`, to the digits that the person shows."""
    decimals = decimals_of(question.shown)
    value = text(Number(question.expected), max(decimals if decimals is not None else 5, 1))
    board, of = question.board, question.of
    if question.new:
        if question.learning_rate is None or question.step is not None:
            return f"new {of} = {value}"
        gradient = text(Partial(Name(board.loss), Name(of)))
        return f"new {of} = {of} − {shown(question.learning_rate)} · {gradient} = {value}"
    if question.by is None:
        formula = board.quantities[of].formula
        return f"{of} = {text(formula)} = {value}" if formula is not None else f"{of} = {value}"
    symbol = text(Partial(Name(of), Name(question.by)))
    return f"{symbol} = {text(chain_formula(board, of, question.by))} = {value}"


def chain_formula(board: Board, of: str, by: str) -> Expression:
    """A product along the chain where there is one path; else one step of the chain rule."""
    path = only_path(board, of, by)
    if path is not None:
        return _product([board.locals[pair].formula for pair in path])
    inside = board.leads_to(of)
    terms: list[Expression] = []
    users = [user for user in board.users[by] if user in inside]
    for user in users[:MOST]:
        local = board.locals[user, by]
        first: list[Expression] = [] if user == of else [Partial(Name(of), Name(user))]
        terms.append(_product([*first, local.formula]))
    if len(users) > MOST:
        rest = users[MOST:]
        gradients = board.gradients(of)
        terms.append(
            Rest(len(rest), sum(gradients[user] * board.locals[user, by].value for user in rest))
        )
    return terms[0] if len(terms) == 1 else Call("sum", tuple(terms))


def only_path(board: Board, of: str, by: str) -> list[tuple[str, str]] | None:
    """The edges from `of` down to `by`, where there is one way and it is short."""
    path: list[tuple[str, str]] = []
    inside, name = board.leads_to(of), by
    while name != of:
        users = [user for user in board.users[name] if user in inside]
        if len(users) != 1 or len(path) > 2 * MOST:
            return None
        path.insert(0, (users[0], name))
        name = users[0]
    return path


def _product(factors: list[Expression]) -> Expression:
    kept = [factor for factor in factors if factor != Number(1.0)] or [Number(1.0)]
    return kept[0] if len(kept) == 1 else Call("prod", tuple(kept))
