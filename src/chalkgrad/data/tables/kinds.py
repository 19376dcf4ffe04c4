"""What kind of column each column is, and why: rules tried in order, each with its reason.

A guess that is not printed is a guess that nobody corrects. So a rule returns a sentence with the
numbers it saw, and where another reading is likely, the option that asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError
from chalkgrad.data.tables.extras import extra
from chalkgrad.data.tables.phrases import flag
from chalkgrad.data.tables.table import DECIMAL_COMMA, FALSE, NUMBER, TRUE, Table

Kind = Literal["number", "boolean", "category", "identifier", "constant", "date", "text", "dropped"]
USED: tuple[Kind, ...] = ("number", "boolean", "category")

MAX_CATEGORIES = 50  # more one-hot columns than this drown a table of ordinary size
FEW = 20  # so few whole numbers may be names of classes
ENOUGH = 20  # below so many rows, that all differ says nothing about a column
MOSTLY = 0.8  # so large a share of numbers, and the rest are mistakes

NAMED_ID = re.compile(r"(?i:(^|[\s_.-])(id|uuid|guid)$|^index$|^unnamed: 0$)|[a-z]I[dD]$")
DATES = (
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))"
    r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?\s?(Z|[+-]\d{2}:?\d{2})?$|^\d{1,2}:\d{2}(:\d{2})?$"
)
LEADING_ZERO = r"^[+-]?0\d"


@dataclass(frozen=True, eq=False)
class Facts:
    """What was counted in one column; `values` has its distinct texts if they are few."""

    source: str
    name: str
    present: int
    missing: int
    distinct: int
    sample: str
    values: tuple[str, ...]
    numbers: NDArray[np.float64] | None  # the present cells, if all of them are numbers
    not_numbers: int
    decimal_commas: int
    first_wrong: tuple[int, str]  # row and text of the first cell that is no number
    dates: bool
    leading_zeros: bool

    @property
    def repeats(self) -> bool:
        """Whether values come back, twice on average, as those of a category do."""
        return self.distinct <= max(2, self.present // 2)


class Verdict(NamedTuple):
    """A kind, and the reason for it as a person would say it."""

    kind: Kind
    reason: str


def look(table: Table, name: str) -> Facts:
    """Count what the rules need to know of one column."""
    compute = extra("pyarrow.compute")
    cells = table.cells(name)
    number = compute.match_substring_regex(cells, NUMBER)
    present = cells.drop_null()
    matching = partial(_count, present)
    wrong = len(present) - int(compute.sum(number).as_py() or 0)
    place = compute.index(number, value=False).as_py()
    distinct = compute.unique(present)
    numbers = None
    if len(present) and not wrong:
        numbers = table.numbers(name)
        numbers = numbers[~np.isnan(numbers)]
    return Facts(
        source=table.source,
        name=name,
        present=len(present),
        missing=len(cells) - len(present),
        distinct=len(distinct) if numbers is None else len(np.unique(numbers)),
        sample=present[0].as_py() if len(present) else "",
        values=tuple(distinct.to_pylist()) if len(distinct) <= MAX_CATEGORIES else (),
        numbers=numbers,
        not_numbers=wrong,
        decimal_commas=matching(DECIMAL_COMMA) if wrong else 0,
        first_wrong=(int(table.rows[place]), cells[place].as_py()) if place >= 0 else (0, ""),
        dates=bool(wrong) and matching(DATES) == len(present),
        leading_zeros=not wrong and matching(LEADING_ZERO) > 0,
    )


def judge(facts: Facts) -> Verdict:
    """The first rule's verdict that applies; DataError if a column is almost one of numbers."""
    for rule in RULES:
        verdict = rule(facts)
        if verdict is not None:
            return verdict
    many = f"{_of(facts)}, such as {facts.sample!r}: too many to one-hot (limit {MAX_CATEGORIES})"
    return Verdict("text", f"{many}; {flag('category', facts.name)} does it all the same")


def whole(numbers: NDArray[np.float64]) -> bool:
    """Whether all are whole numbers."""
    return bool(np.all(numbers == np.floor(numbers)))


def between(numbers: NDArray[np.float64]) -> str:
    """The range, for a reader.

    >>> between(np.array([3.0, 0.5, 11.0]))
    '0.5 to 11'
    """
    return f"{numbers.min():g} to {numbers.max():g}"


def refuse_mixture(facts: Facts, fix: str) -> None:
    """Raise DataError for a column of numbers in which a few cells are something else."""
    numbers = facts.present - facts.not_numbers
    row, text = facts.first_wrong
    if facts.decimal_commas and numbers + facts.decimal_commas >= MOSTLY * facts.present:
        raise DataError(
            f"{facts.source}: column {facts.name!r} has decimal commas (row {row}: {text!r}); "
            f"read the file with --decimal , or {fix}"
        )
    mixed = facts.not_numbers and numbers >= MOSTLY * facts.present and facts.distinct > FEW
    if mixed:
        raise DataError(
            f"{facts.source}: column {facts.name!r} has {numbers} numbers and "
            f"{facts.not_numbers} other value{'s' if facts.not_numbers > 1 else ''}, the first in "
            f"row {row}: {text!r}; correct or empty those cells, or {fix}"
        )


def _count(cells: object, pattern: str) -> int:
    compute = extra("pyarrow.compute")
    return int(compute.sum(compute.match_substring_regex(cells, pattern)).as_py() or 0)


def _of(facts: Facts) -> str:
    return f"{facts.distinct:,} distinct of {facts.present:,} values"


# ------------------------------------------------------------------------- the rules, in order


def _empty(facts: Facts) -> Verdict | None:
    return None if facts.present else Verdict("constant", "every cell is missing")


def _constant(facts: Facts) -> Verdict | None:
    if facts.distinct > 1:
        return None
    gaps = f" or missing ({facts.missing:,} cells)" if facts.missing else ""
    return Verdict("constant", f"every value is {facts.sample!r}{gaps}: nothing to learn from")


def _boolean(facts: Facts) -> Verdict | None:
    words = {value.lower() for value in facts.values}
    if not words & set(TRUE) or not words & set(FALSE) or words - {*TRUE, *FALSE}:
        return None
    shown = " and ".join(sorted(facts.values)[:2])
    return Verdict("boolean", f"only {shown}")


def _code(facts: Facts) -> Verdict | None:
    if not facts.leading_zeros:
        return None
    zeros = f"{_of(facts)} with leading zeros: codes, not amounts"
    if facts.values and facts.repeats:
        return Verdict("category", f"{zeros}; {flag('number', facts.name)} reads them as amounts")
    return Verdict("identifier", f"{zeros}; too many to one-hot (limit {MAX_CATEGORIES})")


def _numbered(facts: Facts) -> Verdict | None:
    """Row numbers, and whole numbers under a name such as customer_id, each only once."""
    numbers = facts.numbers
    if numbers is None or facts.distinct < facts.present or not whole(numbers):
        return None
    keep = f"{flag('number', facts.name)} keeps it"
    first, last = numbers.min(), numbers.max()
    if first in (0, 1) and last - first == facts.present - 1 and facts.present >= ENOUGH:
        return Verdict("identifier", f"the whole numbers {between(numbers)}, once each; {keep}")
    if NAMED_ID.search(facts.name) and facts.present >= ENOUGH:
        return Verdict("identifier", f"named {facts.name!r} and no value twice; {keep}")
    return None


def _number(facts: Facts) -> Verdict | None:
    numbers = facts.numbers
    if numbers is None:
        return None
    if not whole(numbers) or facts.distinct > FEW:
        return Verdict("number", f"{_of(facts)}, {between(numbers)}")
    return Verdict(
        "number",
        f"{_of(facts)}, all whole numbers {between(numbers)}; "
        f"{flag('category', facts.name)} treats them as categories",
    )


def _date(facts: Facts) -> Verdict | None:
    if not facts.dates:
        return None
    return Verdict(
        "date",
        f"dates or times, such as {facts.sample!r}; put what matters of them, such as a year or "
        "an age, into a column of numbers",
    )


def _mixture(facts: Facts) -> Verdict | None:
    refuse_mixture(facts, f"say {flag('category', facts.name)} or {flag('drop', facts.name)}")
    return None


def _category(facts: Facts) -> Verdict | None:
    if not facts.values or not facts.repeats:
        return None
    which = "not" if facts.not_numbers == facts.present else "not all"
    return Verdict("category", f"{_of(facts)}, {which} numbers")


def _identifier(facts: Facts) -> Verdict | None:
    if facts.distinct < facts.present or facts.present < ENOUGH:
        return None
    return Verdict("identifier", f"{facts.present:,} values, such as {facts.sample!r}, once each")


RULES: tuple[Callable[[Facts], Verdict | None], ...] = (
    _empty, _constant, _boolean, _code, _numbered, _number, _date, _mixture, _category,
    _identifier,
)  # fmt: skip
