"""Boards of small networks, built from closed forms and not by the engine.

`network(...)` writes a layered network on a board, scalar by scalar; `LECTURE_001()` is the 2-2-2
network of the first lecture, `LECTURE_004()` is J = 3(x + yz).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chalkgrad.explain.board import Board, Local, Quantity
from chalkgrad.formulas import ONE, Call, Expression, Name, Number, float_value
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    VALUE,
    WEIGHTED_SUM,
)

HALF = Call("divide", (Number(1.0, "1"), Number(2.0, "2")))


@dataclass(frozen=True)
class Layer:
    """Units, the names of their weights (a row a unit), of their biases, and the activation."""

    units: Sequence[str]
    weights: Sequence[Sequence[str]]
    bias: Sequence[str] | None = None
    activation: str = "sigmoid"


class Builder:
    """Quantities and edges, one after the other."""

    def __init__(self) -> None:
        self.quantities: dict[str, Quantity] = {}
        self.locals: dict[tuple[str, str], Local] = {}

    def values(self) -> dict[str, float]:
        return {name: quantity.value for name, quantity in self.quantities.items()}

    def given(self, name: str, kind: str, value: float, record: int | None = None) -> Name:
        self.quantities[name] = Quantity(Name(name), kind, float(value), None, None, record)
        return Name(name)

    def quantity(
        self, name: str, kind: str, formula: Expression, slopes: Mapping[str, Expression],
        layer: int | None = None, record: int | None = None,
    ) -> Name:  # fmt: skip
        """A quantity by its formula, with the derivative towards each quantity that it uses."""
        value = float_value(formula, self.values())
        self.quantities[name] = Quantity(Name(name), kind, value, formula, layer, record)
        for by, slope in slopes.items():
            number = float_value(slope, self.values())
            self.locals[name, by] = Local(Name(name), Name(by), slope, (), slope, number)
        return Name(name)

    def board(self, loss: str) -> Board:
        return Board(self.quantities, self.locals, loss)


def total(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Call("sum", tuple(terms))


def slope_of(activation: str, out: Name, before: Name) -> Expression:
    """The derivative of an activation, from its output or from its input."""
    if activation == "sigmoid":
        return out * (ONE - out)
    if activation == "tanh":
        return ONE - Call("square", (out,))
    if activation == "relu":
        above = Call("greater", (before, Number(0.0)))
        return Call("select", (above, ONE, Number(0.0)))
    raise ValueError(activation)


def network(
    parameters: Mapping[str, float],
    layers: Sequence[Layer],
    inputs: Mapping[str, float | Sequence[float]],
    targets: Mapping[str, float | Sequence[float]],
    *,
    loss: str = "half_squared_error",
    names: Mapping[str, str] | None = None,
) -> Board:
    """A layered network. Inputs and targets are numbers, or lists for several records."""
    called = {
        "weighted_sum": "z_{unit}", "activation": "a_{unit}", "loss": "L", "loss_term": "L_{unit}",
        "target": "target_{unit}",
    }  # fmt: skip
    called |= dict(names or {})
    build = Builder()
    for name, value in parameters.items():
        build.given(name, PARAMETER, value)
    first = next(iter(inputs.values()))
    many = not isinstance(first, float | int)
    records: list[int | None] = list(range(1, len(first) + 1)) if many else [None]  # type: ignore[arg-type]
    terms: list[Name] = []
    for record in records:
        terms += _record(build, layers, inputs, targets, loss, called, record)
    if len(terms) == 1:
        only = terms[0].text
        quantity = build.quantities.pop(only)
        build.quantities[called["loss"]] = Quantity(
            Name(called["loss"]), LOSS, quantity.value, quantity.formula
        )
        for of, by in [pair for pair in build.locals if pair[0] == only]:
            local = build.locals.pop((of, by))
            build.locals[called["loss"], by] = Local(
                Name(called["loss"]), local.by, local.raw, (), local.formula, local.value
            )
    else:
        build.quantity(called["loss"], LOSS, total(terms), {term.text: ONE for term in terms})
    return build.board(called["loss"])


def _record(
    build: Builder, layers: Sequence[Layer], inputs: Mapping[str, float | Sequence[float]],
    targets: Mapping[str, float | Sequence[float]], loss: str, called: Mapping[str, str],
    record: int | None,
) -> list[Name]:  # fmt: skip
    at = f"[{record}]" if record else ""

    def of(values: float | Sequence[float]) -> float:
        return float(values) if record is None else float(values[record - 1])  # type: ignore[index, arg-type]

    before = [build.given(n + at, INPUT, of(v), record) for n, v in inputs.items()]
    for number, layer in enumerate(layers, 1):
        after: list[Name] = []
        for k, unit in enumerate(layer.units):
            weights = [Name(w) for w in layer.weights[k]]
            parts: list[Expression] = [x * w for x, w in zip(before, weights, strict=True)]
            slopes: dict[str, list[Expression]] = {}
            for x, w in zip(before, weights, strict=True):
                slopes.setdefault(w.text, []).append(x)
                slopes.setdefault(x.text, []).append(w)
            if layer.bias is not None:
                parts.append(Name(layer.bias[k]))
                slopes.setdefault(layer.bias[k], []).append(ONE)
            kind = "activation" if layer.activation == "identity" else "weighted_sum"
            summed = build.quantity(
                called[kind].format(unit=unit) + at, WEIGHTED_SUM, total(parts),
                {by: total(several) for by, several in slopes.items()}, number, record,
            )  # fmt: skip
            if layer.activation == "identity":
                after.append(summed)
                continue
            out = Name(called["activation"].format(unit=unit) + at)
            formula = Call(layer.activation, (summed,))
            value = float_value(formula, build.values())
            build.quantities[out.text] = Quantity(out, ACTIVATION, value, formula, number, record)
            slope = slope_of(layer.activation, out, summed)
            build.locals[out.text, summed.text] = Local(
                out, summed, slope, (), slope, float_value(slope, build.values())
            )
            after.append(out)
        before = after
    terms = []
    for k, (unit, out) in enumerate(zip(layers[-1].units, before, strict=True), 1):
        name = called["target"].format(unit=unit, n=k) + at
        wanted = build.given(name, TARGET, of(targets[unit]), record)
        formula, slope = _loss_term(loss, wanted, out)
        term = called["loss_term"].format(unit=unit, n=k) + at
        terms.append(build.quantity(term, LOSS_TERM, formula, {out.text: slope}, None, record))
    return terms


def _loss_term(loss: str, wanted: Name, out: Name) -> tuple[Expression, Expression]:
    if loss == "half_squared_error":
        return HALF * Call("square", (wanted - out,)), out - wanted
    if loss == "squared_error":
        return Call("square", (wanted - out,)), Number(-2.0) * (wanted - out)
    if loss == "binary_cross_entropy":
        other = ONE - out
        formula = -wanted * Call("log", (out,)) - (ONE - wanted) * Call("log", (other,))
        return formula, -wanted / out + (ONE - wanted) / other
    raise ValueError(loss)


def LECTURE_001() -> Board:
    """The 2-2-2 sigmoid network with every number."""
    return network(
        {"w1": 0.1, "w2": 0.2, "w3": 0.3, "w4": 0.4, "b1": 0.25,
         "w5": 0.5, "w6": 0.6, "w7": 0.7, "w8": 0.8, "b2": 0.35},
        [Layer(["h1", "h2"], [["w1", "w3"], ["w2", "w4"]], ["b1", "b1"]),
         Layer(["o1", "o2"], [["w5", "w6"], ["w7", "w8"]], ["b2", "b2"])],
        {"i1": 0.1, "i2": 0.5}, {"o1": 0.05, "o2": 0.95},
        names={"weighted_sum": "sum_{unit}", "activation": "output_{unit}", "loss": "E_total",
               "loss_term": "E_{n}", "target": "target_{n}"},
    )  # fmt: skip


def LECTURE_002(second_input: float = 0.0) -> Board:
    """XOR with a shared weight: w2 into h1, and twice into h2."""
    return network(
        {"w1": 0.3, "w2": 0.5, "b1": 0.1, "w3": 0.2, "w4": 0.4, "b2": 0.6},
        [Layer(["h1", "h2"], [["w1", "w2"], ["w2", "w2"]], ["b1", "b1"]),
         Layer(["o"], [["w3", "w4"]], ["b2"])],
        {"input_1": 1.0, "input_2": second_input}, {"o": 1.0}, names={"loss": "Loss"},
    )  # fmt: skip


def LECTURE_004(x: float = 4.0, y: float = 3.0, z: float = 2.0) -> Board:
    """J = 3v, v = x + u, u = y z."""
    build = Builder()
    names = [
        build.given(name, PARAMETER, value) for name, value in zip("xyz", (x, y, z), strict=True)
    ]
    u = build.quantity("u", VALUE, names[1] * names[2], {"y": names[2], "z": names[1]})
    v = build.quantity("v", VALUE, names[0] + u, {"x": ONE, "u": ONE})
    build.quantity("J", LOSS, Number(3.0) * v, {"v": Number(3.0)})
    return build.board("J")


def random_network(
    seed: int, sizes: Sequence[int] = (2, 2, 2), activation: str = "sigmoid", **options: object
) -> Board:
    """A network with weights of one decimal between −0.9 and 0.9 (not 0)."""
    import random

    draw = random.Random(seed)

    def number() -> float:
        return draw.choice([k / 10 for k in range(-9, 10) if k])

    parameters: dict[str, float] = {}
    layers = []
    for level, (width, units) in enumerate(pairwise(sizes), 1):
        names = [f"{'o' if level == len(sizes) - 1 else 'h' * level}{k + 1}" for k in range(units)]
        rows = [[f"w{level}_{j + 1}{k + 1}" for j in range(width)] for k in range(units)]
        parameters |= {name: number() for row in rows for name in row}
        biases = [f"b{level}_{k + 1}" for k in range(units)]
        parameters |= {name: number() for name in biases}
        layers.append(Layer(names, rows, biases, activation))
    inputs = {f"x{j + 1}": number() for j in range(sizes[0])}
    targets = {unit: draw.choice([0.1, 0.3, 0.6, 0.9]) for unit in layers[-1].units}
    return network(parameters, layers, inputs, targets, **options)  # type: ignore[arg-type]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def finite_difference(build: Callable[[float], Board], at: float, loss: str | None = None) -> float:
    """d(loss)/dx of a board that is built at x."""
    step = 1e-6
    above, below = build(at + step), build(at - step)
    name = loss or above.loss
    return (above.values[name] - below.values[name]) / (2 * step)
