"""Units and layers added to a worksheet's text and taken out of it, with weights for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import tomlkit

from chalkgrad.formulas.spelling import canonical
from chalkgrad.studio.drawing import drawn
from chalkgrad.worksheet import Worksheet

_STEMS = ("h", "g", "k", "m", "p", "q", "r", "s", "u", "v")
_WIDTH = 2  # of a layer that is added


class Structure:
    """One change of the layers. What is new gets names that are free, what nothing uses goes."""

    def __init__(self, document: Any, worksheet: Worksheet) -> None:
        self.document, self.sheet = document, worksheet
        self.layers = document["layer"]
        self.parameters = document["parameters"]
        self.taken = {canonical(name) for name in _all_names(worksheet)}
        self.seed = len(worksheet.parameters)  # another structure draws other weights

    def resize(self, layer: int, count: int) -> None:
        """Give a layer, counted from 1, so many units."""
        table, above = self.layers[layer - 1], self.layers[layer]
        units, weights = table["units"], table["weights"]
        while len(units) > count:
            del units[-1]
            del weights[-1]
            if isinstance(table.get("bias"), list):
                del table["bias"][-1]
            for row in above["weights"]:
                del row[-1]
        while len(units) < count:
            self._add_unit(layer, table, above)
        self._forget_unused()

    def _add_unit(self, layer: int, table: Any, above: Any) -> None:
        inputs = len(table["weights"][0])
        table["units"].append(self._unit(list(table["units"])))
        table["weights"].append(self._new("w", inputs, inputs))
        bias = table.get("bias")
        if isinstance(bias, list):
            shared = len(bias) > 1 and len(set(map(str, bias))) == 1
            bias.append(bias[0] if shared else self._new("b", 1, inputs)[0])
        for row in above["weights"]:
            row.append(self._new("w", 1, len(row) + 1)[0])

    def add_layer(self, place: int) -> None:
        """A hidden layer before the layer that is at this place."""
        above = self.layers[place - 1]
        inputs = len(above["weights"][0])
        width = _WIDTH if place == len(self.layers) else len(above["units"])
        stem = self._stem(width)
        table = tomlkit.table()
        table.add("units", [f"{stem}{k + 1}" for k in range(width)])
        self.taken |= {canonical(f"{stem}{k + 1}") for k in range(width)}
        table.add("weights", [self._new("w", inputs, inputs) for _ in range(width)])
        table.add("bias", self._new("b", width, inputs))
        table.add("activation", self._hidden_activation())
        for row in above["weights"]:
            row.clear()
            row.extend(self._new("w", width, width))
        self._insert(place - 1, table)
        self._forget_unused()

    def remove_layer(self, place: int) -> None:
        """Take a hidden layer out: the next one reads what it has read."""
        inputs = len(self.layers[place - 1]["weights"][0])
        for row in self.layers[place]["weights"]:
            row.clear()
            row.extend(self._new("w", inputs, inputs))
        self._rebuild([t for k, t in enumerate(self.layers) if k != place - 1])
        self._forget_unused()

    def _insert(self, index: int, table: Any) -> None:
        tables = list(self.layers)
        tables.insert(index, table)
        self._rebuild(tables)

    def _rebuild(self, tables: Iterable[Any]) -> None:
        made = tomlkit.aot()
        for table in tables:
            made.append(table)
        self.document["layer"] = made
        self.layers = made

    def _hidden_activation(self) -> str:
        hidden = [layer.activation for layer in self.sheet.layers[:-1]]
        first = hidden[0] if hidden else self.sheet.layers[-1].activation
        return "tanh" if first in ("softmax", "identity") else first

    # Names and numbers.
    def _new(self, letter: str, count: int, fan: int) -> list[str]:
        """Names of so many new parameters, which get numbers."""
        names = [self._free(letter) for _ in range(count)]
        self.seed += 1
        for name, value in drawn(dict.fromkeys(names, fan), self.seed).items():
            self.parameters[name] = value
        return names

    def _free(self, stem: str) -> str:
        k = 1
        while canonical(f"{stem}{k}") in self.taken:
            k += 1
        self.taken.add(canonical(f"{stem}{k}"))
        return f"{stem}{k}"

    def _unit(self, units: list[str]) -> str:
        """The next unit's name: h3 after h1 and h2."""
        found = re.fullmatch(r"(.*?)(\d+)", units[-1])
        stem, k = (found[1], int(found[2])) if found else (f"{units[-1]}_", 1)
        while f"{stem}{k}" in units or self._is_taken(f"{stem}{k}"):
            k += 1
        return f"{stem}{k}"

    def _is_taken(self, unit: str) -> bool:
        return any(unit in layer.units for layer in self.sheet.layers)

    def _stem(self, width: int) -> str:
        for stem in _STEMS:
            units = [f"{stem}{k + 1}" for k in range(width)]
            free = all(canonical(unit) not in self.taken for unit in units)
            if free and not any(self._is_taken(unit) for unit in units):
                return stem
        return f"layer{np.random.default_rng(self.seed).integers(10**6)}_"

    def _forget_unused(self) -> None:
        """Drop the parameters that were used and are used no more."""
        before = set(_used(self.sheet))
        after: set[str] = set()
        for table in self.layers:
            for row in table["weights"]:
                after.update(str(weight) for weight in row)
            bias = table.get("bias")
            after.update(map(str, bias if isinstance(bias, list) else [bias]))
        for name in before - after:
            del self.parameters[name]
        update = self.document.get("update")
        if update is not None and "frozen" in update:
            kept = [name for name in update["frozen"] if name in self.parameters]
            update["frozen"] = kept


def _used(worksheet: Worksheet) -> Iterable[str]:
    for layer in worksheet.layers:
        for row in (*layer.weights, layer.bias or ()):
            yield from (weight for weight in row if isinstance(weight, str))


def _all_names(worksheet: Worksheet) -> Iterable[str]:
    names = worksheet.names
    yield from worksheet.parameters
    yield from worksheet.data.inputs if worksheet.data else ()
    for several in (*names.sums, *names.activations, names.targets, names.loss_terms):
        yield from several
    yield names.loss
    yield from names.aliases
