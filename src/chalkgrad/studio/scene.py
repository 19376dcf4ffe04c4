"""The picture with its numbers: columns of units and weights, or a graph of quantities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalkgrad.explain.board import Board, Quantity
from chalkgrad.formulas import Name, latex, text
from chalkgrad.studio.limits import MOST_UNITS, SHOWN_UNITS
from chalkgrad.studio.numbers import number
from chalkgrad.studio.passes import Pass
from chalkgrad.studio.places import Line, Places, edge_id

Json = dict[str, Any]


def scene_of(places: Places, ran: Pass, first: Mapping[int, int], *, formulas: bool) -> Json:
    """The scene. `first` says for a folded layer from which unit on it is shown."""
    if places.worksheet.formulas:
        return graph_of(ran.board, ran.gradients, formulas=formulas)
    return _Layers(places, ran, first).scene(ran.board if formulas else None)


def is_folded(places: Places) -> bool:
    """Has it too many units to be shown at once?"""
    return sum(len(column) for column in places.columns[1:]) > MOST_UNITS


class _Layers:
    """A network as columns."""

    def __init__(self, places: Places, ran: Pass, first: Mapping[int, int]) -> None:
        self.places, self.sheet = places, places.worksheet
        self.values, self.gradients = ran.values, ran.gradients
        self.frozen = () if self.sheet.update is None else self.sheet.update.frozen
        self.folded = is_folded(places)
        self.first = [self._start(k, first.get(k, 1)) for k in range(len(places.columns))]

    def _start(self, k: int, first: int) -> int:
        """From which unit a layer is shown, counted from 0."""
        return min(first - 1, max(0, len(self.places.columns[k]) - SHOWN_UNITS))

    def scene(self, board: Board | None) -> Json:
        shown = [self._shown(k) for k in range(len(self.places.columns))]
        visible = {unit for column in shown for unit in column}
        lines = [ln for ln in self.places.lines if ln.start in visible and ln.end in visible]
        name = self.sheet.names.loss
        return {
            "layout": "layers",
            "layers": [self._column(k, units) for k, units in enumerate(shown)],
            "weights": [self._weight(line) for line in lines],
            "loss": _vertex(Name(name), "loss", self.values[name], 1.0, board),
        }

    def _shown(self, k: int) -> list[str]:
        column = self.places.columns[k]
        return column[self.first[k] :][:SHOWN_UNITS] if self._is_folded(k) else column

    def _is_folded(self, k: int) -> bool:
        return self.folded and len(self.places.columns[k]) > SHOWN_UNITS

    def _column(self, k: int, units: list[str]) -> Json:
        title = f"layer {k}: {self.sheet.layers[k - 1].activation}" if k else "inputs"
        return {
            "layer": k,
            "title": title,
            "units": [self._unit(k, unit) for unit in units],
            "count": len(self.places.columns[k]),
            "first": self.first[k] + 1 if self._is_folded(k) else 1,
            "folded": self._is_folded(k),
        }

    def _unit(self, k: int, unit: str) -> Json:
        several = self.places.quantities[unit]
        records = self.places.records
        outputs = several[len(several) // records - 1 :: len(several) // records]
        last = outputs[0]
        found: Json = {
            "id": unit,
            "name": self.places.names[unit],
            "kind": "unit" if k else "input",
            "quantities": several,
            "symbol": latex(Name(last)),
            "value": number(self.values[last]) if records == 1 else None,
            "gradient": number(self.gradients[last]) if records == 1 else None,
            "sum": number(self.values[several[0]]) if records == 1 and len(several) > 1 else None,
            "target": self._target(k, unit) if records == 1 else None,
            "bias": self._bias(k, unit),
        }
        if records > 1:
            found["values"] = [number(self.values[name]) for name in outputs]
        return found

    def _target(self, k: int, unit: str) -> Json | None:
        if k != len(self.places.columns) - 1:
            return None
        name = self.sheet.names.targets[self.places.columns[k].index(unit)]
        return {"name": name, "value": number(self.values[name])}

    def _bias(self, k: int, unit: str) -> Json | None:
        layer = self.sheet.layers[k - 1] if k else None
        if layer is None or layer.bias is None:
            return None
        return self._parameter(layer.bias[self.places.columns[k].index(unit)])

    def _parameter(self, weight: str | float) -> Json:
        if not isinstance(weight, str):
            return {"name": None, "value": number(weight), "gradient": None, "fixed": True}
        return {
            "name": weight,
            "value": number(self.values[weight]),
            "gradient": number(self.gradients[weight]),
            "fixed": weight in self.frozen,
        }

    def _weight(self, line: Line) -> Json:
        ends = {"id": line.id, "from": line.start, "to": line.end, "layer": line.layer}
        return ends | self._parameter(line.weight)


def graph_of(board: Board, gradients: Mapping[str, float], *, formulas: bool) -> Json:
    """Formulas: every quantity a vertex, every local derivative an edge."""
    known = board if formulas else None
    vertices = [
        _vertex(quantity.name, quantity.kind, quantity.value, gradients.get(name, 0.0), known)
        for name, quantity in board.quantities.items()
    ]
    edges: list[Json] = []
    for (of, by), local in board.locals.items():
        edge: Json = {
            "id": edge_id(of, by), "from": by, "to": of, "name": f"∂{of}/∂{by}",
            "value": number(local.value),
        }  # fmt: skip
        if formulas:
            edge |= {
                "symbol": latex(local.symbol), "formula": text(local.formula),
                "latex": latex(local.formula),
            }  # fmt: skip
        edges.append(edge)
    return {"layout": "graph", "vertices": vertices, "edges": edges}


def _vertex(name: Name, kind: str, value: float, gradient: float, board: Board | None) -> Json:
    found: Json = {
        "id": name.text, "name": name.text, "symbol": latex(name), "kind": kind,
        "value": number(value), "gradient": number(gradient),
    }  # fmt: skip
    return found | _formula(board.quantities[name.text]) if board is not None else found


def _formula(quantity: Quantity) -> Json:
    formula = quantity.formula
    if formula is None:
        return {"formula": None, "latex": None}
    return {"formula": text(formula), "latex": latex(formula)}
