"""Random graphs of many shapes with their gradients: one thread, several, narrow vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.compiler import program
from chalkgrad.compiler.host import detect, narrowed
from chalkgrad.core.graph import Array, Node
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import reductions, shaping
from tests.compiler import wide
from tests.compiler.programs import apply, check, inputs, run, with_gradients

SEEDS = st.integers(0, 2**32 - 1)


def made(seed: int, dtype: str = "float64") -> tuple[list[Node], list[Node], list[Array]]:
    """Arguments, results and gradients, and numbers for the arguments."""
    arrays = wide.arrays(np.random.default_rng(seed), dtype)
    arguments = inputs(*arrays)
    return arguments, with_gradients(arguments, lambda *x: wide.graph(seed, x)), arrays


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_random_graph_and_its_gradients(seed: int) -> None:
    check(*made(seed), least=1)


@pytest.mark.stress
@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_a_thousand_random_graphs_and_their_gradients(seed: int) -> None:
    check(*made(seed), least=1)


@pytest.mark.parametrize("seed", range(12))
def test_narrow_vectors_and_single_precision(seed: int) -> None:
    # Between two roundings of float32 lie some 1e-7, and a chain of 25 steps multiplies them.
    check(*made(seed, "float32"), host=narrowed(detect(), 16), least=1, tolerance=2e-5)


@pytest.mark.parametrize("seed", range(12))
def test_threads_that_share_everything_give_the_same_bits(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SHARED", 1)
    arguments, results, arrays = made(seed)
    alone = check(arguments, results, arrays, least=1)
    for again in (run(arguments, results, arrays, None, members) for members in (3, 3)):
        for one, other in zip(alone, again, strict=True):
            assert one.tobytes() == other.tobytes()


# What these graphs have found.
def test_a_reader_of_one_part_does_not_join_the_loop_over_the_whole() -> None:
    x = np.random.default_rng(0).normal(size=(3, 34))
    (a,) = inputs(x)
    whole = apply(reductions.sum, a, axes=(0,), keepdims=False)
    part = apply(shaping.slice_, whole, start=(0,), stop=(17,), step=(1,))
    check([a], [apply(e.tanh, part), apply(e.exp, whole), whole], [x])


def test_an_axis_of_one_step_may_stand_in_a_condition() -> None:
    x = np.random.default_rng(0).normal(size=(1, 5))
    (a,) = inputs(x)
    double = apply(e.exp, a)
    joined = apply(shaping.concatenate, double, apply(e.negative, double), axis=0)
    first = apply(shaping.slice_, joined, start=(0, 0), stop=(1, 5), step=(1, 1))
    check([a], [double, apply(e.add, first, double)], [x])
