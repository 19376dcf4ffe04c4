"""Apple's GPUs: not here."""

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """False: chalkgrad computes on the CPU."""
    return False


def is_built() -> bool:
    """False."""
    return False
