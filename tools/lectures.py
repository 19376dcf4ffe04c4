"""The audit of the five lectures, docs/lectures.md: every claim of a page with its verdict.

    python tools/lectures.py            write docs/lectures.md
    python tools/lectures.py --check    fail when docs/lectures.md is not what would be written

The worksheets and the claims stand in examples/lectures; the marks are those of `chalkgrad check`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chalkgrad.check import Judged, Report, Score, Verdict, check
from chalkgrad.check.page import MARKS
from chalkgrad.check.report import summary, told
from chalkgrad.explain.render.markdown import escaped
from chalkgrad.worksheet import Worksheet

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples/lectures"
PAGE = ROOT / "docs/lectures.md"
COMMAND = "python tools/lectures.py"
_FROM_HERE = "../examples/lectures"
_MOST_MISTAKES = 2

HEAD = """# The five lectures, audited

Each lecture is a worksheet (the problem) and an answers file (what its page claims, in the page's
own order). `chalkgrad check` marks the second against the first; this page is the result, written
by `{command}`. How a mark comes about: [Marking an answer](check.md).

✓ right · → right, from an earlier wrong line · ✗ wrong · ? names something that is not there

| lecture | claims | right | follows | wrong | unknown name |
|---|--:|--:|--:|--:|--:|
"""


class Audit(NamedTuple):
    """One page of a lecture: its problem, its claims, and their marks."""

    name: str
    sheet: Worksheet
    report: Report

    @property
    def title(self) -> str:
        return self.sheet.source.capitalize()


def audits() -> Iterator[Audit]:
    """Every worksheet that has an answers file, in the order of the lectures."""
    found = []
    for answers in FOLDER.glob("*.answers"):
        sheet = Worksheet.read(answers.with_suffix(".toml"))
        found.append(Audit(answers.stem, sheet, check(sheet, answers)))
    yield from sorted(found, key=lambda audit: (audit.sheet.source, audit.name))


def page(found: Sequence[Audit]) -> str:
    """The whole text."""
    rows = [_row(f"[{a.title}](#{_anchor(a.title)})", a.report.score) for a in found]
    total = _row("**all**", _total([audit.report.score for audit in found]))
    sections = ["\n".join(_section(audit)) for audit in found]
    return HEAD.format(command=COMMAND) + "\n".join([*rows, total]) + "\n\n" + "\n".join(sections)


def _row(name: str, score: Score) -> str:
    counts = score.total, score.correct, score.follows, score.wrong, score.unknown
    return f"| {name} | {' | '.join(map(str, counts))} |"


def _total(scores: list[Score]) -> Score:
    names = "correct", "follows", "wrong", "unreadable", "unknown", "blank"
    return Score(*(sum(getattr(score, name) for score in scores) for name in names))


def _anchor(title: str) -> str:
    return title.lower().replace(",", "").replace(" ", "-")


def _section(audit: Audit) -> Iterator[str]:
    report, files = audit.report, f"{_FROM_HERE}/{audit.name}"
    yield f"## {audit.title}\n"
    yield f"{audit.sheet.title} ([worksheet]({files}.toml), [claims]({files}.answers)).\n"
    yield f"{' '.join([summary(report.score), *report.notes])}\n"
    yield "| line | | claim |"
    yield "|--:|---|---|"
    claims: dict[int, list[Judged]] = {}
    for judged in report.lines:
        claims.setdefault(judged.line, []).append(judged)
    for number, line in list(enumerate(report.text.splitlines(), 1))[1:]:  # the first is a title
        if number not in claims and line.strip():
            yield f"| | | **{escaped(line.strip())}** |"
        for judged in claims.get(number, ()):
            yield f"| {number} | {MARKS[judged.verdict][0]} | {claim(judged, line)} |"
    yield ""


def claim(judged: Judged, line: str) -> str:
    """The claim; where it is not right, why, and the right line."""
    said = [code(judged.text)]
    comment = line.partition("#")[2].strip()
    if comment:
        said.append(f"*{escaped(comment)}*")
    if judged.verdict is not Verdict.CORRECT:
        said += _why(judged)
    return "<br>".join(said)


def _why(judged: Judged) -> Iterator[str]:
    yield _sentence(judged.reason)
    for mistake in judged.mistakes[:_MOST_MISTAKES]:
        if mistake.why != judged.reason:
            yield _sentence(f"consistent with {told(mistake.name, mistake.why)}")
    if judged.verdict is Verdict.WRONG and judged.right:
        yield f"Right: {code(judged.right)}"


def _sentence(words: str) -> str:
    """With a capital and a full stop."""
    stop = "" if words.endswith((".", "?", "!")) else "."
    return escaped(words[:1].upper() + words[1:] + stop)


def code(text: str) -> str:
    """As code, in a cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`"


def main(arguments: list[str]) -> int:
    text = page(list(audits()))
    if arguments == ["--check"]:
        current = PAGE.read_text("utf-8") if PAGE.exists() else ""
        if current != text:
            print(f"{PAGE} is out of date: run `{COMMAND}`", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
