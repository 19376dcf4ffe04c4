"""The sessions that a server keeps: one for each key, also while its page is away.

A refresh, or a connection that breaks, finds its session again by the key that the page kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, TypeGuard

from chalkgrad.studio.outbox import Outbox
from chalkgrad.studio.traffic import KEPT, MOST_SESSIONS

Json = dict[str, Any]
Emit = Callable[[Json], None]
_KEY = re.compile(r"[0-9a-f]{32}")


class Answering(Protocol):
    """What a server needs of a session. Both are called from any thread."""

    def handle(self, message: Any) -> Json: ...

    def close(self) -> None: ...


Begin = Callable[[Emit], Answering]


class Visit:
    """A session and the page that is connected to it, if there is one."""

    def __init__(self, now: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.made = asyncio.Lock()
        self.session: Answering | None = None
        self.outbox: Outbox | None = None
        self.seen = now

    @property
    def is_idle(self) -> bool:
        """Is there a session, and no page?"""
        return self.session is not None and self.outbox is None

    def emit(self, event: Json) -> None:
        """Hand an event on, from whatever thread. Nobody there: hello will tell the state."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: Json) -> None:
        if self.outbox is not None:
            self.outbox.put(event)

    def join(self) -> Outbox:
        """A page is connected; one that was is not any more."""
        if self.outbox is not None:
            self.outbox.end()
        self.outbox = Outbox()
        return self.outbox

    def leave(self, outbox: Outbox, now: float) -> None:
        """The page is gone, unless another one has taken its place."""
        if self.outbox is outbox:
            self.outbox, self.seen = None, now

    def close(self) -> None:
        if self.session is not None:
            self.session.close()


class Visits:
    """Visits by their keys, at most so many."""

    def __init__(
        self, begin: Begin, *, most: int = MOST_SESSIONS, kept: float = KEPT,
        clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self.begin, self.most, self.kept, self.clock = begin, most, kept, clock
        self.known: dict[str, Visit] = {}

    async def visit(self, key: str) -> tuple[Visit, Answering] | None:
        """The visit of a key and its session; None where every session has a page, and no more
        are taken."""
        visit = self.known.get(key)
        if visit is None:
            while len(self.known) >= self.most:  # others come in while one goes
                if not await self._drop_oldest():
                    return None
            visit = self.known.setdefault(key, Visit(self.clock()))
        async with visit.made:
            if visit.session is None:
                visit.session = await self._begun(key, visit)
        return visit, visit.session

    async def _begun(self, key: str, visit: Visit) -> Answering:
        try:
            return await asyncio.to_thread(self.begin, visit.emit)
        except BaseException:
            self.known.pop(key, None)
            raise

    async def _drop_oldest(self) -> bool:
        idle = [(visit.seen, key) for key, visit in self.known.items() if visit.is_idle]
        if not idle:
            return False
        await self._drop(min(idle)[1])
        return True

    async def _drop(self, key: str) -> None:
        visit = self.known.pop(key, None)
        if visit is not None:
            await asyncio.to_thread(visit.close)

    async def sweep(self) -> None:
        """Let go of sessions whose page has not come back."""
        late = self.clock() - self.kept
        for key in [k for k, v in self.known.items() if v.is_idle and v.seen < late]:
            await self._drop(key)

    async def close(self) -> None:
        """End them all."""
        for key in list(self.known):
            await self._drop(key)


def is_key(text: str | None) -> TypeGuard[str]:
    """Does it look like the key that a page makes?"""
    return _KEY.fullmatch(text or "") is not None
