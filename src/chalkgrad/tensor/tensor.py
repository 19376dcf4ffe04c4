"""The tensor: a handle on a node of the graph, with PyTorch's attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol, Self
from weakref import ref

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import (
    ArgumentError,
    GradientError,
    TraceError,
    TypeMismatch,
)
from chalkgrad.core.graph import FRESH, NO_PARAMS, Array, Node, equation, is_leaf, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.core.scope import current, recording
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.memory import Memory
from chalkgrad.tensor.printing import format_tensor
from chalkgrad.tensor.views import move, view

_new = object.__new__


class Size(tuple[int, ...]):
    """A shape that prints as PyTorch's does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        return int(np.prod(self, dtype=np.int64))

    def __getitem__(self, place: Any) -> Any:
        found = tuple.__getitem__(self, place)
        return Size(found) if type(found) is tuple else found

    def __add__(self, other: Any) -> Size:
        return Size((*self, *other))

    def __radd__(self, other: Any) -> Size:
        return Size((*other, *self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__


class Engine(Protocol):
    """What stands behind `backward()`; the executors provide it."""

    def backward(
        self, roots: list[Tensor], gradients: list[Tensor | None], retain: bool, create: bool,
        inputs: list[Tensor] | None,
    ) -> None: ...  # fmt: skip


def owner_of(array: Array) -> Array:
    """The array that owns the memory which this one views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Tensor(Memory):
    """An n-dimensional array that remembers how it was computed.

    >>> import chalkgrad as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = x**2 + 3 * x
    >>> y.backward()
    >>> x.grad
    tensor(7.)
    """

    __slots__ = ("__dict__", "__weakref__", "_grad")
    engine: ClassVar[Engine]
    __array_ufunc__ = None  # NumPy arrays leave mixed expressions to us
    __hash__ = object.__hash__

    def __init__(self, data: Any = ()) -> None:
        self.node = leaf(np.asarray(data, dtypes.default.dtype).copy())
        self._grad: Tensor | None = None

    def wrap(self, node: Node) -> Self:
        out = _new(Tensor)
        out.node = node
        out._grad = None
        return out  # type: ignore[return-value]

    # What it is.
    @property
    def shape(self) -> Size:
        return Size(self.node.shape)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[self._dim(dim)]

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.OF_NUMPY[self.node.dtype]

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    def dim(self) -> int:
        return len(self.node.shape)

    ndimension = dim

    def numel(self) -> int:
        return self.shape.numel()

    nelement = numel

    @property
    def is_leaf(self) -> bool:
        return is_leaf(self.node)

    @property
    def requires_grad(self) -> bool:
        return self.node.tracked

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self.requires_grad_(on)

    @property
    def name(self) -> str | None:
        return self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.node.name = name

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` has added up for this leaf, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and value.node.shape != self.node.shape:
            raise ArgumentError(
                f"a gradient of shape {list(value.node.shape)} for a tensor of shape "
                f"{list(self.node.shape)}"
            )
        trace = current().trace
        if trace is not None:
            trace.graded(self, self._grad)
        self._grad = value

    @property
    def grad_fn(self) -> str | None:
        """The operation that made this tensor, or None for a leaf."""
        node = self.node
        return f"<{_title(node)}>" if node.tracked and node.primitive else None

    # The graph.
    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Ask for this leaf's gradient (or no longer)."""
        node = self.node
        if node.tracked == requires_grad:
            return self
        # In a trace all is computed; what has no history is a leaf all the same.
        maker = None if is_leaf(node) else node.primitive
        if maker is not None and (node.tracked or not current().abstract):
            raise GradientError(
                "requires_grad can be changed on leaf tensors only; this one was computed by "
                f"{maker.name}. Use detach() for a tensor without history."
            )
        if requires_grad and node.dtype.kind != "f":
            raise GradientError(
                f"only floating-point tensors have gradients; this one is {self.dtype}"
            )
        self._become(_copy_of(node, tracked=requires_grad))
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor too, though it is not a leaf."""
        if not self.node.tracked:
            raise GradientError("can't retain_grad on a tensor that has requires_grad=False")
        self.node.owner = ref(self)

    def detach(self) -> Tensor:
        """The same numbers (the same memory) without history."""
        if current().abstract:
            with recording(False):
                return view(self, e.copy, NO_PARAMS)
        return self.wrap(leaf(self.node.value))

    def detach_(self) -> Self:
        self._become(self.detach().node)
        return self

    @property
    def data(self) -> Tensor:
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        self._become(_copy_of(value.detach().node, tracked=self.node.tracked, name=self.node.name))

    def backward(
        self, gradient: Tensor | None = None, retain_graph: bool | None = None,
        create_graph: bool = False, inputs: Any = None,
    ) -> None:  # fmt: skip
        """Add the gradient of this scalar to every leaf it depends on, by the chain rule."""
        wanted = (
            None if inputs is None else [inputs] if isinstance(inputs, Tensor) else list(inputs)
        )
        retain = create_graph if retain_graph is None else retain_graph
        Tensor.engine.backward([self], [gradient], retain, create_graph, wanted)

    def clone(self) -> Tensor:
        return bind(e.copy, (self,))

    # Its numbers.
    def array_for(self, what: str = "this") -> Array:
        """The NumPy array; refused inside a trace, where there are no numbers yet."""
        value: Array | None = self.node.value
        if value is None or (self.node.owner is not None and current().abstract):
            raise TraceError(
                f"{what} needs the numbers of a tensor, and a traced program has none while it is "
                "being built. Compute with the tensor instead, or do this outside of the traced "
                "function."
            )
        return value

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself, sharing memory."""
        if self.node.tracked and not force:
            raise GradientError(
                "Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead."
            )
        return self.array_for("numpy()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array_for("DLPack").__dlpack_device__()

    def item(self) -> Any:
        """The number in a tensor of one element."""
        value = self.array_for("item()")
        if value.size != 1:
            raise GradientError(
                f"a Tensor with {value.size} elements cannot be converted to Scalar"
            )
        return value.item()

    def tolist(self) -> Any:
        return self.array_for("tolist()").tolist()

    def __bool__(self) -> bool:
        value = self.array_for("a condition (if, while, and, or)")
        if value.size != 1:
            word = "no values" if value.size == 0 else "more than one value"
            raise GradientError(f"Boolean value of Tensor with {word} is ambiguous")
        return bool(value.item())

    def is_nonzero(self) -> bool:
        """Is the one number in this tensor another than 0?"""
        return bool(self)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.node.dtype.kind != "i":
            raise TypeMismatch(
                "only integer tensors of a single element can be converted to an index"
            )
        return int(self.item())

    def __len__(self) -> int:
        if not self.node.shape:
            raise TypeMismatch("len() of a 0-d tensor")
        return self.node.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.node.shape:
            raise TypeMismatch("iteration over a 0-d tensor")
        return iter([self[i] for i in range(self.node.shape[0])])

    def __repr__(self) -> str:
        node = self.node
        if node.value is None:
            return f"tensor(…, shape={list(node.shape)}, dtype={self.dtype}, traced)"
        suffix = ""
        if node.tracked:
            suffix = f"grad_fn={self.grad_fn}" if node.primitive else "requires_grad=True"
        return format_tensor(node.value, default_dtype=dtypes.default.dtype, suffix=suffix)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.node.shape else object.__format__(self, spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if self.node.primitive is not None and self.node.tracked:
            raise GradientError(
                "Only leaf tensors can be deep-copied; use detach() or clone() first"
            )
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made._grad = self._grad.clone() if self._grad is not None else None
        node = self.node
        fresh = leaf(self.array_for("deepcopy").copy(), tracked=node.tracked, name=node.name)
        made.node = fresh
        if node.tracked or node.owner is not None:
            fresh.owner = ref(made)
        made.__dict__.update(self.__dict__)
        return made

    # Changing in place.
    def _become(self, node: Node) -> None:
        """Put this handle on another node."""
        before = self.node
        if before.owner is not None or (node.tracked and is_leaf(node)):
            node.owner = ref(self)
        self.node = node
        trace = current().trace
        if trace is not None:
            trace.assigned(self, before)

    def assign(self, value: Tensor) -> Self:
        """Take over another tensor's numbers as a leaf, whatever graph the old ones are part of."""
        self._become(_copy_of(value.node, tracked=self.node.tracked, name=self.node.name))
        return self

    def write(self, value: Tensor, *, operation: str) -> Self:
        """The end of every in-place operation: this tensor becomes `value`, in its own memory.

        A leaf with a gradient refuses while the graph is recorded. Outside of the graph the memory
        is changed, so that views follow, except for a leaf with a gradient: a graph may hold its
        numbers, so it moves to new memory.
        """
        node, mode = self.node, current()
        if mode.recording and node.tracked and is_leaf(node):
            raise GradientError(
                f"a leaf Variable that requires grad is being used in an in-place operation "
                f"({operation} on {node.name or 'a tensor of shape ' + str(list(node.shape))}). "
                "Wrap the update in `with no_grad():`, or compute a new tensor."
            )
        if value.node.shape != node.shape:
            raise GradientError(
                f"output with shape {list(node.shape)} doesn't match the broadcast shape "
                f"{list(value.node.shape)} of {operation}"
            )
        if dtypes.category(value.node.dtype) > dtypes.category(node.dtype):
            raise GradientError(
                f"result type {value.dtype} of {operation} can't be cast to this tensor's "
                f"{self.dtype}"
            )
        value = value.cast(node.dtype)
        if mode.recording and (value.node.tracked or node.tracked):
            move(self, value.node)
        elif node.tracked and is_leaf(node):
            self.assign(value)
        elif mode.abstract:
            move(self, value.node)
        else:  # of a tensor with history, only the memory changes and not how it was computed
            target = self.detach() if node.tracked else self
            target.mutate(lambda array: np.copyto(array, value.node.value))
        return self

    def mutate(self, change: Callable[[Array], Any]) -> None:
        """Change the memory itself, and note when, for graphs that still need what was there."""
        array = self.array_for("an in-place change")
        if not array.flags.writeable or 0 in [
            s for s, n in zip(array.strides, array.shape, strict=True) if n > 1
        ]:
            array = array.copy()
        change(array)
        fresh = leaf(array, name=self.node.name)
        marks.note(array, fresh.seq)
        self._become(fresh)

    def __iadd__(self, other: Any) -> Self:
        return self.write(self + other, operation="+=")

    def __isub__(self, other: Any) -> Self:
        return self.write(self - other, operation="-=")

    def __imul__(self, other: Any) -> Self:
        return self.write(self * other, operation="*=")

    def __itruediv__(self, other: Any) -> Self:
        return self.write(self / other, operation="/=")

    def __ipow__(self, other: Any) -> Self:
        return self.write(self**other, operation="**=")


class _Marks:
    """Which memory was changed in place after the graph may have read it, and when.

    Keyed by the owning array's identity; an entry goes when that array goes.
    """

    def __init__(self) -> None:
        self.times: dict[int, tuple[Any, int]] = {}

    def note(self, array: Array, time: int) -> None:
        owner = owner_of(array)
        key = id(owner)
        self.times[key] = (ref(owner, lambda _: self.times.pop(key, None)), time)

    def changed_after(self, array: Array, time: int) -> bool:
        entry = self.times.get(id(owner_of(array)))
        return entry is not None and entry[1] > time


marks = _Marks()


def _copy_of(node: Node, *, tracked: bool, name: str | None = None) -> Node:
    """A fresh leaf with a node's numbers. Inside a trace it has none yet: there an equation says
    whose numbers it will have, and gradients towards the new value end at it."""
    if current().abstract:
        return equation(e.copy, (node,), FRESH, None, node.shape, node.dtype, tracked)
    fresh = equation(None, (), node.params, node.value, node.shape, node.dtype, tracked)
    fresh.name = name or node.name
    return fresh


# PyTorch's words for what our records call otherwise.
_TITLES = {
    "absolute": "Abs", "arccos": "Acos", "arcsin": "Asin", "arctan": "Atan", "broadcast": "Expand",
    "cast": "ToCopy", "concatenate": "Cat", "copy": "Clone", "divide": "Div", "matmul": "Mm",
    "multiply": "Mul", "negative": "Neg", "power": "Pow", "reshape": "View", "select": "Where",
    "subtract": "Sub", "take": "Index", "take_along": "Gather", "transpose": "Permute",
}  # fmt: skip


def _title(node: Node) -> str:
    assert node.primitive is not None
    name = node.primitive.name
    words = _TITLES.get(name) or "".join(part.capitalize() for part in name.split("_"))
    along_a_dimension = len(node.params.get("axes", ())) < len(node.inputs[0].shape)
    return f"{words}Backward{int(name in ('sum', 'mean') and along_a_dimension)}"
