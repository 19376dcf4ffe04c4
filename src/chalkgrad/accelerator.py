"""`torch.accelerator`, for the question that programs ask it: no, there is none here."""

from chalkgrad.core.device import device

__all__ = ["current_accelerator", "device_count", "is_available"]


def is_available() -> bool:
    """False: chalkgrad computes on the CPU."""
    return False


def current_accelerator(check_available: bool = False) -> device | None:
    """None: chalkgrad computes on the CPU."""
    return None


def device_count() -> int:
    """0."""
    return 0
