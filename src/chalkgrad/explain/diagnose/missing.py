"""Why a tensor has no gradient at all: which tensor is cut off, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chalkgrad.core.graph import LITERAL, Node
from chalkgrad.explain.diagnose.names import Names, listed, region
from chalkgrad.explain.diagnose.report import FAULT, NOTE, Finding
from chalkgrad.tensor.tensor import Tensor

_CUT = "no detach(), no_grad(), .data, .item() or NumPy between it and the loss"


def without_history(loss: Tensor) -> Finding:
    """Of a loss that nothing can be learned from."""
    because = (
        "the loss has no history: nothing that it was computed from has requires_grad=True, or it "
        "was computed under no_grad(), or from numbers that detach() or NumPy cut off"
    )
    if loss.node.dtype.kind != "f":
        because = f"the loss is of {loss.dtype}: whole numbers have no derivative"
    return Finding(FAULT, "the loss", "every gradient is None", because, _CUT)


def missing(
    names: Names, tensors: Sequence[tuple[str, Tensor]], asked: bool
) -> list[Finding]:  # fmt: skip
    """One finding for each reason; tensors that the loss does not reach share one.

    A parameter without requires_grad is frozen on purpose, unless somebody asks for its gradient.
    """
    found, unreached = list[Finding](), list[tuple[str, Tensor]]()
    for name, tensor in tensors:
        node = tensor.node
        if node.dtype.kind != "f":
            because = f"it holds whole numbers ({tensor.dtype}), which have no derivative"
            found.append(_none(FAULT, name, because, "floats: x.float()"))
        elif not node.tracked:
            because = "requires_grad is False"
            remedy = "requires_grad_(), if it is to learn"
            found.append(_none(FAULT if asked else NOTE, name, because, remedy))
        else:
            unreached.append((name, tensor))
    if unreached:
        found.append(_unreached(names, unreached))
    return found


def _none(severity: str, where: str, because: str, remedy: str) -> Finding:
    return Finding(severity, where, "the gradient is None", because, remedy)


def _unreached(names: Names, tensors: Sequence[tuple[str, Tensor]]) -> Finding:
    where = listed([name for name, _ in tensors])
    cuts = _cuts(names)
    exact = [cut for cut in cuts if any(_same(cut[0], tensor.node) for _, tensor in tensors)]
    likely = [cut for cut in cuts if any(_made_by(cut[0], tensor.node) for _, tensor in tensors)]
    because = "the loss does not depend on it: no path of the graph leads there"
    remedy = "it to be used in the forward pass, or left out of the optimizer"
    if exact:
        because = f"the graph was cut: its own numbers enter {exact[0][1]} without history"
        remedy = _CUT
    elif likely:
        node, place = likely[0]
        because = (
            f"the graph was cut: a tensor of shape {list(node.shape)} enters {place} without "
            "history (detached, or computed under no_grad)"
        )
        remedy = _CUT
    return _none(FAULT, where, because, remedy)


def _cuts(names: Names) -> list[tuple[Node, str]]:
    """The tensors without history at which the graph of the loss ends, and what reads them."""
    found: dict[Node, str] = {}
    for user in names.flow.order:
        for source in user.inputs:
            plain = source.primitive is None and not source.tracked and source.dtype.kind == "f"
            if plain and source.params is not LITERAL and source not in found and source.shape:
                assert user.primitive is not None
                found[source] = f"{user.primitive.name}{region(user)}"
    return [*found.items()]


def _same(cut: Node, node: Node) -> bool:
    """Does a leaf show the very memory of a parameter?"""
    return np.may_share_memory(cut.value, node.value)


def _made_by(cut: Node, weight: Node) -> bool:
    """Could a tensor be the output of a layer with these weights? Not if somebody named it."""
    if cut.name or len(weight.shape) < 2:
        return False
    axis = 1 if len(weight.shape) > 2 and len(cut.shape) > 2 else -1
    return len(cut.shape) > 1 and weight.shape[0] == cut.shape[axis]
