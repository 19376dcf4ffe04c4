"""What a compiled call leaves behind: leaves that fetch their numbers when they are looked at."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.core.late import LateNode
from chalkgrad.machine.host import available

pytestmark = pytest.mark.skipif(bool(available()), reason="no native code here")

X, Y = cg.tensor([[1.0, 2.0], [3.0, -1.0]]), cg.tensor([[0.5], [1.0]])
Step = Callable[..., cg.Tensor]


def learner(executor: str = "native") -> tuple[nn.Linear, optim.Adam, Step]:
    cg.manual_seed(3)
    model = nn.Linear(2, 1)
    adam = optim.Adam(model.parameters(), lr=0.1)

    def step(x: cg.Tensor, y: cg.Tensor) -> cg.Tensor:
        loss = nn.functional.mse_loss(model(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss

    return model, adam, cg.compile(step, executor=executor)


def test_a_leaf_fetches_its_numbers_once_and_each_call_leaves_its_own() -> None:
    model, _, step = learner()
    kept = []
    for _ in range(5):
        step(X, Y)
        kept.append(model.weight.node)
    assert all(isinstance(node, LateNode) and node.fetch is not None for node in kept)
    again, _, plain = learner("numpy")
    for node in kept:
        plain(X, Y)
        assert np.allclose(node.value, again.weight.node.value, rtol=1e-5)
        assert node.value is node.value
        assert node.fetch is None


def test_leaves_that_nobody_saw_are_given_again_and_seen_or_held_ones_are_not() -> None:
    model, _, step = learner()
    again, _, plain = learner("numpy")
    step(X, Y)
    first = id(model.weight.node)
    step(X, Y)
    assert id(model.weight.node) == first
    held = model.weight.detach()  # of two calls, and unread
    step(X, Y)
    assert id(model.weight.node) != first
    read = model.bias.node.value  # of three
    step(X, Y)
    found = {2: held.numpy(), 3: read, 4: model.weight.detach().numpy()}
    for calls in range(1, 5):
        plain(X, Y)
        which = again.bias if calls == 3 else again.weight
        if calls in found:
            assert np.allclose(found[calls], which.detach().numpy(), rtol=1e-5)


def test_memory_of_states_that_nobody_kept_is_used_again_and_kept_ones_stay() -> None:
    model, _, step = learner()
    step(X, Y)
    step(X, Y)
    looked = model.bias.node.value
    before, kept, numbers = looked.copy(), model.weight.node, []
    for _ in range(20):
        step(X, Y)
        numbers.append(model.bias.detach().numpy().copy())
    gc.collect()
    spare = step.last.native.unit.native._spare  # type: ignore[attr-defined]
    assert len(spare) == 1
    many = []
    for _ in range(10):
        step(X, Y)
        many.append(model.weight.node)
    del many
    step(X, Y)
    gc.collect()
    assert len(spare) == 1
    assert len({n.tobytes() for n in numbers}) == 20
    other, _, plain = learner("numpy")
    plain(X, Y)
    plain(X, Y)
    assert np.array_equal(looked, before)
    assert np.allclose(kept.value, other.weight.detach().numpy(), rtol=1e-6)


def test_a_weight_that_lies_with_its_axes_exchanged_comes_back_right() -> None:
    def trained(executor: str) -> cg.Tensor:
        cg.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 3))
        sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x, y = cg.rand(8, 64), cg.rand(8, 3)

        def step(x: cg.Tensor, y: cg.Tensor) -> cg.Tensor:
            loss = nn.functional.mse_loss(model(x), y)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            return loss

        cg.compile(step, executor=executor).scan(x, y, steps=3)
        return model[0].weight.detach()

    found, wanted = trained("native"), trained("numpy")
    assert found.numpy().flags.c_contiguous
    assert np.allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6)


def test_reading_copying_saving_and_changing_a_late_leaf() -> None:
    model, adam, step = learner()
    step.scan(X, Y, steps=4)  # type: ignore[attr-defined]
    twin = copy.deepcopy(model)
    saved = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    state = copy.deepcopy(adam.state_dict())
    step.scan(X, Y, steps=4)  # type: ignore[attr-defined]
    for name, tensor in twin.state_dict().items():
        assert np.array_equal(tensor.numpy(), saved[name])
    model.load_state_dict(twin.state_dict())
    adam.load_state_dict(state)
    first = step(X, Y).item()
    with cg.no_grad():
        model.weight.fill_(0.0)
        model.bias.fill_(0.0)
    assert step(X, Y).item() == pytest.approx(float((Y.numpy() ** 2).mean()))
    assert first != 0.0


def test_a_call_holds_none_of_its_inputs_and_takes_new_ones_where_they_lie() -> None:
    total = cg.compile(lambda x: x.sum(), executor="native")
    for _ in range(3):
        x = cg.rand(500, 30)
        kept = weakref.ref(x.node.value)
        assert total(x).item() == pytest.approx(float(x.numpy().sum()), rel=1e-5)
        x.fill_(2.0)
        assert total(x).item() == 30_000
        turned = x.T
        assert total(turned).item() == total(turned).item() == 30_000
        del x, turned
        gc.collect()
        assert kept() is None


def test_many_threads_may_look_at_once() -> None:
    model, _, step = learner()
    step(X, Y)
    node = model.weight.node
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: id(node.value), range(64)))
    assert len(set(seen)) == 1


def test_an_index_out_of_range_leaves_the_tensors_as_they_were() -> None:
    cg.manual_seed(0)
    table = nn.Embedding(4, 2)
    sgd = optim.SGD(table.parameters(), lr=0.1)

    @cg.compile
    def step(index: cg.Tensor) -> cg.Tensor:
        loss = (table(index) ** 2).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    step(cg.tensor([0, 1]))
    before = table.weight.detach().numpy().copy()
    step(cg.tensor([2, 3]))
    after = table.weight.detach().numpy().copy()
    with pytest.raises(IndexError, match="7"):
        step(cg.tensor([1, 7]))
    assert np.array_equal(table.weight.detach().numpy(), after)
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("number", [0.0, -0.0, 5e-324, float("nan"), -1.5])
@pytest.mark.parametrize("shape", [(), (3,), (40, 24)])
def test_states_begin_with_their_numbers_bit_by_bit(number: float, shape: tuple[int, ...]) -> None:
    state = cg.nn.Buffer(cg.full(shape, number, dtype=cg.float64))
    module = nn.Module()
    module.state = state

    def step(x: cg.Tensor) -> cg.Tensor:
        module.state.mul_(x)
        return module.state.sum()

    one = cg.tensor(1.0, dtype=cg.float64)
    compiled = cg.compile(step, executor="native")
    compiled(one)
    compiled(one)
    wanted = np.full(shape, number)
    assert module.state.numpy().tobytes() == wanted.tobytes()
