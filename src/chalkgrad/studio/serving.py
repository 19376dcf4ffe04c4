"""Running the server: a socket, its address, a browser."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from chalkgrad.core.errors import ArgumentError, MissingExtra
from chalkgrad.studio.access import Access, is_loopback
from chalkgrad.studio.server import application
from chalkgrad.studio.traffic import LARGEST_FRAME, MOST_CONNECTIONS
from chalkgrad.studio.visits import Visits

INSTALL = 'pip install "chalkgrad[studio]"'
HOST, PORT = "127.0.0.1", 8425
TRIED = 20  # ports from the usual one on; a browser remembers what it knows of a page by its port
_ANY = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class Place:
    """A socket that listens, and who may speak to it."""

    socket: socket.socket
    access: Access
    address: str  # of the page, with its token

    @classmethod
    def taken(cls, host: str = HOST, port: int | None = None) -> Place:
        """A place on this machine: at that port, or at the first of the usual ones that is free."""
        found = _bound(host, port)
        address, number = found.getsockname()[:2]
        inside = is_loopback(address)
        name = socket.gethostname() if host in _ANY else host
        access = Access(frozenset({name.lower()}), open=not inside)
        shown = f"[{name}]" if ":" in name else name
        query = urlencode({"token": access.token})
        return cls(found, access, f"http://{shown}:{number}/?{query}")

    @property
    def is_private(self) -> bool:
        """Can only this machine reach it?"""
        return not self.access.open


def server_of(place: Place, visits: Visits) -> Any:
    """What `serve` runs. MissingExtra where a package of the extra is not installed."""
    try:
        import uvicorn
        import websockets  # noqa: F401  (what uvicorn speaks to a page with)

        app = application(visits, place.access)
    except ImportError:
        raise MissingExtra(f"the studio's page needs the extra `studio`: {INSTALL}") from None
    config = uvicorn.Config(
        app, http="h11", ws="websockets-sansio", loop="asyncio",
        lifespan="on", log_level="error", access_log=False, server_header=False,
        proxy_headers=False, ws_max_size=LARGEST_FRAME, ws_per_message_deflate=False,
        ws_ping_interval=20.0, ws_ping_timeout=60.0, limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    return uvicorn.Server(config)


def serve(place: Place, visits: Visits, announce: Callable[[], None] = lambda: None) -> None:
    """Announce, and serve until interrupted: KeyboardInterrupt when everything is closed."""
    with place.socket:
        server = server_of(place, visits)
        announce()
        server.run(sockets=[place.socket])


def show(address: str) -> None:
    """Open a browser on it, if there is one that does not need this terminal."""

    def opened() -> None:
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return
        if type(browser) is not webbrowser.GenericBrowser:  # that is one inside the terminal
            browser.open(address)

    Thread(target=opened, daemon=True).start()


def _bound(host: str, port: int | None) -> socket.socket:
    family, address = _resolved(host)
    refused = 0
    for number in _ports(port):
        try:
            return socket.create_server((address, number), family=family, backlog=64)
        except OSError as error:
            refused = error.errno or 0
    if port is None or refused not in (errno.EADDRINUSE, errno.EACCES):
        raise _nowhere(host, os.strerror(refused))
    raise ArgumentError(
        f"the studio cannot listen at {host}, port {port}: {os.strerror(refused)}; "
        "choose another port, or leave it out"
    )


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """The address of a name."""
    try:
        family, *_, address = socket.getaddrinfo(
            host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise _nowhere(host, error.strerror or str(error)) from None
    except UnicodeError:  # a label of it is empty, or too long
        raise _nowhere(host, "that is no name of a host") from None
    return family, str(address[0])


def _nowhere(host: str, why: str) -> ArgumentError:
    return ArgumentError(
        f"the studio cannot listen at {host}: {why}; choose an address of this machine"
    )


def _ports(port: int | None) -> Iterator[int]:
    if port is not None:
        yield port
        return
    yield from range(PORT, PORT + TRIED)
    yield 0
