"""A leaf whose array is made when somebody asks for it.

A compiled step leaves dozens of tensors behind after every call, and few of them are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalkgrad.core.graph import NO_PARAMS, Array, Node, tick

_SLOT: Any = Node.__dict__["value"]


class LateNode(Node):
    """A leaf that fetches its array once, when `value` is read for the first time."""

    __slots__ = ("fetch",)

    fetch: Callable[[], Array] | None

    @property
    def value(self) -> Any:
        fetch = self.fetch
        if fetch is not None:
            self.value = fetch()
        return _SLOT.__get__(self)

    @value.setter
    def value(self, value: Any) -> None:
        _SLOT.__set__(self, value)
        self.fetch = None


def late_leaf(like: Node, fetch: Callable[[], Array]) -> Node:
    """A leaf of another one's type, name and tracking."""
    node: LateNode = object.__new__(LateNode)
    node.primitive, node.inputs, node.params = None, (), NO_PARAMS
    node.shape, node.dtype, node.tracked = like.shape, like.dtype, like.tracked
    node.scope = node.because = node.owner = None
    node.name, node.spent = like.name, False
    node.seq, node.fetch = tick(), fetch
    return node
