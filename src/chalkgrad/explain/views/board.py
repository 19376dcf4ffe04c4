"""The board view: scalars with the author's names, one gradient after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from chalkgrad.explain.algebra import simplified
from chalkgrad.explain.board import Board, Path
from chalkgrad.explain.document import Document, Link, Part
from chalkgrad.explain.steps import Gradient
from chalkgrad.explain.views import passes
from chalkgrad.explain.views.lines import (
    Steps,
    factors_of,
    joined,
    local_links,
    product_of,
    recursion_links,
    relation,
    summed,
)
from chalkgrad.formulas import Expression, Name, Number, Partial, float_value, latex, text
from chalkgrad.formulas.names import latex_of

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation

_FEW_PATHS = 4  # that are written out one by one; more are gathered quantity by quantity


def write(derivation: Derivation, document: Document) -> None:
    """The passes: forward, backward, update, forward again."""
    board, steps = derivation.board, Steps(document)
    passes.conventions(derivation, document)
    passes.given(board, document)
    document.heading(1, "Forward pass")
    passes.forward(board, steps)
    document.heading(1, "Backward pass")
    writer = _Backward(board, steps)
    few = all(len(g.paths) <= _FEW_PATHS and not g.hidden for g in derivation.gradients)
    for gradient in derivation.gradients:
        symbol = Partial(gradient.of, gradient.wrt)
        document.heading(2, text(symbol), symbol)
        (writer.by_paths if few else writer.by_quantities)(gradient)
    passes.whole_gradient(derivation, steps)
    passes.picture(derivation, document)
    passes.updates(derivation, steps)
    passes.again(derivation, document)


class _Backward:
    """Writes gradients, and remembers what it has written."""

    def __init__(self, board: Board, steps: Steps) -> None:
        self.board, self.steps, self.values = board, steps, board.values
        self.document = steps.document
        self.partials: dict[tuple[str, str], float] = {}

    # One path after the other.
    def by_paths(self, gradient: Gradient) -> None:
        """The chain of each path, its components, and putting them together."""
        whole = Partial(gradient.of, gradient.wrt)
        several = len(gradient.paths) > 1
        if not gradient.paths:
            passes.no_path(gradient, self.steps)
        for path in gradient.paths:
            symbol = self._symbol(gradient, path) if several else whole
            self._chain(symbol, path)
            self._components(path)
            if not _is_one_edge(symbol, path):
                self._together(symbol, path)
        if several:
            parts = [self._symbol(gradient, path) for path in gradient.paths]
            values = [path.value for path in gradient.paths]
            self.document.prose(*self._why(gradient))
            self._add(whole, parts, values, gradient.value)
        self.partials[whole.of.text, whole.by.text] = gradient.value

    def _symbol(self, gradient: Gradient, path: Path) -> Expression:
        """What a path contributes: ∂E_1/∂w1 where that says it, else ∂E/∂w1 via what is its own."""
        first = path.locals[0]
        alone = [p for p in gradient.paths if p.locals[0].by == first.by]
        if len(alone) == 1 and first.plain_term:
            return Partial(first.by, gradient.wrt)
        others = [set(p.through) for p in gradient.paths if p is not path]
        own = [n for n in path.through if not any(n in other for other in others)]
        via = own[-1:] or path.through
        whole = Partial(gradient.of, gradient.wrt)
        words = " and ".join(name.text for name in via)
        low = ",".join(name.latex or latex_of(name.text) for name in via)
        return Name(f"({text(whole)} via {words})", rf"\left.{latex(whole)}\right|_{{{low}}}")

    def _why(self, gradient: Gradient) -> list[Part]:
        uses = list(dict.fromkeys(path.locals[-1].of for path in gradient.paths))
        if len(uses) == 1:
            return ["The contributions of the paths add up:"]
        parts: list[Part] = [gradient.wrt, " is used in "]
        for k, name in enumerate(uses):
            parts += [("" if k == 0 else " and " if k == len(uses) - 1 else ", "), name]
        return [*parts, "; what reaches it on each way adds up:"]

    def _chain(self, symbol: Expression, path: Path) -> None:
        names = [path.locals[0].of, *(local.by for local in path.locals)]
        parts: list[Part] = []
        for a, b in pairwise(names):
            parts += ["; " if parts else "", a, " depends on ", b]
        self.document.prose(*parts[1:], ".")
        if not _is_one_edge(symbol, path):
            self.document.equation(symbol, [Link(product_of(path))])

    def _components(self, path: Path) -> None:
        for local in factors_of(path):
            if local.symbol in self.steps.numbers:
                self.steps.again(local.symbol, local.value)
            else:
                self.steps.step(local.symbol, local_links(self.steps, local, self.values))

    def _together(self, symbol: Expression, path: Path) -> None:
        factors = factors_of(path)
        self.document.prose("Putting them together:")
        formula = joined([local.formula for local in factors])
        numbers = joined([Number(local.value) for local in factors])
        links = [Link(formula)] if len(factors) > 1 else [Link(product_of(path))]
        if len(factors) > 1:
            links += self._shorter(formula)
        if len(factors) > 1 and numbers != formula:
            links.append(Link(numbers, relation(self.steps, numbers)))
        links.append(self.steps.value(path.value))
        self.steps.step(symbol, links)

    def _shorter(self, formula: Expression) -> list[Link]:
        """What a lecturer cancels: the product of a loss's and an activation's derivatives."""
        found = simplified(formula, self._value, {})
        collected = [step for step in found if step.rule == "collect"]
        return [Link(step.formula, remark="multiplied out and cancelled") for step in collected]

    def _value(self, formula: Expression) -> float:
        return float_value(formula, self.values)

    def _add(
        self, symbol: Expression, parts: list[Expression], values: list[float], total: float
    ) -> None:
        numbers = summed([Number(v) for v in values])
        links = [Link(summed(parts)), Link(numbers, relation(self.steps, numbers))]
        self.steps.step(symbol, [*links, self.steps.value(total)])

    # From the loss back, each quantity once.
    def by_quantities(self, gradient: Gradient) -> None:
        """∂L/∂q for every quantity on the way, each from those that use it."""
        board = self.board
        reached = board.gradients(gradient.of.text)
        if gradient.wrt.text not in reached:
            passes.no_path(gradient, self.steps)
        order = [name for name in reversed(board.quantities) if name in reached]
        above = self._above(gradient.wrt.text)
        for name in order:
            if name in above and (gradient.of.text, name) not in self.partials:
                self._gather(gradient.of, board.quantities[name].name, reached)

    def _above(self, name: str) -> set[str]:
        """What is computed from a quantity, directly or not, and itself."""
        found, work = {name}, [name]
        while work:
            for user in self.board.users[work.pop()]:
                if user not in found:
                    found.add(user)
                    work.append(user)
        return found

    def _gather(self, of: Name, by: Name, reached: dict[str, float]) -> None:
        if of == by or by.text in self.board.collapsed:
            return  # the number of a collapsed one stands where it is used
        self.partials[of.text, by.text] = reached[by.text]
        links = recursion_links(self.steps, self.board, of, by, reached)
        self.steps.step(Partial(of, by), links)


def _is_one_edge(symbol: Expression, path: Path) -> bool:
    """Is the path no more than the local derivative that it is asked for?"""
    factors = factors_of(path)
    return len(factors) == 1 and factors[0].symbol == symbol
