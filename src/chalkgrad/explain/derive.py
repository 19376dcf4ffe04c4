"""From the graph that ran to the board: every quantity with its formula, every edge with its
derivative.

Some nodes have labels: their elements are the quantities that a person writes down. The nodes
between are folded into formulas. The derivative from one quantity to the next is the sum, over the
routes through folded nodes, of the products of the nodes' own derivatives (`edges`), which are read
from the rules that the reverse pass runs: breaking a rule changes what is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush

from chalkgrad.core.graph import Node
from chalkgrad.explain.algebra import simplified
from chalkgrad.explain.board import Board, Local
from chalkgrad.explain.chalk import Chalk, value_of
from chalkgrad.explain.edges import Coefficients, Edges, adjoints
from chalkgrad.explain.elements import At
from chalkgrad.explain.fold import chosen
from chalkgrad.formulas import ONE, Call, Expression, Rest
from chalkgrad.formulas.labels import LOSS_TERM, Label


class Derive:
    """Writes a graph on the board, by the labels of its nodes.

    `most` is how many terms of a long sum, and how many edges from one quantity, are shown.
    """

    def __init__(self, root: Node, labels: Mapping[Node, Label], most: int | None = None) -> None:
        self.root, self.labels, self.most = root, labels, most
        self.edges = Edges(root)
        self.adjoints = adjoints(root)
        self.chalk = Chalk(self.edges.elements, labels, most)

    def board(self, starts: Iterable[At]) -> Board:
        """Everything between these quantities and the root, and what that is computed from."""
        chalk = self.chalk
        locals: dict[tuple[str, str], Local] = {}
        rest: dict[str, Rest] = {}
        waiting = [(at.node.seq, at.index, at.node) for at in starts]
        heapify(waiting)
        while waiting:
            _, index, node = heappop(waiting)
            at = At(node, index)
            if at in chalk.way:
                continue
            name = chalk.write(at).name
            chalk.way.add(at)
            edges, followed, left = chosen(self.to_next(at), self._share, self.most)
            if left is not None:
                rest[name.text] = left
            for out, derivative in edges.items():
                local = self._local(out, at, derivative)
                locals[local.of.text, name.text] = local
                if out in followed:
                    heappush(waiting, (out.node.seq, out.index, out.node))
        loss = chalk.write(At(self.root, ())).name  # also where nothing leads to it
        ends = {of for of, _ in locals}
        collapsed = {
            quantity.name.text: float(self.adjoints[at.node][at.index])
            for at, quantity in chalk.quantities.items()
            if quantity.name.text in ends and at not in chalk.way
        }
        return Board(chalk.written(), locals, loss.text, rest, collapsed)

    def to_next(self, at: At) -> Coefficients:
        """The derivative of each next quantity towards this element, over elements."""
        routes: dict[At, list[Expression]] = {}
        for user, argnum in self.edges.users.get(at.node, ()):
            for out, inner in self.edges.towards(at, user, argnum).items():
                if user in self.labels:
                    routes.setdefault(out, []).append(inner)
                    continue
                for quantity, outer in self.to_next(out).items():
                    routes.setdefault(quantity, []).append(_chained(outer, inner))
        return {out: r[0] if len(r) == 1 else Call("sum", tuple(r)) for out, r in routes.items()}

    def _share(self, out: At, derivative: Expression) -> float:
        """How much of the gradient comes along an edge."""
        return value_of(derivative) * float(self.adjoints[out.node][out.index])

    def _local(self, of: At, by: At, derivative: Expression) -> Local:
        chalk = self.chalk
        names, raw = (chalk.name(of), chalk.name(by)), chalk.in_names(derivative)
        steps = simplified(raw, chalk.value, chalk.definitions(of, raw))
        formula = steps[-1].formula if steps else raw
        term = self.labels[by.node].kind == LOSS_TERM and of.node is self.root and formula == ONE
        return Local(*names, raw, steps, formula, value_of(derivative), term)


def _chained(outer: Expression, inner: Expression) -> Expression:
    if inner == ONE:
        return outer
    return inner if outer == ONE else Call("prod", (outer, inner))
