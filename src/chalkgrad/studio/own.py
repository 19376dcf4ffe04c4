"""What a session may be started with: a worksheet, a file, a text, or a model with its data."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import TypeMismatch
from chalkgrad.studio.csv_file import from_csv
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.studio.models import of_run
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Subject
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.source import read_text

Opener = Callable[[], Subject]


def own_start(own: Any) -> tuple[Opener, str]:
    """How to open it (again), and its title. It is read once, here."""
    subject = subject_of(own)
    return (lambda: subject), subject.title


def subject_of(own: Any) -> Subject:
    """What it shows."""
    if isinstance(own, Worksheet):
        return Sheet.of(own)
    if isinstance(own, str) and "\n" in own:
        return Sheet.from_text(own)
    if isinstance(own, str | PathLike):
        return _from_path(Path(own))
    if hasattr(own, "trainer") and hasattr(own, "trains_like"):  # a Subject, ready made
        made: Subject = own
        return made
    raise TypeMismatch(
        "the studio shows a worksheet, its path or text, a CSV file, a saved run, or a model with "
        f"data, not {type(own).__name__}"
    )


def _from_path(path: Path) -> Subject:
    if path.is_dir():
        return of_run(path)
    if path.suffix.lower() == ".csv":
        return from_csv(read_text(path, LARGEST_CSV), path.name)
    return Sheet.of(Worksheet.read(path))
