"""The reverse pass over whole graphs: random ones, long ones, and the ways they are used."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.graph import Graph, leaf
from chalkgrad.core.scope import current
from chalkgrad.core.verify import verify
from chalkgrad.executors import eager
from chalkgrad.executors import numpy as executor
from chalkgrad.primitives import reductions, transcendental
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback
from chalkgrad.transform.simplify import simplify
from tests.primitives import judges
from tests.primitives.programs import Program, programs


def tensor(array: Any, *, requires_grad: bool = False) -> Tensor:
    made = judges.Handle(leaf(np.array(array, dtype=np.float64)))
    out = Tensor().wrap(made.node)
    return out.requires_grad_() if requires_grad else out


def total(x: Any) -> Any:
    return reductions.sum(x, axes=tuple(range(len(x.node.shape))), keepdims=False)


def leaves(program: Program) -> list[Tensor]:
    return [tensor(array, requires_grad=True) for array in program.arrays]


def gradients(program: Program, inputs: list[Tensor]) -> list[Any]:
    for x in inputs:
        x.grad = None
    total(program.chalkgrad(*inputs)).backward()
    return [None if x.grad is None else x.grad.numpy() for x in inputs]


@settings(max_examples=60, deadline=None)
@given(programs())
def test_a_random_graph_has_the_gradient_of_finite_differences(program: Program) -> None:
    judges.assert_gradient(program.chalkgrad, program.arrays, range(len(program.arrays)))


@settings(max_examples=20, deadline=None)
@given(programs())
def test_a_random_graph_has_the_second_derivative_of_finite_differences(program: Program) -> None:
    def slope(*inputs: Any) -> Any:
        tracked = [x if x.node.tracked else judges.tensor(x.node.value, tracked=True)
                   for x in inputs]  # fmt: skip
        out = program.chalkgrad(*tracked)
        found = pullback([out], [out.literal(1).broadcasted(out.node.shape)])
        parts = [total(transcendental.sin(found[x.node])) for x in tracked if x.node in found]
        return sum(parts[1:], parts[0])

    judges.assert_gradient(slope, program.arrays, range(len(program.arrays)))


@settings(max_examples=40, deadline=None)
@given(programs())
def test_the_compiled_plan_gives_the_bits_of_the_interpreted_one(program: Program) -> None:
    inputs = leaves(program)
    first, second, third = (gradients(program, inputs) for _ in range(3))
    for once, again, compiled in zip(first, second, third, strict=True):
        assert (once is None) == (compiled is None)
        if once is not None:
            assert once.tobytes() == again.tobytes() == compiled.tobytes()


@settings(max_examples=40, deadline=None)
@given(programs())
def test_a_random_graph_is_sound_before_and_after_every_pass(program: Program) -> None:
    mode = current()
    mode.abstract = True
    try:
        handles = [judges.tensor(array, tracked=True) for array in program.arrays]
        out = program.chalkgrad(*handles)
        forward = Graph(tuple(h.node for h in handles), (), (out.node,))
        seed = out.literal(1).broadcasted(out.node.shape)
        found = pullback([out], [seed])
    finally:
        mode.abstract = False
    results = tuple(found[h.node].node for h in handles if h.node in found)
    backward = Graph(forward.inputs, (), results)
    simple = Graph(forward.inputs, (), tuple(simplify(results, forward.inputs)))
    verify(forward)
    verify(backward, forward={*forward.nodes, seed.node})
    verify(simple)
    arrays = program.arrays
    for a, b in zip(executor.run(backward, *arrays), executor.run(simple, *arrays), strict=True):
        assert a.tobytes() == b.tobytes()


LENGTH = 100_000


def test_a_chain_of_a_hundred_thousand_nodes_is_differentiated_and_freed() -> None:
    x = tensor([0.5, -0.25], requires_grad=True)
    y = x
    for k in range(LENGTH):
        y = -y if k % 2 else y + 0.25
    total(y).backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 1.0])
    del y
    gc.collect()


def test_a_long_chain_has_a_second_derivative() -> None:
    x = tensor(1.0, requires_grad=True)
    y = x * x
    for _ in range(5_000):
        y = y + 0.0
    y.backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first is not None
    first.backward()
    assert x.grad is not None
    assert (first.item(), x.grad.item()) == (2.0, 2.0)


def test_gradients_add_up_over_calls() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    for k in range(1, 5):
        total(x * x).backward()
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), [2.0 * k, 4.0 * k])


def test_paths_that_part_and_meet_again_add_up() -> None:
    x = tensor(3.0, requires_grad=True)
    left, right = x * 2, x * x
    (left * right + left + right * right).backward()
    assert x.grad is not None
    assert x.grad.item() == 6 * 9 + 2 + 4 * 27  # 2x³ + 2x + x⁴


def test_one_tensor_in_both_places_of_an_operation() -> None:
    x = tensor(3.0, requires_grad=True)
    (x * x).backward()
    (x / x).backward()
    (x - x).backward()
    assert x.grad is not None
    assert x.grad.item() == 6.0


def test_backward_twice_is_refused_unless_the_graph_is_retained() -> None:
    x = tensor(3.0, requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 12.0
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_the_refusal_reaches_a_shared_part() -> None:
    x = tensor(3.0, requires_grad=True)
    shared = x * x
    (shared + 1).backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        (shared + 2).backward()


def test_a_graph_whose_rules_read_no_numbers_may_be_gone_through_again() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = total(-(x + 2))
    y.backward()
    y.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [-2.0, -2.0])


@pytest.mark.parametrize("value", [[3.0, 4.0], 3.0])
def test_a_number_changed_in_place_after_its_use_is_refused(value: Any) -> None:
    x, factor = tensor(np.ones_like(value), requires_grad=True), tensor(value)
    y = total(x * factor)
    factor.mutate(lambda array: np.add(array, 1, out=array))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_number_changed_in_place_that_no_rule_reads_is_no_matter() -> None:
    x, data = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
    (total(x + data) + total(data.detach() * (x + data))).backward(retain_graph=True)
    y = total(x + data)
    data.mutate(lambda array: np.add(array, 1, out=array))
    y.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 6.0])


def test_gradients_do_not_share_memory_with_each_other_or_with_the_seed() -> None:
    seed = tensor([1.0, 1.0])
    for _ in range(3):  # interpreted, then compiled
        x, z = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0], requires_grad=True)
        (x + z).backward(seed)
        (x * 2).backward(seed)
        assert x.grad is not None
        assert z.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])
        np.testing.assert_array_equal(z.grad.numpy(), [1.0, 1.0])
        np.testing.assert_array_equal(seed.numpy(), [1.0, 1.0])


def test_one_structure_with_other_numbers_is_not_confused() -> None:
    for factor in (2.0, 3.0, 2.0, 3.0, 2.0):
        x, scale = tensor([1.0, 2.0], requires_grad=True), tensor(factor)
        total(x * factor * scale.broadcasted((2,))).backward()
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), [factor**2, factor**2])


@settings(max_examples=5, deadline=None)
@given(st.lists(programs(), min_size=2, max_size=4))
def test_threads_differentiate_at_once(chosen: list[Program]) -> None:
    wanted = [gradients(program, leaves(program)) for program in chosen]
    eager.Tensor.engine.plans.clear()  # type: ignore[attr-defined]
    failures: list[BaseException] = []

    def work(program: Program, right: list[Any]) -> None:
        try:
            for _ in range(20):
                for a, b in zip(gradients(program, leaves(program)), right, strict=True):
                    np.testing.assert_array_equal(a, b)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=pair)
               for pair in zip(chosen, wanted, strict=True)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_data_that_happen_to_be_one_are_no_literal() -> None:
    x = tensor(3.0, requires_grad=True)
    for number in (1.0, 1.0, 1.0, 5.0, 7.0):
        x.grad = None
        (x * tensor(number)).backward()
        assert x.grad is not None
        assert x.grad.item() == number
