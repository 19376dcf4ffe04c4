"""Modules that put more elements around an input."""

from __future__ import annotations

from chalkgrad.core.errors import ArgumentError
from chalkgrad.nn.functional.arrangement import pad
from chalkgrad.nn.module import Module
from chalkgrad.tensor.tensor import Tensor

Sides = int | tuple[int, ...]


class _Pad(Module):
    """`padding` is one number for every side, or (left, right[, top, bottom])."""

    _mode = "constant"
    _axes = 1

    def __init__(self, padding: Sides) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self._axes) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_Pad):
    """Zeros at both ends of (…, W).

    >>> import chalkgrad as torch
    >>> torch.nn.ZeroPad1d((1, 2))(torch.ones(1, 2))
    tensor([[0., 1., 1., 0., 0.]])
    """


class ZeroPad2d(_Pad):
    """Zeros around (…, H, W)."""

    _axes = 2


class _ConstantPad(_Pad):
    def __init__(self, padding: Sides, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """One number at both ends of (…, W).

    >>> import chalkgrad as torch
    >>> torch.nn.ConstantPad1d(1, 7.0)(torch.ones(1, 2))
    tensor([[7., 1., 1., 7.]])
    """


class ConstantPad2d(_ConstantPad):
    """One number around (…, H, W)."""

    _axes = 2


class ReflectionPad1d(_Pad):
    """(C, W) or (N, C, W) mirrored at both ends, without a second copy of the edge.

    >>> import chalkgrad as torch
    >>> torch.nn.ReflectionPad1d(2)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """(C, H, W) or (N, C, H, W) mirrored on all sides, without a second copy of the edge."""

    _mode, _axes = "reflect", 2


class ReplicationPad1d(_Pad):
    """(C, W) or (N, C, W) with its edges repeated.

    >>> import chalkgrad as torch
    >>> torch.nn.ReplicationPad1d(2)(torch.tensor([[1.0, 2.0]]))
    tensor([[1., 1., 1., 2., 2., 2.]])
    """

    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """(C, H, W) or (N, C, H, W) with its edges repeated."""

    _mode, _axes = "replicate", 2


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() - self._axes not in (1, 2):
            expected = f"{self._axes + 1}D or {self._axes + 2}D"
            raise ArgumentError(f"expected {expected} input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """(C, W) or (N, C, W) continued from its other end.

    >>> import chalkgrad as torch
    >>> torch.nn.CircularPad1d(1)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """


class CircularPad2d(_CircularPad):
    """(C, H, W) or (N, C, H, W) continued from its other ends."""

    _axes = 2
