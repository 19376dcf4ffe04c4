"""Views: tensors that show the elements of another one, and change together with it.

Outside of the graph a view shares memory, and nothing has to be done. In the graph no number ever
changes: an in-place operation moves its tensor on to a new node. Then the tensor that it views gets
a new node too, with the changed elements in their places, and so does every other view of that one.
"""

from __future__ import annotations

from typing import Any, TypeVar
from weakref import ref

import numpy as np

from chalkgrad.core.errors import GradientError
from chalkgrad.core.graph import Array, Node, Params, Shape, is_leaf, leaf
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.core.scope import current, recording
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import shaping
from chalkgrad.tensor.operand import Operand

T = TypeVar("T", bound=Operand)

FUNCTIONAL = (
    "Compute a new tensor instead: torch.where(mask, v, x), x.scatter(dim, index, v), "
    "x.index_copy(dim, index, v) or torch.index_put(x, indices, v)."
)


def view(base: T, primitive: Primitive, params: Params) -> T:
    """A view of a tensor, by a primitive that moves elements and copies none."""
    out = bind(primitive, (base,), params)
    if primitive is shaping.broadcast and out.node.value is not None:
        # The record fills a small array, which is faster to compute with, but is no view.
        out.node.value = np.broadcast_to(base.node.value, params["shape"])
    out.origin = (base, primitive, params)
    # Leaves with a gradient never change in the graph, and the others only inside a trace.
    if not is_leaf(base.node) or (current().abstract and not base.node.tracked):
        try:
            base.views.append(ref(out))
        except AttributeError:
            base.views = [ref(out)]
    return out


def move(tensor: Any, node: Node) -> None:
    """Put a tensor on a new node of the graph, with all that shows the same elements."""
    _check(tensor)
    tensor._become(node)
    _refresh(tensor, None)
    while origin := getattr(tensor, "origin", None):
        base, primitive, params = origin
        if primitive is e.copy:  # detached: the same numbers without history
            base.assign(tensor)
        else:
            base._become(_replaced(base, primitive, params, tensor).node)
        _refresh(base, tensor)
        tensor = base


def _refresh(base: Any, skip: Any) -> None:
    """Show a tensor's new elements in its views."""
    for link in getattr(base, "views", ()):
        shown = link()
        if shown is not None and shown is not skip:
            _, primitive, params = shown.origin
            with recording(current().recording and primitive is not e.copy):
                shown._become(bind(primitive, (base,), params).node)
            _refresh(shown, None)


def _check(tensor: Any) -> None:
    """May the graph record a change of everything that this tensor is a view of?"""
    while origin := getattr(tensor, "origin", None):
        tensor, primitive, _ = origin
        if primitive is e.copy:  # detached, inside a trace
            if tensor.node.tracked and not is_leaf(tensor.node):
                raise GradientError(
                    "a detached tensor is changed in place inside a compiled function, and what it "
                    "was detached from has a history, whose gradient would be lost. Compute a new "
                    "tensor instead, or change the original one."
                )
            return
        if tensor.node.tracked and is_leaf(tensor.node):
            raise GradientError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                f"operation ({tensor.node.name or f'of shape {list(tensor.node.shape)}'}). Wrap it "
                "in `with no_grad():`, or compute a new tensor."
            )
        if primitive is None:
            raise GradientError(
                "an in-place change of x[…] is not recorded, so a gradient would be lost. "
                f"{FUNCTIONAL}"
            )
        if primitive is shaping.broadcast:
            raise GradientError(
                "unsupported operation: more than one element of the written-to tensor refers to a "
                "single memory location. Please clone() the tensor before performing the operation."
            )


def _replaced(base: Any, primitive: Primitive, params: Params, value: Any) -> Any:
    """A tensor with the elements that a view shows replaced."""
    shape: Shape = base.node.shape
    if primitive is shaping.reshape:
        return value.reshaped(shape)
    if primitive is shaping.transpose:
        return value.transposed(shaping.inverse(params["axes"]))
    inside: Array = np.zeros(shape, bool)
    shown = zip(params["start"], params["stop"], params["step"], strict=True)
    inside[tuple([slice(*bounds) for bounds in shown])] = True
    return bind(e.select, (base.wrap(leaf(inside)), _placed(value, shape, **params), base))


def _placed(value: Any, shape: Shape, start: Shape, stop: Shape, step: Shape) -> Any:
    """The elements of a slice at their places among zeros."""
    sizes = zip(value.node.shape, start, step, shape, strict=True)
    high = tuple([n - a - max(m - 1, 0) * s - min(m, 1) for m, a, s, n in sizes])
    between = tuple([s - 1 for s in step])
    return bind(shaping.pad, (value,), {"low": start, "high": high, "between": between})
