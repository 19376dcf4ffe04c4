"""Optimizer states in and out, in PyTorch's format."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError
from chalkgrad.optim.settings import Group
from chalkgrad.optim.terms import tensor_of
from chalkgrad.tensor.tensor import Tensor

# What of a group is not loaded: the parameters, and PyTorch's choice of an implementation.
_OWN = frozenset({"params", "foreach", "fused", "capturable", "differentiable"})
_COUNTS = frozenset({"step", "mu_product"})  # numbers that are tensors here


def packed(groups: list[Group], state: dict[Any, Any]) -> dict[str, Any]:
    """{"state": …, "param_groups": …} with every parameter replaced by its number."""
    number: dict[Tensor, int] = {}
    for k, parameter in enumerate(chain.from_iterable(group["params"] for group in groups)):
        number.setdefault(parameter, k)
    return {
        "state": {number.get(key, key): value for key, value in state.items()},
        "param_groups": [{**g, "params": [number[p] for p in g["params"]]} for g in groups],
    }


def check_groups(groups: list[Group], saved: list[Group]) -> None:
    """Saved groups must be as many and as large as these."""
    if len(saved) != len(groups):
        raise ArgumentError(
            f"loaded state dict has a different number of parameter groups: {len(saved)}, and this "
            f"optimizer has {len(groups)}"
        )
    for k, (group, new) in enumerate(zip(groups, saved, strict=True)):
        if len(group["params"]) != len(new["params"]):
            raise ArgumentError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                f"optimizer's group: group {k} has {len(new['params'])} parameters there and "
                f"{len(group['params'])} here"
            )


def load_options(groups: list[Group], saved: list[Group]) -> None:
    for group, new in zip(groups, saved, strict=True):
        for name, value in new.items():
            pair = isinstance(group.get(name), tuple) and isinstance(value, list)
            if name not in _OWN:
                group[name] = tuple(value) if pair else value


class Copies:
    """Copies of saved states. Numbers that are equal share one read-only array, as at the start."""

    def __init__(self) -> None:
        self.shared: dict[Any, Any] = {}

    def of(self, value: Any, name: str, parameter: Tensor | None) -> Any:
        """A tensor for an array or a tensor of any kind; text and plain numbers as they are."""
        if value is None or (isinstance(value, (int, float)) and name not in _COUNTS):
            return value
        if isinstance(value, (list, tuple)):
            return [self.of(item, name, parameter) for item in value]
        array = np.array(value.detach().numpy() if hasattr(value, "detach") else value)
        array = array.astype(_type(array, name, parameter))
        if not array.shape:
            array.flags.writeable = False
            array = self.shared.setdefault((name, array.item(), array.dtype), array)
        return tensor_of(array)


def _type(array: np.ndarray[Any, Any], name: str, parameter: Tensor | None) -> np.dtype[Any]:
    """The parameter's type, but for the count of steps."""
    if parameter is not None and name != "step" and parameter.node.dtype.kind == "f":
        return parameter.node.dtype
    return array.dtype if array.dtype.kind == "f" else dtypes.default.dtype
