"""Methods that move elements and compute nothing.

What PyTorch makes a view shares memory here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Self

import numpy as np

from chalkgrad.core.dtypes import dtype as Dtype
from chalkgrad.core.errors import NotAvailable, ShapeError, TypeMismatch
from chalkgrad.core.graph import Array, Params, Shape, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import shaping
from chalkgrad.tensor.arguments import dimension
from chalkgrad.tensor.joining import cat, raised
from chalkgrad.tensor.pieces import Pieces
from chalkgrad.tensor.sizes import distinct, inferred, places, sizes, whole
from chalkgrad.tensor.views import view

_MATRIX: Params = {"axes": (1, 0)}


class Shaping(Pieces):
    """The shaping methods of a tensor."""

    __slots__ = ()

    # The same elements under another shape.
    def reshape(input, *sizes_: Any, shape: Any = None) -> Self:
        """The same elements, read row by row, in another shape; one size may be -1.

        >>> import chalkgrad as torch
        >>> torch.arange(6).reshape(2, -1)
        tensor([[0, 1, 2],
                [3, 4, 5]])
        """
        wanted = inferred(sizes(sizes_, shape), prod(input.node.shape))
        value = input.node.value
        if value is None or value.flags.c_contiguous or not _scattered(value, wanted):
            return view(input, shaping.reshape, {"shape": wanted})
        return bind(shaping.reshape, (input,), {"shape": wanted})

    def view(self, *shape: Any, size: Any = None) -> Self:
        """`reshape` without a copy: refused where the memory's layout would need one."""
        if len(shape) == 1 and isinstance(shape[0], Dtype):
            raise NotAvailable(
                f"view({shape[0]}) would reinterpret the bits; use to({shape[0]}) to convert"
            )
        wanted = inferred(sizes(shape, size), prod(self.node.shape))
        value = self.node.value
        if value is not None and not value.flags.c_contiguous and _scattered(value, wanted):
            return self._relaid(wanted)
        return view(self, shaping.reshape, {"shape": wanted})

    def _relaid(self, wanted: Shape) -> Self:
        """`view` of a tensor whose elements do not lie row by row.

        Only a view made by name refuses, as PyTorch's does: how computed results lie is our affair.
        """
        if getattr(self, "origin", None) is None:
            return bind(shaping.reshape, (self,), {"shape": wanted})
        raise ShapeError(
            f"view size {list(wanted)} is not compatible with input tensor's size "
            f"{list(self.node.shape)} and stride {list(self.stride())} (at least one dimension "
            "spans across two contiguous subspaces). Use .reshape(...) instead."
        )

    def view_as(self, other: Any) -> Self:
        return self.view(_shape_of(other, "view_as"))

    def reshape_as(self, other: Any) -> Self:
        return self.reshape(_shape_of(other, "reshape_as"))

    def flatten(input, start_dim: int = 0, end_dim: int = -1) -> Self:
        """Fold the dimensions from `start_dim` to `end_dim` (both included) into one."""
        shape = input.node.shape
        first, last = dimension(start_dim, len(shape)), dimension(end_dim, len(shape))
        if first > last:
            raise ShapeError("flatten() has invalid args: start_dim cannot come after end_dim")
        return input._folded((*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))

    def ravel(input) -> Self:
        """All elements in one dimension."""
        return input._folded((prod(input.node.shape),))

    def unflatten(input, dim: int, sizes: Any) -> Self:
        """Split one dimension into several; one size may be -1."""
        shape = input.node.shape
        place = dimension(dim, len(shape))
        wanted = tuple(whole(n, "a size") for n in sizes)
        if -1 not in wanted and prod(wanted) != shape[place]:
            raise ShapeError(
                f"unflatten: Provided sizes {list(wanted)} don't multiply up to the size of dim "
                f"{place} ({shape[place]}) in the input tensor"
            )
        return input._shown((*shape[:place], *inferred(wanted, shape[place]), *shape[place + 1 :]))

    def squeeze(input, dim: Any = None) -> Self:
        """Drop every dimension of size 1, or those of `dim` that have it."""
        shape = input.node.shape
        dropped = range(len(shape)) if dim is None else distinct(dim, len(shape))
        return input._shown(tuple([n for k, n in enumerate(shape) if n != 1 or k not in dropped]))

    def unsqueeze(input, dim: int) -> Self:
        """Insert a dimension of size 1.

        >>> import chalkgrad as torch
        >>> torch.zeros(3).unsqueeze(0).shape
        torch.Size([1, 3])
        """
        shape = input.node.shape
        place = dimension(dim, len(shape) + 1)
        return input._shown((*shape[:place], 1, *shape[place:]))

    def atleast_1d(self) -> Self:
        return raised(self, 1)

    def atleast_2d(self) -> Self:
        return raised(self, 2)

    def atleast_3d(self) -> Self:
        return raised(self, 3)

    # The same elements along other axes.
    @property
    def T(self) -> Self:
        """The dimensions in reverse order: the transpose of a matrix."""
        rank = len(self.node.shape)
        if rank == 2:
            return view(self, shaping.transpose, _MATRIX)
        return self.permute(tuple(reversed(range(rank)))) if rank > 1 else self

    def t(input) -> Self:
        """The transpose of a matrix; tensors with fewer dimensions stay as they are.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1, 2], [3, 4]]).t()
        tensor([[1, 3],
                [2, 4]])
        """
        rank = len(input.node.shape)
        if rank == 2:
            return view(input, shaping.transpose, _MATRIX)
        if rank > 2:
            raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {rank}D")
        return input

    @property
    def mT(self) -> Self:
        """Each matrix in the last two dimensions, transposed."""
        if len(self.node.shape) < 2:
            raise ShapeError(
                "tensor.mT is only supported on matrices or batches of matrices. "
                f"Got {len(self.node.shape)}-D tensor."
            )
        return self.transpose(-2, -1)

    def transpose(input, dim0: int, dim1: int) -> Self:
        """Exchange two dimensions."""
        rank = len(input.node.shape)
        first, second = dimension(dim0, rank), dimension(dim1, rank)
        if not rank:
            return input
        axes = list(range(rank))
        axes[first], axes[second] = second, first
        return view(input, shaping.transpose, {"axes": tuple(axes)})

    swapdims = transpose

    def swapaxes(input, axis0: int, axis1: int) -> Self:
        return input.transpose(axis0, axis1)

    def permute(input, *axes: Any, dims: Any = None) -> Self:
        """The dimensions in another order."""
        rank = len(input.node.shape)
        order = sizes(axes, dims)
        if len(order) != rank:
            raise ShapeError(
                f"permute: number of dimensions in the tensor input ({rank}) does not match the "
                f"length of the desired ordering {list(order)}"
            )
        turned = places(order, rank)
        if len(set(turned)) != rank:
            raise ShapeError(f"permute(): duplicate dims are not allowed, got {list(order)}")
        return view(input, shaping.transpose, {"axes": turned})

    def movedim(input, source: Any, destination: Any) -> Self:
        """Move dimensions to other places; the others keep their order."""
        rank = len(input.node.shape)
        origins, targets = places(source, rank), places(destination, rank)
        if len(origins) != len(targets):
            raise ShapeError(
                f"movedim: Invalid source or destination dims: source ({list(origins)} dims) "
                f"should contain the same number of dims as destination ({list(targets)} dims)"
            )
        for word, dims in (("source", origins), ("destination", targets)):
            if len(set(dims)) < len(dims):
                raise ShapeError(f"movedim: repeated dim in `{word}` ({list(dims)})")
        others = iter([k for k in range(rank) if k not in origins])
        moved = dict(zip(targets, origins, strict=True))
        order = tuple([moved[k] if k in moved else next(others) for k in range(rank)])
        return view(input, shaping.transpose, {"axes": order})

    moveaxis = movedim

    def rot90(input, k: int = 1, dims: Sequence[int] = (0, 1)) -> Self:
        """Turn by k · 90° in the plane of two dimensions, from the first towards the second."""
        rank = len(input.node.shape)
        if len(dims) != 2 or rank < 2:
            raise ShapeError(
                f"expected total rotation dims == 2 of at least 2, got {list(dims)} of {rank}"
            )
        first, second = [dimension(dim, rank) for dim in dims]
        if first == second:
            raise ShapeError(
                f"expected rotation dims to be different, but got {dims[0]} and {dims[1]}"
            )
        if k % 2 == 0:
            return input.flip(first, second) if k % 4 else input._copied()
        turned = input.transpose(first, second)
        return turned.flip(first if k % 4 == 1 else second)

    # Repetition.
    def expand(self, *sizes_: Any, size: Any = None) -> Self:
        """Repeat along dimensions of size 1 and new leading ones, without a copy.

        -1 keeps a size.
        """
        shape = self.node.shape
        wanted = list(sizes(sizes_, size))
        lead = len(wanted) - len(shape)
        if lead < 0:
            raise ShapeError(
                f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to "
                f"the number of dimensions in the tensor ({len(shape)})"
            )
        for k, n in enumerate(wanted):
            present = shape[k - lead] if k >= lead else None
            if n == -1 and present is not None:
                wanted[k] = present
            elif n < 0 or present not in (None, 1, n):
                raise _unexpandable(n, present, k, wanted, shape)
        return view(self, shaping.broadcast, {"shape": tuple(wanted)})

    def expand_as(self, other: Any) -> Self:
        return self.expand(_shape_of(other, "expand_as"))

    def broadcast_to(input, size: Any) -> Self:
        return input.expand(size)

    def repeat(self, *counts: Any, repeats: Any = None) -> Self:
        """The whole tensor, side by side, so many times along each dimension.

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
        """
        times = sizes(counts, repeats)
        lead = len(times) - len(self.node.shape)
        if lead < 0:
            raise ShapeError(
                f"Number of dimensions of repeat dims {list(times)} can not be smaller than number "
                f"of dimensions of tensor {list(self.node.shape)}"
            )
        shape = (1,) * lead + self.node.shape
        total = tuple([n * m for n, m in zip(shape, times, strict=True)])
        if min(times, default=0) < 0:
            raise ShapeError(f"Trying to create tensor with negative dimension: {list(total)}")
        if all(1 in pair for pair in zip(shape, times, strict=True)):
            return self.broadcasted(total)._copied()
        pairs = tuple([m for pair in zip(times, shape, strict=True) for m in pair])
        single = tuple([m for n in shape for m in (1, n)])
        return self.reshaped(single).broadcasted(pairs).reshaped(total)

    def tile(input, *counts: Any, dims: Any = None) -> Self:
        """`repeat`, with missing leading counts taken as 1."""
        times = sizes(counts, dims)
        return input.repeat((1,) * (len(input.node.shape) - len(times)) + times)

    def repeat_interleave(
        input, repeats: Any, dim: int | None = None, *, output_size: Any = None
    ) -> Self:
        """Each element (or slice along `dim`) repeated, next to itself, `repeats` times.

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2]).repeat_interleave(2)
        tensor([1, 1, 2, 2])
        """
        if dim is None:
            return input.ravel().repeat_interleave(repeats, 0)
        place = dimension(dim, len(input.node.shape))
        counts = np.asarray(repeats) if isinstance(repeats, int) else repeats.array_for("repeats")
        if (counts < 0).any():
            raise ShapeError("Repeats must be non-negative")
        if counts.size not in (1, input.node.shape[place]):
            raise ShapeError(
                f"repeats must have the same size as input along dim {place}: {counts.size} counts "
                f"for {input.node.shape[place]} slices"
            )
        return input._taken(np.repeat(np.arange(input.node.shape[place]), counts), place)

    def unfold(self, dimension: int, size: int, step: int) -> Self:
        """Windows of `size` elements along a dimension, every `step`, laid along a new last one.

        >>> import chalkgrad as torch
        >>> torch.arange(4).unfold(0, 2, 1)
        tensor([[0, 1],
                [1, 2],
                [2, 3]])
        """
        x = raised(self, 1)
        place = x._dim(dimension)
        extent = x.node.shape[place]
        if size > extent:
            raise ShapeError(
                f"maximum size for tensor at dimension {place} is {extent} but size is {size}"
            )
        if step <= 0 or size < 0:
            raise ShapeError(f"unfold: step is {step} but must be > 0, and size {size} >= 0")
        begins = np.arange(0, extent - size + 1, step)
        windows = x._taken(begins[:, None] + np.arange(size), place)
        return windows.movedim(place + 1, -1) if self.node.shape else windows.reshaped((size,))

    # Order.
    def flip(input, *axes: Any, dims: Any = None) -> Self:
        """The elements in reverse order along dimensions."""
        reversed_ = distinct(sizes(axes, dims), len(input.node.shape))
        if not reversed_ or not input.node.shape:
            return input._copied()
        return bind(shaping.flip, (input,), {"axes": reversed_})

    def fliplr(input) -> Self:
        if len(input.node.shape) < 2:
            raise ShapeError(f"Input must be >= 2-d, but it has shape {list(input.node.shape)}.")
        return input.flip(1)

    def flipud(input) -> Self:
        if not input.node.shape:
            raise ShapeError("Input must be >= 1-d, but it has no dimensions.")
        return input.flip(0)

    def roll(input, shifts: Any, dims: Any = None) -> Self:
        """Shift along dimensions; what leaves at one end comes in at the other."""
        steps = sizes((shifts,))
        if dims is None or dims == ():
            if len(steps) != 1:
                raise ShapeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:0")
            return input.ravel().roll(steps, 0).reshaped(input.node.shape)
        along = places(dims, len(input.node.shape))
        if len(along) != len(steps):
            raise ShapeError(
                f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(along)}"
            )
        out = input
        for step, place in zip(steps, along, strict=True):
            out = out._rolled(step, place)
        return out

    def _rolled(self, step: int, place: int) -> Self:
        extent = self.node.shape[place] if self.node.shape else 0
        cut = -step % extent if extent else 0
        if not cut:
            return self._copied()
        return cat([self._piece(place, cut, extent), self._piece(place, 0, cut)], place)  # type: ignore[no-any-return]

    # The layout in memory.
    def contiguous(self) -> Self:
        """The same tensor with its elements row by row in memory: itself if they are already."""
        value = self.node.value
        return self if value is None or value.flags.c_contiguous else self._copied()

    def is_contiguous(self) -> bool:
        """Do the elements lie row by row in memory? A traced tensor's do."""
        value = self.node.value
        return value is None or value.flags.c_contiguous

    def stride(self, dim: int | None = None) -> Any:
        """How many elements lie between neighbours along each dimension."""
        shape, value = self.node.shape, self.node.value
        if value is None or not value.size:
            steps = tuple([prod([max(n, 1) for n in shape[k + 1 :]]) for k in range(len(shape))])
        else:
            steps = tuple([step // value.itemsize for step in value.strides])
        return steps if dim is None else steps[dimension(dim, len(shape))]

    def _folded(self, shape: Shape) -> Self:
        return self if shape == self.node.shape else self.reshape(shape)


def _shape_of(other: Any, name: str) -> Shape:
    if not hasattr(other, "node"):
        raise TypeMismatch(f"{name}(): argument 'other' must be Tensor, not {type(other).__name__}")
    return other.node.shape  # type: ignore[no-any-return]


def _scattered(value: Array, shape: Shape) -> bool:
    """Would another shape of this array need a copy?"""
    try:
        value.reshape(shape, copy=False)
    except ValueError:
        return True
    return False


def _unexpandable(
    n: int, present: int | None, k: int, wanted: Sequence[int], shape: Shape
) -> ShapeError:
    if present is None:
        return ShapeError(
            f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
            f"dimension {k}"
        )
    return ShapeError(
        f"The expanded size of the tensor ({n}) must match the existing size ({present}) at "
        f"non-singleton dimension {k}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
    )


def padded(x: Any, low: Sequence[int], high: Sequence[int], value: float = 0) -> Any:
    """x with `low` elements of a value before and `high` after it along each dimension.

    A negative count cuts elements off. Where the value is not 0, it is put in by a mask of the
    padded places, so that x's gradient is the same slice in either case.
    """
    shape = x.node.shape
    cut_low, cut_high = [max(-n, 0) for n in low], [max(-n, 0) for n in high]
    if any(cut_low) or any(cut_high):
        stop = tuple([n - b for n, b in zip(shape, cut_high, strict=True)])
        x = bind(
            shaping.slice_, (x,), {"start": tuple(cut_low), "stop": stop, "step": (1,) * len(shape)}
        )
    before, after = tuple([max(n, 0) for n in low]), tuple([max(n, 0) for n in high])
    if not any(before) and not any(after):
        return x
    out = bind(shaping.pad, (x,), {"low": before, "high": after, "between": (0,) * len(shape)})
    if value == 0:
        return out
    inside = np.zeros(out.node.shape, bool)
    inside[tuple([slice(a, a + n) for a, n in zip(before, x.node.shape, strict=True)])] = True
    return bind(e.select, (x.wrap(leaf(inside)), out, x.literal(value)))
