"""What a session may be started with: a worksheet, a file, a text, or a model with its data."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import DataError, TypeMismatch
from chalkgrad.studio.csv_file import from_csv
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.studio.models import of_run
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Subject
from chalkgrad.worksheet import Worksheet

Opener = Callable[[], Subject]


def own_start(own: Any) -> tuple[Opener, str]:
    """How to open it (again), and its title. It is read once, here."""
    subject = _subject(own)
    return (lambda: subject), subject.title


def _subject(own: Any) -> Subject:
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
        f"the studio shows a worksheet, its path or text, a CSV file, or a model with data, not a "
        f"{type(own).__name__}"
    )


def _from_path(path: Path) -> Subject:
    if path.is_dir():
        return of_run(path)
    if path.suffix.lower() == ".csv":
        return from_csv(_text(path), path.name)
    return Sheet.of(Worksheet.read(path))


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST_CSV + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_CSV:
        raise DataError(f"{path.name} is larger than {LARGEST_CSV >> 20} MB; take fewer rows")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8; save it as UTF-8") from None
