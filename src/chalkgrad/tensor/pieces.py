"""Parts of a tensor along one dimension. All of them are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from chalkgrad.core.errors import DimensionError, ShapeError
from chalkgrad.core.graph import Array, Shape, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, shaping
from chalkgrad.tensor.arguments import dimension
from chalkgrad.tensor.elementwise import Elementwise
from chalkgrad.tensor.operand import Operand
from chalkgrad.tensor.sizes import whole
from chalkgrad.tensor.subscripts import numbers
from chalkgrad.tensor.views import view


class Pieces(Elementwise):
    """The methods that cut a tensor."""

    __slots__ = ()

    def split(
        tensor, split_size: Any = None, dim: int = 0, *, split_size_or_sections: Any = None
    ) -> tuple[Self, ...]:
        """Pieces of a size (the last may be smaller), or of the given sizes, along a dimension.

        >>> import chalkgrad as torch
        >>> torch.arange(5).split(2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
        """
        if split_size is None:
            split_size = split_size_or_sections
        place = tensor._axis(dim, "split")
        extent = tensor.node.shape[place]
        if isinstance(split_size, (tuple, list)):
            return tensor.split_with_sizes(split_size, dim)
        size = whole(split_size, "split_size")
        if size < 0:
            raise ShapeError(f"split expects split_size be non-negative, but got split_size={size}")
        if size == 0 and extent:
            raise ShapeError(
                "split_size can only be 0 if dimension size is 0, but got dimension size of "
                f"{extent}"
            )
        begins = range(0, extent, size or 1) if extent else (0,)
        return tuple([tensor._piece(place, k, min(k + size, extent)) for k in begins])

    def split_with_sizes(self, split_sizes: Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        place = self._axis(dim, "split_with_sizes")
        parts = [whole(n, "a split size") for n in split_sizes]
        if min(parts, default=0) < 0 or sum(parts) != self.node.shape[place]:
            raise ShapeError(
                f"split_with_sizes expects split_sizes to sum exactly to {self.node.shape[place]} "
                f"(input tensor's size at dimension {dim}), but got split_sizes={parts}"
            )
        ends = np.cumsum(parts, dtype=np.int64).tolist()
        return tuple([self._piece(place, end - n, end) for n, end in zip(parts, ends, strict=True)])

    def chunk(input, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        """At most `chunks` pieces of one size (the last may be smaller)."""
        place = input._axis(dim, "chunk")
        if chunks < 1:
            raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
        size = -(-input.node.shape[place] // chunks)
        return input.split(size, dim) if size else (input._piece(place, 0, 0),) * chunks

    def tensor_split(
        input,
        indices_or_sections: Any = None,
        dim: int = 0,
        *,
        indices: Any = None,
        sections: Any = None,
        tensor_indices_or_sections: Any = None,
    ) -> tuple[Self, ...]:
        """Pieces between the given indices, or so many pieces of nearly one size.

        >>> import chalkgrad as torch
        >>> torch.arange(5).tensor_split(3)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
        """
        place = input._axis(dim, "tensor_split")
        given = (indices_or_sections, indices, sections, tensor_indices_or_sections)
        cuts = _cuts(next((x for x in given if x is not None), None), input.node.shape[place])
        extent = input.node.shape[place]
        edges = [
            slice(a, b).indices(extent) for a, b in zip([0, *cuts], [*cuts, extent], strict=True)
        ]
        return tuple([input._piece(place, begin, max(begin, end)) for begin, end, _ in edges])

    def unbind(input, dim: int = 0) -> tuple[Self, ...]:
        """Every slice along a dimension, without that dimension."""
        place = input._axis(dim, "unbind")
        shape = input.node.shape
        rest = shape[:place] + shape[place + 1 :]
        return tuple([input._piece(place, k, k + 1)._shown(rest) for k in range(shape[place])])

    def narrow(input, dim: int, start: Any, length: int) -> Self:
        """`length` slices along a dimension, from `start` on."""
        place = input._axis(dim, "narrow")
        extent, begin = input.node.shape[place], whole(start, "start")
        if not -extent <= begin <= extent:
            raise DimensionError(
                f"start out of range (expected to be in range of [{-extent}, {extent}], but got "
                f"{begin})"
            )
        begin += extent if begin < 0 else 0
        if length < 0:
            raise ShapeError("narrow(): length must be non-negative.")
        if begin + length > extent:
            raise ShapeError(
                f"start ({begin}) + length ({length}) exceeds dimension size ({extent})."
            )
        return input._piece(place, begin, begin + length)

    # Used by what follows.
    def _dim(self, dim: Any) -> int:
        return dimension(dim, len(self.node.shape))

    def _axis(self, dim: Any, name: str) -> int:
        """A dimension that must exist."""
        if not self.node.shape:
            wrong = DimensionError if name == "unbind" else ShapeError
            raise wrong(
                f"{name} expects at least a 1-dimensional tensor; this one has no dimensions"
            )
        return dimension(dim, len(self.node.shape))

    def _piece(self, place: int, begin: int, end: int) -> Self:
        """The slices from `begin` up to `end` along one dimension."""
        shape = self.node.shape
        rank = len(shape)
        start = (0,) * place + (begin,) + (0,) * (rank - place - 1)
        stop = (*shape[:place], end, *shape[place + 1 :])
        return view(self, shaping.slice_, {"start": start, "stop": stop, "step": (1,) * rank})

    def _shown(self, shape: Shape) -> Self:
        """A view with dimensions of size 1 put in or left out, or one dimension in several."""
        return self if shape == self.node.shape else view(self, shaping.reshape, {"shape": shape})

    def _taken(self, index: Array, place: int) -> Self:
        """Slices along one dimension, at known places."""
        at = self.wrap(leaf(index.astype(np.int64, copy=False)))
        return bind(indexing.take, (self, at), {"axis": place})

    def _copied(self) -> Self:
        return bind(e.copy, (self,))


def _cuts(given: Any, extent: int) -> list[int]:
    """Where to cut: at the given indices, or so that there are so many pieces."""
    if isinstance(given, Operand) and len(given.node.shape) == 1:
        given = numbers(given, "tensor_split").tolist()
    if isinstance(given, (tuple, list)):
        return [whole(n, "an index") for n in given]
    count = whole(given, "sections")
    if count < 1:
        raise ShapeError(f"number of sections must be larger than 0, got {count}")
    each, more = divmod(extent, count)
    return [each * k + min(k, more) for k in range(1, count)]
