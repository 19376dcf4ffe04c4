"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import DtypeError, GradientError, TypeMismatch
from chalkgrad.core.graph import leaf
from chalkgrad.tensor.arguments import check_device
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.tensor import Tensor


class Parameter(Tensor):
    """A tensor that is a part of a model: assigned to a module's attribute, it is registered there.

    It has floating-point numbers and asks for its gradient, unless `requires_grad=False`.
    RuntimeError for whole numbers that are to have a gradient.

    >>> import chalkgrad as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        if data is not None and not isinstance(data, Tensor):
            raise TypeMismatch(f"Parameter takes a tensor, not {type(data).__name__}: tensor(...)")
        array = np.empty(0, dtypes.default.dtype) if data is None else data.array_for("Parameter")
        if requires_grad and array.dtype.kind != "f":
            raise GradientError(
                "Only Tensors of floating point and complex dtype can require gradients: this "
                f"Parameter has {array.dtype}. Give it floats, or requires_grad=False."
            )
        self._grad: Tensor | None = None
        self.node = leaf(array, tracked=requires_grad)
        self.node.owner = ref(self)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that is part of a module's state but is not learned: assigned to an attribute, it is
    registered as a buffer. It stands in the state dict unless `persistent=False`.

    >>> import chalkgrad as torch
    >>> model = torch.nn.Module()
    >>> model.count = torch.nn.Buffer(torch.zeros(1))
    >>> dict(model.state_dict())
    {'count': tensor([0.])}
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        if data is not None and not isinstance(data, Tensor):
            raise TypeMismatch(f"Buffer takes a tensor, not {type(data).__name__}: tensor(...)")
        array = np.empty(0, dtypes.default.dtype) if data is None else data.array_for("Buffer")
        tracked = data is not None and data.requires_grad
        self._grad: Tensor | None = None
        self.node = leaf(array, tracked=tracked)
        self.node.owner = ref(self)
        self.persistent = persistent


def constant(
    shape: tuple[int, ...], value: float, device: Any = None, dtype: Any = None
) -> Parameter:
    """A parameter of one number everywhere, as layers make them before they initialise them."""
    check_device(device)
    kind = dtypes.default.dtype if dtype is None else dtypes.as_numpy(dtype)
    if kind.kind != "f":
        raise DtypeError(
            f"Only Tensors of floating point and complex dtype can require gradients, not {kind}"
        )
    return Parameter(holding(np.full(shape, value, kind)))
