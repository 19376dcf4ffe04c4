"""The report as a page of its own: no scripts, nothing loaded, light and dark, fit to print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chalkgrad.check.verdicts import Judged, Verdict

MARKS = {
    Verdict.CORRECT: ("✓", "correct"), Verdict.FOLLOWS: ("→", "follows from an earlier line"),
    Verdict.WRONG: ("✗", "wrong"), Verdict.UNREADABLE: ("?", "cannot be read"),
    Verdict.UNKNOWN: ("?", "unknown name"), Verdict.BLANK: ("·", "nothing is claimed"),
}  # fmt: skip
_ORDER = (
    Verdict.WRONG, Verdict.UNREADABLE, Verdict.UNKNOWN, Verdict.BLANK, Verdict.FOLLOWS,
    Verdict.CORRECT,
)  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2125; --paper: #fff; --faint: #626a73;
  --line: #dfe3e8; --correct: #1a7f37; --follows: #9a6700; --wrong: #c62828; --other: #5b5bd6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #16191d; --faint: #9aa4af;
  --line: #333a42; --correct: #57c271; --follows: #e0b13c; --wrong: #ff7b72; --other: #a5a5ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
.summary { margin: 0; } .notes { color: var(--faint); margin: .25rem 0 0; padding-left: 1.1rem; }
ol { list-style: none; margin: 1.5rem 0 0; padding: 0; border-top: 1px solid var(--line); }
ol > li { display: grid; grid-template-columns: 2.2rem 3rem minmax(0, 1fr); }
.mark { font-weight: 700; text-align: center; }
.place { color: var(--faint); text-align: right; padding-right: .8rem;
  font-variant-numeric: tabular-nums; user-select: none; }
code { font: .92rem/1.6 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; unicode-bidi: isolate; direction: ltr; }
.prose code { color: var(--faint); }
.correct > .mark { color: var(--correct); } .follows > .mark { color: var(--follows); }
.wrong > .mark { color: var(--wrong); }
.unreadable > .mark, .unknown > .mark, .blank > .mark { color: var(--other); }
.wrong code.claim { text-decoration: underline wavy var(--wrong); text-underline-offset: .25em; }
.said { margin: .1rem 0 .7rem; padding: .3rem 0 .3rem .8rem; border-left: 3px solid var(--line); }
.wrong .said { border-color: var(--wrong); } .follows .said { border-color: var(--follows); }
.said p { margin: .15rem 0; } .said ul { margin: .15rem 0; padding-left: 1.1rem; }
summary { cursor: pointer; color: var(--faint); }
pre { margin: .3rem 0; overflow-x: auto;
  font: .88rem/1.6 ui-monospace, "DejaVu Sans Mono", monospace; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; }
  details::details-content { content-visibility: visible; } ol > li { break-inside: avoid; }
  pre { white-space: pre-wrap; } }
"""


def page(text: str, lines: Sequence[Judged], notes: Sequence[str], title: str, summary: str) -> str:
    """The person's text, every line with its mark, and what is said of it below."""
    judged: dict[int, list[Judged]] = {}
    for line in lines:
        judged.setdefault(line.line, []).append(line)
    rows = [
        _row(number, line, judged.get(number, [])) for number, line in enumerate(_lines(text), 1)
    ]
    heading = shown(title or "Checked answers")
    said = "".join(f"<li>{shown(note)}</li>" for note in notes)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{heading}</h1>\n<p class="summary">{shown(summary)}</p>\n'
        + (f'<ul class="notes">{said}</ul>\n' if said else "")
        + f"<ol>\n{''.join(rows)}</ol>\n</main>\n</body>\n</html>\n"
    )


def shown(text: str) -> str:
    """Text in HTML; what would hide or reorder it is written out."""
    return escape("".join(c if c.isprintable() or c == "\t" else f"\\u{ord(c):04x}" for c in text))


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _lines(text: str) -> list[str]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _row(number: int, line: str, judged: list[Judged]) -> str:
    """One line of the text: mark, number, text, and what is said."""
    place = f'<span class="place" aria-hidden="true">{number}</span>'
    if not judged:
        return f'<li class="prose"><span></span>{place}<code>{shown(line)}</code></li>\n'
    worst = min((claim.verdict for claim in judged), key=_ORDER.index)
    mark, words = MARKS[worst]
    said = "".join(_said(claim, several=len(judged) > 1) for claim in judged)
    return (
        f'<li class="{worst.value}" id="line{number}">'
        f'<span class="mark" role="img" aria-label="{words}" title="{words}">{mark}</span>{place}'
        f'<div><code class="claim">{shown(line)}</code>{said}</div></li>\n'
    )


def _said(claim: Judged, *, several: bool) -> str:
    """What is said of one claim; nothing of a correct one."""
    if claim.verdict is Verdict.CORRECT:
        return ""
    parts = []
    if several:
        mark, words = MARKS[claim.verdict]
        parts.append(f"<p>{mark} <code>{shown(claim.text)}</code> {words}</p>")
    if claim.reason:
        parts.append(f"<p>{shown(sentence(claim.reason))}</p>")
    mistakes = [m for m in claim.mistakes if m.why != claim.reason]
    if mistakes:
        found = "".join(f"<li><b>{shown(m.name)}</b>: {shown(m.why)}</li>" for m in mistakes)
        parts.append(f"<p>Consistent with</p><ul>{found}</ul>")
    if claim.working:
        lines = "\n".join(shown(line) for line in claim.working)
        parts.append(f"<details><summary>The right working</summary><pre>{lines}</pre></details>")
    return f'<div class="said">{"".join(parts)}</div>'
