"""A person's working, line by line: what each line computes from those before, rightly or not.

Everything here is arithmetic on plain numbers; the engine that is judged has no part in it.

    Line ::= symbol, right(state), (kind, wrong(state))*
    state   what the person has: "w11", "x1[2]", "z_h1", "d z_h1" (∂L/∂z), "g w11", "new w11"
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from benchmarks.marking.networks import Layer, Network, activate, slope

State = dict[str, float]
Compute = Callable[[State], float]
Slip = tuple[str, Compute]


@dataclass
class Line:
    symbol: str  # as it is written before the =
    key: str  # of what it computes, in the state
    right: Compute
    slips: list[Slip] = field(default_factory=list)


@dataclass(frozen=True)
class Backward:
    """∂L/∂(sum of a unit), by a rule in which single parts can be exchanged."""

    net: Network
    error: Callable[[State, int, int], float]  # of (output, record)
    slope: Callable[[State, int, int, int], float]  # of (layer, unit, record)
    weight: Callable[[State, int, int, int], float]  # of (layer, unit, source)
    users: Callable[[int, int], list[int]]  # units of the next layer that count, of (layer, unit)

    def delta(self, s: State, level: int, j: int, r: int, deep: bool = False) -> float:
        """With the δ of the layer above from the state, or (deep) by the same rule."""
        return self.back(s, level, j, r, deep) * self.slope(s, level, j, r)

    def back(self, s: State, level: int, j: int, r: int, deep: bool = False) -> float:
        """∂L/∂(output of a unit)."""
        if level == len(self.net.layers) - 1:
            return self.error(s, j, r)
        total = 0.0
        for user in self.users(level, j):
            above = (
                self.delta(s, level + 1, user, r, True) if deep
                else s[f"d {summed(self.net, level + 1, user, r)}"]
            )  # fmt: skip
            total += above * self.weight(s, level + 1, user, j)
        return total


# Names.


def at(net: Network, r: int) -> str:
    return f"[{r + 1}]" if net.records > 1 else ""


def summed(net: Network, level: int, j: int, r: int) -> str:
    layer = net.layers[level]
    stem = "a" if layer.activation == "identity" else "z"
    return f"{stem}_{layer.units[j]}{at(net, r)}"


def output(net: Network, level: int, j: int, r: int) -> str:
    """Of a unit; of level −1, an input."""
    if level < 0:
        return f"{net.sources[j]}{at(net, r)}"
    return f"a_{net.layers[level].units[j]}{at(net, r)}"


def uses(net: Network, parameter: str) -> list[tuple[int, int, int | None]]:
    """(layer, unit, source) of each use; no source for a bias."""
    found: list[tuple[int, int, int | None]] = []
    for level, layer in enumerate(net.layers):
        for j in range(len(layer.units)):
            found += [(level, j, k) for k, w in enumerate(layer.weights[j]) if w == parameter]
            if layer.bias is not None and layer.bias[j] == parameter:
                found.append((level, j, None))
    return found


# The lines.


def lines(net: Network, layout: str) -> list[Line]:
    """A whole working. Layouts: "full" with every δ, "short" with gradients in one step."""
    made = [*forward(net), *losses(net)]
    if layout == "delta":
        return [*made, *deltas(net, negative=True)]
    right = rule(net)
    for level in reversed(range(len(net.layers))):
        if layout == "full":
            for r in range(net.records):
                made += [
                    delta_line(net, right, level, j, r) for j in range(len(net.layers[level].units))
                ]
        own = [p for p in net.parameters if uses(net, p)[0][0] == level]
        made += [gradient_line(net, right, p, deep=layout == "short") for p in own]
        made += [update_line(net, p) for p in own]
    return made


def start(net: Network) -> State:
    """What is given."""
    state = dict(net.parameters)
    for r in range(net.records):
        for k, name in enumerate(net.sources):
            state[f"{name}{at(net, r)}"] = net.inputs[r][k]
    return state


def forward(net: Network) -> Iterator[Line]:
    for r in range(net.records):
        for level, layer in enumerate(net.layers):
            for j in range(len(layer.units)):
                name = summed(net, level, j, r)
                yield Line(name, name, sum_of(net, level, j, r), list(sum_slips(net, level, j, r)))
            for j in range(len(layer.units)):
                if layer.activation != "identity":
                    yield activation_line(net, level, j, r)


def sum_of(
    net: Network, level: int, j: int, r: int, *, order: list[int] | None = None,
    weights: list[str] | None = None, without: str = "", before: str = "a",
) -> Compute:  # fmt: skip
    """Σ weight · source + bias, with parts exchanged or left out."""
    layer = net.layers[level]
    count = len(layer.weights[j])
    order = order or list(range(count))
    weights = weights or list(layer.weights[j])

    def compute(s: State) -> float:
        total = 0.0
        for k in range(count):
            if without == f"term {k}":
                continue
            name = output(net, level - 1, order[k], r)
            source = s[summed(net, level - 1, order[k], r)] if before == "z" else s[name]
            weight = 1.0 if without == f"weight {k}" else s[weights[k]]
            total += weight if without == f"input {k}" else weight * source
        if layer.bias is not None and without != "bias":
            total += s[layer.bias[j]]
        return total

    return compute


def sum_slips(net: Network, level: int, j: int, r: int) -> Iterator[Slip]:
    layer = net.layers[level]
    row = list(layer.weights[j])
    if layer.bias is not None:
        yield "bias forgotten", sum_of(net, level, j, r, without="bias")
    for k in range(len(row)):
        yield "input forgotten", sum_of(net, level, j, r, without=f"input {k}")
        yield "weight forgotten", sum_of(net, level, j, r, without=f"weight {k}")
        if len(row) > 1:
            yield "term forgotten", sum_of(net, level, j, r, without=f"term {k}")
        for other in dict.fromkeys(w for names in layer.weights for w in names if w not in row):
            exchanged = [*row[:k], other, *row[k + 1 :]]
            yield "another weight", sum_of(net, level, j, r, weights=exchanged)
    if len(row) > 1:
        yield "inputs swapped", sum_of(net, level, j, r, order=[1, 0, *range(2, len(row))])
    if len(row) == len(layer.units) > 1:
        column = [names[j] for names in layer.weights]
        yield "weights not transposed", sum_of(net, level, j, r, weights=column)
    if level and net.layers[level - 1].activation != "identity":
        yield "activation forgotten", sum_of(net, level, j, r, before="z")


def activation_line(net: Network, level: int, j: int, r: int) -> Line:
    function = net.layers[level].activation
    z = summed(net, level, j, r)
    line = Line(
        output(net, level, j, r), output(net, level, j, r), lambda s: activate(function, s[z])
    )
    line.slips.append(("activation forgotten", lambda s: s[z]))
    for other in ("sigmoid", "tanh", "relu"):
        if other != function:
            line.slips.append(("another function", lambda s, other=other: activate(other, s[z])))  # type: ignore[misc]
    if function == "sigmoid":
        line.slips.append(("sign", lambda s: activate(function, -s[z])))
    return line


def term_of(net: Network, j: int, r: int) -> Compute:
    """The loss of one output in one record, before any mean."""
    a, t = output(net, len(net.layers) - 1, j, r), net.targets[r][j]
    if net.loss == "binary_cross_entropy":
        return lambda s: (
            -(t * log(s[a]) if t else 0.0) - ((1 - t) * log(1 - s[a]) if t != 1 else 0.0)
        )
    half = 0.5 if net.loss == "half_squared_error" else 1.0
    return lambda s: half * (t - s[a]) ** 2


def log(x: float) -> float:
    return math.log(x) if x > 0 else -100.0


def losses(net: Network) -> Iterator[Line]:
    terms = [(j, r) for r in range(net.records) for j in range(net.outputs)]
    many = len(terms) > 1
    names = {}
    for j, r in terms:
        a, t = output(net, len(net.layers) - 1, j, r), net.targets[r][j]
        name = f"L_{net.layers[-1].units[j]}{at(net, r)}" if many else "L"
        names[j, r] = name
        line = Line(name, name, term_of(net, j, r))
        right = line.right
        if net.loss == "half_squared_error":
            line.slips.append(("½ forgotten", lambda s, right=right: 2 * right(s)))  # type: ignore[misc]
        if net.loss == "binary_cross_entropy":
            line.slips.append(("sign", lambda s, right=right: -right(s)))  # type: ignore[misc]
            line.slips.append(
                ("logarithm to another base", lambda s, right=right: right(s) / math.log(10))  # type: ignore[misc]
            )
        else:
            half = 0.5 if net.loss == "half_squared_error" else 1.0
            line.slips.append(
                ("square forgotten", lambda s, a=a, t=t, half=half: half * (t - s[a]))  # type: ignore[misc]
            )
        yield line
    if many:
        yield loss_line(net, list(names.values()))


def loss_line(net: Network, terms: list[str]) -> Line:
    count = net.averaged_over
    line = Line("L", "L", lambda s: sum(s[name] for name in terms) / count)
    for left_out in terms:
        others = [name for name in terms if name != left_out]
        line.slips.append(
            ("term forgotten", lambda s, others=others: sum(s[n] for n in others) / count)  # type: ignore[misc]
        )
    if count > 1:
        line.slips.append(("1/n missing", lambda s: sum(s[n] for n in terms)))
    else:
        line.slips.append(("mean for sum", lambda s: sum(s[n] for n in terms) / len(terms)))
    return line


# Backward.


def rule(net: Network) -> Backward:
    """The right one."""
    last = len(net.layers) - 1

    def error(s: State, j: int, r: int) -> float:
        a, t = s[output(net, last, j, r)], net.targets[r][j]
        if net.loss == "binary_cross_entropy":
            # Together with σ′ it is a − t; alone it would divide by a rounded 0.
            return (a - t) / net.averaged_over
        two = 1.0 if net.loss == "half_squared_error" else 2.0
        return two * (a - t) / net.averaged_over

    def slopes(s: State, level: int, j: int, r: int) -> float:
        if net.loss == "binary_cross_entropy" and level == last:
            return 1.0
        return slope(
            net.layers[level].activation, s[summed(net, level, j, r)], s[output(net, level, j, r)]
        )

    def weight(s: State, level: int, j: int, k: int) -> float:
        return s[net.layers[level].weights[j][k]]

    def users(level: int, j: int) -> list[int]:
        return list(range(len(net.layers[level + 1].units)))

    return Backward(net, error, slopes, weight, users)


def delta_line(net: Network, right: Backward, level: int, j: int, r: int) -> Line:
    name = summed(net, level, j, r)
    line = Line(f"dL/d{name}", f"d {name}", lambda s: right.delta(s, level, j, r))
    line.slips += [
        (kind, lambda s, wrong=wrong: wrong.delta(s, level, j, r))  # type: ignore[misc]
        for kind, wrong in backward_slips(net, right, level, j)
    ]
    line.slips.append(("sign", lambda s: -right.delta(s, level, j, r)))
    if level < len(net.layers) - 1 and len(net.layers[level].units) > 1:
        units = range(len(net.layers[level].units))
        if net.layers[level].activation != "identity":
            line.slips.append(
                ("dot for elementwise", lambda s: sum(right.delta(s, level, k, r) for k in units))
            )
    return line


def backward_slips(
    net: Network, right: Backward, level: int, j: int
) -> Iterator[tuple[str, Backward]]:
    """Slips in the δ of one unit of a layer."""
    layer = net.layers[level]
    if level == len(net.layers) - 1:
        yield from error_slips(net, right)
    else:
        yield from weight_slips(net, right, level, j)
    cross_entropy = net.loss == "binary_cross_entropy" and level == len(net.layers) - 1
    if layer.activation != "identity" and not cross_entropy:
        for kind, change in slope_slips(net, right, level, layer):
            yield kind, replace(right, slope=only_at(right.slope, level, change))


def only_at(
    general: Callable[[State, int, int, int], float], level: int,
    change: Callable[[State, int, int], float],
) -> Callable[[State, int, int, int], float]:  # fmt: skip
    """A slope that is another one in one layer."""
    return lambda s, m, j, r: change(s, j, r) if m == level else general(s, m, j, r)


def multiple(right: Backward, factor: float) -> Callable[[State, int, int], float]:
    return lambda s, j, r: factor * right.error(s, j, r)


def error_slips(net: Network, right: Backward) -> Iterator[tuple[str, Backward]]:
    count = net.averaged_over
    factors = [("factor 2 too many", 2.0), ("factor 2 missing", 0.5)]
    if count > 1:
        factors += [("1/n missing", float(count)), ("1/n twice", 1 / count)]
    elif net.records > 1:
        factors.append(("mean for sum", 1 / net.records))
    for kind, factor in factors:
        yield kind, replace(right, error=multiple(right, factor))
    last = len(net.layers) - 1
    if net.loss == "binary_cross_entropy":

        def extra(s: State, j: int, r: int) -> float:
            a = s[output(net, last, j, r)]
            return right.error(s, j, r) * a * (1 - a)

        yield "activation derivative added", replace(right, error=extra)

        def bare(s: State, j: int, r: int) -> float:
            a = s[output(net, last, j, r)]
            return right.error(s, j, r) / (a * (1 - a)) if 0 < a < 1 else 0.0

        yield "activation derivative forgotten", replace(right, error=bare)


def slope_slips(
    net: Network, right: Backward, level: int, layer: Layer
) -> Iterator[tuple[str, Callable[[State, int, int], float]]]:
    function = layer.activation

    def z(s: State, j: int, r: int) -> float:
        return s[summed(net, level, j, r)]

    def a(s: State, j: int, r: int) -> float:
        return s[output(net, level, j, r)]

    yield "activation derivative forgotten", lambda s, j, r: 1.0
    if function == "relu":
        yield "local derivative", lambda s, j, r: z(s, j, r)
        return
    yield (
        "derivative taken at the activation",
        lambda s, j, r: slope(function, a(s, j, r), activate(function, a(s, j, r))),
    )
    others = "sigmoid" if function == "tanh" else "tanh"
    yield "another function", lambda s, j, r: slope(others, z(s, j, r), a(s, j, r))
    if function == "sigmoid":
        yield "local derivative", lambda s, j, r: 1 - a(s, j, r)
    else:
        yield "local derivative", lambda s, j, r: 1 - a(s, j, r)

    def of_error(s: State, j: int, r: int) -> float:
        if level == len(net.layers) - 1:
            e = a(s, j, r) - net.targets[r][j]
        else:
            in_one_step = f"d {summed(net, level + 1, 0, r)}" not in s
            e = right.back(s, level, j, r, in_one_step)
        return slope(function, 0.0, e)

    yield "derivative taken at the error", of_error
    if len(layer.units) > 1:
        yield (
            "derivative at another sum",
            lambda s, j, r: slope(
                function, z(s, (j + 1) % len(layer.units), r), a(s, (j + 1) % len(layer.units), r)
            ),
        )


def weight_slips(
    net: Network, right: Backward, level: int, j: int
) -> Iterator[tuple[str, Backward]]:
    above = net.layers[level + 1]
    users = list(range(len(above.units)))

    def updated(s: State, m: int, k: int, i: int) -> float:
        name = net.layers[m].weights[k][i]
        return s.get(f"new {name}", s[name]) if m == level + 1 else right.weight(s, m, k, i)

    yield "updated weight used", replace(right, weight=updated)
    if len(users) > 1:
        for left_out in users:
            yield (
                "path forgotten",
                replace(
                    right,
                    users=lambda m, i, left_out=left_out: (  # type: ignore[misc]
                        [u for u in users if u != left_out] if m == level else right.users(m, i)
                    ),
                ),
            )
    if len(users) == len(net.layers[level].units) > 1:
        yield (
            "weights not transposed",
            replace(
                right,
                weight=lambda s, m, k, i: (
                    right.weight(s, m, i, k) if m == level + 1 else right.weight(s, m, k, i)
                ),
            ),
        )
    yield (
        "weight forgotten",
        replace(
            right,
            weight=lambda s, m, k, i: 1.0 if m == level + 1 else right.weight(s, m, k, i),
        ),
    )
    names = dict.fromkeys(w for row in above.weights for w in row)
    own = above.weights[0][j]
    for other in names:
        if other != own:
            yield (
                "another weight",
                replace(
                    right,
                    weight=lambda s, m, k, i, other=other: (  # type: ignore[misc]
                        s[other] if (m, k) == (level + 1, 0) else right.weight(s, m, k, i)
                    ),
                ),
            )


# Gradients and updates.


def gradient(
    net: Network, way: Backward, s: State, places: list[tuple[int, int, int | None]],
    records: list[int], *, deep: bool, source: str = "",
) -> float:  # fmt: skip
    """Σ over uses and records of δ times what the parameter is multiplied by."""
    total = 0.0
    for level, j, k in places:
        for r in records:
            delta = (
                way.delta(s, level, j, r, True) if deep else s[f"d {summed(net, level, j, r)}"]
            )  # fmt: skip
            if k is None:
                factor = s[output(net, level - 1, 0, r)] if source == "other" else 1.0
            elif source == "other":
                factor = s[output(net, level - 1, (k + 1) % len(net.layers[level].weights[j]), r)]
            else:
                factor = 1.0 if source == "none" else s[output(net, level - 1, k, r)]
            total += delta * factor
    return total


def gradient_line(net: Network, right: Backward, parameter: str, deep: bool) -> Line:
    places, records = uses(net, parameter), list(range(net.records))

    def made(
        way: Backward = right, at: object = None, only: object = None, source: str = ""
    ) -> Compute:
        return lambda s: gradient(
            net, way, s, at if isinstance(at, list) else places,
            only if isinstance(only, list) else records, deep=deep, source=source,
        )  # fmt: skip

    line = Line(f"dL/d{parameter}", f"g {parameter}", made())
    line.slips.append(("sign", lambda s: -gradient(net, right, s, places, records, deep=deep)))
    bias = all(k is None for _, _, k in places)
    level, j, _ = places[0]
    if not bias:
        line.slips.append(("input forgotten", made(source="none")))
        if len(net.layers[level].weights[j]) > 1:
            line.slips.append(("another input", made(source="other")))
    else:
        line.slips.append(("another input", made(source="other")))
    if len(places) > 1:
        kind = "bias gradient not summed" if bias else "assigned in place of added"
        line.slips += [(kind, made(at=[place])) for place in places]
    if net.records > 1:
        line.slips += [("records not summed", made(only=[r])) for r in records]
    if deep and len(places) == 1:
        line.slips += [(kind, made(wrong)) for kind, wrong in deep_slips(net, right, level, j)]
    return line


def deep_slips(net: Network, right: Backward, level: int, j: int) -> Iterator[tuple[str, Backward]]:
    """Slips anywhere on the way down to a unit."""
    yield from backward_slips(net, right, level, j)
    for above in range(level + 1, len(net.layers)):
        for kind, wrong in backward_slips(net, right, above, 0):
            if kind in ("activation derivative forgotten", "derivative taken at the activation"):
                yield kind, wrong


def update_line(net: Network, parameter: str) -> Line:
    rate = net.rate
    g = f"g {parameter}"
    line = Line(f"new {parameter}", f"new {parameter}", lambda s: s[parameter] - rate * s[g])
    line.slips += [
        ("added in place of subtracted", lambda s: s[parameter] + rate * s[g]),
        ("learning rate forgotten", lambda s: s[parameter] - s[g]),
        ("old weight forgotten", lambda s: -rate * s[g]),
    ]
    mine = uses(net, parameter)[0][0]
    for other in net.parameters:
        if other != parameter and uses(net, other)[0][0] == mine:
            line.slips.append(
                ("gradient of another parameter",
                 lambda s, other=other: s[parameter] - rate * s[f"g {other}"])  # type: ignore[misc]
            )  # fmt: skip
    return line


# The other convention.


def deltas(net: Network, *, negative: bool) -> Iterator[Line]:
    """δ as minus the gradient, and updates that add η·δ·input."""
    right = rule(net)
    sign = -1.0 if negative else 1.0
    for level in reversed(range(len(net.layers))):
        for j, unit in enumerate(net.layers[level].units):
            key = f"d {summed(net, level, j, 0)}"
            yield Line(f"delta_{unit}", key, partial(_turned, right, level, j, sign))
        for p in net.parameters:
            if uses(net, p)[0][0] == level:
                yield Line(f"new {p}", f"new {p}", partial(_added, right, p, sign))


def _turned(right: Backward, level: int, j: int, sign: float, s: State) -> float:
    """δ of a unit; below the last layer its sign comes from the δ above."""
    value = right.delta(s, level, j, 0)
    return sign * value if level == len(right.net.layers) - 1 else value


def _added(right: Backward, parameter: str, sign: float, s: State) -> float:
    net = right.net
    total = gradient(net, right, s, uses(net, parameter), [0], deep=False)
    return s[parameter] - sign * net.rate * total
