"""A derivation of any program as what a page shows: its graph, its passes, and every why.

There is no worksheet behind it: nothing can be edited or trained, and nothing is computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from chalkgrad.core.errors import ArgumentError, ChalkgradError
from chalkgrad.explain import Derivation
from chalkgrad.explain.board import Board
from chalkgrad.explain.choosing import gradient_of
from chalkgrad.explain.views import VIEWS
from chalkgrad.formulas import Name, latex
from chalkgrad.studio.asked import Asked
from chalkgrad.studio.choices import choices
from chalkgrad.studio.limits import PROTOCOL
from chalkgrad.studio.numbers import number
from chalkgrad.studio.places import Lights, Places
from chalkgrad.studio.scene import graph_of
from chalkgrad.studio.steps import steps_of
from chalkgrad.studio.why import why_of
from chalkgrad.version import __version__
from chalkgrad.worksheet import Names, Worksheet

Json = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """Answers hello and why, as a session does."""

    derivation: Derivation

    @property
    def board(self) -> Board:
        return self.derivation.board

    @cached_property
    def places(self) -> Places:
        """Every quantity is a point of the picture, as those of a worksheet of formulas are."""
        loss = self.board.loss
        return Places(
            Worksheet("", "", "", {}, names=Names(loss=loss), formulas={loss: Name(loss)})
        )

    def handle(self, message: Any) -> Json:
        """The reply to a request."""
        try:
            return {"ok": self._answer(Asked(message, "the request"))}
        except ChalkgradError as error:
            return {"error": {"message": str(error), "line": None}}

    def _answer(self, asked: Asked) -> Json:
        if asked.choice("do", ("hello", "why")) == "why":
            return self._why(asked.text("wrt"), asked.choice("view", VIEWS, "board"))
        return {
            "version": PROTOCOL, "chalkgrad": __version__, "starts": [], "choices": choices(),
            "state": self._state(),
        }  # fmt: skip

    def _state(self) -> Json:
        board, shown = self.board, self.derivation
        loss = board.quantities[board.loss]
        value = number(loss.value)
        return {
            "version": 1, "title": shown.title, "source": shown.source, "kind": "formula",
            "loss": {"name": board.loss, "value": value, "symbol": latex(loss.name)},
            "updates": 0, "losses": [[0, value]],
            "records": 1, "record": 1, "record_names": ["1"],
            "settings": {"update": None, "loss": None, "layers": [], "seed": 0, "fixed": []},
            "scene": graph_of(board, board.gradients(board.loss), formulas=True),
            "steps": steps_of(self.places, board, shown.updates, Name(board.loss)),
            "undo": False, "redo": False, "worksheet": None, "share": None,
            "view": {"plane": None, "curve": None, "health": [], "gradients": [], "digits": None},
            "notes": [],
        }  # fmt: skip

    def _why(self, wrt: str, view: str) -> Json:
        board, shown = self.board, self.derivation
        if wrt not in board.quantities or wrt == board.loss:
            raise ArgumentError(f"there is no quantity {wrt!r} to derive by in this pass")
        gradient = gradient_of(board, board.loss, wrt)
        updates = tuple(update for update in shown.updates if update.name.text == wrt)
        one = replace(shown, gradients=(gradient,), updates=updates, view=view)

        def lights(several: Sequence[str]) -> Lights:
            return self.places.lights(*several)

        return why_of(one, lights, self.places.between)
