"""The forward pass once more, with the parameters that the optimizer would give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Node, ancestors, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors import numpy as executor
from chalkgrad.explain.board import Board, Quantity
from chalkgrad.explain.elements import At
from chalkgrad.optim import Optimizer
from chalkgrad.optim.settings import Settings, numbers
from chalkgrad.tensor.tensor import Tensor


def leaf_of(root: Node, tensor: Tensor) -> Node | None:
    """The leaf that a tensor was in this graph; an optimizer has put it on another one since."""
    for node in ancestors([root]):
        if node is tensor.node or (node.owner is not None and node.owner() is tensor):
            return node
    return None


def moved(root: Node, optimizer: Optimizer, adjoints: Mapping[Node, Array]) -> dict[Node, Array]:
    """The new numbers of every parameter that the optimizer moves."""
    found = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            node = leaf_of(root, parameter)
            if node is None or node not in adjoints:
                continue
            state = optimizer.start(parameter, group) | dict(optimizer.state.get(parameter, {}))
            setting = Settings(group, _reader(group))
            with recording(False):
                new, _ = optimizer.apply(
                    parameter.wrap(leaf(node.value)), parameter.wrap(leaf(adjoints[node])), state,
                    setting,
                )  # fmt: skip
            found[node] = np.asarray(new.node.value)
    return found


def _reader(group: dict[str, Any]) -> Any:
    def read(name: str, k: int) -> Tensor:
        return Tensor().wrap(leaf(np.array(numbers(group[name])[k], np.float64)))

    return read


def forward_again(
    root: Node, board: Board, quantities: Mapping[At, Quantity], new: Mapping[Node, Array]
) -> Board:
    """The board with the numbers of a pass with other parameters."""
    leaves = [node for node in ancestors([root]) if node.primitive is None]
    nodes = [node for node in ancestors([root]) if node.primitive is not None]
    arrays = [np.asarray(new.get(node, node.value)) for node in leaves]
    values = dict(zip(leaves, arrays, strict=True))
    values |= dict(zip(nodes, executor.interpret(leaves, nodes, arrays), strict=True))
    after = {
        quantity.name.text: replace(quantity, value=float(values[at.node][at.index]))
        for at, quantity in quantities.items()
        if at.node in values  # not a parameter that nothing uses
    }
    known = {name: after[name] for name in board.quantities if name in after}
    return Board(known, {}, board.loss)
