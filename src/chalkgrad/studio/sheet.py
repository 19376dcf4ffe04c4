"""A worksheet as what the studio shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors.compiling import compile
from chalkgrad.explain import Derivation, Update, explain
from chalkgrad.explain.diagnose import Diagnosis, diagnose
from chalkgrad.explain.elements import At
from chalkgrad.explain.update import update_of
from chalkgrad.formulas import Name, latex
from chalkgrad.nn import functional
from chalkgrad.optim import Optimizer
from chalkgrad.studio import edits
from chalkgrad.studio.asked import Asked
from chalkgrad.studio.choices import settings_of
from chalkgrad.studio.exports import exported
from chalkgrad.studio.limits import MOST_PARAMETERS, MOST_RECORDS_AT_ONCE, MOST_UNITS, MOST_UPDATES
from chalkgrad.studio.marking import marks_of
from chalkgrad.studio.numbers import number
from chalkgrad.studio.paper import Paper
from chalkgrad.studio.passes import Pass, alone
from chalkgrad.studio.places import Lights, Places
from chalkgrad.studio.scene import scene_of
from chalkgrad.studio.share import packed
from chalkgrad.studio.steps import steps_of
from chalkgrad.studio.subject import Json, Look, Manner, Memory, Subject, Values
from chalkgrad.studio.trainer import Trainer
from chalkgrad.studio.views import curve, health, plane
from chalkgrad.studio.why import forward_of, why_of
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.worksheet import Worksheet, optimizer_of
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.learning import training_step
from chalkgrad.worksheet.problem import parameters_of

_NO_IMAGE = "this network's inputs are no image; open the digits to draw one"
_MANY = "so many updates are not stepped one by one; ask a weight why, and its update is shown"
_OF_A_NETWORK = ("activation", "loss", "units", "layers", "seed")


@dataclass(frozen=True, eq=False)
class Sheet:
    """A worksheet, the text that it stands in, and the seed that its weights were drawn from."""

    worksheet: Worksheet
    paper: Paper
    seed: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def from_text(
        cls, text: str, name: str = "worksheet", *, seed: int = 0, notes: tuple[str, ...] = ()
    ) -> Sheet:
        """The worksheet in a text, checked, and run once."""
        sheet = cls(Worksheet.from_text(text, name=name), Paper(text), seed, notes)
        _ = sheet.whole
        return sheet

    @classmethod
    def of(cls, worksheet: Worksheet) -> Sheet:
        """A worksheet that was read; what it takes from a CSV beside it comes into its text."""
        paper = Paper(worksheet.text)
        if worksheet.data is not None:
            paper = paper.with_data(worksheet.data)
        return cls.from_text(paper.text, worksheet.file)

    @property
    def title(self) -> str:
        return self.worksheet.title or self.worksheet.file

    @property
    def records(self) -> int:
        return 1 if self.worksheet.data is None else self.worksheet.data.records

    @property
    def all_at_once(self) -> bool:
        return self.records <= MOST_RECORDS_AT_ONCE

    # Numbers.
    @cached_property
    def whole(self) -> Pass:
        """The pass of all records."""
        return Pass.of(self.worksheet)

    def rest(self) -> None:
        self.__dict__.pop("whole", None)

    def loss(self) -> float:
        return self.whole.loss

    def shown(self, record: int | None) -> tuple[Pass, Places]:
        """The pass that is looked at: of one record, or of all."""
        if record is None or self.records == 1:
            return self.whole, Places(self.worksheet)
        one = alone(self.worksheet, record)
        return Pass.of(one), Places(one)

    def with_values(self, values: Values) -> Sheet:
        """The worksheet with other numbers for its parameters."""
        numbers = {name: float(value) for name, value in values.items()}
        moved = replace(self.worksheet, parameters={**self.worksheet.parameters, **numbers})
        return replace(self, worksheet=moved, paper=self.__dict__.get("now", self.paper))

    @cached_property
    def now(self) -> Paper:
        """The worksheet's text as it is now."""
        return self.paper.with_values(self.worksheet.parameters)

    @property
    def values(self) -> Values:
        return self.worksheet.parameters

    # Training: an update takes all records.
    @property
    def updates_an_epoch(self) -> int:
        return 1

    def trainer(self) -> Trainer:
        parameters = parameters_of(self.worksheet)
        optimizer = optimizer_of(self.worksheet, parameters)
        step = training_step(self.worksheet, parameters, optimizer)
        return Trainer(parameters, optimizer, compile(step))

    def trains_like(self, other: Subject) -> bool:
        return isinstance(other, Sheet) and _structure(self.worksheet) == _structure(
            other.worksheet
        )

    # Beside the network.
    def arrays(self) -> tuple[Array, Array]:
        """Inputs and targets, a row for each record."""
        data = self.worksheet.data
        assert data is not None
        x, y = (list(zip(*part.values(), strict=True)) for part in (data.inputs, data.targets))
        return np.array(x, np.float64), np.array(y, np.float64)

    def outputs(self, x: Array) -> Array:
        """What the network gives for other inputs."""
        found = Tensor().wrap(leaf(x))
        with recording(False):
            for layer in self.worksheet.layers:
                bias = None if layer.bias is None else self._tensor(layer.bias)
                found = functional.linear(found, self._tensor(layer.weights), bias)
                function = ACTIVATIONS[layer.activation]
                found = found if function is None else function(found)
        return np.asarray(found.node.value)

    def _tensor(self, weights: Sequence[Any]) -> Tensor:
        """Names in (lists of) weights replaced by their numbers."""

        def number_of(weight: Any) -> Any:
            if isinstance(weight, tuple):
                return [number_of(part) for part in weight]
            return self.worksheet.parameters[weight] if isinstance(weight, str) else weight

        return Tensor().wrap(leaf(np.array(number_of(tuple(weights)), np.float64)))

    def _view(self, memory: Memory | None, known: Json | None = None) -> Json:
        found: Json = {"plane": None, "curve": None, "digits": None}
        if self.worksheet.data is not None:
            x, y = self.arrays()
            names = list(self.worksheet.data.inputs)
            found["plane"] = plane(names, x, y, self.outputs)
            found["curve"] = curve(names, x, y, self.outputs)
        return found | (self._health(memory) if known is None else known)

    def _health(self, memory: Memory | None) -> Json:
        diagnosis = self._diagnosis(memory)
        return {
            "health": health(diagnosis, self._layer_parameters()),
            "gradients": [{"name": n.name, "size": number(n.gradient)} for n in diagnosis.layers],
        }

    def _diagnosis(self, memory: Memory | None) -> Diagnosis:
        problem = self.whole.problem
        optimizer = self._optimizer(memory) if self.worksheet.update is not None else None
        labels = problem.labels
        return diagnose(problem.loss, optimizer=optimizer, labels=labels, shares=False)

    def _layer_parameters(self) -> list[tuple[str, list[str]]]:
        layers = self.worksheet.layers
        return [
            (f"layer {k}", [w for row in layer.weights for w in row if isinstance(w, str)])
            for k, layer in enumerate(layers, 1)
        ]

    # Replies.
    def scene(self, look: Look) -> Json:
        ran, places = self.shown(look.record)
        return scene_of(places, ran, look.first, formulas=False)

    def moving(self, look: Look, memory: Memory | None, known: Json | None) -> Json:
        return {"scene": self.scene(look), "view": self._view(memory, known)}

    def state(self, look: Look, memory: Memory | None) -> Json:
        ran, places = self.shown(look.record)
        stepped = self._is_stepped()
        moving = self._moving() if stepped else []
        few = len(moving) <= MOST_UPDATES
        updates = self._updates(memory) if moving and few else []
        loss = Name(self.worksheet.names.loss)
        return {
            "title": self.title,
            "source": self.worksheet.source,
            "kind": "formula" if self.worksheet.formulas else "network",
            "loss": {"name": loss.text, "value": number(self.loss()), "symbol": latex(loss)},
            "records": self.records,
            "record": look.record,
            "record_names": [str(k + 1) for k in range(self.records)],
            "settings": self._settings(),
            "scene": scene_of(places, ran, look.first, formulas=stepped),
            "steps": steps_of(places, ran.board, updates, loss) if stepped else [],
            "worksheet": self.now.text,
            "share": packed(self.now.text),
            "view": self._view(memory),
            "notes": [*self.worksheet.notes, *self.notes, *([] if few else [_MANY])],
        }

    def _is_stepped(self) -> bool:
        units = sum(len(layer.units) for layer in self.worksheet.layers)
        return units <= MOST_UNITS and len(self.worksheet.parameters) <= MOST_PARAMETERS

    def _settings(self) -> Json:
        sheet = self.worksheet
        update = None
        if sheet.update is not None:
            rule = sheet.update.rule.lower()
            given = {
                "learning_rate" if name == "lr" else name: list(v) if isinstance(v, tuple) else v
                for name, v in sheet.update.settings.items()
            }
            update = {"rule": rule, **settings_of(rule), **given}
        loss = sheet.loss
        return {
            "update": update,
            "loss": loss and {"kind": loss.kind, "over_records": loss.over_records},
            "layers": [
                {"layer": k, "units": len(layer.units), "activation": layer.activation}
                for k, layer in enumerate(sheet.layers, 1)
            ],
            "seed": self.seed,
            "fixed": list(_OF_A_NETWORK) if sheet.formulas else [],
        }

    def _moving(self) -> list[str]:
        """The parameters that the update moves."""
        update = self.worksheet.update
        if update is None:
            return []
        return [name for name in self.worksheet.parameters if name not in update.frozen]

    def _updates(self, memory: Memory | None) -> list[Update]:
        """The update of every parameter that moves, with the gradients of all records."""
        problem, gradients = self.whole.problem, self.whole.gradients
        optimizer = self._optimizer(memory)
        loss = Name(self.worksheet.names.loss)
        found = []
        for name, tensor in problem.parameters.items():
            at = At(tensor.node, ())
            found.append(update_of(optimizer, tensor, at, Name(name), loss, gradients[name]))
        return [update for update in found if update is not None]

    def _optimizer(self, memory: Memory | None) -> Optimizer:
        """The optimizer of the parameters of the pass, with what it remembers."""
        parameters = self.whole.problem.parameters
        optimizer = optimizer_of(self.worksheet, parameters)
        for name, state in (memory or {}).items():
            for key, array in state.items():
                optimizer.state[parameters[name]][key] = Tensor().wrap(leaf(array))
        return optimizer

    def why(self, wrt: str, manner: Manner, look: Look) -> Json:
        worksheet = self._explained(look.record)
        view, names, digits = manner
        loss = wrt in (self.worksheet.names.loss, worksheet.names.loss)
        asked = next(iter(worksheet.parameters)) if loss else wrt
        derivation = explain(worksheet, asked, view=view, names=names, digits=digits)
        places = Places(worksheet)
        own = self._own_names(worksheet, derivation) if names != "lecture" else {}

        def lights(several: Sequence[str]) -> Lights:
            return places.lights(*(own.get(name, name) for name in several))

        def between(pairs: Sequence[tuple[str, str]]) -> Lights:
            return places.between((own.get(a, a), own.get(b, b)) for a, b in pairs)

        return forward_of(derivation, lights) if loss else why_of(derivation, lights, between)

    def _explained(self, record: int | None) -> Worksheet:
        if record is None or self.records == 1:
            return self.worksheet
        return alone(self.worksheet, record)

    def _own_names(self, worksheet: Worksheet, derivation: Derivation) -> dict[str, str]:
        """What a quantity is called here, by its name in another custom."""
        own = Pass.of(worksheet).board.quantities
        other = derivation.board.quantities
        return dict(zip(other, own, strict=True)) if len(own) == len(other) else {}

    # Images are for models.
    @property
    def width(self) -> int:
        return 0 if self.worksheet.data is None else len(self.worksheet.data.inputs)

    def drawn(self, pixels: list[float]) -> Json:
        raise ArgumentError(_NO_IMAGE)

    def taught(self, pixels: list[float], label: int) -> Sheet:
        raise ArgumentError(_NO_IMAGE)

    # To take away.
    def mark(self, answers: str, look: Look) -> Json:
        return marks_of(self._explained(look.record), answers)

    def export(self, format: str, wrt: str | None, manner: Manner, look: Look) -> Json:
        worksheet = self._explained(look.record)
        return exported(format, self.now.text, worksheet, self.worksheet, wrt, manner)

    # Edits.
    def edited(self, change: Asked, look: Look) -> Sheet:
        edit = edits.read(change, self.worksheet, look.record)
        if isinstance(edit, str):
            return Sheet.from_text(edit, self.worksheet.file, seed=self.seed)
        return self._rewritten(edit.write, edit.seed)

    def _rewritten(self, write: Callable[[Any], None], seed: int | None) -> Sheet:
        paper = self.now.changed(write)
        worksheet = Worksheet.from_text(paper.text, name=self.worksheet.file)
        if not worksheet.parameters:
            raise ArgumentError("there would be no parameter left")
        made = Sheet(worksheet, paper, self.seed if seed is None else seed, self.notes)
        _ = made.whole
        return made


def _structure(worksheet: Worksheet) -> tuple[Any, ...]:
    """All of a worksheet that its compiled step depends on; not the numbers of parameters."""
    sheet = worksheet
    return (
        sheet.layers, sheet.data, sheet.loss, sheet.update, sheet.formulas, list(sheet.parameters),
    )  # fmt: skip
