"""A person's own model in the studio: with its data, and the loss and optimizer of its training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, DataError, TypeMismatch
from chalkgrad.core.graph import Array
from chalkgrad.optim import Optimizer
from chalkgrad.studio.limits import MOST_PARAMETERS, MOST_UNITS
from chalkgrad.studio.net import Image, Net, sheet_of
from chalkgrad.studio.net_edits import Update
from chalkgrad.studio.network import Network, Records
from chalkgrad.studio.subject import Subject
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training.table_run import Settings, load_run
from chalkgrad.worksheet.updates import RULES as OPTIMIZERS

_RECORDS = 500  # of a worksheet
_SETTING_TYPES = (bool, int, float, tuple)


def of_model(
    model: Any, x: Any, y: Any, *, loss: str = "", optimizer: Optimizer | None = None,
    title: str = "A model", labels: tuple[str, ...] = (),
) -> Subject:  # fmt: skip
    """A model with its data: `x` has a row for each record, `y` class numbers or rows of numbers.

    A small one becomes a worksheet, which can be stepped and edited whole. `loss` is one of a
    worksheet's; left out, it is cross-entropy for classes, binary cross-entropy behind a sigmoid,
    else the mean squared error. `optimizer` gives the rule and the settings of the training.

    Raises TypeMismatch or DataError for a model that is no `nn.Sequential` of Linear layers and
    activations, or data that does not fit it.
    """
    network = Network.of(model)
    inputs, targets = _array(x, "x"), _array(y, "y")
    if targets.dtype.kind not in "iu" and targets.ndim == 1:
        targets = targets[:, None]
    records = Records(inputs, targets, loss or _usual_loss(network, targets))
    update = {"rule": "sgd", "learning_rate": 0.1} if optimizer is None else _update(optimizer)
    made = Net(title, "", network, records, update, image=_image(network, records, labels))
    units = sum(stage.units for stage in network.stages)
    small = units <= MOST_UNITS and network.size <= MOST_PARAMETERS and len(inputs) <= _RECORDS
    if small:
        return sheet_of(title, network, records, update)
    kind = network.values["0.weight"].dtype
    return replace(made, data=replace(records, x=inputs.astype(kind)))


def _array(data: Any, what: str) -> Array:
    if isinstance(data, Tensor):
        data = data.detach().numpy()
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise DataError(f"{what} is no array of numbers: {error}") from None
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        raise TypeMismatch(f"{what} must be an array of numbers, a row for each record")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{what} has numbers that are not finite; fill them in or leave them out")
    return array if what == "y" else array.reshape(len(array), -1).astype(np.float64)


def _usual_loss(network: Network, y: Array) -> str:
    last = network.stages[-1].activation
    if y.dtype.kind in "iu" or last == "softmax":
        return "cross_entropy"
    binary = last == "sigmoid" and bool(np.isin(y, (0, 1)).all())
    return "binary_cross_entropy" if binary else "mean_squared_error"


def _update(optimizer: Optimizer) -> Update:
    if not isinstance(optimizer, Optimizer):
        raise TypeMismatch(f"optimizer is one of chalkgrad.optim, not {type(optimizer).__name__}")
    rule = type(optimizer).__name__.lower()
    if rule not in OPTIMIZERS:
        raise ArgumentError(f"{type(optimizer).__name__} has no equation of its updates to show")
    given = {k: v for k, v in optimizer.param_groups[0].items() if isinstance(v, _SETTING_TYPES)}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
    known = ("params", "foreach", "capturable", "differentiable", "fused")
    settings = {k: v for k, v in plain.items() if k not in known}
    return {"rule": rule, "learning_rate": settings.pop("lr"), **settings}


def _image(network: Network, records: Records, labels: tuple[str, ...]) -> Image | None:
    """Square inputs between 0 and 1 with classes are taken for a picture."""
    side = round(network.width**0.5)
    inside = records.x.min() >= 0 and records.x.max() <= 1
    if side < 4 or side * side != network.width or records.y.ndim != 1 or not inside:
        return None
    outputs = network.stages[-1].units
    return Image(side, side, labels or tuple(str(k) for k in range(outputs)))


def of_run(folder: Path) -> Subject:
    """The network of a run folder (`chalkgrad train … --save`), with the data that it was for."""
    settings, model = Settings.from_toml(folder / "settings.toml"), load_run(folder)
    if not Path(settings.data).exists():
        raise DataError(
            f"{folder} was trained on {settings.data}, which is not there; start the studio where "
            "that path leads to it"
        )
    table = settings.read(settings.data)
    x, _ = model.preprocessor.transform(table)
    y = model.schema.target.encode(table)
    targets = y if model.scaler is None else model.scaler.transform(y)
    title = f"{model.schema.target.name} from {Path(settings.data).name}"
    return of_model(model.network, x, targets, title=title, labels=model.classes)
