"""Where a NaN or an infinity began: the equation that made it out of finite numbers.

The search goes from the number that is not finite to what it was computed from, through numbers
that are not finite. An infinity that did no harm (log 0 in a term that was clipped) is not on that
way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, Because, Meeting, Node, ancestors, leaf
from chalkgrad.core.scope import current, recording
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback

Values = Mapping[Node, Any]


def finite(value: Any) -> bool:
    value = np.asarray(value)
    return value.dtype.kind != "f" or bool(np.isfinite(value).all())


def recompute(results: Sequence[Node], given: Values) -> Values:
    """The value of every node that the results depend on, one node at a time."""
    values = dict(given)
    for node in ancestors(results):
        if node in values:
            continue
        if node.primitive is None:
            values[node] = node.value
            continue
        operands = [values[source] for source in node.inputs]
        values[node] = current().run(node.primitive.numpy, *operands, **node.params)
    return values


def origin(result: Node, values: Values) -> Node | None:
    """The oldest node on the way to `result` that is not finite, though all of its inputs are."""
    if finite(values[result]):
        return None
    stack, seen, found = [result], {result}, []
    while stack:
        node = stack.pop()
        bad = [source for source in node.inputs if not finite(values[source])]
        if not bad:
            found.append(node)
        fresh = [source for source in bad if source not in seen]
        seen.update(fresh)
        stack += fresh
    return min(found, key=lambda node: node.seq)


def gradients(loss: Tensor) -> list[Node]:
    """The gradients of an eager loss once more, this time with every equation on the way."""
    one = leaf(np.ones_like(loss.node.value), tracked=True)
    learned = [n for n in ancestors([loss.node], tracked_only=True) if n.primitive is None]
    with recording(True):
        found = pullback([loss], [loss.wrap(one)], learned)
    return [found[node].node for node in learned if node in found]


def describe(node: Node, value: Any, where: Callable[[Array], str]) -> str:
    """'log in layers.2 gives -inf at [3, 0] of shape [32, 1] (1 of 32 elements)'"""
    if node.primitive is None:
        return (
            f"{node.name or 'an input'} holds {kind(value)} {where(value) or place(value)}".rstrip()
        )
    return f"{equation(node)} gives {kind(value)} {place(value)}".rstrip()


def equation(node: Node) -> str:
    """'the gradient through matmul in layers.0 towards layers.0.weight', in words."""
    assert node.primitive is not None
    because = node.because
    if isinstance(because, Because):
        source = because.node.inputs[because.argnum]
        towards = source.name or (source.primitive.name if source.primitive else "its input")
        rule = because.node.primitive.name if because.node.primitive else "?"
        region = _region(because.node)
        return f"the gradient through {rule}{region} towards {towards} ({node.primitive.name})"
    if isinstance(because, Meeting):
        return f"the sum of gradients at {because.node.name or 'a node'}{_region(because.node)}"
    return f"{node.primitive.name}{_region(node)}"


def kind(value: Any) -> str:
    return "NaN" if np.isnan(value).any() else "infinity"


def place(value: Any) -> str:
    value = np.asarray(value)
    bad = np.argwhere(~np.isfinite(value))
    if not value.shape or not len(bad):
        return ""
    share = f" ({len(bad)} of {value.size} elements)" if value.size > 1 else ""
    return f"at {bad[0].tolist()} of shape {list(value.shape)}{share}"


def _region(node: Node) -> str:
    return f" in {node.scope}" if node.scope else ""
