"""Worksheets as graphs: their numbers against closed forms, and the names of their nodes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import ArgumentError, WorksheetError
from chalkgrad.core.graph import ancestors
from chalkgrad.formulas import labels as kinds
from chalkgrad.worksheet import Problem, Worksheet, learned, optimizer_of
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.losses import RULES

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
XOR = {"x1": [0.0, 0.0, 1.0, 1.0], "x2": [0.0, 1.0, 0.0, 1.0]}


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(z: Any) -> Any:
    power = np.exp(z - z.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)


FORMS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softmax": softmax,
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "gelu": np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "softsign": lambda x: x / (1 + abs(x)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "logsigmoid": lambda x: np.log(sigmoid(x)),
}


def per_record(kind: str, o: Any, t: Any, *, logits: bool = False) -> Any:
    """The loss of each record, from its definition."""
    if kind == "half_squared_error":
        return (0.5 * (t - o) ** 2).sum(axis=1)
    if kind == "squared_error":
        return ((o - t) ** 2).sum(axis=1)
    if kind == "mean_squared_error":
        return ((o - t) ** 2).mean(axis=1)
    if kind == "binary_cross_entropy":
        return -(t * np.log(o) + (1 - t) * np.log(1 - o)).mean(axis=1)
    return -(t * np.log(softmax(o) if logits else o)).sum(axis=1)


def two_layers(
    hidden: str, output: str, kind: str, over: str | None = None, records: int = 3
) -> Worksheet:
    inputs = {"x1": [0.5, -1.2, 0.3][:records], "x2": [1.5, 0.7, -0.4][:records]}
    targets = {"o1": [0.1, 0.8, 0.5][:records], "o2": [0.9, 0.2, 0.5][:records]}
    over_records = f'over_records = "{over}"' if over else ""
    weights = "\n".join(f"w{k} = {0.37 * k - 1.3 + 0.1 * (k % 3):.3f}" for k in range(1, 9))
    return Worksheet.from_text(f"""
[parameters]
{weights}
b1 = 0.25
b2 = -0.35
[[layer]]
units = ["h1", "h2"]
weights = [["w1", "w2"], ["w3", "w4"]]
bias = ["b1", "b1"]
activation = "{hidden}"
[[layer]]
units = ["o1", "o2"]
weights = [["w5", "w6"], ["w7", "w8"]]
bias = ["b2", 0.125]
activation = "{output}"
[data]
inputs = {table(inputs)}
targets = {table(targets)}
[loss]
kind = "{kind}"
{over_records}
""")


def table(columns: dict[str, list[float]]) -> str:
    return "{ " + ", ".join(f"{name} = {column}" for name, column in columns.items()) + " }"


def expected(sheet: Worksheet, values: dict[str, float]) -> float:
    """The loss from the definitions alone."""
    assert sheet.data is not None
    assert sheet.loss is not None
    x = np.array(list(sheet.data.inputs.values())).T
    for layer in sheet.layers:
        number = {**values}.__getitem__
        w = np.array([[number(n) if isinstance(n, str) else n for n in r] for r in layer.weights])
        z = x @ w.T
        if layer.bias is not None:
            z = z + np.array([number(n) if isinstance(n, str) else n for n in layer.bias])
        x = FORMS[layer.activation](z)
    target = np.array(list(sheet.data.targets.values())).T
    logits = sheet.layers[-1].activation == "identity"
    losses = per_record(sheet.loss.kind, x, target, logits=logits)
    return float(losses.mean() if sheet.loss.over_records == "mean" else losses.sum())


def check(sheet: Worksheet) -> None:
    """Loss and gradients against the definitions and their finite differences."""
    problem = Problem.of(sheet)
    values = dict(sheet.parameters)
    assert problem.loss.shape == ()
    assert problem.loss.node.dtype == np.float64
    assert problem.loss.item() == pytest.approx(expected(sheet, values), rel=1e-13)
    problem.loss.backward()
    for name, parameter in problem.parameters.items():
        step = 1e-6
        above = expected(sheet, {**values, name: values[name] + step})
        below = expected(sheet, {**values, name: values[name] - step})
        assert parameter.grad is not None
        assert parameter.grad.item() == pytest.approx((above - below) / (2 * step), abs=1e-7)


def test_every_activation_has_a_form_here() -> None:
    assert set(FORMS) == set(ACTIVATIONS)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations(activation: str) -> None:
    check(two_layers(activation, "identity", "half_squared_error"))


OUTPUTS = {
    "half_squared_error": "tanh", "squared_error": "softplus", "mean_squared_error": "sigmoid",
    "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(RULES))
@pytest.mark.parametrize("over", ["sum", "mean", None])
@pytest.mark.parametrize("records", [1, 3])
def test_losses(kind: str, over: str | None, records: int) -> None:
    check(two_layers("tanh", OUTPUTS[kind], kind, over, records))


@pytest.mark.parametrize("over", ["sum", "mean"])
@pytest.mark.parametrize("records", [1, 3])
def test_cross_entropy_of_logits(over: str, records: int) -> None:
    check(two_layers("sigmoid", "identity", "cross_entropy", over, records))


def test_probabilities_of_a_softmax_and_of_logits_cost_the_same() -> None:
    one = Problem.of(two_layers("tanh", "softmax", "cross_entropy"))
    other = Problem.of(two_layers("tanh", "identity", "cross_entropy"))
    assert one.loss.item() == pytest.approx(other.loss.item(), rel=1e-14)


def test_lecture_001() -> None:
    """Its network written out, number by number."""
    problem = Problem.of(Worksheet.read(LECTURES / "lecture_001.toml"))
    sum_h1, sum_h2 = 0.1 * 0.1 + 0.5 * 0.3 + 0.25, 0.1 * 0.2 + 0.5 * 0.4 + 0.25
    h1, h2 = sigmoid(sum_h1), sigmoid(sum_h2)
    sum_o1, sum_o2 = 0.5 * h1 + 0.6 * h2 + 0.35, 0.7 * h1 + 0.8 * h2 + 0.35
    o1, o2 = sigmoid(sum_o1), sigmoid(sum_o2)
    e1, e2 = 0.5 * (0.05 - o1) ** 2, 0.5 * (0.95 - o2) ** 2
    written = {
        "i1": 0.1, "i2": 0.5, "target_1": 0.05, "target_2": 0.95, "w1": 0.1, "b2": 0.35,
        "sum_h1": sum_h1, "sum_h2": sum_h2, "output_h1": h1, "output_h2": h2,
        "sum_o1": sum_o1, "sum_o2": sum_o2, "output_o1": o1, "output_o2": o2,
        "E_1": e1, "E_2": e2, "E_total": e1 + e2,
    }  # fmt: skip
    found = numbers(problem)
    for name, value in written.items():
        assert found[name] == pytest.approx(value, rel=1e-14), name
    problem.loss.backward()
    d1, d2 = (o1 - 0.05) * o1 * (1 - o1), (o2 - 0.95) * o2 * (1 - o2)
    gradients = {
        "w5": d1 * h1, "w8": d2 * h2, "b2": d1 + d2,
        "w1": (d1 * 0.5 + d2 * 0.7) * h1 * (1 - h1) * 0.1,
    }  # fmt: skip
    for name, value in gradients.items():
        gradient = problem.parameters[name].grad
        assert gradient is not None
        assert gradient.item() == pytest.approx(value, rel=1e-13), name


def numbers(problem: Problem) -> dict[str, float]:
    """Every name on the board, and its number."""
    found: dict[str, float] = {}
    for node, label in problem.labels.items():
        assert label.names is not None
        assert label.names.shape == node.shape
        for index in np.ndindex(node.shape):
            assert label.name(index) not in found
            found[label.name(index)] = float(node.value[index])
    return found


def by_kind(problem: Problem, kind: str) -> list[list[str]]:
    return [
        [label.name(index) for index in np.ndindex(node.shape)]
        for node, label in problem.labels.items()
        if label.kind == kind
    ]


def test_labels_of_several_records() -> None:
    problem = Problem.of(two_layers("tanh", "softmax", "cross_entropy", records=2))
    rows = [f"{{}}_{unit}[{k}]" for k in (1, 2) for unit in ("o1", "o2")]
    assert by_kind(problem, kinds.INPUT) == [["x1[1]", "x2[1]", "x1[2]", "x2[2]"]]
    assert by_kind(problem, kinds.TARGET) == [[row.format("target") for row in rows]]
    assert by_kind(problem, kinds.WEIGHTED_SUM)[1] == [row.format("z") for row in rows]
    assert by_kind(problem, kinds.ACTIVATION)[1] == [row.format("a") for row in rows]
    assert by_kind(problem, kinds.LOSS_TERM) == [[row.format("L") for row in rows]]
    assert by_kind(problem, kinds.LOSS) == [["L"]]
    layers = [label.layer for label in problem.labels.values() if label.layer is not None]
    assert layers == [1, 1, 2, 2]
    per_record = [label for label in problem.labels.values() if label.records]
    assert len(per_record) == 7
    assert ["w1"] in by_kind(problem, kinds.PARAMETER)


def test_labels_are_nodes_of_the_graph_that_keep_their_history() -> None:
    for output, kind in (("sigmoid", "binary_cross_entropy"), ("identity", "cross_entropy")):
        problem = Problem.of(two_layers("relu", output, kind))
        nodes = ancestors([problem.loss.node])
        assert set(problem.labels) <= set(nodes)
        bare = [n for n in nodes if n.primitive is None and n not in problem.labels]
        shift = kind == "cross_entropy"  # softmax takes the largest away, as a constant
        assert sum(node.value.size > 1 for node in bare) == shift  # the others stand in formulas
        scopes = {str(node.scope) for node in nodes if node.scope is not None}
        assert {"layers.0", "layers.1"} <= scopes


def test_terms_of_cross_entropy_of_logits_are_the_records() -> None:
    problem = Problem.of(two_layers("tanh", "identity", "cross_entropy"))
    assert by_kind(problem, kinds.LOSS_TERM) == [["L[1]", "L[2]", "L[3]"]]
    problem = Problem.of(two_layers("tanh", "identity", "cross_entropy", records=1))
    assert by_kind(problem, kinds.LOSS_TERM) == []


def test_identity_has_one_quantity_and_an_alias() -> None:
    problem = Problem.of(two_layers("tanh", "identity", "half_squared_error", records=2))
    assert by_kind(problem, kinds.WEIGHTED_SUM)[1] == ["a_o1[1]", "a_o2[1]", "a_o1[2]", "a_o2[2]"]
    assert len(by_kind(problem, kinds.ACTIVATION)) == 1
    assert problem.aliases["z_o2[2]"] == "a_o2[2]"


def test_a_name_used_twice_is_one_leaf() -> None:
    problem = Problem.of(Worksheet.read(LECTURES / "lecture_002.toml"))
    leaves = [n for n in ancestors([problem.loss.node]) if n.primitive is None and n.name == "w2"]
    assert leaves == [problem.parameters["w2"].node]
    problem.loss.backward()
    h1, h2 = sigmoid(0.3 + 0.1), sigmoid(0.5 + 0.1)
    o = sigmoid(0.2 * h1 + 0.4 * h2 + 0.6)
    delta = (o - 1) * o * (1 - o)
    uses = delta * 0.2 * h1 * (1 - h1) * 0.0 + delta * 0.4 * h2 * (1 - h2) * (1.0 + 0.0)
    gradient = problem.parameters["w2"].grad
    assert gradient is not None
    assert gradient.item() == pytest.approx(uses, rel=1e-13)


def test_changed_values() -> None:
    sheet = two_layers("tanh", "sigmoid", "mean_squared_error")
    changed = Problem.of(sheet, {"w5": 2.0, "b1": 0.0}).loss.item()
    assert changed == pytest.approx(
        expected(sheet, {**sheet.parameters, "w5": 2.0, "b1": 0.0}), rel=1e-13
    )
    with pytest.raises(ArgumentError, match=r"has no parameter 'w55'. Did you mean w5"):
        Problem.of(sheet, {"w55": 1.0})


def test_numbers_without_meaning_are_one_error() -> None:
    sheet = two_layers("identity", "sigmoid", "binary_cross_entropy")
    with pytest.raises(WorksheetError, match="should be between 0 and 1; one is nan"):
        Problem.of(sheet, {"w1": math.inf, "w2": -math.inf})


# Formulas.
def of_formula(text: str, **values: float) -> Problem:
    given = "\n".join(f"{name} = {value}" for name, value in values.items())
    return Problem.of(Worksheet.from_text(f"[expression]\n{text}\n[values]\n{given}\n"))


def test_lecture_004() -> None:
    problem = Problem.of(Worksheet.read(LECTURES / "lecture_004.toml"))
    assert numbers(problem) == {"x": 4, "y": 3, "z": 2, "u": 6, "v": 10, "J": 30}
    problem.loss.backward()
    gradients = {name: p.grad.item() for name, p in problem.parameters.items() if p.grad}
    assert gradients == {"x": 3, "y": 3 * 2, "z": 3 * 3}
    assert by_kind(problem, kinds.VALUE) == [["u"], ["v"]]
    assert by_kind(problem, kinds.LOSS) == [["J"]]


@pytest.mark.parametrize(
    ("formula", "form"),
    [
        ("x^3 / y - y^x", lambda x, y: x**3 / y - y**x),
        ("-x + |x - y| + abs(y)", lambda x, y: -x + abs(x - y) + abs(y)),
        ("exp(x) * ln(y) + log(x)", lambda x, y: math.exp(x) * math.log(y) + math.log(x)),
        ("sqrt(x) + sin(y) + cos(x) + tan(x)",
         lambda x, y: math.sqrt(x) + math.sin(y) + math.cos(x) + math.tan(x)),
        ("sigmoid(x)·tanh(y)", lambda x, y: sigmoid(x) * math.tanh(y)),
        ("relu(x - y) + relu(y - x)", lambda x, y: abs(x - y)),
        ("max(x, y, 0.1) - min(x, y)", lambda x, y: abs(x - y)),
        ("sum(x, y, x)", lambda x, y: 2 * x + y),
        ("½(x - y)²", lambda x, y: 0.5 * (x - y) ** 2),
        ("x if x > y else 3y", lambda x, y: x if x > y else 3 * y),
        ("sigmoid'(x)*y + tanh'(y)",
         lambda x, y: sigmoid(x) * (1 - sigmoid(x)) * y + 1 - math.tanh(y) ** 2),
        ("softplus(x) + leaky_relu(-y)", lambda x, y: math.log(1 + math.exp(x)) - 0.01 * y),
        ("e^(-x*y)", lambda x, y: math.exp(-x * y)),
        ("x", lambda x, y: x),
        ("2 + 3x + 0*y", lambda x, y: 2 + 3 * x),
    ],
)  # fmt: skip
def test_formulas(formula: str, form: Callable[[float, float], float]) -> None:
    x, y, step = 0.7, 1.9, 1e-6
    problem = of_formula(f'J = "{formula}"', x=x, y=y)
    assert problem.loss.item() == pytest.approx(form(x, y), rel=1e-14)
    problem.loss.backward()
    slopes = {
        "x": (form(x + step, y) - form(x - step, y)) / (2 * step),
        "y": (form(x, y + step) - form(x, y - step)) / (2 * step),
    }
    for name, slope in slopes.items():
        gradient = problem.parameters[name].grad
        assert (gradient.item() if gradient else 0) == pytest.approx(slope, abs=1e-8), name


def test_a_line_that_is_a_name_is_a_quantity() -> None:
    problem = of_formula('u = "x"\nv = "max(x)"\nc = 3\nd = "2*3"\nJ = "u * c + v + d"', x=2)
    assert numbers(problem) == {"x": 2, "u": 2, "v": 2, "c": 3, "d": 6, "J": 14}


# Updates.
def with_update(lines: str) -> Worksheet:
    text = f"""
[parameters]
w = 0.5
b = 0.25
[[layer]]
units = ["o"]
weights = [["w"]]
bias = ["b"]
[data]
inputs = {{ x = [1.0, 2.0] }}
targets = {{ o = [3.0, 5.0] }}
[loss]
kind = "half_squared_error"
[update]
{lines}
"""
    return Worksheet.from_text(text)


def descent(steps: int, lr: float, frozen: str = "") -> dict[str, float]:
    w, b = 0.5, 0.25
    for _ in range(steps):
        errors = [(x, w * x + b - t) for x, t in ((1.0, 3.0), (2.0, 5.0))]
        gw, gb = sum(x * e for x, e in errors), sum(e for _, e in errors)
        w, b = w - lr * gw * (frozen != "w"), b - lr * gb * (frozen != "b")
    return {"w": w, "b": b}


@pytest.mark.parametrize("frozen", ["", "w", "b"])
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_learned(frozen: str, steps: int) -> None:
    names = f'"{frozen}"' if frozen else ""
    sheet = with_update(f'rule = "SGD"\nlearning_rate = 0.1\nfrozen = [{names}]')
    assert learned(sheet, steps) == pytest.approx(descent(steps, 0.1, frozen), rel=1e-13)
    assert sheet.parameters == {"w": 0.5, "b": 0.25}


def test_adam_by_its_equation() -> None:
    sheet = with_update('rule = "Adam"\nlr = 0.05\nbetas = [0.8, 0.9]\neps = 1e-6\nsteps = 3')
    w, b, m, v = 0.5, 0.25, [0.0, 0.0], [0.0, 0.0]
    for t in range(1, 4):
        errors = [(x, w * x + b - y) for x, y in ((1.0, 3.0), (2.0, 5.0))]
        gradient = [sum(x * e for x, e in errors), sum(e for _, e in errors)]
        moves = []
        for k, g in enumerate(gradient):
            m[k], v[k] = 0.8 * m[k] + 0.2 * g, 0.9 * v[k] + 0.1 * g * g
            moves.append(0.05 * (m[k] / (1 - 0.8**t)) / (math.sqrt(v[k] / (1 - 0.9**t)) + 1e-6))
        w, b = w - moves[0], b - moves[1]
    assert learned(sheet, 3) == pytest.approx({"w": w, "b": b}, rel=1e-12)


@pytest.mark.parametrize(
    "rule",
    ["sgd", "adam", "AdamW", "rmsprop", "ADAGRAD", "adadelta", "adamax", "nadam", "radam", "rprop"],
)
def test_every_rule_moves_and_equals_its_optimizer(rule: str) -> None:
    sheet = with_update(f'rule = "{rule}"\nlearning_rate = 0.01')
    problem = Problem.of(sheet)
    optimizer = optimizer_of(sheet, problem.parameters)
    assert type(optimizer).__name__.lower() == rule.lower()
    problem.loss.backward()
    optimizer.step()
    stepped = {name: tensor.item() for name, tensor in problem.parameters.items()}
    assert learned(sheet, 1) == pytest.approx(stepped, rel=1e-14)
    assert stepped != dict(sheet.parameters)


def test_a_worksheet_without_update_learns_nothing() -> None:
    sheet = two_layers("tanh", "sigmoid", "mean_squared_error")
    with pytest.raises(WorksheetError, match=r"says nothing of an update; add \[update\]"):
        learned(sheet, 1)
    with pytest.raises(ArgumentError, match="steps must be between 0 and 1000000, not -1"):
        learned(with_update('rule = "sgd"'), -1)


def test_steps_that_diverge_are_numbers_all_the_same() -> None:
    sheet = with_update('rule = "sgd"\nlearning_rate = 1000.0')
    assert not math.isfinite(learned(sheet, 300)["w"])


def test_formulas_learn_too() -> None:
    text = '[expression]\nJ = "(w - 3)^2"\n[values]\nw = 1\n[update]\nrule = "sgd"\nlr = 0.25'
    assert learned(Worksheet.from_text(text), 2) == {"w": 3 - (3 - 1) * 0.5**2}


def test_ten_thousand_steps_take_seconds() -> None:
    sheet = Worksheet.read(LECTURES / "lecture_001.toml")
    start = time.perf_counter()
    after = learned(sheet, 10_000)
    assert time.perf_counter() - start < 15  # about one second on a quiet machine
    assert Problem.of(sheet, after).loss.item() < Problem.of(sheet).loss.item() / 1000
    assert after["b1"] == sheet.parameters["b1"]  # frozen


@settings(max_examples=60)
@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    """Shared, missing and written-out weights; one to four layers; several records."""
    draw = data.draw
    names = [f"p{k}" for k in range(draw(st.integers(1, 6)))]
    weight = st.sampled_from([f'"{name}"' for name in names]) | st.sampled_from(["0.5", "-1", "0"])
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    records = draw(st.integers(1, 3))
    smooth = ["identity", "sigmoid", "tanh", "softplus", "softmax", "silu"]
    layers = []
    for k, (wide, out) in enumerate(pairwise(widths)):
        rows = [[draw(weight) for _ in range(wide)] for _ in range(out)]
        lines = [f"units = {[f'u{k}{n}' for n in range(out)]}",
                 "weights = [" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]",
                 f'activation = "{draw(st.sampled_from(smooth))}"']  # fmt: skip
        if draw(st.booleans()):
            lines.append("bias = [" + ", ".join(draw(weight) for _ in range(out)) + "]")
        layers.append("[[layer]]\n" + "\n".join(lines))
    number = st.integers(-20, 20).map(lambda n: n / 10)
    column = st.lists(number, min_size=records, max_size=records)
    inputs = {f"x{n}": draw(column) for n in range(widths[0])}
    targets = {f"u{len(widths) - 2}{n}": draw(column) for n in range(widths[-1])}
    kind = draw(st.sampled_from(["half_squared_error", "squared_error", "mean_squared_error"]))
    text = "\n".join([
        "[parameters]", *(f"{name} = {draw(number)}" for name in names), *layers,
        "[data]", f"inputs = {table(inputs)}", f"targets = {table(targets)}",
        "[loss]", f'kind = "{kind}"', f'over_records = "{draw(st.sampled_from(["sum", "mean"]))}"',
    ])  # fmt: skip
    sheet = Worksheet.from_text(text)
    problem = Problem.of(sheet)
    assert problem.loss.item() == pytest.approx(expected(sheet, dict(sheet.parameters)), rel=1e-12)
    problem.loss.backward()
    own = {tensor.node for tensor in problem.parameters.values()}
    used = {node.name for node in ancestors([problem.loss.node]) if node in own}
    assert used == set(names) - {note.split(": ")[1].split()[0] for note in sheet.notes}


@pytest.mark.parametrize("path", sorted(LECTURES.glob("*.toml")), ids=lambda path: path.stem)
def test_lectures(path: Path) -> None:
    sheet = Worksheet.read(path)
    assert sheet.notes == ()
    assert math.isfinite(Problem.of(sheet).loss.item())
