"""The reverse pass: from a graph to the graph of its gradients, by the chain rule.

Every node's gradient is the sum, over the nodes that use it, of the using node's gradient carried
back through one derivative rule. Visiting nodes from the youngest to the oldest makes every sum
complete before it is used. There is no recursion, and no number is needed: the rules are written in
tensors, so in a trace they build equations and otherwise they compute.

Each backward node is stamped with `Because(node, argnum)`, the rule that made it, or with
`Meeting(node)` where two paths from the loss meet and their gradients are added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from chalkgrad.core.graph import Because, Meeting, Node, ancestors
from chalkgrad.core.primitive import H
from chalkgrad.core.scope import current


def pullback(
    roots: Sequence[H], cotangents: Sequence[H], wanted: Collection[Node] | None = None
) -> dict[Node, H]:
    """The gradient of Σ cotangentᵢ · rootᵢ towards every node that it depends on.

    With `wanted`, the pass goes only through nodes that lie between the roots and these.
    """
    order = ancestors([root.node for root in roots if root.node.tracked], tracked_only=True)
    useful = None if wanted is None else _between(order, wanted)
    gradients: dict[Node, H] = {}
    for root, cotangent in zip(roots, cotangents, strict=True):
        _add(gradients, root.node, cotangent)
    wrap = roots[0].wrap
    for node in reversed(order):
        if node.primitive is None or node not in gradients or (useful and node not in useful):
            continue
        operands = [wrap(node), *(wrap(source) for source in node.inputs)]
        for argnum, source in enumerate(node.inputs):
            if not source.tracked or (useful is not None and source not in useful):
                continue
            rule = node.primitive.rule(argnum)
            with _stamped(Because(node, argnum)):
                contribution = rule(gradients[node], *operands, **node.params)
            if contribution is not None:  # a custom rule may say that there is none
                _add(gradients, source, contribution)
    return gradients


def _add(gradients: dict[Node, H], node: Node, contribution: H) -> None:
    if node in gradients:
        with _stamped(Meeting(node)):
            contribution = gradients[node] + contribution  # type: ignore[operator]
    gradients[node] = contribution


def _between(order: Sequence[Node], wanted: Collection[Node]) -> set[Node]:
    """The nodes of `order` that depend on a wanted one."""
    found = set(wanted)
    for node in order:
        if not found.isdisjoint(node.inputs):
            found.add(node)
    return found


@contextmanager
def _stamped(stamp: Because | Meeting) -> Iterator[None]:
    mode = current()
    mode.because, before = stamp, mode.because
    try:
        yield
    finally:
        mode.because = before
