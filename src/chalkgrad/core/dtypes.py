"""The types of numbers, with PyTorch's names and promotion rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad.core.errors import TypeMismatch, nearest


@dataclass(frozen=True, slots=True, eq=False)
class dtype:
    """The type of a tensor's numbers, such as `float32`.

    >>> float32, float32.itemsize, float32.is_floating_point
    (torch.float32, 4, True)
    """

    name: str
    numpy: np.dtype[Any]
    rank: int  # promotion order: bool < integers < floats, narrow < wide

    @property
    def itemsize(self) -> int:
        return self.numpy.itemsize

    @property
    def is_floating_point(self) -> bool:
        return self.numpy.kind == "f"

    @property
    def is_complex(self) -> bool:
        return False

    @property
    def is_signed(self) -> bool:
        return self.numpy.kind != "b"

    def __repr__(self) -> str:
        # PyTorch's spelling, so that a program prints the same text under either import.
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name


bool_ = dtype("bool", np.dtype(np.bool_), 0)
int32 = dtype("int32", np.dtype(np.int32), 1)
int64 = dtype("int64", np.dtype(np.int64), 2)
float32 = dtype("float32", np.dtype(np.float32), 3)
float64 = dtype("float64", np.dtype(np.float64), 4)

ALL = (bool_, int32, int64, float32, float64)
OF_NUMPY: dict[np.dtype[Any], dtype] = {d.numpy: d for d in ALL}
_BY_NAME = {d.name: d for d in ALL} | {
    "float": float32,
    "double": float64,
    "int": int32,
    "long": int64,
}
_PYTHON: dict[type, dtype] = {bool: bool_, int: int64, float: float64}


@dataclass(slots=True)
class _Default:
    dtype: np.dtype[Any]


default = _Default(float32.numpy)


def as_numpy(given: Any) -> np.dtype[Any]:
    """The NumPy type of a chalkgrad dtype, a NumPy dtype, a Python type or a name."""
    if isinstance(given, dtype):
        return given.numpy
    if isinstance(given, type) and given in _PYTHON:
        return _PYTHON[given].numpy
    if isinstance(given, str) and given.removeprefix("torch.") in _BY_NAME:
        return _BY_NAME[given.removeprefix("torch.")].numpy
    found: np.dtype[Any] | None
    try:
        found = np.dtype(given)
    except TypeError:
        found = None
    if found is not None and found in OF_NUMPY:
        return found
    known = ", ".join(d.name for d in ALL)
    raise TypeMismatch(f"no dtype {given!r}; there are {known}.{nearest(str(given), _BY_NAME)}")


def promote(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which two types meet: the higher of the two (int64 with float32 is float32)."""
    return a if OF_NUMPY[a].rank >= OF_NUMPY[b].rank else b


def category(kind: np.dtype[Any]) -> int:
    """0 for bool, 1 for integers, 2 for floating point."""
    return {"b": 0, "i": 1, "f": 2}[kind.kind]
