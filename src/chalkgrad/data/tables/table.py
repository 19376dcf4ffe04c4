"""A table: named columns of text cells, null where missing, and each row's place in its file.

Cells stay text until a column's kind is known. A reader that guesses types cell by cell turns the
code 007 into 7, and reads one column as two types in two files; here the schema alone decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.data.tables.extras import extra
from chalkgrad.data.tables.phrases import listed, times

Cells = Any  # a pyarrow.ChunkedArray of strings; null is a missing cell

# Written by spreadsheets, pandas, R and old UCI files. Not "None" or "-": those are often answers.
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?")
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
DECIMAL_COMMA = r"^([+-]?\d*),(\d+)$"
TRUE = ("1", "1.0", "on", "t", "true", "y", "yes")
FALSE = ("0", "0.0", "off", "f", "false", "n", "no")


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Columns of equal length. `rows` says where each row stands in the file it was read from."""

    source: str
    columns: Mapping[str, Cells]
    rows: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Table({self.source}: {len(self)} rows × {len(self.columns)} columns)"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the file's order."""
        return tuple(self.columns)

    def cells(self, name: str) -> Cells:
        """One column as it is; DataError with the nearest names if there is none such."""
        if name not in self.columns:
            raise DataError(f"{self.source} has no column {name!r}.{nearest(name, self.columns)}")
        return self.columns[name]

    def take(self, indices: NDArray[Any]) -> Table:
        """The rows at these indices, in this order; they keep their places in the file."""
        arrow = extra("pyarrow")
        chosen = arrow.array(np.asarray(indices, np.int64))
        columns = {name: cells.take(chosen) for name, cells in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows[indices])

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Which cells of a column are missing."""
        return np.asarray(self.cells(name).is_null(), bool)

    def texts(self, name: str) -> NDArray[np.object_]:
        """A column as str, or None where missing."""
        return np.array(self.cells(name).to_pylist() or [], dtype=object)

    def labels(self, name: str) -> NDArray[np.object_]:
        """A column as names of categories: its text, with whole numbers written one way.

        pandas writes a column of 1, 2 and a gap as 1.0, 2.0 and a gap; both must mean the same.
        """
        compute = extra("pyarrow.compute")
        whole = compute.replace_substring_regex(self.cells(name), r"^(-?\d+)\.0+$", r"\1")
        return np.array(whole.to_pylist() or [], dtype=object)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column as float64, NaN where missing; DataError at the first cell that is no number.

        >>> from_columns({"age": ["31", None, "4e1"]}).numbers("age")
        array([31., nan, 40.])
        """
        compute = extra("pyarrow.compute")
        cells = self.cells(name)
        wrong = compute.invert(compute.match_substring_regex(cells, NUMBER))
        self.refuse(name, wrong, "which is not a number")
        plain = compute.replace_substring_regex(cells, r"^\+", "")
        parsed = compute.cast(plain, extra("pyarrow").float64())
        self.refuse(name, compute.is_inf(parsed), "which is too large for a number")
        return np.array(parsed.to_numpy(), np.float64)

    def truths(self, name: str) -> NDArray[np.float64]:
        """A column of yes and no as 1 and 0, NaN where missing; DataError at any other word."""
        compute, arrow = extra("pyarrow.compute"), extra("pyarrow")
        lowered = compute.utf8_lower(self.cells(name))
        true = compute.is_in(lowered, value_set=arrow.array(TRUE))
        known = compute.is_in(lowered, value_set=arrow.array((*TRUE, *FALSE)))
        present = compute.is_valid(lowered)
        wrong = compute.and_(compute.invert(known), present)
        self.refuse(name, wrong, "which is not yes or no, true or false, 1 or 0")
        return np.where(np.asarray(present, bool), np.asarray(true, np.float64), np.nan)

    def refuse(self, name: str, wrong: Any, reason: str) -> None:
        """Raise DataError for the first cell that `wrong`, a mask or nulls, marks as true."""
        place = extra("pyarrow.compute").index(wrong, value=True).as_py()
        if place < 0:
            return
        raise DataError(
            f"{self.source} row {self.rows[place]}: column {name!r} holds "
            f"{self.cells(name)[place].as_py()!r}, {reason}; correct the cell or empty it"
        )


def from_columns(
    columns: Mapping[str, Sequence[Any] | NDArray[Any]], source: str = "table"
) -> Table:
    """A table from lists or arrays by name, as if it had been read from a file without a header.

    >>> from_columns({"age": [31, None, 40], "town": ["Ulm", "Pau", "?"]}).texts("town").tolist()
    ['Ulm', 'Pau', None]
    """
    arrow = extra("pyarrow")
    arrays = {name: arrow.array(cells, from_pandas=True) for name, cells in columns.items()}
    return from_arrow(arrow.table(arrays), source)


def from_arrow(table: Any, source: str = "table") -> Table:
    """A table from a pyarrow.Table (`pyarrow.Table.from_pandas(frame)`, `frame.to_arrow()`).

    Numbers become text that reads back as the same number. A column of lists or structures has no
    text; its cells are missing, and a note says so.
    """
    return cleaned(as_text(table, source))


def as_text(table: Any, source: str) -> Table:
    """Every cell of a pyarrow.Table as text, and a note on each column that has none."""
    arrow = extra("pyarrow")
    columns, notes = {}, []
    for name, cells in zip(table.column_names, table.columns, strict=True):
        try:
            columns[str(name)] = cells.cast(arrow.string())
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            columns[str(name)] = arrow.chunked_array([arrow.nulls(len(cells), arrow.string())])
            notes.append(f"column {name!r} holds {cells.type}, not flat values: read as missing")
    rows = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return Table(source, columns, rows, tuple(notes))


def cleaned(table: Table, decimal: str = ".", missing: Collection[str] = ()) -> Table:
    """Trim every cell, make the missing ones null, read decimal commas; say what was missing."""
    compute, arrow = extra("pyarrow.compute"), extra("pyarrow")
    markers = arrow.array([*MISSING, *missing])
    columns: dict[str, Cells] = {}
    written: Counter[str] = Counter()
    by_column: dict[str, int] = {}
    for name, cells in table.columns.items():
        trimmed = compute.utf8_trim_whitespace(cells)
        if decimal == ",":
            trimmed = compute.replace_substring_regex(trimmed, DECIMAL_COMMA, r"\1.\2")
        found = compute.is_in(trimmed, value_set=markers)
        marks = compute.drop_null(compute.filter(trimmed, found)).to_pylist()
        nothing = arrow.scalar(None, arrow.string())
        columns[name] = compute.if_else(found, nothing, trimmed)
        if columns[name].null_count:
            by_column[name] = columns[name].null_count
            written.update(marks)
            written[""] += by_column[name] - len(marks)  # nulls that came in as nulls
    return replace(table, columns=columns, notes=table.notes + _gaps(written, by_column))


def _gaps(written: Counter[str], by_column: dict[str, int]) -> tuple[str, ...]:
    if not by_column:
        return ()
    marks = [
        times(repr(mark) if mark else "empty", count)
        for mark, count in written.most_common()
        if count
    ]
    places = [f"{name} {count}" for name, count in by_column.items()]
    total = sum(by_column.values())
    return (
        f"{total} cell{'s' if total > 1 else ''} read as missing ({listed(marks)}): "
        f"{listed(places)}",
    )
