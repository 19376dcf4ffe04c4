"""Training in the background: updates in short runs, and an event now and then.

A run takes a tenth of a second at most, so that whoever waits for the lock gets it soon. How many
updates lie between two events grows with those made, so that the beginning can be watched and ten
thousand updates do not take all day.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import NamedTuple

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.studio.situation import Situation

_EVERY = 0.1  # seconds between two events
_LONGEST = 0.08  # seconds of one run
_GROWTH = 0.35  # of the updates made: those until the next event
_HURRY = 0.8  # the same, where a number of updates was asked for
_SLOW = 5e-4  # seconds of an update that need not be slowed down to be watched
_SETTLED, _ENOUGH = 1e-10, 2000  # a loss that moved by no more of itself in so many updates
_log = logging.getLogger(__name__)

Advance = Callable[[int], tuple[Situation, bool]]
Told = Callable[[float], None]  # with the updates a second


class End(NamedTuple):
    """Why training has ended."""

    why: str
    say: str


class Training:
    """One background run. `advance` makes updates, `told` hears of them, `ended` of the end."""

    def __init__(
        self, advance: Advance, told: Told, ended: Callable[[End], None], until: int | None
    ) -> None:
        self.advance, self.told, self.ended, self.until = advance, told, ended, until
        self._stop = Event()
        self._thread = Thread(target=self._run, name="studio training", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def halt(self) -> None:
        """Stop, and wait until it has."""
        self._stop.set()
        self._thread.join()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            end = self._updates()
        except ChalkgradError as error:
            end = End("not finite", str(error))
        except Exception as error:  # a fault of the studio; the page must hear that it is over
            _log.exception("training has failed")
            end = End("not finite", f"training failed ({type(error).__name__}: {error})")
        self.ended(end)

    def _updates(self) -> End:
        pace, made, settled = _Pace(self.until), 0, _Settled()
        while not self._stop.is_set():
            started = time.monotonic()
            steps = pace.steps(made)
            now, finite = self.advance(steps)
            made += steps
            pace.took(steps, time.monotonic() - started)
            if not finite:
                return End("not finite", not_finite(now.updates))
            if self.until is not None and made >= self.until:
                return End("reached", f"{made:,} updates made")
            if self.until is None and settled.now(now):
                return End("converged", "the loss no longer moves")
            if pace.is_due(made):
                self.told(pace.rate)
                self._stop.wait(pace.rest())
        return End("paused", "paused")


def not_finite(updates: int) -> str:
    """Why training has stopped after so many updates."""
    return (
        f"the update after number {updates:,} gives numbers that are not finite, so training "
        "stopped before it: try a smaller learning rate"
    )


class _Settled:
    """Has the loss come to rest?"""

    def __init__(self) -> None:
        self.updates, self.loss = 0, float("inf")

    def now(self, situation: Situation) -> bool:
        loss = situation.losses[-1][1]
        if abs(loss - self.loss) > _SETTLED * max(abs(loss), 1e-12):
            self.updates, self.loss = situation.updates, loss
        return situation.updates - self.updates >= _ENOUGH


class _Pace:
    """How many updates at a time, and when an event is due."""

    def __init__(self, until: int | None) -> None:
        self.until = until
        self.growth = _GROWTH if until is None else _HURRY
        self.seconds = 0.0  # that an update takes
        self.due = 1  # the updates at which the next event is due
        self.since = time.monotonic()  # when updates went on after the last event
        self.dear = 0.0  # seconds that the last event took
        self.told, self.rate = 0, 0.0
        self.started = self.since

    def steps(self, made: int) -> int:
        """The updates of the next run."""
        wanted = max(1, self.due - made)
        if self.seconds > _SLOW:  # events leave slow updates at least half of the time
            left = self.dear - (time.monotonic() - self.since)
            wanted = max(wanted, int(left / self.seconds))
        if self.until is not None:
            wanted = min(wanted, self.until - made)
        return max(1, min(wanted, int(_LONGEST / self.seconds))) if self.seconds else 1

    def took(self, steps: int, seconds: float) -> None:
        """What a run has cost. The first one compiles; later ones tell what an update costs."""
        self.seconds = seconds / steps if steps > 1 else min(seconds, _LONGEST)

    def is_due(self, made: int) -> bool:
        """Is it time for an event?"""
        self.started = time.monotonic()
        passed = self.started - self.since
        if self.seconds > _SLOW and passed < self.dear:
            return False
        if made < self.due and passed < _EVERY:
            return False
        self.rate = (made - self.told) / max(passed, _EVERY)
        self.told, self.due = made, made + max(1, round(self.growth * made))
        return True

    def rest(self) -> float:
        """After an event: wait for so long, so that there are no more than ten a second."""
        now = time.monotonic()
        self.dear = now - self.started
        left = max(0.0, self.since + _EVERY - now)
        self.since = now + left
        return left
