"""Notebooks: their cells run, and a wrong number in one is found."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from chalkgrad.explain.board import Board, Quantity
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.render import to_notebook
from chalkgrad.formulas import Name
from tests.render.sample import derivation


def code(notebook: str) -> list[str]:
    cells = json.loads(notebook)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(cells: list[str]) -> dict[str, object]:
    space: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), space)
    return space


def test_the_cells_compute_what_the_engine_computed() -> None:
    made = derivation()
    space = run(code(to_notebook(made)))
    assert made.after is not None
    for name, value in made.after.values.items():
        assert space[name] == pytest.approx(value, rel=1e-12)
    assert space["updated_w5"] == pytest.approx(made.updates[0].new, rel=1e-12)


def test_every_wrong_number_is_found() -> None:
    cells = code(to_notebook(derivation()))
    checked = 0
    for k, cell in enumerate(cells[1:], 1):
        for found in re.finditer(r"(?<![\w.])\d+\.\d+(?:e-?\d+)?", cell):
            wrong = repr(float(found[0]) * 1.001 + 1e-4)
            broken = cell[: found.start()] + wrong + cell[found.end() :]
            with pytest.raises(AssertionError, match="is not the engine's"):
                run([*cells[:k], broken, *cells[k + 1 :]])
            checked += 1
    assert checked > 60


def test_it_is_a_notebook() -> None:
    notebook = json.loads(to_notebook(derivation()))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        assert ("outputs" in cell) == (cell["cell_type"] == "code")


def test_names_that_python_has_not_are_spelled_otherwise() -> None:
    names = ["lambda", "x[2]", "x_2_", "check", "math"]
    quantities = {name: Quantity(Name(name), "input", float(k)) for k, name in enumerate(names, 1)}
    total = Name(names[0])
    for name in names[1:]:
        total = total + Name(name)  # type: ignore[assignment]
    quantities["L"] = Quantity(Name("L"), "loss", 15.0, total)
    made = Derivation("T", "", (), Board(quantities, {}, "L"), ())
    assert run(code(to_notebook(made)))["L"] == 15.0


def test_paths_that_are_not_shown_are_added_as_a_number() -> None:
    made = derivation()
    whole = made.gradients[1]
    part = replace(whole, paths=whole.paths[:1], hidden=True, hidden_value=whole.paths[1].value)
    cells = code(to_notebook(replace(made, gradients=(made.gradients[0], part))))
    assert any("_hidden = " in cell for cell in cells)
    run(cells)
