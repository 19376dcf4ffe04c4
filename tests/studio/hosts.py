"""A server in a thread, with a session that says what it is asked to say."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from chalkgrad.studio.serving import Place, server_of
from chalkgrad.studio.visits import Emit, Visits

Json = dict[str, Any]


class Echo:
    """Answers each request with itself, and counts them. `made` are all that there were."""

    made: list[Echo]

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.requests: list[Json] = []
        self.closed = False

    def handle(self, message: Any) -> Json:
        self.requests.append(message)
        if isinstance(message, dict) and message.get("do") == "sleep":
            time.sleep(message["seconds"])
        if isinstance(message, dict) and message.get("do") == "fill":
            return {"id": message["id"], "ok": "x" * message["characters"]}
        id = message.get("id") if isinstance(message, dict) else None
        return {"id": id, "ok": {"count": len(self.requests)}}

    def close(self) -> None:
        self.closed = True


class Running:
    """A server that runs, and ways to speak to it."""

    def __init__(self, place: Place, visits: Visits) -> None:
        self.place, self.visits = place, visits
        self.port = place.socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.token = place.access.token
        self.sessions: list[Echo] = []

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.origin + path, headers=headers, follow_redirects=False)

    def post(self, content: Any, *, headers: Json | None = None, **query: str) -> httpx.Response:
        """An upload, by default as the page makes it."""
        query = {"session": new_key(), "token": self.token, "name": "t.csv"} | query
        own = {"origin": self.origin} if headers is None else headers
        address = f"{self.origin}/csv?{urlencode(query)}"
        return httpx.post(address, content=content, headers=own, timeout=30)

    def socket(
        self, key: str | None = None, *, token: str | None = None, origin: str | None = "its own",
        **options: Any,
    ) -> ClientConnection:  # fmt: skip
        """A socket, by default as the page opens it."""
        query = urlencode({"session": key or new_key(), "token": token or self.token})
        address = f"ws://127.0.0.1:{self.port}/ws?{query}"
        origin = self.origin if origin == "its own" else origin
        return connect(address, **{"origin": origin, "max_size": None, "proxy": None} | options)


@contextmanager
def running(**options: Any) -> Iterator[Running]:
    """A server at a free port, with `Visits(**options)`; ended at the end."""
    sessions: list[Echo] = []

    def begin(emit: Emit) -> Echo:
        sessions.append(Echo(emit))
        return sessions[-1]

    place = Place.taken(port=0)
    visits = Visits(options.pop("begin", begin), **options)
    server = server_of(place, visits)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.socket]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    found = Running(place, visits)
    found.sessions = sessions
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
        place.socket.close()
        assert not thread.is_alive()


def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def new_key() -> str:
    return secrets.token_hex(16)


def ask(socket: ClientConnection, **request: Any) -> Json:
    """The next message after a request."""
    socket.send(json.dumps(request))
    return heard(socket)


def heard(socket: ClientConnection) -> Json:
    message: Json = json.loads(socket.recv(timeout=20))
    return message


def ending(socket: ClientConnection) -> tuple[str, int]:
    """What the studio says at the end, and its code."""
    said = ""
    try:
        while True:
            message = heard(socket)
            said = message.get("say", said) if message.get("event") == "closing" else said
    except ConnectionClosed as closed:
        return said, closed.rcvd.code if closed.rcvd else 1006
