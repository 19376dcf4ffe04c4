"""Where in the picture a quantity is: the unit, the weight or the edge that lights up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

from chalkgrad.worksheet import Worksheet, numbered

_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()")
_ARRAY = re.compile(r"([XYEZAWbδ])(?:\((\d+)\))?")  # what the layer view calls whole arrays


class Lights(TypedDict):
    """Parts of the picture, by their ids."""

    units: list[str]
    weights: list[str]
    loss: bool
    edges: list[str]


@dataclass(frozen=True)
class Line:
    """One weight of the picture: from a unit to a unit of the next layer."""

    id: str
    weight: str | float  # a parameter's name, or a number
    start: str
    end: str
    layer: int


@dataclass
class Places:
    """The picture of a worksheet, without numbers: who stands where, and under which id."""

    worksheet: Worksheet
    columns: list[list[str]] = field(default_factory=list)  # ids of units, inputs first
    names: dict[str, str] = field(default_factory=dict)  # what a unit is called, by its id
    quantities: dict[str, list[str]] = field(default_factory=dict)  # of a unit, in order
    lines: list[Line] = field(default_factory=list)
    unit: dict[str, str] = field(default_factory=dict)  # the unit of a quantity
    terms: dict[str, str] = field(default_factory=dict)  # the output unit of a loss term
    weights: dict[str, list[str]] = field(default_factory=dict)  # of a parameter
    biases: dict[str, list[str]] = field(default_factory=dict)  # the units of a parameter

    def __post_init__(self) -> None:
        if self.worksheet.layers:
            self._network()

    @property
    def records(self) -> int:
        return 1 if self.worksheet.data is None else self.worksheet.data.records

    def _network(self) -> None:
        sheet, names = self.worksheet, self.worksheet.names
        assert sheet.data is not None
        self._column([*sheet.data.inputs], [[name] for name in sheet.data.inputs])
        for k, layer in enumerate(sheet.layers):
            pairs = zip(names.sums[k], names.activations[k], strict=True)
            self._column([*layer.units], [list(dict.fromkeys(pair)) for pair in pairs])
            self._weights(k)
        outputs = self.columns[-1]
        for unit, target in zip(outputs, names.targets, strict=True):
            self._enter(unit, target, self.unit)
        for unit, term in zip(outputs, names.loss_terms, strict=False):
            self._enter(unit, term, self.terms)

    def _enter(self, unit: str, name: str, into: dict[str, str]) -> list[str]:
        several = [numbered(name, record, self.records) for record in range(self.records)]
        into.update(dict.fromkeys(several, unit))
        return several

    def _column(self, units: list[str], quantities: list[list[str]]) -> None:
        column = []
        for name, several in zip(units, quantities, strict=True):
            unit = name if name not in self.names else f"{name}·{len(self.columns)}"
            self.names[unit] = name
            column.append(unit)
            by_name = [self._enter(unit, quantity, self.unit) for quantity in several]
            self.quantities[unit] = [q for record in zip(*by_name, strict=True) for q in record]
        self.columns.append(column)

    def _weights(self, k: int) -> None:
        layer = self.worksheet.layers[k]
        below, column = self.columns[k], self.columns[k + 1]
        for end, row in zip(column, layer.weights, strict=True):
            for start, weight in zip(below, row, strict=True):
                id = self._line(weight, start, end)
                self.lines.append(Line(id, weight, start, end, k + 1))
        for unit, weight in zip(column, layer.bias or (), strict=False):
            if isinstance(weight, str):
                self.biases.setdefault(weight, []).append(unit)

    def _line(self, weight: str | float, start: str, end: str) -> str:
        if not isinstance(weight, str):
            return f"{start}→{end}"
        known = self.weights.setdefault(weight, [])
        known.append(weight if not known else f"{weight}·{len(known) + 1}")
        return known[-1]

    # Lights.
    def lights(self, *names: str) -> Lights:
        """Everything that these quantities are. A weight lights up with the units at its ends."""
        found: Lights = {"units": [], "weights": [], "loss": False, "edges": []}
        for name in names:
            self._add(found, name)
        return _once(found)

    def between(self, pairs: Iterable[tuple[str, str]]) -> Lights:
        """The way from quantities back to what they are computed from: (of, by)."""
        pairs = list(pairs)
        found = self.lights(*[name for pair in pairs for name in pair if self._is_point(name)])
        if self.worksheet.formulas:
            found["edges"] = list(dict.fromkeys(edge_id(of, by) for of, by in pairs))
            return found
        ways = {(self.unit.get(by), self.unit.get(of)) for of, by in pairs}
        found["weights"] += [ln.id for ln in self.lines if (ln.start, ln.end) in ways]
        for of, by in pairs:
            if not self._is_point(by):  # of a shared weight, the place where it is used
                own = [ln for ln in self.lines if ln.weight == by and ln.end == self.unit.get(of)]
                found["weights"] += [ln.id for ln in own]
                found["units"] += [ln.start for ln in own]
        return _once(found)

    def _is_point(self, name: str) -> bool:
        """Is it no weight, which would light up everywhere that it is used?"""
        return name not in self.weights and name not in self.biases

    def _add(self, found: Lights, name: str) -> None:
        if self.worksheet.formulas:
            found["units"].append(name)
        elif name in self.unit:
            found["units"].append(self.unit[name])
        elif name in self.terms:
            found["units"].append(self.terms[name])
            found["loss"] = True
        elif (whole := _ARRAY.fullmatch(name.translate(_LOWERED))) is not None:
            self._add_array(found, whole[1], int(whole[2] or 0))
        own = [line for line in self.lines if line.weight == name]
        found["weights"] += [line.id for line in own]
        found["units"] += [unit for line in own for unit in (line.start, line.end)]
        found["units"] += self.biases.get(name, ())
        found["loss"] = found["loss"] or name.partition("[")[0] == self._loss

    def _add_array(self, found: Lights, letter: str, layer: int) -> None:
        """A whole array of the layer view: all inputs, units, weights or targets of a layer."""
        if letter in "XYE":
            found["units"] += self.columns[0 if letter == "X" else -1]
        elif 0 < layer < len(self.columns):
            found["units"] += self.columns[layer]
            own = [line.id for line in self.lines if line.layer == layer]
            found["weights"] += own if letter == "W" else []

    @property
    def _loss(self) -> str:
        return self.worksheet.names.loss.partition("[")[0]


def _once(lights: Lights) -> Lights:
    lights["units"] = list(dict.fromkeys(lights["units"]))
    lights["weights"] = list(dict.fromkeys(lights["weights"]))
    return lights


def edge_id(of: str, by: str) -> str:
    """The arrow from a quantity to the one that is computed from it."""
    return f"{by}→{of}"
