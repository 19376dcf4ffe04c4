"""One weight of a [784, 256, 128, 10] network: two pages, nothing left out in silence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.core.errors import MissingExtra
from chalkgrad.explain import Derivation
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import Call, Expression, Rest, float_value, parts

WIDTHS = (784, 256, 128, 10)
PAGES, LINES = 2, 170
table = pytest.mark.parametrize


@dataclass
class Run:
    """A derivation, and the same pass in NumPy."""

    derivation: Derivation
    place: tuple[int, int]
    arrays: dict[str, Any]  # every quantity's and parameter's array
    deltas: dict[str, Any]  # and the gradient towards it

    def array(self, name: str) -> float:
        return _at(self.arrays, name)

    def delta(self, name: str) -> float:
        return _at(self.deltas, name)


def _at(arrays: dict[str, Any], name: str) -> float:
    found = re.fullmatch(r"(.*?)\[([\d,]+)\]", name)
    if found is None:
        return float(arrays[name])
    return float(arrays[found[1]][tuple(map(int, found[2].split(",")))])


def _by_numpy(model: nn.Sequential, x: Any, y: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Forward and back, written out."""
    w = {name: p.detach().numpy() for name, p in model.named_parameters()}
    a: dict[str, Any] = {"x": x, **w}
    d: dict[str, Any] = {}
    for k, source in ((0, "x"), (2, "1.out"), (4, "3.out")):
        a[f"{k}.out"] = a[source] @ w[f"{k}.weight"].T + w[f"{k}.bias"]
        a[f"{k + 1}.out"] = np.maximum(a[f"{k}.out"], 0)
    exponents = np.exp(a["4.out"])
    p = exponents / exponents.sum(1, keepdims=True)
    rows = np.arange(len(x))
    terms = -np.log(p[rows, y])[:, None]
    a |= {"loss": terms, "softmax": p}
    d["loss"] = np.full_like(terms, 1 / len(x))
    d["4.out"] = (p - np.eye(10)[y]) / len(x)
    for k, source in ((4, "3.out"), (2, "1.out"), (0, "x")):
        d[f"{k}.weight"] = d[f"{k}.out"].T @ a[source]
        d[f"{k}.bias"] = d[f"{k}.out"].sum(0)
        if k:
            d[source] = d[f"{k}.out"] @ w[f"{k}.weight"]
            d[f"{k - 2}.out"] = d[source] * (a[f"{k - 2}.out"] > 0)
    return a, d


def _run(records: int, layer: int) -> Run:
    cg.manual_seed(0)
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(WIDTHS):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).double()
    chance = np.random.default_rng(0)
    x, y = chance.random((records, WIDTHS[0])), chance.integers(0, WIDTHS[-1], records)
    arrays, deltas = _by_numpy(model, x, y)
    gradient = deltas[f"{layer}.weight"]
    place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
    place = (int(place[0]), int(place[1]))
    loss = nn.CrossEntropyLoss()(model(cg.tensor(x)), cg.tensor(y))
    return Run(cg.explain(loss, (model[layer].weight, place)), place, arrays, deltas)


@pytest.fixture(scope="module", params=[(1, 0), (128, 0), (128, 2)], ids=str)
def run(request: pytest.FixtureRequest) -> Run:
    return _run(*request.param)


@pytest.fixture(scope="module")
def first(run: Run) -> str:
    return run.derivation.gradients[0].wrt.text


def test_the_gradient(run: Run, first: str) -> None:
    (gradient,) = run.derivation.gradients
    assert gradient.value == pytest.approx(run.delta(first), rel=1e-10)
    total = sum(path.value for path in gradient.paths) + gradient.hidden_value
    assert gradient.hidden
    assert total == pytest.approx(gradient.value, rel=1e-12)


def test_every_shown_number_is_the_networks(run: Run) -> None:
    board = run.derivation.board
    gradients = board.gradients(board.loss)
    for name, quantity in board.quantities.items():
        if name == "loss":
            assert quantity.value == pytest.approx(run.arrays["loss"].mean(), rel=1e-10)
        elif name.startswith("softmax"):
            inner = re.fullmatch(r"softmax\(4\.out\[(\d+),(\d+)\]\)", name)
            assert inner is not None
            expected = run.arrays["softmax"][int(inner[1]), int(inner[2])]
            assert quantity.value == pytest.approx(expected, rel=1e-10)
        else:
            assert quantity.value == pytest.approx(run.array(name), rel=1e-9)
            if name in gradients and name != board.loss and board.users[name]:
                assert gradients[name] == pytest.approx(run.delta(name), rel=1e-9, abs=1e-15)


def _sums(formula: Expression) -> list[Call]:
    """The sums that are folded."""
    return [
        part for part in parts(formula)
        if isinstance(part, Call) and any(isinstance(a, Rest) for a in part.arguments)
    ]  # fmt: skip


def _fan_in(name: str, records: int) -> int:
    """How many terms a sum has."""
    if name == "loss" and records > 1:
        return records
    widths = {"0.out": WIDTHS[0] + 1, "2.out": WIDTHS[1] + 1, "4.out": WIDTHS[2] + 1}
    return widths.get(name.partition("[")[0], WIDTHS[3])


def test_folded_sums_say_their_count_and_their_value(run: Run) -> None:
    board = run.derivation.board
    records = len(run.arrays["x"])
    folded = 0
    for name, quantity in board.quantities.items():
        if quantity.formula is None:
            continue
        assert float_value(quantity.formula, board.values) == pytest.approx(
            quantity.value, rel=1e-12, abs=1e-14
        )
        for part in _sums(quantity.formula):
            (rest,) = [a for a in part.arguments if isinstance(a, Rest)]
            assert rest.count + len(part.arguments) - 1 == _fan_in(name, records)
            folded += 1
    assert folded >= 4


def test_what_is_left_out_of_a_gradient_is_counted_and_added_up(run: Run) -> None:
    board = run.derivation.board
    assert board.rest
    records = len(run.arrays["x"])
    users = {"x": 0, "0.weight": records, "2.weight": records, "1.out": 128, "3.out": 10}
    gradients = board.gradients(board.loss)
    for name, rest in board.rest.items():
        stem = name.partition("[")[0]
        if stem in users:
            assert rest.count + len(board.users[name]) == users[stem]
        shown = sum(gradients[u] * board.locals[u, name].value for u in board.users[name])
        assert shown + rest.value == pytest.approx(run.delta(name), rel=1e-9)
        assert f"({rest.count} more terms: " in run.derivation.to_text()


def test_what_is_asked_for_stands_in_its_formula(run: Run, first: str) -> None:
    board = run.derivation.board
    way = [first, *reversed([path.text for path in run.derivation.gradients[0].paths[0].through])]
    for below, above in pairwise(way):
        formula = board.quantities[above].formula
        assert formula is not None
        assert below in {getattr(part, "text", "") for part in parts(formula)}


def test_nothing_is_enumerated(run: Run) -> None:
    assert len(run.derivation.board.quantities) < 60
    assert len(run.derivation.to_json()) < 100_000
    assert all(m.rows is None or len(m.rows) < 20 for m in run.derivation.forward)


@table("view", VIEWS)
def test_it_is_short(run: Run, view: str) -> None:
    lines = run.derivation.to_text(view=view).splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= 80
    try:
        pdf = run.derivation.to_pdf(view=view)
    except MissingExtra:
        return
    assert 1 <= len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", pdf)) <= PAGES


def test_names_are_written_as_they_are_needed() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    loss = nn.CrossEntropyLoss()(model(cg.rand(4, 784)), cg.tensor([1, 2, 3, 4]))
    derivation = cg.explain(loss, (model[0].weight, (3, 400)), names="indexed")
    assert derivation.gradients[0].wrt.text == "w⁽¹⁾₄,₄₀₁"
    assert "w⁽¹⁾₄,₄₀₁" in derivation.to_text()


def test_without_wrt_one_element_of_each_large_parameter_is_explained() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 30), nn.Tanh(), nn.Linear(30, 10))
    loss = nn.CrossEntropyLoss()(model(cg.rand(4, 784)), cg.tensor([1, 2, 3, 4]))
    derivation = cg.explain(loss)
    loss.backward()
    stems = [gradient.wrt.text.partition("[")[0] for gradient in derivation.gradients]
    assert stems == ["0.weight", "0.bias", "2.weight", *["2.bias"] * 10]
    largest = np.abs(model[0].weight.grad.numpy()).max()  # type: ignore[union-attr]
    assert abs(derivation.gradients[0].value) == pytest.approx(largest, rel=1e-5)
