"""What training in the background does to its session, and what the page hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from chalkgrad.studio.history import History
from chalkgrad.studio.numbers import number
from chalkgrad.studio.situation import Course, Situation
from chalkgrad.studio.subject import Json, Look
from chalkgrad.studio.training import End

_HEALTH_EVERY = 1.0  # seconds


class Trained(Protocol):
    """A session, as far as training changes it."""

    course: Course
    history: History[Situation] | None
    look: Look
    version: int
    emit: Callable[[Json], None]

    @property
    def lock(self) -> AbstractContextManager[Any]: ...

    @property
    def situation(self) -> Situation: ...

    def state(self) -> Json: ...


class Run:
    """One run. Each of its calls takes the session's lock."""

    def __init__(self, session: Trained) -> None:
        self.session = session
        self.sent = session.situation.updates
        self.health: Json | None = None
        self.examined = 0.0

    def advance(self, steps: int) -> tuple[Situation, bool]:
        """Make some updates."""
        session = self.session
        with session.lock, np.errstate(all="ignore"):
            now, finite = session.course.advanced(session.situation, steps)
            assert session.history is not None
            session.history.replace(now)
            session.version += 1
            return now, finite

    def _measured(self) -> Situation:
        """Where training is, with its loss. The lock is held."""
        session = self.session
        assert session.history is not None
        now = session.course.measured(session.situation)
        session.history.replace(now)
        return now

    def told(self, rate: float) -> None:
        """Show where training is."""
        with self.session.lock, np.errstate(all="ignore"):
            now = self._measured()
            fresh = time.monotonic() - self.examined < _HEALTH_EVERY
            known = self.health if fresh else None
            shown = now.subject.moving(self.session.look, now.memory, known)
            version = self.session.version
        if known is None:
            self.examined = time.monotonic()
            self.health = {key: shown["view"][key] for key in ("health", "gradients")}
        new = [[k, number(loss)] for k, loss in now.losses if k > self.sent]
        self.sent = now.updates
        self.session.emit({
            "event": "training", "version": version, "updates": now.updates,
            "loss": number(now.losses[-1][1]), "losses": new, **shown, "rate": number(rate),
        })  # fmt: skip

    def ended(self, end: End) -> None:
        """Show where it has ended, and why."""
        with self.session.lock, np.errstate(all="ignore"):
            self._measured()
            state = self.session.state()
        self.session.emit({"event": "trained", "state": state, "why": end.why, "say": end.say})
