"""Each way in which a gradient goes wrong is constructed, and must be named with its number."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.cli.diagnose import diagnose as command
from chalkgrad.core.errors import GradientError, TypeMismatch
from chalkgrad.core.scope import current
from chalkgrad.explain.diagnose import Diagnosis, Finding, diagnose
from chalkgrad.explain.diagnose.factors import number
from chalkgrad.formulas.labels import ACTIVATION, INPUT, WEIGHTED_SUM, Label

F = nn.functional


def parameter(value: Any, name: str) -> cg.Tensor:
    made = cg.tensor(value, dtype=cg.float64, requires_grad=True)
    made.name = name
    return made


def plain(value: Any) -> cg.Tensor:
    return cg.tensor(value, dtype=cg.float64)


def only(diagnosis: Diagnosis, severity: str | None = None) -> Finding:
    found = [f for f in diagnosis.findings if severity in (None, f.severity)]
    assert len(found) == 1, diagnosis.findings
    return found[0]


def status(diagnosis: Diagnosis) -> dict[str, str]:
    return {row.name: row.status for row in diagnosis.parameters}


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def slope(z: float) -> float:
    """σ′, without the cancellation of 1 − σ."""
    return math.exp(-z) / (1 + math.exp(-z)) ** 2


def numbers_in(text: str) -> list[float]:
    found = re.findall(r"[−-]?\d+(?:\.\d+)?(?:e[−-]?\d+)?", text)
    return [float(word.replace("−", "-")) for word in found]


def dense(*sizes: int, activation: Callable[[], nn.Module] = nn.ReLU, seed: int = 0) -> Any:
    cg.manual_seed(seed)
    layers: list[nn.Module] = []
    for width, out in pairwise(sizes):
        layers += [nn.Linear(width, out), activation()]
    return nn.Sequential(*layers[:-1])


# Saturation.
def test_a_saturated_sigmoid_is_named_with_its_slope_and_its_sum() -> None:
    w = parameter(19.6, "w")
    found = only(diagnose((w.sigmoid() - 0.0) ** 2))
    assert found.severity == "fault"
    assert found.where == "w"
    assert found.what == f"the gradient is tiny ({number(2 * sigma(19.6) * slope(19.6))})"
    assert found.because == f"σ′(w) = {number(slope(19.6))}: it is saturated at w = 19.6"


def network_2_2_1() -> tuple[cg.Tensor, dict[Any, Label], dict[str, cg.Tensor]]:
    """A network as a worksheet makes it: single named weights put together. sum_h2 is 19.6."""
    values = {
        "w1": 0.3, "w2": 0.5, "w3": 19.0, "w4": 0.0, "w5": 0.4, "w6": 0.7, "b1": 0.6, "b2": 0.1,
    }  # fmt: skip
    p = {name: parameter(value, name) for name, value in values.items()}
    x = plain([[1.0, 2.0]])
    rows = [cg.stack([p["w1"], p["w2"]]), cg.stack([p["w3"], p["w4"]])]
    z = x @ cg.stack(rows).T + cg.stack([p["b1"], p["b1"]])
    a = z.sigmoid()
    out = a @ cg.stack([cg.stack([p["w5"], p["w6"]])]).T + p["b2"]
    loss = (0.5 * (out.sigmoid() - 0.9) ** 2).sum()

    def label(kind: str, *names: str, layer: int | None = None) -> Label:
        return Label(kind, np.array([names], dtype=object), layer, records=True)

    labels = {
        x.node: label(INPUT, "x1", "x2"),
        z.node: label(WEIGHTED_SUM, "sum_h1", "sum_h2", layer=1),
        a.node: label(ACTIVATION, "output_h1", "output_h2", layer=1),
        out.node: label(WEIGHTED_SUM, "sum_o", layer=2),
    }
    return loss, labels, p


def test_the_names_of_the_author_are_said_and_only_the_weights_of_that_unit_are_blamed() -> None:
    loss, labels, _ = network_2_2_1()
    diagnosis = diagnose(loss, labels=labels)
    found = only(diagnosis)
    assert found.where == "w3, w4"
    assert found.because == (
        f"σ′(sum_h2) = {number(slope(19.6))}: sum_h2 is saturated at sum_h2 = 19.6"
    )
    assert status(diagnosis)["w1"] == status(diagnosis)["b1"] == "healthy"
    assert [(layer.name, layer.saturated) for layer in diagnosis.layers] == [
        ("layer 1", 1), ("layer 2", 0),
    ]  # fmt: skip


def test_a_saturated_unit_of_a_layer_is_found_though_the_layer_learns() -> None:
    model = dense(2, 4, 1, activation=nn.Tanh).double()
    with cg.no_grad():
        model[0].bias[2] = 30.0
        model[0].weight[2] = 0.5
    x = plain(np.random.default_rng(0).normal(size=(16, 2)))
    found = only(diagnose(F.mse_loss(model(x), plain(np.ones((16, 1))))))
    assert found.where == "unit 2 of layer 0"
    assert found.what == "1 of 4 units saturated"
    z = 30.0 + 0.5 * x.numpy().sum(1)
    assert found.because.startswith("tanh′(z) = 0 at most: unit 2 of layer 0 is saturated")
    assert found.because.split("z = ")[-1] in {number(v) for v in z}


def test_a_saturated_output_that_is_right_is_no_fault() -> None:
    w = parameter(18.0, "w")
    found = only(diagnose(F.binary_cross_entropy(w.sigmoid(), plain(1.0))))
    assert (found.severity, found.where) == ("note", "w")
    assert found.because.startswith("the loss is 1.52e−8, at its minimum")  # −log σ(18)


def test_the_slope_of_the_logarithm_makes_up_for_a_saturated_output() -> None:
    w = parameter(18.0, "w")  # p − y = 1, though σ′ is 1.5e-8
    diagnosis = diagnose(F.binary_cross_entropy(w.sigmoid(), plain(0.0)))
    assert not diagnosis.findings
    assert diagnosis.parameters[0].gradient == pytest.approx(sigma(18.0), rel=1e-6)


def test_a_sigmoid_saturated_to_the_last_bit_stops_cross_entropy() -> None:
    w = parameter(40.0, "w")
    found = only(diagnose(F.binary_cross_entropy(w.sigmoid(), plain(0.0))))
    assert (found.severity, found.what) == ("fault", "the gradient is zero")
    assert found.because == "σ′(w) = 0: it is saturated at w = 40"


# Dead units.
def test_a_layer_of_dead_relus() -> None:
    model = dense(3, 4, 1)
    with cg.no_grad():
        model[0].bias.fill_(-100.0)
    x = cg.randn(8, 3)
    diagnosis = diagnose(F.mse_loss(model(x), cg.ones(8, 1)))
    found = only(diagnosis)
    z = model[0](x).detach().numpy()
    assert found.severity == "fault"
    assert found.where == "0.weight, 0.bias, 2.weight"
    assert found.because == (
        "relu′(z) = 0: all 4 units of layer 0 are never active: z ≤ 0 for all 8 records (at most "
        f"{number(z.max())})"
    )
    assert diagnosis.layers[0].dead == 4
    assert status(diagnosis)["2.bias"] == "healthy"


def test_one_dead_relu_in_a_small_layer() -> None:
    model = dense(2, 4, 1)
    with cg.no_grad():
        model[0].bias[1] = -50.0
        model[0].bias[cg.tensor([0, 2, 3])] = 3.0
    found = only(diagnose(F.mse_loss(model(cg.randn(16, 2)), cg.ones(16, 1))))
    assert (found.severity, found.what) == ("warning", "1 of 4 units dead")
    assert found.where == "unit 1 of layer 0"
    assert "z ≤ 0 for all 16 records" in found.because


def test_a_dead_unit_of_one_record_is_blamed_for_its_weights_in_and_out() -> None:
    w, v = parameter(-0.5, "w"), parameter(2.0, "v")
    found = only(diagnose((v * (w * 3.0).relu() - 1.0) ** 2))
    assert found.where == "w, v"
    assert found.because == "relu′(z) = 0: it is not active at z = −1.5"


# Factors that are 0.
def test_weights_that_are_all_0() -> None:
    model = dense(3, 4, 1)
    with cg.no_grad():
        for p in model.parameters():
            p.zero_()
    diagnosis = diagnose(F.mse_loss(model(cg.randn(8, 3)), cg.ones(8, 1)))
    first = diagnosis.findings[0]
    assert first.where == "0.weight, 0.bias"
    assert first.because == "the factor 2.weight is 0 everywhere (in layer 2)"


def test_an_input_that_is_always_0_is_a_fact_and_no_fault() -> None:
    w1, w2 = parameter(0.5, "w1"), parameter(0.25, "w2")
    x = plain([[1.0, 0.0], [2.0, 0.0]])
    x.name = "x"
    out = x @ cg.stack([w1, w2]).reshape(2, 1)
    diagnosis = diagnose((out - plain([[1.0], [0.0]])).square().sum())
    found = only(diagnosis)
    assert (found.severity, found.where) == ("note", "w2")
    assert found.because.startswith("its factor, column 1 of the input x, is 0 everywhere")
    assert status(diagnosis) == {"w1": "healthy", "w2": "zero"}
    assert not diagnosis.faulty


def test_inputs_that_are_next_to_0() -> None:
    w = parameter([[0.5, 0.25]], "w")
    loss = (F.linear(plain([[2e-9, 1e-9]]), w) - 1.0).square().sum()
    found = only(diagnose(loss))
    assert found.what == f"the gradient is tiny ({number(2 * math.hypot(2e-9, 1e-9))})"
    assert "the input, is at most 2e−9" in found.because


def test_a_step_has_no_slope() -> None:
    found = only(diagnose((parameter([0.3, 1.7], "q").round() - 1.0).square().sum()))
    assert found.because == "round has slope 0 everywhere: no gradient passes it"


def test_a_branch_that_is_not_taken() -> None:
    found = only(diagnose(F.hardtanh(parameter([3.0, 4.0], "q") * 2.0).sum()))
    assert found.what == "the gradient is zero"
    assert "select takes the number 1 and not multiply" in found.because


def test_paths_that_cancel() -> None:
    q = parameter(3.0, "q")
    found = only(diagnose(q * 2.0 - q - q + 5.0))
    assert found.because.startswith("the contributions of the paths cancel (Σ|·| = 4, |Σ| = 0)")


def test_a_softmax_of_one_number() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.Softmax(1)).double()
    loss = (model(plain([[1.0, 2.0], [3.0, 4.0]])) - 0.5).square().sum()
    assert "a softmax of one number is 1" in only(diagnose(loss)).because


def test_a_bias_before_batch_norm_has_no_effect() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
    found = only(diagnose(F.mse_loss(model(cg.randn(32, 3)), cg.randn(32, 1))))
    assert (found.severity, found.where, found.remedy) == ("note", "0.bias", "bias=False there")
    assert "1.batch norm subtracts the mean" in found.because


# Symmetry.
def test_hidden_units_that_are_alike() -> None:
    model = dense(3, 2, 1, activation=nn.Sigmoid)
    with cg.no_grad():
        for p in model.parameters():
            p.fill_(0.5)
    found = only(diagnose(F.mse_loss(model(cg.randn(8, 3)), cg.ones(8, 1))))
    assert found.severity == "fault"
    assert (found.where, found.what) == ("all 2 units of layer 0", "2 units are alike")
    assert found.because.startswith("both have the same weights (0.weight) and the same gradient")


def test_two_of_many_units_that_are_alike() -> None:
    model = dense(3, 20, 1, activation=nn.Tanh)
    with cg.no_grad():
        for p, axis in ((model[0].weight, 0), (model[0].bias, 0), (model[2].weight, 1)):
            p.copy_(p.index_copy(axis, cg.tensor([17]), p.index_select(axis, cg.tensor([4]))))
    found = only(diagnose(F.mse_loss(model(cg.randn(8, 3)), cg.ones(8, 1))))
    assert (found.severity, found.where) == ("warning", "units 4, 17 of layer 0")


# No gradient at all.
class Cut(nn.Module):
    """Three layers, cut after the first."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 1)
        self.how = how

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        if self.how == "detach":
            h = self.first(x).relu().detach()
        elif self.how == "no_grad":
            with cg.no_grad():
                h = self.first(x).relu()
        else:
            h = cg.tensor(self.first(x).detach().numpy())
        return self.third(self.second(h).relu())


@pytest.mark.parametrize("how", ["detach", "no_grad", "numpy"])
def test_a_graph_that_was_cut(how: str) -> None:
    cg.manual_seed(1)
    model = Cut(how)
    loss = F.mse_loss(model(cg.randn(16, 3)), cg.randn(16, 1))
    diagnosis = diagnose(loss, optimizer=optim.SGD(model.parameters(), lr=0.01))
    found = next(f for f in diagnosis.findings if f.what == "the gradient is None")
    assert found.where == "first.weight, first.bias"
    assert found.because == (
        "the graph was cut: a tensor of shape [16, 5] enters matmul in second without history "
        "(detached, or computed under no_grad)"
    )
    assert status(diagnosis)["first.weight"] == "None"
    assert diagnose(loss, wrt=model.first.weight).findings == (
        Finding(found.severity, "first.weight", found.what, found.because, found.remedy),
    )


def test_a_parameter_whose_own_numbers_were_detached() -> None:
    w, v = parameter([2.0, 3.0], "w"), parameter([1.0, 1.0], "v")
    found = only(diagnose((w.detach() * v).sum(), wrt=[w, v]))
    assert found.where == "w"
    assert "its own numbers enter multiply without history" in found.because


def test_a_loss_without_history() -> None:
    model = dense(3, 4, 1)
    with cg.no_grad():
        loss = model(cg.randn(8, 3)).sum()
    found = only(diagnose(loss))
    assert (found.where, found.what) == ("the loss", "every gradient is None")
    assert "computed under no_grad()" in found.because


def test_a_parameter_that_is_not_used() -> None:
    unused, used = parameter(3.0, "unused"), parameter(2.0, "used")
    diagnosis = diagnose(used * 2.0, optimizer=optim.SGD([unused, used], lr=1e-3))
    found = only(diagnosis)
    assert (found.where, found.what) == ("unused", "the gradient is None")
    assert found.because == "the loss does not depend on it: no path of the graph leads there"


def test_whole_numbers_and_frozen_parameters() -> None:
    w, frozen = parameter(2.0, "w"), parameter(3.0, "frozen")
    frozen.requires_grad_(False)
    whole = cg.tensor([1, 2])
    loss = w * frozen * whole.sum()
    by_reason = {f.where: f for f in diagnose(loss, wrt=[w, frozen, whole]).findings}
    assert by_reason["frozen"].because == "requires_grad is False"
    assert "whole numbers (torch.int64)" in by_reason["a tensor of shape [2]"].because
    model = dense(3, 4, 1)
    model[0].requires_grad_(False)
    loss = F.mse_loss(model(cg.randn(8, 3)), cg.randn(8, 1))
    diagnosis = diagnose(loss, optimizer=optim.SGD(model.parameters(), lr=1e-3))
    assert [f.severity for f in diagnosis.findings] == ["note", "note"]
    assert diagnosis.healthy


# Not finite.
@pytest.mark.parametrize(
    ("values", "compute", "said"),
    [
        ([1.0, 0.0], lambda q: q.log().sum(), "log(0) is −∞ at [1] of shape [2]"),
        ([-2.0, 1.0], lambda q: q.log().sum(), "log(−2) is NaN at [0] of shape [2]"),
        ([0.0, 1.0], lambda q: (q / plain([0.0, 1.0])).sum(), "0/0 is NaN at [0]"),
        ([1.0, 1.0], lambda q: (q / plain([0.0, 1.0])).sum(), "1/0 is ∞ at [0]"),
        ([800.0, 1.0], lambda q: q.exp().sum(), "e^800 is ∞ at [0]"),
        ([0.0, 4.0], lambda q: q.sqrt().sum(), "the slope of sqrt at 0 is ∞, and 1 came to it"),
        (
            [0.0, 4.0],
            lambda q: cg.where(q > 0, q.log(), plain([0.0, 0.0])).sum(),
            "the slope of log at 0 is ∞, and 0 came to it",
        ),
        ([0.5, 4.0], lambda q: (q * plain([math.nan, 1.0])).sum(), "holds NaN at [0] of shape [2]"),
    ],
)  # fmt: skip
def test_the_first_equation_that_is_not_finite(
    values: list[float], compute: Callable[[cg.Tensor], cg.Tensor], said: str
) -> None:
    found = only(diagnose(compute(parameter(values, "q"))))
    assert found.severity == "fault"
    assert said in found.because


def test_not_finite_names_its_layer() -> None:
    class Log(nn.Module):
        def forward(self, x: cg.Tensor) -> cg.Tensor:
            return x.log()

    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), Log(), nn.Linear(3, 1))
    with cg.no_grad():
        model[0].bias.fill_(-100.0)
    diagnosis = diagnose(model(cg.randn(4, 2)).sum())
    found = diagnosis.findings[0]
    assert found.where == "3.weight"
    assert "log(0) is −∞ in 2 at [0, 0] of shape [4, 3] (12 of 12 elements)" in found.because
    assert "NaN" in status(diagnosis).values()


# Depth.
def test_ten_layers_of_sigmoids_vanish() -> None:
    model = dense(4, *[16] * 10, 1, activation=nn.Sigmoid)
    x, y = cg.randn(32, 4), cg.randn(32, 1)
    sums = []
    h = x
    for layer in model:
        h = layer(h)
        if isinstance(layer, nn.Linear):
            h.retain_grad()
            sums.append(h)
    loss = F.mse_loss(h, y)
    loss.backward()
    sizes = [float(np.linalg.norm(z.grad.numpy())) for z in sums]
    found = only(diagnose(F.mse_loss(model(x), y)))
    assert found.severity == "fault"
    assert found.where.startswith("0.weight, 0.bias, 2.weight")
    per_layer, layers, *_ = numbers_in(found.because)
    assert layers == 10
    assert per_layer == pytest.approx((sizes[0] / sizes[-1]) ** (1 / 10), rel=5e-3)
    assert f"to {number(sizes[0])} at layer 0" in found.because
    assert "σ′ is 0.24" in found.because


def test_a_deep_linear_network_explodes() -> None:
    """Scaled orthogonal matrices: the gradient grows by exactly their factor at each layer."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(*[nn.Linear(8, 8, bias=False) for _ in range(12)]).double()
    with cg.no_grad():
        for layer in model:
            layer.weight.copy_(plain(7.0 * np.linalg.qr(rng.normal(size=(8, 8)))[0]))
    loss = F.mse_loss(model(plain(rng.normal(size=(4, 8)))), plain(rng.normal(size=(4, 8))))
    found = only(diagnose(loss))
    assert found.severity == "fault"
    assert found.what.startswith("the gradient is huge")
    assert "the gradient grows by 7 a layer over 11 layers" in found.because


def test_one_layer_that_stops_the_gradient_is_named_and_not_the_depth() -> None:
    model = dense(4, 16, 16, 16, 16, 1, activation=nn.Sigmoid).double()
    with cg.no_grad():
        model[4].bias.fill_(17.0)
    loss = F.mse_loss(model(plain(np.random.default_rng(0).normal(size=(8, 4)))), plain(
        np.ones((8, 1))))  # fmt: skip
    found = diagnose(loss).findings[0]
    assert "all 16 units of layer 4 are saturated" in found.because


def test_a_recurrent_network_forgets_its_first_steps_and_learns_all_the_same() -> None:
    cg.manual_seed(0)
    enter, carry, leave = nn.Linear(4, 16), nn.Linear(16, 16), nn.Linear(16, 1)
    model = nn.ModuleDict({"enter": enter, "carry": carry, "leave": leave})
    for name, p in model.named_parameters():
        p.name = name
    h = cg.zeros(8, 16)
    for x in cg.randn(30, 8, 4):
        h = (enter(x) + carry(h)).tanh()
    diagnosis = diagnose(F.mse_loss(leave(h), cg.randn(8, 1)))
    found = only(diagnosis)
    assert found.severity == "warning"
    assert "a step over 30 steps" in found.because
    assert [layer.name for layer in diagnosis.layers] == ["enter", "carry", "leave"]


def test_a_gradient_that_rounds_to_0_on_the_way_is_one_of_depth() -> None:
    model = dense(8, *[16] * 80, 1, activation=nn.Sigmoid)
    found = diagnose(F.mse_loss(model(cg.randn(8, 8)), cg.randn(8, 1))).findings[0]
    assert (found.severity, found.what) == ("fault", "the gradient is zero")
    assert "and is less than float32 can hold before that" in found.because


def test_the_bias_of_attention_keys_has_no_effect() -> None:
    cg.manual_seed(0)
    query, key, value = (nn.Linear(16, 16) for _ in range(3))
    key.bias.name = "key.bias"
    x = cg.randn(4, 6, 16)
    out = F.scaled_dot_product_attention(query(x), key(x), value(x), is_causal=True)
    found = only(diagnose(F.mse_loss(out, cg.randn(4, 6, 16))))
    assert (found.severity, found.where) == ("note", "key.bias")
    assert "a softmax does not change when all that enters it changes alike" in found.because


# Huge.
def test_what_makes_a_gradient_huge() -> None:
    model = dense(3, 16, 1)
    x, y = cg.randn(64, 3), cg.randn(64, 1)
    faults = {
        "inputs": F.mse_loss(model(x * 8000), y),
        "targets": F.mse_loss(model(x), y * 1e6),
        "sum": F.mse_loss(model(cg.randn(10000, 3)), cg.randn(10000, 1), reduction="sum"),
    }
    because = {name: diagnose(loss).findings[0].because for name, loss in faults.items()}
    rms = 8000 * float(np.sqrt((x.numpy() ** 2).mean()))
    assert because["inputs"].startswith(f"the inputs of layer 0 are around {number(rms)}")
    largest = number(1e6 * float(np.abs(y.numpy()).max()))
    assert f"(the targets are up to {largest})" in because["targets"]
    assert "sum over 10000 terms" in because["sum"]
    assert all(diagnose(loss).findings[0].severity == "fault" for loss in faults.values())


# The minimum.
def test_a_loss_at_its_minimum_is_healthy() -> None:
    model = dense(3, 16, 1)
    x = cg.randn(8, 3)
    diagnosis = diagnose(F.mse_loss(model(x), model(x).detach()))
    found = only(diagnosis)
    assert found.severity == "note"
    assert found.because == "output − target = 0 for every element: the loss is at its minimum"
    assert set(status(diagnosis).values()) == {"zero"}
    assert diagnosis.healthy


def test_a_softmax_that_has_learned_its_target() -> None:
    w = parameter([[40.0, 0.0, 0.0]], "w")
    found = only(diagnose(F.cross_entropy(w, cg.tensor([0]))))
    assert (found.severity, found.where) == ("note", "w")
    assert "at its minimum" in found.because


# Updates and paths.
def test_the_ratio_of_update_to_value() -> None:
    w = parameter([3.0, 4.0], "w")
    loss = (w * plain([6.0, 8.0])).sum()  # g = (6, 8): ‖g‖ = 10, ‖w‖ = 5
    assert diagnose(loss).parameters[0].ratio == pytest.approx(1e-3 * 10 / 5)
    assert "no optimizer was given" in diagnose(loss).step
    fast = only(diagnose(loss, optimizer=optim.SGD([w], lr=0.1)))
    assert (fast.severity, fast.because) == (
        "warning", "‖update‖/‖value‖ = 0.2; about 1e−3 is usual",
    )  # fmt: skip
    slow = only(diagnose(loss, optimizer=optim.SGD([w], lr=1e-6)))
    assert slow.what == "a step changes the layer next to nothing"


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop, optim.Adagrad])
def test_the_ratio_is_that_of_the_optimizers_own_next_step(kind: Any) -> None:
    w = parameter([3.0, -4.0], "w")
    optimizer = kind([w], lr=1e-2)

    def loss() -> cg.Tensor:
        return (w * w * plain([1.0, 0.3])).sum()

    for _ in range(3):  # with a state from the second step on
        said = diagnose(loss(), optimizer=optimizer).parameters[0].ratio
        before = w.detach().numpy().copy()
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        moved = np.linalg.norm(w.detach().numpy() - before) / np.linalg.norm(before)
        assert said == pytest.approx(moved, rel=1e-12)


def test_the_share_of_each_unit_of_the_next_layer() -> None:
    """The two paths of Mazur's example: E_o1 brings 0.0009… and E_o2 works against it."""
    p = {n: parameter(v, n) for n, v in {
        "w1": 0.15, "w2": 0.20, "w3": 0.25, "w4": 0.30, "w5": 0.40, "w6": 0.45, "w7": 0.50,
        "w8": 0.55}.items()}  # fmt: skip
    hidden = cg.stack([cg.stack([p["w1"], p["w2"]]), cg.stack([p["w3"], p["w4"]])])
    output = cg.stack([cg.stack([p["w5"], p["w6"]]), cg.stack([p["w7"], p["w8"]])])
    h = (plain([[0.05, 0.10]]) @ hidden.T + 0.35).sigmoid()
    o = (h @ output.T + 0.60).sigmoid()
    diagnosis = diagnose((0.5 * (o - plain([[0.01, 0.99]])).square()).sum())
    out, target = o.detach().numpy()[0], np.array([0.01, 0.99])
    delta = (out - target) * out * (1 - out)
    terms = delta * np.array([0.40, 0.50])  # to h1, whose own slope and input are common factors
    shares = terms / terms.sum()
    row = next(row for row in diagnosis.parameters if row.name == "w1")
    assert [share.share for share in row.through] == pytest.approx(sorted(shares, reverse=True))
    assert [share.unit[:6] for share in row.through] == ["unit 0", "unit 1"]
    assert shares[0] > 1 > 0 > shares[1]


# Which path, which element, which tensor.
def test_the_strongest_path_and_the_steepest_element_are_the_ones_that_are_told() -> None:
    q = parameter(2.0, "q")
    found = only(diagnose(q * 1e-9 + q * 1e-30))
    assert found.because == "its factor is the number 1e−9"
    w = parameter(1.0, "w")
    loss = ((w * plain([19.6, 30.0])).sigmoid() * plain([1.0, 1000.0])).sum()
    found = only(diagnose(loss))
    assert found.because.startswith(f"σ′(z) = {number(slope(19.6))} at most: ")
    assert found.because.endswith("at z = 19.6")


def test_a_right_answer_saturated_to_the_last_bit_is_at_its_minimum() -> None:
    found = only(diagnose(F.binary_cross_entropy(parameter(800.0, "w").sigmoid(), plain(1.0))))
    assert (found.severity, found.what) == ("note", "the gradient is zero")
    assert found.because.startswith("the loss is 0, at its minimum (σ′(w) = 0: ")


def test_large_outputs_are_what_large_inputs_lead_to() -> None:
    model = dense(3, 16, 1)
    with cg.no_grad():
        model[2].weight.mul_(1000.0)
    loss = F.mse_loss(model(cg.randn(64, 3) * 8000), cg.randn(64, 1))
    said = diagnose(loss).findings[0].because
    assert said.startswith("the inputs of layer 0 are around")


def test_units_without_a_gradient_are_not_called_alike_or_wanted() -> None:
    model = dense(3, 4, 1)
    with cg.no_grad():
        model[0].bias.fill_(3.0)
        model[0].bias[1] = -50.0
        model[2].weight[0, 1] = 0.0  # nothing comes to the dead unit
    assert diagnose(F.mse_loss(model(cg.randn(16, 3)), cg.ones(16, 1))).findings == ()
    with cg.no_grad():
        model[0].weight.zero_()
        model[2].weight.zero_()
    diagnosis = diagnose(F.mse_loss(model(cg.randn(16, 3)), cg.ones(16, 1)))
    assert not any("alike" in f.what for f in diagnosis.findings)


def test_named_data_is_not_taken_for_a_cut() -> None:
    x = plain([[1.0, 2.0]])
    x.name = "x"
    w, v = parameter([[1.0, 2.0], [3.0, 4.0]], "w"), parameter([[1.0, 1.0]], "v")
    found = only(diagnose(F.linear(x, v).sum(), wrt=w))
    assert found.because == "the loss does not depend on it: no path of the graph leads there"


def test_inputs_with_gradients_are_no_weights() -> None:
    x, b = parameter([[1.0, 2.0], [3.0, 4.0]], "inputs"), parameter([0.1, 0.2, 0.3], "b")
    weight = plain([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    loss = (F.linear(x, weight, b) / 10).tanh().sum()
    names = np.array([["x1[1]", "x2[1]"], ["x1[2]", "x2[2]"]], dtype=object)
    diagnosis = diagnose(loss, labels={x.node: Label(INPUT, names, records=True)})
    assert [row.name for row in diagnosis.parameters] == ["b"]
    assert [layer.units for layer in diagnosis.layers] == [3]


# Healthy networks.
def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 9, 10),
    )  # fmt: skip


def embedded() -> nn.Module:
    return nn.Sequential(
        nn.Embedding(20, 16), nn.LayerNorm(16), nn.Flatten(), nn.Linear(80, 32), nn.GELU(),
        nn.Linear(32, 10),
    )  # fmt: skip


KINDS: dict[str, tuple[Callable[[int], nn.Module], Callable[[], cg.Tensor]]] = {
    "relu": (lambda seed: dense(20, 64, 64, 10, seed=seed), lambda: cg.randn(64, 20)),
    "tanh": (lambda s: dense(20, 32, 32, 10, activation=nn.Tanh, seed=s), lambda: cg.randn(64, 20)),
    "sigmoid": (lambda s: dense(20, 32, 10, activation=nn.Sigmoid, seed=s),
                lambda: cg.randn(64, 20)),
    "leaky": (lambda s: dense(20, 32, 32, 32, 10, activation=nn.LeakyReLU, seed=s),
              lambda: cg.randn(64, 20)),
    "convolution": (lambda seed: convolutional(), lambda: cg.randn(16, 1, 12, 12)),
    "embedding": (lambda seed: embedded(), lambda: cg.randint(0, 20, (32, 5))),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_network_has_no_finding(kind: str, seed: int) -> None:
    make, inputs = KINDS[kind]
    cg.manual_seed(seed)
    model = make(seed)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x = inputs()
    y = cg.randint(0, 10, (x.shape[0],))
    for step in range(31):
        loss = F.cross_entropy(model(x), y)
        if step in (0, 30):
            assert diagnose(loss).findings == ()
            assert diagnose(loss, optimizer=optimizer).findings == ()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize("seed", range(3))
def test_regression_and_probabilities_are_healthy_too(seed: int) -> None:
    model = dense(5, 32, 1, activation=nn.Tanh, seed=seed)
    x = cg.randn(64, 5)
    target = x.sum(1, keepdim=True)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
    assert diagnose(F.mse_loss(model(x), target)).findings == ()
    p = model(x).sigmoid()
    assert diagnose(F.binary_cross_entropy(p, (target > 0).float())).findings == ()


# Nothing changes.
def test_diagnosing_changes_nothing() -> None:
    cg.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    x, y = cg.randn(8, 4), cg.randn(8, 1)
    F.mse_loss(model(x), y).backward()
    optimizer.step()
    loss = F.mse_loss(model(x), y)

    def everything() -> list[Any]:
        state = optimizer.state_dict()["state"]
        return [
            *(t.detach().numpy().copy() for t in (*model.parameters(), *model.buffers())),
            *(p.grad.numpy().copy() for p in model.parameters()),
            *(np.array(v) for values in state.values() for v in values.values()),
            np.array(cg.get_rng_state()),
            np.array([loss.node.spent, current().recording, current().because is None]),
        ]

    before = everything()
    first = diagnose(loss, optimizer=optimizer)
    for old, new in zip(before, everything(), strict=True):
        np.testing.assert_array_equal(old, new)
    optimizer.zero_grad()
    loss.backward()  # the graph is still whole
    grads = [float(np.linalg.norm(p.grad.numpy().astype(float))) for p in model.parameters()]
    assert [row.gradient for row in first.parameters] == pytest.approx(grads, rel=1e-6)
    after = diagnose(loss, optimizer=optimizer)  # and its numbers stay after backward()
    assert after == first
    optimizer.step()  # the pass is still that of the old weights
    assert diagnose(loss).parameters[0].value == first.parameters[0].value
    (row,) = diagnose(loss, wrt=model[0].weight).parameters  # though the tensor has moved on
    assert (row.value, row.status) == (first.parameters[0].value, "healthy")


def test_what_cannot_be_diagnosed_is_refused() -> None:
    w = parameter([1.0, 2.0], "w")
    with pytest.raises(GradientError, match=r"this tensor has shape \[2\]. Reduce it first"):
        diagnose(w * 2.0)
    with pytest.raises(TypeMismatch, match="takes tensors, not float"):
        diagnose(3.0)  # type: ignore[arg-type]
    x = plain([1.0, 2.0])
    loss = (w * x).sum()
    x.mul_(2.0)
    with pytest.raises(GradientError, match="was changed in place after the loss was computed"):
        diagnose(loss)


def test_a_persons_own_rule_is_followed() -> None:
    class Blocked(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: cg.Tensor) -> cg.Tensor:
            return x * 2.0

        @staticmethod
        def backward(ctx: Any, g: cg.Tensor) -> cg.Tensor:
            return g * 0.0

    w = parameter([1.0, 2.0], "w")
    found = only(diagnose(Blocked.apply(w).sum()))
    assert (found.where, found.what) == ("w", "the gradient is zero")
    assert "Blocked" in found.because


# The report.
def test_the_report_reads_as_text_json_and_html() -> None:
    loss, labels, _ = network_2_2_1()
    diagnosis = diagnose(loss, labels=labels)
    for width in (60, 80, 120):
        assert all(len(line) <= width for line in diagnosis.to_text(width).splitlines())
    assert str(diagnosis).startswith("loss = ")
    data = json.loads(json.dumps(diagnosis.to_json(), allow_nan=False))
    assert data["findings"][0]["where"] == "w3, w4"
    assert {row["name"] for row in data["parameters"]} == {
        "w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2",
    }  # fmt: skip
    page = diagnosis._repr_html_()
    assert "sum_h2" in page
    assert page.count("<tr>") == 1 + 8 + 1 + 2
    bad = diagnose(parameter(0.0, "<b>").log())
    assert json.loads(json.dumps(bad.to_json(), allow_nan=False))["loss"] == "-Infinity"
    assert "<b><" not in bad._repr_html_()
    assert "&lt;b&gt;" in bad._repr_html_()


def test_the_worst_comes_first() -> None:
    w, v = parameter(19.6, "w"), parameter(0.001, "v")
    loss = (w.sigmoid() + v - 0.5) ** 2
    found = diagnose(loss, optimizer=optim.SGD([w, v], lr=1.0)).findings
    assert [f.severity for f in found] == ["fault", "warning"]


@pytest.mark.slow
def test_a_network_of_images_takes_well_under_a_second() -> None:
    model = dense(784, 256, 128, 10)
    loss = F.cross_entropy(model(cg.randn(128, 784)), cg.randint(0, 10, (128,)))
    diagnose(loss)
    start = time.perf_counter()
    assert diagnose(loss).healthy
    assert time.perf_counter() - start < 5  # 0.3 s on an idle machine


# The command.
SHEET = """
[parameters]
w1 = {w1}
w2 = -0.5
w3 = 0.25
w4 = -0.75
b = 0.6
[[layer]]
units = ["h1", "h2"]
weights = [["w1"], ["w2"]]
bias = ["b", "b"]
activation = "sigmoid"
[[layer]]
units = ["o"]
weights = [["w3", "w4"]]
activation = "sigmoid"
[data]
inputs = {{ x = [1.0] }}
targets = {{ o = [1.0] }}
[loss]
kind = "half_squared_error"
[update]
rule = "sgd"
learning_rate = {rate}
steps = 1
[names]
weighted_sum = "sum_{{unit}}"
"""


def run(path: Path, w1: float, *, rate: float = 0.1, **options: Any) -> int:
    file = path / "sheet.toml"
    file.write_text(SHEET.format(w1=w1, rate=rate))
    return command(file, **options)


def test_the_command_names_the_units_of_a_worksheet(tmp_path: Path, capsys: Any) -> None:
    assert run(tmp_path, 19.0) == 1
    said = capsys.readouterr().out
    assert f"σ′(sum_h1) = {number(slope(19.6))}: sum_h1 is saturated at sum_h1 = 19.6" in said
    assert run(tmp_path, 0.5) == 0
    out = sigma(0.25 * sigma(1.1) - 0.75 * sigma(0.1))
    assert capsys.readouterr().out.startswith(f"loss = {0.5 * (1 - out) ** 2:.6g}: every")


def test_the_command_looks_after_some_steps_and_speaks_json(tmp_path: Path, capsys: Any) -> None:
    assert run(tmp_path, 0.5, json=True) == 0
    start = json.loads(capsys.readouterr().out)
    assert run(tmp_path, 0.5, json=True, steps=200) == 0
    later = json.loads(capsys.readouterr().out)
    assert later["loss"] < start["loss"]
    assert start["parameters"][0]["shape"] == []
    assert run(tmp_path, 0.5, rate=1e4, steps=50, quiet=True) == 1
    said = capsys.readouterr().out
    assert re.search(r"σ′\(sum_h2\) = \d.*: sum_h2 is saturated at sum_h2 = ", said)
    assert "lets nothing through" not in said


def test_data_of_a_worksheet_is_not_among_its_parameters(tmp_path: Path, capsys: Any) -> None:
    run(tmp_path, 0.5, json=True)
    found = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in found["parameters"]} == {"w1", "w2", "w3", "w4", "b"}
    assert [layer["name"] for layer in found["layers"]] == ["layer 1", "layer 2"]
