"""A file into a table: CSV or Parquet, told apart by their first bytes, not by their names."""

from __future__ import annotations

from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import DataError
from chalkgrad.data.tables.csv_file import read_csv
from chalkgrad.data.tables.extras import extra
from chalkgrad.data.tables.header import check_names
from chalkgrad.data.tables.table import Table, as_text, cleaned

DECIMALS = (".", ",")


def read(
    path: str | PathLike[str],
    *,
    delimiter: str | None = None,
    decimal: str = ".",
    missing: Collection[str] = (),
) -> Table:
    """Read a table. What was decided on the way (delimiter, missing cells) is in its `notes`.

    CSV must be UTF-8 (a byte order mark and gzip are fine) with a header row; its delimiter is the
    one of `, ; tab |` that the header has most often, or `delimiter`. `decimal=","` reads 1,5 as
    one and a half. `missing` adds to the markers that count as missing: an empty cell, NA, N/A,
    NaN, null and ?. Raises DataError, one sentence, for anything that is not such a table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "prices.csv"
    ...     _ = path.write_text("size;price\\n31;1200\\n44;NA\\n")
    ...     prices = read(path)
    >>> prices, prices.notes[0], prices.texts("price").tolist()
    (Table(prices.csv: 2 rows × 2 columns), 'fields are separated by ";"', ['1200', None])
    """
    path = Path(path)
    start = _first_bytes(path)
    if decimal not in DECIMALS:
        raise DataError(f'decimal={decimal!r} is not known; it is "." or ","')
    if start == b"PAR1":
        return cleaned(_read_parquet(path), decimal, missing)
    if start == b"PK\x03\x04":
        raise DataError(
            f"{path.name} is an Excel workbook or another zip archive; export it as CSV (UTF-8)"
        )
    return cleaned(read_csv(path, delimiter), decimal, missing)


def _first_bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            start = stream.read(4)
    except FileNotFoundError as absent:
        raise DataError(f"there is no file {path}; check the path{_others(path)}") from absent
    except OSError as refused:
        raise DataError(f"{path} cannot be read: {refused.strerror or refused}") from refused
    if not start:
        raise DataError(f"{path.name} is empty; a table has a header row and at least one row")
    return start


def _others(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" (there is no folder {folder} either)"
    tables = sorted(each.name for each in folder.iterdir() if each.suffix in (".csv", ".parquet"))
    return f" (in that folder: {', '.join(tables[:5])})" if tables else ""


def _read_parquet(path: Path) -> Table:
    arrow, parquet = extra("pyarrow"), extra("pyarrow.parquet")
    try:
        content: Any = parquet.ParquetFile(path).read()
    except (arrow.ArrowException, OSError) as broken:
        raise DataError(
            f"{path.name} is a Parquet file that cannot be read ({broken}); write it again"
        ) from broken
    check_names([str(name) for name in content.column_names], path.name, "schema")
    if content.num_rows == 0:
        raise DataError(f"{path.name} has columns but no rows")
    return as_text(content, path.name)
