"""A session's replies computed beforehand, for the page that works without an engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from chalkgrad.core.errors import DataError
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import DIGITS
from chalkgrad.studio.limits import MOST_RECORDS_AT_ONCE, PROTOCOL

Json = dict[str, Any]
_MOST_RECORDS = 8
_MOST_NAMES = 60  # quantities whose derivations are recorded
_MOST_BYTES = 8 << 20  # of JSON


class Answers(Protocol):
    """A session, as far as it is asked here."""

    def handle(self, message: Any) -> Json: ...


def recorded(
    session: Answers, record: int | None = 1, *, names: str = "lecture", digits: int = DIGITS
) -> Json:
    """What a page asks of a session, answered: each record, and why for each quantity and view.

    Of a large network it is what is shown of it, as far as there is room. The session should be a
    fresh one, since records are selected in it.
    """
    hello = _ask(session, {"do": "hello", "version": PROTOCOL})
    replies = [*_selections(session, hello["state"])]
    if replies:
        hello["state"] = _ask(session, {"do": "select", "record": record})
    several = len(replies) > 0
    chosen = hello["state"]["record"]
    where = {"record": chosen} if several else {}
    replies += _derivations(session, hello["state"], {"names": names, "digits": digits}, where)
    return {"version": PROTOCOL, "hello": {**hello, "live": False}, "replies": _bounded(replies)}


def _ask(session: Answers, request: Json) -> Any:
    reply = session.handle(request)
    if "error" in reply:
        raise DataError(reply["error"]["message"])
    return reply["ok"]


def _selections(session: Answers, state: Json) -> Iterator[Json]:
    """The states of the records, where a page can go from one to the other."""
    count = state["records"]
    if count == 1:
        return
    some = list(range(1, min(count, _MOST_RECORDS) + 1))
    for record in [None, *some] if count <= MOST_RECORDS_AT_ONCE else some:
        request = {"do": "select", "record": record}
        yield {"request": request, "ok": _ask(session, request)}


def _derivations(session: Answers, state: Json, manner: Json, where: Json) -> Iterator[Json]:
    for name in list(_names(state["scene"]))[:_MOST_NAMES]:
        for view in VIEWS:
            request = {"do": "why", "wrt": name, "view": view, **manner}
            reply = session.handle(request)
            if "ok" in reply:  # not of a quantity that the loss does not depend on
                ok = {key: part for key, part in reply["ok"].items() if key != "derivation"}
                yield {"request": request | where, "ok": ok}


def _names(scene: Json) -> Iterator[str]:
    """The quantities of a picture, parameters first."""
    if scene["layout"] == "graph":
        yield from (vertex["name"] for vertex in scene["vertices"])
        return
    units = [unit for column in scene["layers"] for unit in column["units"]]
    biases = [unit["bias"]["name"] for unit in units if unit["bias"]]
    names = [weight["name"] for weight in scene["weights"]] + biases
    names += [quantity for unit in units for quantity in unit["quantities"]]
    yield from dict.fromkeys(name for name in names if name)


def _bounded(replies: list[Json]) -> list[Json]:
    """The replies, as many as a page should hold."""
    kept, room = [], _MOST_BYTES
    for reply in replies:
        room -= len(json.dumps(reply))
        if room < 0:
            break
        kept.append(reply)
    return kept
