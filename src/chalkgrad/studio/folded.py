"""The picture of a folded network: sixteen units of a layer at a time, in one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from chalkgrad.core.graph import Node
from chalkgrad.explain.edges import adjoints
from chalkgrad.explain.quantities import labels_of
from chalkgrad.formulas import Name, latex
from chalkgrad.formulas.labels import ACTIVATION, WEIGHTED_SUM
from chalkgrad.studio.limits import SHOWN_UNITS
from chalkgrad.studio.network import Network, Records
from chalkgrad.studio.numbers import number
from chalkgrad.studio.places import Lights
from chalkgrad.tensor.tensor import Tensor

Json = dict[str, Any]


class Folded(Protocol):
    """What a picture is made of."""

    @property
    def network(self) -> Network: ...

    @property
    def data(self) -> Records: ...

    @property
    def labels(self) -> Sequence[str]:
        """What the outputs are called, if anything."""

    def loss_tensor(self, module: Any, data: Records, *, named: bool = False) -> Tensor: ...


class Lamp:
    """Where quantities are in the picture of a model."""

    def __init__(self, net: Folded) -> None:
        self.layers: dict[str, int] = {}
        self.layers["x"] = 0
        for layer, place in enumerate(net.network.places, 1):
            for name in (f"{place}.weight", f"{place}.bias", f"{place}.out", f"{place + 1}.out"):
                self.layers.setdefault(name, layer)

    def lights(self, names: Sequence[str]) -> Lights:
        """The units and weights that these quantities are."""
        units: list[str] = []
        weights: list[str] = []
        for name in names:
            base, _, rest = name.partition("[")
            places = [int(place) for place in rest.rstrip("]").split(",") if place.isdecimal()]
            layer = self.layers.get(base)
            if layer is None or not places:
                continue
            if base.endswith(".weight"):  # [unit, input]; else the unit stands last
                weights.append(name)
                units.append(unit_id(layer - 1, places[1]))
            units.append(unit_id(layer, places[0 if base.endswith(".weight") else -1]))
        loss = any(name.partition("[")[0] == "loss" for name in names)
        once = list(dict.fromkeys(units))
        return {"units": once, "weights": list(dict.fromkeys(weights)), "loss": loss, "edges": []}

    def between(self, pairs: Sequence[tuple[str, str]]) -> Lights:
        """The way from quantities back to what they are computed from."""
        return self.lights([name for pair in pairs for name in pair])


def unit_id(layer: int, unit: int) -> str:
    """A unit of a model, in the picture."""
    return f"{layer}:{unit + 1}"


class FoldedScene:
    """The picture of a folded network, in one record."""

    def __init__(self, net: Folded, record: int, first: Mapping[int, int]) -> None:
        self.net = net
        self.data = net.data.only(record)
        self.module = net.network.reading
        self.loss = net.loss_tensor(self.module, self.data, named=True)
        self.labels = labels_of(self.loss.node, {})
        self.gradients = adjoints(self.loss.node)
        self.parameters = dict(self.module.named_parameters())
        sizes = [net.network.width, *(stage.units for stage in net.network.stages)]
        self.shown = [
            range(s := _start(first.get(k, 1), size), min(size, s + SHOWN_UNITS))
            for k, size in enumerate(sizes)
        ]
        self.sizes = sizes

    @cached_property
    def quantities(self) -> dict[tuple[int, str], tuple[str, Node]]:
        """The arrays of sums and activations, by layer and kind."""
        found: dict[tuple[int, str], tuple[str, Node]] = {}
        for node, label in self.labels.items():
            if label.kind in (WEIGHTED_SUM, ACTIVATION) and label.layer is not None:
                found.setdefault((label.layer, label.kind), (label.base, node))
        return found

    def scene(self) -> Json:
        value = number(float(self.loss.node.value))
        return {
            "layout": "layers",
            "layers": [self._column(k) for k in range(len(self.sizes))],
            "weights": [w for k in range(1, len(self.sizes)) for w in self._weights(k)],
            "loss": {"id": "loss", "name": "loss", "symbol": latex(Name("loss")), "kind": "loss",
                     "value": value, "gradient": 1.0},
        }  # fmt: skip

    def _column(self, k: int) -> Json:
        stages = self.net.network.stages
        return {
            "layer": k,
            "title": f"layer {k}: {stages[k - 1].activation}" if k else "inputs",
            "units": [self._unit(k, j) for j in self.shown[k]],
            "count": self.sizes[k],
            "first": self.shown[k].start + 1,
            "folded": self.sizes[k] > SHOWN_UNITS,
        }

    def _unit(self, k: int, j: int) -> Json:
        found: Json = {
            "id": unit_id(k, j), "name": self._name(k, j), "kind": "unit" if k else "input",
            "sum": None, "target": None, "bias": None,
        }  # fmt: skip
        several = self._several(k)
        base, node = several[-1]
        if len(several) > 1:
            found["sum"] = number(float(several[0][1].value[0, j]))
        if k == len(self.sizes) - 1:
            found["target"] = self._target(j)
        names = [f"{name}[0,{j}]" for name, _ in several]
        return found | {
            "quantities": names,
            "symbol": latex(Name(f"{base}[0,{j}]")),
            "value": number(float(node.value[0, j])),
            "gradient": self._gradient(node, (0, j)),
            "bias": self._bias(k, j),
        }

    def _several(self, k: int) -> list[tuple[str, Node]]:
        """The arrays of a layer: its sums, then what the activation makes of them."""
        if not k:
            return [("x", self.inputs)]
        kinds = (WEIGHTED_SUM, ACTIVATION)
        return [self.quantities[k, kind] for kind in kinds if (k, kind) in self.quantities]

    @cached_property
    def inputs(self) -> Node:
        (found,) = [node for node in self.labels if node.name == "x" and node.primitive is None]
        return found

    def _name(self, k: int, j: int) -> str:
        labels = self.net.labels
        last = k == len(self.sizes) - 1
        return labels[j] if last and j < len(labels) else f"{'x' if not k else 'h'}{j + 1}"

    def _bias(self, k: int, j: int) -> Json | None:
        return self._parameter(f"{self.net.network.places[k - 1]}.bias", (j,)) if k else None

    def _target(self, j: int) -> Json:
        y = self.data.y[0]
        return {"name": "y", "value": number(float(y == j if np.ndim(y) == 0 else y[j]))}

    def _weights(self, k: int) -> Iterator[Json]:
        name = f"{self.net.network.places[k - 1]}.weight"
        for j in self.shown[k]:
            for i in self.shown[k - 1]:
                found = self._parameter(name, (j, i))
                assert found is not None
                yield {"id": found["name"], "from": unit_id(k - 1, i), "to": unit_id(k, j),
                       "layer": k} | found  # fmt: skip

    def _parameter(self, name: str, index: tuple[int, ...]) -> Json | None:
        if name not in self.parameters:
            return None
        node = self.parameters[name].node
        return {
            "name": f"{name}[{','.join(map(str, index))}]",
            "value": number(float(node.value[index])),
            "gradient": self._gradient(node, index),
            "fixed": False,
        }

    def _gradient(self, node: Node, index: tuple[int, ...]) -> float | str:
        return number(float(self.gradients[node][index])) if node in self.gradients else 0.0


def _start(first: int, size: int) -> int:
    """The first unit that is shown, counted from 0."""
    return min(first - 1, max(0, size - SHOWN_UNITS))
