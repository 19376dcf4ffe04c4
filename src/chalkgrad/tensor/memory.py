"""Where a tensor's numbers are, and how many bytes they take."""

from __future__ import annotations

from math import prod
from typing import Any, NoReturn, Self

from chalkgrad.core.device import CPU
from chalkgrad.core.device import device as Device
from chalkgrad.core.errors import NotAvailable
from chalkgrad.tensor.inplace import InPlace


class Memory(InPlace):
    """Every tensor is dense and with the CPU; a program written for other machines may ask."""

    __slots__ = ()

    @property
    def device(self) -> Device:
        return CPU

    @property
    def is_cpu(self) -> bool:
        return True

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def is_mps(self) -> bool:
        return False

    @property
    def is_sparse(self) -> bool:
        return False

    def get_device(self) -> int:
        """-1, the number of no GPU."""
        return -1

    def cpu(self, memory_format: Any = None) -> Self:
        """This tensor itself."""
        return self

    def cuda(self, *_: Any, **__: Any) -> NoReturn:
        raise NotAvailable(
            "cuda(): chalkgrad computes on the CPU; leave the call out, or ask "
            "torch.cuda.is_available() first"
        )

    def pin_memory(self, device: Any = None) -> Self:
        """This tensor itself: without a GPU there is none to pin memory for."""
        return self

    def is_pinned(self, device: Any = None) -> bool:
        """Always False."""
        return False

    def element_size(self) -> int:
        """The bytes of one number.

        >>> import chalkgrad as torch
        >>> torch.zeros(3).element_size(), torch.zeros(3).nbytes
        (4, 12)
        """
        return self.node.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self.node.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return prod(self.node.shape) * self.node.dtype.itemsize
