"""A number that stops being finite is traced to where it began: equation, layer, batch, record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.core.errors import NotFinite

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 1.5, size=(40, 3)).astype(np.float32)
Y = X.sum(1)
STILL = lambda parameters: optim.SGD(parameters, lr=0.0)  # noqa: E731
EXECUTORS = pytest.mark.parametrize("executor", ["numpy", "eager"])


class Apply(nn.Module):
    """One function as a layer."""

    def __init__(self, function: Callable[[cg.Tensor], cg.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.function(x)


def network(*middle: nn.Module) -> nn.Sequential:
    """Positive numbers through identity weights, into the layers under test, into one output."""
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), *middle, nn.Linear(3, 1))
    with cg.no_grad():
        model[0].weight.copy_(cg.eye(3))
        model[0].bias.zero_()
    return model


def failing(model: Any, x: Any = X, y: Any = Y, **options: Any) -> str:
    options = {
        "loss": "mse", "optimizer": optim.SGD, "epochs": 3, "batch_size": 8, "shuffle": False,
        "verbose": 0, **options,
    }  # fmt: skip
    with pytest.raises(NotFinite) as raised:
        cg.fit(model, x, y, **options)
    assert all(np.isfinite(p.detach().numpy()).all() for p in model.parameters())
    return str(raised.value)


@EXECUTORS
def test_the_log_of_zero(executor: str) -> None:
    x = X.copy()
    x[21] = 0  # record 21 is the sixth of batch 3
    said = failing(network(nn.Identity(), Apply(cg.log)), x, executor=executor, optimizer=STILL)
    assert said.startswith("epoch 1, batch 3 of 5: the loss is no longer finite. It began here: ")
    assert "log in 2 gives infinity at [5, 0] of shape [8, 3] (3 of 24 elements)" in said


@EXECUTORS
def test_the_root_of_zero_has_a_finite_value_and_no_finite_gradient(executor: str) -> None:
    x = X.copy()
    x[9] = 0
    said = failing(network(Apply(cg.sqrt)), x, executor=executor, optimizer=STILL)
    assert "epoch 1, batch 2 of 5: a gradient is no longer finite." in said
    assert "the gradient through sqrt in 1 towards add (divide) gives infinity at [1, 0]" in said


@EXECUTORS
def test_a_learning_rate_that_explodes(executor: str) -> None:
    said = failing(network(), optimizer=lambda p: optim.SGD(p, lr=1e20), executor=executor)
    assert "epoch 1, batch 2 of 5: the loss" in said
    assert "matmul in 1 gives" in said or "in MSE gives infinity" in said or "square" in said


@EXECUTORS
def test_an_update_that_overflows(executor: str) -> None:
    said = failing(
        network(), x=X * 1e18, optimizer=lambda p: optim.SGD(p, lr=1e38), executor=executor
    )
    wanted = {"numpy": "multiply in SGD gives infinity", "eager": "by SGD overflows"}[executor]
    assert "epoch 1, batch 1 of 5: a gradient is no longer finite" in said
    assert wanted in said


@EXECUTORS
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_datum_names_its_record(executor: str, shuffle: bool, bad: float) -> None:
    x = X.copy()
    x[17, 1] = bad
    said = failing(network(), x, executor=executor, shuffle=shuffle)
    word = "NaN" if np.isnan(bad) else "infinity"
    assert f"x holds {word} in record 17 of 40" in said
    y = Y.copy()
    y[33] = bad
    assert f"y holds {word} in record 33 of 40" in failing(network(), y=y, shuffle=shuffle)


def test_a_bad_datum_to_validate_on_names_its_record() -> None:
    x = X.copy()
    x[4, 0] = np.nan
    said = failing(network(), validation=(x, Y))
    assert said.startswith(
        "epoch 1, validation: the loss is not finite. It began here: x holds NaN in rec"
    )
    assert "record 4 of 40" in said


@EXECUTORS
def test_an_infinity_that_does_no_harm_is_not_blamed(executor: str) -> None:
    def clipped(v: cg.Tensor) -> cg.Tensor:
        return cg.clamp(cg.log(v * 0), min=-1.0) + v

    x = X.copy()
    x[3] = 0
    said = failing(
        network(Apply(clipped), Apply(lambda v: 1 / (v + 1) - 1 / (v + 1) / 0)),
        x,
        executor=executor,
    )
    assert "log in 1" not in said
    assert "divide in 2" in said


def test_the_equation_is_named_in_nested_modules() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), Apply(lambda v: cg.log(v - v))

        def forward(self, x: cg.Tensor) -> cg.Tensor:
            return self.second(self.first(x))

    model = nn.Sequential(nn.Linear(3, 3), Block(), nn.Linear(3, 1))
    assert "log in 1.second gives infinity" in failing(model)


@EXECUTORS
def test_the_last_good_checkpoint_and_the_best_weights_are_kept(
    executor: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    model = network(Apply(lambda v: v / (4 - COUNT["seen"]) ** 0.5))
    COUNT["seen"] = 0

    def later(history: cg.training.History) -> None:
        COUNT["seen"] += 1
        model[1].step = COUNT["seen"]  # so that the step is traced again

    said = failing(
        model, callbacks=[later], epochs=9, checkpoint=path, checkpoint_every=0, executor=executor
    )
    assert said.startswith("epoch 5, batch 1 of 5")
    assert f"The checkpoint {path} is from before this." in said
    assert "The model has the weights of epoch 4 (loss " in said
    kept = cg.load(path)
    assert (kept["place"]["epoch"], kept["place"]["batch"]) == (4, 5)
    assert all(np.isfinite(t.numpy()).all() for t in kept["model"].values())


COUNT = {"seen": 0}


def test_a_fault_in_the_first_step_leaves_the_weights_as_they_were() -> None:
    model = network(Apply(lambda v: cg.log(-v)))
    before = model[0].weight.detach().numpy().copy()
    said = failing(model)
    assert "log in 1 gives NaN" in said
    assert "The model has the weights that it began with." in said
    assert np.array_equal(model[0].weight.detach().numpy(), before)
