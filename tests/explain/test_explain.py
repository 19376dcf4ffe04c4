"""`cg.explain`: what can be asked for, what is refused, and that any network is explained."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.core.errors import (
    ArgumentError,
    GradientError,
    NotAvailable,
    TypeMismatch,
    WorksheetError,
)
from chalkgrad.explain import Derivation
from chalkgrad.explain.presets import PRESETS
from chalkgrad.explain.views import VIEWS

table = pytest.mark.parametrize
F = nn.functional

SHEET = """\
[parameters]
w1 = 0.3
w2 = 0.5
b1 = 0.1
w3 = 0.2
w4 = 0.4
b2 = 0.6
w5 = -0.7

[[layer]]
units = ["h1", "h2"]
weights = [["w1", "w2"], ["w5", "w2"]]
bias = ["b1", "b1"]
activation = "sigmoid"

[[layer]]
units = ["o"]
weights = [["w3", "w4"]]
bias = ["b2"]
activation = "sigmoid"

[data]
inputs = { x1 = [1.0, 0.0], x2 = [0.5, 0.5] }
targets = { o = [1.0, 0.0] }

[loss]
kind = "half_squared_error"

[update]
rule = "sgd"
learning_rate = 0.1
frozen = ["b2"]
"""
ONE_RECORD = (
    SHEET.replace("x1 = [1.0, 0.0], x2 = [0.5, 0.5]", "x1 = 1.0, x2 = 0.5")
    .replace("o = [1.0, 0.0]", "o = 1.0")
    .replace('[["w1", "w2"], ["w5", "w2"]]', '[["w1", "w2"], ["w5", "w6"]]')
    .replace('bias = ["b1", "b1"]', 'bias = ["b1", "b3"]')
    .replace("w5 = -0.7", "w5 = -0.7\nw6 = 0.8\nb3 = -0.2")
)


@pytest.fixture
def model() -> nn.Sequential:
    cg.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))


@pytest.fixture
def loss(model: nn.Sequential) -> cg.Tensor:
    x, y = cg.tensor([[1.0, 2.0], [3.0, -4.0]]), cg.tensor([[0.0], [1.0]])
    return nn.MSELoss()(model(x), y)


def wanted(derivation: Derivation) -> list[str]:
    return [gradient.wrt.text for gradient in derivation.gradients]


def values(derivation: Derivation) -> dict[str, float]:
    return derivation.board.values | {f"∂{g.wrt.text}": g.value for g in derivation.gradients}


WEIGHT = [f"0.weight[{i},{j}]" for i in (0, 1) for j in (0, 1)]


# What is asked for.
@table(
    ("ask", "names"),
    [
        (lambda m: m[0].weight, WEIGHT),
        (lambda m: (m[0].weight, (0, 1)), ["0.weight[0,1]"]),
        (lambda m: (m[0].weight, [1, 0]), ["0.weight[1,0]"]),
        (lambda m: (m[0].weight, (np.int64(1), 0)), ["0.weight[1,0]"]),
        (lambda m: (m[2].bias, 0), ["2.bias[0]"]),
        (lambda m: [m[2].weight, (m[0].bias, 1)], ["2.weight[0,0]", "2.weight[0,1]", "0.bias[1]"]),
        (lambda m: (m[0].bias, m[2].bias), ["0.bias[0]", "0.bias[1]", "2.bias[0]"]),
        (lambda m: {m[2].bias}, ["2.bias[0]"]),
        (lambda m: "0.weight", WEIGHT),
        (lambda m: "0.weight[1,1]", ["0.weight[1,1]"]),
        (lambda m: ["2.bias", "0.bias[1]"], ["2.bias[0]", "0.bias[1]"]),
        (lambda m: [m[2].bias, "2.bias[0]", "2.bias"], ["2.bias[0]"]),  # once
        (lambda m: "0.out[1,0]", ["0.out[1,0]"]),  # a quantity that is no parameter
        (lambda m: "1.out", [f"1.out[{n},{k}]" for n in (0, 1) for k in (0, 1)]),
    ],
)
def test_what_can_be_asked_for(
    model: nn.Sequential, loss: cg.Tensor, ask: Callable[[Any], Any], names: list[str]
) -> None:
    derivation = cg.explain(loss, ask(model))
    assert wanted(derivation) == names
    loss.backward()
    grads = {name: p.grad.numpy() for name, p in model.named_parameters()}
    for gradient in derivation.gradients:
        stem, place = re.fullmatch(r"(.*)\[(.*)\]", gradient.wrt.text).groups()  # type: ignore[union-attr]
        if stem in grads:
            expected = grads[stem][tuple(map(int, place.split(",")))]
            assert gradient.value == pytest.approx(expected, rel=1e-6)


def test_without_wrt_every_parameter_is_meant(model: nn.Sequential, loss: cg.Tensor) -> None:
    sizes = sum(p.numel() for p in model.parameters())
    assert len(cg.explain(loss).gradients) == sizes


def test_a_worksheets_quantities_by_name() -> None:
    assert wanted(cg.explain(SHEET)) == ["w1", "w2", "b1", "w3", "w4", "w5"]  # b2 is frozen
    assert wanted(cg.explain(SHEET, "b2")) == ["b2"]
    assert wanted(cg.explain(SHEET, ["w5", "z_h1[2]"])) == ["w5", "z_h1[2]"]
    assert wanted(cg.explain(SHEET, "w1", names="indexed")) == ["w⁽¹⁾₁₁"]
    assert wanted(cg.explain(SHEET, "w⁽¹⁾₁₁", names="indexed")) == ["w⁽¹⁾₁₁"]


def test_of_a_large_parameter_the_largest_gradient_is_meant() -> None:
    cg.manual_seed(0)
    layer = nn.Linear(9, 5)
    loss = (layer(cg.randn(3, 9)) ** 2).mean()
    derivation = cg.explain(loss)
    loss.backward()
    grads = layer.weight.grad.numpy()  # type: ignore[union-attr]
    place = np.unravel_index(np.abs(grads).argmax(), grads.shape)
    assert wanted(derivation) == [
        f"weight[{place[0]},{place[1]}]",
        *(f"bias[{k}]" for k in range(5)),
    ]
    assert derivation.gradients[0].value == pytest.approx(grads[place], rel=1e-6)


def test_a_parameter_that_nothing_uses_is_left_alone() -> None:
    derivation = cg.explain(SHEET.replace("w5 = -0.7", "w5 = -0.7\nw9 = 0.9"))
    assert wanted(derivation) == ["w1", "w2", "b1", "w3", "w4", "w5"]
    assert derivation.board.values["w9"] == 0.9
    assert derivation.after is not None
    assert derivation.after.values["L"] < derivation.board.values["L"]
    with pytest.raises(GradientError, match="the loss was not computed from the tensor w9"):
        cg.explain(SHEET.replace("w5 = -0.7", "w5 = -0.7\nw9 = 0.9"), "w9")


# What is refused.
@table(
    ("ask", "error", "words"),
    [
        (lambda m: "0.wieght", ArgumentError, "no quantity '0.wieght' in this pass. Did you"),
        (lambda m: "", ArgumentError, "no quantity ''"),
        (lambda m: [], ArgumentError, "wrt names nothing"),
        (lambda m: 5, TypeMismatch, "wrt takes parameters, (parameter, index) or names, not int"),
        (lambda m: (m[0].weight, (2, 0)), ArgumentError, "no element [2, 0] in a shape [2, 2]"),
        (lambda m: (m[0].weight, -1), ArgumentError, "no element [-1] in a shape [2, 2]"),
        (lambda m: (m[0].weight, (0.5, 1)), ArgumentError, "no element [0.5, 1]"),
        (lambda m: (m[0].weight, (True, 0)), ArgumentError, "no element [True, 0]"),
        (lambda m: "x[0,0]", GradientError, "no gradient flows to x[0,0]: it has requires_grad="),
        (lambda m: "y", GradientError, "no gradient flows to y: it has requires_grad=False"),
        (
            lambda m: cg.tensor([1.0], requires_grad=True), GradientError,
            "the loss was not computed from the tensor of shape [1]",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(
    model: nn.Sequential, loss: cg.Tensor, ask: Callable[[Any], Any], error: type, words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        cg.explain(loss, ask(model))


def test_the_loss_by_itself_is_refused(loss: cg.Tensor) -> None:
    with pytest.raises(ArgumentError, match="the loss itself"):
        cg.explain(loss, loss)


@table(
    ("make", "error", "words"),
    [
        (lambda m: m(cg.ones(3, 2)), GradientError, "shape [3, 1]: reduce it first (loss.mean()"),
        (lambda m: m(cg.ones(1, 2)), GradientError, "the loss has shape [1, 1]; loss.squeeze()"),
        (lambda m: m(cg.ones(1, 2)).sum().detach(), GradientError, "there is nothing to derive"),
        (lambda m: cg.tensor(3.0), GradientError, "nothing that has requires_grad=True"),
        (
            lambda m: 3.0,
            TypeMismatch,
            "explain takes a loss, the tensor that a computation",
        ),
        (lambda m: None, TypeMismatch, "not a NoneType"),
        (lambda m: m, TypeMismatch, "not a Sequential"),
        (lambda m: "there_is_none.toml", WorksheetError, "there_is_none.toml is not there"),
        (lambda m: Path("there_is_none.toml"), WorksheetError, "is not there"),
    ],
)
def test_what_is_no_loss(
    model: nn.Sequential, make: Callable[[Any], Any], error: type, words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        cg.explain(make(model))


def test_a_loss_inside_no_grad_is_refused(model: nn.Sequential) -> None:
    with cg.no_grad():
        loss = model(cg.ones(1, 2)).sum()
    with pytest.raises(GradientError, match=r"or inside no_grad\(\)"):
        cg.explain(loss)


def test_explain_works_inside_no_grad(loss: cg.Tensor) -> None:
    with cg.no_grad():
        found = cg.explain(loss)
    assert values(found) == values(cg.explain(loss))


@table(
    ("options", "error", "words"),
    [
        (
            {"view": "bord"},
            ArgumentError,
            "there is no view 'bord': it is board, layer, paths. Did",
        ),
        ({"view": None}, ArgumentError, "there is no view None"),
        ({"digits": -1}, ArgumentError, "digits=-1: it is between 0 and 15"),
        ({"digits": 16}, ArgumentError, "digits=16"),
        ({"digits": 2.5}, TypeMismatch, "digits is a whole number, not 2.5"),
        ({"digits": True}, TypeMismatch, "not True"),
        (
            {"names": "nilsen"},
            ArgumentError,
            "there are no names 'nilsen': names is lecture,",
        ),
        ({"names": None}, ArgumentError, "there are no names None"),
        ({"optimizer": 3}, TypeMismatch, "optimizer is one of chalkgrad.optim, not int"),
    ],
)
def test_wrong_options(loss: cg.Tensor, options: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        cg.explain(loss, **options)
    if options.keys() & {"view", "digits"} and options != {"view": None}:
        with pytest.raises(error, match=re.escape(words)):
            cg.explain(loss).to_text(**options)


def test_a_worksheet_has_its_own_update(model: nn.Sequential) -> None:
    with pytest.raises(ArgumentError, match=r"stands in its \[update\]: no optimizer="):
        cg.explain(SHEET, optimizer=cg.optim.SGD(model.parameters(), lr=0.1))


# Names.
def test_names_of_one_record() -> None:
    quantities = {
        preset: [
            q.name.text for q in cg.explain(ONE_RECORD, names=preset).board.quantities.values()
        ]
        for preset in PRESETS
    }
    given = ["w1", "w2", "b1", "w3", "w4", "b2", "w5", "w6", "b3", "x1", "x2", "target_o"]
    computed = ["z_h1", "z_h2", "a_h1", "a_h2", "z_o", "a_o", "L"]
    assert quantities["lecture"] == given + computed
    assert quantities["indexed"] == [
        "w⁽¹⁾₁₁", "w⁽¹⁾₁₂", "b⁽¹⁾₁", "w⁽²⁾₁₁", "w⁽²⁾₁₂", "b⁽²⁾₁", "w⁽¹⁾₂₁", "w⁽¹⁾₂₂", "b⁽¹⁾₂",
        "x₁", "x₂", "y₁", "z⁽¹⁾₁", "z⁽¹⁾₂", "a⁽¹⁾₁", "a⁽¹⁾₂", "z⁽²⁾₁", "a⁽²⁾₁", "L",
    ]  # fmt: skip
    assert quantities["nielsen"] == [
        "w¹₁₁", "w¹₁₂", "b¹₁", "w²₁₁", "w²₁₂", "b²₁", "w¹₂₁", "w¹₂₂", "b¹₂",
        "x₁", "x₂", "y₁", "z¹₁", "z¹₂", "a¹₁", "a¹₂", "z²₁", "a²₁", "C",
    ]  # fmt: skip
    assert quantities["pytorch"] == [
        "layers.0.weight[0,0]", "layers.0.weight[0,1]", "layers.0.bias[0]",
        "layers.1.weight[0,0]", "layers.1.weight[0,1]", "layers.1.bias[0]",
        "layers.0.weight[1,0]", "layers.0.weight[1,1]", "layers.0.bias[1]",
        "x[0,0]", "x[0,1]", "y[0,0]", "layers.0[0,0]", "layers.0[0,1]", "activation.0[0,0]",
        "activation.0[0,1]", "layers.1[0,0]", "activation.1[0,0]", "loss",
    ]  # fmt: skip


@table("preset", PRESETS)
def test_shared_parameters_keep_their_name_and_records_are_told_apart(preset: str) -> None:
    derivation = cg.explain(SHEET, names=preset)
    names = list(derivation.board.quantities)
    assert len(set(names)) == len(names)
    assert {"w2", "b1"} <= set(names)  # each stands in two places
    record_two = {
        "lecture": "z_h2[2]", "indexed": "z⁽¹⁾₂[2]", "nielsen": "z¹₂[2]",
        "pytorch": "layers.0[1,1]",
    }  # fmt: skip
    assert record_two[preset] in names
    plain = cg.explain(SHEET)
    assert list(derivation.board.values.values()) == list(plain.board.values.values())
    assert [g.value for g in derivation.gradients] == [g.value for g in plain.gradients]
    for view in VIEWS:
        assert derivation.to_text(view=view)
        assert derivation.to_latex(view=view)


@table("preset", PRESETS)
def test_a_models_parameters_by_preset(model: nn.Sequential, loss: cg.Tensor, preset: str) -> None:
    name = {
        "lecture": "0.weight[0,1]", "indexed": "w⁽¹⁾₁₂", "nielsen": "w¹₁₂",
        "pytorch": "layers.0.weight[0,1]",
    }[preset]  # fmt: skip
    assert wanted(cg.explain(loss, (model[0].weight, (0, 1)), names=preset)) == [name]
    assert wanted(cg.explain(loss, name, names=preset)) == [name]


# Digits change what is shown.
@table("digits", [0, 2, 9, 15])
def test_digits_change_the_display_alone(digits: int) -> None:
    plain, other = cg.explain(SHEET).to_dict(), cg.explain(SHEET, digits=digits).to_dict()
    for data in (plain, other):
        for entry in data["quantities"] + data["gradients"]:
            del entry["substitution"]
        del data["conventions"]["numbers"]
    assert other == plain


def test_digits_of_a_page() -> None:
    derivation = cg.explain(ONE_RECORD)
    z = derivation.board.values["z_h1"]
    a = 1 / (1 + np.exp(-z))
    for digits in (3, 7):
        assert f"≈ {a:.{digits}f}" in derivation.to_text(digits=digits)


# The pass that was.
@table("rule", [cg.optim.SGD, cg.optim.Adam])
def test_the_numbers_are_those_of_the_pass(
    model: nn.Sequential, loss: cg.Tensor, rule: Any
) -> None:
    optimizer = rule(model.parameters(), lr=0.1)
    before = values(cg.explain(loss))
    loss.backward()
    old = model[0].weight.detach().numpy().copy()
    optimizer.step()
    optimizer.zero_grad()
    assert not np.allclose(model[0].weight.detach().numpy(), old)
    assert values(cg.explain(loss)) == before
    found = cg.explain(loss, (model[0].weight, (1, 0)))  # the tensor that was moved
    assert found.board.values["0.weight[1,0]"] == float(old[1, 0])


def test_a_derivation_outlives_the_step(model: nn.Sequential, loss: cg.Tensor) -> None:
    optimizer = cg.optim.SGD(model.parameters(), lr=0.5)
    derivation = cg.explain(loss, optimizer=optimizer)
    before = [derivation.to_text(view=view) for view in VIEWS], derivation.to_json()
    loss.backward()
    optimizer.step()
    assert ([derivation.to_text(view=view) for view in VIEWS], derivation.to_json()) == before


def test_explaining_changes_nothing() -> None:
    cg.manual_seed(3)
    layers = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = cg.optim.Adam(layers.parameters(), lr=0.1)
    loss = nn.MSELoss()(layers(cg.randn(5, 3)), cg.randn(5, 1))
    loss.backward(retain_graph=True)
    optimizer.step()
    optimizer.zero_grad()
    loss = nn.MSELoss()(layers(cg.randn(5, 3)), cg.randn(5, 1))
    loss.backward(retain_graph=True)

    def state() -> Any:
        return (
            {k: v.numpy().copy() for k, v in layers.state_dict().items()},
            [p.grad.numpy().copy() for p in layers.parameters()],
            [p.requires_grad for p in layers.parameters()],
            {k: v.numpy().copy() for s in optimizer.state.values() for k, v in s.items()},
            copy.deepcopy(optimizer.state_dict()["param_groups"]),
            cg.get_rng_state().numpy().copy(),
        )

    before, recording = state(), cg.is_grad_enabled()
    for view in VIEWS:
        cg.explain(loss, "0.weight", optimizer=optimizer, view=view).to_text()
    np.testing.assert_equal(state(), before)
    assert cg.is_grad_enabled() is recording
    optimizer.zero_grad()
    loss.backward()  # the graph is still whole


# Any network.
def _numbers(*shape: int) -> cg.Tensor:
    return cg.tensor(np.random.default_rng(sum(shape)).normal(size=shape))


def _parameters(*modules: nn.Module) -> list[cg.Tensor]:
    return [parameter for module in modules for parameter in module.parameters()]


def convolution() -> Any:
    layers = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3)
    ).double()
    loss = nn.CrossEntropyLoss()(layers(_numbers(2, 1, 4, 4)), cg.tensor([0, 2]))
    return loss, _parameters(layers)


def batch_norm() -> Any:
    layers = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 1)).double()
    return nn.MSELoss()(layers(_numbers(3, 2)), _numbers(3, 1)), _parameters(layers)


def layer_norm() -> Any:
    layers = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Tanh(), nn.Linear(3, 1)).double()
    return nn.MSELoss()(layers(_numbers(2, 2)), _numbers(2, 1)), _parameters(layers)


def embedding() -> Any:
    words, layer = nn.Embedding(5, 3).double(), nn.Linear(3, 2).double()
    out = layer(words(cg.tensor([[0, 2], [2, 4]])).mean(1))
    return nn.CrossEntropyLoss()(out, cg.tensor([0, 1])), _parameters(words, layer)


def attention() -> Any:
    queries, keys, readings = (nn.Linear(2, 2, bias=False).double() for _ in range(3))
    x = _numbers(3, 2)
    scores = queries(x) @ keys(x).T / 2**0.5
    out = F.softmax(scores, dim=-1) @ readings(x)
    return (out * out).sum(), _parameters(queries, keys, readings)


def residual() -> Any:
    first, second = nn.Linear(3, 3).double(), nn.Linear(3, 1).double()
    x = _numbers(2, 3)
    out = second(cg.tanh(first(x)) + x)
    return nn.MSELoss()(out, _numbers(2, 1)), _parameters(first, second)


def dropout() -> Any:
    layers = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 1)).double()
    return nn.MSELoss()(layers(_numbers(2, 2)), _numbers(2, 1)), _parameters(layers)


def shared_layer() -> Any:
    layer = nn.Linear(2, 2).double()
    out = cg.sigmoid(layer(cg.tanh(layer(_numbers(2, 2)))))
    return (out**2).mean(), _parameters(layer)


def elementwise_code() -> Any:
    w = cg.tensor(np.linspace(0.2, 1.4, 6).reshape(2, 3), requires_grad=True)
    x = _numbers(2, 3)
    out = cg.where(x > 0, (w * x).exp(), cg.log(w)) / (1 + w.sum(0)) - w.max()
    return (out.abs() ** 1.5).mean(), [w]


MODELS = [
    convolution, batch_norm, layer_norm, embedding, attention, residual, dropout, shared_layer,
    elementwise_code,
]  # fmt: skip


@table("make", MODELS)
def test_any_network(make: Callable[[], Any]) -> None:
    cg.manual_seed(1)
    loss, parameters = make()
    places: list[Any] = []
    expected = []
    loss.backward(retain_graph=True)
    for parameter in parameters:
        grads = parameter.grad.numpy()
        for flat in {int(np.abs(grads).argmax()), grads.size // 2}:
            place = tuple(int(k) for k in np.unravel_index(flat, grads.shape))
            places.append((parameter, place))
            expected.append(grads[place])
    derivation = cg.explain(loss, places)
    for gradient, value in zip(derivation.gradients, expected, strict=True):
        assert gradient.value == pytest.approx(value, rel=1e-9, abs=1e-12)
        total = sum(path.value for path in gradient.paths) + gradient.hidden_value
        assert total == pytest.approx(value, rel=1e-9, abs=1e-12)
    for view in VIEWS:
        page = derivation.to_text(view=view)
        assert "0x" not in page  # no object's repr
        assert max(map(len, page.splitlines())) <= 90  # names as long as 1.batch norm.mean(2)[0,0]
    few = cg.explain(loss, places[:2])
    assert few.to_json()
    assert few.to_html().endswith("</html>\n")
    assert few.to_typst(view="layer")
    assert few.to_notebook()
    latex = few.to_latex(view="paths")
    assert latex.count("{") == latex.count("}")


def test_what_the_pass_does_not_reach_has_no_path() -> None:
    words = nn.Embedding(4, 2)
    loss = (words(cg.tensor([0, 2])) ** 2).sum()
    derivation = cg.explain(loss, (words.weight, (1, 0)))
    assert derivation.gradients[0].value == 0
    assert derivation.gradients[0].paths == ()
    for view in ("board", "paths"):
        page = " ".join(derivation.to_text(view=view).split())
        assert "loss does not depend on weight[1,0] in this pass: no path leads to it." in page
        assert "∂loss/∂weight[1,0] = 0" in page


def test_a_layer_called_by_a_number_is_not_a_number(loss: cg.Tensor) -> None:
    for view in VIEWS:
        page = cg.explain(loss).to_text(view=view)
        assert not re.search(r"(?<![\w.\[])[0-2]\[", page)
        assert "relu(0)" not in page


def test_the_classes_of_a_cross_entropy_and_no_shift_are_given() -> None:
    logits = nn.Linear(2, 3).double()(_numbers(2, 2))
    loss = nn.CrossEntropyLoss()(logits, cg.tensor([2, 0]))
    derivation = cg.explain(loss)
    kinds = {q.kind for q in derivation.board.quantities.values()}
    assert "target" not in kinds  # classes are looked up, not computed with
    given = {str(m.symbol.text): m for m in derivation.forward if m.formula is None}  # type: ignore[attr-defined]
    assert given["Y"].rows == ((2.0,), (0.0,))
    assert set(given) == {"X", "Y", "weight", "bias"}


@table("second", ["1e308", "-1e308"])  # ∞ and ∞ − ∞
def test_a_pass_that_overflows_is_explained(second: str) -> None:
    sheet = f"""
    [parameters]
    w1 = 1e308
    w2 = {second}
    [[layer]]
    units = ["o"]
    weights = [["w1", "w2"]]
    activation = "identity"
    [data]
    inputs = {{ x1 = 100.0, x2 = 100.0 }}
    targets = {{ o = 1.0 }}
    [loss]
    kind = "squared_error"
    """
    derivation = cg.explain(sheet)
    expected = np.inf if second == "1e308" else np.nan
    np.testing.assert_equal([g.value for g in derivation.gradients], [expected] * 2)
    data = json.loads(derivation.to_json())
    assert data["gradients"][0]["value"] == str(expected)
    for view in VIEWS:
        assert str(expected) in derivation.to_text(view=view)
    for page in (derivation.to_html(), derivation.to_latex(), derivation.to_typst()):
        assert page
    assert derivation.to_notebook()


# A person's own derivative.
class Cube(cg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: cg.Tensor) -> cg.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: cg.Tensor) -> cg.Tensor:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


class ByNumPy(cg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: cg.Tensor) -> cg.Tensor:
        ctx.x = x.detach().numpy()
        return cg.tensor(ctx.x**3)

    @staticmethod
    def backward(ctx: Any, g: cg.Tensor) -> cg.Tensor:
        return cg.tensor(3 * ctx.x**2 * g.numpy())


@table("own", [Cube, ByNumPy])
def test_a_derivative_of_ones_own_is_explained(own: Any) -> None:
    w = cg.tensor([1.5, -2.0], requires_grad=True)
    loss = (own.apply(w * 2) ** 2).sum()  # Σ (2 w)⁶
    derivation = cg.explain(loss, w)
    expected = [12 * (2 * v) ** 5 for v in (1.5, -2.0)]
    assert [g.value for g in derivation.gradients] == pytest.approx(expected, rel=1e-6)
    name = own.__name__
    for k, gradient in enumerate(derivation.gradients):
        (path,) = gradient.paths
        assert f"{name}[{k}]" in [quantity.text for quantity in path.through]
    assert derivation.board.values[f"{name}[0]"] == 27.0
    for view in VIEWS:
        assert own.__name__ in derivation.to_text(view=view)
    assert derivation.to_json()
    assert derivation.to_notebook()


def test_a_derivative_by_numbers_has_no_equation_of_arrays() -> None:
    w = cg.tensor([1.5, -2.0], requires_grad=True)
    derivation = cg.explain(ByNumPy.apply(w).sum(), w)
    assert derivation.backward == ()
    assert "there is no equation of arrays" in " ".join(derivation.to_text(view="layer").split())
    assert cg.explain(Cube.apply(w).sum(), w).backward


def test_a_large_output_of_ones_own_is_refused() -> None:
    w = cg.ones(1100, requires_grad=True)
    with pytest.raises(NotAvailable, match="such functions are explained up to 1024 elements"):
        cg.explain(Cube.apply(w).sum(), (w, 3))


# Long and deep programs.
Program = tuple[cg.Tensor, cg.Tensor]


def _chain(steps: int) -> Program:
    w = a = cg.tensor(0.5, requires_grad=True)
    for _ in range(steps):
        a = a.sin()
    return a * w, w


def _scalings(steps: int) -> Program:
    w = a = cg.tensor(0.5, requires_grad=True)
    for _ in range(steps):
        a = a * 1.001
    return a * w, w


def _sum(steps: int) -> Program:
    w = cg.tensor(0.5, requires_grad=True)
    a = w * w
    for k in range(steps):
        a = a + w * float(k)
    return a * w, w


def _diamonds(steps: int) -> Program:
    w = a = cg.tensor(0.5, requires_grad=True)
    for _ in range(steps):
        a = a.sin() * a.cos()
    return a * w, w


@table(
    ("make", "steps"),
    [(_chain, 150), (_scalings, 400), (_sum, 300), (_diamonds, 150)],  # 2^150 paths
)
def test_long_programs(make: Callable[[int], Program], steps: int) -> None:
    loss, w = make(steps)
    derivation = cg.explain(loss)
    loss.backward()
    (gradient,) = derivation.gradients
    assert gradient.value == pytest.approx(w.grad.item(), rel=1e-5)
    for view in VIEWS:
        assert derivation.to_text(view=view)
