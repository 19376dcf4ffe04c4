"""What a session has to tell a page, as much of it as a slow page leaves room for: one event.

While the page reads, events come in. The newest takes the place of the one that still waits, and
takes over the points of its curve. Only the numbers of an edit give way: its reply has them, too.
"""

from __future__ import annotations

import asyncio
from typing import Any

from chalkgrad.studio.losses import thinned

Json = dict[str, Any]


class Outbox:
    """The event that waits to be sent. For the thread of the event loop only."""

    def __init__(self) -> None:
        self.waiting: Json | None = None
        self.filled = asyncio.Event()
        self.over = False

    def put(self, event: Json) -> None:
        """Let it be the next to be sent."""
        if self.waiting is not None and event["event"] == "numbers":
            return
        if self.waiting is not None and "losses" in self.waiting and "losses" in event:
            points = [*self.waiting["losses"], *event["losses"]]
            event = {**event, "losses": thinned(tuple((k, loss) for k, loss in points))}
        self.waiting = event
        self.filled.set()

    def end(self) -> None:
        """Another page has taken this one's place."""
        self.over = True
        self.filled.set()

    async def take(self) -> Json | None:
        """The event, as soon as there is one; None when it is over."""
        await self.filled.wait()
        self.filled.clear()
        event, self.waiting = self.waiting, None
        return None if self.over else event
