"""A document as Markdown, its formulas as LaTeX between dollar signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from re import Match, findall, sub

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
from chalkgrad.explain.render.words import cleaned, told, unknown
from chalkgrad.formulas import Expression, typeset

ROOM = 42.0  # em: a usual page is about as wide


def to_markdown(document: Document) -> str:
    """The document as Markdown (CommonMark, tables, and mathematics as GitHub and Jupyter set it).

    >>> from chalkgrad.explain.document import Document, Link
    >>> from chalkgrad.formulas import Name, Number
    >>> document = Document("One step")
    >>> document.equation(Name("y"), [Link(Name("a") * Name("b")), Link(Number(6.0))])
    >>> print(to_markdown(document))
    # One step
    <BLANKLINE>
    $$
    y = a \\cdot b = 6
    $$
    <BLANKLINE>
    """
    parts = [f"# {escaped(document.title)}"]
    if document.source:
        parts.append(f"*{escaped(document.source).strip()}*")
    parts += _Writer(document.digits).blocks(document.blocks)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Words in which nothing is markup.

    >>> print(escaped("*a* <b> $x$"))
    \\*a\\* &lt;b&gt; \\$x\\$
    """
    text = cleaned(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = sub(r"([\\`*_{}\[\]#|$~!])", r"\\\1", text)
    text = sub(r"^(\s*)([-+=])", r"\1\\\2", text)  # a list, or the line under a heading
    text = sub(r"^(\s*\d+)([.)])", r"\1\\\2", text)  # a numbered list
    return sub(r"(?<=\w)(://|@)|\bwww(?=\.)", _unlinked, text)


def _unlinked(found: Match[str]) -> str:
    return {"://": "&#58;//", "@": "&#64;"}.get(found[0], "&#119;ww")


def display(rows: Sequence[Row]) -> str:
    """Rows as the inside of a display: `aligned` where there are several."""
    if len(rows) == 1 and not rows[0].remark:
        row = rows[0]
        return _side(row.left, row.relation) + " " + typeset.write(row.body)
    lines = []
    for row in rows:
        left = typeset.write(row.left)
        indent = r"\quad " * round(row.indent * HANG)
        middle = f"{row.relation} " if row.relation else r"\quad "
        line = f"{left} &{middle}{indent}{_continued(row)}"
        remark = rf" \quad \text{{({typeset.escaped(row.remark)})}}" if row.remark else ""
        lines.append(line + remark)
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _side(left: typeset.Row, relation: str) -> str:
    return f"{typeset.write(left)} {relation}".strip()


def _continued(row: Row) -> str:
    """A line that begins with a sign: the sign stands between operands, as it did."""
    text = typeset.write(row.body)
    first = row.body[0] if row.body else None
    starts = isinstance(first, typeset.Atom) and first.text in typeset.SUMS | typeset.PRODUCTS
    return "{}" + text if starts and not row.relation else text


def _listing(lines: Sequence[str]) -> str:
    """Lines as they stand, in a fence that is longer than any in them."""
    text = "\n".join(lines)
    fence = "`" * max([3, *(len(run) + 1 for run in findall("`+", text))])
    return f"{fence}text\n{text}\n{fence}"


def _untagged(latex: str) -> str:
    """A formula in which Markdown sees no element of HTML: none begins with a space."""
    return sub(r"<(?=[A-Za-z/!?])", "< ", latex)


class _Writer:
    def __init__(self, digits: int) -> None:
        self.digits = digits

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        for block in blocks:
            yield from self.block(block)

    def block(self, block: Block) -> Iterator[str]:
        if isinstance(block, Heading):
            yield f"{'#' * min(block.level + 1, 6)} {self.heading(block)}"
        elif isinstance(block, Prose):
            yield "".join(self.part(part) for part in block.parts).strip()
        elif isinstance(block, Equation):
            yield self.equation(block)
        elif isinstance(block, Table):
            yield self.table(block)
        elif isinstance(block, Picture):
            yield _listing([" " * indent + words for indent, words in told(block)])
        elif isinstance(block, Fold):
            yield f"<details>\n<summary>{escaped(block.summary).strip()}</summary>"
            yield from self.blocks(block.blocks)
            yield "</details>"
        else:
            raise unknown(block)

    def heading(self, block: Heading) -> str:
        if block.symbol is None:
            return escaped(block.text).strip()
        return rf"$\displaystyle {self.formula(block.symbol)}$"

    def part(self, part: Part) -> str:
        return escaped(part) if isinstance(part, str) else f"${self.formula(part)}$"

    def formula(self, expression: Expression) -> str:
        return _untagged(typeset.write(tree(expression, self.digits)))

    def equation(self, block: Equation) -> str:
        shown = display(rows(block, self.digits, ROOM))
        label = clean(block.label)
        tag = rf" \tag*{{{typeset.escaped(label)}}}" if label else ""
        return f"$$\n{_untagged(shown + tag)}\n$$"

    def table(self, block: Table) -> str:
        # A bar would end its cell, in a formula too.
        body = [
            [self.part(cell).replace("\\|", "&#124;").replace("|", r"\vert ") for cell in row]
            for row in block.rows
        ]
        lines = [[escaped(heading) for heading in block.headings], ["---"] * len(block.headings)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines + body)
