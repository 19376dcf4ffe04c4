"""`chalkgrad studio`"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chalkgrad.cli.messages import Messages
from chalkgrad.core.errors import ArgumentError
from chalkgrad.studio.own import subject_of
from chalkgrad.studio.serving import HOST, Place, serve, show
from chalkgrad.studio.session import Session
from chalkgrad.studio.visits import Visits


def studio(
    start: Annotated[Path | None, Parameter(name=["START"])] = None, /, *,
    port: int | None = None, host: str = HOST,
    open_: Annotated[bool, Parameter(name="--open", negative="--no-open")] = True,
) -> int:  # fmt: skip
    """Show a network in a page: step through its passes, ask why, change it, train it.

    Prints the page's address, opens it in the browser, and serves it until Ctrl-C.

    Parameters
    ----------
    start
        A worksheet (TOML), a saved run or a table (CSV) to begin with.
    port
        The port to listen at; without it 8425, or the next one that is free.
    host
        The address to listen at. Any but this machine's own lets other machines in.
    open_
        Open the page in the browser.
    """
    messages = Messages(quiet=False)
    if port is not None and not 0 <= port <= 65535:
        raise ArgumentError(f"a port is a number from 0 to 65535, not {port}")
    subject = None if start is None else subject_of(start)
    place = Place.taken(host, port)

    def announce() -> None:
        if not place.is_private:
            messages.say(
                f"warning: at {host} the studio can be reached from other machines. Whoever has "
                "its address can use it, and what is sent is not encrypted"
            )
        print(place.address, flush=True)
        messages.say("the studio runs at this address until Ctrl-C")
        if open_:
            show(place.address)

    serve(place, Visits(partial(Session, subject)), announce)
    return 0
