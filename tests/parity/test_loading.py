"""Datasets and loaders against `torch.utils.data`: batches, their types, and what is refused."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import chalkgrad as cg

pytestmark = pytest.mark.parity

Point = namedtuple("Point", "x y")


def same(ours: Any, theirs: Any) -> None:
    """Equal structure, types and numbers."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, cg.Tensor)
        assert str(ours.dtype) == str(theirs.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert np.array_equal(ours.numpy(), theirs.numpy())
    elif isinstance(theirs, dict):
        assert type(ours) is type(theirs)
        assert list(ours) == list(theirs)
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert ours == theirs


Make = Callable[[Any], Any]


def both(make: Make) -> None:
    same(make(cg), make(torch))


def listed(lib: Any, records: Any, **options: Any) -> list[Any]:
    return list(lib.utils.data.DataLoader(records, **options))


def table(lib: Any, count: int = 7) -> Any:
    x = lib.arange(count * 3, dtype=lib.float64).reshape(count, 3)
    return lib.utils.data.TensorDataset(x, lib.arange(count))


@pytest.mark.parametrize("size", [1, 2, 7, 10])
@pytest.mark.parametrize("drop", [False, True])
def test_batches_of_a_tensor_dataset(size: int, drop: bool) -> None:
    both(lambda lib: listed(lib, table(lib), batch_size=size, drop_last=drop))
    both(lambda lib: len(lib.utils.data.DataLoader(table(lib), batch_size=size, drop_last=drop)))


def test_no_batches_but_records() -> None:
    both(lambda lib: listed(lib, table(lib), batch_size=None))


def test_samplers() -> None:
    both(lambda lib: listed(lib, table(lib), batch_size=2, sampler=[5, 0, 3]))
    both(lambda lib: listed(lib, table(lib), batch_sampler=[[1, 2], [3], [6, 0, 1]]))
    both(lambda lib: len(lib.utils.data.DataLoader(table(lib), batch_sampler=[[1, 2], [3]])))


RECORDS: dict[str, list[Any]] = {
    "floats": [1.5, 2.5, 3.5],
    "ints": [1, 2, 3],
    "bools": [True, False, True],
    "text": ["a", "b", "c"],
    "arrays": [np.ones(2, np.float32), np.zeros(2, np.float32), np.ones(2, np.float32)],
    "scalars": [np.float64(1), np.float64(2), np.float64(3)],
    "pairs": [(1, 2.0), (3, 4.0), (5, 6.0)],
    "lists": [[1, 2.0], [3, 4.0], [5, 6.0]],
    "dicts": [{"a": 1, "b": (1.0, "x")}, {"a": 2, "b": (2.0, "y")}, {"a": 3, "b": (3.0, "z")}],
    "named": [Point(1, 2.0), Point(3, 4.0), Point(5, 6.0)],
}


@pytest.mark.parametrize("kind", RECORDS)
def test_collating(kind: str) -> None:
    both(lambda lib: listed(lib, RECORDS[kind], batch_size=2))


def test_collating_tensors() -> None:
    both(lambda lib: lib.utils.data.default_collate([lib.ones(2), lib.zeros(2)]))


def test_records_of_unequal_length_are_refused() -> None:
    for lib in (torch, cg):
        with pytest.raises(RuntimeError):
            lib.utils.data.default_collate([[1, 2], [3]])
        with pytest.raises(TypeError):
            lib.utils.data.default_collate([object()])


def test_a_dataset_of_ones_own() -> None:
    def squares(lib: Any) -> Any:
        class Squares(lib.utils.data.Dataset):
            def __len__(self) -> int:
                return 5

            def __getitem__(self, k: int) -> Any:
                return lib.tensor(float(k)), k * k

        return Squares()

    both(lambda lib: listed(lib, squares(lib), batch_size=2))
    both(lambda lib: listed(lib, squares(lib) + squares(lib), batch_size=4))
    both(lambda lib: (squares(lib) + squares(lib))[-2])


def test_subsets() -> None:
    both(lambda lib: listed(lib, lib.utils.data.Subset(table(lib), [4, 2, 2]), batch_size=2))
    both(lambda lib: lib.utils.data.Subset(table(lib), [4, 2])[1])


def test_batches_of_a_subset_of_a_tensor_dataset() -> None:
    both(lambda lib: listed(lib, lib.utils.data.Subset(table(lib), [4, 2, 6]), batch_size=3))


def test_collate_fn() -> None:
    both(lambda lib: listed(lib, [1, 2, 3], batch_size=2, collate_fn=sum))


@pytest.mark.parametrize("lengths", [[3, 4], [0.5, 0.5], [0.1, 0.2, 0.7], [1.0]])
def test_random_split_has_pytorchs_lengths(lengths: list[float]) -> None:
    parts = {}
    for lib in (cg, torch):
        generator = lib.Generator().manual_seed(0)
        split = lib.utils.data.random_split(table(lib), lengths, generator=generator)
        parts[lib] = [len(part) for part in split]
        assert sorted(k for part in split for k in part.indices) == list(range(7))
    assert parts[cg] == parts[torch]


@pytest.mark.parametrize("lib", [cg, torch])
def test_an_empty_share_is_warned_of(lib: Any) -> None:
    with pytest.warns(UserWarning, match="Length of split at index 0 is 0"):
        parts = lib.utils.data.random_split(table(lib), [0.0, 1.0])
    assert [len(part) for part in parts] == [0, 7]


def shuffled(lib: Any, generator: Any) -> list[int]:
    loader = lib.utils.data.DataLoader(table(lib), batch_size=3, shuffle=True, generator=generator)
    return [int(k) for _, y in loader for k in y]


@pytest.mark.parametrize("lib", [cg, torch])
def test_shuffling_follows_the_generator(lib: Any) -> None:
    first = lib.Generator().manual_seed(1)
    orders = [shuffled(lib, first), shuffled(lib, first)]
    assert orders[0] != orders[1]
    assert orders[0] == shuffled(lib, lib.Generator().manual_seed(1))
    lib.manual_seed(4)
    plain = shuffled(lib, None)
    lib.manual_seed(4)
    assert plain == shuffled(lib, None)
    assert sorted(plain) == list(range(7))


REFUSED: dict[str, Make] = {
    "sampler and shuffle": lambda lib: lib.utils.data.DataLoader(
        table(lib), sampler=[1], shuffle=True
    ),
    "batch sampler and size": lambda lib: lib.utils.data.DataLoader(
        table(lib), batch_sampler=[[1]], batch_size=2
    ),
    "no batch and drop": lambda lib: lib.utils.data.DataLoader(
        table(lib), batch_size=None, drop_last=True
    ),
    "size 0": lambda lib: lib.utils.data.DataLoader(table(lib), batch_size=0),
    "shuffle nothing": lambda lib: lib.utils.data.DataLoader([], shuffle=True),
    "lengths": lambda lib: lib.utils.data.random_split(table(lib), [3, 3]),
    "concat nothing": lambda lib: lib.utils.data.ConcatDataset([]),
    "mismatch": lambda lib: lib.utils.data.TensorDataset(lib.ones(2), lib.ones(3)),
    "beyond": lambda lib: lib.utils.data.ConcatDataset([table(lib)])[-8],
    "no getitem": lambda lib: lib.utils.data.Dataset()[0],
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_pytorch_refuses_is_refused(case: str) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011  (whatever PyTorch says)
        REFUSED[case](torch)
    kinds = (
        theirs.type
        if theirs.type is not AssertionError
        else (AssertionError, ValueError, RuntimeError)
    )
    with pytest.raises(kinds):
        REFUSED[case](cg)
