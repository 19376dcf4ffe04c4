"""From the same initial weights and the same batch order, `fit` follows PyTorch's loss curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad.training.sampler import Sampler

pytestmark = pytest.mark.parity

EPOCHS, SIZE = 4, 16
Make = Callable[[Any], Any]

RNG = np.random.default_rng(3)
TABLE = RNG.normal(size=(75, 6))  # 75 = 4 · 16 + 11: the last batch is smaller
IMAGES = RNG.normal(size=(43, 1, 8, 8))
AMOUNTS = TABLE[:, :1] * 2 - TABLE[:, 1:2] ** 2 + 0.1 * RNG.normal(size=(75, 1))
CLASSES = (np.abs(TABLE[:, 0]) + TABLE[:, 1] > 0.5).astype(np.int64) + (TABLE[:, 2] > 1)
IMAGE_CLASSES = IMAGES[:, 0, :4, :4].mean((1, 2)).argsort().argsort() % 3


def dense(lib: Any) -> Any:
    n = lib.nn
    return n.Sequential(n.Linear(6, 12), n.Tanh(), n.Linear(12, 8), n.ReLU(), n.Linear(8, 1))


def classifier(lib: Any) -> Any:
    n = lib.nn
    return n.Sequential(n.Linear(6, 10), n.GELU(), n.LayerNorm(10), n.Linear(10, 3))


def normalized(lib: Any) -> Any:
    n = lib.nn
    return n.Sequential(
        n.Linear(6, 10),
        n.BatchNorm1d(10),
        n.LeakyReLU(),
        n.Linear(10, 5),
        n.BatchNorm1d(5),
        n.Linear(5, 3),
    )


def convolution(lib: Any) -> Any:
    n = lib.nn
    return n.Sequential(
        n.Conv2d(1, 4, 3, padding=1), n.BatchNorm2d(4), n.ReLU(), n.MaxPool2d(2),
        n.Conv2d(4, 6, 3), n.ReLU(), n.AdaptiveAvgPool2d(1), n.Flatten(), n.Linear(6, 3),
    )  # fmt: skip


CASES: dict[str, tuple[Make, Any, Any, Make]] = {
    "dense": (dense, TABLE, AMOUNTS, lambda lib: lib.nn.MSELoss()),
    "classifier": (
        classifier,
        TABLE,
        CLASSES,
        lambda lib: lib.nn.CrossEntropyLoss(label_smoothing=0.1),
    ),
    "batch norm": (normalized, TABLE, CLASSES, lambda lib: lib.nn.CrossEntropyLoss()),
    "convolution": (convolution, IMAGES, IMAGE_CLASSES, lambda lib: lib.nn.CrossEntropyLoss()),
}
OPTIMIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "SGD": lambda lib, p: lib.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda lib, p: lib.optim.Adam(p, lr=0.01),
    "AdamW": lambda lib, p: lib.optim.AdamW(p, lr=0.01, amsgrad=True),
    "RMSprop": lambda lib, p: lib.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
}
SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "step": lambda lib, o: lib.optim.lr_scheduler.StepLR(o, 2, 0.3),
    "cosine": lambda lib, o: lib.optim.lr_scheduler.CosineAnnealingLR(o, EPOCHS),
    "plateau": lambda lib, o: lib.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.1, patience=0),
}


def pair(make: Make) -> tuple[Any, Any]:
    """A model of each library, with the same float64 weights."""
    cg.manual_seed(1)
    ours, theirs = make(cg).double(), make(torch).double()
    state = {name: torch.tensor(t.detach().numpy()) for name, t in ours.state_dict().items()}
    theirs.load_state_dict(state)
    return ours, theirs


def pytorch_curve(
    model: Any, x: Any, y: Any, loss: Any, optimizer: Any, held: Any, schedule: Any = None
) -> tuple[list[float], list[float], list[dict[str, Any]]]:
    """The ordinary loop: epoch losses, validation losses, and the weights after each epoch."""
    sampler = Sampler(len(x), SIZE, True, 7)
    x, y, held = torch.tensor(x), torch.tensor(y), [torch.tensor(part) for part in held]
    losses, validation, weights = [], [], []
    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for index in sampler.batches(epoch):
            optimizer.zero_grad()
            value = loss(model(x[index]), y[index])
            value.backward()
            optimizer.step()
            total += value.item() * len(index)
        model.eval()
        with torch.no_grad():
            validation.append(loss(model(held[0]), held[1]).item())
        losses.append(total / len(x))
        if schedule is not None:
            takes_loss = isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau)
            schedule.step(*([validation[-1]] if takes_loss else []))
        weights.append({name: t.detach().numpy().copy() for name, t in model.state_dict().items()})
    return losses, validation, weights


def compare(case: str, optimizer: str, schedule: str | None = None, executor: str = "auto") -> None:
    make, x, y, make_loss = CASES[case]
    ours, theirs = pair(make)
    half = len(x) // 2
    held = x[:half], y[:half]
    reference = OPTIMIZERS[optimizer](torch, theirs.parameters())
    rates = None if schedule is None else SCHEDULES[schedule](torch, reference)
    wanted = pytorch_curve(theirs, x, y, make_loss(torch), reference, held, rates)
    history = cg.fit(
        ours, x, y, loss=make_loss(cg), optimizer=lambda p: OPTIMIZERS[optimizer](cg, p),
        scheduler=None if schedule is None else lambda o: SCHEDULES[schedule](cg, o),
        epochs=EPOCHS, batch_size=SIZE, seed=7, validation=held, executor=executor, verbose=0,
    )  # fmt: skip
    np.testing.assert_allclose(history["loss"], wanted[0], rtol=1e-9)
    np.testing.assert_allclose(history["val_loss"], wanted[1], rtol=1e-9)
    assert history.best_epoch == np.argmin(wanted[1]) + 1
    for name, tensor in ours.state_dict().items():
        best = wanted[2][history.best_epoch - 1][name]
        np.testing.assert_allclose(tensor.numpy(), best, rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_the_loss_curve_is_pytorchs(case: str, optimizer: str) -> None:
    compare(case, optimizer)


@pytest.mark.parametrize("case", CASES)
def test_operation_by_operation_too(case: str) -> None:
    compare(case, "Adam", executor="eager")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_is_followed(schedule: str) -> None:
    compare("dense", "SGD", schedule)


def test_two_groups_of_parameters() -> None:
    ours, theirs = pair(dense)

    def groups(model: Any) -> Any:
        return [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters()}]

    reference = torch.optim.SGD(groups(theirs), lr=0.01, momentum=0.9)
    wanted = pytorch_curve(theirs, TABLE, AMOUNTS, torch.nn.MSELoss(), reference, (TABLE, AMOUNTS))
    history = cg.fit(
        ours, TABLE, AMOUNTS, loss="mse",
        optimizer=cg.optim.SGD(groups(ours), lr=0.01, momentum=0.9),
        epochs=EPOCHS, batch_size=SIZE, seed=7, verbose=0,
    )  # fmt: skip
    np.testing.assert_allclose(history["loss"], wanted[0], rtol=1e-9)


def test_a_frozen_layer_stays() -> None:
    ours, theirs = pair(normalized)
    for model in (ours, theirs):
        model[0].requires_grad_(False)
    before = ours[0].weight.detach().numpy().copy()
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01)
    loss = torch.nn.CrossEntropyLoss()
    wanted = pytorch_curve(theirs, TABLE, CLASSES, loss, reference, (TABLE, CLASSES))
    history = cg.fit(
        ours, TABLE, CLASSES, loss="cross_entropy", optimizer=lambda p: cg.optim.Adam(p, lr=0.01),
        epochs=EPOCHS, batch_size=SIZE, seed=7, verbose=0,
    )  # fmt: skip
    np.testing.assert_allclose(history["loss"], wanted[0], rtol=1e-9)
    assert np.array_equal(ours[0].weight.detach().numpy(), before)


def test_the_lectures_loss_is_a_sum_over_the_records() -> None:
    ours, theirs = pair(dense)
    reference = torch.optim.SGD(theirs.parameters(), lr=0.001)

    def half_squared_error(outputs: Any, targets: Any) -> Any:
        return 0.5 * ((targets - outputs) ** 2).sum()

    sampler, total = Sampler(75, SIZE, True, 7), 0.0
    for index in sampler.batches(1):
        reference.zero_grad()
        value = half_squared_error(theirs(torch.tensor(TABLE[index])), torch.tensor(AMOUNTS[index]))
        value.backward()
        reference.step()
        total += value.item()
    after = half_squared_error(theirs(torch.tensor(TABLE)), torch.tensor(AMOUNTS)).item()
    history = cg.fit(
        ours, TABLE, AMOUNTS, loss="half_squared_error", validation=(TABLE, AMOUNTS), verbose=0,
        optimizer=lambda p: cg.optim.SGD(p, lr=0.001), epochs=1, batch_size=SIZE, seed=7,
    )  # fmt: skip
    assert history["loss"] == pytest.approx([total], rel=1e-9)
    assert history["val_loss"] == pytest.approx([after], rel=1e-9)
