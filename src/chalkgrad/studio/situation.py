"""Where a session stands: what undo goes back to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from chalkgrad.studio.losses import Point, extended
from chalkgrad.studio.subject import Memory, Subject
from chalkgrad.studio.trainer import Held, Trainer


@dataclass(frozen=True, eq=False)
class Situation:
    """The subject, and how far its training has come."""

    subject: Subject
    start: Subject  # what reset goes back to
    updates: int = 0
    losses: tuple[Point, ...] = ()
    memory: Memory | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, subject: Subject) -> Situation:
        """Before any update."""
        return cls(subject, subject, 0, ((0, subject.loss()),))

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        values = sum(int(np.size(value)) for value in self.subject.values.values())
        held = (array for state in (self.memory or {}).values() for array in state.values())
        return 1 + values + sum(array.size for array in held)

    def moved(self, held: Held, losses: list[float]) -> Situation:
        """After some updates. `losses` are those before each of them."""
        points = [(self.updates + k, loss) for k, loss in enumerate(losses)]
        return replace(
            self,
            subject=self.subject.with_values(held.values),
            updates=self.updates + len(losses),
            losses=extended(self.losses, points),
            memory=held.memory,
            notes=(),
        )

    def measured(self) -> Situation:
        """With the loss as it is now, which takes a pass through the records."""
        point = (self.updates, self.subject.loss())
        return replace(self, losses=extended(self.losses, [point]))


@dataclass
class Course:
    """Makes updates. The compiled step is kept for as long as it fits what is trained."""

    trainer: Trainer | None = None
    of: Subject | None = None
    last: Situation | None = field(default=None, repr=False)  # whose numbers the trainer holds

    def advanced(self, now: Situation, steps: int) -> tuple[Situation, bool]:
        """After so many updates, not measured; False where they would not have stayed finite."""
        trainer = self._trainer(now.subject)
        if self.last is not now:
            trainer.begin(now.subject.values, now.memory)
        self.last = None
        made = trainer.advance(now.updates, steps)
        self.last = now.moved(trainer.held(), np.asarray(made.losses).tolist())
        return self.last, made.finite

    def measured(self, now: Situation) -> Situation:
        """A situation with its loss; the trainer goes on from there."""
        found = now.measured()
        if self.last is now:
            self.last = found
        return found

    def ready(self, now: Situation) -> None:
        """Compile nothing yet, but refuse what has no update."""
        self._trainer(now.subject)

    def _trainer(self, subject: Subject) -> Trainer:
        if self.trainer is None or self.of is None or not subject.trains_like(self.of):
            self.trainer, self.last = subject.trainer(), None
        self.of = subject
        return self.trainer
