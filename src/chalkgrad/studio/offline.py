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
    answers: Answers = Reading(replace(derivation, digits=digits))
    if derivation.worksheet is not None:
        answers = Session(derivation.worksheet)
    return page_of(recorded(answers, names=derivation.names, digits=digits))
