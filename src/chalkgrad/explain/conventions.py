"""What a derivation takes for granted, said: the loss, the notation, the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from chalkgrad.core.graph import Node

_NAMES = {
    "lecture": "the names of the worksheet or program",
    "indexed": "w⁽ˡ⁾ᵢⱼ: in layer l, into unit i, from unit j; z the weighted sum, a the activation",
    "nielsen": "wˡᵢⱼ: in layer l, into unit i, from unit j; z, a, cost C (Nielsen)",
    "pytorch": "counted from 0, as in the program",
}
_REDUCED = {"mean": "the mean of all its terms", "sum": "the sum of all its terms"}


def of_graph(
    root: Node, names: str, digits: int, given: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The conventions that are `given`, and those that follow from the graph."""
    known = {topic for topic, _ in given}
    found = [*given]
    if "loss" not in known and root.scope is not None:
        found.append(("loss", _loss(root)))
    found.append(("names", _NAMES[names]))
    found.append(
        ("numbers", f"{root.dtype}, shown with {digits} decimals; ≈ where they are rounded")
    )
    return tuple(found)


def _loss(root: Node) -> str:
    assert root.scope is not None
    assert root.primitive is not None
    reduced = _REDUCED.get(root.primitive.name)
    return f"{root.scope.name}, {reduced}" if reduced else root.scope.name
