"""Undo and redo: the situations of a session in a row, and which of them is now."""

from __future__ import annotations

from typing import Generic, TypeVar

from chalkgrad.core.errors import ArgumentError
from chalkgrad.studio.limits import MOST_UNDO

T = TypeVar("T")


class History(Generic[T]):
    """Situations that do not change. A gesture, such as a drag, is one entry."""

    def __init__(self, first: T) -> None:
        self._past: list[T] = []
        self._future: list[T] = []
        self.now = first
        self._gesture = ""

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def enter(self, situation: T, gesture: str = "", most: int = MOST_UNDO) -> None:
        """A new situation; one of the gesture that made the present one takes its place."""
        if not gesture or gesture != self._gesture:
            self._past.append(self.now)
            del self._past[: -min(most, MOST_UNDO)]
        self._future.clear()
        self.now, self._gesture = situation, gesture

    def replace(self, situation: T) -> None:
        """The present one has gone on, as training does: undo goes back to before it began."""
        self.now = situation

    def undo(self) -> None:
        """Go one back."""
        if not self._past:
            raise ArgumentError("there is nothing to undo")
        self._future.append(self.now)
        self.now, self._gesture = self._past.pop(), ""

    def redo(self) -> None:
        """Go one forward again."""
        if not self._future:
            raise ArgumentError("there is nothing to redo")
        self._past.append(self.now)
        self.now, self._gesture = self._future.pop(), ""
