"""Derivations like a lecturer's, from the graph that ran."""

from chalkgrad.core.rooms import callable_as
from chalkgrad.explain.board import Board, Local, Path, Quantity, Rewrite
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.explain import explain
from chalkgrad.explain.steps import Gradient, Line, Matrix, Update

__all__ = [
    "Board",
    "Derivation",
    "Gradient",
    "Line",
    "Local",
    "Matrix",
    "Path",
    "Quantity",
    "Rewrite",
    "Update",
    "explain",
]

callable_as(__name__, explain)
