"""A CSV file that is too large for a message, sent by POST; its reply is that to `open`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chalkgrad.studio.conversation import written
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.studio.traffic import LONGEST_UPLOAD, UPLOADS_AT_ONCE
from chalkgrad.studio.visits import Answering

if TYPE_CHECKING:
    from starlette.requests import Request

Json = dict[str, Any]


class Uploads:
    """Takes in files: a few at once, each within bounds of size and time."""

    def __init__(self, *, seconds: float = LONGEST_UPLOAD) -> None:
        self.seconds = seconds
        self.running = 0

    async def taken(self, request: Request, session: Answering) -> tuple[int, str]:
        """The status and the reply, once the file is here and opened."""
        if self.running >= UPLOADS_AT_ONCE:
            return refusal(503, "other files are being read; try again in a moment")
        self.running += 1
        try:
            async with asyncio.timeout(self.seconds):
                content = await _body(request)
            if content is None:
                return refusal(413, f"the file is larger than {LARGEST_CSV >> 20} MB")
            name = request.query_params.get("name", "table.csv")
            return 200, await asyncio.to_thread(_opened, session, content, name)
        except TimeoutError:
            return refusal(408, f"the file did not arrive within {self.seconds:g} seconds")
        finally:
            self.running -= 1


def refusal(status: int, say: str) -> tuple[int, str]:
    return status, written({"id": None, "error": {"message": say, "line": None}})


async def _body(request: Request) -> bytes | None:
    """What is sent; None as soon as it is too much."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > LARGEST_CSV:
        return None
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_CSV:
            return None
    return bytes(content)


def _opened(session: Answering, content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return refusal(200, f"{name[:100]} is not UTF-8; save it as UTF-8")[1]
    return written(session.handle({"do": "open", "csv": text, "name": name}))
