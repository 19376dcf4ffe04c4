"""Thirty epochs of every schedule give PyTorch's learning rates."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from chalkgrad import optim
from chalkgrad.core.graph import leaf
from chalkgrad.tensor.tensor import Tensor

pytestmark = pytest.mark.parity

EPOCHS = 30
EXACT = 1e-12

Make = Callable[[Any, Any], Any]  # (module lr_scheduler, optimizer) -> schedule


class Halve:
    """A function with a state of its own."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, epoch: int) -> float:
        self.calls += 1
        return 0.5 ** (epoch // 3)


def _nested(s: Any, o: Any) -> Any:
    first = s.SequentialLR(o, [s.LinearLR(o, 0.1), s.ExponentialLR(o, 0.9)], milestones=[3])
    return s.SequentialLR(o, [first, s.StepLR(o, 4), s.CosineAnnealingLR(o, 6)], milestones=[9, 20])


SCHEDULES: dict[str, Make] = {
    "step": lambda s, o: s.StepLR(o, 4),
    "step-gamma": lambda s, o: s.StepLR(o, step_size=7, gamma=0.3),
    "multistep": lambda s, o: s.MultiStepLR(o, [3, 10, 10, 22], gamma=0.5),
    "constant": lambda s, o: s.ConstantLR(o),
    "constant-long": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=11),
    "linear": lambda s, o: s.LinearLR(o),
    "linear-down": lambda s, o: s.LinearLR(o, 1.0, 0.1, total_iters=20),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=20, power=1.7),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=10),
    "cosine-floor": lambda s, o: s.CosineAnnealingLR(o, 7, eta_min=0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4),
    "restarts-growing": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01),
    "onecycle": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=EPOCHS),
    "onecycle-linear": lambda s, o: s.OneCycleLR(
        o, max_lr=[0.5, 0.2], epochs=6, steps_per_epoch=5, anneal_strategy="linear", pct_start=0.4
    ),
    "onecycle-three": lambda s, o: s.OneCycleLR(
        o, 0.5, total_steps=40, three_phase=True, div_factor=10, final_div_factor=100,
        base_momentum=0.5, max_momentum=[0.9, 0.8],
    ),
    "onecycle-plain": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=EPOCHS, cycle_momentum=False),
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "lambda-list": lambda s, o: s.LambdaLR(o, [lambda epoch: 1 / (epoch + 1), Halve()]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 1 - 0.01 * epoch),
    "sequential": lambda s, o: s.SequentialLR(
        o,
        [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 5)],
        milestones=[4, 15],
    ),
    "sequential-restarts": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.01, 1, 5), s.CosineAnnealingWarmRestarts(o, 5)], milestones=[5]
    ),
    "nested": _nested,
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 6), s.ExponentialLR(o, 0.9)]),
    "chained-cosine": lambda s, o: s.ChainedScheduler(
        [s.StepLR(o, 5), s.LinearLR(o, 0.2), s.MultiplicativeLR(o, lambda epoch: 0.99)], optimizer=o
    ),
}  # fmt: skip


def ours() -> Tensor:
    made = Tensor()
    made.node = leaf(np.ones(2))
    made = made.requires_grad_()
    made.grad = made.detach()
    return made


def theirs() -> torch.Tensor:
    made = torch.ones(2, requires_grad=True)
    made.grad = torch.ones(2)
    return made


def optimizers(kind: str = "SGD", **options: Any) -> tuple[Any, Any]:
    if kind == "SGD":
        options.setdefault("momentum", 0.9)

    def groups(a: Any, b: Any) -> list[dict[str, Any]]:
        return [{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.02}]

    return (
        getattr(optim, kind)(groups(ours(), ours()), **options),
        getattr(torch.optim, kind)(groups(theirs(), theirs()), **options),
    )


def pair(name: str, kind: str = "SGD") -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    a, b = optimizers(kind)
    make = SCHEDULES[name]
    with warnings.catch_warnings():
        if name == "nested":  # both step the innermost schedule while they are made, and warn of it
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
        return (a, make(optim.lr_scheduler, a)), (b, make(torch.optim.lr_scheduler, b))


def settings(optimizer: Any) -> list[Any]:
    names = (
        "lr",
        "initial_lr",
        "momentum",
        "betas",
        "max_lr",
        "min_lr",
        "max_momentum",
        "base_momentum",
    )
    return [[group.get(name) for name in names] for group in optimizer.param_groups]


def agree(mine: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for got, wanted in zip(settings(mine[0]), settings(other[0]), strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=EXACT)
    np.testing.assert_allclose(mine[1].get_last_lr(), other[1].get_last_lr(), rtol=EXACT)
    assert mine[1].last_epoch == other[1].last_epoch if hasattr(other[1], "last_epoch") else True


def advance(*pairs: tuple[Any, Any]) -> None:
    for optimizer, schedule in pairs:
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_thirty_epochs(name: str, kind: str) -> None:
    mine, other = pair(name, kind)
    agree(mine, other)
    for _ in range(EPOCHS - 1):
        advance(mine, other)
        agree(mine, other)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_set_by_hand_is_carried_on(name: str) -> None:
    mine, other = pair(name)
    for epoch in range(12):
        if epoch == 6:
            mine[0].param_groups[0]["lr"] = other[0].param_groups[0]["lr"] = 0.037
        advance(mine, other)
        agree(mine, other)


@pytest.mark.parametrize("name", SCHEDULES)
def test_resumed_from_its_state(name: str) -> None:
    mine, other = pair(name)
    for _ in range(8):
        advance(mine, other)
    saved = copy.deepcopy(mine[1].state_dict()), mine[0].state_dict()
    fresh, _ = pair(name)
    fresh[1].load_state_dict(saved[0])
    fresh[0].load_state_dict(saved[1])
    for _ in range(12):
        advance(mine, fresh)
        assert settings(fresh[0]) == settings(mine[0])
        assert fresh[1].get_last_lr() == mine[1].get_last_lr()


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_from_pytorch(name: str) -> None:
    mine, other = pair(name)
    for _ in range(8):
        advance(other)
    assert set(mine[1].state_dict()) | {"_is_initial", "_get_lr_called_within_step"} >= set(
        other[1].state_dict()
    )
    mine[1].load_state_dict(copy.deepcopy(other[1].state_dict()))
    mine[0].load_state_dict(other[0].state_dict())
    for _ in range(12):
        advance(mine, other)
        agree(mine, other)


@pytest.mark.parametrize(
    "name", ["step", "multistep", "constant", "linear", "exponential", "cosine", "polynomial"]
)
def test_a_new_schedule_from_an_epoch(name: str) -> None:
    a, b = optimizers()
    for optimizer in (a, b):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * 2
    arguments = {
        "step": ("StepLR", 3), "multistep": ("MultiStepLR", [5, 9]),
        "constant": ("ConstantLR", 0.5, 9),
        "linear": ("LinearLR", 0.5, 1.0, 12), "exponential": ("ExponentialLR", 0.9),
        "cosine": ("CosineAnnealingLR", 10), "polynomial": ("PolynomialLR", 20, 2.0),
    }[name]  # fmt: skip
    made = [
        (o, getattr(m, arguments[0])(o, *arguments[1:], last_epoch=6))
        for m, o in ((optim.lr_scheduler, a), (torch.optim.lr_scheduler, b))
    ]
    agree(*made)
    for _ in range(15):
        advance(*made)
        agree(*made)


def test_resuming_without_an_initial_rate() -> None:
    a, b = optimizers()
    for module, optimizer in ((optim.lr_scheduler, a), (torch.optim.lr_scheduler, b)):
        with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
            module.StepLR(optimizer, 3, last_epoch=4)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"factor": 0.5, "patience": 2}, {"mode": "max", "patience": 1},
        {"threshold_mode": "abs", "threshold": 0.3},
        {"mode": "max", "threshold_mode": "abs", "patience": 0}, {"cooldown": 3, "patience": 1},
        {"min_lr": [0.03, 0.001], "patience": 0}, {"min_lr": 0.05, "patience": 0, "eps": 0.01},
    ],
    ids=str,
)  # fmt: skip
def test_reduce_on_plateau(options: dict[str, Any]) -> None:
    a, b = optimizers()
    mine = a, optim.lr_scheduler.ReduceLROnPlateau(a, **options)
    other = b, torch.optim.lr_scheduler.ReduceLROnPlateau(b, **options)
    rng = np.random.default_rng(5)
    losses = np.exp(-np.arange(EPOCHS) / 4) + 0.1 * rng.normal(size=EPOCHS)
    losses[11] = np.nan
    for epoch, loss in enumerate(losses):
        value = np.float64(loss) if epoch % 2 else torch.tensor(loss)
        mine[1].step(float(value))
        other[1].step(value)
        agree(mine, other)
        assert mine[1].num_bad_epochs == other[1].num_bad_epochs
        if epoch == 15:
            fresh = optim.lr_scheduler.ReduceLROnPlateau(a, **options)
            fresh.load_state_dict(copy.deepcopy(other[1].state_dict()))
            mine = a, fresh


def test_warm_restarts_between_epochs() -> None:
    mine, other = pair("restarts-growing")
    for k in range(120):
        mine[1].step(k / 4)
        other[1].step(k / 4)
        agree(mine, other)


@pytest.mark.parametrize(
    "name",
    ["step", "multistep", "constant", "linear", "exponential", "polynomial", "cosine", "lambda"],
)
def test_a_given_epoch(name: str) -> None:
    mine, other = pair(name)
    for optimizer, _ in (mine, other):
        optimizer.step()
    for epoch in (3, 11, 4):
        for _, schedule in (mine, other):
            with pytest.warns(
                UserWarning, match="The epoch parameter in `scheduler.step\\(\\)` was not necessary"
            ):
                schedule.step(epoch)
        agree(mine, other)


@pytest.mark.parametrize("order", ["schedule first", "optimizer first"])
def test_warning_of_the_wrong_order(order: str) -> None:
    for optimizer, schedule in pair("step"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if order == "optimizer first":
                optimizer.step()
            schedule.step()
            schedule.step()
        said = [str(w.message).split(":")[0].split(". ")[0] for w in caught]
        wrong = "Detected call of `lr_scheduler.step()` before `optimizer.step()`"
        assert said == ([wrong] if order == "schedule first" else [])


def test_get_lr_points_to_get_last_lr() -> None:
    for _, schedule in pair("exponential"):
        with pytest.warns(UserWarning, match="please use `get_last_lr\\(\\)`"):
            schedule.get_lr()


REFUSED: list[tuple[str, str, tuple[Any, ...], dict[str, Any], str]] = [
    ("SGD", "ConstantLR", (1.5,), {}, "expected to be between 0 and 1"),
    ("SGD", "LinearLR", (0.0,), {}, "expected to be greater than 0"),
    ("SGD", "LinearLR", (0.5, 2.0), {}, "Ending multiplicative factor"),
    ("SGD", "LambdaLR", ([len],), {}, "Expected 2 lr_lambdas, .*but got 1"),
    ("SGD", "CosineAnnealingWarmRestarts", (0,), {}, "Expected positive integer T_0, but got 0"),
    ("SGD", "CosineAnnealingWarmRestarts", (3, 0), {}, "Expected integer T_mult >= 1, but got 0"),
    ("SGD", "OneCycleLR", (0.1,), {}, "You must define either total_steps OR"),
    ("SGD", "OneCycleLR", (0.1, 0), {}, "Expected positive integer total_steps, but got 0"),
    ("SGD", "OneCycleLR", (0.1,), {"epochs": 0, "steps_per_epoch": 3}, "positive integer epochs"),
    ("SGD", "OneCycleLR", (0.1, 10), {"pct_start": 2}, "Expected float between 0 and 1 pct_start"),
    ("SGD", "OneCycleLR", (0.1, 10), {"anneal_strategy": "x"}, "one of 'cos' or 'linear'"),
    ("SGD", "OneCycleLR", ([0.1], 10), {}, "max_lr must have the same length"),
    ("Adagrad", "OneCycleLR", (0.1, 10), {}, "optimizer must support momentum or beta1"),
    ("SGD", "ReduceLROnPlateau", (), {"factor": 1.0}, "Factor should be < 1.0"),
    ("SGD", "ReduceLROnPlateau", ("up",), {}, "mode up is unknown!"),
    ("SGD", "ReduceLROnPlateau", (), {"threshold_mode": "x"}, "threshold mode x is unknown!"),
    ("SGD", "ReduceLROnPlateau", (), {"min_lr": [0.1]}, "expected 2 min_lrs, got 1"),
    ("SGD", "SequentialLR", ([], []), {}, "expects at least one scheduler"),
]


@pytest.mark.parametrize(("kind", "name", "positional", "named", "words"), REFUSED)
def test_refusals(kind: str, name: str, positional: Any, named: Any, words: str) -> None:
    options = {} if kind == "SGD" else {"weight_decay": 0}
    a, b = optimizers(kind, **options)
    for module, optimizer in ((optim.lr_scheduler, a), (torch.optim.lr_scheduler, b)):
        with pytest.raises(ValueError, match=words):
            getattr(module, name)(optimizer, *positional, **named)


def test_a_function_is_needed() -> None:
    a, b = optimizers()
    for module, optimizer in ((optim.lr_scheduler, a), (torch.optim.lr_scheduler, b)):
        with pytest.raises(TypeError, match="lr_lambda should be a function, but got int"):
            module.MultiplicativeLR(optimizer, 3)


def test_schedules_of_different_optimizers() -> None:
    for k, module in enumerate((optim.lr_scheduler, torch.optim.lr_scheduler)):
        one, two = optimizers()[k], optimizers()[k]
        schedules = [module.StepLR(one, 3), module.StepLR(two, 3)]
        with pytest.raises(
            ValueError, match="expects all schedulers to belong to the same optimizer"
        ):
            module.SequentialLR(one, schedules, milestones=[3])
        with pytest.raises(
            ValueError, match="expects number of schedulers provided to be one more"
        ):
            module.SequentialLR(one, schedules[:1], milestones=[3])
        with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
            module.ChainedScheduler([module.ReduceLROnPlateau(one)])
        with pytest.raises(TypeError, match="is not an Optimizer"):
            module.StepLR("Adam", 3)


def test_one_cycle_ends() -> None:
    for optimizer, schedule in pair("onecycle"):
        optimizer.step()
        for _ in range(EPOCHS):
            schedule.step()
        with pytest.raises(
            ValueError, match=r"Tried to step 31 times\. The specified number of total steps is 30"
        ):
            schedule.step()
