"""The layer view: whole arrays, the recursion of δ, and shapes, as a textbook has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalkgrad.explain.document import Document, Link, Table
from chalkgrad.explain.steps import Matrix
from chalkgrad.explain.views import passes
from chalkgrad.explain.views.lines import Steps, relation
from chalkgrad.formulas import Call, Expression, Number

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation


def write(derivation: Derivation, document: Document) -> None:
    """Forward and backward in equations of arrays."""
    steps = Steps(document)
    passes.conventions(derivation, document)
    document.heading(1, "Forward pass")
    _arrays([m for m in derivation.forward if m.formula is None], document)
    for matrix in derivation.forward:
        if matrix.formula is not None:
            _equation(matrix, steps)
    document.heading(1, "Backward pass")
    document.prose(
        "δ⁽ˡ⁾ stands for the gradient towards Z⁽ˡ⁾. Records are rows; with records as columns each "
        "product is transposed: (Wᵀ δ) ⊙ σ′(z)."
    )
    if not derivation.backward:
        document.prose(
            "A function in this pass has a derivative of its own that computes with numbers, so "
            "there is no equation of arrays; the view `board` has its derivatives."
        )
    for matrix in derivation.backward:
        _equation(matrix, steps)
    passes.updates(derivation, steps)
    passes.again(derivation, document)


def _arrays(given: list[Matrix], document: Document) -> None:
    rows = tuple((m.symbol, _shape(m.shape), _value(m) if m.rows else "") for m in given)
    document.blocks.append(Table(("given", "shape", "numbers"), rows))


def _equation(matrix: Matrix, steps: Steps) -> None:
    assert matrix.formula is not None
    links = [Link(matrix.symbol)] if matrix.also else []
    links.append(Link(matrix.formula, remark=_shape(matrix.shape)))
    if matrix.shorter is not None:
        links.append(Link(matrix.shorter, remark="multiplied out and cancelled"))
    if matrix.rows:
        value = _value(matrix)
        links.append(Link(value, relation(steps, value)))
    steps.step(matrix.also or matrix.symbol, links)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _value(matrix: Matrix) -> Expression:
    """The numbers of a small array: a number, a row, or rows."""
    assert matrix.rows is not None
    rows = [Call("tuple", tuple(map(Number, row))) for row in matrix.rows]
    if not matrix.shape:
        return Number(matrix.rows[0][0])
    return rows[0] if len(rows) == 1 else Call("tuple", tuple(rows))
