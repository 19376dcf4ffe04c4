"""Datasets and loaders, as in `torch.utils.data`, in one process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

from chalkgrad.core.errors import (
    ArgumentError,
    DimensionError,
    NotAvailable,
    ShapeError,
    TypeMismatch,
)
from chalkgrad.tensor.creation import as_tensor
from chalkgrad.tensor.joining import stack
from chalkgrad.tensor.random import Generator, default_generator, randperm
from chalkgrad.tensor.tensor import Tensor

T = TypeVar("T")


class Dataset(Generic[T]):
    """Records by number: a subclass gives `__getitem__` and `__len__`."""

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} gives no __getitem__")

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T]:
        return ConcatDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Records made of one row of each tensor.

    >>> import chalkgrad as torch
    >>> TensorDataset(torch.tensor([1.0, 2.0]), torch.tensor([0, 1]))[1]
    (tensor(2.), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        sizes = [t.shape[0] for t in tensors]
        if len(set(sizes)) > 1:
            raise ShapeError(
                f"Size mismatch between tensors: they have {', '.join(map(str, sizes))} records"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class Subset(Dataset[T]):
    """Some records of another dataset."""

    def __init__(self, dataset: Dataset[T], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T]):
    """Datasets one after the other."""

    def __init__(self, datasets: Iterable[Dataset[T]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset of no datasets")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> T:
        position = index + len(self) if index < 0 else index
        if position < 0:
            raise ArgumentError(
                "absolute value of index should not exceed dataset length: record "
                f"{index} of {len(self)}"
            )
        if position >= len(self):
            raise DimensionError(f"index out of range: record {index} of {len(self)}")
        which = int(np.searchsorted(self.cumulative_sizes, position, side="right"))
        return self.datasets[which][position - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Dataset[T], lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Divide a dataset at random into parts of these lengths, or of these shares that sum to 1."""
    count = len(dataset)  # type: ignore[arg-type]
    sizes = [int(n) for n in lengths]
    if all(0 <= n <= 1 for n in lengths) and abs(sum(lengths) - 1) < 1e-9:
        sizes = _shares(count, lengths)
    if sum(sizes) != count:
        raise ArgumentError(
            f"the lengths sum to {sum(sizes)}, the input dataset has {count} records"
        )
    order = randperm(count, generator=generator or default_generator).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - n : end]) for n, end in zip(sizes, ends, strict=True)]


def _shares(count: int, lengths: Sequence[float]) -> list[int]:
    sizes = [int(count * share) for share in lengths]
    for k in range(count - sum(sizes)):  # what rounding left over goes round
        sizes[k % len(sizes)] += 1
    for k, size in enumerate(sizes):
        if not size:
            warnings.warn(
                f"Length of split at index {k} is 0. This might result in an empty dataset.",
                stacklevel=3,
            )
    return sizes


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of records as one record of stacked tensors."""
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, (np.ndarray, np.generic)):
        return as_tensor(np.stack([np.asarray(item) for item in batch]))
    if isinstance(first, (bool, int)):
        return as_tensor(np.array(batch))
    if isinstance(first, float):
        return as_tensor(np.array(batch, np.float64))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([record[key] for record in batch]) for key in first}
    if isinstance(first, Sequence):
        if len({len(record) for record in batch}) > 1:
            raise ShapeError("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeMismatch(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first).__name__}"
    )


def _converted(record: Any) -> Any:
    """One record by itself: arrays become tensors."""
    if isinstance(record, (np.ndarray, np.generic)):
        return as_tensor(record)
    if isinstance(record, Mapping):
        return {key: _converted(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        values = [_converted(value) for value in record]
        return type(record)(*values) if hasattr(record, "_fields") else values
    return record


def _check_options(
    batch_size: int | None, shuffle: bool, drop_last: bool, sampler: bool, batch_sampler: bool
) -> None:
    if sampler and shuffle:
        raise ArgumentError("sampler option is mutually exclusive with shuffle")
    if batch_sampler and (batch_size != 1 or shuffle or sampler or drop_last):
        raise ArgumentError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
            "drop_last"
        )
    if batch_size is None and drop_last:
        raise ArgumentError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
    if batch_size is not None and batch_size < 1:
        raise ArgumentError(
            f"batch_size should be a positive integer value, but got batch_size={batch_size}"
        )


class DataLoader(Generic[T]):
    """Batches of a dataset; with `shuffle`, in a new order each time it is iterated over.

    >>> import chalkgrad as torch
    >>> loader = DataLoader(TensorDataset(torch.arange(5)), batch_size=2)
    >>> [batch.tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, dataset: Dataset[T], batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[int] | None = None, batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0, collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False, drop_last: bool = False, *, generator: Generator | None = None,
    ) -> None:  # fmt: skip
        if num_workers:
            raise NotAvailable(
                f"DataLoader(num_workers={num_workers}): loading is in this process; pass 0"
            )
        given = sampler is not None, batch_sampler is not None
        _check_options(batch_size, bool(shuffle), drop_last, *given)
        if shuffle and not len(dataset):  # type: ignore[arg-type]
            raise ArgumentError(
                "num_samples should be a positive integer value, but got num_samples=0"
            )
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.shuffle, self.sampler, self.batch_sampler = bool(shuffle), sampler, batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn
        whole = dataset.dataset if isinstance(dataset, Subset) else dataset
        self._plain = isinstance(whole, TensorDataset) and collate_fn is None

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def _order(self) -> list[int]:
        if self.sampler is not None:
            return list(self.sampler)
        count = len(self.dataset)  # type: ignore[arg-type]
        if not self.shuffle:
            return list(range(count))
        return randperm(count, generator=self.generator or default_generator).tolist()  # type: ignore[no-any-return]

    def _batches(self) -> Iterator[Sequence[int]]:
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        order, size = self._order(), self.batch_size or 1
        end = len(order) - len(order) % size if self.drop_last else len(order)
        for start in range(0, end, size):
            yield order[start : min(start + size, end)]

    def __iter__(self) -> Iterator[Any]:
        for indices in self._batches():
            if self.batch_size is None:
                record: Any = self.dataset[indices[0]]
                yield (self.collate_fn or _converted)(record)
            elif self._plain:  # one gather a tensor in place of a stack of rows
                yield list(self.dataset[list(indices)])  # type: ignore[call-overload]
            else:
                yield (self.collate_fn or default_collate)([self.dataset[i] for i in indices])
