"""`fit`: train a model on arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad import nn, optim
from chalkgrad.core.errors import ArgumentError, ShapeError, TraceError, TypeMismatch, nearest
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training import metrics as metric_functions
from chalkgrad.training import stopping
from chalkgrad.training.checkpoint import fingerprint
from chalkgrad.training.history import History
from chalkgrad.training.loop import Run
from chalkgrad.training.progress import reporter
from chalkgrad.training.sampler import Sampler
from chalkgrad.training.steps import Steps
from chalkgrad.transform.trace import capture

LOSSES: dict[str, Callable[[], Any]] = {
    "mse": nn.MSELoss, "l1": nn.L1Loss, "smooth_l1": nn.SmoothL1Loss, "huber": nn.HuberLoss,
    "bce": nn.BCELoss, "bce_with_logits": nn.BCEWithLogitsLoss, "cross_entropy": nn.CrossEntropyLoss,
    "nll": nn.NLLLoss, "half_squared_error": nn.HalfSquaredError,
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    name.lower(): getattr(optim, name)
    for name in ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop", "LBFGS")
}
_CLASS_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)
_PROBABILITY_LOSSES = (nn.BCELoss,)


def fit(
    model: Any, x: Any, y: Any, *, loss: Any, optimizer: Any = "adam", epochs: int = 100,
    batch_size: int = 32, validation: float | tuple[Any, Any] | None = None, shuffle: bool = True,
    seed: int = 0, stop: str | stopping.Stop | None = None, callbacks: Sequence[Any] = (),
    executor: str = "auto", verbose: int = 1, metrics: Sequence[Any] | None = None, scheduler: Any = None,
    checkpoint: str | Path | None = None, checkpoint_every: float = 1.0, resume: bool = False,
) -> History:  # fmt: skip
    """Train `model` on records `x` (N, …) with targets `y` (N,) or (N, …); the best weights stay in it.

    loss: a name ('mse', 'cross_entropy', 'bce', 'bce_with_logits', 'half_squared_error', …), a loss module,
        or any function of (outputs, targets).
    optimizer: a name ('adam', 'sgd', …) with its defaults, an optimizer of this model's parameters, or a
        function that makes one from the parameters.
    validation: a share of the records to hold out (shuffled with `seed`, stratified for class numbers), or
        (x, y). The epoch with the best val_loss (without validation: loss) gives the final weights.
    stop: 'converged' (the loss), 'validation' (val_loss), or a `Stop`.
    metrics: names or functions of (outputs, targets); accuracy by default where the targets are classes.
    scheduler: a learning-rate scheduler, or a function that makes one from the optimizer; stepped each epoch.
    checkpoint, checkpoint_every, resume: a file that is written at most every so many seconds, at Ctrl-C and
        at the end; `resume=True` goes on from it, to the same bits as an uninterrupted run.
    executor: 'numpy' traces a step into one program, 'eager' runs it operation by operation, 'auto' picks;
        `history.executor` says which, and why.

    Numbers are cast to the model's type, class numbers to int64; targets (N,) meet outputs (N, 1) as (N, 1).

    >>> import chalkgrad as cg
    >>> x = cg.linspace(-1, 1, 50).reshape(50, 1)
    >>> history = cg.fit(cg.nn.Linear(1, 1), x, 3 * x + 1, loss="mse", optimizer="adam",
    ...                  epochs=3, verbose=0)
    >>> len(history), history["loss"][0] > history["loss"][-1]
    (3, True)
    """
    loss = _named(loss, LOSSES, "loss")
    optimizer = _optimizer(optimizer, model)
    scheduler = scheduler(optimizer) if callable(scheduler) and not hasattr(scheduler, "step") else scheduler
    _check_counts(epochs, batch_size)
    data = _records(model, loss, x, y)
    held = _validation(validation, data, loss, model, seed)
    train, test = held
    if metrics is None:
        metrics = ["accuracy"] if _classifies(loss, train[1]) else []
    steps = Steps(model, loss, optimizer, executor)
    steps.prepare(train[0][:batch_size], train[1][:batch_size])
    identity = fingerprint(
        *train, batch_size=batch_size, shuffle=shuffle, seed=seed, optimizer=type(optimizer).__name__,
        loss=type(loss).__name__, traced=steps.traced,
        parameters=[[name, list(p.node.shape)] for name, p in model.named_parameters()],
    )  # fmt: skip
    run = Run(
        model=model, optimizer=optimizer, scheduler=scheduler, steps=steps, data=train, validation=test,
        sampler=Sampler(len(train[0]), batch_size, shuffle, seed), epochs=epochs, callbacks=callbacks,
        metrics=[metric_functions.named(metric) for metric in metrics], stop=_stop(stop, test),
        reporter=reporter(verbose), identity=identity, every=checkpoint_every,
        checkpoint=None if checkpoint is None else Path(checkpoint),
    )  # fmt: skip
    run.history.monitor = "val_loss" if test is not None else "loss"
    run.history.executor = steps.executor
    if resume:
        run.resume()
    return run.train()


def predict(model: Any, x: Any, batch_size: int = 1024) -> Array:
    """The model's outputs for records `x`, without training, as a NumPy array."""
    records = _numbers(x, _kind(model))
    was_training = model.training
    model.eval()
    with recording(False):
        parts = [model(_tensor(records[k : k + batch_size])).node.value for k in range(0, max(len(records), 1), batch_size)]
    model.train(was_training)
    return np.concatenate(parts)


def _named(given: Any, known: dict[str, Callable[[], Any]], what: str) -> Any:
    if not isinstance(given, str):
        return given
    if given not in known:
        raise ArgumentError(f"no {what} {given!r}.{nearest(given, known)} There are {', '.join(known)}.")
    return known[given]()


def _optimizer(given: Any, model: Any) -> Any:
    if isinstance(given, str):
        if given.lower() not in OPTIMIZERS:
            raise ArgumentError(f"no optimizer {given!r}.{nearest(given, OPTIMIZERS)} There are {', '.join(OPTIMIZERS)}.")
        return OPTIMIZERS[given.lower()](model.parameters())
    if isinstance(given, optim.Optimizer):
        own = {id(p) for p in model.parameters()}
        if not any(id(p) in own for group in given.param_groups for p in group["params"]):
            raise ArgumentError("the optimizer holds none of this model's parameters: make it from model.parameters()")
        return given
    if callable(given):
        return given(model.parameters())
    raise TypeMismatch(f"optimizer must be a name, an optimizer or a function, not {type(given).__name__}")


def _check_counts(epochs: int, batch_size: int) -> None:
    if epochs < 1 or batch_size < 1:
        raise ArgumentError(f"epochs={epochs} and batch_size={batch_size} must both be at least 1")


def _stop(stop: str | stopping.Stop | None, validation: Any) -> stopping.Stop | None:
    rule = stopping.named(stop)
    if rule is not None and rule.monitor.startswith("val_") and validation is None:
        raise ArgumentError(f"stop watches {rule.monitor}, but there is no validation data: pass validation=0.2")
    return rule


def _kind(model: Any) -> np.dtype[Any]:
    kinds = [p.node.dtype for p in model.parameters()]
    if not kinds:
        raise ArgumentError(f"{type(model).__name__} has no parameters to train")
    return kinds[0]


def _numbers(values: Any, kind: np.dtype[Any]) -> Array:
    array = values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeMismatch(f"records of type {array.dtype}: give numbers")
    return array.astype(kind, copy=False)


def _records(model: Any, loss: Any, x: Any, y: Any) -> tuple[Array, Array]:
    """x and y as arrays in the model's type, their lengths equal, y in the shape of the outputs."""
    kind = _kind(model)
    # Whole numbers stay whole only where the first layer looks them up.
    first = next(iter(layer for layer in model.modules() if not list(layer.children())), None)
    records = _numbers(x, np.dtype(np.int64) if isinstance(first, nn.Embedding) else kind)
    targets = y.detach().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if isinstance(loss, _CLASS_LOSSES) and targets.dtype.kind in "iub":
        targets = targets.astype(np.int64)
    else:
        targets = _numbers(targets, kind)
    if len(records) != len(targets):
        raise ShapeError(f"x has {len(records)} records and y has {len(targets)} targets")
    if not len(records):
        raise ShapeError("x has no records")
    if not isinstance(loss, _CLASS_LOSSES):
        shape = _output_shape(model, records[:2])
        if len(shape) == targets.ndim + 1 and shape[-1] == 1:
            targets = targets[..., None]
    return records, targets


def _output_shape(model: Any, x: Array) -> tuple[int, ...]:
    was_training = model.training
    model.eval()
    try:
        with recording(False):
            try:
                return capture(model, _tensor(x)).graph.outputs[0].shape
            except TraceError:
                return tuple(model(_tensor(x)).node.shape)
    finally:
        model.train(was_training)


def _validation(
    given: Any, data: tuple[Array, Array], loss: Any, model: Any, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array] | None]:
    x, y = data
    if given is None:
        return data, None
    if not isinstance(given, float):
        return data, _records(model, loss, *given)
    if not 0 < given < 1:
        raise ArgumentError(f"validation={given}: a share of the records lies between 0 and 1")
    order = Sampler(len(x), len(x), True, seed).order(0)
    if y.ndim == 1 and y.dtype.kind == "i":  # every class gives its share
        ranks = np.empty(len(x), np.int64)
        for label in np.unique(y):
            own = order[y[order] == label]
            ranks[own] = np.arange(len(own)) >= round(len(own) * given)
        test = order[ranks[order] == 0]
    else:
        test = order[: round(len(x) * given)]
    rest = np.setdiff1d(np.arange(len(x)), test)
    if not len(test) or not len(rest):
        raise ArgumentError(f"validation={given} of {len(x)} records leaves {len(test)} to validate on and {len(rest)} to train on")
    return (x[rest], y[rest]), (x[test], y[test])


def _classifies(loss: Any, y: Array) -> bool:
    return (isinstance(loss, _CLASS_LOSSES) and y.dtype.kind == "i") or isinstance(loss, _PROBABILITY_LOSSES)


def _tensor(array: Array) -> Tensor:
    return Tensor().wrap(leaf(array))
