"""What comes out of a check: a verdict on every line, a score, and how the lines were read."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from chalkgrad.check.page import page, sentence
from chalkgrad.check.verdicts import Judged, Score, Verdict

MARKS = {
    Verdict.CORRECT: "✓", Verdict.FOLLOWS: "→", Verdict.WRONG: "✗",
    Verdict.UNREADABLE: "?", Verdict.UNKNOWN: "?", Verdict.BLANK: "·",
}  # fmt: skip
WIDTH = 80
_MOST_MISTAKES = 3  # in the text; the data has all of them


@dataclass(frozen=True, repr=False)
class Report:
    """A checked text: `lines` are its claims in order, `notes` say how it was read."""

    text: str
    lines: tuple[Judged, ...]
    notes: tuple[str, ...] = ()
    title: str = ""
    digits: int = 5

    @property
    def score(self) -> Score:
        """How many claims have each verdict."""
        counts = Counter(line.verdict.value for line in self.lines)
        return Score(**counts)

    @property
    def exit_code(self) -> int:
        """0 if every claim is correct (and there is one), 1 otherwise."""
        score = self.score
        return 0 if score.total == score.correct > 0 else 1

    def to_dict(self) -> dict[str, Any]:
        """The report as data; a number that is none is null."""
        score = self.score
        return {
            "lines": [_as_dict(line) for line in self.lines],
            "score": {
                "correct": score.correct, "follows": score.follows, "wrong": score.wrong,
                "unreadable": score.unreadable, "unknown": score.unknown, "blank": score.blank,
                "total": score.total,
            },
            "notes": list(self.notes),
        }  # fmt: skip

    def to_json(self) -> str:
        """The same as JSON, without NaN or Infinity."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)

    def to_html(self) -> str:
        """A page of its own: the text with marks in the margin, and the right working folded."""
        return page(self.text, self.lines, self.notes, self.title, summary(self.score))

    def __str__(self) -> str:
        """For a terminal, 80 columns wide."""
        out = wrap(visible(self.title), WIDTH)
        for line in self.lines:
            out += _block(line, self.digits)
        out += [""] if self.lines else []
        for note in self.notes:
            out += wrap(note, WIDTH)
        return "\n".join([*out, *wrap(summary(self.score), WIDTH)])

    def __repr__(self) -> str:
        return f"<Report: {summary(self.score)}>"


def summary(score: Score) -> str:
    """The score in words: only what there is."""
    if not score.total:
        return "No claims were found: a claim reads “name = …”."
    counts = [
        (score.correct, "correct"), (score.follows, "right from an earlier wrong value"),
        (score.wrong, "wrong"), (score.unreadable, "unreadable"),
        (score.unknown, "with an unknown name"), (score.blank, "blank"),
    ]  # fmt: skip
    said = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"{score.total} claim{'' if score.total == 1 else 's'}: {said}."


def visible(text: str) -> str:
    """With what would hide or reorder text written out."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\u{ord(c):04x}" for c in text)


def _as_dict(line: Judged) -> dict[str, Any]:
    return {
        "line": line.line,
        "text": line.text,
        "verdict": line.verdict.value,
        "claimed": _number(line.claimed),
        "expected": _number(line.expected),
        "expected_from_yours": _number(line.expected_from_yours),
        "mistakes": [
            {"name": mistake.name, "why": mistake.why, "value": _number(mistake.value)}
            for mistake in line.mistakes
        ],
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _block(line: Judged, digits: int) -> list[str]:
    """The claim with its mark, and beneath it what is to be said."""
    mark, place = MARKS[line.verdict], f"{line.line:4d}"
    out = wrap(visible(line.text), WIDTH, initial_indent=f"{mark}{place}  ",
               subsequent_indent=" " * 9)  # fmt: skip
    for said in _said(line, digits):
        out += wrap(said, WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 9)
    return out or [f"{mark}{place}"]


def _said(line: Judged, digits: int) -> list[str]:
    if line.verdict is Verdict.CORRECT:
        return []
    said = [sentence(line.reason)] if line.reason else []
    for mistake in line.mistakes[:_MOST_MISTAKES]:
        if mistake.why != line.reason:
            said.append(f"consistent with: {told(mistake.name, mistake.why)}")
    if line.verdict is Verdict.WRONG and line.right:
        said.append(f"right: {line.right}")
    return said


def told(name: str, why: str) -> str:
    """A mistake in words."""
    return f"{name}: {why}" if why else name
