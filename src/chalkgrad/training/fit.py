"""`fit`: train a model on arrays. What is given is checked and made fit to run here, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad import nn, optim
from chalkgrad.core.errors import ArgumentError, TypeMismatch, nearest
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors.compiling import compile as compile_
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training import metrics as metric_functions
from chalkgrad.training import stopping
from chalkgrad.training.checkpoint import fingerprint
from chalkgrad.training.history import History
from chalkgrad.training.loop import Metric, Run
from chalkgrad.training.progress import reporter
from chalkgrad.training.records import Records, numbers, probabilities
from chalkgrad.training.sampler import Sampler
from chalkgrad.training.steps import CHUNK, Steps, Task, as_it_was, evaluating

LOSSES: dict[str, Callable[[], Any]] = {
    "mse": nn.MSELoss, "l1": nn.L1Loss, "smooth_l1": nn.SmoothL1Loss, "huber": nn.HuberLoss,
    "bce": nn.BCELoss, "bce_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss, "nll": nn.NLLLoss,
    "half_squared_error": nn.HalfSquaredError,
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    kind.__name__.lower(): kind
    for kind in (
        optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW, optim.Adagrad, optim.Adadelta,
        optim.Adamax, optim.NAdam, optim.RAdam, optim.Rprop, optim.LBFGS,
    )
}  # fmt: skip


def fit(
    model: Any, x: Any, y: Any, *, loss: Any, optimizer: Any = "adam", epochs: int = 100,
    batch_size: int = 32, validation: float | tuple[Any, Any] | None = None, shuffle: bool = True,
    seed: int = 0, stop: str | stopping.Stop | None = None, callbacks: Sequence[Any] = (),
    executor: str = "auto", verbose: int = 1, metrics: Sequence[Any] | None = None,
    scheduler: Any = None, checkpoint: str | Path | None = None, checkpoint_every: float = 1.0,
    resume: bool = False,
) -> History:  # fmt: skip
    """Train `model` on records `x` (N, …) with targets `y` (N,) or (N, …). The best weights stay.

    loss: a name ('mse', 'cross_entropy', 'bce', 'bce_with_logits', 'half_squared_error', …), a loss
        module, or any function of (outputs, targets).
    optimizer: a name ('adam', 'sgd', …) with its defaults, an optimizer of this model's parameters,
        or a function that makes one from the parameters.
    validation: a share of the records to hold out (shuffled with `seed`, stratified for class
        numbers), or (x, y). The epoch with the best val_loss (without validation: loss) gives the
        final weights.
    shuffle, seed: the order of the records. Dropout follows `manual_seed`.
    stop: 'converged' (the loss), 'validation' (val_loss), or a `Stop`.
    callbacks: functions of the history, called after each epoch; a true answer ends the run.
    metrics: names or functions of (outputs, targets); accuracy by default where the targets are
        classes. A metric by name gets the probabilities that a cross-entropy loss sees in the
        outputs.
    scheduler: a learning-rate scheduler, or a function that makes one from the optimizer; stepped
        each epoch.
    checkpoint, checkpoint_every, resume: a file that is written at most every so many seconds, at
        Ctrl-C and at the end; `resume=True` goes on from it, to the same bits as an uninterrupted
        run. Where there is no such file yet, the run begins.
    executor: 'numpy' traces a step into one program, 'eager' runs it operation by operation, 'auto'
        picks; `history.executor` says which, and why. A step is traced once: Python code in the
        model that changes something other than its parameters and buffers does so once, too.
    verbose: 0 nothing, 1 progress on stderr, 2 a line an epoch.

    Numbers are cast to the model's type, class numbers to int64; targets (N,) meet outputs (N, 1)
    as (N, 1). Raises ArgumentError, ShapeError or TypeMismatch for what does not fit together, and
    NotFinite when the loss or a gradient stops being a number, with the place where that began.

    >>> import chalkgrad as cg
    >>> x = cg.linspace(-1, 1, 50).reshape(50, 1)
    >>> history = cg.fit(
    ...     cg.nn.Linear(1, 1), x, 3 * x + 1, loss="mse", optimizer="adam", epochs=3, verbose=0
    ... )
    >>> len(history), history["loss"][0] > history["loss"][-1]
    (3, True)
    """
    if not (_is_count(epochs) and _is_count(batch_size)):
        raise ArgumentError(
            f"epochs={epochs!r} and batch_size={batch_size!r} must both be whole numbers from 1 on"
        )
    if resume and checkpoint is None:
        raise ArgumentError(
            "resume=True needs the file to go on from: pass checkpoint='run.safetensors'"
        )
    loss = _named_loss(loss)
    optimizer = _optimizer(optimizer, model)
    if callable(scheduler) and not hasattr(scheduler, "step"):
        scheduler = scheduler(optimizer)
    with as_it_was(model):
        records = Records.of(model, loss, x, y)
        train, held = _hold_out(validation, records, model, loss, seed)
        scores = _metrics(metrics, loss, train)
        rule = _stop(stop, [name for name, _ in scores], held is not None)
        steps = Steps(
            Task(model, loss, optimizer), executor, train.x[:batch_size], train.y[:batch_size]
        )
        run = Run(
            model=model, optimizer=optimizer, scheduler=scheduler, steps=steps, epochs=epochs,
            data=(train.x, train.y), validation=None if held is None else (held.x, held.y),
            sampler=Sampler(len(train.x), batch_size, shuffle, seed), metrics=scores, stop=rule,
            callbacks=callbacks, reporter=reporter(verbose), every=checkpoint_every,
            identity={}, checkpoint=None if checkpoint is None else Path(checkpoint),
        )  # fmt: skip
        run.history.executor = steps.executor
        run.history.monitor = _monitor(rule, held is not None)
        if checkpoint is not None:
            run.identity = _identity(run)
        if resume:
            run.resume()
        return run.train()


def predict(model: Any, x: Any, *, executor: str = "eager") -> Array:
    """The model's outputs for records `x`, without training, as a NumPy array.

    executor: 'eager' runs operation by operation; 'native', 'numpy' and 'auto' compile the model,
        as `compile` does, which pays for many records.

    >>> import chalkgrad as cg
    >>> predict(cg.nn.ReLU(), [[-1.0, 2.0]])
    array([[0., 2.]], dtype=float32)
    """
    records = numbers(x, model)
    with evaluating(model), recording(False):
        run = (
            model if executor == "eager" else compile_(lambda part: model(part), executor=executor)
        )
        starts = range(0, max(len(records), 1), CHUNK)
        parts = [run(Tensor().wrap(leaf(records[k : k + CHUNK]))).node.value for k in starts]
    return np.concatenate(parts)


def _is_count(number: Any) -> bool:
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    return whole and bool(number >= 1)


def _named_loss(given: Any) -> Any:
    if not isinstance(given, str):
        if not callable(given):
            raise TypeMismatch(f"loss must be a name or a function, not {type(given).__name__}")
        return given() if isinstance(given, type) else given
    if given not in LOSSES:
        raise ArgumentError(
            f"no loss {given!r}.{nearest(given, LOSSES)} There are {', '.join(LOSSES)}."
        )
    return LOSSES[given]()


def _optimizer(given: Any, model: Any) -> Any:
    own = {id(p) for p in model.parameters()}
    if not own:
        raise ArgumentError(f"{type(model).__name__} has no parameters to train")
    made = given if isinstance(given, optim.Optimizer) else _made(given)(model.parameters())
    if not isinstance(made, optim.Optimizer):
        raise TypeMismatch(
            f"the function given as optimizer made a {type(made).__name__} and no optimizer"
        )
    if not any(id(p) in own for group in made.param_groups for p in group["params"]):
        raise ArgumentError(
            "the optimizer holds none of this model's parameters: make it from model.parameters()"
        )
    return made


def _made(given: Any) -> Callable[..., Any]:
    """What makes an optimizer from parameters."""
    if callable(given):
        return given  # type: ignore[no-any-return]
    if not isinstance(given, str):
        raise TypeMismatch(
            f"optimizer must be a name, an optimizer or a function, not {type(given).__name__}"
        )
    name = given.lower()
    if name not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise ArgumentError(
            f"no optimizer {given!r}.{nearest(name, OPTIMIZERS)} There are {known}."
        )
    return OPTIMIZERS[name]


def _hold_out(
    given: Any, records: Records, model: Any, loss: Any, seed: int
) -> tuple[Records, Records | None]:
    if given is None:
        return records, None
    if isinstance(given, Real):
        order = Sampler(len(records.x), len(records.x), True, seed).order(0)
        return records.split(float(given), order)
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeMismatch(f"validation is a share, or (x, y), not {type(given).__name__}")
    x, y = given
    return records, Records.of(model, loss, x, y, what="validation ")


def _metrics(given: Sequence[Any] | None, loss: Any, records: Records) -> list[Metric]:
    if given is None:
        given = ["accuracy"] if records.labels or isinstance(loss, nn.BCELoss) else []
    elif isinstance(given, str):
        given = [given]
    named = [metric_functions.named(metric) for metric in given]
    return [
        (name, _of_probabilities(score, loss) if isinstance(metric, str) else score)
        for metric, (name, score) in zip(given, named, strict=True)
    ]


def _of_probabilities(score: Callable[..., float], loss: Any) -> Callable[[Array, Array], float]:
    return lambda outputs, targets: score(probabilities(outputs, loss), targets)


def _stop(
    given: str | stopping.Stop | None, metrics: Sequence[str], validated: bool
) -> stopping.Stop | None:
    rule = stopping.named(given)
    if rule is None:
        return None
    keys = ["loss", *metrics]
    if validated:
        keys += [f"val_{key}" for key in keys]
    if rule.monitor not in keys:
        hint = "" if validated else " For a validation loss pass validation=0.2."
        raise ArgumentError(f"stop watches {rule.monitor!r}; this run has {', '.join(keys)}.{hint}")
    return rule


def _monitor(rule: stopping.Stop | None, validated: bool) -> str:
    """What decides which epoch is the best."""
    if rule is not None and rule.monitor.startswith("val_"):
        return rule.monitor
    return "val_loss" if validated else "loss"


def _identity(run: Run) -> dict[str, Any]:
    """What must be the same when a run is resumed."""
    model, optimizer, scheduler = run.model, run.optimizer, run.scheduler
    kinds = sorted({p.node.dtype.name for p in model.parameters()})
    identity = {
        "training data": fingerprint(run.data),
        "validation data": fingerprint(run.validation or ()),
        "model": f"{model!r}, {', '.join(kinds)}",
        "loss": _named(run.steps.task.loss),
        "scheduler": "none" if scheduler is None else _named(scheduler),
        "optimizer": type(optimizer).__name__,
        "batch size": run.sampler.batch_size,
        "shuffling": f"seed {run.sampler.seed}" if run.sampler.shuffle else "none",
        "metrics": ", ".join(name for name, _ in run.metrics) or "none",
        "executor": run.steps.way.name,
    }
    for k, group in enumerate(optimizer.param_groups):
        place = f" (parameter group {k})" if len(optimizer.param_groups) > 1 else ""
        options = {key: value for key, value in group.items() if key != "params"}
        identity |= {f"optimizer's {key}{place}": repr(value) for key, value in options.items()}
    return identity


def _named(thing: Any) -> str:
    """A loss or a schedule with its options, or a function by its name."""
    if not isinstance(thing, (nn.Module, optim.lr_scheduler.LRScheduler)):
        return getattr(thing, "__qualname__", type(thing).__name__)
    plain = (int, float, str, list, tuple)
    options = {
        name: value for name, value in vars(thing).items()
        if isinstance(value, plain) and not name.startswith("_") and " at 0x" not in repr(value)
    }  # fmt: skip
    return f"{type(thing).__name__} {options}"
