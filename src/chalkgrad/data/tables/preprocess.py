"""A table into the numbers that a network eats, by rules learnt from its training rows alone.

    number     gaps become the training median; then (x − mean) / std
    boolean    0 or 1; gaps become the commoner of the two
    category   one column for each value that training saw; a gap is a value of its own

What prediction finds that training did not see is said, never guessed.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.core.files import write_whole
from chalkgrad.data.tables.extras import extra
from chalkgrad.data.tables.kinds import USED, Kind
from chalkgrad.data.tables.phrases import listed, times
from chalkgrad.data.tables.schema import Schema
from chalkgrad.data.tables.table import Table

FORMAT = 1
GAP = "(missing)"
# skops trusts scikit-learn's and NumPy's own types, but not this one, which an imputer keeps.
TRUSTED = ["numpy.dtype"]


@dataclass(frozen=True, eq=False, repr=False)
class Preprocessor:
    """Fitted scikit-learn pipelines, one per kind of column, and the schema that they obey."""

    schema: Schema
    pipelines: Mapping[Kind, Any]

    @classmethod
    def fit(cls, table: Table, schema: Schema) -> Preprocessor:
        """Learn medians, means and categories from these rows: the training rows, no others.

        >>> from chalkgrad.data.tables.schema import infer
        >>> from chalkgrad.data.tables.table import from_columns
        >>> table = from_columns({"size": [0, 8, None, 8], "town": [*"ABAB"], "y": [*"ppqq"]})
        >>> fitted = Preprocessor.fit(table, infer(table, "y"))
        >>> x, notes = fitted.transform(table)
        >>> fitted.feature_names, x[0], notes
        (('size', 'town=A', 'town=B'), array([-1.7320508,  1.       ,  0.       ], dtype=float32), \
["column 'size': 1 missing cell set to the training median 8"])
        """
        _check_columns(table, schema)
        pipelines = {}
        for kind in USED:
            if names := schema.named(kind):
                pipelines[kind] = _pipeline(kind).fit(_block(table, kind, names))
        return cls(schema, pipelines)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name for each column of what `transform` returns: `age`, `town=Ulm`."""
        names: list[str] = []
        for kind in self.pipelines:
            for name, values in zip(self.schema.named(kind), self._values(kind), strict=True):
                names += [f"{name}={value}" for value in values] if kind == "category" else [name]
        return tuple(names)

    def transform(self, table: Table) -> tuple[NDArray[np.float32], list[str]]:
        """The table's rows as float32 (rows × feature_names), and what had to be said on the way.

        Raises DataError for a missing column, and for text in a column of numbers. A column
        that the schema does not know is ignored, and said. The target need not be there.
        """
        _check_columns(table, self.schema)
        notes = self._ignored(table)
        blocks = []
        for kind, pipeline in self.pipelines.items():
            names = self.schema.named(kind)
            block = _block(table, kind, names)
            notes += self._said(kind, names, block)
            blocks.append(np.asarray(pipeline.transform(block), np.float64))
        with np.errstate(over="ignore"):  # what becomes infinite is refused by name
            x = np.hstack(blocks).astype(np.float32)
        self._check_finite(x, table)
        return x, notes

    def to_bytes(self) -> bytes:
        """One skops archive; no pickle is in it."""
        content = {
            "format": FORMAT,
            "schema": self.schema.to_dict(),
            "pipelines": dict(self.pipelines),
        }
        dumped: bytes = extra("skops.io").dumps(content, compression=zipfile.ZIP_DEFLATED)
        return dumped

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "preprocessor") -> Preprocessor:
        """What `to_bytes` wrote. Anything else, and any type not trusted, is a DataError."""
        try:
            loaded = extra("skops.io").loads(content, trusted=TRUSTED)
        except extra("skops.io.exceptions").UntrustedTypesFoundException as strange:
            raise DataError(
                f"{source} holds types that chalkgrad never saves ({strange}); it was not loaded"
            ) from strange
        # A foreign or damaged archive fails in as many ways as it has parts.
        except Exception as broken:
            raise DataError(
                f"{source} is not a saved preprocessor ({broken}); train again"
            ) from broken
        return cls(*_checked(loaded, source))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the file whole or not at all."""
        write_whole(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Preprocessor:
        """Read a file that `save` wrote."""
        try:
            content = Path(path).read_bytes()
        except OSError as refused:
            raise DataError(f"{path} cannot be read: {refused.strerror or refused}") from refused
        return cls.from_bytes(content, Path(path).name)

    def __repr__(self) -> str:
        columns = len(self.schema.features)
        return f"Preprocessor({columns} columns → {len(self.feature_names)} features)"

    def _values(self, kind: Kind) -> list[Any]:
        """What each column of a kind has learnt: its categories, or what fills its gaps."""
        fitted = self.pipelines[kind]
        return list(fitted[-1].categories_ if kind == "category" else fitted[0].statistics_)

    def _ignored(self, table: Table) -> list[str]:
        known = {self.schema.target.name, *(column.name for column in self.schema.columns)}
        more = [name for name in table.names if name not in known]
        if not more:
            return []
        count = f"{len(more)} column{'s' if len(more) > 1 else ''}"
        return [f"ignored {count} that training did not have: {listed(more)}"]

    def _said(self, kind: Kind, names: tuple[str, ...], block: NDArray[Any]) -> list[str]:
        notes = []
        for name, cells, learnt in zip(names, block.T, self._values(kind), strict=True):
            said = _unknown(cells, learnt) if kind == "category" else _filled(cells, kind, learnt)
            notes += [f"column {name!r}: {said}"] if said else []
        return notes

    def _check_finite(self, x: NDArray[np.float32], table: Table) -> None:
        wrong = np.argwhere(~np.isfinite(x))
        if len(wrong):
            row, place = wrong[0]
            raise DataError(
                f"{table.source} row {table.rows[row]}: column {self.feature_names[place]!r} is "
                "too large for a float32 after scaling; correct the cell"
            )


def _pipeline(kind: Kind) -> Any:
    imputers, encoders = extra("sklearn.impute"), extra("sklearn.preprocessing")
    pipeline = extra("sklearn.pipeline").make_pipeline
    if kind == "number":
        # A column without a single number in the training rows stays, as zeros.
        median = imputers.SimpleImputer(strategy="median", keep_empty_features=True)
        return pipeline(median, encoders.StandardScaler())
    if kind == "boolean":
        return pipeline(imputers.SimpleImputer(strategy="most_frequent", keep_empty_features=True))
    return pipeline(encoders.OneHotEncoder(handle_unknown="ignore", sparse_output=False))


def _block(table: Table, kind: Kind, names: tuple[str, ...]) -> NDArray[Any]:
    """The columns of one kind side by side: float64 with NaN, or names of categories.

    One array per kind, not one per table: an array of mixed cells boxes every number.
    """
    if kind == "number":
        return np.column_stack([table.numbers(name) for name in names])
    if kind == "boolean":
        return np.column_stack([table.truths(name) for name in names])
    return np.column_stack(
        [np.where(table.missing(name), GAP, table.labels(name)) for name in names]
    )


def _check_columns(table: Table, schema: Schema) -> None:
    wanted = [column.name for column in schema.features]
    absent = [name for name in wanted if name not in table.columns]
    if absent:
        more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise DataError(
            f"{table.source} has no column {absent[0]!r}{more}, which the model was trained with."
            f"{nearest(absent[0], table.columns)}"
        )


def _filled(cells: NDArray[np.float64], kind: Kind, value: float) -> str:
    count = int(np.isnan(cells).sum())
    if not count:
        return ""
    if kind == "number":
        return f"{_gaps(count)} set to the training median {value:g}"
    return f"{_gaps(count)} set to {'yes' if value else 'no'}, the commoner in training"


def _gaps(count: int) -> str:
    return f"{count} missing cell{'s' if count > 1 else ''}"


def _unknown(cells: NDArray[np.object_], known: NDArray[np.object_]) -> str:
    found = Counter(cells.tolist())
    gaps = found[GAP] if GAP in known else 0
    for value in known:
        found.pop(value, None)
    if not found:
        return f"{_gaps(gaps)} kept as a category of their own" if gaps else ""
    count = sum(found.values())
    values = listed([times(repr(value), number) for value, number in found.most_common()])
    rows = f"{count} row{'s' if count > 1 else ''}"
    return f"{rows} with what training did not see ({values}), encoded as zeros"


def _checked(loaded: Any, source: str) -> tuple[Schema, dict[Kind, Any]]:
    if not isinstance(loaded, dict) or loaded.get("format") != FORMAT:
        raise DataError(f"{source} is not a preprocessor of format {FORMAT}; train again")
    schema = Schema.from_dict(loaded.get("schema", {}))
    pipelines = loaded.get("pipelines", {})
    expected = [kind for kind in USED if schema.named(kind)]
    if list(pipelines) != expected or not all(_same(kind, pipelines[kind]) for kind in expected):
        raise DataError(f"{source} does not fit its own schema; train again")
    return schema, pipelines


def _same(kind: Kind, pipeline: Any) -> bool:
    """Whether a loaded pipeline has the steps that this kind's pipeline has, and no other."""
    steps = [type(step) for _, step in getattr(pipeline, "steps", [])]
    return steps == [type(step) for _, step in _pipeline(kind).steps]
