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

from chalkgrad.compiler.native import Snapshot
from chalkgrad.core.errors import NotFinite
from chalkgrad.core.files import clear_remains
from chalkgrad.core.graph import Array, leaf
from chalkgrad.executors.compiled import all_finite
from chalkgrad.optim.lr_scheduler import ReduceLROnPlateau
from chalkgrad.tensor.random import default_generator
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training import callbacks as calls
from chalkgrad.training import faults
from chalkgrad.training.checkpoint import Best, Place, load_checkpoint, save_checkpoint
from chalkgrad.training.history import History
from chalkgrad.training.progress import Silent
from chalkgrad.training.sampler import Sampler
from chalkgrad.training.steps import Compiled, Steps
from chalkgrad.training.stopping import Stop

CALL = 0.05  # seconds that one native call should last: twice as much would still be fine
MOST = 100_000  # steps in one call

Metric = tuple[str, Callable[[Array, Array], float]]


@dataclass
class Pace:
    """How many steps a call should take, so that it lasts so many seconds at most."""

    limit: float = CALL
    steps: int = 1

    def took(self, seconds: float, steps: int) -> None:
        """A call of some steps took so long."""
        room = int(self.limit * steps / max(seconds, 1e-9))
        self.steps = max(1, min(room, 8 * self.steps, MOST))


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
    metrics: Sequence[Metric]
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
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.way = self.steps.way
        self.handles = dict(self.model.state_dict(keep_vars=True))
        self.signature = self.steps.signature() if self.callbacks else []
        self.saved_at = self.started = time.monotonic()
        self.interrupted: list[bool] = []
        if self.checkpoint is not None:
            self.pace.limit = min(CALL, self.every)

    def train(self) -> History:
        """Run until the last epoch or something else ends it, and put the best weights back."""
        if not self.best.weights:
            self.best = Best(weights=self._weights())
        self.saved_at = time.monotonic()
        self.started = self.saved_at - self.place.seconds
        self.reporter.start(self.epochs, self.place.epoch - 1)
        message = ""
        try:
            with _interrupts() as self.interrupted:
                self._epochs()
            message = self._finish()
        finally:
            self.way.write_back()
            self.reporter.end(message)
        return self.history

    def _epochs(self) -> None:
        place = self.place
        while not place.ended and place.epoch <= self.epochs and not self.interrupted:
            if self._unwatched() and self._several_epochs():
                continue
            self._epoch()
            if not self.interrupted:
                place.ended = self._end_of_epoch()

    def _epoch(self) -> None:
        self.way.begin()
        if isinstance(self.way, Compiled):
            self._in_chunks(self.way)
        for index in self.sampler.batches(self.place.epoch, self.place.batch):
            if self.interrupted:
                return
            self._step(index, self.way.train)

    def _step(self, index: Array, train: Callable[[Array, Array], tuple[float, Array]]) -> None:
        batch = self.data[0].take(index, 0), self.data[1].take(index, 0)
        loss, output = train(*batch)
        if not (math.isfinite(loss) and self.way.healthy()):
            self._not_finite(loss, batch, index)
        self._counted([loss], len(index))
        if self.metrics:
            self.place.outputs.append(output)
        self._save_in_time()

    def _counted(self, losses: Sequence[float], records: int) -> None:
        """Add steps to the epoch's sum."""
        for loss in losses:
            self.place.loss_sum += loss if self.steps.task.totals else loss * records
        self.place.batch += len(losses)

    def _save_in_time(self) -> None:
        if self.checkpoint is not None and time.monotonic() - self.saved_at >= self.every:
            self._save()

    # Many steps in one call.
    def _in_chunks(self, way: Compiled) -> None:
        """The whole batches of the epoch, in calls of at most a tenth of a second."""
        size = self.sampler.size
        rows = self.sampler.whole(self.place.epoch)
        while self.place.batch < len(rows) and not self.interrupted:
            part = rows[self.place.batch : self.place.batch + self.pace.steps]
            way.ready(*self.data, part, bool(self.metrics))
            kept = way.native.keep()
            began = time.perf_counter()
            losses, outputs = way.many(*self.data, part, bool(self.metrics))
            self.pace.took(time.perf_counter() - began, len(part))
            if not (all_finite([losses]) and way.healthy()):
                self._by_numpy(way, kept, part)
                continue
            self._counted(losses.tolist(), size)
            if self.metrics and outputs is not None:
                self.place.outputs += list(outputs)
            self._save_in_time()

    def _by_numpy(self, way: Compiled, kept: Snapshot | None, rows: Array) -> None:
        """Run steps again one by one: the NumPy executor says where something is not finite."""
        way.native.back(kept)
        for index in rows:
            self._step(index, way.again)

    def _unwatched(self) -> bool:
        """Does nobody look at the end of an epoch, so that several can run in one call?"""
        watched = self.metrics or self.validation or self.callbacks or self.scheduler
        fits = self.sampler.count % self.sampler.size == 0
        quiet = not watched and self.checkpoint is None and not self.place.batch
        return fits and quiet

    def _several_epochs(self) -> bool:
        """As many epochs as a tenth of a second has room for; False if that is not even two."""
        way, place, length = self.way, self.place, self.sampler.length
        count = min(self.pace.steps // length, self.epochs - place.epoch + 1)
        if count < 2 or not isinstance(way, Compiled):
            return False
        epochs = range(place.epoch, place.epoch + count)
        rows = np.concatenate([self.sampler.whole(epoch) for epoch in epochs])
        kept = way.native.keep()
        began = time.perf_counter()
        losses, _ = way.many(*self.data, rows)
        self.pace.took(time.perf_counter() - began, len(rows))
        if not (all_finite([losses]) and way.healthy()):
            way.native.back(kept)
            self._epoch()
            place.ended = self._end_of_epoch() if not self.interrupted else ""
            return True
        done, best = self._read(losses.reshape(count, length))
        if best != done or done != count:  # run again up to the best epoch, and to the last one
            way.native.back(kept)
            if best:
                way.many(*self.data, rows[: best * length])
                self.best = Best(self.best.epoch, self.best.value, self._weights())
            if best < done:
                way.many(*self.data, rows[best * length : done * length])
        elif best:
            self.best = Best(self.best.epoch, self.best.value, self._weights())
        return True

    def _read(self, losses: Array) -> tuple[int, int]:
        """Close epochs whose losses are known: how many until the run stops, and which is best."""
        place, best = self.place, 0
        for k, epoch in enumerate(losses.tolist(), 1):
            self._counted(epoch, self.sampler.size)
            before = self.best.epoch
            place.ended = self._end_of_epoch(weigh=False)
            best = k if self.best.epoch != before else best
            if place.ended:
                return k, best
        return len(losses), best

    def _end_of_epoch(self, weigh: bool = True) -> str:
        """Close the epoch; the reason to stop, or ''. `weigh`: keep the weights if it is best."""
        place = self.place
        count = 1 if self.steps.task.totals else self.sampler.count
        row = {"loss": place.loss_sum / count}
        if self.metrics:
            self.way.write_back()  # a metric of the user's own may draw random numbers
            row |= self._scores(place)
        if self.validation is not None:
            row |= self._validate(*self.validation)
        place.seconds = row["seconds"] = time.monotonic() - self.started
        row["learning_rate"] = float(self.optimizer.param_groups[0]["lr"])
        self.history.append(row)
        self._keep_best(row, place.epoch, weigh)
        reason = self._consult(row)
        self.reporter.epoch(place.epoch, self.history)
        place.epoch += 1
        place.batch, place.loss_sum, place.outputs = 0, 0.0, []
        return reason

    def _consult(self, row: dict[str, float]) -> str:
        """Let schedule, stop rule and callbacks see the epoch; the reason to stop, or ''."""
        if self.scheduler is not None or self.callbacks:
            self.way.write_back()  # a program reads the rate anew, and callbacks read anything
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(row["loss" if self.validation is None else "val_loss"])
        elif self.scheduler is not None:
            self.scheduler.step()
        reason = self.stop.should(self.stop.cost(row)) if self.stop else ""
        for callback in self.callbacks:
            reason = reason or calls.ended(callback, self, self.history)
        if self.callbacks:  # they may have changed the model
            signature = self.steps.signature()
            if signature != self.signature:
                self.signature = signature
                self.handles = dict(self.model.state_dict(keep_vars=True))
                self.way.retrace()
        return reason

    def _scores(self, place: Place) -> dict[str, float]:
        outputs = np.concatenate(place.outputs)
        targets = self.data[1][self.sampler.order(place.epoch)]
        return {name: metric(outputs, targets) for name, metric in self.metrics}

    def _validate(self, x: Array, y: Array) -> dict[str, float]:
        loss, outputs = self.steps.evaluate(x, y)
        if not math.isfinite(loss):
            self._validation_not_finite(x, y, outputs, loss)
        scores = {f"val_{name}": metric(outputs, y) for name, metric in self.metrics}
        return {"val_loss": loss, **scores}

    # The best weights.
    def _keep_best(self, row: dict[str, float], epoch: int, weigh: bool) -> None:
        value = self.history.cost(row)
        if value < self.best.value or not self.best.epoch:
            self.best = Best(epoch, value, self._weights() if weigh else self.best.weights)
            self.history.best_epoch = epoch

    def _weights(self) -> dict[str, Array]:
        # A step makes new arrays and never changes old ones, so keeping them costs nothing; a
        # callback might.
        keep = np.copy if self.callbacks else np.asarray
        value = self.way.value
        return {name: keep(value(tensor)) for name, tensor in self.handles.items()}

    def _put_back(self) -> str:
        """Give the model its best weights."""
        for name, tensor in self.handles.items():
            tensor.assign(Tensor().wrap(leaf(self.best.weights[name])))
        if not self.best.epoch:
            return "the model has the weights that it began with"
        monitor = self.history.monitor
        value = self.history.best[monitor]
        return f"the model has the weights of epoch {self.best.epoch} ({monitor} {value:.4g})"

    # The end.
    def _finish(self) -> str:
        self.way.write_back()
        if self.interrupted:
            self._save()
            if self.best.epoch:
                self._put_back()
            raise KeyboardInterrupt
        self.place.ended = self.place.ended or f"all {self.epochs} epochs done"
        self.place.epochs = self.epochs
        self.history.stopped = self.place.ended
        self._save()
        return f"{self.history.stopped}; {self._put_back()}"

    def _not_finite(self, loss: float, batch: tuple[Array, Array], index: Array) -> None:
        def where(value: Array) -> str:
            if not any(value is array for array in batch):
                return ""
            record = int(index[np.argwhere(~np.isfinite(value))[0][0]])
            return f"in record {record} of {len(self.data[0])}"

        found = self.way.fault(where)
        what = "a gradient" if math.isfinite(loss) else "the loss"
        self._stop_at(
            f"epoch {self.place.epoch}, batch {self.place.batch + 1} of {self.sampler.length}: "
            f"{what} is no longer finite. It began here: {found}."
        )

    def _validation_not_finite(self, x: Array, y: Array, outputs: Array, loss: float) -> None:
        found = f"{faults.kind(loss)}; the model's outputs reach {np.abs(outputs).max():.3g}"
        for name, array in (("x", x), ("y", y), ("the output", outputs)):
            if not faults.finite(array):
                record = int(np.argwhere(~np.isfinite(array))[0][0])
                found = f"{name} holds {faults.kind(array)} in record {record} of {len(x)}"
                break
        self._stop_at(
            f"epoch {self.place.epoch}, validation: the loss is not finite. It began here: {found}."
        )

    def _stop_at(self, fault: str) -> None:
        self.way.write_back()
        kept = self._put_back()
        fault += f" {kept[0].upper()}{kept[1:]}."
        if self.checkpoint is not None and self.checkpoint.exists():
            fault += f" The checkpoint {self.checkpoint} is from before this."
        raise NotFinite(
            f"{fault} Try a smaller learning rate, scaled inputs, or clipped gradients."
        )

    # Checkpoints.
    def _save(self) -> None:
        if self.checkpoint is None:
            return
        self.way.write_back()
        self.place.seconds = time.monotonic() - self.started
        parts = {
            "identity": self.identity,
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
        if self.checkpoint is None:
            return
        clear_remains(self.checkpoint)
        if not self.checkpoint.exists():
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
        self.place, self.best = parts["place"], parts["best"]
        self.best.weights = {name: t.node.value for name, t in self.best.weights.items()}
        self.place.outputs = [output.node.value for output in self.place.outputs]
        if self.stop and parts["stop"]:
            self.stop.best, self.stop.waited = parts["stop"]["best"], parts["stop"]["waited"]
        if self.place.ended and self.epochs > self.place.epochs:  # a finished run is to go on
            self.place.ended = ""
            if self.stop:
                self.stop.waited = 0


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
