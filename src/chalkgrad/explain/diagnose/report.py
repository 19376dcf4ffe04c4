"""A diagnosis as data, and as text, JSON and HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from textwrap import wrap
from typing import Any

FAULT, WARNING, NOTE = "fault", "warning", "note"
_ORDER = {FAULT: 0, WARNING: 1, NOTE: 2}

NONE, ZERO, SMALL, LARGE, NOT_FINITE, HEALTHY = "None", "zero", "tiny", "huge", "NaN", "healthy"


@dataclass(frozen=True)
class Finding:
    """One thing that deserves a look."""

    severity: str  # fault | warning | note: what explains itself and does no harm
    where: str  # a layer, a unit, a parameter, or several
    what: str
    because: str  # the responsible factor, with its number
    remedy: str = ""  # one thing to try

    def lines(self, width: int) -> Iterator[str]:
        for label, words in ((self.severity, f"{self.where}: {self.what}"),
                             ("because", self.because), ("try", self.remedy)):  # fmt: skip
            if words:
                first = f"{label.upper() if label == self.severity else label:>9}  "
                yield from wrap(words, width, initial_indent=first, subsequent_indent=" " * 11)


@dataclass(frozen=True)
class Share:
    """How much of a parameter's gradient comes through one unit of the next layer; all shares of a
    gradient add up to 1, and a negative one works against the rest."""

    unit: str
    share: float


@dataclass(frozen=True)
class Row:
    """One parameter: ‖value‖, ‖gradient‖, the share of itself by which a step moves its layer."""

    name: str
    shape: tuple[int, ...]
    value: float
    gradient: float | None
    ratio: float | None
    status: str  # None | zero | tiny | huge | NaN | healthy
    through: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One layer: how large the gradient at its weighted sums is, and what its units do."""

    name: str
    gradient: float
    units: int
    dead: int = 0  # their slope is 0 for every record
    saturated: int = 0  # their slope is less than a thousandth of its largest for every record


@dataclass(frozen=True)
class Diagnosis:
    """What a backward pass looks like, and what deserves a look, the worst first."""

    loss: float
    findings: tuple[Finding, ...]
    parameters: tuple[Row, ...]
    layers: tuple[Layer, ...] = ()
    step: str = ""  # whose update the ratios are of

    @property
    def healthy(self) -> bool:
        """Is there neither a fault nor a warning?"""
        return all(finding.severity == NOTE for finding in self.findings)

    @property
    def faulty(self) -> bool:
        """Is a gradient wrong?"""
        return any(finding.severity == FAULT for finding in self.findings)

    def to_text(self, width: int = 80) -> str:
        """For a terminal."""
        parts = ["\n".join(wrap(self._headline(), width))]
        parts += ["\n".join(finding.lines(width)) for finding in self.findings]
        if self.parameters:
            parts.append("\n".join(_columns(*self._parameter_table(), width)))
        if self.layers:
            parts.append("\n".join(_columns(*self._layer_table(), width)))
        through = [line for row in self.parameters for line in _through(row, width)]
        if through:
            parts.append("\n".join(["where the gradient comes through:", *through]))
        return "\n\n".join(parts)

    __str__ = to_text

    def to_json(self) -> dict[str, Any]:
        """Plain data; a number that is not finite is a word ("NaN", "Infinity")."""
        data = {
            "schema": "chalkgrad/diagnosis/1", "healthy": self.healthy, "loss": self.loss,
            "step": self.step, "findings": [asdict(finding) for finding in self.findings],
            "parameters": [asdict(row) for row in self.parameters],
            "layers": [asdict(layer) for layer in self.layers],
        }  # fmt: skip
        plain: dict[str, Any] = json.loads(json.dumps(data), parse_constant=str)
        return plain

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><b>{escape(f.severity)}</b> {escape(f.where)}: {escape(f.what)}"
            f"<br>because {escape(f.because)}"
            + (f"<br>try {escape(f.remedy)}" if f.remedy else "") + "</li>"
            for f in self.findings
        )  # fmt: skip
        tables = [_html(*self._parameter_table())] if self.parameters else []
        tables += [_html(*self._layer_table())] if self.layers else []
        return f"<p>{escape(self._headline())}</p><ul>{items}</ul>{''.join(tables)}"

    def _headline(self) -> str:
        counts = [sum(f.severity == s for f in self.findings) for s in _ORDER]
        words = [
            f"{n} {s}{'' if n == 1 else 's'}"
            for n, s in zip(counts, _ORDER, strict=True) if n
        ]  # fmt: skip
        return f"loss = {self.loss:.6g}: {', '.join(words) or 'every gradient looks healthy'}"

    def _parameter_table(self) -> tuple[list[str], list[list[str]]]:
        headings = ["parameter", "shape", "|value|", "|gradient|", "update/value", "status"]
        rows = [
            [r.name, "×".join(map(str, r.shape)) or "1", _shown(r.value), _shown(r.gradient),
             _shown(r.ratio), r.status]
            for r in self.parameters
        ]  # fmt: skip
        return headings, rows

    def _layer_table(self) -> tuple[list[str], list[list[str]]]:
        headings = ["layer", "|gradient| at its sums", "units", "dead", "saturated"]
        rows = [
            [r.name, _shown(r.gradient), str(r.units), str(r.dead), str(r.saturated)]
            for r in self.layers
        ]
        return headings, rows


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The worst first; what is equally bad in the order in which it was found."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))


def _shown(number: float | None) -> str:
    return "–" if number is None else f"{number:.3g}"


def _through(row: Row, width: int) -> Iterator[str]:
    if row.through:
        shares = ", ".join(f"{s.unit} {100 * s.share:.3g} %".replace("-", "−") for s in row.through)
        yield from wrap(f"{row.name}: {shares}", width, initial_indent="  ",
                        subsequent_indent="    ")  # fmt: skip


def _columns(headings: list[str], rows: list[list[str]], width: int) -> Iterator[str]:
    """Columns side by side: words to the left, numbers to the right, a long name cut in front."""
    sizes = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    sizes[0] = max(min(sizes[0], width - sum(sizes[1:]) - 2 * (len(sizes) - 1)), 8)
    for row in (headings, *rows):
        first = row[0] if len(row[0]) <= sizes[0] else "…" + row[0][1 - sizes[0] :]
        cells = [first.ljust(sizes[0])]
        for cell, size, heading in zip(row[1:], sizes[1:], headings[1:], strict=True):
            cells.append(cell.ljust(size) if heading == "status" else cell.rjust(size))
        yield "  ".join(cells).rstrip()


def _html(headings: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
