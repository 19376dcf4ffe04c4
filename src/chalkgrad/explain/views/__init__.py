"""The views: a derivation laid out as a lecturer, as a textbook, or path by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.explain.document import Document
from chalkgrad.explain.views import board, layer, paths

if TYPE_CHECKING:
    from chalkgrad.explain.derivation import Derivation

VIEWS: dict[str, Callable[[Derivation, Document], None]] = {
    "board": board.write, "layer": layer.write, "paths": paths.write,
}  # fmt: skip


def layout(derivation: Derivation, view: str, digits: int) -> Document:
    """The derivation as a document."""
    if view not in VIEWS:
        known = ", ".join(VIEWS)
        raise ArgumentError(f"there is no view {view!r}: it is {known}.{nearest(view, VIEWS)}")
    document = Document(derivation.title, digits=digits, source=derivation.source)
    VIEWS[view](derivation, document)
    return document
