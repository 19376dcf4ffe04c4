"""A derivation as a notebook that computes every number again, in plain Python.

Each cell of code computes one thing from what the cells above it computed, and fails where that is
not the number which the engine computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chalkgrad.draw.measure import clean
from chalkgrad.explain.board import Board, Local, Quantity
from chalkgrad.explain.document import Equation, Link
from chalkgrad.explain.render.formulas import rows
from chalkgrad.explain.render.markdown import ROOM, display, escaped
from chalkgrad.explain.steps import Gradient, Update
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, shown
from chalkgrad.formulas.python import (
    Identifiers,
    PythonStyle,
    helpers,
    number,
    partial_name,
)
from chalkgrad.formulas.writing import is_exact

if TYPE_CHECKING:  # the derivation offers every format, this one too
    from chalkgrad.explain.derivation import Derivation

_CHECK = '''\
import math


def check(computed, engine):
    """What is computed here must be what the engine computed."""
    same = computed == engine or (computed != computed and engine != engine)
    close = math.isclose(computed, engine, rel_tol={relative}, abs_tol={absolute})
    assert same or close, f"{{computed!r}} is not the engine's {{engine!r}}"
    return computed'''
_PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}


def to_notebook(derivation: Derivation) -> str:
    """The derivation as a notebook (nbformat 4). Its cells need Python's `math` and nothing else.

    Raises ArgumentError where a formula of the derivation is one of whole arrays.
    """
    cells = [_cell(k, *cell) for k, cell in enumerate(_Notebook(derivation).cells(), 1)]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": _PYTHON, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


Cell = tuple[bool, str]  # is it Markdown? and its text


def _cell(number: int, words: bool, source: str) -> dict[str, Any]:
    """A cell in the notebook's own format."""
    made: dict[str, Any] = {
        "cell_type": "markdown" if words else "code",
        "id": f"cell-{number}",
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }
    return made if words else made | {"execution_count": None, "outputs": []}


def _words(text: str) -> Cell:
    return True, text


def _code(*lines: str) -> Cell:
    return False, "\n".join(lines)


class _Notebook:
    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.board = derivation.board
        self.digits = derivation.digits
        self.known = Identifiers(_every_name(derivation))
        self.style = PythonStyle(lambda text: self.known[text])
        self.derived: set[str] = set()  # parameters whose gradient a cell has computed

    def cells(self) -> Iterator[Cell]:
        yield _words(self.title())
        yield _code(*self.first())
        yield _words("## Given")
        yield _code(*self.given(self.board))
        yield _words("## Forward pass")
        yield from self.forward(self.board)
        yield from self.locals()
        for gradient in self.derivation.gradients:
            yield from self.gradient(gradient)
        if self.derivation.updates:
            yield _words("## Update")
        for update in self.derivation.updates:
            yield from self.update(update)
        yield from self.after()

    def title(self) -> str:
        lines = [f"# {escaped(self.derivation.title)}"]
        if self.derivation.source:
            lines.append(f"*{escaped(self.derivation.source).strip()}*")
        lines += [
            f"- {escaped(key).strip()}: {escaped(value).strip()}"
            for key, value in self.derivation.conventions
        ]
        lines.append("Every number is computed again below, in plain Python, and compared.")
        return "\n\n".join(lines)

    def first(self) -> Iterator[str]:
        """What the other cells use: the comparison, and functions that `math` has not."""
        with np.errstate(over="ignore"):
            single = all(float(np.float32(v)) == v for v in self.board.values.values())
        relative, absolute = ("1e-4", "1e-6") if single else ("1e-9", "1e-12")
        yield _CHECK.format(relative=relative, absolute=absolute)
        for text in helpers(_every_formula(self.derivation)):
            yield f"\n\n{text}"

    def given(self, board: Board) -> Iterator[str]:
        """The numbers that nothing computes."""
        for quantity in board.quantities.values():
            if quantity.formula is None:
                yield f"{self.known[quantity.name.text]} = {number(quantity.value)}"

    def forward(self, board: Board) -> Iterator[Cell]:
        for quantity in board.quantities.values():
            if quantity.formula is not None:
                yield self.equation(quantity.name, quantity.formula, quantity.value)
                yield self.computed(quantity.name.text, quantity.formula, quantity.value)

    def equation(self, left: Expression, formula: Expression, value: float) -> Cell:
        """The formula and its value, as they stand on the board."""
        exact = is_exact(value, shown(value, self.digits))
        result = Link(Number(value), "=" if exact else "≈")
        links = (result,) if isinstance(formula, Number) else (Link(formula), result)
        block = Equation(left, links)
        return _words(f"$$\n{display(rows(block, self.digits, ROOM))}\n$$")

    def computed(self, name: str, formula: Expression, value: float) -> Cell:
        """The same in Python, and the comparison."""
        identifier = self.known[name]
        return _code(
            f"{identifier} = {self.style.write(formula)}", f"check({identifier}, {number(value)})"
        )

    def locals(self) -> Iterator[Cell]:
        """Each derivative along one edge that a path uses, once."""
        used = dict.fromkeys(
            (local.of.text, local.by.text)
            for gradient in self.derivation.gradients
            for path in gradient.paths
            for local in path.locals
        )
        if used:
            yield _words("## Local derivatives")
        for key in used:
            local = self.board.locals[key]
            yield self.equation(local.symbol, local.formula, local.value)
            yield self.computed(partial_name(*key), local.formula, local.value)

    def gradient(self, gradient: Gradient) -> Iterator[Cell]:
        """Each path's product, and their sum."""
        symbol = Partial(gradient.of, gradient.wrt)
        name = self.known[_gradient_name(symbol)]
        yield _words(f"## Gradient towards {escaped(gradient.wrt.text)}")
        terms = []
        for k, path in enumerate(gradient.paths, 1):
            term = f"{name}_path_{k}"
            terms.append(term)
            yield self.equation(
                Name(f"path {k}", rf"\text{{path {k}}}"), _product(path.locals), path.value
            )
            yield _code(
                f"{term} = {self.style.write(_product(path.locals))}",
                f"check({term}, {number(path.value)})",
            )
        if gradient.hidden:
            yield _words("What the paths add up to that are not written out:")
            yield _code(f"{name}_hidden = {number(gradient.hidden_value)}")
            terms.append(f"{name}_hidden")
        yield _words("Putting them together:")
        yield _code(
            f"{name} = {' + '.join(terms) or '0.0'}", f"check({name}, {number(gradient.value)})"
        )
        self.derived.add(gradient.wrt.text)

    def update(self, update: Update) -> Iterator[Cell]:
        """The optimizer's equations, on one parameter."""
        of = Name(self.board.loss)
        gradient = self.known[_gradient_name(Partial(of, update.name))]
        lines = [f"{self.known[name]} = {number(value)}" for name, value in self.settings(update)]
        if update.name.text in self.derived:
            lines.append(f"check({gradient}, {number(update.gradient)})")
        else:
            lines.append(f"{gradient} = {number(update.gradient)}")
        yield _words(f"### {escaped(update.name.text).strip()}")
        yield _code(*lines)
        style = PythonStyle(self.named_in_update)
        for line in update.lines:
            yield self.equation(line.name, line.formula, line.value)
            name = self.known[line.name.text]
            yield _code(
                f"{name} = {style.write(line.formula)}", f"check({name}, {number(line.value)})"
            )
        yield _code(
            f"{self.known[_new_name(update)]} = {self.known[update.lines[-1].name.text]}"
            if update.lines
            else f"{self.known[_new_name(update)]} = {number(update.new)}",
            f"check({self.known[_new_name(update)]}, {number(update.new)})",
        )

    def settings(self, update: Update) -> Iterable[tuple[str, float]]:
        made = {line.name.text for line in update.lines}
        return [(name, value) for name, value in update.values if name not in made]

    def named_in_update(self, text: str) -> str:
        """A derivative in an update is the whole gradient, not one edge's."""
        of, partial, by = text.removeprefix("d").partition("\0d")
        return self.known[_gradient_name(Partial(Name(of), Name(by))) if partial else text]

    def after(self) -> Iterator[Cell]:
        """The forward pass with the new parameters."""
        board = self.derivation.after
        if board is None:
            return
        yield _words("## Forward pass with the new parameters")
        moved = {update.name.text: update for update in self.derivation.updates}
        lines: list[str] = []
        for quantity in board.quantities.values():
            if quantity.formula is None:
                lines += self.moved(quantity, moved.get(quantity.name.text))
        yield _code(*lines)
        yield from self.forward(board)
        loss = self.board.quantities[self.board.loss]
        text = escaped(clean(loss.name.text))
        yield _words(
            f"The loss {text} was {number(loss.value)} and is "
            f"{number(board.quantities[board.loss].value)}."
        )

    def moved(self, quantity: Quantity, update: Update | None) -> Iterator[str]:
        name = self.known[quantity.name.text]
        if update is None:
            yield f"{name} = {number(quantity.value)}"
        else:
            yield f"{name} = {self.known[_new_name(update)]}"
            yield f"check({name}, {number(quantity.value)})"


def _product(locals: tuple[Local, ...]) -> Expression:
    symbols = tuple(local.symbol for local in locals)
    return symbols[0] if len(symbols) == 1 else Call("prod", symbols)


def _gradient_name(symbol: Partial) -> str:
    return f"gradient {partial_name(symbol.of.text, symbol.by.text)}"


def _new_name(update: Update) -> str:
    return f"updated {update.name.text}"


def _every_name(derivation: Derivation) -> Iterator[str]:
    """What needs an identifier: quantities first, so that they keep their own names."""
    boards = [derivation.board, *([derivation.after] if derivation.after else [])]
    for board in boards:
        yield from board.quantities
    for update in derivation.updates:
        yield from (name for name, _ in update.values)
        yield from (line.name.text for line in update.lines)


def _every_formula(derivation: Derivation) -> Iterator[Expression]:
    boards = [derivation.board, *([derivation.after] if derivation.after else [])]
    for board in boards:
        yield from (q.formula for q in board.quantities.values() if q.formula is not None)
        yield from (local.formula for local in board.locals.values())
    yield from (line.formula for update in derivation.updates for line in update.lines)
