"""Which nodes of a graph are quantities that a person writes down, and what they are called.

Where a person has given names (a worksheet), those are the quantities. Otherwise:

    a leaf with a name, or data that a layer or a loss reads          a quantity
    what a scope hands on (a layer, a softmax, a loss)                a quantity
    the sums inside a scope that has several (a batch's mean)         quantities
    the terms that a loss adds up                                     quantities
    each operation outside of those scopes                            a quantity
    what moves elements, signs, scalings, the inside of a scope       folded into formulas
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from chalkgrad.core.graph import LITERAL, Node, ancestors
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    VALUE,
    WEIGHTED_SUM,
    Label,
)

_MOVING = {
    "broadcast", "reshape", "transpose", "slice", "pad", "concatenate", "flip", "cast", "copy",
    "negative", "take", "take_along", "add_at", "add_along",
    "pool_scatter",
}  # fmt: skip
_PRODUCTS = {"matmul", "einsum", "convolution", "convolution_input"}
_LONG = 48  # operations in one formula
_LONG_NAME = 24
_SUMS = {"sum", "mean", "max", "min", "prod"}
SHIFTED = {"softmax", "log_softmax", "logsumexp"}  # they take a number out of every exponent


def labels_of(root: Node, given: Mapping[Node, Label]) -> dict[Node, Label]:
    """A label for every quantity of a graph."""
    return dict(given) if given else _Choice(root, {}).labels


@dataclass
class _Choice:
    root: Node
    labels: dict[Node, Label]
    layer: int = 0
    users: dict[Node, list[Node]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    sizes: dict[Node, int] = field(default_factory=dict)  # of the formulas of folded nodes

    def __post_init__(self) -> None:
        self.nodes = ancestors([self.root])
        for node in self.nodes:
            for source in node.inputs:
                self.users.setdefault(source, []).append(node)
        self.scopes = {str(node.scope) for node in self.nodes if node.scope is not None}
        self.loss_scope = str(self.root.scope) if self.root.scope is not None else ""
        self.leaf_scopes = {
            s for s in self.scopes if not any(t.startswith(f"{s}.") for t in self.scopes)
        } | {self.loss_scope} - {""}
        self.sums = self._sums_by_scope()
        self._label_leaves()
        for node in self.nodes:
            if node.primitive is not None and node.tracked and node not in self.labels:
                self._label_equation(node)
                self._label_long(node)

    def _scope(self, node: Node) -> str:
        """Where it was computed; what a loss calls, such as a softmax, is part of the loss."""
        scope = str(node.scope) if node.scope is not None else ""
        inside = self.loss_scope and scope.startswith(f"{self.loss_scope}.")
        return self.loss_scope if inside else scope

    def _sums_by_scope(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.primitive is not None and node.primitive.name in _SUMS:
                found.setdefault(self._scope(node), []).append(node)
        return found

    # Leaves.
    def _label_leaves(self) -> None:
        numbers = count(1)
        for node in self.nodes:
            if node.primitive is not None or node in self.labels or node.params is LITERAL:
                continue
            if node.dtype.kind != "f":
                continue
            if node.tracked or node.name is not None:
                self._add(node, PARAMETER, node.name or f"parameter{next(numbers)}")
            elif self._is_data(node):
                target = {self._scope(user) for user in self.users[node]} == {self.loss_scope}
                self._add(node, TARGET if target else INPUT, "y" if target else "x", records=True)

    def _is_data(self, node: Node) -> bool:
        """Is it what a layer or a loss reads, and no constant of an operation?"""
        if node is self.root or not node.shape or self._is_shift(node) or self._is_result(node):
            return False
        users = [self._reader(user) for user in self.users[node]]
        if any(user.primitive.name in _PRODUCTS for user in users if user.primitive):
            return True
        scopes = {self._scope(user) for user in users}
        if scopes == {self.loss_scope} and self.loss_scope in self.leaf_scopes:
            known = [n for n, label in self.labels.items() if label.kind == TARGET]
            return not known
        return bool(scopes - self.leaf_scopes)

    def _is_shift(self, node: Node) -> bool:
        """Is it the number that keeps a softmax from overflowing?"""
        scopes = [user.scope for user in self.users[node]]
        return all(scope is not None and scope.name in SHIFTED for scope in scopes)

    def _is_result(self, node: Node) -> bool:
        """Is it what a person's own function has computed? (Its derivative is another node.)"""
        return any(u.primitive is not None and u.primitive.custom and u.inputs[0] is node
                   for u in self.users[node])  # fmt: skip

    def _reader(self, user: Node) -> Node:
        """Who reads it in the end, past what only moves its elements."""
        while user.primitive is not None and user.primitive.name in _MOVING and user in self.users:
            user = self.users[user][0]
        return user

    # Equations.
    def _label_equation(self, node: Node) -> None:
        assert node.primitive is not None
        scope, name = self._scope(node), node.primitive.name
        if node is self.root:
            self._add(node, LOSS, "loss")
        elif node.primitive.custom:
            self._add_computed(node, _shown(node, self.labels, scope))
        elif self._is_loss_term(node):
            self._add(node, LOSS_TERM, "loss", records=len(node.shape) > 1)
        elif scope in self.leaf_scopes:
            if scope == self.loss_scope:
                return
            if self._is_handed_on(node, scope):
                self._add_computed(node, scope)
            elif node in self.sums.get(scope, ()) and len(self.sums[scope]) > 1:
                self._add(node, VALUE, f"{scope}.{name}")
        elif name not in _MOVING and not self._is_scaling(node) and not self._is_summand(node):
            self._add_computed(node, _shown(node, self.labels, scope))

    def _label_long(self, node: Node) -> None:
        """What would make a formula longer than anyone reads is a quantity of its own."""
        sizes = [1 if n in self.labels else self.sizes.get(n, 1) for n in node.inputs]
        self.sizes[node] = 1 + sum(sizes)
        if node not in self.labels and self.sizes[node] > _LONG:
            self._add_computed(node, _shown(node, self.labels, self._scope(node)))

    def _is_handed_on(self, node: Node, scope: str) -> bool:
        assert node.primitive is not None
        if node.primitive.name in _MOVING - {"negative"}:
            return False
        return any(not self._inside(user, scope) for user in self._readers(node))

    def _inside(self, node: Node, scope: str) -> bool:
        return self._scope(node) == scope

    def _readers(self, node: Node) -> Iterable[Node]:
        """What computes with it, past what only moves its elements."""
        for user in self.users.get(node, ()):
            assert user.primitive is not None
            if user.primitive.name in _MOVING - {"negative"} and user is not self.root:
                yield from self._readers(user)
            else:
                yield user

    def _is_loss_term(self, node: Node) -> bool:
        if self._scope(node) != self.loss_scope or node.dtype.kind != "f":
            return False
        if int(np.prod(node.shape)) < 2:
            return False
        return (
            any(
                user is self.root and user.primitive is not None and user.primitive.name in _SUMS
                for user in self._readers(node)
            )
            and node.primitive is not None
            and node.primitive.name not in _MOVING - {"negative"}
        )

    def _is_scaling(self, node: Node) -> bool:
        """Is it a product with a number, of which one formula makes use?"""
        assert node.primitive is not None
        literal = any(source.params is LITERAL for source in node.inputs)
        scales = node.primitive.name in ("multiply", "divide", "add", "subtract")
        return literal and scales and len(self.users.get(node, ())) == 1

    def _is_summand(self, node: Node) -> bool:
        """Is it a matrix product, or a sum, to which one sum adds something?"""
        assert node.primitive is not None
        readers = list(self._readers(node))
        return node.primitive.name in {*_PRODUCTS, "add"} and len(readers) == 1 and all(
            reader.primitive is not None and reader.primitive.name == "add"
            and self._scope(reader) == self._scope(node) and reader is not self.root
            for reader in readers
        )  # fmt: skip

    def _add_computed(self, node: Node, base: str) -> None:
        base = f"{base}.out" if base.isdigit() else base  # a layer called 2 reads like a number
        weighted = self._is_weighted(node)
        if weighted:
            self.layer += 1
        kind = WEIGHTED_SUM if weighted else ACTIVATION if self.layer else VALUE
        self._add(node, kind, base, records=len(node.shape) > 1)

    def _is_weighted(self, node: Node) -> bool:
        """Is it a product of matrices, or a convolution, with what is added to it?"""
        work = [node]
        while work:
            part = work.pop()
            if part.primitive is None or (part is not node and part in self.labels):
                continue
            if part.primitive.name in _PRODUCTS:
                return True
            if part.primitive.name in ("add", "reshape"):
                work += part.inputs
        return False

    def _add(self, node: Node, kind: str, base: str, *, records: bool = False) -> None:
        uses = self.taken[base] = self.taken.get(base, 0) + (kind != LOSS_TERM)
        if uses > 1:
            base = f"{base}({uses})"
        layer = self.layer or None
        self.labels[node] = Label(kind, None, layer, records, base=base)


def _shown(node: Node, labels: Mapping[Node, Label], scope: str) -> str:
    """What an operation of a person's own code is called: sigmoid(hidden), or its own name."""
    assert node.primitive is not None
    name = node.primitive.name
    known = [labels[source].base for source in node.inputs if source in labels]
    if len(node.inputs) == 1 and len(known) == 1 and 0 < len(known[0]) <= _LONG_NAME:
        return f"{name}({known[0]})"
    return f"{scope}.{name}" if scope else name
