"""A session: one page's subject, its history, and the answer to each request (PROTOCOL.md)."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from threading import RLock
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, ChalkgradError
from chalkgrad.explain.presets import PRESETS
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import DIGITS
from chalkgrad.studio.asked import Asked
from chalkgrad.studio.choices import choices
from chalkgrad.studio.csv_file import from_csv
from chalkgrad.studio.exports import FORMATS, file_stem
from chalkgrad.studio.gallery import Gallery
from chalkgrad.studio.history import History
from chalkgrad.studio.limits import LARGEST_CSV, LARGEST_TEXT, LONGEST_SHARE, MOST_STEPS, PROTOCOL
from chalkgrad.studio.losses import extended
from chalkgrad.studio.numbers import number
from chalkgrad.studio.page import page_of
from chalkgrad.studio.recording import recorded
from chalkgrad.studio.run import Run
from chalkgrad.studio.share import unpacked
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.situation import Course, Situation
from chalkgrad.studio.subject import Json, Look, Manner, Subject
from chalkgrad.studio.training import Training, not_finite
from chalkgrad.version import __version__

Emit = Callable[[Json], None]
_PAUSES = {
    "open", "edit", "undo", "redo", "step", "epoch", "train", "pause", "reset", "teach",
}  # fmt: skip
_ROOM, _FEWEST_UNDO = 20_000_000, 5  # numbers that the situations to go back to may hold
_PATIENCE = 8.0  # seconds that one request may take for its updates
_LINE = re.compile(r", line (\d+)")
_log = logging.getLogger(__name__)


class Session:
    """Answers requests, one at a time, from whatever thread they come."""

    def __init__(self, start: Any = None, emit: Emit | None = None) -> None:
        self.emit: Emit = emit or (lambda event: None)
        self.lock = RLock()
        self.gallery = Gallery(start)
        self.history: History[Situation] | None = None
        self.look = Look()
        self.version = 0
        self.course = Course()
        self.training: Training | None = None
        self._verbs: dict[str, Callable[[Asked], Any]] = {
            "hello": self._hello, "open": self._open, "edit": self._edit, "undo": self._undo,
            "redo": self._redo, "select": self._select, "why": self._why, "unfold": self._unfold,
            "step": self._step, "epoch": self._epoch, "train": self._train, "pause": self._pause,
            "reset": self._reset, "mark": self._mark, "export": self._export, "draw": self._draw,
            "teach": self._teach,
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
            if verb in _PAUSES:
                self.close()
            with self.lock, np.errstate(all="ignore"):  # inf and NaN are shown, and not warned of
                reply["ok"] = self._verbs[verb](asked)
        except ChalkgradError as error:
            reply["error"] = _refusal(str(error))
        except Exception as error:  # a fault of the studio, which must not end the session
            _log.exception("the studio could not answer %r", asked.fields.get("do"))
            reply["error"] = _refusal(f"the studio failed ({type(error).__name__}: {error})")
        return reply

    def close(self) -> None:
        """Stop what runs in the background."""
        training, self.training = self.training, None
        if training is not None:
            training.halt()

    # What is shown.
    @property
    def situation(self) -> Situation:
        if self.history is None:
            raise ArgumentError("nothing is open: open a lecture, a worksheet or a CSV first")
        return self.history.now

    def _begin(self, subject: Subject) -> None:
        self.history = History(Situation.of(subject))
        self._look_again(record=1)

    def _enter(self, situation: Situation, gesture: str = "") -> None:
        """The next situation; of the ones before, as many are kept as there is room for."""
        assert self.history is not None
        self.history.now.subject.rest()
        self.history.enter(situation, gesture, max(_FEWEST_UNDO, _ROOM // situation.size))

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
        shown = now.subject.state(self.look, now.memory)
        return {
            "version": self.version,
            **shown,
            "notes": [*shown["notes"], *now.notes],
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
        if way == "csv":
            target = asked.text("target", most=1000) if "target" in asked else None
            return from_csv(asked.text("csv", most=LARGEST_CSV), name, target)
        return Sheet.from_text(asked.text("worksheet", most=LARGEST_TEXT), name)

    def _edit(self, asked: Asked) -> Json:
        asked.only("id", "do", "change", "gesture")
        now, gesture = self.situation, asked.text("gesture", "", 100)
        subject = now.subject.edited(asked.part("change"), self.look)
        self._enter(Situation.of(subject), gesture)
        self._look_again(self.look.record)
        self._tell_numbers(subject)
        return self.state()

    def _tell_numbers(self, subject: Subject) -> None:
        """So that the picture follows a hand that drags a weight: formulas take longer to write.
        A graph's edges have formulas, so it comes whole or not at all."""
        scene = subject.scene(self.look)
        if scene["layout"] == "layers":
            self.emit({"event": "numbers", "version": self.version, "scene": scene})

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

    # Training.
    def _step(self, asked: Asked) -> Json:
        asked.only("id", "do", "count")
        return self._updated(asked.whole("count", 1, MOST_STEPS, 1))

    def _epoch(self, asked: Asked) -> Json:
        asked.only("id", "do")
        return self._updated(self.situation.subject.updates_an_epoch)

    def _updated(self, count: int) -> Json:
        """So many updates at once; what takes too long, or to no number, ends before."""
        now, made, steps = self.situation, 0, 1
        started = time.monotonic()
        notes: tuple[str, ...] = ()
        while made < count and not notes:
            before = now.updates
            now, finite = self.course.advanced(now, min(steps, count - made))
            made += now.updates - before
            seconds = time.monotonic() - started
            if not finite:
                notes = (not_finite(now.updates),)
            elif seconds > _PATIENCE and made < count:
                notes = (
                    f"stopped after {made:,} of {count:,} updates, which took {seconds:.0f} s",
                )
            steps = min(steps * 4, 1000)
        self._enter(replace(self.course.measured(now), notes=notes))
        self.version += 1
        return self.state()

    def _reset(self, asked: Asked) -> Json:
        asked.only("id", "do")
        start = self.situation.start
        self._enter(Situation.of(start))
        self._look_again(self.look.record)
        return self.state()

    def _train(self, asked: Asked) -> Json:
        asked.only("id", "do", "until")
        now = self.situation
        until = asked.whole("until", 1, 10**9) if "until" in asked else None
        if until is not None and until <= now.updates:
            raise ArgumentError(f"{now.updates:,} updates are made already; until must be more")
        if self.training is not None and self.training.running:
            raise ArgumentError("training runs already; pause it first")
        self.course.ready(now)  # refused here, if there is no update to make
        self._enter(now)
        run = Run(self)
        self.training = Training(
            run.advance, run.told, run.ended, None if until is None else until - now.updates
        )
        self.training.start()
        return {}

    def _pause(self, asked: Asked) -> Json:
        asked.only("id", "do")
        return self.state()

    # Beside.
    def _mark(self, asked: Asked) -> Json:
        asked.only("id", "do", "answers")
        return self.situation.subject.mark(asked.text("answers"), self.look)

    def _draw(self, asked: Asked) -> Json:
        asked.only("id", "do", "pixels")
        subject = self.situation.subject
        return subject.drawn(self._pixels(asked))

    def _teach(self, asked: Asked) -> Json:
        asked.only("id", "do", "pixels", "label")
        now, pixels = self.situation, self._pixels(asked)
        label = asked.whole("label", 0, 10**6)
        before = now.subject.drawn(pixels)
        taught = now.subject.taught(pixels, label)
        updates, loss = now.updates + 1, taught.loss()
        curve = extended(now.losses, [(updates, loss)])
        self._enter(
            replace(now, subject=taught, updates=updates, losses=curve, memory=None, notes=())
        )
        self.version += 1
        return {"before": before, "after": taught.drawn(pixels), "state": self.state()}

    def _pixels(self, asked: Asked) -> list[float]:
        return asked.numbers("pixels", self.situation.subject.width, 0.0, 1.0)

    def _export(self, asked: Asked) -> Json:
        asked.only("id", "do", "format", "wrt", "view", "names", "digits")
        format = asked.choice("format", FORMATS)
        wrt = asked.text("wrt", most=200) if "wrt" in asked else None
        if format == "studio":
            return self._page()
        return self.situation.subject.export(format, wrt, _manner(asked), self.look)

    def _page(self) -> Json:
        """The interactive page, which holds its replies and needs no engine."""
        subject = self.situation.subject
        page = page_of(recorded(Session(subject), self.look.record))
        return {"name": f"{file_stem(subject.title)}.html", "type": "text/html", "text": page}


def _manner(asked: Asked) -> Manner:
    return Manner(
        asked.choice("view", VIEWS, "board"),
        asked.choice("names", PRESETS, "lecture"),
        asked.whole("digits", 0, 12, DIGITS),
    )


def _refusal(message: str) -> Json:
    found = _LINE.search(message)
    return {"message": message, "line": int(found[1]) if found else None}
