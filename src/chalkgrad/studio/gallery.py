"""What a person can start from: the lectures, a gallery, and what the session was started with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.core.files import lecture_files
from chalkgrad.studio.digits import digits
from chalkgrad.studio.own import Opener, own_start
from chalkgrad.studio.puzzles import PUZZLES
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Subject
from chalkgrad.studio.writing import Design, worksheet_text
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.source import read_text


@dataclass(frozen=True)
class Start:
    """One entry of the list."""

    key: str
    group: str
    title: str
    about: str
    open: Opener


class Gallery:
    """The starts, with a session's own one among them."""

    def __init__(self, own: Any = None) -> None:
        self.own: Opener | None = None
        self.known: Mapping[str, Start] = {start.key: start for start in _starts()}
        if own is not None:
            self.own, title = own_start(own)
            yours = Start("yours", "yours", title, "what the studio was started with", self.own)
            self.known = {"yours": yours, **self.known}

    def starts(self) -> list[dict[str, str]]:
        return [
            {"key": s.key, "group": s.group, "title": s.title, "about": s.about}
            for s in self.known.values()
        ]

    def open(self, key: str) -> Subject:
        """The subject of a start."""
        if key not in self.known:
            raise ArgumentError(f"there is no start {key!r}.{nearest(key, self.known)}")
        return self.known[key].open()


@cache
def _starts() -> tuple[Start, ...]:
    images = Start(
        "digits", "gallery", "Handwritten digits", "1797 real images, 64-32-10: draw one", digits
    )
    return (*_lectures(), *_puzzles(), images)


def _lectures() -> Iterator[Start]:
    """The worksheets of the lectures."""
    for path in lecture_files("lecture_*.toml"):
        sheet = Worksheet.read(path)
        yield Start(path.stem, "lectures", sheet.title, sheet.source, _reader(path))


def _reader(path: Path) -> Callable[[], Subject]:
    return lambda: Sheet.from_text(read_text(path), path.name)


def _puzzles() -> Iterator[Start]:
    for key, (design, about) in PUZZLES.items():
        yield Start(key, "gallery", design().title, about, _maker(key, design))


def _maker(key: str, design: Callable[[], Design]) -> Callable[[], Subject]:
    def made() -> Subject:
        found = design()
        return Sheet.from_text(worksheet_text(found), key, seed=found.seed)

    return made
