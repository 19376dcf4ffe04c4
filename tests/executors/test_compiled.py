"""A traced function made runnable: its states are read, kept, and written back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.core.errors import ShapeError
from chalkgrad.core.verify import verify
from chalkgrad.executors.compiled import Specialised, all_finite
from chalkgrad.transform.simplify import one_state
from chalkgrad.transform.trace import capture

X = np.ones((3, 2), np.float32)


def counter() -> tuple[cg.Tensor, Specialised]:
    total = cg.zeros(2)

    def add(x: cg.Tensor) -> cg.Tensor:
        total.assign(total + x.sum(0))
        return total * 2

    return total, Specialised(add)


def test_a_state_is_kept_between_calls_and_written_back() -> None:
    total, step = counter()
    assert step(X)[0].tolist() == [6.0, 6.0]
    assert step(X)[0].tolist() == [12.0, 12.0]
    assert total.tolist() == [0.0, 0.0]  # not yet
    assert step.value(total).tolist() == [6.0, 6.0]
    step.write_back()
    assert total.tolist() == [6.0, 6.0]
    assert step.value(total).tolist() == [6.0, 6.0]
    step.write_back()  # once is enough
    assert total.tolist() == [6.0, 6.0]


def test_a_state_that_was_changed_in_between_is_read_again() -> None:
    total, step = counter()
    step(X)
    step.write_back()
    total += 100
    assert step(X)[0].tolist() == [212.0, 212.0]


def test_inputs_of_other_shapes_share_the_states() -> None:
    total, step = counter()
    step(X)
    assert step(X[:1])[0].tolist() == [8.0, 8.0]
    assert len(step.programs) == 2
    step.write_back()
    assert total.tolist() == [4.0, 4.0]


def test_a_graph_of_an_earlier_pass_keeps_its_numbers() -> None:
    weight = cg.ones(2, requires_grad=True)

    def shrink(x: cg.Tensor) -> cg.Tensor:
        with cg.no_grad():
            weight.assign(weight * x)
        return weight.sum()

    loss = (weight * weight).sum()
    step = Specialised(shrink)
    step(np.float32([0.5, 0.5]))
    step.write_back()
    loss.backward()
    assert weight.tolist() == [0.5, 0.5]
    assert loss.item() == 2.0


def trained(model: nn.Module, optimizer: Any) -> Specialised:
    def train(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss: cg.Tensor = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return Specialised(train)


def test_numbers_that_are_always_equal_are_one_state() -> None:
    model = nn.Linear(2, 2)
    optimizer = optim.Adam(model.parameters())
    step = trained(model, optimizer)
    program = step.prepare(X)
    verify(program.traced.graph)
    steps = [state["step"] for state in optimizer.state.values()]
    assert len(steps) == 2
    assert set(steps) in [set(handles) for handles in program.changed]
    step(X)
    step(X)
    step.write_back()
    assert [t.item() for t in steps] == [2.0, 2.0]
    steps[0].add_(5.0)  # one array for both would move both
    assert [t.item() for t in steps] == [7.0, 2.0]
    step(X)  # they are two states now, and another program
    step.write_back()
    assert [t.item() for t in steps] == [8.0, 3.0]


def test_equal_numbers_with_equations_of_their_own_are_two_states() -> None:
    first, second, third = cg.zeros(()), cg.zeros(()), cg.zeros(())

    def move(x: cg.Tensor) -> cg.Tensor:
        first.assign(first + 1)
        second.assign(second + 2)
        third.assign(third + second)  # it follows the second as it was
        return x

    graph = capture(move, cg.zeros(1)).graph
    assert one_state(graph) == {}
    step = Specialised(move)
    for _ in range(3):
        step(np.zeros(1, np.float32))
    step.write_back()
    assert [first.item(), second.item(), third.item()] == [3.0, 6.0, 12.0]


def test_a_group_that_only_another_group_holds_together_falls_apart() -> None:
    names = a, b, c, d = [cg.full((), v) for v in (0.0, 0.0, 1.0, 1.0)]

    def move(x: cg.Tensor) -> cg.Tensor:
        a.assign(a + c)
        b.assign(b + d)
        c.assign(c * 2)
        d.assign(d * 3)
        return x

    step = Specialised(move)
    for _ in range(3):
        step(np.zeros(1, np.float32))
    step.write_back()
    assert [t.item() for t in names] == [7.0, 13.0, 8.0, 27.0]


def test_buffers_are_states_also_where_they_are_only_read() -> None:
    norm = nn.BatchNorm1d(2)
    copied = deepcopy(norm)
    for module in (norm, copied):
        module.eval()
        step = Specialised(module.__call__)
        before = step(X)[0]
        step.write_back()
        with cg.no_grad():
            module.running_mean.fill_(1.0)
        assert not np.array_equal(step(X)[0], before)
        assert np.allclose(step(X)[0], 0)


def test_a_setting_is_read_when_the_states_are() -> None:
    model = nn.Linear(2, 1, bias=False)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    step = trained(model, optimizer)
    before = model.weight.detach().numpy().copy()
    step(X)
    step.write_back()
    assert np.array_equal(model.weight.detach().numpy(), before)
    optimizer.param_groups[0]["lr"] = 0.1
    step(X)
    step.write_back()
    assert not np.array_equal(model.weight.detach().numpy(), before)


def test_a_call_that_fails_leaves_the_states() -> None:
    total, step = counter()
    step(X)
    with pytest.raises(ShapeError, match=r"add of shapes \[2\] and \[5\]"):
        step(np.ones((3, 5), np.float32))
    step.write_back()
    assert total.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)])
def test_all_finite(shape: tuple[int, ...]) -> None:
    for dtype in (np.float32, np.float64):
        array = np.full(shape, 3.0, dtype)
        assert all_finite([array, array.T])
        assert all_finite([np.full(shape, np.finfo(dtype).max / 4)])  # its square overflows
        for bad in (np.nan, np.inf, -np.inf):
            if array.size:
                array[(0,) * array.ndim] = bad
                assert not all_finite([np.ones(2, dtype), array])
