"""Normalization layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.scope import recording
from chalkgrad.nn import init
from chalkgrad.nn.functional import normalization as F
from chalkgrad.nn.module import Module
from chalkgrad.nn.parameter import constant
from chalkgrad.nn.place import Fit
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.tensor import Tensor


class _BatchNorm(Module):
    """γ · (x − mean) / √(variance + eps) + β for each channel, with running statistics for "
    "evaluation."""

    _keeps_shape = True
    _ranks: tuple[int, ...] = ()

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (num_features,)
        self.register_parameter("weight", constant(shape, 1.0, device, dtype) if affine else None)
        shifted = affine and bias
        self.register_parameter("bias", constant(shape, 0.0, device, dtype) if shifted else None)
        mean, variance, count = (
            self._statistics(device, dtype) if track_running_stats else (None,) * 3
        )
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", count)

    def _statistics(self, device: Any, dtype: Any) -> tuple[Tensor, Tensor, Tensor]:
        mean = constant((self.num_features,), 0.0, device, dtype).detach()
        variance = constant((self.num_features,), 1.0, device, dtype).detach()
        return mean, variance, holding(np.zeros((), np.int64))

    def reset_running_stats(self) -> None:
        """Forget the batches that were seen: mean 0, variance 1."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """γ = 1, β = 0, and no batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in self._ranks:
            expected = " or ".join(f"{rank}D" for rank in self._ranks)
            raise ArgumentError(f"expected {expected} input (got {input.dim()}D input)")
        momentum: Any = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            with recording(False):
                self.num_batches_tracked.assign(self.num_batches_tracked + 1)
            if self.momentum is None:  # the plain mean of all batches so far
                momentum = self.num_batches_tracked.to(input.dtype).reciprocal()
        own = self.training or self.running_mean is None
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input, self.running_mean if keep else None, self.running_var if keep else None,
            self.weight,
            self.bias, own, momentum, self.eps,
        )  # fmt: skip

    def _fit(self) -> Fit | None:
        return Fit("{} channels", 1, self.num_features, self.num_features)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization of (N, C) or (N, C, L), each of the C features by itself.

    While training it uses the batch's mean and variance and moves running_mean and running_var
    towards them (momentum=None: their plain average); after eval() it uses these.

    >>> import chalkgrad as torch
    >>> torch.nn.BatchNorm1d(1)(torch.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of (N, C, H, W), each of the C channels by itself; see BatchNorm1d.

    >>> import chalkgrad as torch
    >>> torch.nn.BatchNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _ranks = (4,)


class _InstanceNorm(_BatchNorm):
    """Each channel of each record by itself; without running statistics unless asked for."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        rank = input.dim()
        if rank not in self._ranks:
            expected = " or ".join(f"{known}D" for known in self._ranks)
            raise ArgumentError(f"expected {expected} input (got {rank}D input)")
        alone = rank == self._ranks[0]
        channels = 0 if alone else 1
        if self.affine and input.node.shape[channels] != self.num_features:
            raise ArgumentError(
                f"expected input's size at dim={channels} to match num_features "
                f"({self.num_features}), but got: {input.node.shape[channels]}."
            )
        out = F.instance_norm(
            input.unsqueeze(0) if alone else input, self.running_mean, self.running_var,
            self.weight, self.bias, self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum, self.eps,
        )  # fmt: skip
        return out.squeeze(0) if alone else out

    def _fit(self) -> None:
        return None


class InstanceNorm1d(_InstanceNorm):
    """Normalization of (C, L) or (N, C, L), each of the C channels of each record by itself.

    >>> import chalkgrad as torch
    >>> torch.nn.InstanceNorm1d(1)(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalization of (C, H, W) or (N, C, H, W), each of the C channels of each record by itself.

    >>> import chalkgrad as torch
    >>> torch.nn.InstanceNorm2d(3)(torch.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _ranks = (3, 4)


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(Module):
    """γ · (x − mean) / √(variance + eps) + β over the last dimensions, of `normalized_shape`.

    >>> import chalkgrad as torch
    >>> torch.nn.LayerNorm(2)(torch.tensor([[1.0, 3.0]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    _keeps_shape = True

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        gamma = constant(self.normalized_shape, 1.0, device, dtype) if elementwise_affine else None
        shifted = elementwise_affine and bias
        self.register_parameter("weight", gamma)
        beta = constant(self.normalized_shape, 0.0, device, dtype) if shifted else None
        self.register_parameter("bias", beta)

    def reset_parameters(self) -> None:
        """γ = 1, β = 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def _fit(self) -> Fit:
        return Fit("width {}", -1, self.normalized_shape[-1], self.normalized_shape[-1])

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """γ · (x − mean) / √(variance + eps) + β over each record's groups of channels: (N, C, …).

    >>> import chalkgrad as torch
    >>> torch.nn.GroupNorm(2, 4)(torch.tensor([[1.0, 3.0, 0.0, 4.0]])).detach()
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    _keeps_shape = True

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        shape = (num_channels,)
        self.register_parameter("weight", constant(shape, 1.0, device, dtype) if affine else None)
        shifted = affine and bias
        self.register_parameter("bias", constant(shape, 0.0, device, dtype) if shifted else None)

    def reset_parameters(self) -> None:
        """γ = 1, β = 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def _fit(self) -> Fit:
        return Fit("{} channels", 1, self.num_channels, self.num_channels)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """γ · x / √(mean of x² + eps) over the last dimensions (B. Zhang and R. Sennrich 2019).

    >>> import chalkgrad as torch
    >>> torch.nn.RMSNorm(2)(torch.tensor([[3.0, 3.0]])).detach()
    tensor([[1., 1.]])
    """

    _keeps_shape = True

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        gamma = constant(self.normalized_shape, 1.0, device, dtype) if elementwise_affine else None
        self.register_parameter("weight", gamma)

    def reset_parameters(self) -> None:
        """γ = 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def _fit(self) -> Fit:
        return Fit("width {}", -1, self.normalized_shape[-1], self.normalized_shape[-1])

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
