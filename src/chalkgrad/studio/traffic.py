"""How much a page may send, and how long the studio waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

LARGEST_REQUEST = 1 << 20  # bytes of a message
LARGEST_FRAME = 2 << 20  # beyond this the message is not even read to its end
LARGEST_REPLY = 32 << 20  # characters: the interactive page is the largest
REQUESTS_A_SECOND = 60
BURST = 240  # requests that may come at once
SLOWEST = 30.0  # seconds that a page may take to read a message
LONGEST_UPLOAD = 60.0  # seconds
UPLOADS_AT_ONCE = 2
MOST_SESSIONS = 16
KEPT = 30 * 60.0  # seconds that a session waits for its page to come back
MOST_CONNECTIONS = 128


@dataclass
class Bucket:
    """Tokens that come at a steady rate, as many as it holds. A request takes one."""

    rate: float = REQUESTS_A_SECOND
    size: float = BURST
    clock: Callable[[], float] = monotonic
    level: float = field(init=False)
    filled: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.filled = self.size, self.clock()

    def take(self) -> bool:
        """Is there one left?"""
        now = self.clock()
        self.level = min(self.size, self.level + (now - self.filled) * self.rate)
        self.filled = now
        if self.level < 1:
            return False
        self.level -= 1
        return True
