"""Tables: a CSV or Parquet file into the numbers that a network eats, with every decision said.

    table = read("houses.csv")                     text cells, a missing one being null
    schema = infer(table, target="price")          what each column is, and why
    rows, notes = labelled(table, "price")         the rows that have a target
    y = schema.target.encode(rows)
    parts = split(len(rows), seed=0)
    fitted = Preprocessor.fit(rows.take(parts.train), schema)
    x, notes = fitted.transform(rows)              float32, and what had to be said

It needs the packages of `pip install "chalkgrad[tables]"`, and imports them at their first use.
"""

from chalkgrad.data.splits import Split, split
from chalkgrad.data.tables.preprocess import Preprocessor
from chalkgrad.data.tables.read import read
from chalkgrad.data.tables.schema import HEADINGS, Column, Schema, infer
from chalkgrad.data.tables.table import Table, from_arrow, from_columns
from chalkgrad.data.tables.target import Target, TargetScaler, labelled

__all__ = [
    "HEADINGS", "Column", "Preprocessor", "Schema", "Split", "Table", "Target", "TargetScaler",
    "from_arrow", "from_columns", "infer", "labelled", "read", "split",
]  # fmt: skip
