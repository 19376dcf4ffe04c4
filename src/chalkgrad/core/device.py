"""The places where numbers can be, under PyTorch's names. Ours are always with the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from re import fullmatch
from typing import Any

from chalkgrad.core.errors import DeviceError, NotAvailable, TypeMismatch

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia",
    "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


@dataclass(frozen=True, slots=True, init=False, repr=False)
class device:
    """A place where numbers can be: `device("cpu")`, `device("cuda", 1)`, `device("cuda:1")`.

    Any of PyTorch's places can be named, so that a program may choose among them; only the CPU can
    be used. RuntimeError for a name that is none.

    >>> device("cpu"), device("cuda:1").index
    (device(type='cpu'), 1)
    """

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device) and index is None:
            type, index = type.type, type.index
        elif isinstance(type, str):
            type, index = _parsed(type, index)
        elif isinstance(type, int) and not isinstance(type, bool):
            raise DeviceError(
                f"device({type}) is a GPU, and cannot access accelerator device when none is "
                'available: write device("cpu")'
            )
        else:
            raise TypeMismatch(
                f"device() takes the name of a place, such as 'cpu', not {type.__class__.__name__}"
            )
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "index", index)

    def require(self) -> None:
        """Refuse a place that cannot be used."""
        if self.type != "cpu":
            raise NotAvailable(
                f"device {str(self)!r}: chalkgrad computes on the CPU; leave the device out, or "
                f'choose it by `"{self.type}" if torch.cuda.is_available() else "cpu"`'
            )

    def __enter__(self) -> device:
        self.require()
        return self

    def __exit__(self, *_: object) -> None: ...

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"


def _parsed(text: str, index: int | None) -> tuple[str, int | None]:
    """The type and the number in "cuda:1"."""
    kind, colon, number = text.partition(":")
    if not text:
        raise DeviceError("Device string must not be empty")
    if kind not in _TYPES:
        raise DeviceError(
            f"Expected one of {', '.join(_TYPES)} device type at start of device string: {text}"
        )
    if not colon:
        return kind, index
    if index is not None:
        raise DeviceError(
            "type (string) must not include an index because index was passed explicitly: " + text
        )
    if not fullmatch("0|[1-9][0-9]*", number):
        raise DeviceError(f"Invalid device string: {text!r}")
    return kind, int(number)


CPU = device("cpu")
