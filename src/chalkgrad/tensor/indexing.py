"""`x[…]` and `x[…] = v`: ints, slices, None, …, masks and integer tensors, by PyTorch's rules."""

from __future__ import annotations

from math import prod
from typing import Any, Self

import numpy as np

from chalkgrad.core.errors import (
    DimensionError,
    DtypeError,
    GradientError,
    ShapeError,
    TraceError,
    TypeMismatch,
)
from chalkgrad.core.graph import NO_PARAMS, Array, is_leaf, leaf
from chalkgrad.core.scope import current
from chalkgrad.primitives import shaping
from chalkgrad.tensor.gathering import Gathering
from chalkgrad.tensor.operand import Operand
from chalkgrad.tensor.subscripts import INT64, Subscript, in_range, joined, parse, within
from chalkgrad.tensor.views import FUNCTIONAL, view


class Indexing(Gathering):
    """Indexing by brackets."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Self:
        node = self.node
        if type(index) is int and node.shape:  # the commonest index, without the reading
            k = within(index, node.shape[0], 0)
            if self._in_graph():
                return self._piece(0, k, k + 1)._shown(node.shape[1:])
            out = self.wrap(leaf(node.value[k, ...]))
            out.origin = (self, None, NO_PARAMS)
            return out
        if isinstance(index, Operand) and node.shape and not current().abstract:
            which = index.node  # a batch of records, chosen by a tensor
            if which.value is not None and which.dtype == INT64 and which.shape:
                found = in_range(which.value, node.shape[0])
                return self._at(self.wrap(leaf(found)), 0)
        basic, arrays = parse(index, node.shape)
        out = self._sliced(basic)
        return out._chosen(arrays) if arrays else out

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_assignment(value)
        subscript = parse(index, self.node.shape)
        numbers = value.node.value if isinstance(value, Operand) else value
        if not self.node.tracked:
            self.mutate(lambda array: _put(array, subscript, numbers))
        else:  # a graph may hold this leaf's numbers
            array = self.node.value.copy()
            _put(array, subscript, numbers)
            self.assign(self.wrap(leaf(array)))

    def _in_graph(self) -> bool:
        """Does what is computed from this tensor have to be recorded?"""
        mode, node = current(), self.node
        return mode.abstract or (node.tracked and mode.recording) or node.value is None

    def _sliced(self, basic: list[Any]) -> Self:
        """Ints, slices and None: in the graph a slice, and then only the dimensions that stay."""
        if not self._in_graph():
            out = self.wrap(leaf(self.node.value[(*basic, ...)]))
            out.origin = (self, None, NO_PARAMS)
            return out
        shape = self.node.shape
        read = [k if isinstance(k, slice) else slice(k, k + 1, 1) for k in basic if k is not None]
        start, stop = tuple([k.start for k in read]), tuple([k.stop for k in read])
        step = tuple([k.step for k in read])
        out = self
        if stop != shape or any(start) or max(step, default=1) > 1:
            out = view(self, shaping.slice_, {"start": start, "stop": stop, "step": step})
        extents = iter(out.node.shape)
        sizes = [(k, 1 if k is None else next(extents)) for k in basic]
        left = tuple([n for k, n in sizes if k is None or isinstance(k, slice)])
        if out is self or left != out.node.shape:
            out = view(out, shaping.reshape, {"shape": left})
        return out

    def _chosen(self, arrays: dict[int, Any]) -> Self:
        """Integer indices: fold their dimensions into one and take from it.

        Where the dimensions stand side by side, the new ones take their place, else the front.
        """
        dims, shape = list(arrays), self.node.shape
        x, first = self, dims[0]
        if dims[-1] - first + 1 != len(dims):
            others = [k for k in range(len(shape)) if k not in arrays]
            x, first = self.transposed((*dims, *others)), 0
        indices = list(arrays.values())
        if any(isinstance(index, Operand) for index in indices):
            _check_traced(indices, arrays)
            indices = [self._index(index) for index in indices]
        flat = joined(indices, tuple([shape[k] for k in dims]))
        shape, last = x.node.shape, first + len(dims)
        folded = (*shape[:first], prod(shape[first:last]), *shape[last:])
        return x.reshaped(folded)._at(self._index(flat), first)

    def _check_assignment(self, value: Any) -> None:
        node, mode = self.node, current()
        if not isinstance(value, (Operand, bool, int, float, np.number, np.bool_)):
            raise TypeMismatch(
                f"can't assign a {type(value).__name__} to a tensor of {node.dtype}; "
                "make it a tensor first: torch.tensor(…)"
            )
        if mode.abstract or node.value is None:
            raise TraceError(
                f"x[…] = v changes memory, and a traced program has none. {FUNCTIONAL}"
            )
        if mode.recording and node.tracked and is_leaf(node):
            raise GradientError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                f"operation: x[…] = v on {node.name or f'a tensor of shape {list(node.shape)}'}. "
                "Wrap it in `with no_grad():`, or compute a new tensor."
            )
        if mode.recording and (node.tracked or (isinstance(value, Operand) and value.node.tracked)):
            raise GradientError(
                f"x[…] = v is not recorded, so a gradient would be lost. {FUNCTIONAL}"
            )


def _put(array: Array, subscript: Subscript, value: Any) -> None:
    view = array[(*subscript.basic, ...)]
    arrays = subscript.arrays
    if arrays and isinstance(value, np.ndarray) and value.size != 1 and value.dtype != array.dtype:
        raise DtypeError(
            "Index put requires the source and destination dtypes match, got "
            f"{array.dtype} for the destination and {value.dtype} for the source."
        )
    where = tuple([arrays.get(k, slice(None)) for k in range(max(arrays) + 1)]) if arrays else ...
    try:
        current().run(view.__setitem__, where, value)
    except ValueError:
        shape = list(view[where].shape)
        raise ShapeError(
            f"shape mismatch: value tensor of shape {list(np.shape(value))} cannot be broadcast to "
            f"indexing result of shape {shape}"
        ) from None


def _check_traced(indices: list[Any], arrays: dict[int, Any]) -> None:
    """A number without dimensions would count as an int, so it may not stand beside arrays."""
    if len(indices) > 1 and any(isinstance(i, Operand) and not i.node.shape for i in indices):
        raise DimensionError(
            "in a traced program a 0-d index tensor cannot stand beside other index tensors "
            f"(dimensions {list(arrays)}); index in two steps: x[:, i][j]"
        )
