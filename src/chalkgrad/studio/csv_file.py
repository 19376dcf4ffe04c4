"""A CSV that a person drops on the page, made a worksheet: inputs, a target, a small network."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.core.graph import Array
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.writing import Design, speakable, worksheet_text

_DELIMITERS = ",;\t|"
_MOST_ROWS = 100_000
_RECORDS = 300  # of a worksheet
_INPUTS = 12
_CLASSES = 10
_HIDDEN = 4
_LONGEST_CELL = 1000
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_MISSING = ("", "na", "n/a", "nan", "null", "none", "?")


class Target(NamedTuple):
    """What is predicted, and how the network's end fits it."""

    columns: dict[str, Array]
    output: str
    loss: str
    notes: list[str]


def from_csv(text: str, name: str, target: str | None = None) -> Sheet:
    """The worksheet. `target` is a column; left out, it is the last one.

    DataError says in one sentence what is wrong with the file.
    """
    if len(text) > LARGEST_CSV:
        raise DataError(f"{name} is larger than {LARGEST_CSV >> 20} MB; take fewer rows")
    headings, rows, notes = _rows(text, name)
    chosen = _target_column(headings, target, name)
    columns = dict(zip(headings, zip(*rows, strict=True), strict=True))
    numeric = {h: found for h in headings if (found := _numbers(columns[h])) is not None}
    wanted = columns[chosen]
    inputs = {h: column for h, column in numeric.items() if h != chosen}
    left = [h for h in headings if h not in inputs and h != chosen]
    if left:
        notes.append(f"left out, since they are no numbers: {_listed(left)}")
    if not inputs:
        raise DataError(f"{name} has no column of numbers beside the target {chosen!r}")
    if len(inputs) > _INPUTS:
        notes.append(f"only the first {_INPUTS} of {len(inputs)} inputs are taken")
        inputs = dict(list(inputs.items())[:_INPUTS])
    whole = np.all([np.isfinite(column) for column in inputs.values()], axis=0)
    whole &= np.array([cell.strip().lower() not in _MISSING for cell in wanted])
    if chosen in numeric:
        whole &= np.isfinite(numeric[chosen])
    if not whole.all():
        notes.append(f"{int((~whole).sum()):,} rows with missing cells are left out")
    kept = np.flatnonzero(whole)
    if len(kept) < 2:
        raise DataError(f"{name} has fewer than 2 rows without missing cells")
    kept = _sampled(kept, notes)
    return _sheet(name, {h: c[kept] for h, c in inputs.items()}, chosen,
                  [wanted[k].strip() for k in kept], numeric.get(chosen), kept, notes)  # fmt: skip


def _sheet(
    name: str, inputs: dict[str, Array], chosen: str, wanted: list[str], numbers: Array | None,
    kept: Array, notes: list[str],
) -> Sheet:  # fmt: skip
    names = speakable(inputs)
    made = _target(chosen, wanted, None if numbers is None else numbers[kept], names)
    design = Design(
        title=name, source="",
        inputs=dict(zip(names, map(_standardised, inputs.values()), strict=True)),
        targets=made.columns, hidden=[_HIDDEN], activation="tanh", output=made.output,
        loss=made.loss, update={"rule": "adam", "learning_rate": 0.03}, seed=1,
    )  # fmt: skip
    said = ["inputs are standardised: minus the mean, over the standard deviation", *made.notes]
    return Sheet.from_text(worksheet_text(design), name, seed=1, notes=(*notes, *said))


# Reading.
def _rows(text: str, name: str) -> tuple[list[str], list[list[str]], list[str]]:
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise DataError(f"{name} holds a zero byte: it is no CSV in UTF-8")
    header = _QUOTED.sub("", text.partition("\n")[0])
    delimiter = max(_DELIMITERS, key=header.count)
    csv.field_size_limit(_LONGEST_CELL)
    rows: list[list[str]] = []
    notes: list[str] = []
    try:
        for row in csv.reader(text.splitlines(), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > _MOST_ROWS:
                notes.append(f"only the first {_MOST_ROWS:,} rows are read")
                break
    except csv.Error as error:
        raise DataError(f"{name} is no CSV: {error}") from None
    if len(rows) < 3:
        raise DataError(f"{name} has fewer than 2 records: a header, then a row for each record")
    headings = [cell.strip() for cell in rows[0]]
    _check_header(headings, name)
    for k, row in enumerate(rows[1:], 2):
        if len(row) != len(headings):
            raise DataError(f"{name}, row {k} has {len(row)} cells; the header has {len(headings)}")
    return headings, rows[1:], notes


def _check_header(headings: Sequence[str], name: str) -> None:
    if len(headings) < 2:
        raise DataError(f"{name} has one column; it needs inputs and a target")
    if len(headings) > _LONGEST_CELL:
        raise DataError(f"{name} has {len(headings):,} columns; at most {_LONGEST_CELL:,} are read")
    for cell in headings:
        if not cell or headings.count(cell) > 1:
            word = f"two columns {cell!r}" if cell else "a column without a name"
            raise DataError(f"{name} has {word}; give each a name of its own in row 1")


def _target_column(headings: Sequence[str], target: str | None, name: str) -> str:
    if target is None:
        return headings[-1]
    if target not in headings:
        raise DataError(f"{name} has no column {target!r}.{nearest(target, headings)}")
    return target


def _numbers(column: Sequence[str]) -> Array | None:
    """The numbers of a column, NaN where one is missing; None where it is no column of numbers."""
    found = np.full(len(column), np.nan)
    for k, cell in enumerate(column):
        plain = cell.strip()
        if plain.lower() in _MISSING:
            continue
        try:
            found[k] = float(plain.replace(",", ".") if plain.count(",") == 1 else plain)
        except ValueError:
            return None
    return found if np.isfinite(found).any() else None


# What is made of it.
def _target(chosen: str, wanted: list[str], numbers: Array | None, names: list[str]) -> Target:
    classes = sorted(set(wanted))
    whole = numbers is not None and bool(np.all(numbers == np.round(numbers)))
    if numbers is not None and not (whole and len(classes) <= _CLASSES):
        return _amounts(chosen, numbers, names)
    if len(classes) > _CLASSES:
        raise DataError(
            f"the target {chosen!r} has {len(classes)} different words; at most {_CLASSES} classes "
            "are told apart: choose another column as target"
        )
    if len(classes) == 1:
        raise DataError(f"the target {chosen!r} is {classes[0]!r} in every row: nothing to learn")
    if len(classes) == 2:
        (unit,) = speakable([chosen], names)
        column = np.array([float(cell == classes[1]) for cell in wanted])
        note = f"{unit} is 1 for {classes[1]!r} and 0 for {classes[0]!r}"
        return Target({unit: column}, "sigmoid", "binary_cross_entropy", [note])
    units = speakable([f"{chosen}_{cell}" for cell in classes], names)
    columns = {
        unit: np.array([float(cell == own) for cell in wanted])
        for unit, own in zip(units, classes, strict=True)
    }
    return Target(columns, "softmax", "cross_entropy", [f"{len(classes)} classes of {chosen!r}"])


def _amounts(chosen: str, numbers: Array, names: list[str]) -> Target:
    (unit,) = speakable([chosen], names)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(numbers.std())
    if spread == 0:
        raise DataError(
            f"the target {chosen!r} is the same in every row: there is nothing to learn"
        )
    scaled = _standardised(numbers)
    note = f"{unit} is ({chosen} − {numbers.mean():.6g}) / {spread:.6g}"
    return Target({unit: scaled}, "identity", "mean_squared_error", [note])


def _standardised(column: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(column.std())
        if not np.isfinite(spread):
            raise DataError("a column has numbers too large to be standardised; scale it first")
        scaled: Array = (column - column.mean()) / (spread or 1.0)
        return scaled


def _sampled(rows: Array, notes: list[str]) -> Array:
    if len(rows) <= _RECORDS:
        return rows
    notes.append(f"{_RECORDS} of {len(rows):,} rows are taken, chosen at random")
    return np.sort(np.random.default_rng(0).choice(rows, _RECORDS, replace=False))


def _listed(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
    )
