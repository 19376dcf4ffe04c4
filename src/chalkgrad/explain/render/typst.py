"""A document in Typst, and as the PDF that the package `typst` makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from re import sub
from typing import Any

from chalkgrad.core.errors import MissingExtra
from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import (
    Block,
    Document,
    Equation,
    Fold,
    Heading,
    Part,
    Picture,
    Prose,
    Table,
)
from chalkgrad.explain.render.formulas import HANG, Row, rows, tree
from chalkgrad.explain.render.words import caption, cleaned, unknown
from chalkgrad.formulas import Number
from chalkgrad.formulas.typeset import PRODUCTS, SUMS, Atom
from chalkgrad.formulas.typst import quoted, translated

ROOM = 41.0  # em of the text's width, less what a label needs
_PREAMBLE = """\
#set document(title: {title})
#set page(paper: "a4", margin: 20mm, numbering: "1")
#set text(font: ("New Computer Modern", "Libertinus Serif", "DejaVu Sans Mono"), size: 10pt)
#set par(justify: false, leading: 0.65em, spacing: 1em)
#show heading: set block(above: 1.5em, below: 0.8em, sticky: true)
#show math.equation.where(block: true): set align(left)
#show math.equation.where(block: true): set block(breakable: false)
#let muted = luma(40%)
// The label stands beside the middle of the first line, which is as tall as `line`.
#let step(body, label, line: $ x $) = block(width: 100%, inset: (left: 1.5em), above: 1.2em,
  below: 1.2em, context {
    let note = align(horizon, text(size: 0.85em, fill: muted, label))
    grid(columns: (1fr, auto), column-gutter: 1em, body, box(height: measure(line).height, note))
  })
#let note(body) = text(size: 0.85em, fill: muted, body)
#let symbol(body) = box(inset: (bottom: 0.55em), body)
#let folded(summary, body) = block(width: 100%, inset: (left: 1em), stroke: (left: 0.5pt + muted),
  [#strong(summary) #parbreak() #body])
"""


def to_typst(document: Document) -> str:
    """The document as a complete Typst file.

    >>> from chalkgrad.explain.document import Document, Link
    >>> from chalkgrad.formulas import Name, Number
    >>> document = Document("One step")
    >>> document.equation(Name("y"), [Link(Name("a") * Name("b")), Link(Number(6.0))], "step 1")
    >>> print(to_typst(document).splitlines()[-1])
    #step($ y & = a dot.op b = 6 $, [step 1])
    """
    parts = [f'#text(size: 1.6em, weight: "bold")[{escaped(document.title)}]']
    if document.source:
        parts.append(f"#note[{escaped(document.source)}]")
    parts += _Writer(document.digits).blocks(document.blocks)
    preamble = _PREAMBLE.replace("{title}", quoted(clean(document.title)))
    return preamble + "\n" + "\n\n".join(parts) + "\n"


def to_pdf(document: Document) -> bytes:
    """The document as a PDF, set by Typst: no TeX is needed.

    Raises MissingExtra where the package `typst` is not installed.
    """
    compiler = _compiler()
    # Only what chalkgrad wrote is read: no file, no package, no font from elsewhere.
    made: bytes = compiler.compile(to_typst(document).encode(), format="pdf")
    return made


def _compiler() -> Any:
    try:
        return import_module("typst")
    except ImportError as cause:
        raise MissingExtra(
            f"a PDF needs the package typst, which cannot be imported ({cause}); "
            'install it with: pip install "chalkgrad[pdf]"'
        ) from cause


def escaped(text: str) -> str:
    """Words in which nothing is markup.

    >>> print(escaped("#import *x* 0.5"))
    \\#import \\*x\\* 0.5
    """
    text = sub(r"""([\\#$*_`<>@=\-+/\[\]~])""", r"\\\1", cleaned(text))
    return sub(r"^(\s*\d+)\.", r"\1\\.", text)


class _Writer:
    def __init__(self, digits: int) -> None:
        self.digits = digits

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        for block in blocks:
            yield self.block(block)

    def block(self, block: Block) -> str:
        if isinstance(block, Heading):
            return f"#heading(level: {block.level})[{self.heading(block)}]"
        if isinstance(block, Prose):
            words = "".join(self.part(part) for part in block.parts).strip()
            return words.replace(r"$ \= $", r"$~\=~$")  # no line ends between a name and its number
        if isinstance(block, Equation):
            return self.equation(block)
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Picture):
            return _picture(block)
        if isinstance(block, Fold):
            inner = "\n\n".join(self.blocks(block.blocks))
            return f"#folded([{escaped(block.summary)}])[\n{inner}\n]"
        raise unknown(block)

    def heading(self, block: Heading) -> str:
        if block.symbol is None:
            return escaped(block.text)
        return f"#symbol($display({translated(tree(block.symbol, self.digits))})$)"

    def part(self, part: Part) -> str:
        if isinstance(part, str):
            return escaped(part)
        return f"${translated(tree(part, self.digits))}$"

    def equation(self, block: Equation) -> str:
        lines = [line for row in rows(block, self.digits, ROOM) for line in _rows(row)]
        shown = " \\\n  ".join(lines)
        tall = ", line: $ frac(x, x) $" if "frac(" in lines[0] else ""
        return f"#step($ {shown} $, [{escaped(block.label)}]{tall})"

    def table(self, block: Table) -> str:
        count = len(block.headings)
        right = [
            bool(block.rows) and all(isinstance(row[k], Number) for row in block.rows)
            for k in range(count)
        ]
        align = ", ".join("right" if is_right else "left" for is_right in right)
        head = ", ".join(f"[*{escaped(heading)}*]" for heading in block.headings)
        body = [", ".join(f"[{self.part(cell)}]" for cell in row) for row in block.rows]
        lines = [
            f"#table(columns: {count}, align: ({align},), stroke: none,",
            "  inset: (x: 0.6em, y: 0.4em),",
            f"  table.header({head}), table.hline(stroke: 0.5pt),",
            *(f"  {line}," for line in body),
        ]
        return "\n".join([*lines, ")"]) if count else ""


def _picture(block: Picture) -> str:
    text = quoted(clean(block.text))
    data = quoted(block.svg)
    words = escaped(caption(block))
    below = f"\n#align(center, note[{words}])" if words else ""
    return f'#align(center, image(bytes({data}), format: "svg", alt: {text})){below}'


def _rows(row: Row) -> list[str]:
    body = translated(row.body)
    first = row.body[0] if row.body else None
    if not row.relation and isinstance(first, Atom) and first.text in SUMS | PRODUCTS:
        body = f'"" {body}'  # the sign stands between operands, as it did
    indent = f"#h({row.indent * HANG:g}em) " if row.indent else ""
    sign = f"{translated((Atom(row.relation),))} " if row.relation else "quad "
    line = f"{translated(row.left)} & {sign}{indent}{body}".strip()
    if not row.remark:
        return [line]
    if row.width + len(row.remark) * 0.42 < ROOM:
        return [f"{line} quad #note[{escaped(row.remark)}]"]
    return [line, f"& quad #box(width: 26em, note[{escaped(row.remark)}])"]
