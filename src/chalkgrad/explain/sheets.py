"""The derivation of a worksheet: its network, with the author's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from chalkgrad.core.graph import ancestors
from chalkgrad.explain.board import Board
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.derive import Derive
from chalkgrad.explain.graph import Problem as Explained
from chalkgrad.explain.graph import Wanted, all_given, explain_graph
from chalkgrad.worksheet import Loss, Problem, Update, Worksheet, optimizer_of

_LOSSES = {
    "half_squared_error": "½ (target − output)² for each output",
    "squared_error": "(target − output)² for each output, without ½",
    "mean_squared_error": "(target − output)², the mean over the outputs, without ½",
    "binary_cross_entropy": "−(y log ŷ + (1 − y) log(1 − ŷ)), the mean over the outputs",
    "cross_entropy": "−Σ y log p over the outputs",
}


def explain_sheet(
    worksheet: Worksheet, wrt: Wanted, names: str, view: str, digits: int
) -> Derivation:
    """The derivation of a worksheet's gradients; without `wrt`, of those that are to be updated."""
    problem = Problem.of(worksheet)
    optimizer = None if worksheet.update is None else optimizer_of(worksheet, problem.parameters)
    if wrt is None:
        frozen = () if worksheet.update is None else worksheet.update.frozen
        used = set(ancestors([problem.loss.node]))
        wrt = [n for n, p in problem.parameters.items() if n not in frozen and p.node in used]
    if isinstance(wrt, str):
        wrt = [wrt]
    spelled = [_known(problem, name) if isinstance(name, str) else name for name in wrt]
    explained = Explained(
        worksheet.title or worksheet.file, worksheet.source, problem.labels,
        tuple(_conventions(worksheet)), whole=True,
    )  # fmt: skip
    found = explain_graph(problem.loss, spelled, optimizer, names, view, digits, explained)
    return replace(found, worksheet=worksheet)


def board_of(worksheet: Worksheet, values: Mapping[str, float] | None = None) -> Board:
    """Every quantity and every derivative of a worksheet, with some parameters changed."""
    problem = Problem.of(worksheet, values)
    derive = Derive(problem.loss.node, problem.labels)
    return derive.board(all_given(problem.labels))


def _known(problem: Problem, name: str) -> object:
    """A quantity by the worksheet's name for it, whatever the names on the board are."""
    if name in problem.parameters:
        return problem.parameters[name]
    own = problem.aliases.get(name, name)
    for node, label in problem.labels.items():
        for index in np.ndindex(*node.shape):
            if label.name(index) == own:
                return problem.loss.wrap(node), index
    return own


def _conventions(worksheet: Worksheet) -> list[tuple[str, str]]:
    found = []
    if worksheet.loss is not None:
        found.append(
            ("loss", _loss(worksheet.loss, worksheet.data.records if worksheet.data else 1))
        )
    if worksheet.update is not None:
        found.append(("update", _update(worksheet.update)))
    if worksheet.names.delta == "negative":
        found.append(("delta", "the author's δ is the negative gradient; the update adds η · δ"))
    return found


def _loss(loss: Loss, records: int) -> str:
    text = _LOSSES[loss.kind]
    return text if records == 1 else f"{text}; over the {records} records the {loss.over_records}"


def _update(update: Update) -> str:
    settings = ", ".join(
        f"{'learning rate' if name == 'lr' else name.replace('_', ' ')} {value:g}"
        if isinstance(value, float | int) and not isinstance(value, bool)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in update.settings.items()
    )
    stay = "stays as it is" if len(update.frozen) == 1 else "stay as they are"
    left = f"; {', '.join(update.frozen)} {stay}" if update.frozen else ""
    return f"{update.rule}, {settings}{left}"
