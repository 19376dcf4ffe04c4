"""Rows into training, validation and test parts: shuffled, seeded, and by class where it can be.

The parts are indices, so that one split serves a table, its targets and its images alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError

Indices = NDArray[np.int64]


class Split(NamedTuple):
    """Three sets of row indices that share no row, and what had to be said about them."""

    train: Indices
    validation: Indices
    test: Indices
    notes: tuple[str, ...] = ()


def split(
    rows: int,
    *,
    classes: NDArray[Any] | None = None,
    names: Sequence[str] = (),
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
) -> Split:
    """Divide `rows` rows at random; with `classes` (one id per row), each class in proportion.

    A held-out part of a class has at least one row. Where a class is too small for that, the
    rows are divided without regard to class, and `notes` says so. Raises DataError if there
    are fewer rows than parts, or if the fractions leave nothing to train on.

    >>> parts = split(10, classes=np.array([0] * 6 + [1] * 4), validation=0, test=0.5)
    >>> len(parts.train), len(parts.test), parts.notes
    (5, 5, ())
    """
    _check_fractions(rows, validation, test)
    parts = 1 + (validation > 0) + (test > 0)
    notes = () if classes is None else _too_small(classes, names, parts)
    generator = np.random.default_rng(seed)
    groups = [np.arange(rows, dtype=np.int64)]
    if classes is not None and not notes:
        groups = [np.flatnonzero(classes == one) for one in np.unique(classes)]
    cuts = [_cut(generator.permutation(group), validation, test) for group in groups]
    # Class after class is no order to train in: shuffle again across the classes.
    shuffled = [generator.permutation(np.concatenate(part)) for part in zip(*cuts, strict=True)]
    return Split(shuffled[0], shuffled[1], shuffled[2], notes)


def _check_fractions(rows: int, validation: float, test: float) -> None:
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise DataError(
            f"validation={validation:g} and test={test:g} must each be at least 0 and together "
            "less than 1, so that rows are left to train on"
        )
    parts = 1 + (validation > 0) + (test > 0)
    if rows < parts:
        raise DataError(f"{rows} rows cannot be divided in {parts} parts; give at least {parts}")


def _too_small(classes: NDArray[Any], names: Sequence[str], parts: int) -> tuple[str, ...]:
    found, counts = np.unique(classes, return_counts=True)
    smallest = int(np.argmin(counts))
    if counts[smallest] >= parts:
        return ()
    one = names[int(found[smallest])] if names else found[smallest]
    count = int(counts[smallest])
    return (
        f"not stratified: class {str(one)!r} has {count} row{'s' if count > 1 else ''}, and one "
        f"for each of {parts} parts is needed; the rows were divided at random",
    )


def _cut(rows: Indices, validation: float, test: float) -> tuple[Indices, Indices, Indices]:
    held = [max(1, round(len(rows) * part)) if part else 0 for part in (test, validation)]
    # Rounding up twice may leave a small class without a training row: the larger part gives back.
    while sum(held) >= len(rows):
        held[held.index(max(held))] -= 1
    last = sum(held)
    return rows[last:], rows[held[0] : last], rows[: held[0]]
