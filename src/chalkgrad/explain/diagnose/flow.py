"""The backward pass of one loss with every number on the way.

    Flow ::= the nodes between the loss and its leaves, each with its value and its gradient
    Edge ::= (user, argnum)      the chain rule at `user`, towards its input `argnum`

An edge's contribution is the user's gradient carried back through one derivative rule; a node's
gradient is the sum of the contributions of the edges that lead to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from chalkgrad.core.errors import GradientError, TraceError
from chalkgrad.core.graph import Array, Node, ancestors, leaf
from chalkgrad.core.scope import current, recording
from chalkgrad.tensor.tensor import Tensor, marks
from chalkgrad.transform.grad import pullback

Masks = Mapping[Node, Array]


class Edge(NamedTuple):
    """The chain rule at `user`, towards its input `argnum`."""

    user: Node
    argnum: int

    @property
    def source(self) -> Node:
        return self.user.inputs[self.argnum]

    @property
    def name(self) -> str:
        """The name of the user's primitive."""
        assert self.user.primitive is not None
        return self.user.primitive.name


class Flow:
    """Values, gradients and edges of one pass. Nothing of the graph is changed."""

    def __init__(self, loss: Tensor) -> None:
        self.handle, self.loss = loss, loss.node
        self.order = ancestors([loss.node], tracked_only=True)
        self.users: dict[Node, list[Edge]] = {node: [] for node in self.order}
        for node in self.order:
            for argnum, source in enumerate(node.inputs):
                if source.tracked:
                    self.users[source].append(Edge(node, argnum))
        _refuse_changed(self.order)
        with recording(False):
            one = loss.literal(1).broadcasted(loss.node.shape)
            found = pullback([loss], [one])
        self.gradients: dict[Node, Array] = {n: g.node.value for n, g in found.items()}

    @property
    def leaves(self) -> list[Node]:
        """What the loss is differentiated towards: parameters, by their age."""
        return [node for node in self.order if node.primitive is None]

    def contribution(self, edge: Edge, given: Array | None = None) -> Array:
        """What an edge brings to its source; `given` stands for the user's gradient."""
        node = edge.user
        assert node.primitive is not None
        gradient = self.gradients.get(node) if given is None else given
        if gradient is None:
            return np.zeros(edge.source.shape, edge.source.dtype)
        wrap = self.handle.wrap
        operands = [wrap(node), *(wrap(source) for source in node.inputs)]
        with recording(False):
            rule = node.primitive.rule(edge.argnum)
            found = rule(wrap(leaf(gradient)), *operands, **node.params)
        if found is None:  # a custom rule may say that there is none
            return np.zeros(edge.source.shape, edge.source.dtype)
        return np.asarray(found.node.value)

    def arriving(self, edge: Edge) -> Array:
        """The same; where no other path meets it, it is the source's gradient."""
        if len(self.users[edge.source]) == 1 and edge.source in self.gradients:
            return self.gradients[edge.source]
        return self.contribution(edge)

    def slope(self, edge: Edge) -> Array:
        """The local derivative of a function of single elements, element by element."""
        return self.contribution(edge, np.ones(edge.user.shape, edge.user.dtype))

    def strongest(self, node: Node, masks: Masks) -> Edge | None:
        """The edge over which most of a node's gradient arrives."""
        edges = self.users[node]
        if len(edges) < 2:
            return edges[0] if edges else None
        return max(edges, key=lambda edge: norm(self.arriving(edge), masks.get(node)))

    def path(self, node: Node, masks: Masks) -> list[Edge]:
        """From a node up to the loss, always over the strongest edge."""
        found: list[Edge] = []
        edge = self.strongest(node, masks)
        while edge is not None:
            found.append(edge)
            edge = self.strongest(edge.user, masks)
        return found

    def above(self, node: Node) -> list[Node]:
        """Every node that depends on this one, itself first, inputs before users."""
        found, stack = {node}, [node]
        while stack:
            for edge in self.users[stack.pop()]:
                if edge.user not in found:
                    found.add(edge.user)
                    stack.append(edge.user)
        return sorted(found, key=lambda n: n.seq)

    def masks(self, node: Node) -> Masks:
        """Which elements of the nodes above depend on this one at all, dead units or not.

        NaN in its place spreads to them: through a weight of 0 as through any other.
        """
        spread: dict[Node, Array] = {}
        masks: dict[Node, Array] = {}
        run = current().run
        for user in self.above(node):
            primitive = user.primitive
            if user is node:
                value = np.full(node.shape, np.nan, node.dtype)
            elif primitive is None or primitive.custom:  # a person's code runs only when asked to
                value = np.full(user.shape, np.nan, user.dtype)
            else:
                operands = [spread.get(source, source.value) for source in user.inputs]
                value = np.asarray(run(primitive.numpy, *operands, **user.params))
            mask = np.isnan(value)
            if not mask.any():  # a step stops NaN as well
                mask = np.ones(user.shape, bool)
                value = np.full(user.shape, np.nan, user.dtype)
            spread[user], masks[user] = value, mask
        return masks


def flow(loss: Tensor) -> Flow:
    """The pass behind an eager loss that has one element and a history."""
    node = loss.node
    if node.value is None or current().abstract:
        raise TraceError(
            "diagnose() reads numbers, and a traced program has none while it is being built: "
            "call it with an eager loss"
        )
    if node.value.size != 1:
        raise GradientError(
            f"diagnose() takes a loss of one number; this tensor has shape {list(node.shape)}. "
            "Reduce it first: loss.mean() or loss.sum()."
        )
    return Flow(loss)


def _refuse_changed(order: list[Node]) -> None:
    if not marks.times:
        return
    for node in order:
        for source in node.inputs:
            if source.value is not None and marks.changed_after(source.value, node.seq):
                name = source.name or f"a tensor of shape {list(source.shape)}"
                raise GradientError(
                    f"{name} was changed in place after the loss was computed, so its numbers are "
                    "gone. Compute the loss again, then diagnose it."
                )


def norm(array: Array, mask: Array | None = None) -> float:
    """√Σ x², in float64, also where the squares overflow or round to 0."""
    if mask is not None:
        array = array[mask]
    flat = np.asarray(array, np.float64).reshape(-1)
    with np.errstate(all="ignore"):
        squares = float(np.dot(flat, flat))
        if 1e-250 < squares < 1e250:
            return float(np.sqrt(squares))
        largest = float(np.abs(flat).max(initial=0.0))
        if largest == 0 or not np.isfinite(largest):
            return largest
        return largest * float(np.sqrt(np.dot(flat / largest, flat / largest)))


def total(array: Array, mask: Array | None = None) -> float:
    """Σ |x|, in float64."""
    if mask is not None:
        array = array[mask]
    with np.errstate(all="ignore"):
        return float(np.abs(array).sum(dtype=np.float64))


def finite(array: Array) -> bool:
    """Is every element a number? (Whole numbers always are.)"""
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
