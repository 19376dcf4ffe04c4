"""Random layered networks, as plain numbers and as worksheets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity")
SQUARED = ("half_squared_error", "squared_error", "mean_squared_error")


@dataclass(frozen=True)
class Layer:
    units: tuple[str, ...]
    weights: tuple[tuple[str, ...], ...]  # names: a row a unit
    bias: tuple[str, ...] | None
    activation: str


@dataclass(frozen=True)
class Network:
    """A problem. `inputs` and `targets` have a row a record."""

    parameters: dict[str, float]
    layers: tuple[Layer, ...]
    sources: tuple[str, ...]  # the inputs' names
    inputs: tuple[tuple[float, ...], ...]
    targets: tuple[tuple[float, ...], ...]
    loss: str
    over_records: str
    rate: float
    negative_delta: bool = False

    @property
    def records(self) -> int:
        return len(self.inputs)

    @property
    def outputs(self) -> int:
        return len(self.layers[-1].units)

    @property
    def averaged_over(self) -> int:
        """What the loss divides by."""
        outputs = self.outputs if self.loss in ("mean_squared_error", "binary_cross_entropy") else 1
        return outputs * (self.records if self.over_records == "mean" else 1)

    def toml(self) -> str:
        """The worksheet."""
        lines = ["[parameters]"]
        lines += [f"{name} = {value!r}" for name, value in self.parameters.items()]
        for layer in self.layers:
            lines += ["", "[[layer]]", f"units = {_strings(layer.units)}"]
            lines.append(f"weights = [{', '.join(_strings(row) for row in layer.weights)}]")
            if layer.bias is not None:
                lines.append(f"bias = {_strings(layer.bias)}")
            lines.append(f'activation = "{layer.activation}"')
        lines += ["", "[data]", f"inputs = {_columns(self.sources, self.inputs)}"]
        lines.append(f"targets = {_columns(self.layers[-1].units, self.targets)}")
        lines += ["", "[loss]", f'kind = "{self.loss}"', f'over_records = "{self.over_records}"']
        lines += ["", "[update]", 'rule = "sgd"', f"learning_rate = {self.rate!r}", "steps = 1"]
        if self.negative_delta:
            lines += ["", "[names]", 'delta = "negative"']
        return "\n".join(lines) + "\n"


def _strings(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _columns(names: tuple[str, ...], rows: tuple[tuple[float, ...], ...]) -> str:
    """One number a name, or a list where there are several records."""
    cells = []
    for k, name in enumerate(names):
        column = [row[k] for row in rows]
        cells.append(f"{name} = {column if len(column) > 1 else column[0]}")
    return "{ " + ", ".join(cells) + " }"


def random_network(random: Random) -> Network:
    """One to three layers of one to three units, weights of one or two decimals."""
    depth = random.choice([1, 2, 2, 2, 3])
    widths = [random.choice([1, 2, 2, 3]) for _ in range(depth + 1)]
    loss = random.choice([*SQUARED, "binary_cross_entropy"])
    parameters: dict[str, float] = {}
    layers = []
    for level in range(depth):
        last = level == depth - 1
        layers.append(_layer(random, level, widths, last, loss, parameters))
    records = random.choice([1, 1, 1, 2, 3])
    inputs = tuple(
        tuple(random.choice([0.1, 0.2, 0.35, 0.5, 0.8, 1.2, -0.4]) for _ in range(widths[0]))
        for _ in range(records)
    )
    wanted = [0.0, 1.0] if loss == "binary_cross_entropy" else [0.05, 0.1, 0.3, 0.6, 0.95, 1.0]
    targets = tuple(tuple(random.choice(wanted) for _ in range(widths[-1])) for _ in range(records))
    return Network(
        parameters, tuple(layers), tuple(f"x{k + 1}" for k in range(widths[0])), inputs, targets,
        loss, random.choice(["sum", "mean"]), random.choice([0.1, 0.5, 0.6, 0.25]),
    )  # fmt: skip


def _layer(
    random: Random, level: int, widths: list[int], last: bool, loss: str,
    parameters: dict[str, float],
) -> Layer:  # fmt: skip
    before, units = widths[level], widths[level + 1]
    stem = "o" if last else "h" if level == 0 else "k"

    def number() -> float:
        return random.choice([k for k in range(-95, 100, 5) if abs(k) >= 10]) / 100

    rows = []
    for j in range(units):
        row = []
        for k in range(before):
            row.append(f"w{level + 1}{j + 1}{k + 1}")
            parameters[row[-1]] = number()
        rows.append(tuple(row))
    if units > 1 and random.random() < 0.08:  # one weight for two places
        del parameters[rows[1][0]]
        rows[1] = (rows[0][0], *rows[1][1:])
    bias = None
    shared = random.random() < 0.4
    if random.random() < 0.85:
        bias = tuple(f"b{level + 1}" if shared else f"b{level + 1}{j + 1}" for j in range(units))
        parameters |= {name: number() for name in dict.fromkeys(bias)}
    activation = random.choice(ACTIVATIONS if last else ACTIVATIONS[:3])
    if last and loss == "binary_cross_entropy":
        activation = "sigmoid"
    return Layer(tuple(f"{stem}{j + 1}" for j in range(units)), tuple(rows), bias, activation)


# What units compute.


def activate(function: str, z: float) -> float:
    if function == "sigmoid":
        return 1 / (1 + math.exp(-z))
    if function == "tanh":
        return math.tanh(z)
    return max(z, 0.0) if function == "relu" else z


def slope(function: str, z: float, a: float) -> float:
    """The derivative of an activation, from its output where people take it from there."""
    if function == "sigmoid":
        return a * (1 - a)
    if function == "tanh":
        return 1 - a * a
    return float(z > 0) if function == "relu" else 1.0
