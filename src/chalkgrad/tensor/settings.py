"""Switches of the whole program, as PyTorch has them, where chalkgrad works that way anyhow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from chalkgrad.core.device import CPU, device
from chalkgrad.core.errors import DeviceError, TypeMismatch
from chalkgrad.tensor.arguments import check_device

__all__ = [
    "are_deterministic_algorithms_enabled", "get_default_device", "get_num_interop_threads",
    "get_num_threads", "is_deterministic_algorithms_warn_only_enabled", "set_default_device",
    "set_num_interop_threads", "set_num_threads", "use_deterministic_algorithms",
]  # fmt: skip


@dataclass(slots=True)
class _Settings:
    threads: int
    interop_threads: int
    deterministic: bool = False
    warn_only: bool = False


_settings = _Settings(os.cpu_count() or 1, os.cpu_count() or 1)


def set_default_device(device: Any) -> None:
    """Where new tensors go. The CPU it is; NotImplementedError for any other device."""
    check_device(device)


def get_default_device() -> device:
    """Where new tensors go: device(type='cpu')."""
    return CPU


def set_num_threads(num: int) -> None:
    """Note how many threads the program would like.

    NumPy's matrix products take their number from the environment when the program starts:
    `OPENBLAS_NUM_THREADS=1 python program.py`. What is set here is kept for `get_num_threads`.
    """
    _settings.threads = _count("set_num_threads", num)


def get_num_threads() -> int:
    """What `set_num_threads` set, or the number of processors."""
    return _settings.threads


def set_num_interop_threads(num: int) -> None:
    """Note the number; one operation runs after the other."""
    _settings.interop_threads = _count("set_num_interop_threads", num)


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` set, or the number of processors."""
    return _settings.interop_threads


def _count(name: str, n: Any) -> int:
    if not isinstance(n, int) or isinstance(n, bool):
        raise DeviceError(f"{name} expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise DeviceError(f"{name} expects a positive integer, not {n}")
    return n


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing to switch: a seeded run repeats exactly either way."""
    if not isinstance(mode, bool):
        raise TypeMismatch(
            f"use_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not "
            f"{type(mode).__name__}"
        )
    _settings.deterministic, _settings.warn_only = mode, mode and warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` set."""
    return _settings.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` set."""
    return _settings.warn_only
