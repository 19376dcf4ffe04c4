"""A person's working, marked: `chalkgrad.check`'s report, with the place in the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from chalkgrad.check import Judged, Verdict, check
from chalkgrad.core.errors import FormulaError
from chalkgrad.formulas import Name, Partial, names_in
from chalkgrad.formulas.parse import parse
from chalkgrad.formulas.spelling import canonical
from chalkgrad.studio.passes import Pass
from chalkgrad.studio.places import Lights, Places
from chalkgrad.worksheet import Worksheet

Json = dict[str, Any]
_NEW = re.compile(r"^(?:new|updated)\s+")
_STATUS = {
    Verdict.CORRECT: "right", Verdict.FOLLOWS: "carried", Verdict.WRONG: "wrong",
    Verdict.UNREADABLE: "unreadable", Verdict.UNKNOWN: "unknown", Verdict.BLANK: "blank",
}  # fmt: skip


def marks_of(worksheet: Worksheet, answers: str) -> Json:
    """The Marks of a text."""
    report = check(worksheet, answers)
    places = Places(worksheet)
    known = {canonical(name): name for name in Pass.of(worksheet).values}
    for layer, sums in zip(worksheet.layers, worksheet.names.sums, strict=False):
        pairs = zip(layer.units, sums, strict=True)
        known |= {canonical(f"delta_{unit}"): name for unit, name in pairs if name in known}
    return {
        "score": report.to_dict()["score"],
        "lines": [_line(line, places, known) for line in report.lines],
        "notes": list(report.notes),
    }


def _line(line: Judged, places: Places, known: dict[str, str]) -> Json:
    mistake = line.mistakes[0] if line.mistakes else None
    said = [line.reason] if line.reason else []
    if mistake is not None and mistake.why and mistake.why != line.reason:
        said.append(f"consistent with: {mistake.name}: {mistake.why}")
    if line.verdict is Verdict.WRONG and line.right:
        said.append(f"right: {line.right}")
    return {
        "line": line.line,
        "text": line.text,
        "status": _STATUS[line.verdict],
        "say": "; ".join(said),
        "mistake": None if mistake is None else mistake.name,
        "expected": line.expected,
        "lights": _lights(line.text, places, known),
    }


def _lights(text: str, places: Places, known: dict[str, str]) -> Lights:
    """Where the claimed quantity is; a derivative is where its two quantities are."""
    left = _NEW.sub("", text.partition("=")[0].strip())
    try:
        expression = parse(left, frozenset(known))
    except FormulaError:
        return places.lights()
    names: Sequence[Name] = names_in(expression)
    if isinstance(expression, Partial):
        names = (expression.of, expression.by)
    return places.lights(*[known[key] for n in names if (key := canonical(n.text)) in known])
