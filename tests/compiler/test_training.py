"""Whole steps natively: optimizers, architectures, random graphs, threads, and what fit makes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.compiler import program
from chalkgrad.compiler.native import _copy, _upright
from chalkgrad.core.graph import Array
from chalkgrad.executors.compiled import Specialised
from chalkgrad.executors.native import NativeFunction
from chalkgrad.machine import jit
from chalkgrad.machine.host import Host
from chalkgrad.training.steps import Task
from tests.compiler.programs import TOLERANCE, compare

RNG = np.random.default_rng(11)


def steps_agree(
    make: Callable[[], Task], x: Array, y: Array, steps: int, slack: float = 1, members: int = 1
) -> None:
    """The same steps by both executors: losses, outputs, and every state at the end."""
    cg.manual_seed(5)
    one = make()
    cg.manual_seed(5)
    two = make()
    numpy = Specialised(lambda a, b: one.train(a, b))
    native = NativeFunction(lambda a, b: two.train(a, b), members)
    for _ in range(steps):
        wanted, found = numpy(x, y), native.run([x, y])
        for a, b in zip(found, wanted, strict=True):
            compare(a, np.asarray(b), make, slack * TOLERANCE["float64"])
    numpy.write_back()
    native.write_back()
    for (name, a), (_, b) in zip(
        two.model.state_dict().items(), one.model.state_dict().items(), strict=True
    ):
        compare(a.numpy(), b.numpy(), name, slack * TOLERANCE["float64"])


def doubles(*modules: Any) -> Any:
    return nn.Sequential(*modules).double()


OPTIMIZERS: list[Callable[[Any], Any]] = [
    lambda p: optim.SGD(p, lr=0.1),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: optim.Adam(p, lr=0.01),
    lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    lambda p: optim.AdamW(p, lr=0.01),
    lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    lambda p: optim.Adagrad(p, lr=0.1),
    lambda p: optim.Adadelta(p),
    lambda p: optim.Adamax(p),
    lambda p: optim.NAdam(p),
    lambda p: optim.RAdam(p),
    lambda p: optim.Rprop(p),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_over_twenty_steps(optimizer: Callable[[Any], Any]) -> None:
    def make() -> Task:
        model = doubles(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
        return Task(model, nn.CrossEntropyLoss(), optimizer(model.parameters()))

    x, y = RNG.normal(size=(9, 5)), RNG.integers(0, 3, 9)
    steps_agree(make, x, y, 20, slack=100)  # rounding grows from step to step


@pytest.mark.parametrize("shape", [(1, 1), (3, 17), (16, 16), (33, 5), (0, 4), (7,), ()])
@pytest.mark.parametrize("turned", [False, True])
def test_a_state_is_copied_whichever_way_it_lies(shape: tuple[int, ...], turned: bool) -> None:
    held = RNG.normal(size=shape)
    upright = _upright(held, turned)
    assert upright.flags.c_contiguous
    assert not np.shares_memory(upright, held)
    np.testing.assert_array_equal(upright, held.T if turned else held)
    again = np.full(shape, np.nan)
    _copy(upright.T if turned else upright, again)
    np.testing.assert_array_equal(again, held)


@pytest.mark.parametrize("moved", [False, True])
def test_states_go_back_to_what_was_kept(moved: bool) -> None:
    """Also where they lie elsewhere by now."""
    x, y = RNG.normal(size=(9, 5)), RNG.integers(0, 3, 9)
    model = doubles(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    task = Task(model, nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.01))
    function = NativeFunction(lambda a, b: task.train(a, b), 1)

    def states() -> list[bytes]:
        assert function.unit is not None
        return [array.tobytes() for array in function.unit.native.states()]

    function.run([x, y])
    kept, before = function.keep(), states()
    wanted = [array.tobytes() for array in function.run([x, y])]
    after = states()
    assert after != before
    if moved:
        assert function.unit is not None
        function.unit.native.load(function.unit.native.states())
    function.back(kept)
    assert states() == before
    assert [array.tobytes() for array in function.run([x, y])] == wanted
    assert states() == after


def test_two_modules_do_what_one_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the same bits; and the second process finds either in the cache."""
    x, y = RNG.normal(size=(9, 5)), RNG.integers(0, 3, 9)
    compiled: list[Sequence[str]] = []
    original = jit.compile_modules

    def watched(texts: Sequence[str], host: Host) -> bytes:
        compiled.append(texts)
        return original(texts, host)

    def states(large: float, folder: str) -> list[bytes]:
        monkeypatch.setattr(program, "_LARGE", large)
        monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path / folder))
        cg.manual_seed(5)
        model = doubles(nn.Linear(5, 7), nn.Dropout(0.2), nn.Tanh(), nn.Linear(7, 3))
        task = Task(model, nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.01))
        native = NativeFunction(lambda a, b: task.train(a, b), 1)
        for _ in range(3):
            native.run([x, y])
        native.write_back()
        return [value.numpy().tobytes() for value in model.state_dict().values()]

    monkeypatch.setattr(jit, "compile_modules", watched)
    one = states(np.inf, "one")
    assert [len(texts) for texts in compiled] == [1]
    assert states(0, "two") == one
    assert [len(texts) for texts in compiled] == [1, 2]
    longer, shorter = sorted(map(len, compiled[1]), reverse=True)
    assert longer < 2 * shorter
    assert states(0, "two") == one
    assert len(compiled) == 2


ARCHITECTURES: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "batch norm and dropout": (
        lambda: [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 4)],
        (10, 6),
    ),
    "layer norm, gelu": (
        lambda: [nn.Linear(6, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 4)], (33, 6),
    ),
    "wide, elu, softplus": (
        lambda: [nn.Linear(70, 40), nn.ELU(), nn.Linear(40, 33), nn.Softplus(), nn.Linear(33, 4)],
        (17, 70),
    ),
    "convolution, max pool": (
        lambda: [nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 6, 3),
                 nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(6 * 2 * 2, 4)],
        (5, 2, 12, 12),
    ),
    "strided, grouped, batch norm": (
        lambda: [nn.Conv2d(4, 8, 3, stride=2, groups=2), nn.BatchNorm2d(8), nn.SiLU(),
                 nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)],
        (6, 4, 9, 9),
    ),
    "one dimension": (
        lambda: [nn.Conv1d(3, 6, 4, dilation=2), nn.Tanh(), nn.MaxPool1d(3, 2), nn.Flatten(),
                 nn.Linear(6 * 6, 4)],
        (7, 3, 20),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("members", [1, 2, 5])
def test_architectures(name: str, members: int) -> None:
    layers, shape = ARCHITECTURES[name]

    def make() -> Task:
        model = doubles(*layers())
        # Not Adam: a bias in front of a batch norm has a gradient of rounding alone.
        return Task(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), 0.1, momentum=0.9))

    x, y = RNG.normal(size=shape), RNG.integers(0, 4, shape[0])
    steps_agree(make, x, y, 4, slack=100, members=members)


def test_an_embedding_gathers_and_scatters() -> None:
    def make() -> Task:
        model = doubles(nn.Embedding(11, 6), nn.Flatten(), nn.Linear(24, 2))
        return Task(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.1))

    x, y = RNG.integers(0, 11, (13, 4)), RNG.integers(0, 2, 13)
    steps_agree(make, x, y, 5, slack=10)


# Threads and repetition.
def network() -> Task:
    cg.manual_seed(2)
    model = nn.Sequential(nn.Linear(70, 130), nn.ReLU(), nn.Linear(130, 10))
    return Task(model, nn.CrossEntropyLoss(), optim.Adam(model.parameters()))


def trained(members: int) -> list[Array]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 70)).astype(np.float32), rng.integers(0, 10, 256)
    rows = rng.permutation(256).reshape(4, 64)
    task = network()
    native = NativeFunction(lambda a, b: task.train(a, b), members)
    results = native.run([x, y], rows=rows)
    native.write_back()
    return [*results, *(p.detach().numpy() for p in task.model.parameters())]


@pytest.mark.parametrize("members", [1, 2, 7])
def test_a_run_repeats_bit_for_bit(members: int) -> None:
    for a, b in zip(trained(members), trained(members), strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_fits_in_two_threads_at_once() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(128, 70)).astype(np.float32), rng.integers(0, 10, 128)

    models = [network().model for _ in range(3)]  # here: the generator is one for all threads

    def fitted(into: list[float]) -> None:
        model = models.pop()
        history = cg.fit(
            model, x, y, loss="cross_entropy", epochs=20, executor="native", verbose=0, seed=3
        )
        into += history["loss"]

    alone: list[float] = []
    fitted(alone)
    found: list[list[float]] = [[], []]
    workers = [threading.Thread(target=fitted, args=(into,)) for into in found]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found[0] == found[1] == alone


def test_training_follows_numpy_s_losses() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 6))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    curves = []
    for executor in ("numpy", "native"):
        cg.manual_seed(4)
        model = doubles(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 2))
        history = cg.fit(
            model, x, y, loss="cross_entropy", epochs=30, batch_size=16, executor=executor,
            validation=0.25, verbose=0,
        )  # fmt: skip
        curves.append(history["loss"] + history["val_loss"])
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-9)


def test_predictions_and_gradients_are_numpy_s() -> None:
    model = doubles(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 2))
    x = RNG.normal(size=(600, 6))
    wanted = cg.predict(model, x)
    for executor in ("native", "numpy", "auto"):
        compare(cg.predict(model, x, executor=executor), wanted, executor)

    def energy(v: cg.Tensor) -> cg.Tensor:
        return (cg.tanh(v) ** 2).sum()

    v = cg.tensor(x[0])
    slope = cg.compile(cg.grad(energy), executor="native")(v)
    compare(slope.numpy(), cg.grad(energy)(v).numpy(), "gradient")
