"""The limits of the types of numbers: `finfo` and `iinfo`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import TypeMismatch


class finfo:
    """The limits of a floating-point type; without one, of the default type.

    `eps` is the distance from 1 to the next number, `tiny` (or `smallest_normal`) the smallest
    positive number with all its digits, `resolution` 10 to the power of minus the decimal digits.

    >>> finfo(dtypes.float32).eps == 2**-23
    True
    """

    def __init__(self, type: Any = None) -> None:
        kind = dtypes.default.dtype if type is None else dtypes.as_numpy(type)
        if kind.kind != "f":
            raise TypeMismatch(
                f"torch.finfo() requires a floating point input type, not {kind}: use torch.iinfo"
            )
        limits = np.finfo(kind)
        self.bits, self.dtype = kind.itemsize * 8, kind.name
        self.min, self.max, self.eps = float(limits.min), float(limits.max), float(limits.eps)
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = 10.0**-limits.precision

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of a type of whole numbers.

    >>> iinfo(dtypes.int32).max
    2147483647
    """

    def __init__(self, type: Any) -> None:
        kind = dtypes.as_numpy(type)
        if kind.kind != "i":
            raise TypeMismatch(
                f"torch.iinfo() requires an integer input type: {kind} is not supported by "
                "torch.iinfo. Use torch.finfo for floating-point types"
            )
        limits = np.iinfo(kind)
        self.bits, self.dtype = kind.itemsize * 8, kind.name
        self.min, self.max = int(limits.min), int(limits.max)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
