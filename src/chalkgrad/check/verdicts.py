"""What is said of a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What a claim is."""

    CORRECT = "correct"
    FOLLOWS = "follows"  # right from an earlier wrong value
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    BLANK = "blank"


class Status(StrEnum):
    """What one link of a chain of equalities is."""

    CORRECT = "correct"
    FOLLOWS = "follows"  # from an earlier line's wrong value
    AFTER = "after"  # from the wrong link before it
    WRONG = "wrong"
    UNJUDGED = "unjudged"  # its value may be anything


@dataclass(frozen=True)
class Mistake:
    """What would explain a wrong line."""

    name: str
    why: str
    value: float | None = None  # what the mistake gives
    right: str = ""  # the right line


@dataclass(frozen=True)
class JudgedLink:
    """One side of an equality, judged."""

    text: str
    status: Status
    claimed: float | None  # its value
    method: str = ""  # how formulas were compared


@dataclass
class Judged:
    """One claim, judged."""

    line: int  # counted from 1
    column: int
    text: str
    verdict: Verdict
    claimed: float | None = None
    expected: float | None = None
    expected_from_yours: float | None = None
    reason: str = ""  # one or two sentences, for every verdict but "correct"
    mistakes: list[Mistake] = field(default_factory=list)
    links: tuple[JudgedLink, ...] = ()
    right: str = ""  # the right line
    working: tuple[str, ...] = ()  # the right working, a line each


@dataclass(frozen=True)
class Score:
    """How many claims are what."""

    correct: int = 0
    follows: int = 0
    wrong: int = 0
    unreadable: int = 0
    unknown: int = 0
    blank: int = 0

    @property
    def total(self) -> int:
        return (
            self.correct + self.follows + self.wrong + self.unreadable + self.unknown + self.blank
        )
