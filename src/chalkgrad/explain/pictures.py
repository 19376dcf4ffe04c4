"""The board as a picture: numbers forward, derivatives back along the edges."""

from __future__ import annotations

from chalkgrad.draw import Edge, Picture, Vertex, folded, svg
from chalkgrad.draw import text as told
from chalkgrad.explain import document as blocks
from chalkgrad.explain.board import Board, Quantity
from chalkgrad.formulas import DIGITS, Name, Number, shown, text
from chalkgrad.formulas.labels import ACTIVATION, INPUT, LOSS_TERM, PARAMETER, TARGET, WEIGHTED_SUM

_MOST = 60  # vertices of a picture that is worth a look
_COLUMN = 10  # vertices in one column


def picture_of(board: Board, digits: int = DIGITS) -> Picture:
    """A network as its units, with a weight on each edge; anything else quantity by quantity."""
    layered = any(q.kind == WEIGHTED_SUM for q in board.quantities.values())
    picture = _Network(board, digits).picture() if layered else _graph(board, digits)
    return folded(picture, _COLUMN)


def block_of(board: Board, digits: int) -> blocks.Picture | None:
    """The picture as a block of a document; None where it would be too large, or a fragment."""
    if len(board.quantities) > _MOST or board.rest:
        return None
    picture = picture_of(board, digits)
    return blocks.Picture(svg(picture), told(picture))


def _number(value: float, digits: int) -> str:
    return shown(value, digits).replace("-", "−")


def _graph(board: Board, digits: int) -> Picture:
    """Every quantity a vertex, every edge with its local derivative."""
    vertices = [
        Vertex(name, name, q.value, q.kind, detail=_detail(q))
        for name, q in board.quantities.items()
    ]
    edges = [
        Edge(by, of, below=f"∂{of}/∂{by} = {_number(local.value, digits)}")
        for (of, by), local in board.locals.items()
    ]
    title = f"The graph of {board.loss}"
    description = "Values go forward along the arrows; each arrow bears its local derivative."
    return Picture(tuple(vertices), tuple(edges), title, description, "graph", digits)


def _detail(quantity: Quantity) -> str:
    formula = quantity.formula
    return "" if formula is None or isinstance(formula, Number) else text(formula)


class _Network:
    """Units as vertices: a weighted sum and its activation are one."""

    def __init__(self, board: Board, digits: int) -> None:
        self.board, self.digits = board, digits
        self.gradients = board.gradients(board.loss)
        self.unit: dict[str, str] = {}  # the quantity whose vertex a quantity is drawn in
        for name, quantity in board.quantities.items():
            users = board.users[name]
            merged = quantity.kind == WEIGHTED_SUM and len(users) == 1
            if merged and board.quantities[users[0]].kind == ACTIVATION:
                self.unit[name] = users[0]

    def picture(self) -> Picture:
        first = {q.record for q in self.board.quantities.values() if q.record is not None}
        record = min(first, default=None)
        shown_kinds = {INPUT, WEIGHTED_SUM, ACTIVATION, LOSS_TERM}
        kept = [
            q for name, q in self.board.quantities.items()
            if name not in self.unit and q.record in (None, record)
            and (q.kind in shown_kinds or name == self.board.loss)
        ]  # fmt: skip
        known = {q.name.text for q in kept}
        edges = [
            self._edge(of, by)
            for of, by in self.board.locals
            if self.unit.get(of, of) in known and by in known
        ]
        several = len(first) > 1
        title = "The network" + (f", record {record}" if several else "")
        description = (
            "Weights stand above their arrows, the gradients towards them below; in each unit its "
            "output."
        )
        return Picture(
            tuple(self._vertex(q) for q in kept), tuple(edges), title, description, "layers",
            self.digits,
        )  # fmt: skip

    def _vertex(self, quantity: Quantity) -> Vertex:
        name = quantity.name.text
        return Vertex(name, name, quantity.value, quantity.kind)

    def _edge(self, of: str, by: str) -> Edge:
        local = self.board.locals[of, by]
        target = self.unit.get(of, of)
        weight = local.formula
        if isinstance(weight, Name) and self._is_parameter(weight.text):
            loss, gradient = self.board.loss, self.gradients.get(weight.text)
            below = (
                "" if gradient is None
                else f"∂{loss}/∂{weight.text} = {_number(gradient, self.digits)}"
            )  # fmt: skip
            above = f"{weight.text} = {_number(local.value, self.digits)}"
            return Edge(by, target, above, below, local.value)
        return Edge(by, target, below=f"∂{of}/∂{by} = {_number(local.value, self.digits)}")

    def _is_parameter(self, name: str) -> bool:
        found = self.board.quantities.get(name)
        return found is not None and found.kind in (PARAMETER, TARGET)
