"""The lines that all views are made of: a chain of equalities, and numbered steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalkgrad.explain.board import Board, Local, Path
from chalkgrad.explain.document import Document, Link
from chalkgrad.explain.steps import Gradient, Update
from chalkgrad.formulas import (
    Call,
    Expression,
    Name,
    Number,
    Partial,
    Rest,
    parts,
    shown,
    substitution,
)
from chalkgrad.formulas.writing import is_exact

Partials = Mapping[tuple[str, str], float]


@dataclass
class Steps:
    """The numbers of the steps, so that what was computed before can be referred to."""

    document: Document
    numbers: dict[Expression, int] = field(default_factory=dict)

    def step(self, symbol: Expression, links: list[Link]) -> None:
        """A new step."""
        number = self.numbers[symbol] = len(self.numbers) + 1
        self.document.equation(symbol, links, f"step {number}")

    def again(self, symbol: Expression, value: float) -> None:
        """A step that was taken before."""
        remark = f"already computed in step {self.numbers[symbol]}"
        self.document.equation(symbol, [self.value(value, remark)])

    def value(self, value: float, remark: str = "") -> Link:
        """= the number, or ≈ where the digits shown are not all."""
        exact = is_exact(value, shown(value, self.document.digits))
        return Link(Number(value), "=" if exact else "≈", remark)


def product_of(path: Path) -> Expression:
    """∂E/∂o · ∂o/∂z · ∂z/∂w"""
    return joined([local.symbol for local in factors_of(path)])


def factors_of(path: Path) -> list[Local]:
    """The factors of a path, without the 1 of a loss towards its terms."""
    return [local for local in path.locals if not local.plain_term] or [*path.locals]


def formula_of(gradient: Gradient) -> Expression:
    """A gradient in quantities: for each path the product of its derivatives, and their sum."""
    chains = [joined([local.formula for local in factors_of(p)]) for p in gradient.paths]
    if gradient.hidden:
        chains.append(Number(gradient.hidden_value))
    return summed(chains) if chains else Number(0.0)


def joined(factors: list[Expression]) -> Expression:
    return factors[0] if len(factors) == 1 else Call("prod", tuple(factors))


def summed(terms: list[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Call("sum", tuple(terms))


def computed(
    steps: Steps, formula: Expression, value: float, values: Mapping[str, float],
    partials: Partials | None = None,
) -> list[Link]:  # fmt: skip
    """= formula = numbers = value; the middle is left out where it says nothing new."""
    links = [Link(formula)]
    if not isinstance(formula, Number):
        numbers = substitution(formula, values, partials)
        if isinstance(formula, Call):
            links.append(Link(numbers, relation(steps, numbers)))
        links.append(steps.value(value))
    return links


def relation(steps: Steps, numbers: Expression) -> str:
    """≈ where one of the numbers is shown rounded."""
    digits = steps.document.digits
    values = [part.value for part in parts(numbers) if isinstance(part, Number | Rest)]
    return "=" if all(is_exact(v, shown(v, digits)) for v in values) else "≈"


def local_links(steps: Steps, local: Local, values: Mapping[str, float]) -> list[Link]:
    """A local derivative: as the rule says it, the algebra, the numbers."""
    links = [Link(local.raw)] if local.steps else []
    for rewrite in local.steps:
        links.append(Link(rewrite.formula, remark=rewrite.rule))
    if not local.steps:
        links.append(Link(local.formula))
    final = local.formula
    if not isinstance(final, Number):
        if isinstance(final, Call):
            numbers = substitution(final, values)
            links.append(Link(numbers, relation(steps, numbers)))
        links.append(steps.value(local.value))
    return links


def recursion_links(
    steps: Steps, board: Board, of: Name, by: Name, reached: Mapping[str, float]
) -> list[Link]:
    """∂of/∂by from the gradients of what uses it: the sum of ∂of/∂user · ∂user/∂by.

    `reached` are the gradients of `of`, as `Board.gradients` gives them.
    """
    rest = board.rest.get(by.text) if of.text == board.loss else None
    users = [user for user in board.users[by.text] if user in reached]
    locals = [board.locals[user, by.text] for user in users]
    if len(locals) == 1 and locals[0].of == of and rest is None:
        return local_links(steps, locals[0], board.values)
    terms: list[Expression] = []
    formulas: list[Expression] = []
    numbers: list[Expression] = []
    for local in locals:
        before = () if local.of == of else (Partial(of, local.of),)
        terms.append(joined([*before, local.symbol]))
        formulas.append(joined([*before, local.formula]))
        known = () if local.of == of else (Number(reached[local.of.text]),)
        numbers.append(joined([*known, Number(local.value)]))
    left = [] if rest is None else [rest]
    # Where there are many terms, writing them once is enough.
    links = [Link(summed(terms))] if rest is None else []
    if formulas != terms or rest is not None:
        links.append(Link(summed([*formulas, *left])))
    total = summed([*numbers, *left])
    return [*links, Link(total, relation(steps, total)), steps.value(reached[by.text])]


def update_lines(steps: Steps, update: Update, loss: Name) -> None:
    """The equations of one update."""
    values = dict(update.values)
    partials = {(loss.text, update.name.text): update.gradient}
    for line in update.lines:
        links = computed(steps, line.formula, line.value, values, partials)
        steps.document.equation(line.name, links)


def symbol_of(loss: str, by: Name, board: Board) -> Partial:
    return Partial(board.quantities[loss].name, by)
