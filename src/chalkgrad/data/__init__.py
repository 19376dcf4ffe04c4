"""Data in: sets that come with the package, IDX files, tables, and loaders of batches."""

from chalkgrad.data.idx import idx
from chalkgrad.data.loading import (
    ConcatDataset,
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)
from chalkgrad.data.sets import DataSet, load, names

__all__ = [
    "ConcatDataset", "DataLoader", "DataSet", "Dataset", "Subset", "TensorDataset",
    "default_collate", "idx", "load", "names", "random_split",
]  # fmt: skip
