"""What the studio shows: a worksheet, or a model with its data.

Subjects do not change. An edit, or training, makes another one, so that undo is going back to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chalkgrad.core.graph import Array
from chalkgrad.studio.asked import Asked

if TYPE_CHECKING:
    from chalkgrad.studio.trainer import Trainer

Json = dict[str, Any]
Values = Mapping[str, Any]  # a number, or an array, by the name of the parameter
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
    def title(self) -> str: ...

    @property
    def records(self) -> int: ...

    @property
    def all_at_once(self) -> bool:
        """Can all records be shown together?"""

    @property
    def updates_an_epoch(self) -> int: ...

    @property
    def values(self) -> Values:
        """The parameters."""

    def with_values(self, values: Values) -> Subject:
        """The same with other numbers for parameters."""

    def rest(self) -> None:
        """Let go of what can be computed again: something else is shown now."""

    def loss(self) -> float:
        """The loss of all records."""

    def state(self, look: Look, memory: Memory | None) -> Json:
        """The part of a State that the subject knows."""

    def scene(self, look: Look) -> Json:
        """The picture's numbers, without formulas: known long before those are written."""

    def moving(self, look: Look, memory: Memory | None, known: Json | None) -> Json:
        """What of it is shown while training runs: the scene without formulas, and the views.

        `known` is the health of a moment ago, where that is good enough.
        """

    def why(self, wrt: str, manner: Manner, look: Look) -> Json:
        """The derivation of one gradient."""

    def edited(self, change: Asked, look: Look) -> Subject:
        """The subject after an edit; a ChalkgradError where it is refused."""

    def trainer(self) -> Trainer:
        """The step that its update makes, compiled."""

    def trains_like(self, other: Subject) -> bool:
        """Would the other's trainer do, given these parameters?"""

    def drawn(self, pixels: list[float]) -> Json:
        """What the network says of an image."""

    def taught(self, pixels: list[float], label: int) -> Subject:
        """The subject after one step of back-propagation on an image."""

    @property
    def width(self) -> int:
        """How many inputs there are."""

    def mark(self, answers: str, look: Look) -> Json:
        """A person's lines, marked."""

    def export(self, format: str, wrt: str | None, manner: Manner, look: Look) -> Json:
        """A file to take away."""
