"""The training loop: epochs of steps, with its place, its best weights and its checkpoint."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad.core.errors import NotFinite
from chalkgrad.core.graph import Array, leaf
from chalkgrad.tensor.random import default_generator
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training import callbacks as calls
from chalkgrad.training import faults
from chalkgrad.training.checkpoint import Best, Place, load_checkpoint, save_checkpoint
from chalkgrad.training.history import History
from chalkgrad.training.metrics import SMALLER_IS_BETTER
from chalkgrad.training.progress import Silent
from chalkgrad.training.sampler import Sampler
from chalkgrad.training.steps import Steps
from chalkgrad.training.stopping import Stop


@dataclass
class Run:
    """One training run."""

    model: Any
    optimizer: Any
    scheduler: Any
    steps: Steps
    sampler: Sampler
    data: tuple[Array, Array]
    validation: tuple[Array, Array] | None
    metrics: Sequence[tuple[str, Callable[..., float]]]
    epochs: int
    stop: Stop | None
    callbacks: Sequence[Any]
    reporter: Silent
    identity: dict[str, Any]
    checkpoint: Path | None = None
    every: float = 1.0  # seconds between checkpoints, at least
    history: History = field(default_factory=History)
    place: Place = field(default_factory=Place)
    best: Best = field(default_factory=Best)

    def train(self) -> History:
        """Run to the last epoch, or until something ends it; the best weights are in the model then."""
        started = time.monotonic() - self.place.seconds
        self.saved_at = time.monotonic()
        self.reporter.start(self.epochs, self.place.epoch - 1)
        message = ""
        try:
            with _interrupts() as interrupted:
                reason = ""
                while not reason and self.place.epoch <= self.epochs:
                    self._epoch(started, interrupted)
                    reason = self._end_of_epoch(started)
            self.history.stopped = reason or f"all {self.epochs} epochs done"
            self._save()
            message = self._restore_best()
        finally:
            self.reporter.end(message)
        return self.history

    def _epoch(self, started: float, interrupted: list[bool]) -> None:
        x, y = self.data
        place = self.place
        self.model.train()
        for index in self.sampler.batches(place.epoch, place.batch):
            loss, output = self.steps.train(x[index], y[index])
            if not math.isfinite(loss):
                self._not_finite("loss", loss)
            place.batch += 1
            place.loss_sum += loss * len(index)
            if self.metrics:
                place.outputs.append(output)
            now = time.monotonic()
            place.seconds = now - started
            if interrupted:
                self._save()
                raise KeyboardInterrupt
            if self.checkpoint and now - self.saved_at >= self.every:
                self._save()

    def _end_of_epoch(self, started: float) -> str:
        """Close the epoch; the reason to stop, or ''."""
        place = self.place
        if not all(faults.finite(p.node.value) for p in self.model.parameters()):
            self._not_finite("gradient", math.nan)
        row = {"loss": place.loss_sum / self.sampler.count}
        row |= self._scores(place)
        if self.validation is not None:
            row |= self._validate(*self.validation)
        place.seconds = time.monotonic() - started
        row |= {"seconds": place.seconds, "learning_rate": float(self.optimizer.param_groups[0]["lr"])}
        self.history.append(row)
        self._keep_best(row, place.epoch)
        if self.scheduler is not None:
            takes_metric = type(self.scheduler).__name__ == "ReduceLROnPlateau"
            self.scheduler.step(*([row[self.history.monitor]] if takes_metric else []))
        reason = self.stop.should(self._value(row, self.stop.monitor)) if self.stop else ""
        for callback in self.callbacks:
            reason = reason or calls.ended(callback, self, self.history)
        self.reporter.epoch(place.epoch, self.history)
        self.place = Place(epoch=place.epoch + 1, seconds=place.seconds)
        return reason

    def _scores(self, place: Place) -> dict[str, float]:
        if not self.metrics:
            return {}
        order = self.sampler.order(place.epoch)
        outputs = np.concatenate([np.asarray(o) for o in place.outputs])
        targets = self.data[1][order]
        return {name: metric(outputs, targets) for name, metric in self.metrics}

    def _validate(self, x: Array, y: Array) -> dict[str, float]:
        loss, outputs = self.steps.evaluate(x, y)
        scores = {f"val_{name}": metric(outputs, y) for name, metric in self.metrics}
        return {"val_loss": loss, **scores}

    def _value(self, row: dict[str, float], key: str) -> float:
        sign = 1 if key.removeprefix("val_") in SMALLER_IS_BETTER else -1
        return sign * row[key]

    def _keep_best(self, row: dict[str, float], epoch: int) -> None:
        value = self._value(row, self.history.monitor)
        if value < self.best.value or not self.best.weights:
            # Arrays are replaced by a step, never changed, so keeping them costs nothing.
            weights = {name: t.node.value for name, t in self.model.state_dict().items()}
            self.best = Best(epoch, value, weights)
            self.history.best_epoch = epoch

    def _restore_best(self) -> str:
        put_back(self.model, self.best.weights)
        value = self.history.best[self.history.monitor]
        return (
            f"{self.history.stopped}; the model has the weights of epoch {self.best.epoch} "
            f"({self.history.monitor} {value:.4g})"
        )

    def _not_finite(self, what: str, value: float) -> None:
        where = self.steps.fault()
        kept = f" The checkpoint {self.checkpoint} is from before this." if self.checkpoint else ""
        if self.best.weights:
            put_back(self.model, self.best.weights)
            kept += f" The model has the weights of epoch {self.best.epoch}."
        batch = self.place.batch + 1 if what == "loss" else self.place.batch
        raise NotFinite(
            f"epoch {self.place.epoch}, batch {batch} of {self.sampler.length}: the {what} became "
            f"{'NaN' if math.isnan(value) else 'infinite'}. {where}{kept} Try a smaller learning rate, "
            "scaled inputs, or clipped gradients."
        )

    # Checkpoints.
    def _save(self) -> None:
        if self.checkpoint is None:
            return
        if not all(faults.finite(p.node.value) for p in self.model.parameters()):
            self._not_finite("gradient", math.nan)
        parts = {
            "fingerprint": self.identity,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "random": default_generator.get_state(),
            "history": asdict(self.history),
            "stop": asdict(self.stop) if self.stop else None,
        }
        save_checkpoint(self.checkpoint, parts, self.place, self.best)
        self.saved_at = time.monotonic()

    def resume(self) -> None:
        """Go back to the place of the checkpoint, if there is one."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        parts = load_checkpoint(self.checkpoint, self.identity)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(parts["scheduler"])
        default_generator.set_state(parts["random"])
        executor = self.history.executor
        self.history = History(**parts["history"])
        self.history.executor = executor
        if self.stop and parts["stop"]:
            self.stop.best, self.stop.waited = parts["stop"]["best"], parts["stop"]["waited"]
        self.place, self.best = parts["place"], parts["best"]
        self.best.weights = {name: t.node.value for name, t in self.best.weights.items()}
        self.place.outputs = [output.node.value for output in self.place.outputs]


def put_back(model: Any, weights: dict[str, Array]) -> None:
    """Give a model weights that it had before."""
    for name, tensor in model.state_dict(keep_vars=True).items():
        if name in weights:
            tensor.assign(Tensor().wrap(leaf(weights[name])))


@contextmanager
def _interrupts() -> Iterator[list[bool]]:
    """Hold Ctrl-C back until the step that runs is complete; a second one comes through."""
    flags: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield flags
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        if flags:
            raise KeyboardInterrupt
        flags.append(True)

    signal.signal(signal.SIGINT, note)
    try:
        yield flags
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
