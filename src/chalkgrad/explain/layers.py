"""The passes in equations of whole arrays, as a textbook writes them, with their shapes.

Forward, every labelled array is written in the arrays that it is computed from. Backward, the
gradient towards every labelled array is read from the graph that the reverse pass builds, and
written in the gradients that were there before it: that is the recursion of δ, where
δ⁽ˡ⁾ = ∂L/∂Z⁽ˡ⁾. Records are rows, as in the program: a textbook with a column for each record has
the transposed products.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from chalkgrad.core.errors import TraceError
from chalkgrad.core.graph import LITERAL, Array, Node, ancestors
from chalkgrad.core.scope import current, recording
from chalkgrad.explain.algebra import collected, is_shorter, tidied
from chalkgrad.explain.edges import Edges
from chalkgrad.explain.elements import clipped
from chalkgrad.explain.fold import tidy
from chalkgrad.explain.quantities import SHIFTED
from chalkgrad.explain.steps import Matrix
from chalkgrad.formulas import ONE, Call, Expression, Name, Number, Partial, latex, text
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    WEIGHTED_SUM,
    Label,
)
from chalkgrad.formulas.names import superscript
from chalkgrad.formulas.records import FOLDS
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback

_FEW = 16  # numbers of an array that are shown
_INVISIBLE = {"broadcast", "reshape", "copy", "cast"}
_LETTERS = {WEIGHTED_SUM: "Z", ACTIVATION: "A"}


class Layers:
    """The equations of arrays of one graph."""

    def __init__(self, edges: Edges, root: Node, labels: Mapping[Node, Label], loss: Name) -> None:
        self.root, self.labels, self.loss, self.value = root, labels, loss, edges.value
        self.nodes = ancestors([root])
        self.names: dict[Node, Name] = {root: loss}
        self.taken: set[str] = {loss.text}
        self.deltas: dict[Node, Name] = {}
        self.constants: dict[Node, Name] = {}
        stacks = {node for node in self.nodes if self._is_stack(node)}
        inside = {n for n in ancestors(list(stacks)) if n.primitive is None}
        for node in self.nodes:
            if node is not root and node in labels and node not in inside:
                self._name(node, labels[node])
        self._name_stacks(stacks)

    # Names.
    def _name(self, node: Node, label: Label) -> None:
        if not node.shape:
            latex = "" if label.latex is None else str(label.latex[()])
            self.names[node] = Name(label.name(()), latex)
            return
        level = superscript(f"({label.layer})") if label.layer else ""
        known = {INPUT: "X", TARGET: "Y", LOSS: "L", LOSS_TERM: "E"}.get(label.kind)
        text = known or _LETTERS.get(label.kind, "") + level
        if label.kind not in known_kinds() or text in self.taken or not text:
            text = label.base or f"H{len(self.names)}"
        if label.kind == PARAMETER:
            text = label.base
        self.taken.add(text)
        self.names[node] = Name(text, _latex(text))
        if label.kind == WEIGHTED_SUM and label.layer:
            self.deltas[node] = Name(f"δ{level}", rf"\delta^{{({label.layer})}}")

    def _name_stacks(self, stacks: set[Node]) -> None:
        """Matrices that are put together from single parameters: W⁽ˡ⁾ and b⁽ˡ⁾."""
        layer = 0
        inner = {source for node in stacks for source in node.inputs}
        for node in self.nodes:
            label = self.labels.get(node)
            if label is None or label.kind != WEIGHTED_SUM:
                continue
            layer = label.layer or layer + 1
            for source in ancestors([node]):
                if source in stacks - inner and source not in self.names:
                    letter = "W" if len(source.shape) > 1 else "b"
                    text = f"{letter}{superscript(f'({layer})')}"
                    self.names[source] = Name(text, _latex(text))

    def _is_stack(self, node: Node) -> bool:
        """Is it put together from single numbers that have labels?"""
        if node in self.labels or node.primitive is None or not node.shape:
            return False
        if node.primitive.name not in ("concatenate", "reshape"):
            return False
        leaves = [n for n in ancestors([node]) if n.primitive is None]
        return bool(leaves) and all(n in self.labels and not n.shape for n in leaves)

    # Formulas.
    def formula(self, node: Node, stops: Mapping[Node, Expression]) -> Expression:
        """An array's equation over named arrays."""
        assert node.primitive is not None
        name = node.primitive.name
        if name in _INVISIBLE or self._changes_nothing(node):
            return self._operand(node.inputs[0], stops)
        if node.primitive.custom:
            return self._own(node, stops)
        sources = node.inputs if name != "add" else self._terms(node, stops)
        operands = tuple(self._operand(source, stops) for source in sources)
        if len(operands) > 2 and name == "add":
            return Call("sum", operands)
        if name == "transpose":
            return _turned(operands[0])
        if name == "clip":
            return clipped(operands[0], **node.params)
        if name in FOLDS:
            return Call(f"array_{name}{_over(node)}", operands)
        if name == "mean" and _over(node):  # over some axes, and it is said over which
            count = np.prod(node.inputs[0].shape) / np.prod(node.shape)
            return Call("array_sum" + _over(node), operands) / Number(float(count))
        return Call(name, operands)

    def _own(self, node: Node, stops: Mapping[Node, Expression]) -> Name:
        """A person's own function; the first of its inputs is its result, computed before."""
        assert node.primitive is not None
        reads = node.primitive.notation
        operands = [self._operand(source, stops) for source in node.inputs[1:]]
        return Name(reads.text.format("", *map(text, operands)),
                    reads.latex.format("", *map(latex, operands)))  # fmt: skip

    def _terms(self, node: Node, stops: Mapping[Node, Expression]) -> list[Node]:
        """What nested additions add up, in order; there may be a thousand."""
        found, work = [], [*reversed(node.inputs)]
        while work:
            part = work.pop()
            added = part.primitive is not None and part.primitive.name == "add"
            if added and part not in stops and not self._changes_nothing(part):
                work += reversed(part.inputs)
            else:
                found.append(part)
        return found

    def _changes_nothing(self, node: Node) -> bool:
        """Bounds that nothing reaches, and the shift that keeps a softmax from overflowing."""
        assert node.primitive is not None
        name = node.primitive.name
        if name == "clip":
            before, after = self.value(node.inputs[0]), self.value(node)
            return bool(np.array_equal(before, after))
        shifted = node.scope is not None and node.scope.name in SHIFTED
        constant = len(node.inputs) == 2 and _is_constant(node.inputs[1])
        return shifted and constant and name in ("subtract", "add")

    def _operand(self, node: Node, stops: Mapping[Node, Expression]) -> Expression:
        if node in stops:
            return stops[node]
        if node.primitive is None:
            if node.value is not None and node.value.size == 1:
                half = node.params is LITERAL and float(node.value) == 0.5
                return Number(float(np.asarray(node.value).reshape(())), "½" if half else None)
            return self._constant(node)
        return self.formula(node, stops)

    def _constant(self, node: Node) -> Name:
        """Data that is no quantity: the classes that a loss looks up, a dropout's mask."""
        if node not in self.constants:
            users = [user for user in self.nodes if node in user.inputs]
            own = all(user.scope is not None and user.scope is self.root.scope for user in users)
            classes = own and node.dtype.kind == "i" and "Y" not in self.taken
            text = "Y" if classes else f"C{len(self.constants) + 1}"
            self.taken.add(text)
            self.constants[node] = Name(text)
        return self.constants[node]

    def forward(self) -> list[Matrix]:
        """Every named array, from the inputs to the loss."""
        found = []
        for node in self.nodes:
            if node in self.names:
                given = node.primitive is None or node not in self.labels
                stops = {n: name for n, name in self.names.items() if n is not node}
                formula = None if given else written(self.formula(node, stops))
                symbol = self.names[node]
                found.append(Matrix(symbol, formula, node.shape, _rows(node.value)))
        constants = [Matrix(c, None, n.shape, _rows(n.value)) for n, c in self.constants.items()]
        return [*constants, *found]

    def backward(self, adjoints: Mapping[Node, Array]) -> list[Matrix]:
        """The gradient of every named array, from the loss to the parameters.

        None where a person's own derivative computes with numbers: that is no equation.
        """
        try:
            gradients = _gradient_graph(self.root)
        except TraceError:
            return []
        stops: dict[Node, Expression] = dict(self.names)
        found: list[Matrix] = []
        for node in reversed(self.nodes):
            if node not in self.names or node not in gradients or self._is_passed_over(node):
                continue
            symbol = Partial(self.loss, self.names[node])
            back = gradients[node]
            formula = self._operand(back, stops)
            if formula == ONE and node not in self.deltas:
                stops.setdefault(back, ONE)  # a sum towards its terms
                continue
            delta = self.deltas.get(node)
            shown = delta or symbol
            numbers, short = _rows(adjoints.get(node)), shortened(formula)
            found.append(Matrix(symbol, written(formula), node.shape, numbers, delta, short))
            stops.setdefault(back, shown)
        return found

    def _is_passed_over(self, node: Node) -> bool:
        """Data, and activations: what reaches those is written within the δ of their sums."""
        label = self.labels.get(node)
        if node is self.root or (label is not None and label.kind in (INPUT, TARGET)):
            return True
        activation = label is not None and label.kind == ACTIVATION
        return activation and any(source in self.deltas for source in node.inputs)


def written(formula: Expression) -> Expression:
    """Constants and signs in front, and a sign of its own for products element by element."""
    return _elementwise(_tidied(tidy(formula)))


def shortened(formula: Expression) -> Expression | None:
    """Multiplied out and cancelled, where that is shorter; None where it is not.

    Element by element the algebra of numbers holds; a matrix product is one factor in it.
    """
    plain = _tidied(tidy(formula))
    found = collected(plain)
    return _elementwise(found) if is_shorter(found, plain) else None


def _tidied(part: Expression) -> Expression:
    if not isinstance(part, Call):
        return part
    return tidied(Call(part.function, tuple(_tidied(argument) for argument in part.arguments)))


def _elementwise(part: Expression) -> Expression:
    if not isinstance(part, Call):
        return part
    arguments = tuple(_elementwise(argument) for argument in part.arguments)
    if part.function not in ("prod", "multiply"):
        return Call(part.function, arguments)
    numbers = [a for a in arguments if isinstance(a, Number)]
    arrays = [a for a in arguments if not isinstance(a, Number)]
    product = reduce(lambda a, b: Call("hadamard", (a, b)), arrays) if arrays else None
    return Call("prod", (*numbers, *([product] if product is not None else [])))


def _turned(x: Expression) -> Expression:
    """xᵀ, where (xᵀ)ᵀ = x and (a b)ᵀ = bᵀ aᵀ."""
    if isinstance(x, Call) and x.function == "transpose":
        return x.arguments[0]
    if isinstance(x, Call) and x.function == "matmul":
        return Call("matmul", (_turned(x.arguments[1]), _turned(x.arguments[0])))
    return Call("transpose", (x,))


def _over(node: Node) -> str:
    """Which axes a fold is over: all, the records, or the last one."""
    axes, rank = node.params.get("axes", ()), len(node.inputs[0].shape)
    if len(axes) == rank:
        return ""
    return "_records" if axes == (0,) else "_units" if axes == (rank - 1,) else "_some"


def _is_constant(node: Node) -> bool:
    return node.primitive is None and not node.tracked


def known_kinds() -> tuple[str, ...]:
    return (INPUT, TARGET, LOSS, LOSS_TERM, WEIGHTED_SUM, ACTIVATION)


def _latex(text: str) -> str:
    if "⁽" not in text:
        return ""
    letter, _, level = text.partition("⁽")
    plain = level.rstrip("⁾").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    return f"{letter}^{{({plain})}}"


def _rows(value: Array | None) -> tuple[tuple[float, ...], ...] | None:
    """The numbers of a small array, row by row."""
    if value is None or value.ndim > 2 or value.size > _FEW:
        return None
    return tuple(tuple(map(float, row)) for row in np.atleast_2d(value))


def _gradient_graph(root: Node) -> dict[Node, Node]:
    """For every node the node of its gradient, in the graph that the reverse pass builds."""
    mode, handle = current(), Tensor().wrap(root)
    abstract, mode.abstract = mode.abstract, True
    try:
        with recording(False):
            found = pullback([handle], [handle.literal(1).broadcasted(root.shape)])
    finally:
        mode.abstract = abstract
    return {node: gradient.node for node, gradient in found.items()}
