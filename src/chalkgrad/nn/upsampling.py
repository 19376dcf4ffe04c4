"""Modules that give signals and images another size."""

from __future__ import annotations

from chalkgrad.nn.functional.resizing import interpolate
from chalkgrad.nn.module import Module
from chalkgrad.tensor.tensor import Tensor

Size = int | tuple[int, ...] | None
Factor = float | tuple[float, ...] | None


class Upsample(Module):
    """(N, C, W) or (N, C, H, W) in another size, or that many times as large: see
    `nn.functional.interpolate`.

    >>> import chalkgrad as torch
    >>> torch.nn.Upsample(scale_factor=2)(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[1., 1., 3., 3.]]])
    """

    def __init__(
        self, size: Size = None, scale_factor: Factor = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size = size
        self.scale_factor: Factor
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        word = "size" if self.scale_factor is None else "scale_factor"
        return f"{word}={getattr(self, word)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images made larger by repeating their pixels.

    >>> import chalkgrad as torch
    >>> torch.nn.UpsamplingNearest2d(scale_factor=2)(torch.ones(1, 1, 2, 3)).shape
    torch.Size([1, 1, 4, 6])
    """

    def __init__(self, size: Size = None, scale_factor: Factor = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """Images made larger along straight lines between the pixels, corners over corners.

    >>> import chalkgrad as torch
    >>> torch.nn.UpsamplingBilinear2d(size=(1, 3))(torch.tensor([[[[1.0, 3.0]]]]))
    tensor([[[[1., 2., 3.]]]])
    """

    def __init__(self, size: Size = None, scale_factor: Factor = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)
