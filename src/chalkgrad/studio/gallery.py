"""What a person can start from: the lectures, a gallery, and what the session was started with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import ArgumentError, DataError, nearest
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Subject
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.source import read_text


@dataclass(frozen=True)
class Start:
    """One entry of the list."""

    key: str
    group: str
    title: str
    about: str
    open: Callable[[], Subject]


class Gallery:
    """The starts, with a session's own one among them."""

    def __init__(self, own: Any = None) -> None:
        self.own: Callable[[], Subject] | None = None
        self.known: Mapping[str, Start] = {start.key: start for start in lectures()}

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
def lectures() -> tuple[Start, ...]:
    """The worksheets of the lectures."""
    return tuple(_lecture(path) for path in sorted(lecture_folder().glob("lecture_*.toml")))


def _lecture(path: Path) -> Start:
    sheet = Worksheet.read(path)
    return Start(
        path.stem, "lectures", sheet.title, sheet.source,
        lambda: Sheet.from_text(read_text(path), path.name),
    )  # fmt: skip


def lecture_folder() -> Path:
    """In the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for base in (package, package.parent.parent):
        folder = base / "examples" / "lectures"
        if any(folder.glob("lecture_*.toml")):
            return folder
    raise DataError("the lectures' worksheets (examples/lectures/lecture_*.toml) are not installed")
