"""The text of a worksheet, and errors that say where in it.

Every refusal goes through `Source.error`, which finds the line of what it is about: a key of a
table, a name in quotes, or else the table's own header.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import WorksheetError, nearest
from chalkgrad.formulas.spelling import is_name
from chalkgrad.formulas.tokens import BARE

LARGEST = 1 << 20  # bytes of a worksheet, or of the table beside it
TABLES = ("parameters", "layer", "data", "loss", "update", "names", "expression", "values")
_HEADER = re.compile(rf"\s*\[\[?\s*\"?({'|'.join(TABLES)})\"?\s*([.\w\s]*)\]\]?\s*(?:#.*)?$")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


def read_text(path: str | PathLike[str], most: int = LARGEST) -> str:
    """The text of a file of at most `most` bytes of UTF-8; WorksheetError says why it has none."""
    name = Path(path).name or str(path)
    try:
        with open(path, "rb") as stream:
            content = stream.read(most + 1)
    except FileNotFoundError:
        raise WorksheetError(f"{path} is not there; check the path") from None
    except IsADirectoryError:
        raise WorksheetError(f"{path} is a directory; name a file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorksheetError(f"{path} cannot be read: {reason}") from error
    if len(content) > most:
        raise WorksheetError(f"{name} is larger than {most >> 20} MiB; keep data in fewer records")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WorksheetError(f"{name}, line {line}: it is not UTF-8; save it as UTF-8") from error


@dataclass(frozen=True)
class Source:
    """A worksheet's name, text and folder."""

    name: str
    text: str
    folder: Path | None = None

    def tables(self) -> dict[str, Any]:
        """The TOML, or an error with the line where it is none."""
        if len(self.text) > LARGEST:
            raise WorksheetError(f"{self.name} is larger than 1 MiB; keep data in fewer records")
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise WorksheetError(self._no_toml(str(error))) from None
        except (ValueError, RecursionError) as error:  # a number, or brackets, without end
            reason = "brackets too deep" if isinstance(error, RecursionError) else str(error)
            raise WorksheetError(f"{self.name}: it is no TOML: {reason}") from None

    def _no_toml(self, reason: str) -> str:
        found = _AT_LINE.search(reason)
        line = found[1] if found and found[1] else str(self.text.count("\n") + 1)
        said = _AT_LINE.sub("", reason).strip()
        return f"{self.name}, line {line}: it is no TOML: {said}"

    def error(
        self, message: str, table: str = "", word: str = "", index: int | None = None
    ) -> WorksheetError:
        """The error, at the line of `word` in a table; `index` counts `[[layer]]`s from 0."""
        line = self.line(table, word, index)
        place = f"{self.name}, line {line}" if line else self.name
        return WorksheetError(f"{place}: {message}")

    def line(self, table: str, word: str = "", index: int | None = None) -> int | None:
        """The line of a key, or of a quoted word, in a table; of the table, if it is not there."""
        inside, header = self._lines_of(table, index)
        if word:
            quoted = re.escape(word)
            key = re.compile(rf"(?:^|[{{,.\s])[\"']?{quoted}[\"']?\s*(?:=|\.)")
            value = re.compile(rf"[\"']{quoted}[\"']")
            title = re.compile(rf"\s*\[+\s*[\"']?{quoted}\b")
            lines = dict(enumerate(self.text.splitlines(), 1))
            for places in (inside, list(lines)):
                for find in (key.search, value.search, title.match):
                    found = [k for k in places if find(lines[k])]
                    if found:
                        return found[0]
        return header

    def _lines_of(self, table: str, index: int | None) -> tuple[list[int], int | None]:
        inside: list[int] = []
        header, current, count = None, "", -1
        for k, line in enumerate(self.text.splitlines(), 1):
            found = _HEADER.match(line)
            if found:
                current = found[1]
                count += current == "layer" and not found[2].strip()
            if table and current == table and (index is None or count == index):
                inside.append(k)
                header = header or k
        return inside, header


@dataclass(frozen=True)
class Section:
    """One table of a worksheet, which is read key by key."""

    source: Source
    title: str  # "loss", "data.inputs": how errors call it
    table: Mapping[str, Any]
    index: int | None = None  # of a [[layer]], from 0

    @classmethod
    def of(cls, source: Source, tables: Mapping[str, Any], title: str) -> Section:
        """The table of that title; an empty one, if the worksheet has none."""
        table = tables.get(title, {})
        if not isinstance(table, dict):
            raise source.error(f"{title} must be a table, [{title}], not {said(table)}", "", title)
        return cls(source, title, table)

    def error(self, message: str, word: str = "") -> WorksheetError:
        return self.source.error(message, self.title.partition(".")[0], word, self.index)

    @property
    def where(self) -> str:
        return f"[{self.title}]" if self.index is None else f"layer {self.index + 1}"

    def only(self, *allowed: str) -> None:
        """Refuse any other key."""
        for key in self.table:
            if key not in allowed:
                raise self.unknown(key, allowed, f"{self.where} has no setting")

    def unknown(self, key: str, allowed: Collection[str], words: str) -> WorksheetError:
        offer = nearest(key, allowed) or f" It knows {', '.join(allowed)}."
        return self.error(f"{words} {said_name(key)}.{offer}", key)

    def string(self, key: str, default: str | None = None) -> str:
        """A setting that is text."""
        value = self.table.get(key, default)
        if value is None:
            raise self.error(f'{self.where} needs {key} = "…"')
        if not isinstance(value, str):
            raise self.error(f"{key} must be text in quotes, not {said(value)}", key)
        return value

    def choice(self, key: str, options: Collection[str], default: str | None = None) -> str:
        """A setting that is one of some words."""
        value = self.string(key, default)
        if value not in options:
            offer = nearest(value, options) or f" It is one of {', '.join(options)}."
            raise self.error(f"{key} = {said(value)} is not known here.{offer}", key)
        return value

    def inner(self, key: str) -> Section:
        """A table inside of this one; an empty one, if there is none."""
        table = self.table.get(key, {})
        if not isinstance(table, dict):
            raise self.error(f"{key} must be a table, as in {{ x1 = 1.0 }}, not {said(table)}", key)
        return Section(self.source, f"{self.title}.{key}", table, self.index)

    def listed(self, key: str, default: list[Any] | None = None) -> list[Any]:
        """A setting that is a list."""
        value = self.table.get(key, default)
        if value is None:
            raise self.error(f"{self.where} needs {key} = [ … ]")
        if not isinstance(value, list):
            raise self.error(f"{key} must be a list in [ ], not {said(value)}", key)
        return value

    def number(self, value: Any, word: str) -> float:
        """A finite number; `word` is what has it."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"{said_name(word)} must be a number, not {said(value)}", word)
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            raise self.error(f"{said_name(word)} must be a finite number, not {said(value)}", word)
        return number

    def name(self, value: Any, what: str) -> str:
        """A name that formulas can use."""
        if not isinstance(value, str):
            raise self.error(f"{what} must be a name in quotes, not {said(value)}")
        if not is_name(value) or "[" in value or value.endswith(("'", "′", "’")):
            raise self.error(
                f"{what} {said(value)} is no name: a letter, then letters, digits and _", value
            )
        if value in BARE:
            raise self.error(f"{what} {value} is the name of a function; rename it", value)
        return value


def said(value: Any) -> str:
    """A value as an error shows it: short, without characters that hide something."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists in lists
        return "a value without end"
    return text if len(text) <= 40 else f"{text[:39]}…"


def said_name(name: str) -> str:
    return name if is_name(name) and len(name) <= 40 else said(name)
