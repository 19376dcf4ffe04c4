"""A model with its data as what the studio shows: too large to be stepped whole, so it is folded.

One record at a time is looked at, and one gradient is derived when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors.compiling import compile
from chalkgrad.explain import explain
from chalkgrad.explain.diagnose import Diagnosis, diagnose
from chalkgrad.formulas import Name, latex
from chalkgrad.studio import net_edits
from chalkgrad.studio.asked import Asked
from chalkgrad.studio.choices import settings_of
from chalkgrad.studio.exports import DERIVATIONS, derived, file_stem
from chalkgrad.studio.folded import FoldedScene, Lamp
from chalkgrad.studio.net_edits import Update, optimizer_of
from chalkgrad.studio.network import Network, Records, tensor
from chalkgrad.studio.numbers import number
from chalkgrad.studio.sheet import Sheet
from chalkgrad.studio.subject import Json, Look, Manner, Memory, Subject, Values
from chalkgrad.studio.trainer import Trainer, batches
from chalkgrad.studio.views import curve, health, plane
from chalkgrad.studio.why import forward_of, why_of
from chalkgrad.studio.writing import Design, worksheet_text
from chalkgrad.tensor.tensor import Tensor

_DIAGNOSED = 50_000  # numbers of the records that the diagnosis looks at
_MEASURED = 600_000  # those of the records whose loss is measured
_WRITTEN = 20_000  # parameters of a program or a worksheet
_NAMED = 500  # records that a list can name
_FIXED = ("layers", "loss", "inputs", "targets")


@dataclass(frozen=True)
class Image:
    """Inputs that are the pixels of a picture, and what the outputs are called."""

    width: int
    height: int
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Net:
    """A network, its records and the optimizer of its training."""

    title: str
    source: str
    network: Network
    data: Records
    update: Update = field(default_factory=lambda: {"rule": "sgd", "learning_rate": 0.1})
    batch: int = 32
    seed: int = 0
    image: Image | None = None

    def __post_init__(self) -> None:
        self._check()

    def _check(self) -> None:
        outputs, y = self.network.stages[-1].units, self.data.y
        if self.data.x.shape[1] != self.network.width:
            raise ArgumentError(
                f"the records have {self.data.x.shape[1]} numbers each; the network takes "
                f"{self.network.width}"
            )
        wrong = y.max() >= outputs or y.min() < 0 if y.ndim == 1 else y.shape[1:] != (outputs,)
        if wrong:
            what = (
                f"classes up to {y.max()}" if y.ndim == 1 else f"targets of {y.shape[1:]} numbers"
            )
            raise ArgumentError(f"{what} do not fit the network's {outputs} outputs")

    @property
    def records(self) -> int:
        return len(self.data.x)

    @property
    def all_at_once(self) -> bool:
        return False

    @property
    def width(self) -> int:
        return self.network.width

    @property
    def values(self) -> Values:
        return self.network.values

    def with_values(self, values: Values) -> Net:
        known = self.network.values
        arrays = {name: np.asarray(values.get(name, array)) for name, array in known.items()}
        return replace(self, network=replace(self.network, values=arrays))

    @property
    def labels(self) -> tuple[str, ...]:
        """What the outputs are called, if anything."""
        return () if self.image is None else self.image.labels

    @property
    def logits(self) -> bool:
        """Does the loss do the softmax itself?"""
        return (
            self.data.loss == "cross_entropy" and self.network.stages[-1].activation == "identity"
        )

    def rest(self) -> None:
        self.network.__dict__.pop("reading", None)

    # Numbers.
    def loss(self) -> float:
        return self._loss_now

    @cached_property
    def _loss_now(self) -> float:
        with recording(False):
            return float(self.loss_tensor(self.network.reading, self.measured).node.value)

    @property
    def measured(self) -> Records:
        """The records whose loss is shown: all, or as many as can be computed at once."""
        return self.data.first(max(1, _MEASURED // self.width))

    def loss_tensor(self, module: Any, data: Records, *, named: bool = False) -> Tensor:
        """The loss of some records; with names for their inputs, which then have gradients."""
        x, y = self._tensors(data)
        if named:
            x._become(leaf(x.node.value, tracked=True, name="x"))
        return data.loss_of(module(x), y, logits=self.logits)

    def _tensors(self, data: Records) -> tuple[Tensor, Tensor]:
        kind = self.network.values["0.weight"].dtype
        y = data.y if data.y.ndim == 1 else data.y.astype(kind, copy=False)
        return tensor(data.x.astype(kind, copy=False)), tensor(y)

    def outputs(self, x: Array) -> Array:
        """What the network says; of logits the probabilities."""
        found = self.network.outputs(x)
        if not self.logits:
            return found
        shifted = np.exp(found - found.max(1, keepdims=True))
        whole: Array = shifted / shifted.sum(1, keepdims=True)
        return whole

    # Training.
    @property
    def updates_an_epoch(self) -> int:
        return max(1, self.records // self._batch)

    @property
    def _batch(self) -> int:
        return min(self.batch, self.records)

    def trainer(self) -> Trainer:
        module = self.network.module()
        optimizer = optimizer_of(self.update, list(module.parameters()))
        data, logits = self.data, self.logits

        def step(x: Tensor, y: Tensor) -> Tensor:
            optimizer.zero_grad()
            loss = data.loss_of(module(x), y, logits=logits)
            loss.backward()
            optimizer.step()
            return loss

        rows = batches(self.records, self._batch, self.seed)
        given = self._tensors(data)
        return Trainer(dict(module.named_parameters()), optimizer, compile(step), given, rows)

    def trains_like(self, other: Subject) -> bool:
        return (
            isinstance(other, Net)
            and self.network.stages == other.network.stages
            and self.data is other.data
            and dict(self.update) == dict(other.update)
            and self.batch == other.batch
        )

    def drawn(self, pixels: list[float]) -> Json:
        if self.image is None:
            raise ArgumentError("this network's inputs are no image; open the digits to draw one")
        found = self.outputs(np.array([pixels]))[0]
        labels = self.image.labels
        bars = [{"label": n, "value": number(v)} for n, v in zip(labels, found, strict=True)]
        return {"outputs": bars, "loss": None}

    def taught(self, pixels: list[float], label: int) -> Net:
        if self.image is None or label >= len(self.image.labels):
            raise ArgumentError(f"there is no label number {label}")
        one = Records(np.array([pixels]), np.array([label]), self.data.loss)
        alone = replace(self, data=one)
        trainer = alone.trainer()
        trainer.begin(self.values, None)
        made = trainer.advance(0, 1)
        if not made.finite:
            raise ArgumentError("the update gives numbers that are not finite; nothing was changed")
        return self.with_values(trainer.held().values)

    # Replies.
    def state(self, look: Look, memory: Memory | None) -> Json:
        loss = Name("loss")
        record = look.record or 1
        return {
            "title": self.title,
            "source": self.source,
            "kind": "network",
            "loss": {"name": "loss", "value": number(self.loss()), "symbol": latex(loss)},
            "records": self.records,
            "record": record,
            "record_names": self._record_names(),
            "settings": self._settings(),
            "scene": self.scene(look),
            "steps": [],
            "worksheet": None,
            "share": None,
            "view": self._view(record),
            "notes": [*self.network.notes, *self._notes()],
        }

    def scene(self, look: Look) -> Json:
        return FoldedScene(self, look.record or 1, look.first).scene()

    def moving(self, look: Look, memory: Memory | None, known: Json | None) -> Json:
        return {"scene": self.scene(look), "view": self._view(look.record or 1, known)}

    def _record_names(self) -> list[str]:
        if self.records > _NAMED:
            return []
        return [str(k + 1) for k in range(self.records)]

    def _notes(self) -> list[str]:
        count = len(self.measured.x)
        if count == self.records:
            return []
        return [f"the loss that is shown is that of the first {count:,} records"]

    def _settings(self) -> Json:
        stages = self.network.stages
        rule = self.update["rule"]
        return {
            "update": {"rule": rule, **settings_of(rule), **self.update},
            "loss": {"kind": self.data.loss, "over_records": "mean"},
            "layers": [
                {"layer": k, "units": stage.units, "activation": stage.activation}
                for k, stage in enumerate(stages, 1)
            ],
            "seed": self.seed,
            "fixed": list(_FIXED),
        }

    def _view(self, record: int, known: Json | None = None) -> Json:
        names = [f"x{k + 1}" for k in range(self.width)]
        y = self.data.y
        rows = y if y.ndim == 2 else np.eye(self.network.stages[-1].units)[y]
        return {
            "plane": plane(names, self.data.x, rows, self.outputs),
            "curve": curve(names, self.data.x, rows, self.outputs),
            "digits": None if self.image is None else self._digits(self.image, record),
            **(self._health() if known is None else known),
        }

    def _health(self) -> Json:
        diagnosis = self._diagnosis()
        places = enumerate(self.network.places, 1)
        sizes = [
            {"name": f"layer {k}", "size": number(layer.gradient)}
            for k, layer in enumerate(diagnosis.layers, 1)
        ]
        layers = [(f"layer {k}", [f"{place}.weight"]) for k, place in places]
        return {"health": health(diagnosis, layers), "gradients": sizes}

    def _diagnosis(self) -> Diagnosis:
        module = self.network.reading
        count = max(1, min(256, _DIAGNOSED // self.width))
        optimizer = optimizer_of(self.update, list(module.parameters()))
        loss = self.loss_tensor(module, self.data.first(count))
        return diagnose(loss, optimizer=optimizer, shares=False)

    def _digits(self, image: Image, record: int) -> Json:
        pixels = self.data.x[record - 1]
        return {
            "width": image.width, "height": image.height, "labels": list(image.labels),
            "pixels": [round(float(pixel), 4) for pixel in pixels],
            "label": int(self.data.y[record - 1]),
        }  # fmt: skip

    def why(self, wrt: str, manner: Manner, look: Look) -> Json:
        view, names, digits = manner
        module = self.network.reading
        loss = self.loss_tensor(module, self.data.only(look.record or 1), named=True)
        optimizer = optimizer_of(self.update, list(module.parameters()))
        whole = wrt == "loss"
        asked = "0.weight[0,0]" if whole else wrt
        derivation = explain(
            loss,
            asked,
            optimizer=optimizer,
            view=view,
            names=names,
            digits=digits,
            title=self.title,
        )
        places = Lamp(self)
        if whole:
            return forward_of(derivation, places.lights)
        return why_of(derivation, places.lights, places.between)

    def mark(self, answers: str, look: Look) -> Json:
        raise ArgumentError("working can be marked for a worksheet; this network is too large")

    def export(self, format: str, wrt: str | None, manner: Manner, look: Look) -> Json:
        if format in DERIVATIONS or format == "pdf":
            view, names, digits = manner
            module, one = self.network.reading, self.data.only(look.record or 1)
            loss = self.loss_tensor(module, one, named=True)
            derivation = explain(loss, wrt, view=view, names=names, digits=digits, title=self.title)
            return derived(format, derivation, file_stem(self.title))
        return self.as_sheet(look.record or 1).export(format, wrt, manner, Look())

    def as_sheet(self, record: int | None) -> Sheet:
        """The network as a worksheet: with one of its records, or with all."""
        if self.network.size > _WRITTEN:
            raise ArgumentError(
                f"the network has {self.network.size:,} parameters; at most {_WRITTEN:,} are "
                "written down in a worksheet or a program"
            )
        data = self.data if record is None else self.data.only(record)
        return sheet_of(self.title, self.network, data, self.update)

    def edited(self, change: Asked, look: Look) -> Net:
        network, update, seed = net_edits.edited(change, self.network, self.update, self.seed)
        return replace(self, network=network, update=update, seed=seed)


def sheet_of(title: str, network: Network, data: Records, update: Update) -> Sheet:
    """A network with its records as a worksheet."""
    outputs = network.stages[-1].units
    y = np.eye(outputs)[data.y] if data.y.ndim == 1 else data.y
    kinds = {stage.activation for stage in network.stages[:-1]}
    design = Design(
        title, "", {f"x{k + 1}": data.x[:, k] for k in range(network.width)},
        {f"o{k + 1}": y[:, k] for k in range(outputs)},
        [stage.units for stage in network.stages[:-1]], next(iter(kinds), "identity"),
        network.stages[-1].activation, data.loss, update,
        weights=list(_arrays(network)), decimals=None,
        activations=[stage.activation for stage in network.stages],
    )  # fmt: skip
    return Sheet.from_text(worksheet_text(design), title, notes=network.notes)


def _arrays(network: Network) -> Iterator[Array | None]:
    for place in network.places:
        yield network.values[f"{place}.weight"]
        yield network.values.get(f"{place}.bias")
