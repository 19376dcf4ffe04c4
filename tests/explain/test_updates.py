"""How an optimizer moves a parameter: the lines that are shown lead to the optimizer's own step."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.explain.steps import Update
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import float_value
from tests.optim.cases import CASES, IDS

table = pytest.mark.parametrize
START = [0.5, -1.2]


def lines_of(update: Update) -> dict[str, float]:
    return {line.name.text: line.value for line in update.lines}


def _loss(w: cg.Tensor) -> cg.Tensor:
    return (w * w * w - 2 * w).sum()


@table("dtype", ["float32", "float64"])
@table(("name", "options"), CASES, ids=IDS)
def test_the_lines_lead_to_the_optimizers_step(
    name: str, options: dict[str, Any], dtype: str
) -> None:
    w = cg.tensor(np.array(START, dtype), requires_grad=True)
    w.name = "w"
    optimizer = getattr(cg.optim, name)([w], **options)
    single = dtype == "float32" or name == "NAdam"  # which keeps its product of momenta in float32
    near: dict[str, Any] = {"rel": 1e-6, "abs": 1e-7} if single else {"rel": 1e-9}
    for _ in range(3):
        old, loss = w.detach().numpy().copy(), _loss(w)
        derivation = cg.explain(loss, w, optimizer=optimizer)
        optimizer.zero_grad()
        loss.backward()
        gradient = w.grad.numpy().copy()  # type: ignore[union-attr]
        optimizer.step()
        assert [update.name.text for update in derivation.updates] == ["w[0]", "w[1]"]
        for k, update in enumerate(derivation.updates):
            assert update.old == float(old[k])
            assert update.gradient == pytest.approx(float(gradient[k]), rel=1e-12)
            assert update.new == pytest.approx(float(w.detach().numpy()[k]), **near)
            assert update.lines[-1].value == update.new
            assert update.lines[-1].name.text == f"new w[{k}]"
            _lines_have_their_values(update)
        assert derivation.after is not None
        moved = cg.tensor(w.detach().numpy())
        assert derivation.after.values["loss"] == pytest.approx(_loss(moved).item(), rel=1e-5)


def _lines_have_their_values(update: Update) -> None:
    """Each line follows from the values that stand beside the lines."""
    values, partials = dict(update.values), {("loss", update.name.text): update.gradient}
    for line in update.lines:
        assert float_value(line.formula, values, partials) == pytest.approx(line.value, rel=1e-12)


def test_every_optimizer_is_among_the_cases() -> None:
    known = {name for name in cg.optim.__all__ if name[0].isupper()} - {"Optimizer", "LBFGS"}
    assert {name for name, _ in CASES} == known


# Written out.
def test_adam_shows_both_moments() -> None:
    w = cg.tensor(np.array([0.5]), requires_grad=True)
    w.name = "w"
    optimizer = cg.optim.Adam([w], lr=0.05, betas=(0.8, 0.9), eps=1e-6)
    m = v = 0.0
    for t in (1, 2, 3):
        theta = w.item()
        g = 3 * theta**2 - 2
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        new = theta - 0.05 / (1 - 0.8**t) * m / (sqrt(v / (1 - 0.9**t)) + 1e-6)
        loss = _loss(w)
        derivation = cg.explain(loss, w, optimizer=optimizer)
        (update,) = derivation.updates
        shown = lines_of(update)
        assert list(shown) == ["t′", "m′", "v′", "new w[0]"]
        assert list(shown.values()) == pytest.approx([t, m, v, new], rel=1e-12)
        page = " ".join(derivation.to_text(width=200).split())
        assert "m′ = β₁ · m + (1 − β₁) · ∂loss/∂w[0] " in page
        assert "v′ = β₂ · v + (1 − β₂) · (∂loss/∂w[0])² " in page
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_momentum_is_shown() -> None:
    w = cg.tensor(np.array([0.5]), requires_grad=True)
    w.name = "w"
    optimizer = cg.optim.SGD([w], lr=0.1, momentum=0.9)
    b, theta = 0.0, 0.5
    for _ in range(3):
        loss = _loss(w)
        (update,) = cg.explain(loss, w, optimizer=optimizer).updates
        b = 0.9 * b + 3 * theta**2 - 2
        theta -= 0.1 * b
        assert lines_of(update)["b′"] == pytest.approx(b, rel=1e-12)
        assert update.new == pytest.approx(theta, rel=1e-12)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_a_schedules_learning_rate_is_the_one_that_is_used() -> None:
    w = cg.tensor(np.array([0.5]), requires_grad=True)
    optimizer = cg.optim.SGD([w], lr=0.1)
    schedule = cg.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    for rate in (0.1, 0.05, 0.025):
        loss = _loss(w)
        derivation = cg.explain(loss, w, optimizer=optimizer)
        (update,) = derivation.updates
        assert dict(update.values)["η"] == rate
        assert update.new == pytest.approx(update.old - rate * update.gradient, rel=1e-15)
        assert f"{rate:g} ·" in derivation.to_text()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


# Which parameters move.
def _network() -> tuple[nn.Sequential, cg.Tensor]:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    x, y = cg.tensor(np.array([[1.0, -2.0]])), cg.tensor(np.array([[0.5]]))
    return model, nn.MSELoss()(model(x), y)


def test_what_the_optimizer_does_not_hold_stays() -> None:
    model, loss = _network()
    optimizer = cg.optim.SGD([model[2].weight, model[2].bias], lr=0.1)
    derivation = cg.explain(loss, optimizer=optimizer)
    assert len(derivation.gradients) == 9
    moved = [update.name.text for update in derivation.updates]
    assert moved == ["2.weight[0,0]", "2.weight[0,1]", "2.bias[0]"]
    assert derivation.after is not None
    before, after = derivation.board.values, derivation.after.values
    still = {name for name in after if after[name] == before[name]}
    assert {"0.weight[0,0]", "0.bias[1]", "1.out[0,0]"} <= still
    assert not still & {*moved, "2.out[0,0]", "loss"}


def test_all_parameters_move_in_the_pass_that_follows() -> None:
    model, loss = _network()
    optimizer = cg.optim.Adam(model.parameters(), lr=0.1)
    derivation = cg.explain(loss, (model[0].weight, (0, 0)), optimizer=optimizer)
    assert len(derivation.updates) == 1  # what was asked for
    loss.backward()
    optimizer.step()
    x, y = cg.tensor(np.array([[1.0, -2.0]])), cg.tensor(np.array([[0.5]]))
    new = nn.MSELoss()(model(x), y).item()
    assert derivation.after is not None
    assert derivation.after.values["loss"] == pytest.approx(new, rel=1e-12)
    word = "fallen" if new < loss.item() else "risen"
    assert f"The loss has {word} by " in derivation.to_text()


def test_a_parameter_without_a_gradient_is_not_explained() -> None:
    model, _ = _network()
    model[0].weight.requires_grad_(False)
    x, y = cg.tensor(np.array([[1.0, -2.0]])), cg.tensor(np.array([[0.5]]))
    loss = nn.MSELoss()(model(x), y)
    derivation = cg.explain(loss, optimizer=cg.optim.SGD(model.parameters(), lr=0.1))
    assert "0.weight[0,0]" not in [gradient.wrt.text for gradient in derivation.gradients]
    assert derivation.after is not None
    for view in VIEWS:
        assert derivation.to_text(view=view)


def test_groups_have_options_of_their_own() -> None:
    model, loss = _network()
    optimizer = cg.optim.SGD(
        [{"params": [model[0].weight], "lr": 0.5}, {"params": [model[2].weight]}], lr=0.01
    )
    derivation = cg.explain(loss, optimizer=optimizer)
    rates = {update.name.text: dict(update.values)["η"] for update in derivation.updates}
    assert rates["0.weight[1,0]"] == 0.5
    assert rates["2.weight[0,1]"] == 0.01


def test_a_new_optimizer_is_explained_by_its_equation() -> None:
    class SignDescent(cg.optim.Optimizer):
        def update(self, parameter: Any, gradient: Any, state: Any, setting: Any) -> Any:
            return parameter - setting("lr") * gradient.sign(), state

    w = cg.tensor(np.array([0.5]), requires_grad=True)
    w.name = "w"
    (update,) = cg.explain(_loss(w), w, optimizer=SignDescent([w], {"lr": 0.5})).updates
    assert update.new == 0.5 + 0.5  # the gradient is 3 · 0.25 − 2
    assert len(update.lines) == 1
    _lines_have_their_values(update)
