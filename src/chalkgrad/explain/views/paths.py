"""The paths view: one line for each path from the loss to a parameter, and what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalkgrad.explain.board import Board
from chalkgrad.explain.document import Document, Link, Part, Table
from chalkgrad.explain.steps import Gradient
from chalkgrad.explain.views import passes
from chalkgrad.explain.views.lines import Steps, factors_of, joined, relation, summed
from chalkgrad.formulas import Expression, Number, Partial, text

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation


def write(derivation: Derivation, document: Document) -> None:
    """The forward values, every path with its product, and the sums."""
    board, steps = derivation.board, Steps(document)
    passes.conventions(derivation, document)
    passes.given(board, document)
    document.heading(1, "Forward pass")
    passes.forward(board, steps)
    document.heading(1, "Paths from the loss to each parameter")
    for gradient in derivation.gradients:
        symbol = Partial(gradient.of, gradient.wrt)
        document.heading(2, text(symbol), symbol)
        if gradient.paths:
            _table(gradient, document)
            _reconciled(board, gradient, steps)
        else:
            passes.no_path(gradient, steps)
    passes.updates(derivation, steps)
    passes.again(derivation, document)


def _table(gradient: Gradient, document: Document) -> None:
    rows: list[tuple[Part, ...]] = []
    for path in gradient.paths:
        names = [path.locals[0].of.text, *(local.by.text for local in path.locals)]
        numbers = joined([Number(local.value) for local in factors_of(path)])
        share = _share(path.value, gradient.value)
        rows.append((" → ".join(names), numbers, Number(path.value), share))
    if gradient.hidden:
        share = _share(gradient.hidden_value, gradient.value)
        rows.append(("all other paths together", "", Number(gradient.hidden_value), share))
    document.blocks.append(Table(("path", "product", "contribution", "share"), tuple(rows)))


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3g} %".replace("-", "−") if whole else "–"


def _reconciled(board: Board, gradient: Gradient, steps: Steps) -> None:
    """Σ paths = gradient, and the same by the recursion of δ."""
    terms: list[Expression] = [Number(path.value) for path in gradient.paths]
    if gradient.hidden:
        terms.append(Number(gradient.hidden_value))
    symbol = Partial(gradient.of, gradient.wrt)
    links = (
        [Link(summed(terms), relation(steps, summed(terms)), "the sum over the paths")]
        if len(terms) > 1
        else []
    )
    steps.step(symbol, [*links, steps.value(gradient.value)])
    reached = board.gradients(gradient.of.text)
    users = [u for u in board.users[gradient.wrt.text] if u in reached]
    rest = board.rest.get(gradient.wrt.text)
    by_delta = [
        joined([Number(reached[user]), Number(board.locals[user, gradient.wrt.text].value)])
        for user in users
    ]
    symbols = [
        joined([Partial(gradient.of, board.quantities[u].name),
                board.locals[u, gradient.wrt.text].symbol])
        for u in users
    ]  # fmt: skip
    left = [] if rest is None else [rest]
    steps.document.equation(
        symbol,
        [
            Link(summed([*symbols, *left]), "=", "the same from the values of back-propagation"),
            Link(summed([*by_delta, *left]), relation(steps, summed([*by_delta, *left]))),
            steps.value(gradient.value),
        ],
    )
