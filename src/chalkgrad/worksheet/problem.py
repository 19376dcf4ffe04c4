"""A worksheet as a graph of double precision that has run, with every author's name in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, ChalkgradError, WorksheetError, nearest
from chalkgrad.core.graph import Node
from chalkgrad.core.scope import scope
from chalkgrad.formulas import Expression, Name, Number, evaluate
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    VALUE,
    WEIGHTED_SUM,
    Label,
)
from chalkgrad.formulas.records import records
from chalkgrad.nn import functional as F
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import piecewise
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.joining import stack
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.losses import loss_of
from chalkgrad.worksheet.parts import Column, Layer, Weight, numbered
from chalkgrad.worksheet.sheet import Worksheet


@dataclass(frozen=True, eq=False)
class Problem:
    """The graph of a worksheet. A parameter that is used twice is one leaf.

    >>> sheet = Worksheet.from_text('''
    ... [expression]
    ... J = "w * x^2"
    ... [values]
    ... w = 2
    ... x = 3
    ... ''')
    >>> problem = Problem.of(sheet)
    >>> problem.loss.backward()
    >>> problem.loss.item(), problem.parameters["x"].grad.item()
    (18.0, 12.0)
    """

    worksheet: Worksheet
    parameters: dict[str, Tensor]
    loss: Tensor
    outputs: Tensor | None = None  # of a network: (records, outputs)
    labels: dict[Node, Label] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # a second name → the name on the board

    @classmethod
    def of(cls, worksheet: Worksheet, values: Mapping[str, float] | None = None) -> Problem:
        """The graph at the worksheet's parameters, or with some of them changed by `values`.

        Raises WorksheetError where the numbers become such that the loss has no meaning.
        """
        parameters = parameters_of(worksheet, values)
        try:
            return built(worksheet, parameters, data_tracked=True)
        except ChalkgradError as error:
            raise WorksheetError(f"{worksheet.file}: {error}") from error


def parameters_of(
    worksheet: Worksheet, values: Mapping[str, float] | None = None
) -> dict[str, Tensor]:
    """A leaf of one number for each parameter."""
    for name in values or ():
        if name not in worksheet.parameters:
            offer = nearest(name, worksheet.parameters)
            raise ArgumentError(f"{worksheet.file} has no parameter {name!r}.{offer}")
    numbers = {**worksheet.parameters, **(values or {})}
    return {name: _leaf(number, name) for name, number in numbers.items()}


def built(worksheet: Worksheet, parameters: dict[str, Tensor], *, data_tracked: bool) -> Problem:
    """The graph over given parameters. Where data is not tracked, it is a constant."""
    if worksheet.formulas:
        return _of_formulas(worksheet, parameters)
    return _Network(worksheet, parameters, data_tracked).problem()


def _leaf(value: Any, name: str = "", *, tracked: bool = True) -> Tensor:
    tensor = holding(np.array(value, np.float64), tracked)
    if name:
        tensor.name = name
    return tensor


def _strings(names: Sequence[Any] | str) -> Any:
    return np.array(names, dtype=object)


@dataclass
class _Network:
    """Builds the layers, and labels what they compute."""

    worksheet: Worksheet
    parameters: dict[str, Tensor]
    data_tracked: bool
    labels: dict[Node, Label] = field(default_factory=dict)

    def problem(self) -> Problem:
        sheet = self.worksheet
        data, loss, names = sheet.data, sheet.loss, sheet.names
        assert data is not None
        assert loss is not None
        outputs = self._data(data.inputs.values(), tuple(data.inputs), INPUT, "inputs")
        for k, layer in enumerate(sheet.layers):
            outputs = self._layer(k, layer, outputs)
        target = self._data(data.targets.values(), names.targets, TARGET, "targets")
        logits = sheet.layers[-1].activation == "identity"
        total, terms = loss_of(loss, outputs, target, logits=logits)
        self._label_loss(total, terms)
        for name, parameter in self.parameters.items():
            self.labels[parameter.node] = Label(PARAMETER, _strings(name))
        return Problem(sheet, self.parameters, total, outputs, self.labels, self._aliases())

    @property
    def records(self) -> int:
        assert self.worksheet.data is not None
        return self.worksheet.data.records

    def _data(self, columns: Any, names: Sequence[str], kind: str, word: str) -> Tensor:
        rows: list[Column] = list(zip(*columns, strict=True))
        tensor = _leaf(rows, word, tracked=self.data_tracked)
        self._label(tensor, kind, names)
        return tensor

    def _label(self, of: Tensor, kind: str, names: Sequence[str], layer: int | None = None) -> None:
        """Names for an array of (records, names)."""
        count = self.records
        rows = [[numbered(name, record, count) for name in names] for record in range(count)]
        self.labels[of.node] = Label(kind, _strings(rows), layer, records=True)

    def _layer(self, k: int, layer: Layer, x: Tensor) -> Tensor:
        names = self.worksheet.names
        with scope(f"layers.{k}"):
            weight = stack([self._row(row) for row in layer.weights])
            bias = None if layer.bias is None else self._row(layer.bias)
            z = F.linear(x, weight, bias)
            self._label(z, WEIGHTED_SUM, names.sums[k], k + 1)
            function = ACTIVATIONS[layer.activation]
            if function is None:
                return z
            a = function(z)
        self._label(a, ACTIVATION, names.activations[k], k + 1)
        return a

    def _row(self, weights: Sequence[Weight]) -> Tensor:
        row: Tensor = stack([self._weight(weight) for weight in weights])
        return row

    def _weight(self, weight: Weight) -> Tensor:
        if isinstance(weight, str):
            return self.parameters[weight]
        return _leaf(weight, tracked=False)

    def _label_loss(self, total: Tensor, terms: Tensor) -> None:
        names, count = self.worksheet.names, self.records
        if names.loss_terms:
            self._label(terms, LOSS_TERM, names.loss_terms)
        elif count > 1:  # cross-entropy on logits: a term a record
            named = [numbered(names.loss, record, count) for record in range(count)]
            self.labels[terms.node] = Label(LOSS_TERM, _strings(named), records=True)
        self.labels[total.node] = Label(LOSS, _strings(names.loss))

    def _aliases(self) -> dict[str, str]:
        found, count = {}, self.records
        for alias, name in self.worksheet.names.aliases.items():
            for record in range(count):
                found[numbered(alias, record, count)] = numbered(name, record, count)
        return found


# Formulas.
_FOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": e.add, "max": piecewise.maximum, "min": piecewise.minimum,
}  # fmt: skip


class _Tensors:
    """The arithmetic of tensors of one number: each function is its primitive."""

    def __init__(self, some: Tensor) -> None:
        self.some = some  # knows how to write a number as a literal of its type

    def number(self, number: Number) -> Tensor:
        return self.some.literal(number.value)

    def apply(self, function: str, arguments: Sequence[Tensor]) -> Tensor:
        if function in _FOLDS:
            return reduce(_FOLDS[function], arguments)
        out: Tensor = records()[function](*arguments)
        return out


def _of_formulas(worksheet: Worksheet, parameters: dict[str, Tensor]) -> Problem:
    known = dict(parameters)
    labels = {tensor.node: Label(PARAMETER, _strings(name)) for name, tensor in parameters.items()}
    arithmetic = _Tensors(next(iter(parameters.values())))

    def value(part: Expression) -> Tensor:
        assert isinstance(part, Name)
        return known[part.text]

    loss = worksheet.names.loss
    for name, line in worksheet.formulas.items():
        with scope(name):
            result = evaluate(line, value, arithmetic)
            if result.node.primitive is None or result.node in labels:
                result = e.copy(result)  # x, or max(x), is a quantity of its own all the same
        known[name] = result
        labels[result.node] = Label(LOSS if name == loss else VALUE, _strings(name))
    return Problem(worksheet, parameters, known[loss], None, labels)
