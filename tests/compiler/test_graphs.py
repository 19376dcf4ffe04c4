"""Random graphs of many shapes with their gradients: one thread, several, narrow vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalkgrad.compiler.build import Signature, build
from chalkgrad.compiler.translate import translated
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import Array, Node
from chalkgrad.core.index import Axis
from chalkgrad.executors import numpy as judge
from chalkgrad.machine.host import detect, narrowed
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import reductions, shaping
from tests.compiler import wide
from tests.compiler.programs import (
    abstract,
    apply,
    check,
    compare,
    gradients,
    handle,
    inputs,
    run,
    with_gradients,
)

SEEDS = st.integers(0, 2**32 - 1)


def made(seed: int, dtype: str = "float64") -> tuple[list[Node], list[Node], list[Array]]:
    """Arguments, results and gradients, and numbers for the arguments."""
    arrays = wide.arrays(np.random.default_rng(seed), dtype)
    arguments = inputs(*arrays)
    return arguments, with_gradients(arguments, lambda *x: wide.graph(seed, x)), arrays


@settings(max_examples=25, deadline=None)
@given(SEEDS)
@example(77131)  # here, and below, a padding's zero is all that is left of a selection
@example(12621846)
@example(19365)  # two lanes that are one element twice
def test_a_random_graph_and_its_gradients(seed: int) -> None:
    check(*made(seed), least=1)


@pytest.mark.stress
@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_a_thousand_random_graphs_and_their_gradients(seed: int) -> None:
    check(*made(seed), least=1)


@pytest.mark.parametrize("seed", range(8))
def test_narrow_vectors_and_single_precision(seed: int) -> None:
    # Between two roundings of float32 lie some 1e-7, and a chain of 25 steps multiplies them.
    check(*made(seed, "float32"), host=narrowed(detect(), 16), least=1, tolerance=2e-5)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("everything_shared")
def test_threads_that_share_everything_give_the_same_bits(seed: int) -> None:
    arguments, results, arrays = made(seed)
    alone = check(arguments, results, arrays, least=1)
    for again in (run(arguments, results, arrays, None, members) for members in (3, 3)):
        for one, other in zip(alone, again, strict=True):
            assert one.tobytes() == other.tobytes()


def steps_agree(seed: int, members: int = 1) -> None:
    """Three steps of a random graph that changes its arguments, all but perhaps the first one."""
    rng = np.random.default_rng(seed)
    first, *more = wide.arrays(np.random.default_rng(seed), "float64")
    arrays = [first, first.copy(), *more]
    nodes = inputs(*arrays)
    given = int(rng.integers(2))
    with abstract():
        handles = [handle(node) for node in nodes]
        outs = wide.graph(seed, tuple(reversed(handles)))
        found = gradients(outs)
        states = handles[given:]
        after = [
            wide.after(rng, s, found.get(s.node, s), [x for x in states if x is not s]).node
            for s in states
        ]
    outputs = [out.node for out in outs]
    signature = Signature(
        tuple(nodes[:given]), tuple(nodes[given:]), tuple(outputs), tuple(after), frozenset(outputs)
    )
    native, held = build(signature, members=members), arrays[given:]
    native.load(held)
    got = native.run(arrays[:given], 3)
    for step in range(3):
        made = judge.interpret(nodes, [*outputs, *after], [*arrays[:given], *held])
        for k, wanted in enumerate(made[: len(outputs)]):
            compare(got[k][step], wanted, f"result {k} of step {step}", 1e-10, 1)
        held = list(made[len(outputs) :])
    for k, (one, other) in enumerate(zip(native.states(), held, strict=True)):
        compare(one, other, f"state {k}", 1e-10, 1)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
@example(158)
@example(4961)
def test_states_change_only_when_nobody_reads_them_any_more(seed: int) -> None:
    steps_agree(seed)


@pytest.mark.stress
@settings(max_examples=500, deadline=None)
@given(SEEDS)
def test_states_of_five_hundred_graphs(seed: int) -> None:
    steps_agree(seed)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("everything_shared")
def test_threads_meet_before_a_state_changes(seed: int) -> None:
    steps_agree(seed, members=3)


# What these graphs have found.
def stores_fit(arguments: list[Node], results: list[Node]) -> None:
    """Every kernel stores each element of a buffer, and none beyond its end."""
    made, _ = translated(Signature(tuple(arguments), (), tuple(results), ()), detect())
    for kernel in made.kernels:
        for store in kernel.stores:
            runs = [made.low.extents[i.id] if isinstance(i, Axis) else 1 for i in store.indices]
            assert tuple(runs) == made.low.nodes[store.buffer].shape


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_no_kernel_stores_beyond_the_end(seed: int) -> None:
    arguments, results, _ = made(seed)
    stores_fit(arguments, results)


def test_a_reader_of_one_part_does_not_join_the_loop_over_the_whole() -> None:
    x = np.random.default_rng(0).normal(size=(3, 34))
    (a,) = inputs(x)
    whole = apply(reductions.sum, a, axes=(0,), keepdims=False)
    part = apply(shaping.slice_, whole, start=(0,), stop=(17,), step=(1,))
    results = [apply(e.tanh, part), whole]
    stores_fit([a], results)
    check([a], results, [x])


@pytest.mark.parametrize("seed", [38, 54, 83])
def test_an_axis_of_one_step_may_stand_in_a_condition(seed: int) -> None:
    check(*made(seed), least=1)


def test_a_padded_value_may_be_taken_at_places_that_are_data() -> None:
    check(*made(2932), least=1)


def test_a_function_of_ones_own_is_not_the_primitive_of_its_name() -> None:
    x = np.array([1.0, 2.0])
    (a,) = inputs(x)
    check([a], [apply(e.exp, a)], [x])  # which is in the cache now
    (b,) = inputs(x)
    with pytest.raises(NotCompilable, match="exp is a person's own function, not a formula"):
        run([b], [apply(replace(e.exp, custom=True), b)], [x])
