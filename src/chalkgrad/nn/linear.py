"""Layers that multiply by a matrix, and the one that does nothing."""

from __future__ import annotations

import math
from typing import Any

from chalkgrad.nn import init
from chalkgrad.nn.functional.layers import bilinear, linear
from chalkgrad.nn.module import Module
from chalkgrad.nn.parameter import Parameter, constant
from chalkgrad.nn.place import Fit
from chalkgrad.tensor.tensor import Tensor


class Identity(Module):
    """What comes in goes out; arguments are taken and not used.

    >>> import chalkgrad as torch
    >>> torch.nn.Identity()(torch.ones(2))
    tensor([1., 1.])
    """

    _keeps_shape = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """x Wᵀ + b, with a weight of shape (out_features, in_features).

    Input (…, in_features), output (…, out_features). Weight and bias start uniform within
    ±1/√in_features. RuntimeError names the layer where a width does not fit.

    >>> import chalkgrad as torch
    >>> layer = torch.nn.Linear(2, 3)
    >>> layer(torch.ones(4, 2)).shape, layer.weight.shape
    (torch.Size([4, 3]), torch.Size([3, 2]))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = constant((out_features, in_features), 0.0, device, dtype)
        self.register_parameter(
            "bias", constant((out_features,), 0.0, device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        start_bias(self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def _fit(self) -> Fit:
        return Fit("width {}", -1, self.in_features, self.out_features)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def start_bias(bias: Parameter | None, fan_in: int) -> None:
    """A bias uniform within ±1/√fan_in, as PyTorch starts it."""
    if bias is not None:
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
        init.uniform_(bias, -bound, bound)


class Bilinear(Module):
    """aᵀ W_k b + c_k for every output k, with a weight of shape (out, in1, in2).

    Inputs (…, in1_features) and (…, in2_features), output (…, out_features).

    >>> import chalkgrad as torch
    >>> torch.nn.Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 3)).shape
    torch.Size([5, 4])
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = constant((out_features, in1_features, in2_features), 0.0, device, dtype)
        self.register_parameter(
            "bias", constant((out_features,), 0.0, device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights, uniform within ±1/√in1_features."""
        start_bias(self.weight, self.in1_features)
        start_bias(self.bias, self.in1_features)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
