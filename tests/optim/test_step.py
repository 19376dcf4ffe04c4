"""A step: the same in eager mode and in a trace, repeatable, resumable, without side effects."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import optim
from chalkgrad.core.graph import leaf
from chalkgrad.executors import numpy as executor
from chalkgrad.transform.trace import capture
from tests.optim.cases import CASES, IDS

SHAPES = [(3, 2), (2,), ()]


def parameters(kind: Any = np.float64, seed: int = 0) -> list[cg.Tensor]:
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.normal(size=shape)).astype(kind) for shape in SHAPES]
    made = [cg.from_numpy(array).requires_grad_() for array in arrays]
    for parameter, name in zip(made, ("weight", "bias", "scale"), strict=True):
        parameter.name = name
    return made


def training(optimizer: Any, given: list[cg.Tensor]) -> Callable[[cg.Tensor], cg.Tensor]:
    """A step on a small problem without a closed form."""
    weight, bias, scale = given

    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = (((x @ weight + bias).tanh() * scale - 0.3) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


class Traced:
    """A traced step, run node by node; the tensors take over their states after each run."""

    def __init__(self, step: Callable[[cg.Tensor], cg.Tensor], example: cg.Tensor) -> None:
        self.capture = capture(step, example)

    def __call__(self, x: cg.Tensor) -> cg.Tensor:
        settings = [np.asarray(read()) for read in self.capture.settings]
        states = [tensor.node.value for tensor in self.capture.tensors]
        loss, *after = executor.run(self.capture.graph, x.node.value, *settings, *states)
        for tensor, value in zip(self.capture.tensors, after, strict=True):
            tensor._become(leaf(value, tracked=tensor.node.tracked, name=tensor.node.name))
        return cg.from_numpy(loss)


def batches(steps: int, kind: Any = np.float64) -> list[cg.Tensor]:
    rng = np.random.default_rng(1)
    return [cg.from_numpy(rng.normal(size=(5, 3)).astype(kind)) for _ in range(steps)]


def numbers(tensors: list[cg.Tensor]) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in tensors]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_traced_step_is_the_eager_step(name: str, options: dict[str, Any], kind: Any) -> None:
    eager, traced = parameters(kind), parameters(kind)
    options = {**options, "lr": 0.05}
    first = getattr(optim, name)(eager, **options)
    second = getattr(optim, name)(traced, **options)
    xs = batches(8, kind)
    step, program = training(first, eager), Traced(training(second, traced), xs[0])
    for k, x in enumerate(xs):
        for optimizer in (first, second):
            optimizer.param_groups[0]["lr"] = 0.05 / (k + 1)  # the program reads it before each run
        assert step(x).item() == program(x).item()
        assert numbers(eager) == numbers(traced)
    for a, b in zip(eager, traced, strict=True):
        for key in first.state[a]:
            assert numbers([first.state[a][key]]) == numbers([second.state[b][key]])


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_resumed_is_uninterrupted(name: str, options: dict[str, Any]) -> None:
    whole = parameters(np.float32)
    optimizer = getattr(optim, name)(whole, **options)
    step, xs = training(optimizer, whole), batches(12, np.float32)
    for x in xs[:5]:
        step(x)
    saved = plain(optimizer.state_dict())
    again = [p.detach().clone().requires_grad_() for p in whole]
    resumed = getattr(optim, name)(again, **options)
    resumed.load_state_dict(saved)
    for x in xs[5:]:
        step(x)
    step = training(resumed, again)
    for x in xs[5:]:
        step(x)
    assert numbers(whole) == numbers(again)


def plain(value: Any) -> Any:
    """As a file would hold it: arrays, numbers, text, lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.detach().numpy().copy() if isinstance(value, cg.Tensor) else value


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_loading_into_a_program_that_runs(name: str) -> None:
    given = parameters()
    optimizer = getattr(optim, name)(given, lr=0.01, **({"momentum": 0.9} if name == "SGD" else {}))
    xs = batches(9)
    program = Traced(training(optimizer, given), xs[0])
    for x in xs[:3]:
        program(x)
    saved, values = plain(optimizer.state_dict()), [p.detach().clone() for p in given]
    for x in xs[3:]:
        program(x)
    wanted = numbers(given)
    optimizer.load_state_dict(saved)
    for parameter, value in zip(given, values, strict=True):
        parameter.data = value
    for x in xs[3:]:
        program(x)
    assert numbers(given) == wanted


def test_the_trace_reads_as_the_equation() -> None:
    given = parameters()
    optimizer = optim.SGD(given, lr=0.1, momentum=0.9)
    text = str(cg.trace(training(optimizer, given), batches(1)[0]))
    for line in ("input lr: float64[]", "input momentum: float64[]", "state weight: float64[3,2]",
                 "state weight.momentum_buffer: float64[3,2]", "# SGD"):  # fmt: skip
        assert line in text


def test_tracing_changes_nothing() -> None:
    given = parameters()
    optimizer = optim.Adam(given)
    before = numbers(given)
    cg.trace(training(optimizer, given), batches(1)[0])
    assert numbers(given) == before
    assert all(p.grad is None for p in given)
    assert all(state["step"].item() == 0 for state in optimizer.state.values())


# What a step leaves alone.
def test_the_graph_keeps_its_numbers() -> None:
    w = cg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    loss = (w * w).sum()
    held = loss.node
    loss.backward(retain_graph=True)
    before = held.inputs[0].inputs[0].value.copy()
    optimizer.step()
    assert w.tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(held.inputs[0].inputs[0].value, before)


def test_parameters_stay_what_they_are() -> None:
    given = parameters()
    optimizer, step = None, None
    optimizer = optim.AdamW(given)
    step = training(optimizer, given)
    handles = list(given)
    for x in batches(3):
        step(x)
    for parameter, handle, name in zip(given, handles, ("weight", "bias", "scale"), strict=True):
        assert parameter is handle
        assert parameter.name == name
        assert parameter.is_leaf
        assert parameter.requires_grad
        assert optimizer.state[parameter]["exp_avg"].name == f"{name}.exp_avg"
        assert not optimizer.state[parameter]["exp_avg"].requires_grad


def test_a_schedule_does_not_compile_again() -> None:
    given = parameters()
    optimizer = optim.Adam(given)
    step = training(optimizer, given)
    for k, x in enumerate(batches(6)):
        optimizer.param_groups[0].update(lr=0.1 / (k + 1), betas=[0.9 - 0.1 * k, 0.99])
        step(x)
    # One plan before there were states would be one too many: they are made first.
    assert len(optimizer._program.plans) == 1
    optimizer.param_groups[0]["weight_decay"] = 0.1
    step(batches(1)[0])
    assert len(optimizer._program.plans) == 2


def test_options_of_a_group_that_change_the_equation() -> None:
    """Momentum switched on, and off, in the middle."""
    w = cg.tensor([1.0], dtype=cg.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    for momentum, expected in ((0, 0.5), (0.5, 0.0), (0.5, -0.75), (0, -1.25)):
        optimizer.param_groups[0]["momentum"] = momentum
        w.grad = cg.ones(1, dtype=cg.float64)
        optimizer.step()
        assert w.item() == expected


def test_steps_that_are_equal_are_counted_once() -> None:
    given = parameters(np.float32)
    optimizer = optim.Adam(given)
    step = training(optimizer, given)
    for x in batches(3, np.float32):
        step(x)
    counts = [optimizer.state[p]["step"] for p in given]
    assert len({id(count.node.value) for count in counts}) == 1
    with cg.no_grad():
        counts[0].add_(5)  # a handle of its own all the same
    assert [count.item() for count in counts] == [8.0, 3.0, 3.0]
    step(batches(1, np.float32)[0])
    assert [count.item() for count in counts] == [9.0, 4.0, 4.0]


def test_gradients_that_come_and_go() -> None:
    a, b = (cg.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.Adam([a, b], lr=0.1)
    for for_a, for_b in ((True, False), (True, True), (False, True), (False, True), (True, True)):
        a.grad = cg.ones(1) if for_a else None
        b.grad = cg.ones(1) if for_b else None
        optimizer.step()
    assert optimizer.state[a]["step"].item() == 3
    assert optimizer.state[b]["step"].item() == 4


def test_a_parameter_that_gets_other_data() -> None:
    w = cg.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    for kind in (cg.float32, cg.float64):
        w.data = cg.ones(1, dtype=kind)
        w.grad = cg.ones(1, dtype=kind)
        optimizer.step()
        assert w.dtype is kind
        assert w.item() == (cg.tensor(1.0, dtype=kind) - cg.tensor(0.1, dtype=kind)).item()


def test_a_loaded_count_keeps_its_type() -> None:
    given = parameters(np.float64)
    optimizer = optim.NAdam(given)
    training(optimizer, given)(batches(1)[0])
    optimizer.load_state_dict(plain(optimizer.state_dict()))
    kinds = {name: state.dtype for name, state in optimizer.state[given[0]].items()}
    assert kinds["step"] is cg.float32
    assert kinds["exp_avg"] is kinds["mu_product"] is cg.float64  # as PyTorch does


def test_a_number_without_dimensions() -> None:
    w = cg.tensor(2.0, requires_grad=True)
    optimizer = optim.Adam([w], lr=0.5)
    (w * w).backward()
    optimizer.step()
    assert w.shape == ()
    assert w.dtype is cg.float32
    assert w.item() == 1.5


def test_the_closure() -> None:
    w = cg.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure() -> cg.Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with cg.no_grad():  # the closure computes gradients all the same
        assert optimizer.step(closure).item() == 9.0
    assert w.item() == 1.5


def test_zero_grad() -> None:
    w = cg.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)
    (w * w).sum().backward()
    held = w.grad
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is held
    assert held.tolist() == [0.0]
    optimizer.zero_grad()
    assert w.grad is None


def test_a_copy_goes_its_own_way() -> None:
    given = parameters()
    optimizer = optim.Adam(given)
    step, xs = training(optimizer, given), batches(6)
    for x in xs[:3]:
        step(x)
    copies, twin = copy.deepcopy((given, optimizer))
    before = numbers(given)
    other = training(twin, copies)
    for x in xs[3:]:
        other(x)
    assert numbers(given) == before
    for x in xs[3:]:
        step(x)
    assert numbers(given) == numbers(copies)


def test_a_second_group() -> None:
    a, b = (cg.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([a], lr=0.5)
    for w in (a, b):
        w.grad = cg.ones(1)
    optimizer.step()
    optimizer.add_param_group({"params": b, "lr": 0.25})
    optimizer.step()
    assert (a.item(), b.item()) == (0.0, 0.75)
    assert optimizer.state_dict()["param_groups"][1]["params"] == [1]


def test_an_optimizer_of_ones_own() -> None:
    class Averaged(optim.Optimizer):
        """θ ← θ − lr · (mean of all gradients so far)"""

        def start(self, parameter: cg.Tensor, group: dict[str, Any]) -> dict[str, cg.Tensor]:
            return {"total": cg.zeros_like(parameter).detach(), "step": cg.tensor(0.0)}

        def update(self, parameter: Any, gradient: Any, state: Any, setting: Any) -> Any:
            total, step = state["total"] + gradient, state["step"] + 1
            return parameter - setting("lr") * total / step, {"total": total, "step": step}

    w = cg.tensor([1.0, 1.0], requires_grad=True)
    optimizer = Averaged([w], {"lr": 0.5})
    for slope in (1.0, 3.0):
        w.grad = cg.tensor([slope, 0.0])
        optimizer.step()
    assert w.tolist() == [-0.5, 1.0]
