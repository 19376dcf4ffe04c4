"""`torch.cuda`, for the question that programs ask it: no, there is no GPU here."""

from typing import NoReturn

from chalkgrad.core.errors import NameMissing

__all__ = [
    "device_count", "empty_cache", "is_available", "is_initialized", "manual_seed",
    "manual_seed_all",
]  # fmt: skip


def is_available() -> bool:
    """False: chalkgrad computes on the CPU."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing to seed, as in PyTorch where there is no GPU."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed, as in PyTorch where there is no GPU."""


def empty_cache() -> None:
    """Nothing to empty."""


def __getattr__(name: str) -> NoReturn:
    raise NameMissing(
        f"chalkgrad.cuda has no {name!r}: chalkgrad computes on the CPU. Leave it out, or ask "
        "torch.cuda.is_available() first."
    )
