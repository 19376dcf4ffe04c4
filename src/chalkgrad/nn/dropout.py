"""Dropout: parts of the input are 0 while training (G. Hinton and others 2012)."""

from __future__ import annotations

from chalkgrad.core.errors import ArgumentError
from chalkgrad.nn.functional import layers as F
from chalkgrad.nn.module import Module
from chalkgrad.tensor.tensor import Tensor


class _Dropout(Module):
    _keeps_shape = True

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """While training, each element is 0 with probability p, else x / (1 − p); after eval(), x.

    >>> import chalkgrad as torch
    >>> torch.nn.Dropout(0.2).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """While training, each channel of (N, C, L) is 0 with probability p, else x / (1 − p).

    >>> import chalkgrad as torch
    >>> torch.nn.Dropout1d(1.0)(torch.ones(1, 1, 2))
    tensor([[[0., 0.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """While training, each channel of (N, C, H, W) is 0 with probability p, else x / (1 − p).

    >>> import chalkgrad as torch
    >>> torch.nn.Dropout2d(1.0)(torch.ones(1, 1, 1, 2))
    tensor([[[[0., 0.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)
