"""Derivations of random networks: every printed number is the product, sum or formula it claims."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from chalkgrad.explain import Derivation, explain
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import float_value, typeset
from chalkgrad.formulas.parse import parse
from chalkgrad.worksheet import Problem, Worksheet
from tests.explain.networks import Network, networks

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def _engine(sheet: Worksheet) -> dict[str, float]:
    """The gradients by backward()."""
    problem = Problem.of(sheet)
    problem.loss.backward()
    return {
        name: 0.0 if tensor.grad is None else tensor.grad.item()
        for name, tensor in problem.parameters.items()
    }


def _by_differences(sheet: Worksheet, name: str) -> float:
    """A central difference of the loss."""
    here, step = sheet.parameters[name], 1e-5
    ends = [Problem.of(sheet, {name: here + k * step}).loss.item() for k in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


@SLOW
@given(networks())
def test_paths_add_up_to_the_gradient(network: Network) -> None:
    sheet = Worksheet.from_text(network.toml())
    derivation = explain(sheet)
    engine = _engine(sheet)
    for gradient in derivation.gradients:
        total = sum(path.value for path in gradient.paths) + gradient.hidden_value
        assert _close(total, gradient.value)
        assert _close(gradient.value, engine[gradient.wrt.text])
        for path in gradient.paths:
            assert _close(math.prod(local.value for local in path.locals), path.value)


@SLOW
@given(networks())
def test_every_formula_has_the_value_that_stands_beside_it(network: Network) -> None:
    derivation = explain(Worksheet.from_text(network.toml()))
    values = derivation.board.values
    for quantity in derivation.board.quantities.values():
        if quantity.formula is not None:
            assert _close(float_value(quantity.formula, values), quantity.value)
    for local in derivation.board.locals.values():
        for formula in (local.raw, *(step.formula for step in local.steps), local.formula):
            assert _close(float_value(formula, values), local.value)
    for update in derivation.updates:
        known = dict(update.values)
        partials = {(derivation.board.loss, update.name.text): update.gradient}
        for line in update.lines:
            assert _close(float_value(line.formula, known, partials), line.value)


@SLOW
@given(networks())
def test_what_is_printed_reads_back(network: Network) -> None:
    data = explain(Worksheet.from_text(network.toml())).to_dict()
    values = {q["name"]: q["value"] for q in data["quantities"]}
    for quantity in data["quantities"]:
        if quantity["formula"] is not None:
            assert _close(_read(quantity["formula"], values), quantity["value"])
    for gradient in data["gradients"]:
        for path in gradient["paths"]:
            for factor in path["factors"]:
                assert _close(_read(factor["formula"], values), factor["value"])


def _read(formula: str, values: dict[str, Any]) -> float:
    return float_value(parse(formula, known=frozenset(values)), values)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(networks())
def test_gradients_are_the_slopes_of_the_loss(network: Network) -> None:
    smooth = not {"relu", "leaky_relu"} & set(network.activations)
    if not smooth:
        return
    sheet = Worksheet.from_text(network.toml())
    for gradient in explain(sheet).gradients:
        slope = _by_differences(sheet, gradient.wrt.text)
        assert gradient.value == pytest.approx(slope, rel=1e-5, abs=1e-7)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(networks())
def test_every_view_is_written_in_every_format(network: Network) -> None:
    derivation: Derivation = explain(Worksheet.from_text(network.toml()))
    data = derivation.to_dict()
    for part in (*data["quantities"], *data["gradients"]):
        if part["latex"] is not None:
            typeset.read(part["latex"])  # refuses a command that is not in the vocabulary
    for view in VIEWS:
        latex = derivation.to_latex(view=view)
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert derivation.to_text(view=view)
        assert derivation.to_markdown(view=view).count("$$") % 2 == 0
        assert derivation.to_typst(view=view).count("$") % 2 == 0
        page = derivation.to_html(view=view)
        assert page.endswith("</html>\n")
        HTMLParser().feed(page)
        if find_spec("typst"):
            assert derivation.to_pdf(view=view).startswith(b"%PDF")
