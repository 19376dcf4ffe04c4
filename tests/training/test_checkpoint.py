"""A run that was stopped anywhere goes on to the same bits; no checkpoint is half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.core.errors import ArgumentError, DataError
from chalkgrad.training import Stop, loop
from chalkgrad.training.loop import Run

S = optim.lr_scheduler
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.5)


def network(share: float = 0.4) -> nn.Sequential:
    cg.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(share), nn.Linear(8, 3)
    )


def fit(path: Path | None, model: Any = None, x: Any = X, y: Any = Y, **options: Any) -> Any:
    options = {
        "loss": "cross_entropy", "optimizer": "adam", "epochs": 6, "batch_size": 16, "verbose": 0,
        "validation": 0.2, "checkpoint": path, "checkpoint_every": 0.0, **options,
    }  # fmt: skip
    return cg.fit(network() if model is None else model, x, y, **options)


def result(model: Any, history: Any) -> tuple[Any, ...]:
    columns = {key: history[key] for key in history if key != "seconds"}
    state = {name: t.numpy().tobytes() for name, t in model.state_dict().items()}
    return columns, history.best_epoch, history.stopped, state, cg.get_rng_state().tolist()


class Stopped(Exception):
    """Stands for a power cut: nothing is saved on its way."""


def stopped_after(saves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end right after so many checkpoints."""
    count = 0
    real = loop.save_checkpoint

    def counted(*parts: Any) -> None:
        nonlocal count
        real(*parts)
        count += 1
        if count == saves:
            raise Stopped

    monkeypatch.setattr(loop, "save_checkpoint", counted)


def assert_goes_on(
    path: Path, saves: int, monkeypatch: pytest.MonkeyPatch, options: Callable[[], dict[str, Any]]
) -> None:
    model = network()
    wanted = result(model, fit(None, model, **options()))
    with monkeypatch.context() as patch:
        stopped_after(saves, patch)
        with pytest.raises(Stopped):
            fit(path, **options())
    cg.manual_seed(99)
    model = network()
    cg.rand(7)  # another process has drawn other numbers
    assert result(model, fit(path, model, resume=True, **options())) == wanted


@pytest.mark.parametrize("saves", [1, 2, 3, 4, 11, 18])
@pytest.mark.parametrize("executor", ["numpy", "eager"])
def test_a_run_goes_on_from_any_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: int, executor: str
) -> None:
    assert_goes_on(tmp_path / "c", saves, monkeypatch, lambda: {"executor": executor})


SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "step": lambda o: S.StepLR(o, 2, 0.5),
    "multistep": lambda o: S.MultiStepLR(o, [2, 4], 0.5),
    "exponential": lambda o: S.ExponentialLR(o, 0.8),
    "cosine": lambda o: S.CosineAnnealingLR(o, 6),
    "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 2),
    "one cycle": lambda o: S.OneCycleLR(o, 0.05, total_steps=7),
    "linear": lambda o: S.LinearLR(o, total_iters=4),
    "lambda": lambda o: S.LambdaLR(o, lambda epoch: 0.9**epoch),
    "plateau": lambda o: S.ReduceLROnPlateau(o, factor=0.3, patience=0),
    "sequential": lambda o: S.SequentialLR(o, [S.LinearLR(o), S.ExponentialLR(o, 0.5)], [2]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_with_every_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    options = {"scheduler": SCHEDULES[name]}
    assert_goes_on(tmp_path / "c", 10, monkeypatch, lambda: options)


@pytest.mark.parametrize("name", [
    "sgd", "rmsprop", "adamw", "adagrad", "adadelta", "adamax", "nadam", "radam", "rprop", "lbfgs",
])  # fmt: skip
def test_with_every_optimizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert_goes_on(tmp_path / "c", 8, monkeypatch, lambda: {"optimizer": name, "epochs": 4})


def test_with_a_rule_that_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"stop": Stop("val_loss", 0.5, 3), "epochs": 50}
    assert_goes_on(tmp_path / "c", 8, monkeypatch, lambda: options)


@pytest.mark.slow
def test_kill_9_at_twenty_random_moments(tmp_path: Path) -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    program = [sys.executable, str(Path(__file__).with_name("killed.py")), str(tmp_path), "5", "20"]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(trials) == 20
    assert all(trial["same"] for trial in trials)
    assert all(trial["left"] == ["result.safetensors", "run.safetensors"] for trial in trials)
    assert all(trial["killed"] for trial in trials)
    assert len({tuple(trial["moment"]) for trial in trials}) >= 8  # at moments that differ


# Ctrl-C.
@pytest.mark.parametrize("executor", ["numpy", "eager"])
def test_ctrl_c_saves_between_two_steps(tmp_path: Path, executor: str) -> None:
    path, model = tmp_path / "c", network()
    wanted = result(model, fit(None, model, executor=executor))

    def press(outputs: Any, targets: Any) -> float:
        calls.append(len(outputs))
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return 0.0

    calls: list[int] = []
    model = network()
    with pytest.raises(KeyboardInterrupt):
        fit(path, model, metrics=["accuracy", press], checkpoint_every=1e9, executor=executor)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    kept = cg.load(path)
    assert kept["place"]["epoch"] == 4  # the third epoch's numbers were being added up
    best = kept["best"]["weights"]
    assert all(np.array_equal(t.numpy(), best[n].numpy()) for n, t in model.state_dict().items())

    def still(outputs: Any, targets: Any) -> float:
        return 0.0

    still.__name__ = "press"
    model = network()
    history = fit(path, model, metrics=["accuracy", still], resume=True, executor=executor)
    for key in ("press", "val_press"):
        assert history.columns.pop(key) == [0.0] * 6
    assert result(model, history) == wanted


def test_ctrl_c_without_a_checkpoint_leaves_the_best_weights() -> None:
    def press(history: Any) -> None:
        if len(history) == 3:
            signal.raise_signal(signal.SIGINT)

    model = network()
    with pytest.raises(KeyboardInterrupt):
        fit(None, model, callbacks=[press])
    other = network()
    history = fit(None, other, epochs=3)
    assert history.best_epoch
    assert np.array_equal(model[0].weight.detach().numpy(), other[0].weight.detach().numpy())


def test_a_second_ctrl_c_comes_through_at_once() -> None:
    def press(history: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the second one did not come through")

    with pytest.raises(KeyboardInterrupt):
        fit(None, callbacks=[press])


def test_a_run_in_another_thread_leaves_ctrl_c_alone(tmp_path: Path) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(fit(tmp_path / "c")))
    thread.start()
    thread.join()
    assert len(found[0]) == 6


# What is finished, and what is another run.
def test_a_finished_run_stays_finished(tmp_path: Path) -> None:
    path, model = tmp_path / "c", network()
    wanted = result(model, fit(path, model))
    model = network()
    assert result(model, fit(path, model, resume=True)) == wanted


def test_more_epochs_go_on(tmp_path: Path) -> None:
    path, model = tmp_path / "c", network()
    wanted = result(model, fit(None, model, epochs=9))
    fit(path, epochs=4)
    model = network()
    assert result(model, fit(path, model, epochs=9, resume=True)) == wanted


def test_more_epochs_go_on_after_a_rule_has_stopped_it(tmp_path: Path) -> None:
    rule = Stop("val_loss", 10.0, 2)  # nothing is ever so much better
    first = fit(tmp_path / "c", stop=rule, epochs=20)
    assert len(first) == 3
    assert len(fit(tmp_path / "c", stop=rule, epochs=20, resume=True)) == 3
    more = fit(tmp_path / "c", stop=rule, epochs=40, resume=True)
    assert len(more) == 5
    assert more["loss"][:3] == first["loss"]


def test_where_there_is_no_checkpoint_the_run_begins(tmp_path: Path) -> None:
    assert fit(tmp_path / "c", resume=True)["loss"] == fit(None)["loss"]
    with pytest.raises(ArgumentError, match="resume=True needs the file to go on from"):
        fit(None, resume=True)


def nudged(array: Any) -> Any:
    array = array.copy()
    array.flat[7] += 1
    return array


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": nudged(X)}, r"its training data is float32\[40, 4\], int64\[40\] with checksum "),
        ({"x": X[:-1], "y": Y[:-1]}, r"its training data is .* this run's is float32\[39, 4\]"),
        ({"validation": (X[:9], Y[:9])}, "its training data|its validation data"),
        ({"batch_size": 8}, "its batch size is 16, this run's is 8"),
        ({"seed": 4}, "its training data is"),  # the validation share is another
        ({"seed": 4, "validation": None}, "its training data is"),
        ({"optimizer": "sgd"}, "its optimizer is Adam, this run's is SGD"),
        ({"optimizer": lambda p: optim.Adam(p, lr=0.5)}, "its optimizer's lr is 0.001, .* 0.5"),
        ({"scheduler": lambda o: S.StepLR(o, 1)}, "its scheduler is none, this run's is StepLR"),
        ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, "its loss is CrossEntropyLoss .*0.1"),
        ({"metrics": ["f1"]}, "its metrics is accuracy, this run's is f1"),
        ({"executor": "eager"}, "its executor is native, whole epochs"),
        ({"model": nn.Sequential(nn.Linear(4, 9), nn.Linear(9, 3))}, "its model is Sequential"),
    ],
)  # fmt: skip
def test_another_run_is_refused_with_the_facts(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    fit(tmp_path / "c", epochs=1)
    with pytest.raises(DataError, match=f"cannot be resumed here: {words}"):
        fit(tmp_path / "c", **{"resume": True, **change})


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    cg.save(network().state_dict(), tmp_path / "weights")
    with pytest.raises(DataError, match="holds tensors but is no checkpoint"):
        fit(tmp_path / "weights", resume=True)
    (tmp_path / "broken").write_bytes(b"\x00" * 50)
    with pytest.raises(DataError, match="damaged"):
        fit(tmp_path / "broken", resume=True)


# Atomic.
@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_checkpoint_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path, model = tmp_path / "c", network()
    wanted = result(model, fit(None, model))
    count, real = 0, getattr(os, step)

    def fails(*parts: Any) -> None:
        nonlocal count
        count += 1
        if count > 12:
            raise OSError(28, "No space left on device")
        real(*parts)

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fails)
        with pytest.raises(DataError, match="No space left on device"):
            fit(path)
    assert [p.name for p in tmp_path.iterdir()] == ["c"]
    model = network()
    assert result(model, fit(path, model, resume=True)) == wanted


def test_a_checkpoint_is_written_at_most_every_so_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[int] = []
    real = Run._save
    monkeypatch.setattr(Run, "_save", lambda run: (saves.append(run.place.batch), real(run))[1])
    fit(tmp_path / "c", checkpoint_every=1e9)
    assert saves == [0]  # at the end
    saves.clear()
    fit(tmp_path / "c", checkpoint_every=0.0)
    assert saves == [1, 2, 3] * 6 + [0]


def test_a_checkpoint_is_safetensors_and_holds_no_code(tmp_path: Path) -> None:
    fit(tmp_path / "c", epochs=1)
    parts = cg.load(tmp_path / "c")
    assert set(parts) == {
        "identity", "model", "optimizer", "scheduler", "random", "history", "stop", "place", "best",
    }  # fmt: skip
