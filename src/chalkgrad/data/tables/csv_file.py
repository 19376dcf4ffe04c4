"""CSV into a table of text, or one sentence on why it is none.

pyarrow does the parsing; it refuses a row that is too short or too long, which others fill in
silently. What stands here is the finding of the delimiter, and the finding of the words.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.core.errors import DataError
from chalkgrad.data.streams import DAMAGED, opened
from chalkgrad.data.tables.extras import extra
from chalkgrad.data.tables.header import check_names
from chalkgrad.data.tables.table import Cells, Table

DELIMITERS = {",": "commas", ";": '";"', "\t": "tabs", "|": '"|"'}
HEAD = 1 << 20  # the header must end within the first megabyte
BLOCK = 1 << 24  # and one cell within 16
QUOTED = re.compile(r'"(?:[^"]|"")*"')
LINE_END = re.compile(r"\r\n|\r|\n")


def read_csv(path: Path, delimiter: str | None) -> Table:
    """Cells just as they stand. A row's place counts as in a spreadsheet: the header is row 1."""
    text = _check_text(path)
    header = _header(text, path.name)
    if delimiter is None:
        delimiter = max(DELIMITERS, key=header.count)
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise DataError(f"delimiter {delimiter!r} cannot be used; give one character, such as ;")
    grid = _parse(path, delimiter, header.count(delimiter) + 1)
    names = [str(column[0].as_py()).strip() for column in grid.columns]
    check_names(names, path.name)
    if grid.num_rows == 1:
        raise _no_rows(path.name)
    rows = np.arange(2, grid.num_rows + 1, dtype=np.int64)
    columns = dict(zip(names, grid.slice(1).columns, strict=True))
    note = f"fields are separated by {DELIMITERS.get(delimiter, repr(delimiter))}"
    table = Table(path.name, columns, rows, (note,))
    return _without_blank(_with_lines_said(table, text))


class _Text(NamedTuple):
    start: str
    quotes: int


def _check_text(path: Path) -> _Text:
    """Raise DataError at the first byte that is no UTF-8; return what else was seen on the way."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    head, quotes, offset, line = "", 0, 0, 1
    try:
        with opened(path) as stream:
            while chunk := stream.read(HEAD):
                text = _decode(decoder, chunk, path.name, offset, line)
                head = head or text
                quotes += chunk.count(b'"')
                offset += len(chunk)
                line += chunk.count(b"\n")
    except DAMAGED as broken:
        raise DataError(f"{path.name} is a damaged gzip file ({broken})") from broken
    if decoder.getstate()[0]:
        raise DataError(f"{path.name} ends in the middle of a character; it was cut short")
    return _Text(head, quotes)


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, name: str, offset: int, line: int
) -> str:
    kept = len(decoder.getstate()[0])  # bytes of a character that the last chunk began
    zero = chunk.find(b"\0")
    if zero >= 0:
        line += chunk.count(b"\n", 0, zero)
        raise DataError(
            f"{name} holds a zero byte on line {line}, so it is UTF-16 or no text at all; "
            'save it again as UTF-8 (in a spreadsheet: "CSV UTF-8")'
        )
    try:
        return decoder.decode(chunk)
    except UnicodeDecodeError as wrong:
        place = wrong.start - kept
        line += chunk.count(b"\n", 0, max(place, 0))
        raise DataError(
            f"{name} is not UTF-8: line {line} holds the byte 0x{wrong.object[wrong.start]:02x} "
            f"(offset {offset + place:,}); save it again as UTF-8 (in a spreadsheet: "
            '"CSV UTF-8")'
        ) from wrong


def _header(text: _Text, name: str) -> str:
    """The first row with each quoted field as one q, so that what separates fields is left."""
    header, *rest = LINE_END.split(QUOTED.sub("q", text.start), maxsplit=1)
    if '"' in header:
        raise DataError(f'{name} row 1 opens a quote (") and does not close it; mend the header')
    if not header.strip():
        raise DataError(f"{name} row 1 is empty; the first row must name the columns")
    if not rest:
        raise _no_rows(name)
    return header


def _no_rows(name: str) -> DataError:
    return DataError(f"{name} has a header but no rows; add the data under it")


def _parse(path: Path, delimiter: str, width: int) -> Any:
    """The whole file as text, header row included, in columns f0, f1, …"""
    arrow, csv = extra("pyarrow"), extra("pyarrow.csv")
    ragged: list[Any] = []

    def refuse(row: Any) -> str:
        ragged.append(row)
        return "error"

    try:
        with opened(path) as stream:
            grid = csv.read_csv(
                stream,
                # One thread: only then does pyarrow know the number of a row that it refuses.
                csv.ReadOptions(
                    use_threads=False, block_size=BLOCK, autogenerate_column_names=True
                ),
                csv.ParseOptions(
                    delimiter=delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,  # a skipped line would shift the numbers of rows
                    invalid_row_handler=refuse,
                ),
                csv.ConvertOptions(
                    column_types={f"f{column}": arrow.string() for column in range(width)},
                    strings_can_be_null=False,
                ),
            )
    except arrow.ArrowException as broken:
        raise _explained(path.name, delimiter, ragged, broken) from broken
    if grid.num_columns != width:
        raise DataError(
            f"{path.name} has {grid.num_columns} fields in its header, but {width - 1} "
            f"{DELIMITERS.get(delimiter, delimiter)} outside quotes; mend the quotes in row 1"
        )
    return grid


def _explained(name: str, delimiter: str, ragged: list[Any], broken: Exception) -> DataError:
    if not ragged:
        return DataError(
            f'{name} cannot be read as CSV ({broken}); look for a quote (") that is opened and '
            "not closed"
        )
    row = ragged[0]
    fields = f"{row.actual_columns} field{'' if row.actual_columns == 1 else 's'}"
    if "\n" in row.text:
        fix = 'a quote (") in it is opened and not closed on the same line'
    elif row.actual_columns > row.expected_columns:
        fix = f'put quotes (") around a field that holds a {delimiter!r}'
    else:
        fix = "add what is missing, or an empty field"
    return DataError(
        f"{name} row {row.number} has {fields}; the header has {row.expected_columns}: {fix}"
    )


def _with_lines_said(table: Table, text: _Text) -> Table:
    """Refuse a quote that is never closed, and say which cells have more than one line.

    A forgotten quote swallows rows up to the next one, or to the end, and what is left may still
    have the right number of fields.
    """
    compute, notes = extra("pyarrow.compute"), []
    if not text.quotes:
        return table
    for name, cells in table.columns.items():
        broken = compute.match_substring(cells, "\n")
        count = compute.sum(broken).as_py()
        if not count:
            continue
        first = table.rows[compute.index(broken, value=True).as_py()]
        if text.quotes % 2 and broken[-1].as_py():
            raise DataError(
                f'{table.source} row {table.rows[-1]}: a quote (") in column {name!r} is opened '
                "and not closed, so the rest of the file is one cell; close it"
            )
        cells_have = "1 cell has" if count == 1 else f"{count} cells have"
        notes.append(f"column {name!r}: {cells_have} more than one line (first in row {first})")
    return replace(table, notes=(*table.notes, *notes))


def _without_blank(table: Table) -> Table:
    """Leave out rows without a single character, which spreadsheets write below a table."""
    compute = extra("pyarrow.compute")
    blank: Cells = None
    for cells in table.columns.values():
        empty = compute.equal(cells, "")
        blank = empty if blank is None else compute.and_(blank, empty)
        if not compute.any(blank).as_py():
            return table
    kept = np.flatnonzero(~np.asarray(blank, bool))
    if len(kept) == 0:
        raise DataError(f"{table.source} has a header but only empty rows; add the data under it")
    count = len(table) - len(kept)
    note = f"{count} empty row{'s' if count > 1 else ''} left out"
    return replace(table.take(kept), notes=(*table.notes, note))
