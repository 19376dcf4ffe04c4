"""What the studio shows: a worksheet, or a model with its data.

Subjects do not change. An edit, or training, makes another one, so that undo is going back to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from chalkgrad.core.graph import Array
from chalkgrad.studio.asked import Asked

Json = dict[str, Any]
Memory = Mapping[str, Mapping[str, Array]]  # the optimizer's state, by parameter


@dataclass(frozen=True)
class Look:
    """How a subject is looked at."""

    record: int | None = 1  # counted from 1; None: all of them
    first: Mapping[int, int] = field(
        default_factory=dict
    )  # of a folded layer, the unit shown first


class Manner(NamedTuple):
    """How a derivation is written."""

    view: str
    names: str
    digits: int


class Subject(Protocol):
    """What the session asks of either kind."""

    @property
    def records(self) -> int: ...

    @property
    def all_at_once(self) -> bool:
        """Can all records be shown together?"""

    def loss(self) -> float:
        """The loss of all records."""

    def state(self, look: Look, memory: Memory | None) -> Json:
        """The part of a State that the subject knows."""

    def why(self, wrt: str, manner: Manner, look: Look) -> Json:
        """The derivation of one gradient."""

    def edited(self, change: Asked, look: Look) -> Subject:
        """The subject after an edit; a ChalkgradError where it is refused."""
