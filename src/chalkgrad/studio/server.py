"""The studio's server: the page, its socket and its uploads, for those who have the token.

The token comes in the address that is printed. The first answer puts it into a cookie that no
script can read and no other site sends along, and leads to the address without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from chalkgrad.studio.access import Access, same_origin
from chalkgrad.studio.conversation import CROWDED, NO_KEY, REFUSED, Conversation, dismiss
from chalkgrad.studio.page import HEADERS, served
from chalkgrad.studio.traffic import MOST_SESSIONS, UPLOADS_AT_ONCE
from chalkgrad.studio.upload import Uploads, refusal
from chalkgrad.studio.visits import Answering, Visit, Visits, is_key

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
COOKIE = "chalkgrad-studio"
SWEEP = 30.0  # seconds between two looks at who has not come back
_JSON, _TEXT = "application/json", "text/plain; charset=utf-8"
_NO_TOKEN = "this page has no token of this studio: open the address that it printed"
_NO_KEY = "the page must send a session key of 32 hexadecimal digits"
_FULL = f"{MOST_SESSIONS} pages are open; close one of them first"


def application(visits: Visits, access: Access) -> Guard:
    """The application that a server runs."""
    from starlette.applications import Starlette
    from starlette.routing import Route, WebSocketRoute

    studio = _Studio(visits, access)
    routes = [
        *(Route(path, studio.page, methods=["GET"]) for path in served()),
        Route("/csv", studio.csv, methods=["POST"]),
        WebSocketRoute("/ws", studio.socket),
    ]
    return Guard(Starlette(routes=routes, lifespan=studio.life), access)


class Guard:
    """Lets in what was sent to this studio by name, and gives every answer its headers."""

    def __init__(self, app: App, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self.access.knows_host(hosts[0]):
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before accept: 403
        else:
            refused = _response(403, "this studio does not answer to that name in the address\n")
            await refused(scope, receive, _with_headers(send))


class _Studio:
    """What is behind each address."""

    def __init__(self, visits: Visits, access: Access) -> None:
        self.visits, self.access, self.uploads = visits, access, Uploads()

    @asynccontextmanager
    async def life(self, app: Starlette) -> AsyncIterator[None]:
        """While it runs, sessions whose page stays away are let go."""
        workers = ThreadPoolExecutor(MOST_SESSIONS + UPLOADS_AT_ONCE, "studio")
        asyncio.get_running_loop().set_default_executor(workers)
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            await self.visits.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            await self.visits.sweep()

    async def page(self, request: Request) -> Response:
        """The shell or one of its files; from the printed address, on to the one without token."""
        given = request.query_params.get("token")
        if request.url.path != "/" or given is None:
            kind, content = served()[request.url.path]
            return _response(200, content, kind)
        if not self.access.admits(given):
            return _response(403, f"{_NO_TOKEN}\n")
        response = _response(303, "", headers={"location": "/"})
        response.set_cookie(_cookie(request), given, httponly=True, samesite="strict")
        return response

    async def csv(self, request: Request) -> Response:
        """A file for a session."""
        session = await self._session_of(request)
        if isinstance(session, tuple):
            status, reply = session
        else:
            status, reply = await self.uploads.taken(request, session)
        return _response(status, reply, _JSON)

    async def _session_of(self, request: Request) -> Answering | tuple[int, str]:
        """The session that an upload is for, or why there is none."""
        key = request.query_params.get("session")
        if not same_origin(request.headers):
            return refusal(403, "a file must come from the studio's own page")
        if not self._admitted(request):
            return refusal(401, _NO_TOKEN)
        if not is_key(key):
            return refusal(400, _NO_KEY)
        found = await self.visits.visit(key)
        return refusal(503, _FULL) if found is None else found[1]

    async def socket(self, socket: WebSocket) -> None:
        """A page's connection, as long as it lasts."""
        from starlette.websockets import WebSocketDisconnect

        with suppress(WebSocketDisconnect):  # a page may go at any time
            if same_origin(socket.headers):
                await socket.accept()
                await self._let_in(socket)
            else:
                await socket.close(1008)  # before accept: 403

    async def _let_in(self, socket: WebSocket) -> None:
        key = socket.query_params.get("session")
        if not self._admitted(socket):
            await dismiss(socket, REFUSED, _NO_TOKEN)
        elif not is_key(key):
            await dismiss(socket, NO_KEY, _NO_KEY)
        elif (found := await self.visits.visit(key)) is None:
            await dismiss(socket, CROWDED, _FULL)
        else:
            await self._held(socket, *found)

    async def _held(self, socket: WebSocket, visit: Visit, session: Answering) -> None:
        outbox = visit.join()
        try:
            await Conversation(socket, session, outbox).held()
        finally:
            visit.leave(outbox, self.visits.clock())

    def _admitted(self, request: HTTPConnection) -> bool:
        return self.access.admits(
            request.query_params.get("token"), request.cookies.get(_cookie(request))
        )


def _cookie(request: HTTPConnection) -> str:
    """Cookies know no ports: each studio of a machine needs a name of its own."""
    return f"{COOKIE}-{(request.scope.get('server') or ('', 0))[1]}"


def _response(
    status: int, content: str | bytes, kind: str = _TEXT, headers: dict[str, str] | None = None
) -> Response:
    from starlette.responses import Response

    return Response(content, status, headers, kind)


def _with_headers(send: Send) -> Send:
    own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            # What is refused is not read to its end: the connection is closed under it.
            ending = [(b"connection", b"close")] if message["status"] >= 400 else []
            message = {**message, "headers": [*message["headers"], *own, *ending]}
        await send(message)

    return sent
