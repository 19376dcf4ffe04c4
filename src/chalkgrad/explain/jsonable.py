"""A derivation as plain data. The schema stands in docs/derivation.schema.json.

Values are full-precision numbers; one that is not finite is written as a string, since JSON has
none. Formulas are text; `latex` beside them is the same in LaTeX.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from chalkgrad.explain.board import Local, Path, Quantity
from chalkgrad.explain.steps import Gradient, Matrix, Update
from chalkgrad.explain.views.lines import formula_of
from chalkgrad.formulas import latex, substitution, text

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation

SCHEMA = "chalkgrad/derivation/1"


def as_dict(derivation: Derivation) -> dict[str, Any]:
    """The derivation as dicts, lists, strings and numbers."""
    board, digits = derivation.board, derivation.digits
    values = board.values
    after = derivation.after
    return {
        "schema": SCHEMA,
        "title": derivation.title,
        "source": derivation.source,
        "conventions": dict(derivation.conventions),
        "quantities": [_quantity(q, values, digits) for q in board.quantities.values()],
        "gradients": [_gradient(g, values, digits) for g in derivation.gradients],
        "updates": [_update(u) for u in derivation.updates],
        "after": []
        if after is None
        else [
            {"name": name, "value": _number(q.value)}
            for name, q in after.quantities.items()
            if q.formula is not None
        ],
        "arrays": {
            "forward": [_matrix(m) for m in derivation.forward],
            "backward": [_matrix(m) for m in derivation.backward],
        },
    }


def _number(value: float) -> float | str:
    return float(value) if isfinite(value) else str(float(value))


def _quantity(quantity: Quantity, values: dict[str, float], digits: int) -> dict[str, Any]:
    formula = quantity.formula
    return {
        "name": quantity.name.text,
        "kind": quantity.kind,
        "layer": quantity.layer,
        "record": quantity.record,
        "symbol": latex(quantity.name),
        "formula": None if formula is None else text(formula),
        "latex": None if formula is None else latex(formula),
        "substitution": None if formula is None else text(substitution(formula, values), digits),
        "value": _number(quantity.value),
    }


def _gradient(gradient: Gradient, values: dict[str, float], digits: int) -> dict[str, Any]:
    formula = formula_of(gradient)
    hidden = {"hidden": {"value": _number(gradient.hidden_value)}} if gradient.hidden else {}
    return {
        "name": f"∂{gradient.of.text}/∂{gradient.wrt.text}",
        "of": gradient.of.text,
        "wrt": gradient.wrt.text,
        "value": _number(gradient.value),
        "formula": text(formula),
        "latex": latex(formula),
        "substitution": text(substitution(formula, values), digits),
        "paths": [_path(path) for path in gradient.paths],
        **hidden,
    }


def _path(path: Path) -> dict[str, Any]:
    return {
        "through": [name.text for name in path.through],
        "factors": [_factor(local) for local in path.locals],
        "value": _number(path.value),
    }


def _factor(local: Local) -> dict[str, Any]:
    return {
        "of": local.of.text,
        "by": local.by.text,
        "formula": text(local.formula),
        "latex": latex(local.formula),
        "steps": [{"rule": s.rule, "formula": text(s.formula)} for s in local.steps],
        "raw": text(local.raw),
        "value": _number(local.value),
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "name": update.name.text,
        "old": _number(update.old),
        "gradient": _number(update.gradient),
        "new": _number(update.new),
        "lines": [
            {"name": line.name.text, "formula": text(line.formula), "value": _number(line.value)}
            for line in update.lines
        ],
    }


def _matrix(matrix: Matrix) -> dict[str, Any]:
    return {
        "name": text(matrix.also or matrix.symbol),
        "is": text(matrix.symbol),
        "formula": None if matrix.formula is None else text(matrix.formula),
        "latex": None if matrix.formula is None else latex(matrix.formula),
        "shape": list(matrix.shape),
    }
