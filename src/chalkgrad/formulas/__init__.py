"""Formulas of single numbers: as a tree, as text, as LaTeX, and their values."""

from chalkgrad.formulas.expression import (
    ONE,
    ZERO,
    Call,
    Expression,
    Name,
    Number,
    Partial,
    Rest,
    evaluate,
    names_in,
    parts,
    replaced,
    substitution,
)
from chalkgrad.formulas.floats import float_value
from chalkgrad.formulas.writing import DIGITS, factors, factors_shown, latex, shown, text

__all__ = [
    "DIGITS",
    "ONE",
    "ZERO",
    "Call",
    "Expression",
    "Name",
    "Number",
    "Partial",
    "Rest",
    "evaluate",
    "factors",
    "factors_shown",
    "float_value",
    "latex",
    "names_in",
    "parts",
    "replaced",
    "shown",
    "substitution",
    "text",
]
