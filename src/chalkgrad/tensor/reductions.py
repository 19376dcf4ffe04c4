"""Methods that fold dimensions: sums, means, extremes, orders, and softmax.

`dim` is one dimension, several, or None for all of them; a negative one counts from the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import DimensionError, DtypeError, NotAvailable, ShapeError, TraceError
from chalkgrad.core.graph import Array, Shape, leaf
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.core.scope import recording, scope
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, shaping
from chalkgrad.primitives import reductions as r
from chalkgrad.tensor.arguments import dimension, dimensions
from chalkgrad.tensor.operand import Operand, real
from chalkgrad.tensor.shaping import Shaping

T = TypeVar("T", bound="Reductions")
Dims = int | Sequence[int] | None
_ALL = [{"axes": tuple(range(rank)), "keepdims": False} for rank in range(9)]


class Pair(NamedTuple):
    """Values, and where along the dimension they were found."""

    values: Any
    indices: Any

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"


_PAIRS = {
    name: type(name, (Pair,), {}) for name in ("max", "min", "median", "sort", "topk", "kthvalue")
}


class Extremes(NamedTuple):
    """The smallest and the largest."""

    min: Any
    max: Any


class Reductions(Shaping):
    """Sums, means, extremes, orders, softmax."""

    __slots__ = ()

    def sum(input, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Σ x over the dimensions. Whole numbers and bools are added up in int64.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1, 2], [3, 4]]).sum(dim=0)
        tensor([4, 6])
        """
        return bind(r.sum, (_counting(input, dtype),), _folding(input, dim, keepdim))

    def nansum(input, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Σ x over the elements that are not NaN."""
        return input.masked_fill(input.isnan(), 0).sum(dim, keepdim, dtype=dtype)

    def mean(input, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Σ x / n over the dimensions; x must be floating point.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=0)
        tensor([2., 3.])
        """
        if dtype is not None:
            input = input.cast(dtypes.as_numpy(dtype))
        if input.node.dtype.kind != "f":
            raise DtypeError(
                "mean(): could not infer output dtype. Input dtype must be either a floating point "
                f"or complex dtype. Got: {dtypes.OF_NUMPY[input.node.dtype]}; convert it with "
                ".float() first."
            )
        return bind(r.mean, (input,), _folding(input, dim, keepdim))

    def nanmean(input, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """The mean of the elements that are not NaN."""
        if input.node.dtype.kind != "f":
            raise DtypeError(
                f"nanmean(): expected floating-point input, but got {input.node.dtype}"
            )
        count = input.isnan().logical_not().sum(dim, keepdim)
        return input.nansum(dim, keepdim, dtype=dtype) / count

    def prod(input, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Π x over the dimension; whole numbers in int64.

        >>> import chalkgrad as torch
        >>> torch.tensor([2, 3, 4]).prod()
        tensor(24)
        """
        axis = None if dim is None else dimension(dim, len(input.node.shape))
        return bind(r.prod, (_counting(input, dtype),), _folding(input, axis, keepdim))

    # Spread around the mean.
    def var(
        input, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
        *, correction: float | None = None,
    ) -> Self:  # fmt: skip
        """Σ (x − mean)² / (n − correction); the correction is 1, or 0 with unbiased=False.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0, 3.0]).var()
        tensor(1.)
        """
        return _variance(input, dim, unbiased, keepdim, correction)[0]

    def std(
        input, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
        *, correction: float | None = None,
    ) -> Self:  # fmt: skip
        """√var; where the variance is 0 its gradient is taken to be 0.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 3.0]).std(correction=0)
        tensor(1.)
        """
        with scope("std"):
            return _root(_variance(input, dim, unbiased, keepdim, correction)[0])

    def var_mean(
        input, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
        *, correction: float | None = None,
    ) -> tuple[Self, Self]:  # fmt: skip
        """The variance, and the mean."""
        return _variance(input, dim, unbiased, keepdim, correction)

    def std_mean(
        input, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
        *, correction: float | None = None,
    ) -> tuple[Self, Self]:  # fmt: skip
        """The standard deviation, and the mean."""
        variance, mean = _variance(input, dim, unbiased, keepdim, correction)
        return _root(variance), mean

    def norm(
        input,
        p: float | str | None = "fro",
        dim: Dims = None,
        keepdim: bool = False,
        *,
        dtype: Any = None,
    ) -> Self:
        """(Σ |x|ᵖ)^(1/p) along `dim`. "fro" is p = 2; ∞ and −∞ are the extremes of |x|."""
        x = input if dtype is None else input.cast(dtypes.as_numpy(dtype))
        if x.node.dtype.kind != "f":
            raise DtypeError(
                f"norm of {dtypes.OF_NUMPY[x.node.dtype]}: convert with .float() first"
            )
        if p == "nuc":
            raise NotAvailable("the nuclear norm needs singular values, and there are none here")
        if p == "fro" and isinstance(dim, (tuple, list)) and len(dim) > 2:
            raise ShapeError(
                f"norm: the Frobenius norm is of a matrix, and {list(dim)} names {len(dim)} "
                "dimensions; p=2 takes any number of them"
            )
        with scope("norm"):
            return _norm(x, 2.0 if p is None or p == "fro" else float(p), dim, keepdim)

    # Extremes.
    def max(input, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """The largest element; along `dim` its place too; of two tensors, the larger of each pair.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1.0, 5.0], [3.0, 2.0]]).max(dim=1).indices
        tensor([1, 0])
        """
        return _extreme(input, "max", dim, keepdim, other)

    def min(input, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """The smallest element; along `dim` its place too; of two tensors, the smaller ones."""
        return _extreme(input, "min", dim, keepdim, other)

    def amax(input, dim: Dims = (), keepdim: bool = False) -> Self:
        """The largest element. Those that tie share its gradient.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1.0, 5.0], [3.0, 2.0]]).amax(dim=0)
        tensor([3., 5.])
        """
        return bind(r.max_, (_nonempty(input, "amax", dim),), _folding(input, dim, keepdim))

    def amin(input, dim: Dims = (), keepdim: bool = False) -> Self:
        """The smallest element. Those that tie share its gradient."""
        return bind(r.min_, (_nonempty(input, "amin", dim),), _folding(input, dim, keepdim))

    def aminmax(input, *, dim: int | None = None, keepdim: bool = False) -> Extremes:
        """The smallest and the largest element."""
        return Extremes(input.amin(dim, keepdim), input.amax(dim, keepdim))

    def argmax(input, dim: int | None = None, keepdim: bool = False) -> Self:
        """The place of the largest element (the first); without `dim`, in the flat tensor.

        >>> import chalkgrad as torch
        >>> torch.tensor([[1.0, 5.0], [3.0, 2.0]]).argmax(dim=1)
        tensor([1, 0])
        """
        return _place(r.argmax, _countable(input), dim, keepdim)

    def argmin(input, dim: int | None = None, keepdim: bool = False) -> Self:
        """The place of the smallest element (the first); without `dim`, in the flat tensor."""
        return _place(r.argmin, _countable(input), dim, keepdim)

    # Truth and counting. On bools, a sum is "or" and a product is "and".
    def any(input, dim: Dims = None, keepdim: bool = False) -> Self:
        """Is there an element that is not 0?

        >>> import chalkgrad as torch
        >>> torch.tensor([0, 3]).any()
        tensor(True)
        """
        return _of_bools(r.sum, input.bool(), dim, keepdim)

    def all(input, dim: Dims = None, keepdim: bool = False) -> Self:
        """Is no element 0?

        >>> import chalkgrad as torch
        >>> torch.tensor([0, 3]).all()
        tensor(False)
        """
        return _of_bools(r.prod, input.bool(), dim, keepdim)

    def count_nonzero(input, dim: Dims = None) -> Self:
        """How many elements are not 0.

        >>> import chalkgrad as torch
        >>> torch.tensor([0, 2, 3]).count_nonzero()
        tensor(2)
        """
        return input.bool().sum(dim)

    # Running folds.
    def cumsum(input, dim: int, *, dtype: Any = None) -> Self:
        """out[i] = Σ x[k], k ≤ i

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2, 3]).cumsum(0)
        tensor([1, 3, 6])
        """
        x = _counting(input, dtype)
        axis = dimension(dim, len(x.node.shape))
        return bind(r.cumsum, (x,), {"axis": axis, "reverse": False}) if x.node.shape else x

    def cumprod(input, dim: int, *, dtype: Any = None) -> Self:
        """out[i] = Π x[k], k ≤ i

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2, 3, 4]).cumprod(0)
        tensor([ 1,  2,  6, 24])
        """
        x = _counting(input, dtype)
        axis = dimension(dim, len(x.node.shape))
        return bind(r.cumprod, (x,), {"axis": axis}) if x.node.shape else x

    # Exponentials, kept from overflowing by taking the largest element out first.
    def logsumexp(input, dim: Dims, keepdim: bool = False) -> Self:
        """ln Σ eˣ

        >>> import chalkgrad as torch
        >>> torch.tensor([0.0, 0.0]).logsumexp(0)
        tensor(0.6931)
        """
        x = real(input)
        with scope("logsumexp"):
            with recording(False):
                high = _highest(x, dimensions(dim, len(x.node.shape)))
                high = high.masked_fill(high.isfinite().logical_not(), 0)
            total = (x - high).exp().sum(dim, keepdim)
            shape = total.node.shape
            return total.log() + high.reshaped(shape)

    def softmax(input, dim: int, dtype: Any = None) -> Self:
        """eˣ / Σ eˣ along one dimension: positive numbers that add up to 1.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0, 3.0]).softmax(0)
        tensor([0.0900, 0.2447, 0.6652])
        """
        x, axes = _ready_for_softmax("softmax", input, dim, dtype)
        with scope("softmax"):
            power = bind(e.exp, (_below_zero(x, axes),))
            return bind(e.divide, (power, _total(power, axes).broadcasted(x.node.shape)))

    def log_softmax(input, dim: int, dtype: Any = None) -> Self:
        """x − ln Σ eˣ along one dimension: the logarithm of the softmax.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0, 3.0]).log_softmax(0)
        tensor([-2.4076, -1.4076, -0.4076])
        """
        x, axes = _ready_for_softmax("log_softmax", input, dim, dtype)
        with scope("log_softmax"):
            shifted = _below_zero(x, axes)
            total = _total(bind(e.exp, (shifted,)), axes)
            return bind(e.subtract, (shifted, bind(e.log, (total,)).broadcasted(x.node.shape)))

    # Order.
    def argsort(input, dim: int = -1, descending: bool = False, stable: bool = False) -> Self:
        """The places of the elements in order; equal ones stay in their order.

        >>> import chalkgrad as torch
        >>> torch.tensor([3.0, 1.0, 2.0]).argsort()
        tensor([1, 2, 0])
        """
        rank = len(input.node.shape)
        axis = dimension(dim, rank)
        if not rank:
            return input.reshaped((1,)).argsort(0).reshaped(())
        return bind(r.argsort, (input,), {"axis": axis, "descending": descending})

    def sort(input, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
        """The elements in order, and where each of them was.

        >>> import chalkgrad as torch
        >>> torch.tensor([3.0, 1.0, 2.0]).sort().values
        tensor([1., 2., 3.])
        """
        order = input.argsort(dim, descending)
        return _PAIRS["sort"](_along(input, order, dim), order)

    def topk(input, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """The k largest (or smallest) elements in order, and their places.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 5.0, 3.0]).topk(2).values
        tensor([5., 3.])
        """
        axis = dimension(dim, len(input.node.shape))
        size = input.node.shape[axis] if input.node.shape else 1
        if not 0 <= k <= size:
            raise ShapeError(
                f"topk: selected index k={k} out of range for dimension {axis} of size {size}"
            )
        order = _ranks(input.argsort(dim, largest), axis, 0, k)
        return _PAIRS["topk"](_along(input, order, dim), order)

    def kthvalue(input, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """The k-th smallest element (from 1), and its place."""
        axis = dimension(dim, len(input.node.shape))
        size = input.node.shape[axis] if input.node.shape else 1
        if not 1 <= k <= size:
            raise ShapeError(
                f"kthvalue(): selected number k={k} out of range for dimension {axis} of "
                f"size {size}"
            )
        return _found("kthvalue", input, _ranks(input.argsort(dim), axis, k - 1, k), dim, keepdim)

    def median(input, dim: int | None = None, keepdim: bool = False) -> Any:
        """The middle element, the lower one of two; NaN if there is one; along `dim` its place.

        >>> import chalkgrad as torch
        >>> torch.tensor([4.0, 1.0, 3.0, 2.0]).median()
        tensor(2.)
        """
        if input.node.dtype.kind == "b":
            raise NotAvailable(
                "median is not implemented for bool tensors; convert with .int() first"
            )
        if dim is None:
            return _middle(input.reshaped((math.prod(input.node.shape),)))
        axis = dimension(dim, len(input.node.shape))
        return _found("median", input, _middle_place(input, dim, axis), dim, keepdim)

    # Counting by value: outside of the graph.
    def unique(
        input, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
        dim: int | None = None,
    ) -> Any:  # fmt: skip
        """The different elements in order; on request, where each went, and how many there are.

        >>> import chalkgrad as torch
        >>> torch.tensor([3, 1, 3]).unique(return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
        """
        values, inverse, counts = np.unique(
            _numbers(input, "unique"), return_inverse=True, return_counts=True, axis=dim
        )
        results = [values]
        if return_inverse:
            results.append(inverse.reshape(input.node.shape if dim is None else -1))
        if return_counts:
            results.append(counts)
        tensors = [input.wrap(leaf(np.ascontiguousarray(result))) for result in results]
        return tensors[0] if len(tensors) == 1 else tuple(tensors)

    def bincount(input, weights: Any = None, minlength: int = 0) -> Self:
        """How often each whole number from 0 stands in a vector; with weights, their sums.

        >>> import chalkgrad as torch
        >>> torch.tensor([0, 2, 2]).bincount()
        tensor([1, 0, 2])
        """
        counted = _numbers(input, "bincount")
        if counted.dtype.kind != "i":
            raise NotAvailable(
                f"bincount is not implemented for {counted.dtype}; convert with .long() first"
            )
        if counted.ndim != 1 or counted.min(initial=0) < 0:
            raise ShapeError("bincount only supports 1-d non-negative integral inputs.")
        given = None if weights is None else _numbers(weights, "bincount")
        return input.wrap(leaf(np.bincount(counted, given, minlength)))

    def histc(input, bins: int = 100, min: float = 0, max: float = 0) -> Self:
        """How many elements fall into each of `bins` equal parts of [min, max]."""
        x = _numbers(input, "histc")
        if min == max == 0 and x.size:
            min, max = float(x.min()), float(x.max())
        low, high = (min - 1, max + 1) if min == max else (min, max)
        counts = np.histogram(x, bins, (low, high))[0]
        return input.wrap(leaf(counts.astype(x.dtype)))


def _with_numpy_names(method: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch takes NumPy's names of these two parameters too."""

    @wraps(method)
    def call(input: Any, *arguments: Any, **options: Any) -> Any:
        for numpy_name, name in (("axis", "dim"), ("keepdims", "keepdim")) if options else ():
            if numpy_name in options:
                options[name] = options.pop(numpy_name)
        return method(input, *arguments, **options)

    return call


for _name in (
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "cumprod", "cumsum",
    "kthvalue", "log_softmax", "logsumexp", "max", "mean", "median", "min", "nanmean", "nansum",
    "prod", "softmax", "sort", "std", "std_mean", "sum", "topk", "var", "var_mean",
):  # fmt: skip
    setattr(Reductions, _name, _with_numpy_names(getattr(Reductions, _name)))


def _folding(x: Any, dim: Any, keepdim: bool) -> Any:
    rank = len(x.node.shape)
    if dim is None and not keepdim and rank < len(_ALL):
        return _ALL[rank]
    return {"axes": dimensions(dim, rank), "keepdims": keepdim}


def _counting(x: T, dtype: Any) -> T:
    """x in the type in which it is added up."""
    if dtype is not None:
        return x.cast(dtypes.as_numpy(dtype))
    return x if x.node.dtype.kind == "f" else x.cast(dtypes.int64.numpy)


def _numbers(x: Any, what: str) -> Array:
    if x.node.value is None:
        raise TraceError(
            f"{what} needs the numbers of a tensor, and a trace has none while it is built"
        )
    value: Array = x.node.value
    return value


def _root(x: T) -> T:
    """√x with a gradient of 0 at 0, where that of √ is infinite."""
    at_zero = x.eq(0)
    return x.masked_fill(at_zero, 1).sqrt().masked_fill(at_zero, 0)


def _variance(
    x: T, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> tuple[T, T]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if x.node.dtype.kind != "f":
        raise DtypeError(
            "std and var only support floating point and complex dtypes; use .float() first"
        )
    if correction is None:
        correction = 0 if unbiased is False else 1
    count = math.prod([x.node.shape[axis] for axis in dimensions(dim, len(x.node.shape))])
    with scope("var"):
        mean = x.mean(dim, True)
        total = bind(e.square, (x - mean,)).sum(dim, keepdim)
        variance = total / float(max(count - correction, 0))
    return variance, mean.reshaped(variance.node.shape)


def _norm(x: T, p: float, dim: Any, keepdim: bool) -> T:
    if p == 2:
        return _root(bind(e.square, (x,)).sum(dim, keepdim))
    size = x.abs()
    if p == math.inf:
        return size.amax(dim, keepdim)
    if p == -math.inf:
        return size.amin(dim, keepdim)
    if p == 0:
        return bind(e.sign, (size,)).sum(dim, keepdim)
    if p == 1:
        return size.sum(dim, keepdim)
    total = (size**p).sum(dim, keepdim)
    at_zero = total.eq(0)
    return (total.masked_fill(at_zero, 1) ** (1 / p)).masked_fill(at_zero, 0)


def _nonempty(x: T, name: str, dim: Any) -> T:
    shape = x.node.shape
    if 0 in shape:
        if dim is None or dim == ():
            raise ShapeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
                f"the reduction dim with the 'dim' argument; the shape is {list(shape)}."
            )
        for axis in dimensions(dim, len(shape)):
            if shape[axis] == 0:
                raise DimensionError(
                    f"{name}(): Expected reduction dim {axis} to have non-zero size."
                )
    return x


def _extreme(x: Any, name: str, dim: Any, keepdim: bool, other: Any) -> Any:
    if isinstance(dim, Operand) or other is not None:
        second = dim if other is None else other
        return x.maximum(second) if name == "max" else x.minimum(second)
    if dim is None:
        return bind(
            r.max_ if name == "max" else r.min_,
            (_nonempty(x, name, None),),
            _folding(x, None, False),
        )
    _nonempty(x, name, dim)
    place = _place(r.argmax if name == "max" else r.argmin, x, dim, True)
    return _found(name, x, place, dim, keepdim)


def _countable(x: T) -> T:
    if x.node.dtype.kind == "b":
        raise DtypeError(
            "argmax() and argmin() do not support bool input; convert with .int() first"
        )
    return x


def _place(primitive: Primitive, x: T, dim: int | None, keepdim: bool) -> T:
    shape: Shape = x.node.shape
    if dim is None:
        if 0 in shape:
            raise DimensionError(
                f"{primitive.name}(): Expected reduction dim to be specified for input.numel() == "
                "0. Specify the reduction dim with the 'dim' argument."
            )
        flat = bind(primitive, (x.reshaped((math.prod(shape),)),), {"axis": 0})
        return flat.reshaped((1,) * len(shape)) if keepdim else flat
    axis = dimension(dim, len(shape))
    if not shape:
        return bind(primitive, (x.reshaped((1,)),), {"axis": 0})
    found = bind(primitive, (_nonempty(x, primitive.name, axis),), {"axis": axis})
    return found.reshaped(r.folded(shape, (axis,), True)) if keepdim else found


def _along(x: T, index: T, dim: int) -> T:
    """The elements of x at the places `index` along a dimension."""
    if not x.node.shape:
        return bind(e.copy, (x,))
    return bind(indexing.take_along, (x, index), {"axis": dimension(dim, len(x.node.shape))})


def _found(name: str, x: Any, place: Any, dim: int, keepdim: bool) -> Any:
    """The pair (values, indices) for one place kept along a dimension."""
    values = _along(x, place, dim)
    if not keepdim and x.node.shape:
        thin = r.folded(x.node.shape, (dimension(dim, len(x.node.shape)),), False)
        values, place = values.reshaped(thin), place.reshaped(thin)
    return _PAIRS[name](values, place)


def _ranks(order: T, axis: int, start: int, stop: int) -> T:
    """Places `start` to `stop` of an order along an axis."""
    shape: Shape = order.node.shape
    if not shape:
        return order
    starts = tuple(start if k == axis else 0 for k in range(len(shape)))
    stops = tuple(stop if k == axis else n for k, n in enumerate(shape))
    return bind(
        shaping.slice_, (order,), {"start": starts, "stop": stops, "step": (1,) * len(shape)}
    )


def _middle_place(x: T, dim: int, axis: int) -> T:
    size = x.node.shape[axis] if x.node.shape else 1
    _nonempty(x, "median", axis)
    middle = _ranks(x.argsort(dim), axis, (size - 1) // 2, (size - 1) // 2 + 1)
    if x.node.dtype.kind != "f":
        return middle
    unknown = x.isnan()
    return unknown.long().argmax(dim, True).where(unknown.any(dim, True), middle)


def _middle(flat: T) -> T:
    """The median of a vector. Elements that tie for it share its gradient."""
    if flat.node.shape == (0,):
        return flat.sum() * math.nan if flat.node.dtype.kind == "f" else _least(flat)
    with recording(False):
        value = _along(flat, _middle_place(flat, 0, 0), 0)
        ties = flat.eq(value).cast(flat.node.dtype)
        share = ties / ties.sum()
    return (flat * share).sum() if flat.node.tracked else value.reshaped(())


def _least(flat: T) -> T:
    return flat.wrap(leaf(np.asarray(np.iinfo(flat.node.dtype).min, flat.node.dtype)))


def _highest(x: T, axes: Shape) -> T:
    """The largest element along axes, a constant: it cancels, and so does its gradient."""
    if 0 in x.node.shape:
        return x.literal(0).broadcasted(r.folded(x.node.shape, axes, True))
    return bind(r.max_, (x,), {"axes": axes, "keepdims": True})


def _below_zero(x: T, axes: Shape) -> T:
    """x less its largest element, so that no exponential overflows. It cancels in the end."""
    with recording(False):
        high = _highest(x, axes).broadcasted(x.node.shape)
    return bind(e.subtract, (x, high))


def _total(x: T, axes: Shape) -> T:
    return bind(r.sum, (x,), {"axes": axes, "keepdims": True})


def _ready_for_softmax(name: str, x: T, dim: int, dtype: Any) -> tuple[T, Shape]:
    rank = len(x.node.shape)
    axes = (dimension(dim, rank),) if rank else dimensions(dimension(dim, rank), rank)
    if dtype is not None:
        x = x.cast(dtypes.as_numpy(dtype))
    if x.node.dtype.kind != "f":
        raise NotAvailable(
            f"{name} is not implemented for {dtypes.OF_NUMPY[x.node.dtype]}; use .float()"
        )
    return x, axes


def _of_bools(primitive: Primitive, x: T, dim: Any, keepdim: bool) -> T:
    if isinstance(dim, (tuple, list)) and not dim:
        return x  # here, and only here, PyTorch takes no dimensions to mean none
    return bind(primitive, (x,), _folding(x, dim, keepdim))
