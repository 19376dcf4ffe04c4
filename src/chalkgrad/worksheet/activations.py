"""The activations that a layer may name: those of `chalkgrad.nn.functional`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chalkgrad.nn import functional as F
from chalkgrad.tensor.tensor import Tensor

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor] | None] = {
    "identity": None,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": F.softplus,
    "softmax": partial(F.softmax, dim=-1),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "softsign": F.softsign,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "logsigmoid": F.logsigmoid,
}
PROBABILITIES = ("sigmoid", "softmax", "hardsigmoid")  # between 0 and 1
