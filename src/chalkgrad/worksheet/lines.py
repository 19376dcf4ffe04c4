"""[expression]: formulas that use one another, in an order in which they can be computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalkgrad.core.errors import FormulaError, nearest
from chalkgrad.formulas.expression import (
    Call,
    Expression,
    Name,
    Number,
    Partial,
    names_in,
    parts,
    replaced,
)
from chalkgrad.formulas.parse import parse
from chalkgrad.formulas.spelling import canonical
from chalkgrad.worksheet.naming import Roll
from chalkgrad.worksheet.source import Section, said

MOST_LINES = 500


def read_lines(
    section: Section, values: Section, given: Mapping[str, float]
) -> dict[str, Expression]:
    """Every line's formula, over the names of other lines and of the values."""
    roll = Roll()
    for name in given:
        roll.add(values, name, "a value")
    if len(section.table) > MOST_LINES:
        raise section.error(f"[expression] has more than {MOST_LINES} lines; split the worksheet")
    for key in section.table:
        roll.add(section, section.name(key, "line"), "a line of [expression]")
    known = {key: name for key, (name, _) in roll.taken.items()}
    found = {key: _formula(section, key, line, known) for key, line in section.table.items()}
    return _ordered(section, found)


def _formula(section: Section, key: str, line: Any, known: Mapping[str, str]) -> Expression:
    if isinstance(line, (int, float)) and not isinstance(line, bool):
        return Number(section.number(line, key))
    if not isinstance(line, str):
        raise section.error(f"{key} must be a formula in quotes, not {said(line)}", key)
    try:
        expression = parse(line, frozenset(known))
    except FormulaError as error:
        raise section.error(f"{key}: {error}", key) from None
    if any(isinstance(part, Partial) for part in parts(expression)):
        raise section.error(f"{key} has a derivative in it; a line is a formula of names", key)
    for name in names_in(expression):
        if canonical(name.text) not in known:
            offer = nearest(name.text, known.values())
            message = f"{key} uses {said(name.text)}, which has no value: write it under [values]"
            raise section.error(f"{message}.{offer}", key)
    return replaced(
        expression, lambda p: Name(known[canonical(p.text)]) if isinstance(p, Name) else None
    )


def _ordered(section: Section, lines: Mapping[str, Expression]) -> dict[str, Expression]:
    """The lines, each after those that it uses."""
    order: dict[str, Expression] = {}
    for start in lines:
        path: list[str] = []
        work = [(start, False)]
        while work:
            name, ready = work.pop()
            if ready:
                path.pop()
                order[name] = lines[name]
                continue
            if name in path:
                cycle = " → ".join([*path[path.index(name) :], name][:12])
                raise section.error(f"the lines go round in a circle: {cycle}", name)
            if name in order:
                continue
            path.append(name)
            work.append((name, True))
            used = [part.text for part in names_in(lines[name]) if part.text in lines]
            work += [(other, False) for other in reversed(used)]
    return order


def loss_line(lines: Mapping[str, Expression], written: list[str]) -> str:
    """The line that no other uses; of several, the last that is written."""
    used = {part.text for line in lines.values() for part in names_in(line)}
    return [name for name in written if name not in used][-1]


def depends(loss: str, lines: Mapping[str, Expression], values: Mapping[str, float]) -> bool:
    """Does a value move the loss? (`lines` are in computing order.)"""
    varying = set(values)
    for name, line in lines.items():
        if not varying.isdisjoint(_moving(line)):
            varying.add(name)
    return loss in varying


def _moving(line: Expression) -> Iterator[str]:
    """The names in a formula, but not those in the condition of a choice, which has no slope."""
    work = [line]
    while work:
        part = work.pop()
        if isinstance(part, Name):
            yield part.text
        elif isinstance(part, Call):
            work += part.arguments[1:] if part.function == "select" else part.arguments
