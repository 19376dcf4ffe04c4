"""Choosing and placing elements by integer tensors: gather, scatter, index_select, index_add, …

An index is checked and counted from the front, except inside a trace, where it has no numbers yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Self

import numpy as np

from chalkgrad.core.errors import (
    ChalkgradError,
    DimensionError,
    DtypeError,
    NotAvailable,
    ShapeError,
    TypeMismatch,
)
from chalkgrad.core.graph import Array, Shape, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.core.scope import current
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, piecewise, reductions, shaping
from chalkgrad.tensor.arguments import dimension
from chalkgrad.tensor.joining import broadcast_tensors, cat, raised
from chalkgrad.tensor.linalg import Linalg
from chalkgrad.tensor.operand import Operand, common_shape, literal
from chalkgrad.tensor.subscripts import INT64, in_range, joined, numbers, parse


class Gathering(Linalg):
    """The methods whose indices are tensors."""

    __slots__ = ()

    # Choosing.
    def gather(input, dim: int, index: Any, *, sparse_grad: bool = False) -> Self:
        """out[i, j] = input[i, index[i, j]] along dimension 1, and so on along others.

        The index has as many dimensions as the input and is nowhere longer, except along `dim`.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1, 2], [3, 4]]).gather(1, torch.tensor([[0, 0], [1, 0]]))
        tensor([[1, 1],
                [4, 3]])
        """
        x, at, place = input._aligned("gather", dim, index)
        out: Self = bind(indexing.take_along, (x, at), {"axis": place})
        return out.reshaped(index.node.shape)

    def take_along_dim(input, indices: Any, dim: int | None = None) -> Self:
        """`gather` with the other dimensions broadcast; without `dim`, from the flat tensor."""
        if dim is None:
            return input.ravel().take_along_dim(indices.ravel(), 0)
        shape, wanted = input.node.shape, indices.node.shape
        if len(shape) != len(wanted):
            raise ShapeError(
                "take_along_dim(): input and indices should have the same number of dimensions, "
                f"but got {len(shape)} dimensions for input, and {len(wanted)} for indices"
            )
        k = dimension(dim, len(shape))
        others = common_shape("take_along_dim", _with(shape, k, 1), _with(wanted, k, 1))
        source = input.broadcasted(_with(others, k, shape[k]))
        return source.gather(k, indices.broadcasted(_with(others, k, wanted[k])))

    def index_select(input, dim: int, index: Any) -> Self:
        """The slices along a dimension at the places of a vector.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1, 2], [3, 4]]).index_select(1, torch.tensor([1, 1]))
        tensor([[2, 2],
                [4, 4]])
        """
        x, at, place = input._rows("index_select", dim, index, DimensionError)
        out = x._at(at, place)
        return out if input.node.shape else out.reshaped(())

    def select(input, dim: int, index: Any) -> Self:
        """One slice along a dimension, without that dimension."""
        shape = input.node.shape
        if not shape:
            raise DimensionError("select() cannot be applied to a 0-dim tensor.")
        k, n = dimension(dim, len(shape)), int(index)
        if not -shape[k] <= n < shape[k]:
            raise DimensionError(
                f"select(): index {n} out of range for tensor of size {list(shape)} at dimension "
                f"{k}"
            )
        n += shape[k] if n < 0 else 0
        return input._piece(k, n, n + 1)._shown(shape[:k] + shape[k + 1 :])

    def take(input, index: Any) -> Self:
        """The elements of the flat tensor at places counted from either end."""
        flat = input.ravel()
        at = input._checked(index, prod(input.node.shape), 0, True, DimensionError)
        return flat._at(at, 0)

    def masked_select(input, mask: Any) -> Self:
        """The elements where the mask is true, in one dimension. Needs the mask's numbers."""
        if mask.node.dtype.kind != "b":
            raise DtypeError(f"masked_select: expected BoolTensor for mask, got {mask.node.dtype}")
        _, where = broadcast_tensors(input, mask)
        chosen = np.flatnonzero(numbers(where, "masked_select"))
        return input.broadcasted(where.node.shape).ravel()._taken(chosen, 0)

    def nonzero(input, *, as_tuple: bool = False) -> Any:
        """The places of the elements that are not 0: a row a place, or a vector a dimension.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1, 0], [0, 2]]).nonzero()
        tensor([[0, 0],
                [1, 1]])
        """
        value = numbers(input, "nonzero()")
        if as_tuple:
            return tuple([input.wrap(leaf(k)) for k in np.atleast_1d(value).nonzero()])
        return input.wrap(leaf(np.argwhere(value)))

    def argwhere(input) -> Self:
        return input.nonzero()  # type: ignore[no-any-return]

    # Placing.
    def scatter(
        input,
        dim: int,
        index: Any,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
    ) -> Self:
        """input, with out[i, index[i, j]] = src[i, j] along dimension 1; src may be a number.

        Where the index names a place several times the last one stays.

        >>> import chalkgrad as torch
        >>> torch.zeros(2, 3).scatter(1, torch.tensor([[0], [2]]), 1.0)
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
        """
        source = value if src is None else src
        if reduce is not None:
            return input._scatter_reduced(dim, index, source, reduce)
        x, at, place = input._aligned("scatter", dim, index)
        touched = _touched(x, at, place)
        if isinstance(source, Operand):
            source = x._source("scatter", source, at)
            latest = e.select(_latest(at, place), source, source.literal(0))
            source = bind(indexing.add_along, (latest, at), {"axis": place, "shape": x.node.shape})
        else:
            source = x.literal(source)
        return input._where(touched, source, x).reshaped(input.node.shape)

    def scatter_add(input, dim: int, index: Any, src: Any) -> Self:
        """input, with src[i, j] added at out[i, index[i, j]] along dimension 1."""
        if not isinstance(src, Operand):
            raise TypeMismatch(
                f"scatter_add(): argument 'src' must be Tensor, not {type(src).__name__}"
            )
        x, at, place = input._aligned("scatter_add", dim, index)
        source = x._source("scatter_add", src, at)
        sums = bind(indexing.add_along, (source, at), {"axis": place, "shape": x.node.shape})
        total: Self = x + sums
        return total.reshaped(input.node.shape)

    def index_add(input, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Self:
        """input, with alpha times the slices of `source` added at the places of a vector."""
        x, at, place = input._rows("index_add", dim, index, ShapeError)
        rows = x._layers("index_add", source, at, place)
        rows = rows if alpha == 1 else rows * alpha
        extent = x.node.shape[place]
        sums = bind(indexing.add_at, (rows, at), {"axis": place, "extent": extent})
        total: Self = x + sums
        return total.reshaped(input.node.shape)

    def index_copy(input, dim: int, index: Any, source: Any) -> Self:
        """input, with the slices of `source` put at the places of a vector; the last one stays."""
        x, at, place = input._rows("index_copy", dim, index, DimensionError)
        rows = x._layers("index_copy", source, at, place)
        extent, rank = x.node.shape[place], len(x.node.shape)
        latest = _along(_latest(at, 0), place, rank).broadcasted(rows.node.shape)
        kept = e.select(latest, rows, rows.literal(0))
        placed = bind(indexing.add_at, (kept, at), {"axis": place, "extent": extent})
        return input._where(x._touched_rows(at, place), placed, x).reshaped(input.node.shape)

    def index_fill(input, dim: int, index: Any, value: Any) -> Self:
        """input, with one value in the slices at the places of a vector."""
        place = dimension(dim, len(input.node.shape))
        x = raised(input, 1)
        at = input._checked(raised(index, 1), x.node.shape[place], place, True, DimensionError)
        if isinstance(value, Operand):
            if value.node.shape:
                raise ShapeError(
                    "index_fill only supports a 0-dimensional value tensor, but got tensor with "
                    f"{len(value.node.shape)} dimension(s)."
                )
            filling = value.cast(x.node.dtype).broadcasted(x.node.shape)
        else:
            filling = x.literal(value)
        return input._where(x._touched_rows(at, place), filling, x).reshaped(input.node.shape)

    def index_put(input, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Self:
        """`x[indices] = values` (or += values) as a function: x stays as it is."""
        if values.node.dtype != input.node.dtype:
            raise DtypeError(
                "Index put requires the source and destination dtypes match, got "
                f"{input.node.dtype} for the destination and {values.node.dtype} for the source."
            )
        arrays = [*parse(tuple(indices), input.node.shape).arrays.values()]
        head, tail = input.node.shape[: len(arrays)], input.node.shape[len(arrays) :]
        at = input._index(joined(arrays, head))
        count = prod(at.node.shape)
        rows = values.expand((*at.node.shape, *tail)).reshaped((count, *tail))
        x, at = input.reshaped((prod(head), *tail)), at.reshaped((count,))
        out = x.index_add(0, at, rows) if accumulate else x.index_copy(0, at, rows)
        return out.reshaped(input.node.shape)

    def masked_scatter(input, mask: Any, source: Any) -> Self:
        """input, with the next element of `source` at each true place of the mask, in order."""
        if source.node.dtype != input.node.dtype:
            raise DtypeError(
                "masked_scatter: expected self and source to have same dtypes but got "
                f"{input.node.dtype} and {source.node.dtype}"
            )
        x, where = broadcast_tensors(input, mask)
        flat = where.ravel().cast(INT64)
        available = prod(source.node.shape)
        if not current().abstract and flat.node.value.sum() > available:
            raise ShapeError("Number of elements of source < number of ones in mask")
        order = reductions.cumsum(flat, axis=0, reverse=False) - 1
        at = piecewise.clip(order, low=0, high=max(available - 1, 0))
        picked = source.ravel()._at(at, 0) if available else x.ravel()
        return input._where(where, picked.reshaped(x.node.shape), x)

    def _at(self, index: Any, place: int) -> Self:
        """Slices along one dimension, chosen by a checked index."""
        return bind(indexing.take, (self, index), {"axis": place})  # type: ignore[no-any-return]

    def _where(self, condition: Any, chosen: Any, other: Any) -> Self:
        return bind(e.select, (condition, chosen, other))  # type: ignore[no-any-return]

    # Reading the arguments.
    def _index(self, index: Any) -> Any:
        return index if isinstance(index, Operand) else self.wrap(leaf(index))

    def _checked(
        self, index: Any, extent: int, dim: int, wraps: bool, error: type[ChalkgradError]
    ) -> Any:
        """An index tensor as int64, counted from the front."""
        if index.node.dtype.kind != "i":
            raise DtypeError(f"Expected dtype int32/int64 for index, got {index.node.dtype}")
        value: Array | None = index.node.value
        if value is None or current().abstract:
            return in_range(index, extent, dim, wraps)
        found = in_range(value, extent, dim, wraps, error)
        return index if found is value else index.wrap(leaf(found))

    def _aligned(self, name: str, dim: int, index: Any) -> tuple[Self, Any, int]:
        """For an index with an entry an element: both with a dimension or more, and the place."""
        if not isinstance(index, Operand):
            raise TypeMismatch(
                f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}"
            )
        place = dimension(dim, len(self.node.shape))
        x, at = raised(self, 1), raised(index, 1)
        shape: Shape = x.node.shape
        wanted: Shape = at.node.shape
        if len(shape) != len(wanted):
            raise ShapeError(
                f"{name}(): Index tensor must have the same number of dimensions as input tensor, "
                f"but has shape {list(wanted)} beside {list(shape)}"
            )
        fits = all(m <= n for k, (m, n) in enumerate(zip(wanted, shape, strict=True)) if k != place)
        if not fits and 0 not in wanted:
            raise ShapeError(
                f"{name}(): Expected index {list(wanted)} to be no larger than self "
                f"{list(shape)} apart from dimension {place}"
            )
        return x, self._checked(at, shape[place], place, False, ShapeError), place

    def _rows(
        self, name: str, dim: int, index: Any, error: type[ChalkgradError]
    ) -> tuple[Self, Any, int]:
        """For an index with an entry a slice."""
        if not isinstance(index, Operand):
            raise TypeMismatch(
                f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}"
            )
        if len(index.node.shape) > 1:
            raise DimensionError(
                f"{name}(): Index is supposed to be a vector, not {list(index.node.shape)}"
            )
        place = dimension(dim, len(self.node.shape))
        x = raised(self, 1)
        return x, self._checked(raised(index, 1), x.node.shape[place], place, False, error), place

    def _source(self, name: str, source: Any, at: Any) -> Any:
        """The part of a source tensor that an index with an entry an element spans."""
        if source.node.dtype != self.node.dtype:
            raise DtypeError(
                f"{name}(): Expected self.dtype to be equal to src.dtype, but got "
                f"{self.node.dtype} and {source.node.dtype}"
            )
        source, wanted = raised(source, 1), at.node.shape
        shape = source.node.shape
        if shape == wanted:
            return source
        if len(shape) != len(wanted) or any(m > n for m, n in zip(wanted, shape, strict=True)):
            raise ShapeError(
                f"{name}(): Expected index {list(wanted)} to be no larger size than src "
                f"{list(shape)}"
            )
        zeros, ones = (0,) * len(shape), (1,) * len(shape)
        return bind(shaping.slice_, (source,), {"start": zeros, "stop": wanted, "step": ones})

    def _layers(self, name: str, source: Any, at: Any, place: int) -> Any:
        """A source with a slice for each entry of an index."""
        if source.node.dtype != self.node.dtype:
            raise DtypeError(
                f"{name}_(): self and source expected to have the same dtype, but got (self) "
                f"{self.node.dtype} and (source) {source.node.dtype}"
            )
        source = raised(source, 1)
        shape, wanted = source.node.shape, _with(self.node.shape, place, at.node.shape[0])
        if len(shape) != len(wanted) and name == "index_copy":
            raise DimensionError(
                f"{name}_(): When source and destination are not scalars, their dimensionality "
                f"must match. Source has {len(shape)} dimensions, destination {len(wanted)}"
            )
        if shape != wanted:
            raise ShapeError(
                f"{name}_(): source has shape {list(shape)}; {at.node.shape[0]} indices into "
                f"dimension {place} of {list(self.node.shape)} need {list(wanted)}"
            )
        return source

    def _touched_rows(self, at: Any, place: int) -> Any:
        """Where an index with an entry a slice points to."""
        shape = self.node.shape
        touched = _true(at, at.node.shape)
        rows = bind(indexing.add_at, (touched, at), {"axis": 0, "extent": shape[place]})
        return _along(rows, place, len(shape)).broadcasted(shape)

    def _scatter_reduced(self, dim: int, index: Any, source: Any, reduce: str) -> Self:
        if reduce != "add":
            raise NotAvailable(f"scatter(reduce={reduce!r}): only 'add' is there")
        if not isinstance(source, Operand):
            source = self.literal(source).broadcasted(index.node.shape)
        return self.scatter_add(dim, index, source)


def _with(shape: Shape, place: int, size: int) -> Shape:
    return (*shape[:place], size, *shape[place + 1 :])


def _along(vector: Any, place: int, rank: int) -> Any:
    """A vector laid along one of `rank` dimensions."""
    return vector.reshaped(_with((1,) * rank, place, vector.node.shape[0]))


def _true(like: Any, shape: Shape) -> Any:
    return like.wrap(literal(True, e.BOOL)).broadcasted(shape)


def _touched(x: Any, at: Any, place: int) -> Any:
    """Where an index with an entry an element points to."""
    marks = _true(at, at.node.shape)
    return bind(indexing.add_along, (marks, at), {"axis": place, "shape": x.node.shape})


def _latest(at: Any, place: int) -> Any:
    """Which entries of an index are the last to name their place?

    In the stable order of the index, equal entries lie side by side: the last of each run counts.
    """
    shape = at.node.shape
    if not shape[place]:
        return _true(at, shape)
    order = reductions.argsort(at, axis=place, descending=False)
    ranked = bind(indexing.take_along, (at, order), {"axis": place})
    n = shape[place]
    ends = e.not_equal(ranked._piece(place, 1, n), ranked._piece(place, 0, n - 1))
    ends = cat([ends, _true(at, _with(shape, place, 1))], place)
    return bind(indexing.add_along, (ends, order), {"axis": place, "shape": shape})
