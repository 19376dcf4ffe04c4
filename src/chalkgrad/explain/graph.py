"""The derivation of gradients, from the graph that ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, GradientError, TypeMismatch, nearest
from chalkgrad.core.graph import Node
from chalkgrad.explain import presets
from chalkgrad.explain.choosing import gradient_of
from chalkgrad.explain.conventions import of_graph
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.derive import Derive
from chalkgrad.explain.elements import At
from chalkgrad.explain.layers import Layers
from chalkgrad.explain.quantities import labels_of
from chalkgrad.explain.stepped import forward_again, leaf_of, moved
from chalkgrad.explain.steps import Update
from chalkgrad.explain.update import update_of
from chalkgrad.formulas.labels import GIVEN, PARAMETER, Label
from chalkgrad.optim import Optimizer
from chalkgrad.tensor.tensor import Tensor

_SMALL_NETWORK = 2000  # elements of a graph that are all written down
_SMALL_PARAMETER = 16  # elements of a parameter that are all explained
_MOST = 2  # terms of a long sum that are shown, in a larger network
Wanted = Any  # a tensor, (tensor, index), a name, or several of them


@dataclass(frozen=True)
class Problem:
    """What is to be explained, beside the graph itself."""

    title: str = "The derivation of a gradient"
    source: str = ""
    labels: Mapping[Node, Label] = field(default_factory=dict)  # a person's own names
    conventions: tuple[tuple[str, str], ...] = ()
    whole: bool = False  # is every quantity wanted, and not only what lies above `wrt`?


def explain_graph(
    loss: Tensor, wrt: Wanted, optimizer: Optimizer | None, names: str, view: str, digits: int,
    problem: Problem,
) -> Derivation:  # fmt: skip
    """The derivation of ∂loss/∂wrt; see `explain`."""
    root = _checked(loss)
    presets.check(names)
    labels = presets.renamed(root, labels_of(root, problem.labels), names)
    small = _is_small(root, labels)
    most = None if small else _MOST
    derive = Derive(root, labels, most)
    starts = _starts(root, derive, wrt)
    board = derive.board([*starts, *all_given(labels)] if problem.whole and small else starts)
    wanted = [derive.chalk.name(at).text for at in starts]
    updates: tuple[Update, ...] = ()
    after = None
    if optimizer is not None:
        updates = tuple(_updates(root, derive, starts, optimizer))
        new = moved(root, optimizer, derive.adjoints)
        after = forward_again(root, board, derive.chalk.quantities, new)
    layers = Layers(derive.edges, root, labels, board.quantities[board.loss].name)
    return Derivation(
        problem.title, problem.source, of_graph(root, names, digits, problem.conventions), board,
        tuple(gradient_of(board, board.loss, name) for name in wanted), updates, after,
        tuple(layers.forward()), tuple(layers.backward(derive.adjoints)), view, digits, names,
    )  # fmt: skip


def _checked(loss: Tensor) -> Node:
    if not isinstance(loss, Tensor):
        raise TypeMismatch(
            f"explain takes a loss, the tensor that a computation ends in, not a "
            f"{type(loss).__name__}"
        )
    node = loss.node
    if node.shape and int(np.prod(node.shape)) != 1:
        raise GradientError(
            f"explain takes one number, and this tensor has shape {list(node.shape)}: reduce it "
            "first (loss.mean() or loss.sum())"
        )
    if not node.tracked or node.value is None:
        raise GradientError(
            "there is nothing to derive: the loss was computed from nothing that has "
            "requires_grad=True, or inside no_grad()"
        )
    if node.shape:
        raise GradientError(f"the loss has shape {list(node.shape)}; loss.squeeze() is one number")
    return node


def _is_small(root: Node, labels: Mapping[Node, Label]) -> bool:
    return sum(int(np.prod(node.shape)) for node in labels) <= _SMALL_NETWORK


def all_given(labels: Mapping[Node, Label]) -> list[At]:
    """Every element of what a problem states, so that the board is the whole of it."""
    return [
        At(node, index)
        for node, label in labels.items()
        if label.kind in GIVEN and node.tracked
        for index in np.ndindex(*node.shape)
    ]


# What is explained.
def _starts(root: Node, derive: Derive, wrt: Wanted) -> list[At]:
    if wrt is None:
        nodes = [n for n, label in derive.labels.items() if label.kind == PARAMETER and n.tracked]
        reached = [node for node in nodes if node in derive.adjoints]
        if not reached:
            raise GradientError("no parameter leads to this loss; say what to derive it by: wrt=…")
        return [at for node in reached for at in _elements(node, derive)]
    items = wrt if isinstance(wrt, list | set) or _is_many(wrt) else [wrt]
    found = [at for item in items for at in _found(root, derive, item)]
    if not found or any(at.node is root for at in found):
        raise ArgumentError("wrt names nothing to derive the loss by, or the loss itself")
    return list(dict.fromkeys(found))


def _is_many(wrt: Wanted) -> bool:
    """A tuple of wanted things; (tensor, index) is one thing."""
    if not isinstance(wrt, tuple):
        return False
    return not (
        len(wrt) == 2 and isinstance(wrt[0], Tensor) and not isinstance(wrt[1], Tensor | str)
    )


def _found(root: Node, derive: Derive, item: Wanted) -> Iterable[At]:
    if isinstance(item, str):
        return _by_name(derive, item)
    tensor, index = item if isinstance(item, tuple) else (item, None)
    if not isinstance(tensor, Tensor):
        raise TypeMismatch(
            f"wrt takes parameters, (parameter, index) or names, not {type(tensor).__name__}"
        )
    node = leaf_of(root, tensor)
    if node is None or node not in derive.labels:
        name = tensor.name or f"of shape {list(tensor.node.shape)}"
        raise GradientError(f"the loss was not computed from the tensor {name}")
    if node not in derive.adjoints:
        name = derive.labels[node].base or "this tensor"
        raise GradientError(f"no gradient flows to {name}: it has requires_grad=False")
    if index is None:
        return _elements(node, derive)
    place = tuple(index) if isinstance(index, tuple | list) else (index,)
    inside = len(place) == len(node.shape) and all(
        isinstance(k, int | np.integer) and not isinstance(k, bool) and 0 <= k < n
        for k, n in zip(place, node.shape, strict=True)
    )
    if not inside:
        raise ArgumentError(f"there is no element {list(place)} in a shape {list(node.shape)}")
    return [At(node, tuple(map(int, place)))]


def _elements(node: Node, derive: Derive) -> list[At]:
    """All elements of a small array, or the one with the largest gradient."""
    size = int(np.prod(node.shape))
    if size <= _SMALL_PARAMETER:
        return [At(node, index) for index in np.ndindex(*node.shape)]
    largest = int(np.argmax(np.abs(derive.adjoints[node])))
    return [At(node, tuple(int(k) for k in np.unravel_index(largest, node.shape)))]


def _by_name(derive: Derive, wanted: str) -> list[At]:
    known: list[str] = []
    for node, label in derive.labels.items():
        if label.names is None and not wanted.startswith(label.base):
            known.append(label.base)
            continue
        names = {label.name(index): index for index in np.ndindex(*node.shape)}
        if wanted in names or (label.base and wanted == label.base):
            if node not in derive.adjoints:
                raise GradientError(f"no gradient flows to {wanted}: it has requires_grad=False")
            return [At(node, names[wanted])] if wanted in names else _elements(node, derive)
        known += list(names)[:_SMALL_NETWORK]
    raise ArgumentError(f"there is no quantity {wanted!r} in this pass.{nearest(wanted, known)}")


def _updates(
    root: Node, derive: Derive, starts: Sequence[At], optimizer: Optimizer
) -> Iterable[Update]:
    loss = derive.chalk.name(At(root, ()))
    for at in starts:
        owner = at.node.owner() if at.node.owner is not None else None
        if owner is None:
            continue
        gradient = float(derive.adjoints[at.node][at.index])
        found = update_of(optimizer, owner, at, derive.chalk.name(at), loss, gradient)
        if found is not None:
            yield found
