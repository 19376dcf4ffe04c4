"""Convolutions over one and two axes, and their transposes.

An input without a batch, (C, L) or (C, H, W), is taken as a batch of one.
"""

from __future__ import annotations

from chalkgrad.core.errors import ArgumentError, DtypeError, ShapeError
from chalkgrad.core.graph import Shape
from chalkgrad.core.primitive import bind
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import convolution as c
from chalkgrad.primitives import shaping
from chalkgrad.tensor.tensor import Tensor

Sizes = int | tuple[int, ...]


def expanded(value: Sizes, axes: int, name: str) -> Shape:
    """One number for every axis, or a number for each."""
    if isinstance(value, int):
        return (value,) * axes
    numbers = tuple(int(n) for n in value)
    if len(numbers) not in (1, axes):
        raise ShapeError(f"{name} is a number or {axes} of them, not {numbers}")
    return numbers * axes if len(numbers) == 1 else numbers


def batched(input: Tensor, axes: int, name: str) -> tuple[Tensor, bool]:
    """The input with a batch dimension; had it none?"""
    shape = input.node.shape
    if len(shape) == axes + 1:
        return input.reshaped((1, *shape)), True
    if len(shape) != axes + 2:
        raise ShapeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {name}, but got "
            f"input of size: {list(shape)}"
        )
    return input, False


def unbatched(out: Tensor, alone: bool) -> Tensor:
    return out.reshaped(out.node.shape[1:]) if alone else out


@named("conv1d")
def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1,
    padding: Sizes | str = 0, dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """out[n, o, i] = b[o] + Σ over c, k of x[n, c, s·i + d·k − p] · w[o, c, k].

    input (N, C, L), weight (O, C / groups, K); padding also "valid" (none) and "same".

    >>> import chalkgrad as torch
    >>> torch.nn.functional.conv1d(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[1.0, 1.0]]]))
    tensor([[[3., 5.]]])
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@named("conv2d")
def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1,
    padding: Sizes | str = 0, dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """As conv1d, over rows and columns: input (N, C, H, W), weight (O, C / groups, K, K′).

    >>> import chalkgrad as torch
    >>> torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(2, 1, 2, 2)).shape
    torch.Size([1, 2, 2, 2])
    """
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def _convolution(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes,
    padding: Sizes | str, dilation: Sizes, groups: int,
) -> Tensor:  # fmt: skip
    input, alone = batched(input, axes, name)
    steps, dilations = expanded(stride, axes, "stride"), expanded(dilation, axes, "dilation")
    _check_channels(input, weight, groups)
    kernel = weight.node.shape[2:]
    if isinstance(padding, str):
        input, sides = _padded(input, padding, kernel, steps, dilations)
    else:
        sides = expanded(padding, axes, "padding")
    _check_kernel(input.node.shape[2:], kernel, sides, dilations)
    geometry = {"stride": steps, "padding": sides, "dilation": dilations, "groups": groups}
    out: Tensor = bind(c.convolution, (input, weight), geometry)
    return unbatched(_biased(out, bias), alone)


def _check_channels(input: Tensor, weight: Tensor, groups: int) -> None:
    x, w = input.node, weight.node
    if x.dtype != w.dtype:
        raise _type_clash(input, weight)
    if len(w.shape) != len(x.shape):
        raise ShapeError(
            f"a weight of shape {list(w.shape)} beside an input of shape {list(x.shape)}"
        )
    if w.shape[0] % groups:
        raise ShapeError(f"{w.shape[0]} output channels are not divisible by groups={groups}")
    if x.shape[1] != w.shape[1] * groups:
        raise ShapeError(
            f"Given groups={groups}, weight of size {list(w.shape)}, expected "
            f"input{list(x.shape)} to "
            f"have {w.shape[1] * groups} channels, but got {x.shape[1]} channels instead"
        )


def _type_clash(input: Tensor, weight: Tensor) -> DtypeError:
    return DtypeError(
        f"Input type ({input.dtype}) and weight type ({weight.dtype}) should be the same: convert "
        "the input, as in x.float()"
    )


def _check_kernel(size: Shape, kernel: Shape, padding: Shape, dilation: Shape) -> None:
    padded = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if any(span > n for span, n in zip(spans, padded, strict=True)):
        raise ShapeError(
            f"Calculated padded input size per channel: ({_times(padded)}). Kernel size: "
            f"({_times(spans)}). Kernel size can't be greater than actual input size"
        )


def _times(sizes: Shape) -> str:
    return " x ".join(map(str, sizes))


def _padded(
    input: Tensor, padding: str, kernel: Shape, stride: Shape, dilation: Shape
) -> tuple[Tensor, Shape]:
    """What "same" and "valid" mean here. An odd number of zeros puts one more at the end."""
    none = (0,) * len(kernel)
    if padding == "valid":
        return input, none
    if padding != "same":
        raise ArgumentError(f"Invalid padding string {padding!r}, should be one of 'valid', 'same'")
    if any(s != 1 for s in stride):
        raise ShapeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    extra = [total % 2 for total in totals]
    if any(extra):
        high = {"low": (0,) * input.dim(), "high": (0, 0, *extra), "between": (0,) * input.dim()}
        input = bind(shaping.pad, (input,), high)
    return input, tuple(total // 2 for total in totals)


def _biased(out: Tensor, bias: Tensor | None) -> Tensor:
    if bias is None:
        return out
    shape = out.node.shape
    if bias.node.shape != (shape[1],):
        raise ShapeError(
            f"expected bias to be 1-dimensional with {shape[1]} elements, but got bias of size "
            f"{list(bias.node.shape)} instead"
        )
    column = bias.reshaped((shape[1], *(1,) * (len(shape) - 2)))
    return out + column


@named("conv_transpose1d")
def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of conv1d: each input adds its multiple of the kernel to the output.

    input (N, C, L), weight (C, O / groups, K); the length becomes
    (L − 1)·stride − 2·padding + dilation·(K − 1) + output_padding + 1.

    >>> import chalkgrad as torch
    >>> x, w = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 1.0]]])
    >>> torch.nn.functional.conv_transpose1d(x, w)
    tensor([[[1., 3., 2.]]])
    """
    return _transposed(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


@named("conv_transpose2d")
def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """As conv_transpose1d, over rows and columns: weight (C, O / groups, K, K′).

    >>> import chalkgrad as torch
    >>> torch.nn.functional.conv_transpose2d(torch.ones(1, 3, 2, 2), torch.ones(3, 1, 2, 2)).shape
    torch.Size([1, 1, 3, 3])
    """
    return _transposed(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def _transposed(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes,
    padding: Sizes, output_padding: Sizes, groups: int, dilation: Sizes,
) -> Tensor:  # fmt: skip
    input, alone = batched(input, axes, name)
    steps, sides = expanded(stride, axes, "stride"), expanded(padding, axes, "padding")
    dilations, ends = (
        expanded(dilation, axes, "dilation"),
        expanded(output_padding, axes, "output_padding"),
    )
    _check_transposed(input, weight, groups)
    if any(end >= max(s, d) for end, s, d in zip(ends, steps, dilations, strict=True)):
        raise ShapeError(
            f"output padding must be smaller than either stride or dilation, but got {list(ends)} "
            f"with stride {list(steps)} and dilation {list(dilations)}"
        )
    parts = zip(
        input.node.shape[2:], weight.node.shape[2:], steps, sides, dilations, ends, strict=True
    )
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + end + 1 for n, k, s, p, d, end in parts)
    if any(n <= 0 for n in size):
        raise ShapeError(
            f"{name} would give an output of size {list(size)}: less padding, or more input"
        )
    geometry = {
        "size": size,
        "stride": steps,
        "padding": sides,
        "dilation": dilations,
        "groups": groups,
    }
    out: Tensor = bind(c.convolution_input, (input, weight), geometry)
    return unbatched(_biased(out, bias), alone)


def _check_transposed(input: Tensor, weight: Tensor, groups: int) -> None:
    x, w = input.node, weight.node
    if x.dtype != w.dtype:
        raise _type_clash(input, weight)
    if x.shape[1] != w.shape[0] or x.shape[1] % groups or len(x.shape) != len(w.shape):
        raise ShapeError(
            f"Given transposed=1, weight of size {list(w.shape)}, expected input{list(x.shape)} "
            f"to have {w.shape[0]} channels, but got {x.shape[1]} channels instead"
        )
