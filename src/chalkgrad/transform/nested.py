"""Tensors in nested lists, tuples, named tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalkgrad.tensor.tensor import Tensor


def same(value: Any) -> Any:
    """What is not a tensor stays as it is."""
    return value


def mapped(
    tree: Any, change: Callable[[Tensor], Any], other: Callable[[Any], Any] = same
) -> Any:  # fmt: skip
    """Apply `change` to every tensor, in their order, and `other` to every other leaf."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, dict):
        return {key: mapped(item, change, other) for key, item in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(item, change, other) for item in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(mapped(item, change, other) for item in tree)
    return other(tree)
