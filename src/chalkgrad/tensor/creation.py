"""Making tensors: from data, of given shapes, of ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import (
    ArgumentError,
    DtypeError,
    NotAvailable,
    ShapeError,
    TypeMismatch,
)
from chalkgrad.core.graph import Array, Shape, leaf
from chalkgrad.tensor.arguments import check_device, check_options
from chalkgrad.tensor.operand import Operand
from chalkgrad.tensor.sizes import sizes
from chalkgrad.tensor.tensor import Tensor

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_dlpack", "from_numpy",
    "full", "full_like", "get_default_dtype", "linspace", "logspace", "meshgrid", "ones",
    "ones_like", "scalar_tensor", "set_default_dtype", "tensor", "tril_indices", "triu_indices",
    "zeros", "zeros_like",
]  # fmt: skip

INT64 = dtypes.int64.numpy


def holding(array: Array, requires_grad: bool = False) -> Tensor:
    """A leaf tensor that holds this array itself."""
    out = Tensor.__new__(Tensor)
    out.node = leaf(array)
    out._grad = None
    return out.requires_grad_() if requires_grad else out


# From data.
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with a copy of the data.

    Whole numbers become int64, others the default dtype; an array keeps its dtype.

    >>> import chalkgrad as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    check_options(device=device, pin_memory=pin_memory)
    return holding(np.array(_array(data, dtype), copy=True), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of the data; a tensor or an array that needs no conversion is not copied.

    >>> import chalkgrad as torch
    >>> torch.as_tensor([1, 2])
    tensor([1, 2])
    """
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return holding(_array(data, dtype))


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`as_tensor`, with a choice about the copy."""
    made = as_tensor(obj, dtype, device)
    if copy or (made is obj and made.requires_grad != requires_grad):
        made = made.detach().clone() if copy else made.detach()
    return made.requires_grad_(requires_grad)


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares an array's memory."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeMismatch(f"expected np.ndarray (got {type(ndarray).__name__})")
    return holding(_known(ndarray))


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array (NumPy, PyTorch, JAX)."""
    return holding(_known(np.from_dlpack(ext_tensor)))


def scalar_tensor(
    s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor without dimensions, of the default dtype."""
    check_device(device)
    return holding(np.asarray(s, _dtype(dtype)), requires_grad)


def _array(data: Any, dtype: Any) -> Array:
    kind = None if dtype is None else dtypes.as_numpy(dtype)
    if isinstance(data, Operand):
        found = data.array_for("tensor()")  # type: ignore[attr-defined]
    elif isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array__"):
        found = np.asarray(data)
    else:
        return _from_python(data, kind)
    return _known(found) if kind is None or kind == found.dtype else found.astype(kind)


def _known(array: Array) -> Array:
    """An array of one of the types that tensors have."""
    if array.dtype in dtypes.OF_NUMPY:
        return array
    raise TypeMismatch(
        f"can't convert np.ndarray of type {array.dtype}: the types are "
        f"{', '.join(d.name for d in dtypes.ALL)}. Give dtype=, or convert it with .astype()."
    )


def _from_python(data: Any, kind: np.dtype[Any] | None) -> Array:
    """Numbers and nested lists of numbers."""
    data = _plain(data)
    try:
        found = np.array(data)
    except ValueError:
        raise _ragged(data) from None
    if found.dtype.kind not in "bif":
        raise _stranger(data, kind)
    if kind is None:
        kind = _kind_of(data, found)
    elif kind.kind == "i" and found.dtype.kind == "i" and not _fits(found, kind):
        raise DtypeError(f"value cannot be converted to type {kind} without overflow")
    return found.astype(kind, copy=False)


def _kind_of(data: Any, found: Array) -> np.dtype[Any]:
    """Python's numbers become int64 or the default dtype; NumPy's keep their own."""
    while isinstance(data, (list, tuple)) and data:
        data = next(
            (x for x in data if isinstance(x, (list, tuple, np.generic, np.ndarray))), data[0]
        )
    if isinstance(data, (np.generic, np.ndarray)) and found.dtype in dtypes.OF_NUMPY:
        return found.dtype
    known = {"b": dtypes.bool_.numpy, "i": INT64} if found.size else {}
    return known.get(found.dtype.kind, dtypes.default.dtype)


def _fits(numbers: Array, kind: np.dtype[Any]) -> bool:
    limits = np.iinfo(kind)
    return bool((numbers >= limits.min).all() and (numbers <= limits.max).all())


def _plain(data: Any) -> Any:
    """Nested lists without tensors or sequences of other kinds."""
    if isinstance(data, Operand):
        return data.array_for("tensor()").tolist()  # type: ignore[attr-defined]
    if isinstance(data, range):
        return list(data)
    if isinstance(data, (list, tuple)) and any(
        isinstance(x, (list, tuple, range, Operand)) for x in data
    ):
        return [_plain(x) for x in data]
    return data


def _ragged(data: Any) -> Exception:
    """Which list has another length than its neighbours?"""
    level, place = [data], 0
    while all(isinstance(x, (list, tuple)) for x in level):
        lengths = [len(x) for x in level]
        odd = next((n for n in lengths if n != lengths[0]), None)
        if odd is not None:
            return ArgumentError(
                f"expected sequence of length {lengths[0]} at dim {place} (got {odd})"
            )
        level, place = [y for x in level for y in x], place + 1
    return TypeMismatch(f"not a sequence: there are numbers and lists side by side at dim {place}")


def _stranger(data: Any, kind: np.dtype[Any] | None) -> Exception:
    """What is no number among the data. The classes are PyTorch's."""
    level, depth = [data], 0
    while any(isinstance(x, (list, tuple)) for x in level):
        level, depth = [y for x in level if isinstance(x, (list, tuple)) for y in x], depth + 1
    odd = next((x for x in level if not isinstance(x, (bool, int, float, np.number))), None)
    if odd is None and any(isinstance(x, int) for x in level):
        return ArgumentError("Overflow when unpacking long long: a whole number has 64 bits")
    if isinstance(odd, str):
        return (ArgumentError if depth == 1 else TypeMismatch)(
            f"too many dimensions 'str': {odd!r} is no number"
        )
    if isinstance(odd, complex):
        return TypeMismatch(
            "there are no complex tensors; keep the real and the imaginary part in two"
        )
    wrong = DtypeError if kind is None else TypeMismatch
    return wrong(f"Could not infer dtype of {type(odd).__name__}: a tensor is made of numbers")


def _dtype(dtype: Any) -> np.dtype[Any]:
    return dtypes.default.dtype if dtype is None else dtypes.as_numpy(dtype)


# Of a given shape.
def _sized(size: Sequence[Any], named: Any) -> Shape:
    shape = sizes(size, named) if size or named is not None else ()
    for n in shape:
        if n < 0:
            raise ShapeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    return shape


def zeros(
    *shape: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, out: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros.

    >>> import chalkgrad as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    check_options(layout=layout, device=device, pin_memory=pin_memory, out=out)
    return holding(np.zeros(_sized(shape, size), _dtype(dtype)), requires_grad)


def ones(
    *shape: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, out: Any = None,
) -> Tensor:  # fmt: skip
    """Ones.

    >>> import chalkgrad as torch
    >>> torch.ones(2, dtype=torch.int64)
    tensor([1, 1])
    """
    check_options(layout=layout, device=device, pin_memory=pin_memory, out=out)
    return holding(np.ones(_sized(shape, size), _dtype(dtype)), requires_grad)


empty = zeros  # an array of no particular numbers: these


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, out: Any = None,
) -> Tensor:  # fmt: skip
    """One number everywhere; its type decides the dtype.

    >>> import chalkgrad as torch
    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    check_options(layout=layout, device=device, pin_memory=pin_memory, out=out)
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = _from_python(value, None).dtype if dtype is None else dtypes.as_numpy(dtype)
    return holding(np.full(_sized((), size), value, kind), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere.

    >>> import chalkgrad as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device(device)
    return holding(
        np.eye(*_sized((n, n if m is None else m), None), dtype=_dtype(dtype)), requires_grad
    )


def zeros_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of another tensor.

    >>> import chalkgrad as torch
    >>> torch.zeros_like(torch.tensor([1, 2]))
    tensor([0, 0])
    """
    return _like(input, 0, dtype, device, requires_grad)


def ones_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of another tensor."""
    return _like(input, 1, dtype, device, requires_grad)


empty_like = zeros_like


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number in the shape and dtype of another tensor."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _like(input, value, dtype, device, requires_grad)


def _like(input: Any, value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    check_device(device)
    if not isinstance(input, Operand):
        raise TypeMismatch(
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    kind = input.node.dtype if dtype is None else dtypes.as_numpy(dtype)
    return holding(np.full(input.node.shape, value, kind), requires_grad)


# Ranges.
def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, … below `end`; with one number, from 0 below it.

    >>> import chalkgrad as torch
    >>> torch.arange(3)
    tensor([0, 1, 2])
    """
    check_device(device)
    bounds = [_number(x) for x in ((0, start, step) if end is None else (start, end, step))]
    kind = None if dtype is None else dtypes.as_numpy(dtype)
    first, last, pace = (_whole_part(x) for x in bounds) if kind is INT64 else bounds
    if pace == 0:
        raise DtypeError("step must be nonzero")
    if not math.isfinite(last - first):
        raise DtypeError(f"unsupported range: {first} -> {last}")
    if (last - first) * pace < 0:
        raise DtypeError("upper bound and lower bound inconsistent with step sign")
    if kind is None:
        kind = INT64 if all(isinstance(x, int) for x in bounds) else dtypes.default.dtype
    count = math.ceil((last - first) / pace)
    if kind.kind != "f":
        first, pace = _whole_part(first), _whole_part(pace)
    return holding((first + np.arange(count) * pace).astype(kind), requires_grad)


def _whole_part(x: Any) -> Any:
    return int(x) if math.isfinite(x) else x


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """So many numbers at equal distances, both ends included.

    >>> import chalkgrad as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    check_device(device)
    return holding(_spaced(start, end, steps).astype(_dtype(dtype)), requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """base to the power of `linspace`.

    >>> import chalkgrad as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_device(device)
    return holding(np.power(base, _spaced(start, end, steps)).astype(_dtype(dtype)), requires_grad)


def _spaced(start: Any, end: Any, steps: int) -> Array:
    if steps < 0:
        raise DtypeError("number of steps must be non-negative")
    return np.linspace(_number(start), _number(end), steps, dtype=np.float64)


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, (Tensor, np.generic)) else x


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of every point of a grid. "ij" counts rows first, "xy" columns first."""
    vectors = list(
        tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    )
    if indexing not in ("ij", "xy"):
        raise DtypeError(
            f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if any(len(v.node.shape) > 1 for v in vectors):
        raise ShapeError("meshgrid takes numbers and vectors")
    order = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[:2] = [1, 0]
    extents = [math.prod(vectors[k].node.shape) for k in order]
    grids = []
    for k, vector in enumerate(vectors):
        thin = tuple(n if order[axis] == k else 1 for axis, n in enumerate(extents))
        grids.append(vector.reshaped(thin).broadcasted(tuple(extents)))
    return tuple(grids)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """The places (rows, then columns) of a lower triangle.

    >>> import chalkgrad as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    check_device(device)
    return holding(np.array(np.tril_indices(row, offset, col)).astype(_whole(dtype)))


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """The places (rows, then columns) of an upper triangle."""
    check_device(device)
    return holding(np.array(np.triu_indices(row, offset, col)).astype(_whole(dtype)))


def _whole(dtype: Any) -> np.dtype[Any]:
    kind = INT64 if dtype is None else dtypes.as_numpy(dtype)
    if kind.kind != "i":
        raise NotAvailable(
            f"places are whole numbers, not {kind}: choose torch.int64 or torch.int32"
        )
    return kind


# Beside an existing tensor: the `new_…` methods, in its dtype unless told otherwise.
def new_tensor(
    self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of the data, in this tensor's dtype."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_zeros(
    self: Any, *shape: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Zeros in this tensor's dtype."""
    return zeros(*shape, size=size, dtype=dtype or self.dtype, device=device,
               requires_grad=requires_grad)  # fmt: skip


def new_ones(
    self: Any, *shape: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones in this tensor's dtype."""
    return ones(*shape, size=size, dtype=dtype or self.dtype, device=device,
               requires_grad=requires_grad)  # fmt: skip


def new_full(
    self: Any,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number everywhere, in this tensor's dtype."""
    return full(
        size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
    )


for _method in (new_tensor, new_zeros, new_ones, new_full):
    setattr(Tensor, _method.__name__, _method)
Tensor.new_empty = new_zeros  # type: ignore[attr-defined]


# The default dtype.
def set_default_dtype(d: Any) -> None:
    """The floating type of new tensors: float32 unless this says float64."""
    kind = dtypes.as_numpy(d)
    if kind.kind != "f":
        raise TypeMismatch("only floating-point types are supported as the default type")
    dtypes.default.dtype = kind


def get_default_dtype() -> dtypes.dtype:
    """The floating type of new tensors.

    >>> import chalkgrad as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return dtypes.OF_NUMPY[dtypes.default.dtype]
