"""From one type of numbers to another."""

from __future__ import annotations

from typing import Any, Self

from chalkgrad.core import dtypes
from chalkgrad.core.device import device as Device
from chalkgrad.core.errors import TypeMismatch
from chalkgrad.core.primitive import bind
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.arguments import check_device
from chalkgrad.tensor.operand import Operand

Flag = bool  # inside the class, `bool`, `float` and `int` are methods
_OLD_NAMES = {
    "FloatTensor": dtypes.float32, "DoubleTensor": dtypes.float64, "IntTensor": dtypes.int32,
    "LongTensor": dtypes.int64, "BoolTensor": dtypes.bool_,
}  # fmt: skip


class Conversion(Operand):
    """Methods that change the type of a tensor's numbers, without a copy where none is needed."""

    __slots__ = ()

    def float(self) -> Self:
        """The numbers as float32."""
        return self.cast(dtypes.float32.numpy)

    def double(self) -> Self:
        """The numbers as float64."""
        return self.cast(dtypes.float64.numpy)

    def int(self) -> Self:
        """The numbers as int32, cut off towards zero."""
        return self.cast(dtypes.int32.numpy)

    def long(self) -> Self:
        """The numbers as int64, cut off towards zero."""
        return self.cast(dtypes.int64.numpy)

    def bool(self) -> Self:
        """False where an element is 0, else True."""
        return self.cast(dtypes.bool_.numpy)

    def to(
        self, *target: Any, dtype: Any = None, device: Any = None, tensor: Any = None,
        non_blocking: Flag = False, copy: Flag = False,
    ) -> Self:  # fmt: skip
        """This tensor with the dtype given, by itself or by another tensor; the device is the CPU.

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2]).to(torch.float64)
        tensor([1., 2.], dtype=torch.float64)
        """
        for item in (tensor, *target):
            if isinstance(item, Operand):
                dtype = item.node.dtype
            elif _names_a_device(item):
                device = item
            elif item is not None and not isinstance(item, Flag):
                dtype = item
        check_device(device)
        out = self if dtype is None else self.cast(dtypes.as_numpy(dtype))
        return bind(e.copy, (self,)) if copy and out is self else out

    def type(self, dtype: Any = None, non_blocking: Flag = False) -> Any:
        """The old name of the type, such as torch.FloatTensor; or this tensor in another type."""
        if dtype is None:
            names = {kind.numpy: name for name, kind in _OLD_NAMES.items()}
            return f"torch.{names[self.node.dtype]}"
        if isinstance(dtype, str):
            dtype = _OLD_NAMES.get(dtype.removeprefix("torch."), dtype)
        return self.cast(dtypes.as_numpy(dtype))

    def type_as(self, other: Operand) -> Self:
        """This tensor with the dtype of another one."""
        return self.cast(other.node.dtype)

    def is_floating_point(self) -> Flag:
        """Are the numbers float32 or float64?"""
        return self.node.dtype.kind == "f"

    def is_signed(self) -> Flag:
        """Can the numbers be negative? All but bool."""
        return self.node.dtype.kind != "b"

    def is_complex(self) -> Flag:
        """Always False: there are no complex tensors."""
        return False


def _names_a_device(item: Any) -> bool:
    if isinstance(item, str):
        try:
            dtypes.as_numpy(item)
        except TypeMismatch:
            return True
        return False
    return isinstance(item, (Device, int)) and not isinstance(item, Flag)
