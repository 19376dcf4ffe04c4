"""The right working of a line, as a person would write it down.

∂E_total/∂w5 = ∂E_total/∂output_o1 · ∂output_o1/∂sum_o1 · ∂sum_o1/∂w5
             = (output_o1 − target_1) · output_o1 · (1 − output_o1) · output_h1
             = 0.68493 · 0.73493 · (1 − 0.73493) · 0.60109
             = 0.08020
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from chalkgrad.check.answers import Subject
from chalkgrad.check.known import World
from chalkgrad.explain.board import Board, Path
from chalkgrad.formulas import (
    ONE,
    Call,
    Expression,
    Name,
    Number,
    Partial,
    Rest,
    names_in,
    substitution,
    text,
)

MOST_PATHS, MOST_TERMS = 6, 12


def working(subject: Subject, world: World, digits: int) -> list[str]:
    """The lines of the right working; none for a formula of the person's own."""
    board = world.board
    if subject.kind == "quantity":
        formula = board.quantities[subject.name].formula
        value = board.quantities[subject.name].value
        if formula is None:
            return [f"{subject.name} = {text(Number(value), digits)}"]
        return _chain(subject.name, [formula], board, value, digits)
    if subject.kind == "derivative":
        return derivative(board, subject.name, subject.by, digits, negated=subject.negated)
    if subject.kind == "new":
        return _update(subject.name, world, digits)
    return []


def in_one_line(lines: Sequence[str]) -> str:
    """The essence of a working: formula, numbers, value; of several paths their sum."""
    if not lines or lines[0].startswith("through "):
        return lines[-1] if lines else ""
    if not lines[-1].startswith((" ", "=")) and len(lines) > 1:
        return "; ".join(lines[1:])  # the equations of an optimizer, one a line
    left, _, first = lines[0].partition(" = ")
    sides = [first, *(line.strip().removeprefix("= ") for line in lines[1:])]
    return " = ".join([left, *sides[-3:]])


def derivative(board: Board, of: str, by: str, digits: int, *, negated: bool = False) -> list[str]:
    """Path by path, where they are few; else one step of the chain rule."""
    symbol = text(Partial(Name(of), Name(by)))
    left = f"−{symbol}" if negated else symbol
    value = board.gradient(of, by)
    shown = text(Number(-value if negated else value), digits)
    paths = list(islice(board.paths(of, by), MOST_PATHS + 1))
    if not paths:
        return [f"{symbol} = 0: {of} does not depend on {by}"]
    if len(paths) == 1:
        return _path(left, paths[0], board, -value if negated else value, digits, negated)
    if len(paths) > MOST_PATHS or any(len(path.locals) > MOST_TERMS for path in paths):
        formulas = [_one_step(board, of, by)]
        return _chain(left, formulas, board, -value if negated else value, digits, negated)
    lines = []
    for path in paths:
        through = ", ".join(name.text for name in reversed(path.through))
        product = text(_filled(_product([local.formula for local in path.locals]), board), digits)
        lines.append(f"through {through}: {product} = {text(Number(path.value), digits)}")
    total = text(Call("sum", tuple(Number(path.value) for path in paths)), digits)
    sign = f"−({total})" if negated else total
    return [*lines, f"{left} = {sign} = {shown}"]


def _path(
    left: str, path: Path, board: Board, value: float, digits: int, negated: bool
) -> list[str]:
    symbols = _product([local.symbol for local in path.locals])
    formula = _product([local.formula for local in path.locals])
    formulas = [symbols, formula] if len(path.locals) > 1 else [formula]
    return _chain(left, formulas, board, value, digits, negated)


def _chain(
    left: str, formulas: list[Expression], board: Board, value: float, digits: int,
    negated: bool = False,
) -> list[str]:  # fmt: skip
    """left = formula = … = numbers = value, a line each."""
    rights = list(formulas)
    filled = _filled(formulas[-1], board)
    if filled != formulas[-1]:
        rights.append(filled)
    sides = [text(Call("negative", (side,)) if negated else side, digits) for side in rights]
    sides.append(text(Number(value), digits))
    if sides[-1] == sides[-2]:
        sides.pop()
    pad = " " * len(left)
    return [f"{left if k == 0 else pad} = {side}" for k, side in enumerate(sides)]


def _one_step(board: Board, of: str, by: str) -> Expression:
    inside = board.leads_to(of)
    users = [user for user in board.users[by] if user in inside]
    terms: list[Expression] = [
        _product([Partial(Name(of), Name(user)), board.locals[user, by].formula])
        for user in users[:MOST_TERMS]
    ]
    if len(users) > MOST_TERMS:
        gradients = board.gradients(of)
        rest = users[MOST_TERMS:]
        left = sum(gradients[user] * board.locals[user, by].value for user in rest)
        terms.append(Rest(len(rest), left))
    return terms[0] if len(terms) == 1 else Call("sum", tuple(terms))


def _update(name: str, world: World, digits: int) -> list[str]:
    truth, board = world.truth, world.board
    value = truth.new_value(name)
    old = board.quantities[name].value
    shown = "unknown" if value is None else text(Number(value), digits)
    if name in truth.frozen:
        return [f"new {name} = {name} = {shown}: the update leaves {name} alone"]
    gradient = board.gradient(board.loss, name)
    symbol = Partial(Name(board.loss), Name(name))
    if name in truth.updates and len(truth.updates[name].lines) > 1:
        lines = [
            f"{line.name.text} = {text(line.formula, digits)} = {text(Number(line.value), digits)}"
            for line in truth.updates[name].lines
        ]
        return [f"{text(symbol)} = {text(Number(gradient), digits)}", *lines]
    if truth.learning_rate is None:
        return [f"new {name} = {shown}"]
    rate = Number(truth.learning_rate)
    formula = Name(name) - rate * symbol
    numbers = Number(old) - rate * Number(gradient)
    left = f"new {name}"
    sides = [text(formula, digits), text(numbers, digits), shown]
    return [f"{left if k == 0 else ' ' * len(left)} = {side}" for k, side in enumerate(sides)]


def _product(factors: list[Expression]) -> Expression:
    kept = [factor for factor in factors if factor != ONE] or [ONE]
    return kept[0] if len(kept) == 1 else Call("prod", tuple(kept))


def _filled(formula: Expression, board: Board) -> Expression:
    """With numbers for names and derivatives."""
    values = {name.text: board.quantities[name.text].value for name in names_in(formula)}
    return substitution(formula, values, _Gradients(board))


class _Gradients(Mapping[tuple[str, str], float]):
    """The derivatives of a board, as a mapping."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.found: dict[str, dict[str, float]] = {}

    def __getitem__(self, pair: tuple[str, str]) -> float:
        of, by = pair
        if of not in self.found:
            self.found[of] = self.board.gradients(of)
        return self.found[of].get(by, 0.0)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.board.locals)

    def __len__(self) -> int:
        return len(self.board.locals)
