"""The header of a table: one name for each column, each name once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chalkgrad.core.errors import DataError
from chalkgrad.data.tables.table import NUMBER


def check_names(names: Sequence[str], source: str, place: str = "header") -> None:
    """Raise DataError unless every column has a name of its own.

    >>> check_names(["age", "town", "age"], "people.csv")
    Traceback (most recent call last):
      ...
    chalkgrad.core.errors.DataError: people.csv names 2 columns 'age' in its header (columns 1 \
and 3); rename one of them
    """
    empty = [position for position, name in enumerate(names, 1) if not name.strip()]
    if empty:
        raise DataError(
            f"{source} column {empty[0]} has no name in the {place}; name it (pandas writes its "
            "row numbers so: save with index=False)"
        )
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        positions = [str(position) for position, each in enumerate(names, 1) if each == name]
        raise DataError(
            f"{source} names {count} columns {name!r} in its {place} (columns "
            f"{' and '.join(positions)}); rename one of them"
        )
    _check_not_data(names, source)


def _check_not_data(names: Sequence[str], source: str) -> None:
    # 0, 1, 2 … are names that programs give; 5.1, 3.5 … are somebody's first row of data.
    numbers = [name for name in names if re.match(NUMBER, name)]
    if len(numbers) == len(names) and any("." in name for name in names):
        raise DataError(
            f"{source} has only numbers in row 1 ({', '.join(names[:3])}, …); the first row must "
            "name the columns: add a header"
        )
