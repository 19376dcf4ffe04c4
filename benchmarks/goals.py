"""What chalkgrad's native executor is meant to reach."""

from __future__ import annotations

from typing import NamedTuple


class Goal(NamedTuple):
    """How many times faster a step is to be than the peer's best one."""

    jax: float
    torch: float


GOALS = {
    "xor": Goal(8, 2000),
    "digits 64-32-10": Goal(3, 30),
    "table 13-64-64-1": Goal(2.5, 25),
    "image 784-128-10": Goal(1.4, 3.5),
    "image 784-256-128-10": Goal(1.25, 1.8),
    "wide 1024-1024-1024-10": Goal(1, 1.4),
    "cnn 28x28": Goal(10, 2),
}
COLD, CACHED = 0.3, 0.02  # seconds until a program is ready: compiled, or found in the cache
PROCESS = 0.35  # seconds of a process that trains XOR for 10,000 epochs
