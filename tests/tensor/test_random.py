"""Random numbers: the published generator, distributions, independent streams, and state in traces.

The statistics are of fixed seeds, so a test passes or fails the same way every time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.primitives.random import squares, stream_key

COUNT = 200_000
MASK = 2**64 - 1


def swapped(x: int) -> int:
    return (x >> 32) | (x << 32) & MASK


def squares_of_the_paper(counter: int, key: int) -> int:
    """squares64 as printed in B. Widynski, arXiv:2004.06278, in Python's integers."""
    y = x = counter * key & MASK
    z = y + key & MASK
    x = swapped(x * x + y & MASK)
    x = swapped(x * x + z & MASK)
    x = swapped(x * x + y & MASK)
    t = x = x * x + z & MASK
    x = swapped(x)
    return t ^ ((x * x + y & MASK) >> 32)


def test_the_generator_is_the_published_one() -> None:
    # The paper's C code, compiled, prints these for its first key.
    key = 0xC8E4FD154CE32F6D
    printed = [0x800C823ECC9B9607, 0x5F4F366DB727A9F6, 0xEEE77E310B90ADD2, 0xF9A1DCF6FF2160D7]
    found = squares(np.uint64(key), np.arange(4, dtype=np.uint64))
    assert [int(x) for x in found] == printed == [squares_of_the_paper(k, key) for k in range(4)]
    for seed in range(50):
        key = stream_key(seed) & MASK
        counters = [0, 1, 2**32 + seed, 2**63 + 7 * seed]
        found = squares(np.uint64(key), np.array(counters, np.uint64))
        assert [int(x) for x in found] == [squares_of_the_paper(c, key) for c in counters]


def test_keys_are_odd_and_different() -> None:
    keys = {stream_key(seed) & MASK for seed in range(10_000)}
    assert len(keys) == 10_000
    assert all(key % 2 == 1 for key in keys)
    ones = np.array([bin(key).count("1") for key in keys])
    assert abs(ones.mean() - 32.5) < 0.2
    assert ones.min() > 12


def draw(name: str, *args: Any, seed: int = 0, **options: Any) -> np.ndarray:
    generator = cg.Generator().manual_seed(seed)
    return getattr(cg, name)(*args, generator=generator, **options).numpy()


def furthest(sample: np.ndarray, cumulative: Any) -> float:
    """√n times Kolmogorov's distance between a sample and a distribution."""
    ordered = np.sort(sample.astype(np.float64))
    expected = cumulative(ordered)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    gap = max(np.abs(steps[1:] - expected).max(), np.abs(steps[:-1] - expected).max())
    return float(gap * math.sqrt(len(ordered)))


def bell(x: np.ndarray) -> np.ndarray:
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_uniform_numbers(kind: str, seed: int) -> None:
    x = draw("rand", COUNT, seed=seed, dtype=getattr(cg, kind))
    assert x.dtype == kind
    assert x.min() >= 0
    assert x.max() < 1
    assert abs(x.mean() - 0.5) < 4 * math.sqrt(1 / 12 / COUNT)
    assert abs(x.var() - 1 / 12) < 4 * math.sqrt(1 / 180 / COUNT)
    assert furthest(x, lambda v: v) < 1.95  # once in a thousand
    serial = np.corrcoef(x[:-1], x[1:])[0, 1]
    assert abs(serial) < 4 / math.sqrt(COUNT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_normal_numbers(kind: str, seed: int) -> None:
    x = draw("randn", COUNT + 1, seed=seed, dtype=getattr(cg, kind)).astype(np.float64)
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - expected) < 4 * math.sqrt(variance / COUNT)
    assert furthest(x[:50_000], bell) < 1.95
    half = (COUNT + 2) // 2
    pairs = np.corrcoef(x[:half], np.append(x[half:], 0)[:half])[
        0, 1
    ]  # sine and cosine of one angle
    assert abs(pairs) < 4 / math.sqrt(half)


def test_bits_are_fair() -> None:
    bits = squares(np.uint64(stream_key(3) & MASK), np.arange(COUNT, dtype=np.uint64))
    for place in range(64):
        ones = int(((bits >> np.uint64(place)) & np.uint64(1)).sum())
        assert abs(ones - COUNT / 2) < 5 * math.sqrt(COUNT / 4), place


def test_streams_of_neighbouring_seeds_are_independent() -> None:
    streams = np.array([draw("rand", 20_000, seed=seed, dtype=cg.float64) for seed in range(40)])
    correlations = np.corrcoef(streams) - np.eye(40)
    assert np.abs(correlations).max() < 5 / math.sqrt(20_000)
    assert np.unique(streams).size == streams.size
    first = streams[:, 0]  # the same place in different streams is random too
    assert 0.3 < first.mean() < 0.7


def chi_square(counts: np.ndarray, expected: np.ndarray | float) -> float:
    """In standard deviations from its mean."""
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = counts.size - 1
    return float((statistic - freedom) / math.sqrt(2 * freedom))


def test_whole_numbers_are_equally_likely() -> None:
    x = draw("randint", -3, 10, (COUNT,))
    assert sorted(set(x.tolist())) == list(range(-3, 10))
    assert abs(chi_square(np.bincount(x + 3), COUNT / 13)) < 4


def test_permutations_are_equally_likely() -> None:
    generator = cg.Generator().manual_seed(1)
    seen = [tuple(cg.randperm(4, generator=generator).tolist()) for _ in range(4800)]
    counts = np.array([seen.count(p) for p in set(seen)])
    assert counts.size == 24
    assert abs(chi_square(counts, 200.0)) < 4


def test_weighted_places() -> None:
    weights = cg.tensor([0.5, 0.0, 2.0, 1.5])
    expected = np.array([0.125, 0.0, 0.5, 0.375])
    x = draw("multinomial", weights, COUNT, True)
    counts = np.bincount(x, minlength=4)
    assert counts[1] == 0
    assert abs(chi_square(counts[[0, 2, 3]], expected[[0, 2, 3]] * COUNT)) < 4
    rows = draw("multinomial", cg.tensor([[0.5, 0.0, 2.0, 1.5]] * 50_000), 2)
    assert (rows[:, 0] != rows[:, 1]).all()
    first = np.bincount(rows[:, 0], minlength=4)
    assert first[1] == 0
    assert abs(chi_square(first[[0, 2, 3]], expected[[0, 2, 3]] * 50_000)) < 4
    second = np.bincount(rows[rows[:, 0] == 2, 1], minlength=4)  # after 2 is gone, 0.5 against 1.5
    assert abs(second[0] / second.sum() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / second.sum())


def test_chances_and_waiting_times() -> None:
    ones = draw("bernoulli", cg.full((COUNT,), 0.3))
    assert set(np.unique(ones)) == {0.0, 1.0}
    assert abs(ones.mean() - 0.3) < 4 * math.sqrt(0.21 / COUNT)
    waits = cg.empty(COUNT).exponential_(2.0, generator=cg.Generator().manual_seed(4)).numpy()
    assert waits.min() >= 0
    assert furthest(waits, lambda v: 1 - np.exp(-2 * v)) < 1.95


def test_in_place_on_a_view() -> None:
    x = cg.zeros(3, 4)
    x[1].uniform_(2, 3, generator=cg.Generator().manual_seed(0))
    assert (x[0] == 0).all()
    assert (x[1] >= 2).all()
    assert (x[1] < 3).all()
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        cg.zeros(2, requires_grad=True).normal_()
    with cg.no_grad():
        weight = cg.zeros(2, requires_grad=True).normal_(5.0, 0.1)
    assert weight.requires_grad
    assert (weight > 4).all()


def test_seeds_repeat_and_states_resume() -> None:
    cg.manual_seed(7)
    first = [cg.rand(3), cg.randn(3), cg.randperm(5), cg.randint(9, (4,))]
    state = cg.get_rng_state()
    after = cg.randn(5)
    cg.manual_seed(7)
    again = [cg.rand(3), cg.randn(3), cg.randperm(5), cg.randint(9, (4,))]
    assert all(cg.equal(a, b) for a, b in zip(first, again, strict=True))
    cg.set_rng_state(state)
    assert cg.equal(cg.randn(5), after)
    assert state.dtype is cg.int64
    assert state.shape == (2,)
    assert state[1].item() == 3 + 4 + 5 + 4  # 3 normals take two pairs


def test_drawing_in_parts_is_drawing_at_once() -> None:
    generator = cg.Generator().manual_seed(11)
    parts = [cg.rand(k, generator=generator) for k in (1, 4, 2)]
    assert cg.equal(cg.cat(parts), cg.rand(7, generator=cg.Generator().manual_seed(11)))


def test_other_generators_are_left_alone() -> None:
    cg.manual_seed(0)
    before = cg.get_rng_state()
    cg.rand(10, generator=cg.Generator().manual_seed(3))
    assert cg.equal(before, cg.get_rng_state())


def test_a_generator_refuses_another_kind_of_state() -> None:
    with pytest.raises(TypeError, match="int64 tensor of two numbers"):
        cg.Generator().set_state(cg.zeros(2))
    with pytest.raises(ValueError, match="64 bits"):
        cg.manual_seed(2**65)


@pytest.mark.parametrize("first", [0, 5, 2**63 - 1, -3])  # the last two pass the end of int64
def test_long_draws_are_the_published_numbers_one_by_one(first: int) -> None:
    # Longer than the blocks in which they are drawn; every 997th is compared, and both ends.
    count, key = 20_000, stream_key(7)
    generator = cg.Generator()
    for name, digits, kind in [("float32", 24, np.float32), ("float64", 53, np.float64)]:
        generator.set_state(cg.tensor([key, first]))
        drawn = cg.rand(count, generator=generator, dtype=getattr(cg, name)).numpy()
        assert drawn.dtype == kind
        for place in [*range(0, count, 997), 8191, 8192, count - 1]:
            bits = squares_of_the_paper((first + place) & MASK, key & MASK)
            assert drawn[place] == (bits >> (64 - digits)) / 2**digits
