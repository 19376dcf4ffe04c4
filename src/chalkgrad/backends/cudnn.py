"""NVIDIA's kernels: not here. Programs set these switches without asking, and may."""

__all__ = ["benchmark", "deterministic", "enabled", "is_available"]

benchmark = False
deterministic = False
enabled = True


def is_available() -> bool:
    """False."""
    return False
