"""A schema: what each column of a table is to the model, and why. Inferred once, then obeyed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.data.tables.kinds import USED, Kind, Verdict, judge, look
from chalkgrad.data.tables.phrases import listed
from chalkgrad.data.tables.table import Table
from chalkgrad.data.tables.target import Target, choose_target, labelled
from chalkgrad.data.task import TASKS

FORMAT = 1  # of the saved dictionary; raise it when a reader of the old one would misread the new
MOST_ONE_HOT = 1000


@dataclass(frozen=True)
class Column:
    """One column besides the target: its kind, the reason, and what was counted."""

    name: str
    kind: Kind
    reason: str
    distinct: int
    missing: int

    @property
    def used(self) -> bool:
        """Whether the model sees it."""
        return self.kind in USED


@dataclass(frozen=True)
class Schema:
    """The columns in the file's order, the target, and what was said while inferring them."""

    source: str
    target: Target
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model sees."""
        return tuple(column for column in self.columns if column.used)

    def named(self, kind: Kind) -> tuple[str, ...]:
        """The names of the columns of one kind."""
        return tuple(column.name for column in self.columns if column.kind == kind)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """One row per column to show in a table under `HEADINGS`; the target comes last."""
        rows = [
            (each.name, each.kind, "yes" if each.used else "no", str(each.missing), each.reason)
            for each in self.columns
        ]
        return [*rows, (self.target.name, self.target.task, "target", "", self.target.reason)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which `from_dict` reads."""
        return {"format": FORMAT, **_plain(asdict(self))}

    @classmethod
    def from_dict(cls, content: Any) -> Schema:
        """The saved schema; DataError if it is not one."""
        if not isinstance(content, Mapping) or content.get("format") != FORMAT:
            raise DataError(f"this is not a schema of format {FORMAT}, so it cannot be read")
        try:
            target = {**content["target"], "classes": tuple(content["target"]["classes"])}
            schema = cls(
                source=content["source"],
                target=Target(**target),
                columns=tuple(Column(**column) for column in content["columns"]),
                notes=tuple(content["notes"]),
            )
        except (KeyError, TypeError) as wrong:
            raise DataError(f"the saved schema is damaged ({wrong}); train again") from wrong
        _check(schema)
        return schema


HEADINGS = ("column", "kind", "used", "missing", "why")


def infer(
    table: Table,
    target: str,
    *,
    task: str | None = None,
    number: Collection[str] = (),
    category: Collection[str] = (),
    drop: Collection[str] = (),
) -> Schema:
    """Decide what each column is. `number`, `category` and `drop` name columns to decide otherwise.

    Only rows with a target count. Raises DataError for a column that is not there, a target that
    nothing can be learnt about, and a table without a usable column.

    >>> from chalkgrad.data.tables.table import from_columns
    >>> table = from_columns({"age": [31, 45, 9, 78], "town": [*"ABAB"], "ill": [*"ynny"]})
    >>> for row in infer(table, "ill").rows():
    ...     print(*row, sep=" | ")
    age | number | yes | 0 | 4 distinct of 4 values, all whole numbers 9 to 78; --category age \
treats them as categories
    town | category | yes | 0 | 2 distinct of 4 values, not numbers
    ill | classification | target |  | 2 distinct labels, not numbers
    """
    asked = _overrides(table, target, number=number, category=category, drop=drop)
    table.cells(target)  # raises DataError with the nearest names
    rows, notes = labelled(table, target)
    goal = choose_target(rows, target, task)
    columns = [_column(rows, name, asked.get(name)) for name in table.names if name != target]
    schema = Schema(table.source, goal, tuple(columns), (*table.notes, *notes))
    if not schema.features:
        dropped = [f"{column.name} ({column.kind})" for column in columns]
        raise DataError(
            f"{table.source} has no column to predict {target!r} from: {listed(dropped) or 'none'}"
        )
    return schema


def _overrides(table: Table, target: str, **asked: Collection[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for option, names in asked.items():
        if isinstance(names, str):
            raise DataError(f"{option}={names!r} is one name; give a list: {option}=[{names!r}]")
        for name in names:
            if name not in table.columns:
                near = nearest(name, table.columns)
                raise DataError(f"--{option}: {table.source} has no column {name!r}.{near}")
            if name == target:
                raise DataError(
                    f"--{option}: {name!r} is the target; --task classification or --task "
                    "regression says what it is"
                )
            if chosen.setdefault(name, option) != option:
                raise DataError(f"{name!r} is in --{chosen[name]} and in --{option}; choose one")
    return chosen


def _column(table: Table, name: str, asked: str | None) -> Column:
    facts = look(table, name)
    if asked == "number":
        table.numbers(name)  # raises DataError if one is no number
    if asked == "category" and facts.distinct > MOST_ONE_HOT:
        raise DataError(
            f"--category: column {name!r} has {facts.distinct:,} distinct values, and each would "
            f"become a column; {MOST_ONE_HOT:,} is the most that is done"
        )
    requests: dict[str, Verdict] = {
        "number": Verdict("number", "number by request"),
        "category": Verdict("category", f"category by request, {facts.distinct:,} distinct values"),
        "drop": Verdict("dropped", "dropped by request"),
    }
    kind, reason = judge(facts) if asked is None else requests[asked]
    return Column(name, kind, reason, facts.distinct, facts.missing)


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON would have them, so that a saved and read schema is equal."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _check(schema: Schema) -> None:
    kinds = {column.kind for column in schema.columns} - set(get_args(Kind))
    if kinds or schema.target.task not in TASKS:
        strange = ", ".join(sorted(kinds)) or schema.target.task
        raise DataError(f"the saved schema is damaged (unknown: {strange}); train again")
