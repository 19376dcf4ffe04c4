"""What a finding calls things: the author's names where there are some, else layers and places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from chalkgrad.core.graph import LITERAL, Array, Node
from chalkgrad.explain.diagnose.flow import Flow
from chalkgrad.formulas.labels import INPUT, TARGET, Label

Index = tuple[int, ...]
SHOWN = 3  # names in a list before the rest is counted

_CONVOLUTIONS = {"convolution", "convolution_input"}
_PRODUCTS = {"matmul", "einsum", *_CONVOLUTIONS}
MOVES = {
    "broadcast", "cast", "concatenate", "copy", "pad", "reshape", "slice", "transpose",
}  # fmt: skip
_RECORD = re.compile(r"\[\d+\]$")


class Station(NamedTuple):
    """A weighted sum: the node that multiplies by weights."""

    node: Node
    weight: Node  # the operand that holds the weights, and its axis of units
    weight_axis: int
    inputs: Node
    axis: int  # of units, in the output


class Names:
    """The names of nodes, layers and units in one pass."""

    def __init__(self, flow: Flow, labels: Mapping[Node, Label] | None) -> None:
        self.flow = flow
        self.labels = labels or {}
        # A worksheet's inputs and targets may have gradients too, but are not learned.
        self.data = {n for n, label in self.labels.items() if label.kind in (INPUT, TARGET)}
        self.weights = _weightlike(flow, self.data)
        found = [_station(node, self.weights) for node in flow.order]
        self.stations = {s.node: s for s in found if s is not None}
        self.parameters = [leaf for leaf in flow.leaves if leaf not in self.data]
        self._below: dict[Node, Station | None] = {}
        for node in flow.order:
            self._below[node] = self.stations.get(node) or self._inherited(node)

    def _inherited(self, node: Node) -> Station | None:
        """The weighted sum that a node follows: its inputs' youngest."""
        sources = [self._below.get(source) for source in node.inputs]
        return max((s for s in sources if s), key=lambda s: s.node.seq, default=None)

    def below(self, node: Node) -> Station | None:
        """The weighted sum that this node is, or is computed from."""
        return self._below.get(node)

    def layer(self, node: Node) -> str:
        """`layers.2`: the scope of a weighted sum, or of a parameter; "" where nothing has one."""
        return titled(self._layer(node))

    def _layer(self, node: Node) -> str:
        if node.primitive is None:
            return (node.name or "").rpartition(".")[0]
        station = self.below(node)
        if station is None:
            return str(node.scope or "")
        label = self.labels.get(self.sum_of(station.node))
        if label is not None and label.layer is not None:
            return str(label.layer)
        if station.node.scope is not None:
            return str(station.node.scope)
        leaf = station.weight
        while len(leaf.inputs) == 1:
            leaf = leaf.inputs[0]
        name = leaf.name or f"weighted sum {[*self.stations].index(station.node) + 1}"
        return name.rpartition(".")[0] or name

    def home(self, parameter: Node) -> str:
        """A parameter's layer: what stands before the last dot of its name, else the weighted sum
        that it is a part of, else its own name."""
        above = (parameter.name or "").rpartition(".")[0]
        if above:
            return titled(above)
        node = parameter
        while self.flow.users[node] and self.below(node) is None:
            node = self.flow.users[node][0].user
        return self.layer(node) if self.below(node) is not None else self.node(parameter)

    def sum_of(self, node: Node) -> Node:
        """A weighted sum with its bias, where the author named that."""
        for edge in self.flow.users[node]:
            if edge.user in self.labels and edge.user.shape == node.shape:
                return edge.user
        return node

    def station(self, station: Station) -> str:
        """A weighted sum's layer: its scope, else its place."""
        return self.layer(station.node)

    def node(self, node: Node) -> str:
        """A quantity: its name, else what computes it and where."""
        label = self.labels.get(node)
        if label is not None and label.names is None:
            return label.base
        if label is not None and label.names is not None and label.names.size:
            return _listed([str(name) for name in label.names.flat])
        if node.name:
            return node.name
        shape = f"shape {list(node.shape)}"
        if node.primitive is None:
            if node.params is LITERAL or (not node.shape and not node.tracked):
                return f"the number {float(node.value):.4g}"
            return f"a parameter of {shape}" if node.tracked else f"a tensor of {shape}"
        return f"{node.primitive.name}{region(node)} of {shape}"

    def element(self, node: Node, index: Index, short: str = "") -> str:
        """One element: the author's name, `short`, or the node's name with its place."""
        label = self.labels.get(node)
        if label is not None:
            return label.name(index)
        if short and node.name is None:
            return short
        name = node.name or "x"
        return f"{name}{list(index)}" if index else name

    # Units.
    def axis(self, node: Node) -> int | None:
        """The axis along which a node's units stand."""
        rank = len(node.shape)
        station = self.below(node)
        if station is not None and len(station.node.shape) == rank:
            return station.axis
        if rank == 0:
            return None
        return 1 if rank == 4 else rank - 1

    def mask(self, node: Node, places: Sequence[int]) -> Array:
        """The elements of these units; of all, if none is said."""
        axis = self.axis(node)
        if axis is None or not places:
            return np.ones(node.shape, bool)
        mask = np.zeros(node.shape, bool)
        np.moveaxis(mask, axis, 0)[[*places]] = True
        return mask

    def unit(self, node: Node, place: int) -> str:
        """A unit: the author's name, or `unit 2 of layers.0`."""
        label, axis = self.labels.get(node), self.axis(node)
        if label is not None and label.names is not None:
            index = tuple(place if k == axis else 0 for k in range(len(node.shape)))
            name = label.name(index)
            return _RECORD.sub("", name) if label.records else name
        where = self.layer(node)
        if axis is None or node.shape[axis] == 1:
            return f"the unit of {where}" if where else "it"
        return f"unit {place}" + (f" of {where}" if where else "")

    def units(self, node: Node, places: Sequence[int]) -> str:
        """Several units in one phrase."""
        label = self.labels.get(node)
        if len(places) == 1 or (label is not None and label.names is not None):
            return _listed([self.unit(node, place) for place in places])
        where = self.layer(node)
        of = f" of {where}" if where else ""
        axis = self.axis(node)
        if axis is not None and len(places) == node.shape[axis]:
            return f"all {len(places)} units{of}"
        return f"units {_listed([str(place) for place in places])}{of}"


def titled(layer: str) -> str:
    """`layers.2` as it is, and a bare 2 as `layer 2`."""
    return f"layer {layer}" if layer[:1].isdigit() else layer


def by_unit(array: Array, axis: int | None) -> Array:
    """[units, everything else]"""
    if axis is None:
        return array.reshape(1, -1)
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


def region(node: Node) -> str:
    """' in layers.2'"""
    return f" in {node.scope}" if node.scope else ""


def _listed(names: Sequence[str]) -> str:
    if len(names) <= SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"


def listed(names: Iterable[str]) -> str:
    """'a, b, c and 4 more'"""
    return _listed([*names])


def _weightlike(flow: Flow, data: set[Node]) -> set[Node]:
    """The parameters, and what is only moved about of them: a transpose, rows put together."""
    found: set[Node] = set()
    for node in flow.order:
        if node.primitive is None:
            found |= {node} - data
        elif node.primitive.name in MOVES:
            tracked = [source for source in node.inputs if source.tracked]
            if all(source in found for source in tracked):
                found.add(node)
    return found


def _station(node: Node, weights: set[Node]) -> Station | None:
    if node.primitive is None or node.primitive.name not in _PRODUCTS or len(node.inputs) != 2:
        return None
    operands = node.inputs
    held = [k for k in (1, 0) if operands[k] in weights]
    if not held:  # frozen weights have no gradient
        held = [k for k in (1, 0) if not operands[k].tracked]
    if not held:
        return None
    k = held[0]
    rank = len(node.shape)
    if node.primitive.name in _CONVOLUTIONS:
        return Station(node, operands[k], 0 if node.primitive.name == "convolution" else 1,
                       operands[1 - k], 1)  # fmt: skip
    last = len(operands[k].shape) - 1
    if k == 0 and node.primitive.name == "matmul":
        return Station(node, operands[0], last - 1, operands[1], rank - 2)
    return Station(node, operands[k], last, operands[1 - k], rank - 1)
