"""Random layered networks as worksheets, and the same in plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "softmax")
LOSSES = (
    "half_squared_error", "squared_error", "mean_squared_error", "binary_cross_entropy",
    "cross_entropy",
)  # fmt: skip


@dataclass
class Network:
    """A worksheet's content, before it is written down."""

    widths: list[int]
    activations: list[str]
    loss: str
    over_records: str
    parameters: dict[str, float]
    weights: list[list[list[str]]]  # by layer, unit and input: the parameter's name
    biases: list[list[str] | None]
    inputs: list[list[float]]  # by record
    targets: list[list[float]]
    rule: str = "sgd"
    settings: dict[str, float] = field(default_factory=lambda: {"learning_rate": 0.1})

    def toml(self) -> str:
        """The worksheet."""
        lines = ["[parameters]", *(f"{k} = {v!r}" for k, v in self.parameters.items())]
        for k, activation in enumerate(self.activations):
            units = [f"u{k + 1}{j + 1}" for j in range(self.widths[k + 1])]
            lines += ["", "[[layer]]", f"units = {units!r}", f"weights = {self.weights[k]!r}"]
            if self.biases[k] is not None:
                lines.append(f"bias = {self.biases[k]!r}")
            lines.append(f'activation = "{activation}"')
        last = [f"u{len(self.activations)}{j + 1}" for j in range(self.widths[-1])]
        lines += ["", "[data]", f"inputs = {_table('x', self.inputs)}"]
        columns = zip(last, zip(*self.targets, strict=True), strict=True)
        lines.append("targets = {" + ", ".join(f"{n} = {list(c)!r}" for n, c in columns) + "}")
        lines += ["", "[loss]", f'kind = "{self.loss}"', f'over_records = "{self.over_records}"']
        lines += ["", "[update]", f'rule = "{self.rule}"']
        lines += [f"{k} = {v!r}" for k, v in self.settings.items()]
        return "\n".join(lines).replace("'", '"')


def _table(letter: str, records: list[list[float]]) -> str:
    columns = zip(*records, strict=True)
    return "{" + ", ".join(f"{letter}{j + 1} = {list(c)!r}" for j, c in enumerate(columns)) + "}"


_NUMBER = st.integers(-15, 15).map(lambda k: k / 10)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """1 to 4 layers, every activation and loss, shared and missing biases, shared weights."""
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    layers = len(widths) - 1
    loss = draw(st.sampled_from(LOSSES))
    hidden = [draw(st.sampled_from(ACTIVATIONS)) for _ in range(layers - 1)]
    last = {
        "binary_cross_entropy": ("sigmoid",), "cross_entropy": ("softmax", "identity"),
    }.get(loss, ACTIVATIONS)  # fmt: skip
    names = [f"w{k}" for k in range(1, draw(st.integers(2, 30)))]
    weights = [
        [[draw(st.sampled_from(names)) for _ in range(widths[k])] for _ in range(widths[k + 1])]
        for k in range(layers)
    ]
    biases: list[list[str] | None] = [
        [draw(st.sampled_from(["b1", "b2", "b3"])) for _ in range(widths[k + 1])]
        if draw(st.booleans()) else None
        for k in range(layers)
    ]  # fmt: skip
    used = {n for layer in weights for row in layer for n in row}
    used |= {n for bias in biases if bias for n in bias}
    records = draw(st.integers(1, 3))
    inputs = [[draw(_NUMBER) for _ in range(widths[0])] for _ in range(records)]
    shares = st.integers(1, 9).map(lambda k: k / 10)
    targets = [[draw(shares) for _ in range(widths[-1])] for _ in range(records)]
    return Network(
        widths, [*hidden, draw(st.sampled_from(last))], loss,
        draw(st.sampled_from(["sum", "mean"])),
        {n: draw(_NUMBER) for n in sorted(used)}, weights, biases, inputs, targets,
    )  # fmt: skip
