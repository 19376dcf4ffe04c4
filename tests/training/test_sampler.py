"""Batches: every record once an epoch, the same in every run, different in every epoch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.training.sampler import Sampler

COUNTS = st.integers(1, 200)


@given(COUNTS, st.integers(1, 64), st.booleans(), st.integers(0, 2**62), st.integers(1, 10_000))
def test_an_epoch_has_every_record_once(
    count: int, size: int, shuffle: bool, seed: int, epoch: int
) -> None:
    sampler = Sampler(count, size, shuffle, seed)
    batches = list(sampler.batches(epoch))
    assert len(batches) == sampler.length
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert sorted(np.concatenate(batches)) == list(range(count))


@given(COUNTS, st.integers(1, 64), st.data())
def test_a_run_goes_on_from_any_batch(count: int, size: int, data: st.DataObject) -> None:
    sampler = Sampler(count, size, True, 5)
    start = data.draw(st.integers(0, sampler.length))
    whole, rest = list(sampler.batches(3)), list(sampler.batches(3, start))
    assert [b.tolist() for b in whole[start:]] == [b.tolist() for b in rest]


def test_seeds_and_epochs_give_different_orders() -> None:
    orders = {
        tuple(Sampler(50, 10, True, seed).order(epoch)) for seed in range(30) for epoch in range(30)
    }
    assert len(orders) == 900


def test_a_seed_gives_one_order_forever() -> None:
    assert Sampler(8, 2, True, 0).order(1).tolist() == [0, 2, 6, 1, 3, 4, 5, 7]


def test_without_shuffle_the_order_is_the_records() -> None:
    assert Sampler(5, 2, False, 3).order(9).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("position", [0, 7])
def test_every_record_is_as_likely_at_every_place(position: int) -> None:
    counts = np.bincount(
        [Sampler(8, 8, True, seed).order(1)[position] for seed in range(4000)], minlength=8
    )
    assert ((counts - 500) ** 2 / 500).sum() < 24.3  # χ² with 7 degrees: 1 in 1000
