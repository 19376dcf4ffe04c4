"""Convolution layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from chalkgrad.core.errors import ArgumentError, NotAvailable
from chalkgrad.core.graph import Shape
from chalkgrad.nn import init
from chalkgrad.nn.functional import convolution as F
from chalkgrad.nn.functional.convolution import Sizes, expanded
from chalkgrad.nn.linear import start_bias
from chalkgrad.nn.module import Module
from chalkgrad.nn.parameter import constant
from chalkgrad.nn.place import Fit
from chalkgrad.tensor.tensor import Tensor


class _Convolution(Module):
    """What convolutions share: their sizes, their weights and how they read."""

    _axes: ClassVar[int]
    _is_transposed: ClassVar[bool] = False

    def _build(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes, groups: int, bias: bool, padding_mode: str, device: Any, dtype: Any,
        output_padding: Sizes = 0,
    ) -> None:  # fmt: skip
        _check(in_channels, out_channels, groups, padding_mode)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding_mode = padding_mode
        self.kernel_size = expanded(kernel_size, self._axes, "kernel_size")
        self.stride = expanded(stride, self._axes, "stride")
        self.padding = (
            padding if isinstance(padding, str) else expanded(padding, self._axes, "padding")
        )
        self.dilation = expanded(dilation, self._axes, "dilation")
        self.output_padding = expanded(output_padding, self._axes, "output_padding")
        self._check_padding()
        outer, inner = (
            (in_channels, out_channels) if self._is_transposed else (out_channels, in_channels)
        )
        shape: Shape = (outer, inner // groups, *self.kernel_size)
        self.weight = constant(shape, 0.0, device, dtype)
        self.register_parameter(
            "bias", constant((out_channels,), 0.0, device, dtype) if bias else None
        )
        self.reset_parameters()

    def _check_padding(self) -> None:
        if not isinstance(self.padding, str):
            return
        if self.padding not in ("same", "valid"):
            raise ArgumentError(
                f"Invalid padding string {self.padding!r}, should be one of 'valid', 'same'"
            )
        if self.padding == "same" and any(s != 1 for s in self.stride):
            raise ArgumentError("padding='same' is not supported for strided convolutions")

    def reset_parameters(self) -> None:
        """Draw new weights, uniform within ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        start_bias(self.bias, init.fans(self.weight)[0])

    def _fit(self) -> Fit:
        return Fit("{} channels", -1 - self._axes, self.in_channels, self.out_channels)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if isinstance(self.padding, str) or any(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self._axes:
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text + (", bias=False" if self.bias is None else "")


def _check(in_channels: int, out_channels: int, groups: int, padding_mode: str) -> None:
    if groups <= 0:
        raise ArgumentError("groups must be a positive integer")
    for word, count in (("in_channels", in_channels), ("out_channels", out_channels)):
        if count % groups:
            raise ArgumentError(f"{word} must be divisible by groups: {count} and {groups}")
    if padding_mode in ("reflect", "replicate", "circular"):
        raise NotAvailable(
            f"padding_mode={padding_mode!r}: put nn.functional.pad(x, ..., mode={padding_mode!r}) "
            "before a convolution without padding"
        )
    if padding_mode != "zeros":
        raise ArgumentError(
            "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got "
            f"padding_mode='{padding_mode}'"
        )


class _Forward(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1,
        padding: Sizes | str = 0, dilation: Sizes = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                    padding_mode, device, dtype)  # fmt: skip


class _Transposed(_Convolution):
    _is_transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1,
        padding: Sizes = 0, output_padding: Sizes = 0, groups: int = 1, bias: bool = True,
        dilation: Sizes = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if padding_mode != "zeros":
            raise ArgumentError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._build(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                    padding_mode, device, dtype, output_padding)  # fmt: skip


class Conv1d(_Forward):
    """A convolution along one axis: (N, in_channels, L) to (N, out_channels, L′).

    >>> import chalkgrad as torch
    >>> torch.nn.Conv1d(2, 4, kernel_size=3, padding="same")(torch.ones(1, 2, 8)).shape
    torch.Size([1, 4, 8])
    """

    _axes = 1

    def forward(self, input: Tensor) -> Tensor:
        return F.conv1d(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Conv2d(_Forward):
    """A convolution over rows and columns: (N, in_channels, H, W) to (N, out_channels, H′, W′).

    H′ = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1. Weight and bias start
    uniform within ±1/√fan_in, where fan_in = in_channels / groups · Π kernel_size.

    >>> import chalkgrad as torch
    >>> torch.nn.Conv2d(1, 16, 3, padding=1)(torch.ones(2, 1, 28, 28)).shape
    torch.Size([2, 16, 28, 28])
    """

    _axes = 2

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class ConvTranspose1d(_Transposed):
    """The adjoint of Conv1d: (N, in_channels, L) to a longer (N, out_channels, L′).

    >>> import chalkgrad as torch
    >>> torch.nn.ConvTranspose1d(4, 2, kernel_size=2, stride=2)(torch.ones(1, 4, 5)).shape
    torch.Size([1, 2, 10])
    """

    _axes = 1

    def forward(self, input: Tensor) -> Tensor:
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding,  # type: ignore[arg-type]
            self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose2d(_Transposed):
    """The adjoint of Conv2d: (N, in_channels, H, W) to a larger (N, out_channels, H′, W′).

    H′ = (H − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1.

    >>> import chalkgrad as torch
    >>> torch.nn.ConvTranspose2d(4, 2, kernel_size=2, stride=2)(torch.ones(1, 4, 7, 7)).shape
    torch.Size([1, 2, 14, 14])
    """

    _axes = 2

    def forward(self, input: Tensor) -> Tensor:
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding,  # type: ignore[arg-type]
            self.groups, self.dilation,
        )  # fmt: skip
