"""One page's socket: a request and its reply at a time, and between them the events of training.

Nothing is read while a request is answered, and nothing is computed for a page that does not read:
what waits is one reply and one event, however fast the one side or slow the other is.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from chalkgrad.studio.outbox import Outbox
from chalkgrad.studio.traffic import (
    LARGEST_REPLY,
    LARGEST_REQUEST,
    REQUESTS_A_SECOND,
    SLOWEST,
    Bucket,
)
from chalkgrad.studio.visits import Answering

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

Json = dict[str, Any]
UNREADABLE, TOO_LARGE, CROWDED = 1003, 1009, 1013
NO_KEY, REFUSED, REPLACED, TOO_FAST = 4400, 4401, 4409, 4429


class Ended(Exception):
    """The conversation is over; with a code, it is the studio that ends it."""

    def __init__(self, code: int | None = None, say: str = "") -> None:
        super().__init__(say)
        self.code, self.say = code, say


class Conversation:
    """The socket of a page that was let in, its session, and what waits for it."""

    def __init__(self, socket: WebSocket, session: Answering, outbox: Outbox) -> None:
        self.socket, self.session, self.outbox = socket, session, outbox
        self.bucket = Bucket()
        self.sending = asyncio.Lock()

    async def held(self) -> None:
        """Talk until one of the two has enough."""
        talks = [asyncio.create_task(talk()) for talk in (self._answer_all, self._tell_all)]
        done, others = await asyncio.wait(talks, return_when=asyncio.FIRST_COMPLETED)
        for talk in others:
            talk.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for talk in done:
            error = talk.exception()
            if isinstance(error, Ended) and error.code is not None:
                await dismiss(self.socket, error.code, error.say)
            elif error is not None and not isinstance(error, Ended):
                raise error

    async def _answer_all(self) -> None:
        while True:
            request = await self._heard()
            await self._send(await asyncio.to_thread(answered, self.session, request))

    async def _tell_all(self) -> None:
        while (event := await self.outbox.take()) is not None:
            await self._send(await asyncio.to_thread(written, event))
        raise Ended(REPLACED, "this page is open in another place, which has taken over")

    async def _heard(self) -> str:
        """The next message, if it is one that is taken."""
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Ended
        text = message.get("text")
        if not isinstance(text, str):
            raise Ended(UNREADABLE, "a message must be text, in JSON")
        if len(text) > LARGEST_REQUEST or len(text.encode()) > LARGEST_REQUEST:
            raise Ended(TOO_LARGE, f"a message is larger than {LARGEST_REQUEST >> 20} MB")
        if not self.bucket.take():
            raise Ended(TOO_FAST, f"more than {REQUESTS_A_SECOND} messages a second")
        return text

    async def _send(self, text: str) -> None:
        try:
            async with self.sending, asyncio.timeout(SLOWEST):
                await self.socket.send_text(text)
        except TimeoutError:
            raise Ended(TOO_LARGE, "the page does not read what it is sent") from None
        except _gone():
            raise Ended from None


async def dismiss(socket: WebSocket, code: int, say: str) -> None:
    """Say why, and close."""
    try:
        async with asyncio.timeout(SLOWEST):
            await socket.send_text(written({"event": "closing", "say": say}))
            await socket.close(code, say[:120])
    except _gone():
        return


def _gone() -> tuple[type[Exception], ...]:
    """What is raised when the page has gone away in the meantime, or does not read."""
    from starlette.websockets import WebSocketDisconnect

    return OSError, RuntimeError, WebSocketDisconnect  # a TimeoutError is an OSError


def answered(session: Answering, text: str) -> str:
    """The reply to a message, both as text."""
    try:
        request = json.loads(text)
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # "\ud83d" is JSON, but nothing that a reply could repeat
        return _unread("has half of a character in it")
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        return _unread("is nested too deeply" if deep else f"is no JSON: {error}")
    return written(session.handle(request))


def _unread(why: str) -> str:
    return written({"id": None, "error": {"message": f"the request {why}", "line": None}})


def written(message: Json) -> str:
    """A message as text, within bounds."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(text) <= LARGEST_REPLY:
        return text
    say = f"the answer is larger than {LARGEST_REPLY >> 20} MB and is not sent"
    return json.dumps({"id": message.get("id"), "error": {"message": say, "line": None}})
