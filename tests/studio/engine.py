"""A session for tests: it asks, and says what was answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from chalkgrad.studio.session import Session

LECTURES = [
    "lecture_000", "lecture_001", "lecture_002", "lecture_003_classification",
    "lecture_003_regression", "lecture_004", "lecture_004_neuron",
]  # fmt: skip
GALLERY = ["xor", "circles", "spirals", "curve"]


class Talk:
    """One session, its replies and its events."""

    def __init__(self, start: Any = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.session = Session(start, self.events.append)

    def reply(self, do: str, **fields: Any) -> dict[str, Any]:
        """The whole reply to a request."""
        return self.session.handle({"id": 1, "do": do, **fields})

    def ask(self, do: str, **fields: Any) -> Any:
        """What is ok; a refusal fails the test."""
        reply = self.reply(do, **fields)
        assert "ok" in reply, reply["error"]["message"]
        return reply["ok"]

    def refused(self, do: str, **fields: Any) -> str:
        """The sentence of a refusal, which is none of the studio's own faults."""
        reply = self.reply(do, **fields)
        assert "error" in reply, f"{do} was not refused"
        message = reply["error"]["message"]
        assert isinstance(message, str)
        assert "the studio failed" not in message
        return message

    def wait(self, for_what: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not for_what():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.01)


def opened(key: str) -> tuple[Talk, dict[str, Any]]:
    """A session with a start opened, and its state."""
    talk = Talk()
    return talk, talk.ask("open", start=key)


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """What of a state says what is shown, not how one came there."""
    return {k: v for k, v in state.items() if k not in ("version", "undo", "redo")}


def parameters(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters of a picture, by name: value and gradient."""
    return {part["name"]: part for part in _parameters(state["scene"]) if part["name"]}


def _parameters(scene: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if scene["layout"] == "graph":
        yield from (v for v in scene["vertices"] if v["kind"] == "parameter")
        return
    yield from scene["weights"]
    for column in scene["layers"]:
        yield from (unit["bias"] for unit in column["units"] if unit["bias"])
