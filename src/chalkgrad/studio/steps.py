"""The passes as steps: each quantity forward, each gradient backward, each update.

What a step writes are the lines of `chalkgrad.explain`: nothing is derived here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalkgrad.explain.board import Board, Quantity
from chalkgrad.explain.document import Document, Link
from chalkgrad.explain.steps import Update
from chalkgrad.explain.views.lines import Steps as Writer
from chalkgrad.explain.views.lines import computed, recursion_links
from chalkgrad.formulas import Expression, Name, Partial, latex, names_in, text
from chalkgrad.formulas.labels import (
    ACTIVATION,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    WEIGHTED_SUM,
)
from chalkgrad.studio.numbers import number
from chalkgrad.studio.places import Lights, Places

Step = dict[str, Any]
_SEVERAL = 6  # names that a sentence lists


def steps_of(places: Places, board: Board, updates: Sequence[Update], loss: Name) -> list[Step]:
    """Forward from the inputs to the loss, backward to the parameters, and the updates.

    `loss` is what the updates are derived from: that of all records.
    """
    written = _Passes(places, board)
    return [*written.forward(), *written.backward(), *_moved(places, updates, loss)]


class _Passes:
    def __init__(self, places: Places, board: Board) -> None:
        self.places, self.board = places, board
        self.writer = Writer(Document(""))
        self.loss = board.quantities[board.loss].name
        self.reached = board.gradients(board.loss)

    def forward(self) -> Iterator[Step]:
        for quantity in self._in_order():
            assert quantity.formula is not None
            name = quantity.name.text
            links = computed(self.writer, quantity.formula, quantity.value, self.board.values)
            used = [part.text for part in names_in(quantity.formula)]
            lights = self.places.between((name, by) for by in used)
            yield _step(
                "forward", name, quantity.name, links, quantity.value, lights,
                words=self._said(quantity, used),
            )  # fmt: skip

    def _in_order(self) -> list[Quantity]:
        """Record after record, and then what they have in common."""
        found = [q for q in self.board.quantities.values() if q.formula is not None]
        if len({q.record for q in found if q.record}) > 1:
            found.sort(key=lambda q: (q.record is None, q.record or 0))
        return found

    def _said(self, quantity: Quantity, used: Sequence[str]) -> str:
        """One sentence for who listens."""
        name, kinds = quantity.name.text, self.board.quantities
        sources = [by for by in used if kinds[by].kind != PARAMETER] or list(used)
        layers = self.places.worksheet.layers
        known = quantity.layer is not None and quantity.layer <= len(layers)
        activation = layers[(quantity.layer or 1) - 1].activation if known else "activation"
        words = {
            WEIGHTED_SUM: "is the weighted sum of",
            ACTIVATION: f"is the {activation} of",
            LOSS_TERM: "is the loss of",
            LOSS: "is the loss, computed from",
        }.get(quantity.kind, "is computed from")
        return f"{name} {words} {_listed(sources)}" if sources else f"{name} is given"

    def backward(self) -> Iterator[Step]:
        """∂loss/∂q: a parameter's as soon as everything that uses it has been reached."""
        done = {self.board.loss}
        waiting = [q for q in self.board.parameters if q.name.text in self.reached]
        for name in reversed(self.board.quantities):
            quantity = self.board.quantities[name]
            if quantity.formula is None or name not in self.reached or name == self.board.loss:
                continue
            yield self._gradient(quantity)
            done.add(name)
            for parameter in [p for p in waiting if self._users(p.name.text) <= done]:
                waiting.remove(parameter)
                yield self._gradient(parameter)
        for parameter in waiting:
            yield self._gradient(parameter)

    def _users(self, name: str) -> set[str]:
        return {user for user in self.board.users[name] if user in self.reached}

    def _gradient(self, quantity: Quantity) -> Step:
        name, board = quantity.name.text, self.board
        users = [user for user in board.users[name] if user in self.reached]
        links = recursion_links(self.writer, board, self.loss, quantity.name, self.reached)
        symbol = Partial(self.loss, quantity.name)
        through = [user for user in users if user != board.loss]
        way = f", through {_listed(through)}" if through else ", directly"
        return _step(
            "backward", text(symbol), symbol, links, self.reached[name],
            self.places.between((user, name) for user in users),
            words=f"How {self.loss.text} changes with {name}{way}",
        )  # fmt: skip


def _moved(places: Places, updates: Sequence[Update], loss: Name) -> Iterator[Step]:
    writer = Writer(Document(""))
    for update in updates:
        values = dict(update.values)
        partials = {(loss.text, update.name.text): update.gradient}
        for line in update.lines:
            links = computed(writer, line.formula, line.value, values, partials)
            last = line is update.lines[-1]
            name = update.name.text
            words = (
                f"{name} moves from {update.old:g} to {update.new:g}"
                if last
                else f"{line.name.text} is part of the update of {name}"
            )
            yield _step(
                "update", line.name.text, line.name, links, line.value, places.lights(name),
                words=words,
            )  # fmt: skip


def _step(
    phase: str, name: str, symbol: Expression, links: Iterable[Link], value: float, lights: Lights,
    *, words: str,
) -> Step:  # fmt: skip
    links = list(links)
    return {
        "phase": phase,
        "name": name,
        "words": words,
        "symbol": latex(symbol),
        "latex": " ".join(f"{_RELATIONS[link.relation]} {latex(link.body)}" for link in links),
        "text": " ".join(f"{link.relation} {text(link.body)}" for link in links),
        "value": number(value),
        "lights": lights,
        "reveals": name,
    }


_RELATIONS = {"=": "=", "≈": r"\approx"}


def _listed(names: Sequence[str]) -> str:
    """a, b and c; of many, the first ones and how many more."""
    if len(names) > _SEVERAL:
        return f"{', '.join(names[: _SEVERAL - 1])} and {len(names) - _SEVERAL + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
