"""The door of an optimizer: which parameters it may be given, in which form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.optim.settings import Group
from chalkgrad.tensor.tensor import Tensor


def as_groups(params: Any) -> list[Group]:
    if isinstance(params, Tensor):
        raise TypeMismatch(
            "params argument given to the optimizer should be an iterable of Tensors or dicts, "
            "but got a Tensor. Put it in a list: [tensor]."
        )
    if not isinstance(params, Iterable):
        call = " Pass its parameters()." if hasattr(params, "parameters") else ""
        raise TypeMismatch(
            "params argument given to the optimizer should be an iterable of Tensors or dicts, "
            f"but got {type(params).__name__}.{call}"
        )
    given = list(params)
    if not given:
        reason = (
            "An iterator gives its tensors once: if this one was used before, call "
            "model.parameters() again. "
            if isinstance(params, Iterator)
            else ""
        )
        raise ArgumentError(
            f"optimizer got an empty parameter list. {reason}Pass model.parameters(). A model "
            "finds the layers that are its attributes; layers in a plain list or dict are not "
            "found: use ModuleList or ModuleDict."
        )
    return given if isinstance(given[0], dict) else [{"params": given}]


def _listed(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        raise TypeMismatch(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    return list(params)


def unzipped(params: Any) -> tuple[list[Tensor], list[str]]:
    """The tensors of a group, and their names where (name, tensor) pairs are given."""
    given = _listed(params)
    names = [item[0] for item in given if isinstance(item, tuple)]
    if names and len(names) != len(given):
        raise ArgumentError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [item[1] if isinstance(item, tuple) else item for item in given], names


def check_leaf(tensor: Any) -> None:
    if not isinstance(tensor, Tensor):
        call = " Pass the parameters() of the model." if hasattr(tensor, "parameters") else ""
        raise TypeMismatch(
            "optimizer can only optimize Tensors, but one of the params is "
            f"{type(tensor).__name__}.{call}"
        )
    node = tensor.node
    if node.primitive is not None and node.owner is None:
        raise ArgumentError(
            "can't optimize a non-leaf Tensor: "
            f"{node.name or 'one of shape ' + str(list(node.shape))} is the result of "
            f"{node.primitive.name}. Optimize what it was computed from, or make it a leaf with "
            "x.detach().requires_grad_()."
        )
