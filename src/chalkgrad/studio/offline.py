"""A derivation as an interactive page that needs no engine: `to_html(interactive=True)`."""

from __future__ import annotations

from dataclasses import replace

from chalkgrad.explain import Derivation
from chalkgrad.explain.views import check
from chalkgrad.studio.page import page_of
from chalkgrad.studio.reading import Reading
from chalkgrad.studio.recording import Answers, recorded
from chalkgrad.studio.session import Session


def interactive(derivation: Derivation, view: str | None = None, digits: int | None = None) -> str:
    """The page: the network of its worksheet, or else the graph of what ran."""
    digits = derivation.digits if digits is None else digits
    check(view or derivation.view, digits)
    sheet = derivation.worksheet
    shown = replace(derivation, digits=digits)
    answers: Answers = Reading(shown) if sheet is None else Session(sheet)
    return page_of(recorded(answers, names=derivation.names, digits=digits))
