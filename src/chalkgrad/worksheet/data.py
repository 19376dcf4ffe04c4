"""[data]: the records, in the worksheet or in a CSV file beside it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import WorksheetError, nearest
from chalkgrad.worksheet.parts import Column, Data
from chalkgrad.worksheet.source import Section, read_text, said, said_name

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DELIMITERS = ",;\t|"
_ONE_MORE = "give every input and target as many numbers as there are records"


def read_data(section: Section, outputs: Sequence[str]) -> Data:
    """The records. `outputs` are the units of the last layer, whose targets there must be."""
    section.only("inputs", "targets", "csv")
    if "csv" in section.table:
        return _from_csv(section, outputs)
    inputs, targets = section.inner("inputs"), section.inner("targets")
    if not inputs.table:
        raise section.error("[data] needs inputs = { x1 = … }, or csv = “file.csv”", "inputs")
    _check_targets(targets, outputs)
    for key in inputs.table:
        inputs.name(key, "input")
    columns = {key: _column(inputs, key, value) for key, value in inputs.table.items()}
    wanted = {unit: _column(targets, unit, targets.table[unit]) for unit in outputs}
    first = next(iter(columns))
    records = len(columns[first])
    for part, found in ((inputs, columns), (targets, wanted)):
        for key, column in found.items():
            if len(column) != records:
                raise part.error(
                    f"{said_name(key)} has {_records(column)}, {first} has "
                    f"{_records(columns[first])}; {_ONE_MORE}", key,
                )  # fmt: skip
    return Data(columns, wanted, records)


def _records(column: Column) -> str:
    return "1 record" if len(column) == 1 else f"{len(column)} records"


def _check_targets(targets: Section, outputs: Sequence[str]) -> None:
    for key in targets.table:
        if key not in outputs:
            offer = nearest(key, outputs)
            raise targets.error(
                f"there is a target for {said_name(key)}, which is not an output: the last layer's "
                f"units are {', '.join(outputs)}.{offer}", key,
            )  # fmt: skip
    for unit in outputs:
        if unit not in targets.table:
            raise targets.error(
                f"the output {unit} has no target; add {unit} = … to targets", "targets"
            )


def _column(section: Section, key: str, value: Any) -> Column:
    numbers = value if isinstance(value, list) else [value]
    if not numbers:
        raise section.error(f"{said_name(key)} has no records", key)
    return tuple(section.number(number, key) for number in numbers)


# A table beside the worksheet. The reader of chalkgrad.data needs pyarrow; these few rows do not.
def _from_csv(section: Section, outputs: Sequence[str]) -> Data:
    name = section.string("csv")
    if "inputs" in section.table or "targets" in section.table:
        raise section.error("[data] has csv and inputs or targets: keep one of them", "csv")
    folder = section.source.folder
    if folder is None:
        raise section.error(f"csv = {said(name)}: a worksheet without a file has no folder", "csv")
    if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
        raise section.error(f"csv = {said(name)} must name a file beside the worksheet", "csv")
    columns = _columns(name, read_text(folder / name))
    missing = [unit for unit in outputs if unit not in columns]
    if missing:
        raise section.error(
            f"{name} has no column {missing[0]}, the target of that output; its columns are "
            f"{', '.join(map(said_name, columns))}", "csv",
        )  # fmt: skip
    inputs = {key: column for key, column in columns.items() if key not in outputs}
    if not inputs:
        raise section.error(f"{name} has targets and no inputs; add a column for each", "csv")
    for key in inputs:
        section.name(key, f"in {name}, the column")
    targets = {unit: columns[unit] for unit in outputs}
    return Data(inputs, targets, len(targets[outputs[0]]))


def _columns(name: str, text: str) -> Mapping[str, Column]:
    header, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise WorksheetError(f"{name} is no CSV: {error}") from None
    filled = [(k, row) for k, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    if len(filled) < 2:
        raise WorksheetError(f"{name} has no records: write a header, then a row for each record")
    names = [cell.strip() for cell in filled[0][1]]
    for cell in names:
        if not cell or names.count(cell) > 1:
            word = f"two columns {said_name(cell)}" if cell else "a column without a name"
            raise WorksheetError(f"{name} has {word}; give each a name of its own in row 1")
    numbers = [_numbers(name, k, row, names) for k, row in filled[1:]]
    return dict(zip(names, zip(*numbers, strict=True), strict=True))


def _numbers(name: str, k: int, row: Sequence[str], names: Sequence[str]) -> Column:
    if len(row) != len(names):
        raise WorksheetError(f"{name}, row {k} has {len(row)} cells; the header has {len(names)}")
    for cell, column in zip(row, names, strict=True):
        if not _NUMBER.fullmatch(cell.strip()) or float(cell) in (float("inf"), -float("inf")):
            raise WorksheetError(
                f"{name}, row {k}: {said(cell)} under {said_name(column)} is no number"
            )
    return tuple(float(cell) for cell in row)
