"""A document as one page that needs no network: its style, its script and its fonts are inside.

Until the script has run, and where it does not, every formula stands there as Unicode text. The
page's own policy lets nothing run but that script: whatever a person has typed stays text.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import (
    Block,
    Document,
    Equation,
    Fold,
    Heading,
    Link,
    Part,
    Picture,
    Prose,
    Table,
)
from chalkgrad.explain.render.formulas import lines, relation, tree
from chalkgrad.explain.render.words import caption, cleaned, flat, headings, unknown
from chalkgrad.formulas import Expression, Number, Partial, text, typeset

WIDE, NARROW = 34.5, 21.0  # em of mathematics that a page, beside a label, and a telephone hold
CONTENTS = 8  # a page with more headings than this begins with a list of them
BRIEF = 12  # letters of a cell that is not broken
_SIGN = 1.6  # em that a relation takes


def to_html(document: Document) -> str:
    """The document as a complete, self-contained page.

    >>> from chalkgrad.explain.document import Document
    >>> page = to_html(Document("A <b> step"))
    >>> "<title>A &lt;b&gt; step</title>" in page
    True
    """
    style, script = _asset("katex.min.css") + _asset("page.css"), _script()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = escape(clean(document.title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#content">Skip to the derivation</a>\n'
        f'<main id="content">\n{_Writer(document).page()}</main>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def fragment(document: Document) -> str:
    """The page in a frame of its own, for a notebook: neither touches the other's style."""
    blocks = sum(1 for _ in flat(document.blocks))
    height = min(160 + 56 * blocks, 720)
    title = escape(clean(document.title), quote=True)
    return (
        f'<iframe title="{title}" sandbox="allow-scripts" width="100%" height="{height}" '
        'style="border: 0; resize: vertical; color-scheme: light dark" '
        f'srcdoc="{escape(to_html(document), quote=True)}"></iframe>'
    )


@cache
def _asset(name: str) -> str:
    return (files("chalkgrad.explain") / "assets" / name).read_text("utf-8")


@cache
def _script() -> str:
    return _asset("katex.min.js") + "\n" + _asset("page.js")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


class _Writer:
    """The inside of a page. Headings and labelled equations can be linked to."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.digits = document.digits
        self.labels = _labels(document)
        self.headed = 0
        self.seen: set[str] = set()

    def page(self) -> str:
        title = f"<h1>{escape(clean(self.document.title))}</h1>\n"
        source = clean(self.document.source)
        head = f"<header>\n{title}{_paragraph(source, 'source') if source else ''}</header>\n"
        return head + self.contents() + "".join(self.blocks(self.document.blocks))

    def contents(self) -> str:
        """A list of the headings, where there are many."""
        found = [(k, h) for k, h in enumerate(headings(self.document), 1) if h.level <= 2]
        if sum(1 for _ in headings(self.document)) <= CONTENTS:
            return ""
        items = "".join(
            f'<li class="level-{heading.level}"><a href="#part-{k}">'
            f"{self.title(heading, flat=True)}</a></li>\n"
            for k, heading in found
        )
        return f'<nav aria-label="Contents">\n<h2>Contents</h2>\n<ol>\n{items}</ol>\n</nav>\n'

    def blocks(self, blocks: Sequence[Block], *, folded: bool = False) -> Iterator[str]:
        for block in blocks:
            if isinstance(block, Heading):
                yield self.heading(block, folded=folded)
            elif isinstance(block, Prose):
                yield f"<p>{self.sentence(block.parts).strip()}</p>\n"
            elif isinstance(block, Equation):
                yield self.equation(block)
            elif isinstance(block, Table):
                yield self.table(block)
            elif isinstance(block, Picture):
                yield _picture(block)
            elif isinstance(block, Fold):
                inner = "".join(self.blocks(block.blocks, folded=True))
                summary = self.words(block.summary).strip()
                yield f"<details>\n<summary>{summary}</summary>\n{inner}</details>\n"
            else:
                raise unknown(block)

    def heading(self, block: Heading, *, folded: bool) -> str:
        level = min(block.level + 1, 6)
        place = ""
        if not folded:
            self.headed += 1
            place = f' id="part-{self.headed}"'
        return f"<h{level}{place}>{self.title(block)}</h{level}>\n"

    def title(self, block: Heading, *, flat: bool = False) -> str:
        """What a heading says; `flat` in one line, as in a list of them."""
        plain, symbol = escape(clean(block.text)), block.symbol
        if symbol is None:
            return plain
        if flat and isinstance(symbol, Partial):
            of, by = self.latex(symbol.of), self.latex(symbol.by)
            shown = rf"\partial {of}/\partial {by}"
        else:
            shown = rf"\displaystyle {self.latex(symbol)}"
        return f'<span class="m" data-tex="{_attribute(shown)}">{plain}</span>'

    def latex(self, expression: Expression) -> str:
        return typeset.write(tree(expression, self.digits))

    def sentence(self, parts: tuple[Part, ...]) -> str:
        """A paragraph. No line ends between a name and its number."""
        shown = [self.part(part) for part in parts]
        for k in range(len(parts) - 2, 0, -1):
            if parts[k] == " = ":
                tied = "".join(shown[k - 1 : k + 2])
                shown[k - 1 : k + 2] = [f'<span class="tied">{tied}</span>']
        return "".join(shown)

    def words(self, words: str) -> str:
        """Text, with "step 4" as a link to step 4."""
        shown = re.sub(" ([=≈]) ", "\u00a0\\1\u00a0", escape(cleaned(words)))
        if not self.labels:
            return shown
        return _reference().sub(self._link, shown)

    def _link(self, found: re.Match[str]) -> str:
        key = found[0].lower()
        return f'<a href="#{self.labels[key]}">{found[0]}</a>' if key in self.labels else found[0]

    def part(self, part: Part) -> str:
        return self.words(part) if isinstance(part, str) else self.formula(part, inline=True)

    def formula(self, expression: Expression, beside: float = 0.0, *, inline: bool = False) -> str:
        """A formula as text, and what the script sets it from; `beside` it so many em are taken."""
        row = tree(expression, self.digits)
        plain = escape(clean(text(expression, self.digits)))
        if inline:
            return f'<span class="m" data-tex="{_attribute(typeset.write(row))}">{plain}</span>'
        wide = _set(row, WIDE - beside)
        narrow = _set(row, max(NARROW - beside, NARROW / 2.4))
        second = "" if narrow == wide else f' data-narrow="{_attribute(narrow)}"'
        return f'<span class="m" data-tex="{_attribute(wide)}"{second}>{plain}</span>'

    # ------------------------------------------------------------------------------- equations

    def equation(self, block: Equation) -> str:
        """Columns for what stands left, the relation, the bodies and the remarks."""
        label = clean(block.label)
        beside = typeset.width(tree(block.left, self.digits)) + _SIGN
        cells = [f'<span class="left">{self.formula(block.left)}</span>']
        cells += [self._link_cells(link, beside) for link in block.links]
        kind = "grid short" if self._is_short(block, WIDE - beside) else "grid"
        grid = f'<div class="{kind}">{" ".join(cells)}</div>'
        if not label:
            return f'<div class="equation">{grid}</div>\n'
        return (
            f'<div class="equation"{self._place(label)}>{grid} '
            f'<span class="label">{escape(label)}</span></div>\n'
        )

    def _width(self, link: Link) -> float:
        return typeset.width(tree(link.body, self.digits))

    def _is_short(self, block: Equation, room: float) -> bool:
        """Do all links stand on one line?"""
        wide = sum(self._width(link) + _SIGN for link in block.links)
        remarks = [link.remark for link in block.links]
        return bool(remarks) and not any(remarks[:-1]) and wide + _remark_width(remarks[-1]) < room

    def _link_cells(self, link: Link, beside: float) -> str:
        below = self._width(link) + _remark_width(link.remark) > WIDE - beside
        body = f'<span class="body">{self.formula(link.body, beside)}</span>'
        return f"{self._sign(link)} {body}{self._remark(link, below=below)}"

    def _sign(self, link: Link) -> str:
        sign = clean(link.relation)
        return f'<span class="sign m" data-tex="{_attribute(relation(sign))}">{escape(sign)}</span>'

    def _remark(self, link: Link, *, below: bool = False) -> str:
        if not link.remark:
            return ""
        kind = "remark below" if below else "remark"
        return f' <span class="{kind}">{self.words(clean(link.remark))}</span>'

    def _place(self, label: str) -> str:
        """Where a link to this label goes: the first equation that bears it."""
        place = self.labels[label.lower()]
        if place in self.seen:
            return ""
        self.seen.add(place)
        return f' id="{place}"'

    # ---------------------------------------------------------------------------------- tables

    def table(self, block: Table) -> str:
        columns = [[row[k] for row in block.rows] for k in range(len(block.headings))]
        kinds = [_kind(column) for column in columns]
        head = "".join(
            f'<th scope="col"{kind}>{self.words(heading)}</th>'
            for heading, kind in zip(block.headings, kinds, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td{kind}>{self.part(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)
            )
            + "</tr>\n"
            for row in block.rows
        )
        return (
            f'<div class="table" tabindex="0" role="region" aria-label="Table"><table>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
        )


def _kind(column: Sequence[Part]) -> str:
    """Numbers stand to the right; a short word stays on one line."""
    if column and all(isinstance(cell, Number) for cell in column):
        return ' class="number"'
    short = all(isinstance(cell, str) and len(cell) <= BRIEF for cell in column)
    return ' class="brief"' if short else ""


def _remark_width(remark: str) -> float:
    """What a remark takes beside a formula: a long one has lines of its own."""
    return 0.42 * min(len(remark), 30) + 2 if remark else 0.0


@cache
def _reference() -> re.Pattern[str]:
    return re.compile(r"\b[Ss]teps? \d+\b")


def _labels(document: Document) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in flat(document.blocks):
        if isinstance(block, Equation) and block.label:
            found.setdefault(clean(block.label).lower(), f"at-{len(found) + 1}")
    return found


def _paragraph(words: str, kind: str) -> str:
    return f'<p class="{kind}">{escape(words)}</p>\n'


def _set(row: typeset.Row, room: float) -> str:
    """The lines of a formula, a line each; the spaces before one say how far it is moved in."""
    return "\n".join(
        "  " * indent + _continued(line, k) for k, (indent, line) in enumerate(lines(row, room))
    )


def _continued(line: typeset.Row, k: int) -> str:
    """A line that begins with a sign: the sign stands between operands, as it did."""
    first = line[0] if line else None
    signs = typeset.SUMS | typeset.PRODUCTS | typeset.RELATIONS
    starts = k > 0 and isinstance(first, typeset.Atom) and first.text in signs
    return ("{}" if starts else "") + typeset.write(line)


def _attribute(latex: str) -> str:
    return escape(latex, quote=True).replace("\n", "&#10;")


def _picture(block: Picture) -> str:
    """As an image: in one, no script runs and no style leaks, whatever the drawing holds."""
    data = b64encode(block.svg.encode()).decode()
    shown = escape(clean(block.text), quote=True)
    return (
        f'<figure><div class="drawing"><img src="data:image/svg+xml;base64,{data}" '
        f'alt="{shown}"></div><figcaption>{escape(caption(block))}</figcaption></figure>\n'
    )
