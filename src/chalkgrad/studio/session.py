"""A session: one page's subject, its history, and the answer to each request (PROTOCOL.md)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from chalkgrad.core.errors import ArgumentError, ChalkgradError
from chalkgrad.explain.presets import PRESETS
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import DIGITS
from chalkgrad.studio.asked import Asked
from chalkgrad.studio.choices import choices
from chalkgrad.studio.gallery import Gallery
from chalkgrad.studio.history import History
from chalkgrad.studio.limits import LARGEST_TEXT, LONGEST_SHARE
from chalkgrad.studio.numbers import number
from chalkgrad.studio.share import unpacked
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Json, Look, Manner, Memory, Subject
from chalkgrad.version import __version__

PROTOCOL = 1
Emit = Callable[[Json], None]
_LINE = re.compile(r", line (\d+)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Situation:
    """What undo goes back to: the subject, and how far its training has come."""

    subject: Subject
    start: Subject  # what reset goes back to
    updates: int = 0
    losses: tuple[tuple[int, float], ...] = ()
    memory: Memory | None = None

    @classmethod
    def of(cls, subject: Subject) -> Situation:
        """Before any update."""
        return cls(subject, subject, 0, ((0, subject.loss()),))


class Session:
    """Answers requests, one at a time, from whatever thread they come."""

    def __init__(self, start: Any = None, emit: Emit | None = None) -> None:
        self.emit: Emit = emit or (lambda event: None)
        self.lock = RLock()
        self.gallery = Gallery(start)
        self.history: History[Situation] | None = None
        self.look = Look()
        self.version = 0
        self._verbs: dict[str, Callable[[Asked], Any]] = {
            "hello": self._hello, "open": self._open, "edit": self._edit, "undo": self._undo,
            "redo": self._redo, "select": self._select, "why": self._why, "unfold": self._unfold,
        }  # fmt: skip
        if self.gallery.own is not None:
            self._begin(self.gallery.own())

    def handle(self, message: Any) -> Json:
        """The reply to a request: whatever it is, a reply, and an error changes nothing."""
        id = message.get("id") if isinstance(message, dict) else None
        reply: Json = {"id": id if isinstance(id, int | str) else None}
        try:
            asked = Asked(message, "the request")
            verb = asked.choice("do", self._verbs)
            with self.lock:
                reply["ok"] = self._verbs[verb](asked)
        except ChalkgradError as error:
            reply["error"] = _refusal(str(error))
        except Exception as error:  # a fault of the studio, which must not end the session
            _log.exception("the studio could not answer %r", asked.fields.get("do"))
            reply["error"] = _refusal(f"the studio failed ({type(error).__name__}: {error})")
        return reply

    # What is shown.
    @property
    def situation(self) -> Situation:
        if self.history is None:
            raise ArgumentError("nothing is open: open a lecture, a worksheet or a CSV first")
        return self.history.now

    def _begin(self, subject: Subject) -> None:
        self.history = History(Situation.of(subject))
        self._look_again(record=1)

    def _look_again(self, record: int | None) -> None:
        """After a change: the record stays selected if it is still there."""
        subject = self.situation.subject
        if record is not None and record > subject.records:
            record = 1
        if record is None and not subject.all_at_once:
            record = 1
        self.look = replace(self.look, record=record)
        self.version += 1

    def state(self) -> Json:
        """The State."""
        now, history = self.situation, self.history
        assert history is not None
        return {
            "version": self.version,
            **now.subject.state(self.look, now.memory),
            "updates": now.updates,
            "losses": [[k, number(loss)] for k, loss in now.losses],
            "undo": history.can_undo,
            "redo": history.can_redo,
        }

    # Verbs.
    def _hello(self, asked: Asked) -> Json:
        asked.only("id", "do", "version")
        version = asked.whole("version", 0, 10**6, PROTOCOL)
        if version != PROTOCOL:
            raise ArgumentError(
                f"the page speaks version {version} and the engine {PROTOCOL}: load the page again"
            )
        return {
            "version": PROTOCOL,
            "chalkgrad": __version__,
            "starts": self.gallery.starts(),
            "choices": choices(),
            "state": self.state() if self.history is not None else None,
        }

    def _open(self, asked: Asked) -> Json:
        asked.only("id", "do", "start", "worksheet", "csv", "share", "name", "target")
        ways = [way for way in ("start", "worksheet", "csv", "share") if way in asked]
        if len(ways) != 1:
            raise ArgumentError("open takes one of start, worksheet, csv and share")
        name = asked.text("name", "worksheet", 200)
        self._begin(self._opened(asked, ways[0], name))
        return self.state()

    def _opened(self, asked: Asked, way: str, name: str) -> Subject:
        if way == "start":
            return self.gallery.open(asked.text("start", most=200))
        if way == "share":
            return Sheet.from_text(unpacked(asked.text("share", most=LONGEST_SHARE)), "the link")
        return Sheet.from_text(asked.text("worksheet", most=LARGEST_TEXT), name)

    def _edit(self, asked: Asked) -> Json:
        asked.only("id", "do", "change", "gesture")
        now, gesture = self.situation, asked.text("gesture", "", 100)
        subject = now.subject.edited(asked.part("change"), self.look)
        assert self.history is not None
        self.history.enter(Situation.of(subject), gesture)
        self._look_again(self.look.record)
        return self.state()

    def _undo(self, asked: Asked) -> Json:
        return self._travel(asked, lambda history: history.undo())

    def _redo(self, asked: Asked) -> Json:
        return self._travel(asked, lambda history: history.redo())

    def _travel(self, asked: Asked, move: Callable[[History[Situation]], None]) -> Json:
        asked.only("id", "do")
        _ = self.situation
        assert self.history is not None
        move(self.history)
        self._look_again(self.look.record)
        return self.state()

    def _select(self, asked: Asked) -> Json:
        asked.only("id", "do", "record")
        subject = self.situation.subject
        record = None
        if "record" in asked:
            record = asked.whole("record", 1, subject.records)
        elif not subject.all_at_once:
            raise ArgumentError(f"{subject.records} records are too many at once; select one")
        self.look = replace(self.look, record=record)
        self.version += 1
        return self.state()

    def _why(self, asked: Asked) -> Json:
        asked.only("id", "do", "wrt", "view", "names", "digits", "record")
        wrt = asked.text("wrt", most=200)
        return self.situation.subject.why(wrt, _manner(asked), self.look)

    def _unfold(self, asked: Asked) -> Json:
        asked.only("id", "do", "layer", "from")
        layer = asked.whole("layer", 0, 10**4)
        first = asked.whole("from", 1, 10**7)
        self.look = replace(self.look, first={**self.look.first, layer: first})
        self.version += 1
        return self.state()


def _manner(asked: Asked) -> Manner:
    return Manner(
        asked.choice("view", VIEWS, "board"),
        asked.choice("names", PRESETS, "lecture"),
        asked.whole("digits", 0, 12, DIGITS),
    )


def _refusal(message: str) -> Json:
    found = _LINE.search(message)
    return {"message": message, "line": int(found[1]) if found else None}
