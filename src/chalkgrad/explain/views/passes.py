"""What the views share: conventions, the forward pass, the update, and the forward pass again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalkgrad.explain.board import Board, Quantity
from chalkgrad.explain.document import Document, Link, Table
from chalkgrad.explain.pictures import block_of
from chalkgrad.explain.steps import Gradient
from chalkgrad.explain.views.lines import Steps, computed, relation, update_lines
from chalkgrad.formulas import Call, Name, Number, Partial, shown
from chalkgrad.formulas.labels import GIVEN
from chalkgrad.formulas.names import latex_of

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation

_IN_A_VECTOR = 12  # gradients that are gathered into one
_MANY = 24  # given numbers that are all listed


def conventions(derivation: Derivation, document: Document) -> None:
    """What the symbols and the loss mean here."""
    if derivation.conventions:
        document.blocks.append(Table(("convention", "here"), derivation.conventions))


def given(board: Board, document: Document) -> None:
    """What the problem states: inputs, targets, parameters."""
    rows = [q for q in board.quantities.values() if q.kind in GIVEN]
    if len(rows) > _MANY or board.rest:  # the others are shown where a formula reads them
        rows = [q for q in rows if board.users[q.name.text]]
    if rows:
        document.heading(2, "Given")
        groups: dict[str, list[Quantity]] = {}
        for quantity in rows:
            groups.setdefault(quantity.kind, []).append(quantity)
        for kind, members in groups.items():
            parts: list[object] = [f"{kind}s: " if len(members) > 1 else f"{kind}: "]
            for k, quantity in enumerate(members):
                parts += [", " if k else "", quantity.name, " = ", Number(quantity.value)]
            document.prose(*parts)  # type: ignore[arg-type]


def forward(board: Board, steps: Steps) -> None:
    """Every computed quantity: formula = numbers = value."""
    values, record, layer = board.values, None, None
    ordered = [q for q in board.quantities.values() if q.formula is not None]
    several = len({q.record for q in ordered if q.record}) > 1
    ordered.sort(key=lambda q: (q.record is None, q.record or 0) if several else (False, 0))
    for quantity in ordered:
        if several and quantity.record != record:
            record = quantity.record
            steps.document.heading(2, f"Record {record}" if record else "All records")
        elif not several and quantity.layer != layer and quantity.layer is not None:
            layer = quantity.layer
            steps.document.heading(2, f"Layer {layer}")
        assert quantity.formula is not None
        steps.step(quantity.name, computed(steps, quantity.formula, quantity.value, values))


def no_path(gradient: Gradient, steps: Steps) -> None:
    """There is nothing to derive, and that is said."""
    of, wrt = gradient.of, gradient.wrt
    steps.document.prose(of, " does not depend on ", wrt, " in this pass: no path leads to it.")
    steps.step(Partial(of, wrt), [steps.value(gradient.value)])


def whole_gradient(derivation: Derivation, steps: Steps) -> None:
    """∇J, where there are a few gradients to gather."""
    gradients = derivation.gradients
    if not 1 < len(gradients) <= _IN_A_VECTOR:
        return
    loss = gradients[0].of
    symbol = Name(f"∇{loss.text}", rf"\nabla {loss.latex or latex_of(loss.text)}")
    symbols = Call("tuple", tuple(Partial(g.of, g.wrt) for g in gradients))
    numbers = Call("tuple", tuple(Number(g.value) for g in gradients))
    steps.document.heading(2, "The gradient")
    steps.step(symbol, [Link(symbols), Link(numbers, relation(steps, numbers))])


def picture(derivation: Derivation, document: Document) -> None:
    """The graph, where it is small enough to be looked at."""
    block = block_of(derivation.board, document.digits)
    if block is not None:
        document.blocks.append(block)


def updates(derivation: Derivation, steps: Steps) -> None:
    """How the optimizer moves each parameter."""
    if not derivation.updates:
        return
    board = derivation.board
    steps.document.heading(1, "Update")
    for update in derivation.updates:
        update_lines(steps, update, board.quantities[board.loss].name)


def again(derivation: Derivation, document: Document) -> None:
    """The forward pass with the new parameters: has the loss fallen?"""
    before, after = derivation.board, derivation.after
    if after is None:
        return
    document.heading(1, "Forward again, with the new parameters")
    document.prose("Every parameter that the optimizer moves has its new value here.")
    rows = [
        (q.name, Number(before.quantities[name].value), Number(q.value))
        for name, q in after.quantities.items()
        if q.formula is not None and name in before.quantities
    ]
    document.blocks.append(Table(("quantity", "before", "after"), tuple(rows)))
    old, new = before.quantities[before.loss].value, after.quantities[after.loss].value
    word = "fallen" if new < old else "risen" if new > old else "stayed the same"
    change = f" by {shown(abs(new - old), document.digits)}" if new != old else ""
    document.prose("The loss has " + word + change + ".")
