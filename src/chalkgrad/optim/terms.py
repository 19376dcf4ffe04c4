"""What the states and update equations of optimizers are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.graph import leaf
from chalkgrad.optim.settings import Settings
from chalkgrad.tensor.tensor import Tensor

State = dict[str, Tensor]

_SHARED: dict[tuple[float, np.dtype[Any]], Any] = {}


def tensor_of(array: Any) -> Tensor:
    """A leaf that holds this array itself."""
    made = Tensor()
    made.node = leaf(array)
    return made


def number(value: float) -> Tensor:
    """A state that is one number, such as the count of steps."""
    # Equal numbers share one read-only array: what is computed from them is then computed once.
    key = (value, dtypes.default.dtype)
    if key not in _SHARED:
        _SHARED[key] = np.array(value, dtypes.default.dtype)
        _SHARED[key].flags.writeable = False
    return tensor_of(_SHARED[key])


def filled(parameter: Tensor, value: float) -> Tensor:
    """A state in the shape of a parameter."""
    return tensor_of(np.full(parameter.node.shape, value, parameter.node.dtype))


def penalized(parameter: Tensor, gradient: Tensor, setting: Settings) -> Tensor:
    """The gradient of what is minimized: −g where g is to be climbed, plus weight_decay · θ."""
    if setting.on("maximize"):
        gradient = -gradient
    if setting.on("weight_decay"):
        gradient = gradient + setting("weight_decay") * parameter
    return gradient


def decayed(parameter: Tensor, gradient: Tensor, setting: Settings) -> tuple[Tensor, Tensor]:
    """Decoupled weight decay: θ − lr · weight_decay · θ, and the gradient (−g to maximize)."""
    if setting.on("weight_decay"):
        parameter = (1 - setting("lr") * setting("weight_decay")) * parameter
    return parameter, -gradient if setting.on("maximize") else gradient
