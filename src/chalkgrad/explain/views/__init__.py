"""The views: a derivation laid out as a lecturer, as a textbook, or path by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalkgrad.core.errors import ArgumentError, TypeMismatch, nearest
from chalkgrad.explain.document import Document
from chalkgrad.explain.views import board, layer, paths

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation

_MOST_DIGITS = 15  # what a double holds
VIEWS: dict[str, Callable[[Derivation, Document], None]] = {
    "board": board.write, "layer": layer.write, "paths": paths.write,
}  # fmt: skip


def check(view: str, digits: int) -> None:
    """ValueError for a view that there is not, and for digits that no double has."""
    if view not in VIEWS:
        known = ", ".join(VIEWS)
        raise ArgumentError(f"there is no view {view!r}: it is {known}.{nearest(str(view), VIEWS)}")
    if type(digits) is not int:
        raise TypeMismatch(f"digits is a whole number, not {digits!r}")
    if not 0 <= digits <= _MOST_DIGITS:
        raise ArgumentError(f"digits={digits}: it is between 0 and {_MOST_DIGITS}")


def layout(derivation: Derivation, view: str, digits: int) -> Document:
    """The derivation as a document."""
    check(view, digits)
    document = Document(derivation.title, digits=digits, source=derivation.source)
    VIEWS[view](derivation, document)
    return document
