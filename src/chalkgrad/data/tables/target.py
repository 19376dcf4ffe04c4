"""The column to predict: whether it is classes or amounts, and its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.data.tables.kinds import FEW, Facts, between, look, refuse_mixture, whole
from chalkgrad.data.tables.phrases import listed
from chalkgrad.data.tables.table import NUMBER, Table
from chalkgrad.data.task import TASKS, Task

MAX_CLASSES = 1000
ROWS_PER_CLASS = 5  # with fewer on average, whole numbers are rather amounts than classes


@dataclass(frozen=True)
class Target:
    """What is predicted. `classes` are in the order of their ids; a regression has none."""

    name: str
    task: Task
    reason: str
    classes: tuple[str, ...] = ()

    def encode(self, table: Table) -> NDArray[Any]:
        """The targets of every row: int64 class ids, or float64 amounts.

        Raises DataError for a missing target (`labelled` leaves those rows out) and for a class
        that was not there when the schema was made.
        """
        gaps = np.flatnonzero(table.missing(self.name))
        if len(gaps):
            raise DataError(
                f"{table.source} row {table.rows[gaps[0]]}: the target {self.name!r} is missing; "
                "fill it in, or leave such rows out with labelled(table, target)"
            )
        if self.task == "regression":
            return table.numbers(self.name)
        ids = {label: number for number, label in enumerate(self.classes)}
        labels = table.labels(self.name)
        for row, label in zip(table.rows, labels, strict=True):
            if label not in ids:
                raise DataError(
                    f"{table.source} row {row}: the target {self.name!r} is {label!r}; the "
                    f"classes are {listed(self.classes)}.{nearest(label, self.classes)}"
                )
        return np.array([ids[label] for label in labels], np.int64)


def labelled(table: Table, target: str) -> tuple[Table, tuple[str, ...]]:
    """The rows that have a target, and what to say of the others.

    >>> from chalkgrad.data.tables.table import from_columns
    >>> rows, notes = labelled(from_columns({"y": ["a", None, "b"]}), "y")
    >>> len(rows), notes
    (2, ("1 row without a target ('y') left out",))
    """
    gaps = table.missing(target)
    count = int(gaps.sum())
    if count == len(table):
        raise DataError(f"{table.source}: the target {target!r} is missing in every row")
    if not count:
        return table, ()
    rows = f"{count} row{'s' if count > 1 else ''}"
    return table.take(np.flatnonzero(~gaps)), (f"{rows} without a target ({target!r}) left out",)


def choose_target(table: Table, name: str, task: str | None) -> Target:
    """Classification or regression, from the target's own values unless `task` says which."""
    if task is not None and task not in TASKS:
        raise DataError(f"task {task!r} is not known; it is {' or '.join(TASKS)}")
    facts = look(table, name)
    if facts.distinct == 1:
        raise DataError(
            f"{table.source}: the target {name!r} is {facts.sample!r} in every row; there is "
            "nothing to learn"
        )
    if task == "regression":
        table.numbers(name)  # raises DataError if one is no number
        return Target(name, "regression", "regression by request")
    chosen = Target(name, "classification", "classification by request")
    if task is None:
        refuse_mixture(facts, "say --task classification")
        chosen = _judged(facts)
    if chosen.task == "regression":
        return chosen
    classes = _classes(table, facts, asked=task is not None)
    return Target(name, "classification", chosen.reason, classes)


def _judged(facts: Facts) -> Target:
    numbers, distinct = facts.numbers, facts.distinct
    if numbers is None:
        return Target(facts.name, "classification", f"{distinct:,} distinct labels, not numbers")
    values = f"{distinct:,} distinct numbers in {facts.present:,} rows, {between(numbers)}"
    few = distinct <= FEW and facts.present >= ROWS_PER_CLASS * distinct
    if distinct == 2 or (few and whole(numbers)):
        reason = f"{values}: few enough for classes; --task regression predicts amounts"
        return Target(facts.name, "classification", reason)
    if whole(numbers) and distinct <= MAX_CLASSES:
        values += "; --task classification predicts each as a class"
    return Target(facts.name, "regression", values)


def _classes(table: Table, facts: Facts, asked: bool) -> tuple[str, ...]:
    labels = sorted(set(table.labels(facts.name).tolist()))
    if len(labels) > MAX_CLASSES or (not asked and not facts.repeats):
        raise DataError(
            f"{table.source}: the target {facts.name!r} has {len(labels):,} distinct labels in "
            f"{facts.present:,} rows, such as {facts.sample!r}; choose a target with fewer classes"
        )
    if all(re.match(NUMBER, label) for label in labels):
        labels.sort(key=float)  # 2 before 10
    return tuple(labels)


@dataclass(frozen=True)
class TargetScaler:
    """Amounts to mean 0 and standard deviation 1, z = (y − mean) / std, and back.

    A network starts near 0 with steps near 1; prices in the hundred thousands do not.

    >>> scaler = TargetScaler.fit(np.array([10.0, 20.0, 30.0]))
    >>> scaler.inverse(scaler.transform(np.array([10.0, 40.0]))).round(4).tolist()
    [10.0, 40.0]
    """

    mean: float
    std: float

    @classmethod
    def fit(cls, y: NDArray[Any]) -> TargetScaler:
        """From the training rows' targets only. Targets that are all equal have std 1."""
        exact = np.asarray(y, np.float64)
        return cls(float(exact.mean()), float(exact.std()) or 1.0)

    def transform(self, y: NDArray[Any]) -> NDArray[np.float32]:
        """Amounts to scaled targets, float32."""
        return ((np.asarray(y, np.float64) - self.mean) / self.std).astype(np.float32)

    def inverse(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """Scaled targets or predictions to amounts."""
        return np.asarray(z, np.float64) * self.std + self.mean

    def to_dict(self) -> dict[str, float]:
        """For JSON; `TargetScaler(**content)` reads it."""
        return {"mean": self.mean, "std": self.std}
